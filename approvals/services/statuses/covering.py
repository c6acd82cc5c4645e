"""What a team keeps covered, and the limits of reasons: counted under the team's lock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from approvals.models import Base, StatusReason, StatusSpan, TeamCover
from approvals.plain.cover import Cover
from approvals.plain.timeline import LONGEST_SHIFT, shift_began_at, spent
from approvals.services.statuses import line
from teams.errors import Refused

MINUTE = timedelta(minutes=1)


def hold(team: int) -> TeamCover:
    """The cover of a team, locked until the transaction ends; made where nobody has set one yet."""
    TeamCover.objects.get_or_create(team_id=team)
    return TeamCover.objects.select_for_update(of=("self",)).get(team=team)


def count(cover: TeamCover) -> Cover:
    ready = StatusSpan.objects.open().filter(team=cover.team_id, base=Base.READY).count()
    return Cover(ready, cover.needed)


# -- limits of reasons -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """How much of a reason is used: minutes of this shift, and how many are there now. `agent`'s own is not counted there."""

    minutes: int
    at_once: int


def used(reason: StatusReason, agent: int, team: int, now: datetime) -> Use:
    """Of the agent's shift, and of the team at this moment."""
    recent = line.pieces(agent, now - LONGEST_SHIFT, now)
    there = StatusSpan.objects.open().filter(team=team, reason=reason).exclude(agent=agent)
    return Use(int(spent(recent, reason.pk, shift_began_at(recent, now), now) / MINUTE), there.count())


def over_limits(reason: StatusReason, minutes: int | None, use: Use) -> Refused | None:
    """The refusal of more than the reason allows, naming the limit. What the law gives has none."""
    if reason.is_legal:
        return None
    limit = reason.longest_per_shift_minutes
    if limit is not None and use.minutes + (minutes or 1) > limit:
        left = max(limit - use.minutes, 0)
        return Refused(
            "shift_limit",
            _("“%(reason)s” may take %(limit)d minutes in a shift, and %(left)d are left. Ask for no more than that.")
            % {"reason": reason, "limit": limit, "left": left},
        )
    if reason.most_at_once is not None and use.at_once >= reason.most_at_once:
        return Refused(
            "at_once_limit",
            _("At most %(limit)d of the team are on “%(reason)s” at once, and so many are. Ask again when one is back.")
            % {"reason": reason, "limit": reason.most_at_once},
        )
    return None


def capped(reason: StatusReason, minutes: int | None) -> int | None:
    """How long it is to last: as asked, at most as long as the reason allows; None where nobody says."""
    told = [each for each in (minutes, reason.longest_minutes) if each is not None]
    return min(told, default=None)


def length(reason: StatusReason, minutes: int | None) -> int | None:
    """As `capped`, for somebody who asks now: more than the reason allows is refused, but for what the law gives.

    Raises Refused: too_long.
    """
    allowed = capped(reason, minutes)
    if minutes is None or minutes == allowed or reason.is_legal:
        return allowed
    raise Refused(
        "too_long",
        _("“%(reason)s” lasts at most %(limit)d minutes. Ask for no more than that.")
        % {"reason": reason, "limit": allowed},
    )


def back_at(now: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else now + minutes * MINUTE


def ends_of(teams: Iterable[int]) -> dict[int, list[datetime]]:
    """When those who are away now are to be back, by team."""
    found: dict[int, list[datetime]] = {}
    rows = StatusSpan.objects.open().filter(team__in=teams, back_at__isnull=False)
    for team, ends in rows.order_by("back_at").values_list("team", "back_at"):
        if ends is not None:
            found.setdefault(team, []).append(ends)
    return found
