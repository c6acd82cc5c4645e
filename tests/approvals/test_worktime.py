"""Business time: gaps, nights, weekends, changes of the clock."""

from datetime import UTC, datetime

import pytest

from approvals.plain.worktime import ALWAYS, Timetable

OFFICE = [[["09:00", "12:00"], ["13:00", "18:00"]]] * 5 + [[], []]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "since", "minutes", "due"),
    [
        ("UTC", "2026-11-23 09:00", 60, "2026-11-23 10:00"),  # a Monday
        ("UTC", "2026-11-23 11:30", 60, "2026-11-23 13:30"),  # over lunch
        ("UTC", "2026-11-23 17:30", 60, "2026-11-24 09:30"),  # over night
        ("UTC", "2026-11-27 17:30", 60, "2026-11-30 09:30"),  # over the weekend
        ("UTC", "2026-11-28 11:00", 1, "2026-11-30 09:01"),  # handed in on Saturday
        ("UTC", "2026-11-23 09:00", 480, "2026-11-23 18:00"),  # ends with the day, not with the next morning
        ("UTC", "2026-11-23 09:00", 481, "2026-11-24 09:01"),
        ("Asia/Shanghai", "2026-11-23 01:00", 60, "2026-11-23 02:00"),
        ("Asia/Shanghai", "2026-11-22 23:00", 60, "2026-11-23 02:00"),
        ("Europe/Lisbon", "2026-03-27 17:30", 60, "2026-03-30 08:30"),  # the clock goes forward on Sunday
        ("Europe/Lisbon", "2026-10-23 16:30", 60, "2026-10-26 09:30"),  # and back
    ],
)
def test_minutes_of_business_time(zone, since, minutes, due):
    hours = Timetable.from_json({"zone": zone, "week": OFFICE})
    assert hours.after(at(since), minutes) == at(due)
    assert hours.between(at(since), at(due)) == minutes


def test_days_of_23_and_25_hours():
    nights = Timetable.from_json({"zone": "Europe/Lisbon", "week": [[["00:00", "24:00"]]] * 7})
    assert nights.between(at("2026-03-29 00:00"), at("2026-03-29 23:00")) == 23 * 60
    assert nights.between(at("2026-10-24 23:00"), at("2026-10-26 00:00")) == 25 * 60
    assert ALWAYS.after(at("2026-03-29 00:00"), 90) == at("2026-03-29 01:30")


def test_open_or_not():
    hours = Timetable.from_json({"zone": "UTC", "week": OFFICE})
    moments = ("2026-11-23 08:59", "2026-11-23 09:00", "2026-11-23 12:00", "2026-11-28 10:00")
    told = {text: hours.is_open(at(text)) for text in moments}
    assert list(told.values()) == [False, True, False, False]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"zone": "Mars/Olympus", "week": OFFICE}, "time zone"),
        ({"zone": "UTC", "week": OFFICE[:6]}, "seven days"),
        ({"zone": "UTC", "week": [[]] * 7}, "open at some time"),
        ({"zone": "UTC", "week": [[["09:00", "18"]]] + [[]] * 6}, "day 1"),
        ({"zone": "UTC", "week": [[["18:00", "09:00"]]] + [[]] * 6}, "before it begins"),
        ({"zone": "UTC", "week": [[["09:00", "12:00"], ["11:00", "13:00"]]] + [[]] * 6}, "overlap"),
        ({"zone": "UTC", "week": [[["09:00", "24:01"]]] + [[]] * 6}, "up to 24:00"),
        ({"zone": "UTC"}, "a zone and a week"),
        ([], "a zone and a week"),
    ],
)
def test_a_bad_timetable_is_refused_with_its_day(made, words):
    with pytest.raises(ValueError, match=words):
        Timetable.from_json(made)


def test_it_comes_back_as_it_was_written():
    made = {"zone": "Asia/Shanghai", "week": OFFICE}
    assert Timetable.from_json(made).as_json() == made
