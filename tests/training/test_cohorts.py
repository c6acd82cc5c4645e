"""Days to working alone, and how many stay."""

from datetime import date, timedelta
from fractions import Fraction

from training.plain.cohorts import Between, Path, cohort, cohorts, days_to_alone

START, TODAY = date(2026, 6, 1), date(2026, 11, 27)
HALF, NINE = Fraction(1, 2), Fraction(9, 10)


def path(days=None, left=None, start=START):
    def after(count):
        return None if count is None else start + timedelta(days=count)

    return Path(start, after(days), after(left))


def test_median_and_ninety_percent_by_the_nearest_rank():
    paths = [path(days) for days in (20, 25, 28, 30, 31, 33, 35, 40, 60, 90)]
    assert days_to_alone(paths, TODAY, HALF) == Between(31, 31)
    assert days_to_alone(paths, TODAY, NINE) == Between(60, 60)
    assert days_to_alone([path(20)], TODAY, NINE) == Between(20, 20)
    assert days_to_alone([], TODAY, HALF) is None


def test_who_is_on_the_way_makes_it_a_span():
    """Ten days after their start two are on the way: the median may still be anything from ten days on."""
    soon = START + timedelta(days=10)
    paths = [path(8), path(9), path(), path()]
    assert days_to_alone(paths, soon, HALF) == Between(9, 9)  # two of four were alone by then, whatever comes
    assert days_to_alone(paths[1:], soon, HALF) == Between(10, None)
    assert not days_to_alone(paths[1:], soon, HALF).is_known
    later = [path(30), path(40), path(start=START + timedelta(days=20))]
    assert days_to_alone(later, START + timedelta(days=55), HALF) == Between(35, 40)


def test_who_left_before_never_works_alone():
    assert days_to_alone([path(20), path(left=15), path(left=16)], TODAY, HALF) is None
    assert days_to_alone([path(20), path(25), path(left=16)], TODAY, HALF) == Between(25, 25)


def test_a_cohort():
    late = date(2026, 11, 2)
    found = cohort(
        [path(30), path(28, left=100), path(left=90), path(left=91), path(start=late), path(start=TODAY)], TODAY
    )
    assert (found.size, found.alone, found.on_the_way, found.left) == (6, 2, 2, 2)
    assert found.median == Between(28, None) and found.p90 is None
    assert (found.matured, found.stayed) == (4, Fraction(3, 4))  # the one who left on the ninetieth day is not there


def test_what_is_still_to_come_counts_for_nothing():
    early = START + timedelta(days=20)
    found = cohort([path(30), path(left=40), path(start=early + timedelta(days=1))], early)
    assert (found.size, found.alone, found.on_the_way, found.left, found.stayed) == (2, 0, 2, 0, None)
    assert cohort([], TODAY).median is None and cohort([], TODAY).size == 0


def test_the_day_itself_counts():
    day = START + timedelta(days=90)
    found = cohort([path(90), path(left=90)], day)
    assert (found.alone, found.left, found.on_the_way) == (1, 1, 0)
    assert (found.matured, found.stayed) == (2, Fraction(1, 2))
    assert cohort([path()], day - timedelta(days=1)).matured == 0


def test_cohorts_by_month():
    august = date(2026, 8, 3)
    found = cohorts([path(30), path(20, start=august), path(40)], TODAY, lambda each: each.started_on.month)
    assert {month: (each.size, each.median) for month, each in found.items()} == {
        6: (2, Between(30, 30)),
        8: (1, Between(20, 20)),
    }
