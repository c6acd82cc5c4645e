"""Offsets across weekends, public days with their make-up workdays, leave and zones."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from teams.clock import local_day
from training.plain.workdays import Calendar, Span, all_of, distance, is_within, offset, without, worked_days

# National Day and Mid-Autumn of 2026 in China: seven days off, a Sunday before and a Saturday after are worked.
CHINA = Calendar(
    public=frozenset(Span(date(2026, 10, 1), date(2026, 10, 7)).days()),
    made_up=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
)
PLAIN = Calendar()
GULF = Calendar(weekend=frozenset({4, 5}))
ON_LEAVE = Calendar(public=CHINA.public, made_up=CHINA.made_up, away=(Span(date(2026, 10, 9), date(2026, 10, 12)),))


@pytest.mark.parametrize(
    ("calendar", "start", "days", "wanted"),
    [
        (PLAIN, date(2026, 11, 27), 1, date(2026, 11, 30)),  # Friday to Monday
        (PLAIN, date(2026, 11, 28), 1, date(2026, 11, 30)),  # Saturday is not counted, Monday is the first
        (PLAIN, date(2026, 11, 28), 0, date(2026, 11, 30)),
        (PLAIN, date(2026, 11, 30), 0, date(2026, 11, 30)),
        (PLAIN, date(2026, 11, 30), -1, date(2026, 11, 27)),
        (PLAIN, date(2026, 11, 29), -10, date(2026, 11, 16)),
        (PLAIN, date(2026, 12, 31), 1, date(2027, 1, 1)),
        (PLAIN, date(2028, 2, 28), 1, date(2028, 2, 29)),
        (GULF, date(2026, 11, 26), 1, date(2026, 11, 29)),  # Thursday to Sunday
        (CHINA, date(2026, 9, 30), 1, date(2026, 10, 8)),
        (CHINA, date(2026, 10, 9), 1, date(2026, 10, 10)),  # a Saturday that is worked
        (CHINA, date(2026, 10, 10), 1, date(2026, 10, 12)),
        (CHINA, date(2026, 10, 8), -1, date(2026, 9, 30)),
        (CHINA, date(2026, 10, 3), 0, date(2026, 10, 8)),
        (CHINA, date(2026, 9, 18), 10, date(2026, 10, 8)),  # with the Sunday that is worked
        (ON_LEAVE, date(2026, 10, 8), 1, date(2026, 10, 13)),  # leave goes before the make-up workday
        (ON_LEAVE, date(2026, 10, 13), -1, date(2026, 10, 8)),
    ],
)
def test_offsets(calendar, start, days, wanted):
    assert offset(start, days, calendar) == wanted


def test_within_ten_working_days_counts_the_tenth_to_its_end():
    tenth = offset(date(2026, 9, 30), 10, CHINA)
    assert tenth == date(2026, 10, 20)  # 8, 9, 10, 12 to 16, 19, 20
    assert is_within(tenth, 10, date(2026, 9, 30), CHINA)
    assert not is_within(date(2026, 10, 21), 10, date(2026, 9, 30), CHINA)
    assert is_within(date(2026, 10, 21), 10, date(2026, 9, 30), Calendar(away=ON_LEAVE.away, public=CHINA.public))


def test_the_day_is_the_one_where_somebody_sits():
    """One moment is a Friday in Denver and a Saturday in Shanghai: the next working day differs by who asks."""
    moment = datetime(2026, 10, 9, 20, 0, tzinfo=UTC)
    denver, shanghai = (local_day(moment, zone) for zone in ("America/Denver", "Asia/Shanghai"))
    assert offset(denver, 1, PLAIN) == date(2026, 10, 12)
    assert offset(shanghai, 0, CHINA) == date(2026, 10, 10)
    assert offset(shanghai, 0, PLAIN) == date(2026, 10, 12)


def test_spans_in_working_days():
    assert worked_days(Span(date(2026, 9, 28), date(2026, 10, 11)), CHINA) == 6
    assert worked_days(Span(date(2026, 10, 1), date(2026, 10, 7)), CHINA) == 0
    assert worked_days(Span(date(2026, 10, 8), date(2026, 10, 7)), CHINA) == 0
    assert distance(date(2026, 9, 30), date(2026, 10, 10), CHINA) == 3
    assert distance(date(2026, 10, 10), date(2026, 9, 30), CHINA) == -3
    assert distance(date(2026, 10, 10), date(2026, 10, 10), CHINA) == 0


def test_a_group_meets_where_all_of_them_work():
    assert offset(date(2026, 10, 8), 1, all_of([ON_LEAVE, GULF, CHINA])) == date(2026, 10, 13)
    assert offset(date(2026, 10, 8), 1, all_of([])) == date(2026, 10, 9)


def test_a_set_of_days_off_is_enough():
    assert offset(date(2026, 11, 27), 1, without([date(2026, 11, 28)])) == date(2026, 11, 29)


def test_a_calendar_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="2026-10-10 cannot be a public day and a make-up workday"):
        Calendar(public=frozenset({date(2026, 10, 10)}), made_up=CHINA.made_up)


def test_nobody_looks_forever_for_a_working_day():
    with pytest.raises(ValueError, match="no working day within 800 days of 2026-11-27"):
        offset(date(2026, 11, 27), -1, Calendar(weekend=frozenset(range(7))))


days = some.dates(date(2026, 1, 1), date(2027, 12, 31))


@effort(max_examples=60, deadline=None)
@given(days, some.integers(-40, 40).filter(bool), some.frozensets(some.dates(date(2026, 1, 1), date(2027, 12, 31))))
def test_an_offset_is_a_working_day_at_that_distance(start, days, public):
    calendar = Calendar(public=public)
    found = offset(start, days, calendar)
    assert calendar(found) and distance(start, found, calendar) == days
