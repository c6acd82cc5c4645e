"""Statuses: time lines, the words of reasons, what teams keep covered, and what is asked on the page of an agent."""

from typing import Any, ClassVar, cast

from django import forms
from django.contrib.admin import display, register
from django.utils.translation import gettext_lazy as _

from approvals.models import StatusReason, StatusSpan, TeamCover
from approvals.models.statuses import DAY_MINUTES, WITH_REASON
from approvals.reports.board import SEES
from approvals.services import employment, statuses, undoable
from approvals.services.statuses.choosing import CHOICES
from teams.edges.admin import ScopedAdmin, site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.verbs import ReasonField, Verb, VerbForm
from teams.models import Agent, Team
from teams.querysets import EVERY_GRANT
from teams.scoping import Grant
from teams.services.people import KEEPERS, STAYS

LEAD = (Grant.LEAD,)
BOARD = Step(_("Board"), "board", grants=SEES)


@register(StatusSpan, site=site)
class StatusSpanAdmin(ScopedAdmin):
    """The time lines. Nobody edits them here: a status is set on the page of the agent, the past is corrected by request."""

    list_display = ("agent", "team", "words", "since", "until", "source", "confidence")
    more_columns = ("back_at", "note")
    raw_columns: ClassVar[dict[str, Raw]] = {
        "since": Raw(lambda row: row.span.lower),
        "until": Raw(lambda row: row.span.upper),
    }
    list_filter = ("team", "base", "reason", "source", "confidence")
    search_fields = ("^agent__number", "agent__name")
    search_help_text = _("Number or name of the agent")
    ordering = ("-span", "pk")
    fields = readonly_fields = (
        "agent", "team", "words", "since", "until", "back_at", "source", "confidence", "request", "by", "note",
    )  # fmt: skip
    open_relations = ("reason",)  # a word of the shared vocabulary
    empty_words = _("No status has been set in your teams yet. Agents set theirs on their own pages.")
    empty_steps = (BOARD, Step(_("Agents"), "admin:teams_agent_changelist"))

    @display(description=_("status"), ordering="base")
    def words(self, row: StatusSpan) -> str:
        return row.words

    @display(description=_("from"), ordering="span")
    def since(self, row: StatusSpan) -> Any:
        return row.span.lower

    @display(description=_("until"))
    def until(self, row: StatusSpan) -> Any:
        return row.span.upper or "–"


@register(StatusReason, site=site)
class StatusReasonAdmin(ScopedAdmin):
    """The shared vocabulary: read by whoever holds a grant, written by the operator. A reason in use is not deleted, but no
    longer offered."""

    readers, writers = EVERY_GRANT, ()
    may_add = may_change = True
    list_display = (
        "title", "code", "base", "is_paid", "is_shrinkage", "is_productive", "needs_approval", "is_legal", "longest_minutes",
        "longest_per_shift_minutes", "most_at_once", "is_active",
    )  # fmt: skip
    list_filter = ("base", "is_paid", "is_shrinkage", "needs_approval", "is_active", "is_system")
    search_fields = ("code", "name")
    empty_words = _(
        "Reasons are the shared words for why somebody is away. The operator names them; none is named yet."
    )
    empty_steps = (
        Step(_("Add a reason"), "admin:approvals_statusreason_add"),
        BOARD,
        Step(_("Teams"), "admin:teams_team_changelist"),
    )

    def get_readonly_fields(self, request: Any, obj: Any = None) -> tuple[str, ...]:
        """What lines and requests go by stays as it was made."""
        return () if obj is None else ("code", "base")

    @display(description=_("name"), ordering="name")
    def title(self, row: StatusReason) -> str:
        return str(row)


class CoverForm(VerbForm):
    team_pk = forms.ModelChoiceField(label=_("team"), queryset=Team.objects.filter(is_closed=False))
    needed = forms.IntegerField(
        label=_("needed ready"), min_value=0, max_value=10_000,
        help_text=_("How many agents have to stay ready. With none, breaks are granted at once."),
    )  # fmt: skip
    lead_told_after_minutes = forms.IntegerField(
        label=_("lead told after, minutes"), min_value=0, max_value=DAY_MINUTES, initial=5,
        help_text=_("How long over its end a break is the agent's own matter."),
    )  # fmt: skip
    grant_after_minutes = forms.IntegerField(
        label=_("granted after, minutes"), min_value=1, max_value=DAY_MINUTES, required=False,
        help_text=_("A break that has waited so long is granted, whatever the cover. Empty: it waits."),
    )  # fmt: skip
    reason = ReasonField()

    def wish(self) -> dict[str, Any]:
        told = super().wish()
        return {"team": told.pop("team_pk"), **told}


class CoverChangeForm(CoverForm):
    """Of one team, whose row is open."""

    team_pk = None  # type: ignore[assignment]

    def wish(self) -> dict[str, Any]:
        return VerbForm.wish(self)


def _change_cover(pk: int, **wish: Any) -> TeamCover:
    return statuses.set_cover(TeamCover.objects.visible_to(wish["by"]).get(pk=pk).team_id, **wish)


@register(TeamCover, site=site)
class TeamCoverAdmin(ScopedAdmin):
    """How many have to stay ready, team by team."""

    list_display = ("team", "needed", "lead_told_after_minutes", "grant_after_minutes")
    list_filter = ("team",)
    fields = readonly_fields = ("team", "needed", "lead_told_after_minutes", "grant_after_minutes")
    empty_words = _("No cover is set in your teams: breaks are granted at once. Say how many have to stay ready.")
    empty_steps = (Step(_("Set cover"), "admin:approvals_teamcover_set"), BOARD)
    verbs = (
        Verb(
            "set", _("Set cover"), statuses.set_cover, CoverForm, LEAD, _("The cover has been set."),
            on_row=False, goes_to_result=True, undo=undoable.COVER,
        ),
        Verb(
            "adjust", _("Change cover"), _change_cover, CoverChangeForm, LEAD, _("The cover has been set."),
            initial=lambda cover: {
                "needed": cover.needed,
                "lead_told_after_minutes": cover.lead_told_after_minutes,
                "grant_after_minutes": cover.grant_after_minutes,
            },
            undo=undoable.COVER,
        ),
    )  # fmt: skip


# -- on the page of an agent -----------------------------------------------------------------------------------------------


class EmploymentForm(VerbForm):
    status = forms.ChoiceField(
        label=_("employment"), choices=[(each.value, each.label) for each in STAYS],
        help_text=_(
            "This becomes a request: a change of employment opens and shuts doors for a person, so somebody else agrees to it "
            "before it holds."
        ),
    )  # fmt: skip
    reason = ReasonField()


class StateForm(VerbForm):
    base = forms.ChoiceField(label=_("status"), choices=CHOICES)
    status_reason = forms.ModelChoiceField(
        label=_("reason of the status"), required=False,
        queryset=StatusReason.objects.filter(is_active=True, is_system=False).order_by("base", "code"),
        help_text=_("For a break and for “not ready”. A break, and what needs approval, becomes a request."),
    )  # fmt: skip
    minutes = forms.IntegerField(
        label=_("minutes"), min_value=1, max_value=DAY_MINUTES, required=False,
        help_text=_("Empty: as long as the reason allows."),
    )  # fmt: skip
    reason = ReasonField(help_text=_("The agent reads it."))

    def wish(self) -> dict[str, Any]:
        told = self.cleaned_data
        picked = told["status_reason"] if told["base"] in WITH_REASON else None
        return {
            "base": told["base"],
            "reason": picked.code if picked is not None else "",
            "minutes": told["minutes"],
            "note": told["reason"],
        }


def _works(agent: Agent) -> bool:
    return agent.status != Agent.Status.LEFT


agents = cast(ScopedAdmin, site.get_model_admin(Agent))
agents.plug(
    Verb(
        "status", _("Change employment"), employment.ask_status, EmploymentForm, KEEPERS,
        _("The request has been handed in. It holds as soon as somebody else has agreed."),
        initial=lambda agent: {"status": agent.status}, fits=_works,
    )
)  # fmt: skip
agents.plug(
    Verb(
        "state", _("Set status of the day"), statuses.set_status, StateForm, LEAD,
        _("Done. What needs a word of somebody waits on the board."), fits=_works,
    )
)  # fmt: skip
