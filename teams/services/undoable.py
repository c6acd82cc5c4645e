"""Which verbs of this floor can be undone, and how far.

Not undone: a move or loan that has begun, since facts of that day may have been placed by it already; a leaving, a closed
account, a password and a copy of data, since rights, sessions and files that ended do not come back; a grant whose end took
delegations along, since their holders have been told. A change of employment is asked for, and taken back where it was decided.
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.errors import OutOfReach, Refused
from teams.models import Agent, User
from teams.services.delegating import end_unfounded
from teams.services.people import set_skills, take_home_agent
from teams.services.spans import today_in
from teams.undoing import Moved, Moves, Undo, define

BEGUN = _("It has begun: what was reported of these days stays. End it, or move the agent back.")


def _agent(moves: Moves, pk: Any, by: User) -> Agent:
    return take_home_agent(pk, by)


def _starts(moves: Moves) -> list[Any]:
    """The days on which something begins or ends by these changes."""
    made = [move for move in moves if move.before is None or move.is_deleted]
    return [(move.before if move.is_deleted else move.after).span.lower for move in made]


def _is_planned(moves: Moves) -> bool:
    """Whether all lies ahead, by the agent's own day."""
    agents = {move.after.agent_id: move.after.agent.zone for move in moves}
    return bool(_starts(moves)) and all(
        day is not None and day > today_in(zone) for day in _starts(moves) for zone in agents.values()
    )


def _refuse_begun(agent: Agent, moves: Moves) -> None:
    if any(day is None or day <= today_in(agent.zone) for day in _starts(moves)):
        raise Refused("has_begun", BEGUN)


def _planned(name: str, title: Any, label: str) -> Undo:
    return define(Undo(name, title, "teams.Agent", (label,), _agent, _is_planned, _refuse_begun))


MOVE = _planned("teams.move", _("Move"), "teams.Membership")
CANCEL_MOVE = _planned("teams.cancel_move", _("Cancel planned move"), "teams.Membership")
LEND = _planned("teams.lend", _("Lend"), "teams.Loan")


def _skills_back(agent: Agent, moves: Moves, by: User, reason: str) -> None:
    set_skills(agent.pk, [pair.skill_id for pair in moves[0].before.skills.all()], by=by, reason=reason)


def _has_before(moves: Moves) -> bool:
    return all(move.before is not None for move in moves)


SKILLS = define(
    Undo("teams.skills", _("Skills"), "teams.Agent", ("teams.Agent",), _agent, _has_before, restore=_skills_back)
)


def _operator(moves: Moves, pk: Any, by: User) -> User:
    if not (by.is_active and by.is_superuser):
        raise OutOfReach
    return by


def _refuse_void(held: User, moves: Moves) -> None:
    """A right comes back only to somebody who could be given it now."""
    for move in moves:
        before = move.before
        if before is None:
            continue
        if before.until is not None and before.until <= timezone.now():
            raise Refused("end_has_passed", _("The right would have ended by now."))
        holder = getattr(before, "user", None)
        if holder is not None and not holder.is_active:
            raise Refused("closed_account", _("This account is closed. Open it first."))


def _end_unfounded(held: User, moves: Moves, by: User, reason: str) -> None:
    end_unfounded(by=by, reason=reason)


def _one_own_right(moves: Moves) -> bool:
    """One row alone and nobody's delegation: nothing went along that somebody was told of."""
    return len(moves) == 1 and all(_acts_for_nobody(version) for version in _versions(moves[0]))


def _versions(move: Moved) -> list[Any]:
    return [version for version in (move.before, move.after) if version is not None]


def _acts_for_nobody(version: Any) -> bool:
    return getattr(version, "on_behalf_of_id", None) is None


def _grant(name: str, title: Any, label: str) -> Undo:
    return define(Undo(name, title, label, (label,), _operator, _one_own_right, _refuse_void, after=_end_unfounded))


GIVE_USER = _grant("teams.give_user", _("Give a grant"), "teams.TeamUserGrant")
TAKE_USER = _grant("teams.take_user", _("Take away"), "teams.TeamUserGrant")
GIVE_GROUP = _grant("teams.give_group", _("Give a grant"), "teams.TeamGroupGrant")
TAKE_GROUP = _grant("teams.take_group", _("Take away"), "teams.TeamGroupGrant")
