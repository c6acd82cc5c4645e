"""The metric registry: each figure has one definition, from which every page, export, mail and API draws.

A metric divides two measures (columns of the rollups, see `performance.models.Measures`); a count divides by nothing.
`agent_days` is no column but the sum of the agents of team-days: who works for two teams on a day counts in both.
Quotients are never stored, so days, teams and subtrees add up exactly. Changing a definition raises its version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Unit(StrEnum):
    COUNT = "count"
    SHARE = "share"  # 0 to 1, shown as a percentage
    SECONDS = "seconds"


class Better(StrEnum):
    MORE = "more"
    LESS = "less"
    NEITHER = "neither"


@dataclass(frozen=True)
class Metric:
    """One figure. `numerator` and `denominator` name measures; the words say the same to people.

    `smallest` is the denominator below which the figure is marked as resting on few cases; a ratio for a group of
    people is not shown at all where `hidden_below` is not reached.
    """

    id: str
    label: Promise | str
    words: Promise | str
    numerator: str
    denominator: str | None
    unit: Unit
    better: Better
    inclusion: Promise | str
    default_target: Decimal | None = None
    smallest: int = 1
    hidden_below: int = 1
    clock: str = "calendar"
    version: int = 1

    def value(self, measures: Mapping[str, int | Decimal | None]) -> Fraction | None:
        """The figure from summed measures; None where there is nothing to divide by."""
        above = Fraction(measures.get(self.numerator) or 0)
        if self.denominator is None:
            return above
        below = Fraction(measures.get(self.denominator) or 0)
        return above / below if below >= self.hidden_below and below else None

    def rests_on_few(self, measures: Mapping[str, int | Decimal | None]) -> bool:
        """Whether a ratio rests on fewer cases than its definition asks for."""
        return self.denominator is not None and (measures.get(self.denominator) or 0) < self.smallest

    def attainment(self, value: Fraction | None, target: Decimal | Fraction | None) -> Fraction | None:
        """Share of the target reached, 1 being on target. For figures where less is better, target over value."""
        if value is None or target is None or self.better is Better.NEITHER:
            return None
        goal = Fraction(target)
        if self.better is Better.MORE:
            return value / goal if goal else None
        return goal / value if value else None


_counted = _("Contacts answered by an agent we know; without test, bot-only and excluded ones.")
_queued = _("Contacts that asked for an agent in this queue and half hour; without excluded ones.")

METRICS: dict[str, Metric] = {
    metric.id: metric
    for metric in (
        Metric(
            "volume", _("Contacts closed"), _("Number of contacts that ended on the day."),
            "closed", None, Unit.COUNT, Better.MORE, _counted,
        ),
        Metric(
            "handle_time", _("Handling time"), _("Seconds of handling divided by contacts whose handling time is known."),
            "handle_seconds", "timed", Unit.SECONDS, Better.LESS, _counted, smallest=5,
        ),
        Metric(
            "handle_time_simple", _("Handling time, simple"), _("Handling time of simple contacts only."),
            "handle_seconds_simple", "timed_simple", Unit.SECONDS, Better.LESS, _counted, Decimal(300), smallest=5,
        ),
        Metric(
            "handle_time_complex", _("Handling time, complex"), _("Handling time of complex contacts only."),
            "handle_seconds_complex", "timed_complex", Unit.SECONDS, Better.LESS, _counted, Decimal(1200), smallest=5,
        ),
        Metric(
            "satisfaction", _("Satisfaction"),
            _("Ratings in the upper quarter of their scale (4 and 5 of 5) divided by ratings."),
            "satisfied", "rated", Unit.SHARE, Better.MORE, _counted, Decimal("0.9"), smallest=10,
        ),
        Metric(
            "closure", _("Closure rate"), _("Contacts marked resolved divided by contacts marked either way."),
            "resolved", "judged", Unit.SHARE, Better.MORE, _counted, smallest=10,
        ),
        Metric(
            "talk_time", _("Effective talk time"), _("Seconds of handling divided by days that agents worked."),
            "handle_seconds", "agent_days", Unit.SECONDS, Better.MORE, _counted, Decimal(14400),
        ),
        Metric(
            "first_reply", _("First reply"), _("Seconds until the first reply divided by contacts with a first reply."),
            "first_reply_seconds", "replied_first", Unit.SECONDS, Better.LESS, _counted, smallest=5,
        ),
        Metric(
            "reopened", _("Reopened"), _("Closed contacts that were opened again, divided by contacts closed."),
            "reopened", "closed", Unit.SHARE, Better.LESS, _counted, smallest=10,
        ),
        Metric(
            "estimated", _("Estimated share"), _("Handling times estimated from message gaps divided by known handling times."),
            "timed_estimated", "timed", Unit.SHARE, Better.NEITHER, _counted,
        ),
        Metric(
            "offered", _("Offered"), _("Number of contacts that asked for an agent."),
            "offered", None, Unit.COUNT, Better.NEITHER, _queued,
        ),
        Metric(
            "abandoned", _("Abandonment"), _("Contacts given up while waiting divided by contacts offered."),
            "abandoned", "offered", Unit.SHARE, Better.LESS, _queued, smallest=10,
        ),
        Metric(
            "service_level", _("Service level"),
            _("Contacts answered within the queue's limit divided by contacts whose wait is known."),
            "answered_in_time", "waited", Unit.SHARE, Better.MORE, _queued, Decimal("0.8"), smallest=10,
        ),
        Metric(
            "wait", _("Wait"), _("Seconds waited divided by contacts whose wait is known."),
            "wait_seconds", "waited", Unit.SECONDS, Better.LESS, _queued, smallest=5,
        ),
    )
}  # fmt: skip
