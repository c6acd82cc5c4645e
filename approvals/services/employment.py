"""Changes of employment as requests: status, role, home team. They open and shut doors for a person, so two people answer for
each; what carries them out are the verbs of `teams`, in the name of whoever decided."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from approvals.kinds import Fact, Kind, Line, State, Subject, Value, Wish
from approvals.models import ApprovalRequest, Base
from approvals.services import requests
from approvals.services.statuses import people, set_status
from approvals.services.statuses.breaks import MOST_PK
from teams import services as teams
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Agent, Membership, Team, User
from teams.services.people import KEEPERS, STAYS
from teams.services.spans import not_before, today_in

NAME = "employment"
STATUS, ROLE, MOVE = "status", "role", "move"
ACTIONS = (
    (STATUS, gettext_lazy("Employment")),
    (ROLE, gettext_lazy("Role")),
    (MOVE, gettext_lazy("Home team")),
)
PERSON = "what a person is employed as is one row, whoever asks for its change"


class EmploymentForm(serializers.Serializer):
    agent = serializers.IntegerField(min_value=1, max_value=MOST_PK, label=gettext_lazy("Agent"))
    action = serializers.ChoiceField(choices=ACTIONS, label=gettext_lazy("What changes"))
    value = serializers.CharField(
        max_length=40, label=gettext_lazy("New value"), help_text=gettext_lazy("Of a team: its code.")
    )
    on = serializers.DateField(
        required=False, allow_null=True, default=None, label=gettext_lazy("From"),
        help_text=gettext_lazy("For a move, on the agent's calendar. Empty: today."),
    )  # fmt: skip


class Employment(Kind):
    name, title, payload = NAME, gettext_lazy("Change of employment"), EmploymentForm
    undo_within = timedelta(days=7)
    fixed, page = frozenset({"agent", "action"}), "my_employment"
    facts = (
        Fact("action", gettext_lazy("what changes"), is_number=False, choices=ACTIONS),
        Fact("value", gettext_lazy("what it becomes"), is_number=False),
    )

    def may_ask(self, wish: Wish, by: User) -> None:
        """Whoever leads or onboards the home team asks for anything, agents for another role or team of their own."""
        with system_scope(PERSON):
            agent = Agent.objects.filter(pk=wish["agent"]).select_related("team").first()
            if agent is None:
                raise OutOfReach
            keeps = by.is_superuser or (agent.team_id is not None and reaches(by, agent.team_id, *KEEPERS))
            if not keeps and not (people.is_own(agent, by) and wish["action"] != STATUS):
                raise OutOfReach
            if agent.status == Agent.Status.LEFT:
                raise Refused("has_left", _("This agent has left. Use “Return” first."))
            check, stands = CHECKS[wish["action"]], _stands(agent, wish["action"])
            check(agent, wish, by)
            if stands == wish["value"]:
                raise Refused("no_change", _("It is so already. There is nothing to change."))

    def subject(self, wish: Wish, by: User) -> Subject:
        agent = Agent.objects.get(pk=wish["agent"])
        if agent.team_id is None:
            raise Refused(
                "no_team", _("%(agent)s belongs to no team yet. Give them a team first.") % {"agent": agent.name}
            )
        return Subject(f"agent:{agent.pk}", agent.team_id, str(agent), agent.user_id)

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        rows = Agent.objects.select_for_update(of=("self",), no_key=True) if lock else Agent.objects.all()
        return {wish["action"]: _stands(rows.select_related("team").get(pk=wish["agent"]), wish["action"])}

    def measured(self, wish: Wish, stands: State, now: Any) -> dict[str, Value]:
        return {"action": wish["action"], "value": wish["value"]}

    def standard(self) -> dict[str, Any]:
        """The lead above decides; where there is none but who asked, whoever onboards the team."""
        return {
            "otherwise": {
                "outcome": "steps",
                "steps": [
                    {
                        "mode": "any",
                        "source": {"is": "lead_above", "level": 1},
                        "fallback": {"is": "grant", "grant": "ONBOARD"},
                    }
                ],
            }
        }

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        action = wish["action"]
        told = [Line(dict(ACTIONS)[action], _words(action, stands.get(action, "")), _words(action, wish["value"]))]
        if action == MOVE and wish["on"] is not None:
            told.append(Line(_("From"), "", date_format(wish["on"], "Y-m-d")))
        return told

    def effects(self, wish: Wish, stands: State, now: Any) -> list[str]:
        if wish["action"] == MOVE:
            return [_("From that day on the new team leads the agent; earlier facts keep their team.")]
        if wish["action"] == STATUS and wish["value"] == Agent.Status.SUSPENDED:
            return [_("The account is shut while the suspension lasts: the person is out with the next click.")]
        if wish["action"] == STATUS and wish["value"] not in people.AT_WORK:
            return [_("The agent is offline from then on and can set no status of the day.")]
        return []

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        actor = by or _decider(request)
        former = self.stands(wish)[wish["action"]]
        with _said_on_the_request():
            DEEDS[wish["action"]](wish, actor, _reason(request))
        if wish["action"] == STATUS and wish["value"] not in people.AT_WORK:
            _go_offline(wish["agent"])
        return {"former": former}

    def undo(self, request: Any, wish: Wish, kept: State, by: User) -> None:
        """As long as nothing has come on top; a move for as long as it lies ahead."""
        action = wish["action"]
        if action == MOVE:
            with _said_on_the_request():
                teams.cancel_planned_transfer(wish["agent"], by=by, reason=_reason(request))
            return
        if self.stands(wish, lock=True)[action] != wish["value"]:
            raise Refused("moved_on", _("It has been changed again since. Ask for the change that is needed now."))
        with _said_on_the_request():
            DEEDS[action]({**wish, "value": kept["former"]}, by, _reason(request))


def _stands(agent: Agent, action: str) -> str:
    if action == MOVE:
        return agent.team.code if agent.team is not None else ""
    return str(agent.status if action == STATUS else agent.role)


def _words(action: str, value: str) -> str:
    if action == MOVE:
        team = Team.objects.filter(code=value).first()
        return str(team) if team is not None else value
    choices = Agent.Status.choices if action == STATUS else Agent.Role.choices
    return str(dict(choices).get(value, value))


# -- what may be asked ---------------------------------------------------------------------------------------------------


def _check_status(agent: Agent, wish: Wish, by: User) -> None:
    if wish["value"] not in STAYS:
        raise Refused(
            "unknown_value",
            _("There is no such employment to ask for. Leaving has a day: use “Leave”."),
        )


def _check_role(agent: Agent, wish: Wish, by: User) -> None:
    if wish["value"] not in Agent.Role.values:
        raise Refused("unknown_value", _("There is no such role. Choose one of the list."))


def _check_move(agent: Agent, wish: Wish, by: User) -> None:
    team = Team.objects.visible_to(by).filter(code=wish["value"], is_closed=False).first()
    if team is None:
        raise Refused("unknown_value", _("There is no such team open to you. Name it by its code."))
    not_before(wish["on"] or today_in(agent.zone), today_in(agent.zone))
    planned = Membership.objects.filter(agent=agent, span__startswith__gt=today_in(agent.zone))
    if planned.exists():
        raise Refused("already_planned", _("A move is planned for this agent already. Cancel it first."))


CHECKS: dict[str, Callable[[Agent, Wish, User], None]] = {
    STATUS: _check_status,
    ROLE: _check_role,
    MOVE: _check_move,
}


# -- what carries it out ---------------------------------------------------------------------------------------------------


def _do_status(wish: Wish, by: User, reason: str) -> None:
    teams.set_status(wish["agent"], wish["value"], by=by, reason=reason)


def _do_role(wish: Wish, by: User, reason: str) -> None:
    agent = Agent.objects.get(pk=wish["agent"])
    teams.edit_agent(agent.pk, name=agent.name, locale=agent.locale, role=wish["value"], by=by, reason=reason)


def _do_move(wish: Wish, by: User, reason: str) -> None:
    agent = Agent.objects.get(pk=wish["agent"])
    team = Team.objects.get(code=wish["value"])
    today = today_in(agent.zone)
    on: date = max(wish["on"] or today, today)  # a day that has passed while it waited: from today on
    teams.move_agent(agent.pk, team.pk, on, reason, by=by)


DEEDS: dict[str, Callable[[Wish, User, str], None]] = {STATUS: _do_status, ROLE: _do_role, MOVE: _do_move}


@contextmanager
def _said_on_the_request() -> Iterator[None]:
    """Whoever decided may lack the reach that the change takes: that is a reason on the request, and no 404."""
    try:
        yield
    except OutOfReach as error:
        raise Refused(
            "not_theirs",
            _(
                "Whoever decided this may not change this agent by themselves. Somebody who leads both has to decide it."
            ),
        ) from error


def _go_offline(agent: int) -> None:
    with suppress(Refused):  # somebody without a team has no line either
        set_status(agent, Base.OFFLINE, by=None)


def _decider(request: ApprovalRequest) -> User:
    """In whose name it is carried out: the one who agreed last, or, where a rule did, who asked."""
    seat = request.seats.filter(verdict="approved").select_related("decided_by").order_by("-decided_at").first()
    return seat.decided_by if seat is not None and seat.decided_by is not None else request.requester


def _reason(request: ApprovalRequest) -> str:
    return (_("request %(number)d") % {"number": request.pk} + (f": {request.words}" if request.words else ""))[:100]


# -- the verb ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_employment(
    agent: int, action: str, value: str, on: date | None = None, *, by: User, words: str = ""
) -> ApprovalRequest:
    """Ask for another employment status, role or home team of an agent.

    Raises OutOfReach, or Refused: bad_payload, unknown_value, no_change, has_left, in_the_past, already_planned, already_open.
    """
    content = {"agent": agent, "action": action, "value": value, "on": on.isoformat() if on else None}
    return requests.ask(NAME, content, by=by, words=words)


def ask_status(pk: int, status: str, *, by: User, reason: str = "") -> ApprovalRequest:
    """As the page of an agent asks it."""
    return ask_employment(pk, STATUS, status, by=by, words=reason)
