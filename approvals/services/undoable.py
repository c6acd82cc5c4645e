"""Which verbs of this part of the floor can be undone. A status is not: it is followed by the next one, and the past is
corrected by request. Requests have a way back of their own."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.models import TeamCover
from approvals.services.statuses import covering, queue
from teams.acting import system_scope
from teams.models import User
from teams.undoing import Moves, Undo, define


def _held(moves: Moves, pk: Any, by: User) -> TeamCover:
    row: TeamCover = TeamCover.objects.manageable_by(by).take(pk)
    return row


def _serve(held: TeamCover, moves: Moves, by: User, reason: str) -> None:
    with system_scope("whoever may leave by the former number leaves at once"):
        covering.hold(held.team_id)
        queue.serve(held.team_id, timezone.now())


COVER = define(
    Undo(
        "approvals.plain.cover", _("Set cover"), "approvals.TeamCover", ("approvals.TeamCover",), _held,
        lambda moves: all(move.before is not None for move in moves), after=_serve,
        note=_("Breaks that have begun meanwhile go on."),
    )
)  # fmt: skip
