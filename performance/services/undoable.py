"""Which verbs of targets and of the tray can be undone: all of them.

A target is looked up when a report is read, so its rows are all there is. A name of the tray places facts: after its rows are
as they were, its facts are placed anew by the same statement as at intake, those that came in between included.
"""

from typing import Any

from django.utils.translation import gettext_lazy as _

from performance.models import Source
from performance.services import tray
from teams.models import Team, User
from teams.undoing import Moves, Undo, define


def _team(moves: Moves, pk: Any, by: User) -> Team:
    return Team.objects.manageable_by(by).take(moves[0].after.team_id)


def _source(moves: Moves, pk: Any, by: User) -> Source:
    return Source.objects.manageable_by(by).take(pk)


def _place_anew(source: Source, moves: Moves, by: User, reason: str) -> None:
    for label, column in (("performance.AgentAlias", "agent_external"), ("performance.QueueAlias", "queue_external")):
        for name in sorted({move.after.external for move in moves if move.model._meta.label == label}):
            tray.replace(source, **{column: name})


SET_TARGET, END_TARGET = (
    define(Undo(name, title, "performance.Target", ("performance.Target",), _team))
    for name, title in (("performance.set_target", _("Set target")), ("performance.end_target", _("End target")))
)
NAMES = {
    verb: define(
        Undo(
            f"performance.{verb}", title, "performance.Source", ("performance.AgentAlias", "performance.QueueAlias"), _source,
            after=_place_anew, page="intake_tray",
        )
    )
    for verb, title in (
        ("map", _("Map a name")),
        ("unmap", _("Undo a mapping")),
        ("ignore", _("Ignore a name")),
        ("notice", _("No longer ignore a name")),
    )
}  # fmt: skip
