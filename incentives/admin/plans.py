"""Plans and their versions in the admin: drafted in a form that shows every choice, read in words, tried before they hold."""

from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import OuterRef, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from incentives import services
from incentives.admin.shared import ASKED, SETTLE, CalledAdmin, months, named, request_link
from incentives.forms.terms import BRIEF, DraftForm, filled
from incentives.kinds.publication import ask_publication
from incentives.models import Plan, PlanVersion, Simulation
from incentives.models.plans import check_earning_code
from incentives.plain.terms import read
from incentives.reports.previews import Preview, previewed
from incentives.words import in_words
from teams.edges.admin import ScopedInline, site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.verbs import DayField, ReasonField, ReasonForm, Verb, VerbForm
from teams.models import Agent, Team
from teams.scoping import Grant

TERMS_PAGE = "admin/incentives/terms.html"


class EarningCodeField(forms.CharField):
    def __init__(self) -> None:
        super().__init__(
            label=_("earning code of the payroll"), max_length=40, required=False, validators=[check_earning_code],
            help_text=_("What the payroll calls this pay. Needed before a pay-out batch can be made."),
        )  # fmt: skip


class MakePlanForm(VerbForm):
    team = forms.ModelChoiceField(Team.objects.filter(is_closed=False), label=_("team"))
    name = forms.CharField(label=_("name"), max_length=120)
    roles = forms.MultipleChoiceField(
        label=_("roles"), choices=Agent.Role.choices, required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None chosen: everybody."),
    )  # fmt: skip
    earning_code = EarningCodeField()
    reason = ReasonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: Any = self.fields["team"]
        own.queryset = Team.objects.in_reach_of(self.user, Grant.SETTLE).filter(is_closed=False).order_by("name")


class RenamePlanForm(VerbForm):
    name = forms.CharField(label=_("name"), max_length=120)
    earning_code = EarningCodeField()
    reason = ReasonField()


class ClosePlanForm(VerbForm):
    on = DayField(label=_("holds no more from"), help_text=_("What has been worked for until then is paid."))
    reason = ReasonField()


class TryForm(VerbForm):
    """A month that has been, to try a version on."""

    month = forms.TypedChoiceField(label=_("month"), coerce=lambda value: date.fromisoformat(f"{value}-01"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: Any = self.fields["month"]
        own.choices = months(12)[1:]


class PreviewForm(VerbForm):
    """A daily wage and a daily target to look at a plan with: anybody's, so nobody's."""

    wage = forms.DecimalField(label=_("daily wage"), min_value=Decimal(0), max_digits=12, decimal_places=4)
    target = forms.DecimalField(
        label=_("target of a day"), min_value=Decimal("0.0001"), max_digits=12, decimal_places=4,
        help_text=_("Of the first figure: contacts a day, or a share such as 0.9."),
    )  # fmt: skip


PREVIEWED_WITH = {"wage": "300", "target": "100"}


class TermsPages(CalledAdmin):
    """Verbs whose form are whole terms get a page of their own; all else about them is as with any verb."""

    def verb_view(self, request: HttpRequest, object_id: str | None = None, *, verb: Verb) -> HttpResponse:
        answer = super().verb_view(request, object_id, verb=verb)
        if isinstance(answer, TemplateResponse) and verb.form is DraftForm:
            answer.template_name = TERMS_PAGE
        return answer


def _to_version(request: HttpRequest, made: Any) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:incentives_planversion_change", args=[made.pk]))


def _begun(plan: Plan) -> dict[str, Any]:
    """What a new draft begins with: the newest version's terms, or those of the brief."""
    newest = plan.versions.order_by("-number").first()
    return filled(newest.terms if newest is not None else BRIEF)


def words_of(terms: dict[str, Any]) -> Any:
    """Terms as a list of names and words; warnings stand above."""
    made = read(terms)
    rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", in_words(made).items())
    warnings = format_html_join("", '<p class="in-warning" role="note">{}</p>', ((each,) for each in made.warnings))
    return format_html('{}<dl class="in-words">{}</dl>', warnings, rows)


class VersionInline(ScopedInline):
    model = PlanVersion
    ordering = ("-number",)
    verbose_name_plural = _("versions")
    fields = ("version_link", "state", "term", "reason", "request_link")

    @display(description=_("version"))
    def version_link(self, row: PlanVersion) -> Any:
        address = reverse("admin:incentives_planversion_change", args=[row.pk])
        return format_html('<a href="{}">{}</a>', address, _("Version %(number)d") % {"number": row.number})

    @display(description=_("request"))
    def request_link(self, row: PlanVersion) -> Any:
        return request_link(row.request_id)


@admin.register(Plan, site=site)
class PlanAdmin(TermsPages):
    empty_words = _(
        "No incentive plan is in your reach. A plan says what a team and all below it earn on top; it holds from the day on "
        "which a second person has agreed to its terms."
    )
    empty_steps = (Step(_("Make a plan"), "admin:incentives_plan_make"),)
    list_display = ("name", "team", "roles_words", "holds_now", "earning_code", "is_closed")
    more_columns = ("made_by", "made_at")
    list_filter = ("team", "is_closed")
    search_fields = ("name", "earning_code")
    ordering = ("name", "pk")
    open_relations = ("made_by",)  # who made a plan belongs to the plan
    fields = readonly_fields = (
        "name", "team", "roles_words", "earning_code", "is_closed", "made_by", "made_at", "newest_words",
    )  # fmt: skip
    inlines = (VersionInline,)
    verbs = (
        Verb("make", _("Make a plan"), services.make_plan, MakePlanForm, SETTLE,
             _("The plan is made. It pays nothing yet: draft its first version."), on_row=False, goes_to_result=True),
        Verb("draft", _("Draft a version"), services.draft_version, DraftForm, SETTLE,
             _("The draft is kept. Look at what it pays, then ask to publish it."), initial=_begun,
             fits=lambda plan: not plan.is_closed, enter=_to_version),
        Verb("rename", _("Rename"), services.rename_plan, RenamePlanForm, SETTLE,
             initial=lambda plan: {"name": plan.name, "earning_code": plan.earning_code}),
        Verb("close", _("Close"), services.close_plan, ClosePlanForm, SETTLE, _("The plan is closed."),
             fits=lambda plan: not plan.is_closed),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """With the version that holds today, so that the list asks for all of them at once."""
        today = PlanVersion.objects.on(timezone.localdate()).filter(plan=OuterRef("pk")).values("number")
        return super().get_queryset(request).annotate(number_now=Subquery(today[:1]))

    @display(description=_("roles"))
    def roles_words(self, plan: Plan) -> str:
        names = dict(Agent.Role.choices)
        return ", ".join(str(names[role]) for role in plan.roles) or str(_("everybody"))

    @display(description=_("holds today"), empty_value=_("nothing"))
    def holds_now(self, plan: Any) -> Any:
        return None if plan.number_now is None else _("Version %(number)d") % {"number": plan.number_now}

    @display(description=_("terms of the newest version"))
    def newest_words(self, plan: Plan) -> Any:
        newest = plan.versions.exclude(state=PlanVersion.State.WITHDRAWN).order_by("-number").first()
        return _("There is no version yet: draft the first one.") if newest is None else words_of(newest.terms)


@admin.register(PlanVersion, site=site)
class PlanVersionAdmin(TermsPages):
    empty_words = _("No version of a plan is in your reach. Versions are drafted on the page of their plan.")
    empty_steps = (Step(_("Incentive plans"), "admin:incentives_plan_changelist"),)
    list_display = ("version_name", "state", "since", "until", "made_by", "made_at")
    more_columns = ("reason", "published_at")
    raw_columns: ClassVar[dict[str, Raw]] = {
        "since": Raw(lambda version: version.span.lower),
        "until": Raw(lambda version: version.span.upper),
    }
    list_filter = ("state", "plan")
    search_fields = ("plan__name",)
    ordering = ("plan__name", "plan", "-number")
    open_relations = ("plan", "made_by")  # the plan has the same readers; who drafted a version belongs to it
    fields = readonly_fields = (
        "plan_link", "number", "state", "term", "reason", "request_link", "acknowledged", "made_by", "made_at",
        "published_at", "terms_words",
    )  # fmt: skip
    verbs = (
        Verb("ask", _("Ask to publish"), ask_publication, ReasonForm, SETTLE, ASKED,
             fits=lambda version: _is_free_draft(version)),
        Verb("edit", _("Edit draft"), services.edit_draft, DraftForm, SETTLE, _("The draft is kept."),
             initial=lambda version: filled(version.terms, version.span.lower),
             fits=lambda version: _is_free_draft(version)),
        Verb("try", _("Try on a month"), services.simulate, TryForm, SETTLE,
             _("It is being worked out; this page tells how far it is."), enter=lambda request, made: _to_trial(made)),
        Verb("discard", _("Discard draft"), services.discard_draft, ReasonForm, SETTLE, _("The draft is gone."),
             fits=lambda version: _is_free_draft(version)),
    )  # fmt: skip

    def called(self, row: PlanVersion) -> str:
        return named(row)

    @display(description=_("version"), ordering="number")
    def version_name(self, version: PlanVersion) -> str:
        return named(version)

    @display(description=_("from"), ordering="span")
    def since(self, version: PlanVersion) -> Any:
        return version.span.lower

    @display(description=_("until"), empty_value="–")
    def until(self, version: PlanVersion) -> Any:
        return version.span.upper

    @display(description=_("incentive plan"))
    def plan_link(self, version: PlanVersion) -> Any:
        address = reverse("admin:incentives_plan_change", args=[version.plan_id])
        return format_html('<a href="{}">{}</a>', address, version.plan.name)

    @display(description=_("request"))
    def request_link(self, version: PlanVersion) -> Any:
        return request_link(version.request_id)

    @display(description=_("read by"))
    def acknowledged(self, version: PlanVersion) -> Any:
        address = reverse("admin:incentives_acknowledgement_changelist")
        return format_html('<a href="{}?version={}">{}</a>', address, version.pk, version.acknowledgements.count())

    @display(description=_("terms"))
    def terms_words(self, version: PlanVersion) -> Any:
        return words_of(version.terms)

    # -- what it pays ------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.preview)
        return [
            path("<path:object_id>/preview/", view, name=self.route("preview").partition(":")[2]),
            *super().get_urls(),
        ]

    def _row_buttons(self, request: HttpRequest, object_id: str) -> list[tuple[Any, str]]:
        pays = (_("What it pays"), reverse(self.route("preview"), args=[object_id]))
        return [pays, *super()._row_buttons(request, object_id)]

    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """What a whole day pays from nothing to twice the target, for a wage and a target of choice."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        version = self.get_object(request, unquote(object_id))
        asked = request.GET if {"wage", "target"} & set(request.GET) else PREVIEWED_WITH
        form = PreviewForm(asked, user=request.user)
        found: Preview | None = previewed(version, **form.wish()) if form.is_valid() else None
        context = {
            **self.admin_site.each_context(request), "title": _("What it pays"), "opts": self.opts, "form": form,
            "original": version, "name": named(version), "found": found,
            "back": reverse(self.route("change"), args=[version.pk]),
        }  # fmt: skip
        return self.under_name(TemplateResponse(request, "admin/incentives/preview.html", context))


def _is_free_draft(version: PlanVersion) -> bool:
    return version.state == PlanVersion.State.DRAFT and version.request_id is None


def _to_trial(made: Simulation) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:incentives_simulation_change", args=[made.pk]))
