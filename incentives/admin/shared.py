"""What the admin doors of incentives have in common: who may see money, how rows are called, months to choose from."""

from datetime import date, timedelta
from typing import Any, ClassVar

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from incentives.models import PlanVersion
from incentives.plain.periods import month_of
from teams.edges import networks
from teams.edges.admin import ScopedAdmin
from teams.edges.scope import OUT_OF_REACH, in_reach
from teams.edges.verbs import Verb
from teams.scoping import Grant

SETTLE = (Grant.SETTLE,)
LEADS_AND_PAYROLL = (Grant.LEAD, Grant.SETTLE)
ASKED = gettext_lazy("The request is on its way; you find it under requests.")
MONTHS_BACK = 24


class Named:
    """A row under the name that people call it by; in all else it is the row."""

    def __init__(self, row: Any, name: str) -> None:
        self._row, self._name = row, name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, name)

    def __str__(self) -> str:
        return self._name


class CalledAdmin(ScopedAdmin):
    """Rows are called by what people call them, where their text is made of ids."""

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("outpost/incentives.css",)}

    def called(self, row: Any) -> str:
        return str(row)

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.under_name(super().change_view(request, *args, **kwargs))

    def history_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = self.under_name(super().history_view(request, *args, **kwargs))
        if isinstance(answer, TemplateResponse) and answer.context_data:
            answer.context_data["title"] = _("History: %(row)s") % {"row": answer.context_data["original"]}
        return answer

    def verb_view(self, request: HttpRequest, object_id: str | None = None, *, verb: Verb) -> HttpResponse:
        return self.under_name(super().verb_view(request, object_id, verb=verb))

    def under_name(self, answer: HttpResponse) -> HttpResponse:
        """A page about a row, with the row under its name."""
        if isinstance(answer, TemplateResponse) and answer.context_data and answer.context_data.get("original"):
            row = answer.context_data["original"]
            answer.context_data |= {"original": Named(row, self.called(row)), "subtitle": self.called(row)}
        return answer


class MoneyAdmin(CalledAdmin):
    """Amounts: under SETTLE alone and from the networks of the organisation. What one is paid oneself stands on one's own
    pages, not in a list of amounts."""

    readers = SETTLE

    def scope(self, queryset: Any, request: HttpRequest) -> Any:
        networks.require(request)
        return queryset.visible_to(request.user).manageable_by(request.user)

    def verb_view(self, request: HttpRequest, object_id: str | None = None, *, verb: Verb) -> HttpResponse:
        if verb.may(request):
            networks.require(request)
        return super().verb_view(request, object_id, verb=verb)


class OfVersion(ScopedAdmin):
    """Rows of a version of a plan: called by the plan and its number where the plan is in reach, in one query for a list."""

    def closed_relations(self) -> list[str]:
        return [name for name in super().closed_relations() if name != "version"]

    def scope(self, queryset: Any, request: HttpRequest) -> Any:
        versions = PlanVersion.objects.visible_to(request.user).select_related("plan")
        return super().scope(queryset, request).prefetch_related(Prefetch("version", versions))

    @display(description=gettext_lazy("incentive plan"))
    def plan_version(self, row: Any) -> Any:
        return named(row.version) if row.version is not None else OUT_OF_REACH


def sees_money(request: HttpRequest, row: Any) -> bool:
    """Whether amounts of `row` may stand on a page that is also read by people without SETTLE."""
    rows = in_reach(type(row)._default_manager.all(), request.user, SETTLE)
    is_own = getattr(request.user, "seen_by", None) is None
    return is_own and networks.is_allowed(request) and rows.filter(pk=row.pk).exists()


def named(version: PlanVersion) -> str:
    return _("%(plan)s, version %(number)d") % {"plan": version.plan.name, "number": version.number}


def month_words(day: date) -> str:
    return date_format(day, "YEAR_MONTH_FORMAT")


def request_link(pk: int | None) -> Any:
    if pk is None:
        return None
    try:
        address = reverse("admin:approvals_approvalrequest_change", args=[pk])
    except NoReverseMatch:
        return pk
    return format_html('<a href="{}">{}</a>', address, _("Request %(number)d") % {"number": pk})


def months(back: int = MONTHS_BACK) -> list[tuple[str, str]]:
    """The newest months with their words, this one and the next first."""
    day = month_of(timezone.localdate()).last + timedelta(days=1)
    found = []
    for _place in range(back + 1):
        found.append((f"{day:%Y-%m}", month_words(day)))
        day = month_of(day - timedelta(days=1)).first
    return found


class MonthFilter(SimpleListFilter):
    """A pay-out month by its name; an address may name an older one than the list offers."""

    title, parameter_name = gettext_lazy("month"), "month"
    column: ClassVar[str] = "month"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return months()

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if not self.value():
            return queryset
        try:
            span = month_of(date.fromisoformat(f"{self.value()}-01"))
        except ValueError as error:
            raise IncorrectLookupParameters from error
        return queryset.filter(**{f"{self.column}__range": (span.first, span.last)})


class EndingFilter(MonthFilter):
    """Lines by the pay-out month they belong to: that of their last day."""

    column = "ends"
