"""Local days. A day is the civil date at an instant in the zone that counts there; spans include their start only."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    """Names of all civil time zones the machine knows, without the historical one-letter and legacy ones."""
    return frozenset(name for name in available_timezones() if "/" in name or name == "UTC")


def check_zone(name: str) -> None:
    """Model validator: raises ValidationError unless `name` is a time zone."""
    if name not in zone_names():
        raise ValidationError(_("%(name)s is not a time zone; write it as in Asia/Shanghai."), params={"name": name})


def local_day(moment: datetime, zone: str) -> date:
    """The civil date of an aware moment in `zone`."""
    return moment.astimezone(ZoneInfo(zone)).date()


def day_start(day: date, zone: str) -> datetime:
    """The UTC moment at which `day` begins in `zone`; where midnight is skipped, the first moment after it."""
    tz = ZoneInfo(zone)
    start = datetime.combine(day, time(), tzinfo=tz).astimezone(UTC)
    return start if start.astimezone(tz).date() == day else _first_moment(day, tz)


def day_end(day: date, zone: str) -> datetime:
    """The UTC moment at which `day` has ended in `zone`. Days of 23, 24.5 or 25 hours come out right."""
    return day_start(day + timedelta(days=1), zone)


def _first_moment(day: date, tz: ZoneInfo) -> datetime:
    """Bisect for the change of date: needed only where a clock change skips midnight, or a whole day."""
    low = datetime.combine(day, time(), tzinfo=UTC) - timedelta(days=2)
    high = low + timedelta(days=4)
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        low, high = (low, middle) if middle.astimezone(tz).date() >= day else (middle, high)
    return high.replace(microsecond=0)
