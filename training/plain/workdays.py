"""Working days: which they are for a person, and how far they carry.

Whether a day is worked is a question of who works: weekends and public days differ by country, make-up workdays turn a weekend
into work, and a leave is one's own. So everything here takes the answer as a function of the day. Days are local ones; which
day it is where somebody sits is known to whoever asks.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from django.utils.translation import gettext as _

DAY = timedelta(days=1)
LONGEST_PAUSE = 800  # days in a row without work; beyond, a calendar is wrong or nobody comes back

IsWorked = Callable[[date], bool]


@dataclass(frozen=True, order=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def days(self) -> Iterator[date]:
        return (self.first + DAY * place for place in range((self.last - self.first).days + 1))


@dataclass(frozen=True)
class Calendar:
    """The working days of a person. `weekend`: weekdays, Monday is 0. `made_up`: days of a weekend that are worked to make up
    for public ones. `away`: own leave, which goes before all else. Called with a day it answers whether that day is worked."""

    weekend: frozenset[int] = frozenset({5, 6})
    public: frozenset[date] = frozenset()
    made_up: frozenset[date] = frozenset()
    away: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if both := sorted(self.public & self.made_up):
            told = {"day": both[0].isoformat()}
            raise ValueError(_("%(day)s cannot be a public day and a make-up workday; take out one of the two.") % told)

    def __call__(self, day: date) -> bool:
        if any(day in span for span in self.away):
            return False
        return day in self.made_up or (day not in self.public and day.weekday() not in self.weekend)


def without(days_off: Iterable[date]) -> IsWorked:
    """Every day is worked but these."""
    off = frozenset(days_off)
    return lambda day: day not in off


def all_of(people: Iterable[IsWorked]) -> IsWorked:
    """Days on which all of them work, such as those that a group may train on."""
    asked = tuple(people)
    return lambda day: all(each(day) for each in asked)


def offset(day: date, days: int, is_worked: IsWorked) -> date:
    """The working day that lies `days` working days after `day`, or before it where `days` is negative.

    `day` itself is not counted, so that one working day after a Saturday is the Monday. An offset of zero is `day`, or where
    that is not worked the next working day. Raises ValueError where no working day is found.
    """
    if days == 0 and is_worked(day):
        return day
    step = -DAY if days < 0 else DAY
    for _each in range(abs(days) or 1):
        day = _next(day, step, is_worked)
    return day


def distance(start: date, end: date, is_worked: IsWorked) -> int:
    """How many working days `end` lies after `start`, below zero where it lies before: `start` is not counted, `end` is."""
    if end < start:
        return -worked_days(Span(end, start - DAY), is_worked)
    return worked_days(Span(start + DAY, end), is_worked)


def worked_days(span: Span, is_worked: IsWorked) -> int:
    """How many days of the span are worked; none where it ends before it begins."""
    return sum(1 for day in span.days() if is_worked(day))


def is_within(day: date, days: int, of: date, is_worked: IsWorked) -> bool:
    """Whether `day` comes no later than `days` working days after `of`. The last of these days still counts to its end."""
    return day <= offset(of, days, is_worked)


def _next(day: date, step: timedelta, is_worked: IsWorked) -> date:
    start = day
    for _each in range(LONGEST_PAUSE):
        day += step
        if is_worked(day):
            return day
    told = {"day": start.isoformat(), "days": LONGEST_PAUSE}
    raise ValueError(
        _("There is no working day within %(days)d days of %(day)s; check the calendar and the leave of that time.")
        % told
    )
