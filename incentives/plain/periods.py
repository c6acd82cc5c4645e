"""Periods of a plan: what a line is measured over, which pay-out month it falls into, and until when that month takes facts.

A pay-out month is a civil month. A day, a week or a month belongs to the pay-out month of its last day, so that a week over
the turn of the month is paid once and whole. Days are those of the agent: this module knows no zone and no clock.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

DAY, WEEK = timedelta(days=1), timedelta(days=7)


@dataclass(frozen=True, order=True)
class Span:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last

    def days(self) -> Iterator[date]:
        return (self.first + DAY * place for place in range((self.last - self.first).days + 1))


def month_of(day: date) -> Span:
    first = day.replace(day=1)
    return Span(first, (first + timedelta(days=31)).replace(day=1) - DAY)


def measured(period: str, day: date) -> Span:
    """The span that a plan measures `day` in: "shift_day", "week" from Monday to Sunday, or "month"."""
    if period == "shift_day":
        return Span(day, day)
    if period == "week":
        first = day - DAY * day.weekday()
        return Span(first, first + WEEK - DAY)
    if period == "month":
        return month_of(day)
    raise ValueError(f"there is no measure period {period!r}")


def pay_month(measured_span: Span) -> Span:
    """The pay-out month of a span: that of its last day."""
    return month_of(measured_span.last)


def spans_of(period: str, month: Span) -> list[Span]:
    """The measure spans that are paid with `month`, in order. Weeks may begin in the month before."""
    found = {measured(period, day) for day in month.days()}
    return sorted(span for span in found if span.last in month)


def final_on(span: Span, late_days: int) -> date:
    """The first day on which facts of `span` change nothing any more but by a delta: `late_days` whole days after its last."""
    return span.last + DAY * (late_days + 1)


class Stage(StrEnum):
    """Where a pay-out month of a plan stands. Figures may change up to the review; from "locked" on they never do."""

    OPEN = "open"
    CALCULATED = "calculated"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    LOCKED = "locked"
    EXPORTED = "exported"
    PAID = "paid"


# What may follow. What comes in during a review or after an approval puts it back to "calculated", to be looked at anew.
FOLLOWS: dict[Stage, tuple[Stage, ...]] = {
    Stage.OPEN: (Stage.CALCULATED,),
    Stage.CALCULATED: (Stage.CALCULATED, Stage.IN_REVIEW),
    Stage.IN_REVIEW: (Stage.CALCULATED, Stage.APPROVED),
    Stage.APPROVED: (Stage.CALCULATED, Stage.LOCKED),
    Stage.LOCKED: (Stage.EXPORTED,),
    Stage.EXPORTED: (Stage.PAID,),
    Stage.PAID: (),
}
TAKES_FIGURES = frozenset({Stage.OPEN, Stage.CALCULATED, Stage.IN_REVIEW, Stage.APPROVED})


def may_follow(stage: Stage, following: Stage) -> bool:
    return following in FOLLOWS[stage]


def next_open(stages: dict[Span, Stage], month: Span) -> Span:
    """The pay-out month into which an amount for `month` goes: `month` itself while it takes figures, else the first one after
    it that does. A month nobody has begun is open."""
    while stages.get(month, Stage.OPEN) not in TAKES_FIGURES:
        month = month_of(month.last + DAY)
    return month
