"""Business time: a weekly timetable in a zone, and arithmetic on its minutes. Plain values; knows no clock.

A minute counts where the local wall clock of the zone stands within a span of that weekday. Days of 23 or 25 hours come out
right: spans become UTC moments before they are added.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from teams.clock import zone_names

MINUTES_OF_DAY = 24 * 60
LONGEST_SEARCH = timedelta(days=400)
Span = tuple[int, int]  # minutes of the local day, the end excluded


@dataclass(frozen=True)
class Timetable:
    """Spans of open minutes for the seven weekdays, Monday first. Empty weeks are refused: no deadline would ever come."""

    zone: str
    week: tuple[tuple[Span, ...], ...]

    @property
    def is_always(self) -> bool:
        return all(day == ((0, MINUTES_OF_DAY),) for day in self.week)

    def as_json(self) -> dict[str, Any]:
        return {"zone": self.zone, "week": [[[_clock(a), _clock(b)] for a, b in day] for day in self.week]}

    @classmethod
    def from_json(cls, made: Any) -> "Timetable":
        """Raises ValueError with a sentence for people."""
        if not isinstance(made, Mapping) or set(made) != {"zone", "week"}:
            raise ValueError(_("A timetable has a zone and a week."))
        if made["zone"] not in zone_names():
            raise ValueError(_("%(name)s is not a time zone; write it as in Asia/Shanghai.") % {"name": made["zone"]})
        week = made["week"]
        if not isinstance(week, list) or len(week) != 7:
            raise ValueError(_("A week has seven days, Monday first."))
        days = tuple(_day(day, number) for number, day in enumerate(week))
        if not any(days):
            raise ValueError(_("A timetable has to be open at some time of the week."))
        return cls(made["zone"], days)

    def spans(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open spans in UTC from the one that covers or follows `since`, in order, for 400 days."""
        zone = ZoneInfo(self.zone)
        day = since.astimezone(zone).date() - timedelta(days=1)
        last = since.astimezone(zone).date() + LONGEST_SEARCH
        while day <= last:
            for first, until in self.week[day.weekday()]:
                begins, ends = _moment(day, first, zone), _moment(day, until, zone)
                if ends > since and begins < ends:
                    yield max(begins, since.astimezone(UTC)), ends
            day += timedelta(days=1)

    def is_open(self, moment: datetime) -> bool:
        begins, _ends = next(self.spans(moment), (None, None))
        return begins == moment.astimezone(UTC)

    def after(self, moment: datetime, minutes: int) -> datetime:
        """The moment at which `minutes` of business time have passed since `moment`. Raises ValueError beyond 400 days."""
        left = timedelta(minutes=minutes)
        if self.is_always:
            return moment.astimezone(UTC) + left
        for begins, ends in self.spans(moment):
            if ends - begins >= left:
                return begins + left
            left -= ends - begins
        raise ValueError(f"{minutes} business minutes do not fit into 400 days")

    def between(self, first: datetime, last: datetime) -> int:
        """Whole minutes of business time from `first` until `last`; 0 where `last` is not later."""
        passed = timedelta()
        for begins, ends in self.spans(first):
            if begins >= last:
                break
            passed += min(ends, last) - begins
        return int(passed.total_seconds() // 60)


ALWAYS = Timetable("UTC", (((0, MINUTES_OF_DAY),),) * 7)


def _day(made: Any, number: int) -> tuple[Span, ...]:
    where = {"day": number + 1}
    if not isinstance(made, list):
        raise ValueError(_("Day %(day)d of the week is a list of spans.") % where)
    spans = []
    for pair in made:
        if not (isinstance(pair, list) and len(pair) == 2):
            raise ValueError(_("On day %(day)d a span is a pair such as 09:00, 18:00.") % where)
        begins, ends = (_minutes(text, number) for text in pair)
        if begins >= ends:
            raise ValueError(_("On day %(day)d a span ends before it begins.") % where)
        spans.append((begins, ends))
    spans.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise ValueError(_("On day %(day)d two spans overlap.") % where)
    return tuple(spans)


def _minutes(text: Any, number: int) -> int:
    if isinstance(text, str) and len(text) == 5 and text[2] == ":" and (text[:2] + text[3:]).isascii():
        hours, minutes = text[:2], text[3:]
        if (
            hours.isdigit()
            and minutes.isdigit()
            and int(minutes) < 60
            and int(hours) * 60 + int(minutes) <= MINUTES_OF_DAY
        ):
            return int(hours) * 60 + int(minutes)
    raise ValueError(_("On day %(day)d write times as in 09:00, up to 24:00.") % {"day": number + 1})


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The UTC moment of a local wall clock; a time that the zone skips counts by the clock that stood before."""
    if minutes == MINUTES_OF_DAY:
        day, minutes = day + timedelta(days=1), 0
    local = datetime.combine(day, time(minutes // 60, minutes % 60), zone)
    return local.astimezone(UTC)
