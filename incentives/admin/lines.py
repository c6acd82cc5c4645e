"""Lines in the admin: what was reached, without a word of money for whoever leads; and what of a day people record for it."""

from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incentives import services
from incentives.admin.shared import (
    ASKED,
    LEADS_AND_PAYROLL,
    SETTLE,
    CalledAdmin,
    EndingFilter,
    OfVersion,
    request_link,
    sees_money,
)
from incentives.kinds.overrides import ask_override
from incentives.models import Acknowledgement, Attainment, Correction, DayRecord, Entry, GateOverride, PlanVersion
from incentives.reports.lines import Told, told
from incentives.words import GATE_NAMES
from teams.edges.admin import site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.scope import OUT_OF_REACH
from teams.edges.verbs import DayField, ReasonField, ReasonForm, Verb, VerbForm
from teams.models import Agent
from teams.scoping import AnyOf, reach


def people(user: Any, grants: Any) -> Any:
    """The agents whose home team one of `grants` reaches."""
    everybody = Agent.objects.all()
    return everybody if user.is_superuser else everybody.at_home_in(reach(user, grants))


# -- what was reached ------------------------------------------------------------------------------------------------------


class LiftForm(VerbForm):
    gate = forms.ChoiceField(label=_("gate"))
    reason = ReasonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: Any = self.fields["gate"]
        own.choices = [(gate, GATE_NAMES[gate]) for gate in missed(self.row)]


def missed(line: Any) -> list[str]:
    return [gate for gate in line.missed.split(",") if gate in GATE_NAMES]


@admin.register(Attainment, site=site)
class AttainmentAdmin(OfVersion, CalledAdmin):
    """Who leads the team of the day reads attainment and tier; amounts stand on the page for whoever holds SETTLE.

    People are named to those who see them on the roster, and to payroll those at home in its teams: whoever has moved on since
    is not named by their old days.
    """

    empty_words = _(
        "Nothing has been reached yet. A line appears in the night after a day, for everybody under an incentive plan."
    )
    empty_steps = (Step(_("Incentive plans"), "admin:incentives_plan_changelist"),)
    list_display = ("begins", "person", "team", "attained_words", "tier", "missed_words")
    more_columns = ("ends", "plan_version")
    raw_columns: ClassVar[dict[str, Raw]] = {
        "attained_words": Raw(lambda line: line.attained, _("1 is the target")),
        "tier": Raw(lambda line: line.reached - line.demoted),
    }
    list_filter = (EndingFilter, "team", "reached")
    search_fields = ("^agent__number", "agent__name")
    ordering = ("-begins", "-pk")
    fields = readonly_fields = (
        "person", "team", "plan_version", "begins", "ends", "attained_words", "tier", "missed_words",
    )  # fmt: skip
    change_form_outer_after_template = "admin/incentives/line.html"
    verbs = (
        Verb("lift", _("Ask to lift a gate"), ask_override, LiftForm, LEADS_AND_PAYROLL, ASKED,
             fits=lambda line: bool(missed(line))),
    )  # fmt: skip

    def closed_relations(self) -> list[str]:
        return [name for name in super().closed_relations() if name != "agent"]

    def scope(self, queryset: Any, request: HttpRequest) -> Any:
        return super().scope(queryset, request).prefetch_related(Prefetch("agent", self._named(request)))

    def _named(self, request: HttpRequest) -> Any:
        user = request.user
        if user.is_superuser:
            return Agent.objects.all()
        on_roster = Agent.objects.visible_to(user).values("pk")
        return Agent.objects.filter(Q(AnyOf("pk", on_roster)) | Q(AnyOf("team", reach(user, SETTLE))))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Finds by the names that it shows, and by no other."""
        for word in search_term.replace("\x00", "").split():
            found = self._named(request).filter(Q(number__istartswith=word) | Q(name__icontains=word))
            queryset = queryset.filter(agent__in=found.values("pk"))
        return queryset, False

    def called(self, row: Attainment) -> str:
        return f"{row.agent or OUT_OF_REACH}, {row.begins:%Y-%m-%d}"

    @display(description=_("agent"))
    def person(self, line: Attainment) -> Any:
        return line.agent if line.agent is not None else OUT_OF_REACH

    @display(description=_("attainment"), ordering="attained", empty_value="–")
    def attained_words(self, line: Attainment) -> str | None:
        """Cut off, never rounded up: what is shown as reached has been reached."""
        if line.attained is None:
            return None
        cut = int(line.attained * 1000)
        return f"{cut // 10}.{cut % 10} %"

    @display(description=_("tier"), ordering="reached")
    def tier(self, line: Attainment) -> str:
        if not line.demoted:
            return str(line.reached or "–")
        return _("%(left)d (%(demoted)d taken off)") % {"left": line.reached - line.demoted, "demoted": line.demoted}

    @display(description=_("gates not met"), ordering="missed", empty_value="–")
    def missed_words(self, line: Attainment) -> str | None:
        return ", ".join(str(GATE_NAMES[gate]) for gate in missed(line)) or None

    # -- one line, step by step --------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"told": partial(self._told, request, object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _told(self, request: HttpRequest, object_id: str) -> Told:
        line = self.get_object(request, unquote(object_id))
        return told(line, entries=Entry.objects.visible_to(request.user) if sees_money(request, line) else None)


# -- what people record ----------------------------------------------------------------------------------------------------


class RecordForm(VerbForm):
    agent = forms.CharField(label=_("agent's number"), max_length=40)
    day = DayField(label=_("day"))
    what = forms.ChoiceField(label=_("what"), choices=DayRecord.What.choices)
    amount = forms.DecimalField(
        label=_("amount"), max_digits=8, decimal_places=4, min_value=0, max_value=1440,
        help_text=_("Minutes; of learning, the share of the target from 0 to 1; of failures, their count."),
    )  # fmt: skip
    reason = ReasonField(help_text=_("It is kept with the record and shown to the agent."))

    def clean_agent(self) -> Agent:
        number = self.cleaned_data["agent"].strip()
        agent = people(self.user, LEADS_AND_PAYROLL).filter(number=number).first()
        if agent is None:
            raise forms.ValidationError(_("No agent of this number was found."))
        return agent


@admin.register(DayRecord, site=site)
class DayRecordAdmin(CalledAdmin):
    empty_words = _(
        "Nothing has been recorded for the days of your people: no leave, no protected minutes, no learner's share. What is "
        "recorded moves the target of that day."
    )
    empty_steps = (Step(_("Record something of a day"), "admin:incentives_dayrecord_record"),)
    open_relations = ("agent", "made_by")  # whoever reads a record leads or pays its agent today
    list_display = ("day", "agent", "what", "amount", "reason", "made_by")
    more_columns = ("made_at",)
    list_filter = ("what", "day")
    search_fields = ("^agent__number", "agent__name")
    date_hierarchy = "day"
    ordering = ("-day", "agent__number", "what")
    fields = readonly_fields = ("agent", "day", "what", "amount", "reason", "made_by", "made_at")
    verbs = (
        Verb("record", _("Record something of a day"), services.record_day, RecordForm, LEADS_AND_PAYROLL,
             _("It is recorded; the line of that day is worked out anew in the night."), on_row=False, goes_to_result=True),
        Verb("remove", _("Remove"), services.remove_record, ReasonForm, LEADS_AND_PAYROLL, _("The record is gone.")),
    )  # fmt: skip

    def called(self, row: DayRecord) -> str:
        return f"{row.agent}, {row.day:%Y-%m-%d}: {row.get_what_display()}"


# -- what comes out of decisions -------------------------------------------------------------------------------------------


class FromRequest:
    """A row that a decided request has left."""

    @display(description=_("request"))
    def request_link(self, row: Any) -> Any:
        return request_link(row.request_id)


@admin.register(Correction, site=site)
class CorrectionAdmin(FromRequest, CalledAdmin):
    empty_words = _("No count has been put right. A dispute that is accepted leaves its correction here.")
    empty_steps = (Step(_("All requests"), "admin:approvals_approvalrequest_changelist", query="show=all"),)
    open_relations = ("agent",)  # whoever reads a correction leads or pays its agent today
    list_display = ("day", "agent", "count", "difference", "request_link", "made_at")
    raw_columns: ClassVar[dict[str, Raw]] = {"difference": Raw(lambda row: row.by_how_much)}
    list_filter = ("count", "day")
    search_fields = ("^agent__number", "agent__name")
    date_hierarchy = "day"
    ordering = ("-day", "agent__number", "count")
    fields = readonly_fields = ("agent", "day", "count", "difference", "request_link", "made_at")

    def called(self, row: Correction) -> str:
        return f"{row.agent}, {row.day:%Y-%m-%d}: {row.get_count_display()}"

    @display(description=_("by how much"), ordering="by_how_much")
    def difference(self, row: Correction) -> str:
        return f"{row.by_how_much:+d}"


@admin.register(GateOverride, site=site)
class GateOverrideAdmin(FromRequest, OfVersion, CalledAdmin):
    empty_words = _("No gate has been lifted. Ask for one on the page of the line that it takes from.")
    empty_steps = (Step(_("Attainment"), "admin:incentives_attainment_changelist"),)
    open_relations = ("agent",)  # whoever reads a lifted gate leads or pays its agent today
    list_display = ("begins", "agent", "gate_name", "plan_version", "request_link", "made_at")
    list_filter = ("begins",)
    search_fields = ("^agent__number", "agent__name")
    date_hierarchy = "begins"
    ordering = ("-begins", "agent__number", "gate")
    fields = readonly_fields = ("agent", "begins", "gate_name", "plan_version", "request_link", "made_at")

    def called(self, row: GateOverride) -> str:
        return f"{row.agent}, {row.begins:%Y-%m-%d}: {self.gate_name(row)}"

    @display(description=_("gate"), ordering="gate")
    def gate_name(self, row: GateOverride) -> str:
        return str(GATE_NAMES.get(row.gate, row.gate))


class VersionFilter(admin.SimpleListFilter):
    """Those of one version: named by a link from its page, never a list of all versions to choose from."""

    title, parameter_name = _("version of incentive plan"), "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        wish = request.GET.get("version", "")
        return [(wish, str(self._version(request, wish) or "–"))] if wish else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(version=self._version(request, self.value() or "")) if self.value() else queryset

    def _version(self, request: HttpRequest, wish: str) -> PlanVersion | None:
        """The version that an address names, if this person may see it: of any other there are none."""
        is_id = wish.isascii() and wish.isdigit() and len(wish) < 19
        return PlanVersion.objects.visible_to(request.user).filter(pk=int(wish)).first() if is_id else None


@admin.register(Acknowledgement, site=site)
class AcknowledgementAdmin(OfVersion, CalledAdmin):
    empty_words = _("Nobody has noted yet that they have read a plan. Agents do so on their own page of it.")
    empty_steps = (Step(_("Incentive plans"), "admin:incentives_plan_changelist"),)
    open_relations = ("agent",)  # whoever reads this leads or pays the agent today
    list_display = ("at", "agent", "plan_version")
    list_filter = (VersionFilter, "at")
    search_fields = ("^agent__number", "agent__name")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    fields = readonly_fields = ("agent", "plan_version", "at")

    def called(self, row: Acknowledgement) -> str:
        return str(row.agent)
