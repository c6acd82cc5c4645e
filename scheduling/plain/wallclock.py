"""From a wall clock to moments. A time of day stands for the first moment at which the clock of the zone has reached it.

So what opens at 02:30 on a night that skips from 02:00 to 03:00 opens at 03:00; what opens at 01:30 on a night that shows 01:30
twice opens the first time, stays open through the second, and closes the first time its end is shown. Later times never stand
for earlier moments, hence no span is ever torn or turned round, on days of 23, 24.5 or 25 hours and on days left out.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTES_OF_DAY = 24 * 60


@lru_cache(maxsize=8192)
def moment_of(day: date, minute: int, zone: str) -> datetime:
    """The UTC moment at which the clock of `zone` first reaches `minute` of `day`; minutes past 1440 lie on the day after."""
    tz = ZoneInfo(zone)
    local = datetime.combine(day, time()) + timedelta(minutes=minute)
    moment = local.replace(tzinfo=tz).astimezone(UTC)
    if _shown(moment, tz) == local:
        return moment
    return _end_of_gap(local, moment, tz)


def moment_at(local: datetime, zone: str) -> datetime:
    """As `moment_of`, of a local date and time without a zone."""
    return moment_of(local.date(), local.hour * 60 + local.minute, zone)


def day_bounds(day: date, zone: str) -> tuple[datetime, datetime]:
    """The UTC moments between which `day` lies; both are the same where the zone left the day out."""
    return moment_of(day, 0, zone), moment_of(day, MINUTES_OF_DAY, zone)


def day_at(moment: datetime, zone: str) -> date:
    """The latest day that has begun at `moment`: the local date, even in an hour that is put back before midnight."""
    day = moment.astimezone(ZoneInfo(zone)).date()
    return day + timedelta(days=1) if day_bounds(day, zone)[1] <= moment else day


def aware(moment: datetime) -> datetime:
    """In UTC. Raises ValueError for a moment without a zone: nobody could say when it is."""
    if moment.tzinfo is None or moment.utcoffset() is None:
        raise ValueError(f"a moment has a zone, got {moment!r}")
    return moment.astimezone(UTC)


def _shown(moment: datetime, tz: ZoneInfo) -> datetime:
    return moment.astimezone(tz).replace(tzinfo=None, fold=0)


def _end_of_gap(local: datetime, after: datetime, tz: ZoneInfo) -> datetime:
    """The moment of the change that skips `local`. Read by the offset before the change it lies after it, and the reverse."""
    low, high = local.replace(tzinfo=tz, fold=1).astimezone(UTC), after
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (low, middle) if _shown(middle, tz) >= local else (middle, high)
    return high
