"""Contacts in the admin: read-only, seven days unless asked for more, and never a count over millions."""

from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from performance import words
from performance.metrics import METRICS
from performance.models import Channel, Complexity, Contact, PhoneReveal, Queue
from performance.querysets import FIGURE_READERS
from performance.reports import behind
from performance.services import phones
from teams import audit
from teams.clock import local_day
from teams.edges import networks
from teams.edges.addresses import client_address
from teams.edges.admin import ScopedAdmin, site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.scope import holds, labels, person
from teams.edges.sight import SeersPage
from teams.edges.verbs import VerbForm
from teams.errors import OutOfReach, Refused
from teams.models import AccessRecord, Agent, Team
from teams.scoping import Grant

COUNTED_AT_MOST = 10_000
DEFAULT_PERIOD = "7"


class CappedPaginator(Paginator):
    """Counts no further than ten thousand rows; who needs more narrows the period."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return rows.order_by()[:COUNTED_AT_MOST].count()


class PeriodFilter(admin.SimpleListFilter):
    """The last days up to today, or a span written as 2026-11-01_2026-11-07; seven days unless chosen otherwise."""

    takes_any = True
    title, parameter_name = _("period"), "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("Today")), ("7", _("Last 7 days")), ("30", _("Last 30 days")), ("90", _("Last 90 days"))]

    def value(self) -> str:
        return super().value() or DEFAULT_PERIOD

    def choices(self, changelist: Any) -> Any:
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.value() == value, "query_string": query, "display": title}
        if "_" in self.value():
            yield {"selected": True, "query_string": "", "display": self.value().replace("_", " – ")}

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        span = read_period(self.value(), local_day(timezone.now(), request.user.zone))  # type: ignore[union-attr]
        return queryset.filter(day__range=span) if span else queryset.none()


class TeamFilter(admin.SimpleListFilter):
    title, parameter_name = _("team"), "team"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        reach = Team.objects.in_reach_of(request.user, *FIGURE_READERS)
        return [(str(pk), name) for pk, name in reach.values_list("pk", "name")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return narrowed(queryset, "team", self.value())


class QueueFilter(admin.SimpleListFilter):
    title, parameter_name = _("queue"), "queue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(str(pk), name) for pk, name in Queue.objects.visible_to(request.user).values_list("pk", "name")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return narrowed(queryset, "queue", self.value())


class AgentFilter(admin.SimpleListFilter):
    """One agent, when a page about them leads here; nothing to choose from a list of thousands."""

    title, parameter_name = _("agent"), "agent"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        wish = request.GET.get(self.parameter_name, "")
        found = Contact.objects.visible_to(request.user).filter(agent=int(wish)) if _is_id(wish) else None
        if found is None or not found.exists():
            return [("", _("any"))]
        return [(wish, labels(Agent, {int(wish)}, request.user)[int(wish)])]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return narrowed(queryset, "agent", self.value())


class FigureFilter(admin.SimpleListFilter):
    """The contacts a figure rests on, in the words of the registry."""

    title, parameter_name = _("counted in"), "figure"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        shares = [(metric.id, metric.label) for metric in METRICS.values() if behind.rests_on(metric)]
        return shares + list(behind.MEASURE_WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        condition = behind.rows_of(self.value() or "")
        return queryset if condition is None else queryset.filter(condition)


class ChannelFilter(admin.SimpleListFilter):
    title, parameter_name = _("channel"), "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Channel.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(channel=self.value()) if self.value() else queryset


class ComplexityFilter(admin.SimpleListFilter):
    title, parameter_name = _("complexity"), "complexity"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(Complexity.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(complexity=self.value()) if self.value() else queryset


class PhoneForm(VerbForm):
    reason = forms.ChoiceField(label=_("reason"), choices=PhoneReveal.Reason.choices)
    note = forms.CharField(
        label=_("in words"), max_length=200, help_text=_("What the number is needed for. It is kept with the look.")
    )


@admin.register(Contact, site=site)
class ContactAdmin(SeersPage, ScopedAdmin):
    list_display = (
        "opened_at", "external_id", "agent", "team", "queue", "channel", "complexity", "handling", "satisfied", "is_resolved",
    )  # fmt: skip
    list_display_links = ("opened_at", "external_id")
    more_columns = (
        "day", "source", "topic", "zone", "first_reply_at", "ended_at", "wait_seconds", "reply_count", "reopen_count",
        "transfer_count",
    )  # fmt: skip
    raw_columns: ClassVar[dict[str, Raw]] = {
        "handling": Raw(lambda contact: contact.handle_seconds, _("seconds")),
        "satisfied": Raw(lambda contact: contact.rating, _("0 to 1")),
    }
    empty_words = _("No contact of the last seven days is here. Contacts come in from a source, by file or by REST.")
    wider = (Step(_("Last 90 days"), "", query="period=90"),)
    empty_steps = (
        Step(_("Take a file in"), "intake_upload", (Grant.LEAD,)),
        Step(_("Sources"), "admin:performance_source_changelist"),
    )
    list_select_related = ("agent", "team", "queue")
    list_filter = (
        PeriodFilter, FigureFilter, TeamFilter, QueueFilter, AgentFilter, ChannelFilter, ComplexityFilter,
    )  # fmt: skip
    search_fields = ("=external_id", "=agent__number")
    search_help_text = _("Id at the source, or number of the agent.")
    ordering = ("-opened_at", "-id")
    sortable_by = ("opened_at",)
    list_per_page = 50
    show_full_result_count = False
    paginator = CappedPaginator
    fieldsets = (
        (None, {"fields": ("external_id", "source", "channel", "queue", "queue_external", "topic", "complexity")}),
        (_("Who and when"), {"fields": (
            "agent", "agent_external", "team", "day", "zone", "opened_at", "assigned_at", "first_reply_at", "ended_at",
        )}),
        (_("How it went"), {"fields": (
            "wait_seconds", "first_reply_seconds", "handle_seconds", "handle_method", "business_seconds", "reply_count",
            "reopen_count", "transfer_count", "is_answered", "is_abandoned", "is_resolved", "is_bot_only", "is_excluded",
            "rating_raw", "rating_scale", "rating", "rating_comment",
        )}),
        (_("Customer and origin"), {"fields": ("phone_mask", "source_updated_at")}),
    )  # fmt: skip

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return holds(request, FIGURE_READERS)

    @admin.display(description=_("Handling time"), empty_value=words.NOTHING)
    def handling(self, contact: Contact) -> str | None:
        return None if contact.handle_seconds is None else words.duration(contact.handle_seconds)

    @admin.display(description=_("Rating"), empty_value=words.NOTHING)
    def satisfied(self, contact: Contact) -> str | None:
        return None if contact.rating is None else words.percent(contact.rating)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().change_view(request, object_id, *args, **kwargs)
        contact = self.get_queryset(request).select_related("agent").filter(pk=unquote(object_id)).first()
        if contact is not None and contact.agent is not None:
            audit.record_look(contact.agent, request.user, AccessRecord.Door.CONTACT)  # type: ignore[arg-type]
        return response

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().changelist_view(request, *args, **kwargs)
        wish = request.GET.get("agent", "")
        if _is_id(wish) and self.get_queryset(request).filter(agent=int(wish)).exists():
            audit.record_look(Agent.objects.get(pk=int(wish)), request.user, AccessRecord.Door.CONTACTS)  # type: ignore[arg-type]
        return response

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.phone_view)
        return [path("<path:object_id>/phone/", view, name=self.route("phone").partition(":")[2]), *super().get_urls()]

    def _row_buttons(self, request: HttpRequest, object_id: str) -> list[tuple[Any, str]]:
        contact = self.get_object(request, unquote(object_id))
        shown = phones.has_number(contact) and phones.leads(person(request), contact)
        button = [(_("Show telephone number"), reverse(self.route("phone"), args=[object_id]))] if shown else []
        return super()._row_buttons(request, object_id) + button

    def phone_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One customer's number, asked for by POST with a reason and shown in that one answer only."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"})
        contact = self.get_object(request, unquote(object_id))
        if not phones.leads(person(request), contact):
            raise Http404
        networks.require(request)
        form = PhoneForm(request.POST if request.method == "POST" else None, user=request.user)
        number = ""
        if request.method == "POST" and form.is_valid():
            address = client_address(request)
            try:
                number = phones.reveal(
                    contact.pk, address=str(address) if address else None, by=person(request), **form.cleaned_data
                )
            except Refused as refusal:
                form.add_error(None, str(refusal.message))
            except OutOfReach as error:
                raise Http404 from error
        context = self.admin_site.each_context(request) | {
            "title": _("Telephone number of a customer"),
            "opts": self.opts,
            "original": contact,
            "form": form,
            "number": number,
            "back": reverse(self.route("change"), args=[object_id]),
        }
        return TemplateResponse(request, "admin/phone.html", context)

    def download_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        response = super().download_view(request, kind)
        wish = request.GET.get("agent", "")
        if _is_id(wish) and self.get_queryset(request).filter(agent=int(wish)).exists():
            audit.record_look(Agent.objects.get(pk=int(wish)), request.user, AccessRecord.Door.EXPORT)  # type: ignore[arg-type]
        return response


def narrowed(queryset: QuerySet, relation: str, wish: str | None) -> QuerySet:
    """`queryset` with one value of a relation; a value that is no number finds nothing."""
    if not wish:
        return queryset
    return queryset.filter(**{f"{relation}_id": int(wish)}) if _is_id(wish) else queryset.none()


def _is_id(wish: str) -> bool:
    return wish.isascii() and wish.isdigit() and len(wish) < 19


def read_period(wish: str, today: date) -> tuple[date, date] | None:
    """First and last day of a period: a number of days up to `today`, or two dates joined by an underscore."""
    try:
        if "_" in wish:
            first, last = (date.fromisoformat(part) for part in wish.split("_", 1))
            return first, last
        days = int(wish)
        return (today - timedelta(days=days - 1), today) if 1 <= days <= 366 else None
    except (ValueError, OverflowError):
        return None
