"""Days, weeks and months, each paid once and with one month."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from incentives.plain.periods import (
    Span,
    Stage,
    final_on,
    may_follow,
    measured,
    month_of,
    next_open,
    pay_month,
    spans_of,
)

NOVEMBER = Span(date(2026, 11, 1), date(2026, 11, 30))
DECEMBER = Span(date(2026, 12, 1), date(2026, 12, 31))


def test_spans_of_a_day():
    day = date(2026, 11, 27)  # a Friday
    assert measured("shift_day", day) == Span(day, day)
    assert measured("week", day) == Span(date(2026, 11, 23), date(2026, 11, 29))
    assert measured("month", day) == NOVEMBER == month_of(day)
    assert month_of(date(2028, 2, 29)) == Span(date(2028, 2, 1), date(2028, 2, 29))
    with pytest.raises(ValueError, match="fortnight"):
        measured("fortnight", day)


@pytest.mark.parametrize("period", ["shift_day", "week", "month"])
def test_each_day_of_years_is_paid_once_and_none_is_left_out(period):
    paid = []
    month = month_of(date(2026, 1, 1))
    while month.first < date(2029, 1, 1):
        spans = spans_of(period, month)
        assert all(pay_month(span) == month for span in spans)
        paid += [day for span in spans for day in span.days()]
        month = month_of(month.last + timedelta(days=1))
    assert len(paid) == len(set(paid))
    assert set(paid) >= set(Span(date(2026, 1, 1), date(2028, 12, 25)).days())


def test_a_week_over_the_turn_of_the_month_is_paid_whole_with_the_second():
    over = Span(date(2026, 11, 30), date(2026, 12, 6))
    assert over not in spans_of("week", NOVEMBER)
    assert spans_of("week", DECEMBER)[0] == over


def test_late_facts_count_for_so_many_whole_days():
    assert final_on(NOVEMBER, 7) == date(2026, 12, 8)
    assert final_on(NOVEMBER, 0) == date(2026, 12, 1)


def test_figures_move_up_to_the_lock_and_never_after():
    order = list(Stage)
    for before, after in pairwise(order):
        assert may_follow(before, after)
    assert may_follow(Stage.APPROVED, Stage.CALCULATED) and may_follow(Stage.IN_REVIEW, Stage.CALCULATED)
    for locked in (Stage.LOCKED, Stage.EXPORTED, Stage.PAID):
        assert not any(may_follow(locked, earlier) for earlier in order[: order.index(locked) + 1])
    assert not may_follow(Stage.OPEN, Stage.LOCKED) and not may_follow(Stage.CALCULATED, Stage.APPROVED)


def test_what_comes_after_the_lock_goes_into_the_next_month_that_is_open():
    assert next_open({}, NOVEMBER) == NOVEMBER
    assert next_open({NOVEMBER: Stage.IN_REVIEW}, NOVEMBER) == NOVEMBER
    assert next_open({NOVEMBER: Stage.LOCKED}, NOVEMBER) == DECEMBER
    both = {NOVEMBER: Stage.PAID, DECEMBER: Stage.EXPORTED}
    assert next_open(both, NOVEMBER) == month_of(date(2027, 1, 1))
