"""Verbs of a team's cover: how many have to stay ready, and how long a break over its end, or in the queue, may go on."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.models import TeamCover
from approvals.models.statuses import DAY_MINUTES
from approvals.services.statuses import covering, queue
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.models import Team, User
from teams.scoping import Grant

RANGES = {
    "needed": (0, 10_000),
    "lead_told_after_minutes": (0, DAY_MINUTES),
    "grant_after_minutes": (1, DAY_MINUTES),
}


def set_cover(
    team: int,
    *,
    needed: int,
    lead_told_after_minutes: int,
    grant_after_minutes: int | None,
    by: User,
    reason: str = "",
) -> TeamCover:
    """All that a team says of its cover, by who leads it. Whoever may leave by it leaves at once.

    Raises OutOfReach, or Refused: out_of_range.
    """
    wish = {
        "needed": needed,
        "lead_told_after_minutes": lead_told_after_minutes,
        "grant_after_minutes": grant_after_minutes,
    }
    return _set(team, wish, by=by, reason=reason)


def set_needed(team: int, needed: int, *, by: User, reason: str = "") -> TeamCover:
    """How many have to stay ready from now on; the rest stays. Raises as `set_cover`."""
    return _set(team, {"needed": needed}, by=by, reason=reason)


@transaction.atomic
def _set(team: int, wish: dict[str, Any], *, by: User, reason: str) -> TeamCover:
    if not Team.objects.in_reach_of(by, Grant.LEAD).filter(pk=team).exists():
        raise OutOfReach
    for name, value in wish.items():
        _check(name, value)
    with system_scope("the row is the lock for all that is decided on breaks of the team"):
        cover = covering.hold(team)
        if any(getattr(cover, name) != value for name, value in wish.items()):
            for name, value in wish.items():
                setattr(cover, name, value)
            save_with_history(cover, *wish, by=by, reason=reason)
            queue.serve(team, timezone.now())
    return cover


def _check(name: str, value: int | None) -> None:
    lowest, highest = RANGES[name]
    if value is not None and not lowest <= value <= highest:
        raise Refused(
            "out_of_range",
            _("“%(field)s” lies between %(lowest)d and %(highest)d.")
            % {"field": TeamCover._meta.get_field(name).verbose_name, "lowest": lowest, "highest": highest},  # type: ignore[union-attr]
        )
