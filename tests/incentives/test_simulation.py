"""What a draft costs, who gains and loses, and who stands at an edge."""

from decimal import Decimal
from fractions import Fraction

import pytest

from incentives.plain.pay import line
from incentives.plain.simulation import Pair, cliffs, compared
from incentives.plain.terms import read
from tests.incentives.plans import day, facts, terms, tiers


def pair(agent, before, after):
    return Pair(agent, Decimal(before), Decimal(after))


def test_cost_and_who_gains_and_loses_the_most_first():
    told = compared(
        [pair(1, "0.00", "60.00"), pair(2, "150.00", "60.00"), pair(3, "60.00", "60.00"), pair(4, "0.00", "150.00")]
    )
    assert (told.before, told.after, told.difference) == (Decimal("210.00"), Decimal("330.00"), Decimal("120.00"))
    assert [each.agent for each in told.gains] == [4, 1]
    assert [(each.agent, each.difference) for each in told.loses] == [(2, Decimal("-90.00"))]
    assert told.same == 1


def test_of_nobody_there_is_nothing_to_say():
    told = compared([])
    assert (told.before, told.after, told.gains, told.loses, told.same) == (0, 0, (), (), 0)


@pytest.mark.parametrize(
    ("volume", "found"),
    [
        (107, []), (108, [(1, "0.02")]), (109, [(1, "0.01")]), (110, [(1, "0")]), (112, [(1, "-0.02")]), (113, []),
        (119, [(2, "0.01")]), (121, [(2, "-0.01")]), (200, []),
    ],
)  # fmt: skip
def test_two_in_a_hundred_beside_an_edge(volume, found):
    plan = read(terms())
    near = cliffs(plan, line(plan, facts(volume)), Fraction(volume))
    assert [(each.place, each.short_by) for each in near] == [(place, Fraction(by)) for place, by in found]


def test_where_the_amount_does_not_jump_there_is_no_cliff():
    def at(volume, **more):
        plan = read(terms(**more))
        return [each.place for each in cliffs(plan, line(plan, facts(volume)), Fraction(volume))]

    assert at(109, kind="marginal") == []
    assert at(109, kind="interpolated") == [1]
    assert at(119, kind="interpolated") == []
    assert at(109, kind="interpolated", tiers=tiers(("1.1", "0"), ("1.2", "0.5"))) == []
    assert at(1019, kind="whole_volume", edges="units", tiers=tiers(("1000", "1"), ("1020", "2"))) == [2]


def test_whose_day_asked_for_nothing_stands_nowhere():
    plan = read(terms())
    told = facts(12, day(target=0))
    assert cliffs(plan, line(plan, told), Fraction(12)) == []
