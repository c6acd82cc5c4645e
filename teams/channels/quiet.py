"""Hours of rest: whether a moment falls into them, and when they end."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def end_of_rest(begins: time, ends: time, now: datetime, zone: str) -> datetime | None:
    """The UTC moment at which the rest that `now` falls into ends on the clock of `zone`; None outside of it.

    `ends` before `begins` means past midnight. An end that a change of clocks skips comes as that clock goes on.
    """
    tz = ZoneInfo(zone)
    here = now.astimezone(tz)
    clock = here.time()
    is_resting = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not is_resting:
        return None
    day = here.date() if clock < ends else here.date() + timedelta(days=1)
    end = datetime.combine(day, ends, tzinfo=tz).astimezone(UTC)
    return end if end > now else end + timedelta(hours=1)
