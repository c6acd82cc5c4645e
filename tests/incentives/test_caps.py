"""Caps: what is over them is lost or carried by flag, in each month once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from incentives.models import Entry, Run
from incentives.services import runs
from performance.models import AgentDay
from tests.incentives import ground
from tests.incentives.months import APRIL, MARCH, batch, calculated, entries, left_over

MAY = date(2026, 5, 1)
QUARTER = {"of": "monthly_base", "value": "0.25"}


def capped(north, hub, **cap):
    """Worked example 24: eleven days at tier 2 on a monthly base of 6,525."""
    ground.target(hub.team)
    ground.wage(north.agent, "6525", basis="monthly")
    for day in range(1, 12):
        ground.day(north.agent, day, 120)
    return ground.plan(hub.team, hub.payroll, cap=cap)


def reviewed(plan, hub, month=MARCH):
    return runs.send_to_review(calculated(plan, month).pk, by=hub.payroll)


def caps(**more):
    return [row for row in entries(**more) if row[0] in ("cap", "carried")]


def test_a_quarter_of_the_monthly_base_and_the_rest_is_lost(north, hub):
    plan = capped(north, hub, **QUARTER, excess="lost")
    assert calculated(plan).sums == {"CNY": "1650"}
    run = reviewed(plan, hub)
    assert run.sums == {"CNY": "1631.25"}
    assert caps() == [("cap", "cap:1", "-18.75")]
    assert not Run.objects.exclude(pk=run.pk).exists()


def test_a_quarter_of_the_monthly_base_and_the_rest_is_carried(north, hub):
    plan = capped(north, hub, **QUARTER, excess="carried")
    assert reviewed(plan, hub).sums == {"CNY": "1631.25"}
    assert caps(month=MARCH.first) == [("cap", "cap:1", "-18.75")]
    assert caps(month=APRIL.first) == [("carried", "cap:1", "18.75")]
    assert Run.objects.get(month=APRIL.first).sums == {"CNY": "18.75"}


@pytest.mark.parametrize("excess", ["lost", "carried"])
def test_again_is_nothing_new(north, hub, excess):
    plan = capped(north, hub, **QUARTER, excess=excess)
    run = reviewed(plan, hub)
    before = list(Entry.objects.values())
    runs.send_back(run.pk, by=hub.hr, reason="look again")
    assert reviewed(plan, hub).sums == {"CNY": "1631.25"}
    assert list(Entry.objects.values()) == before


def test_what_is_earned_less_later_gives_the_cap_back(north, hub):
    plan = capped(north, hub, **QUARTER, excess="carried")
    run = reviewed(plan, hub)
    AgentDay.objects.filter(day=date(2026, 3, 1)).update(closed=50, closed_simple=50)
    assert calculated(plan).stage == "calculated"
    run = runs.send_to_review(run.pk, by=hub.payroll)
    assert run.sums == {"CNY": "1500"}
    assert caps(month=MARCH.first) == [("cap", "cap:1", "-18.75"), ("cap", "cap:2", "18.75")]
    assert caps(month=APRIL.first) == [("carried", "cap:1", "18.75"), ("carried", "cap:2", "-18.75")]


def test_an_amount_and_what_was_carried_counts_in_the_next_month(north, hub):
    plan = capped(north, hub, of="amount", value="400", excess="carried")
    made = batch(plan, hub)
    assert made.sums == {"CNY": "400.0000"}
    ground.day(north.agent, date(2026, 4, 7), 120)
    april = reviewed(plan, hub, APRIL)
    assert april.sums == {"CNY": "400"}  # 150 of April and 1,250 carried come to 1,400
    assert caps(month=MAY) == [("carried", "cap:1", "1000.00")]
    assert left_over(plan) == {}


def test_below_the_cap_nothing_is_posted(north, hub):
    plan = capped(north, hub, of="amount", value="1650", excess="carried")
    reviewed(plan, hub)
    assert caps() == []


def test_each_person_has_a_cap_of_their_own(north, hub):
    plan = capped(north, hub, **QUARTER, excess="lost")
    ground.wage(north.agents[1], "100.00")  # by the day: a base of 2,175 a month, a quarter of which is 543.75
    for day in range(1, 13):
        ground.day(north.agents[1], day, 120)
    reviewed(plan, hub)
    assert caps(agent=north.agents[1]) == [("cap", "cap:1", "-56.25")]
    assert caps(agent=north.agent) == [("cap", "cap:1", "-18.75")]


def test_what_is_carried_never_goes_into_a_month_that_is_locked(north, hub):
    plan = capped(north, hub, **QUARTER, excess="carried")
    ground.day(north.agent, date(2026, 4, 7), 120)
    calculated(plan)
    batch(plan, hub, APRIL)
    reviewed(plan, hub)
    assert caps(kind="carried") == [("carried", "cap:1", "18.75")]
    assert Entry.objects.get(kind="carried").month == MAY
    assert Run.objects.get(month=APRIL.first).sums == {"CNY": "150"}


def test_a_month_under_review_that_something_is_carried_into_is_looked_at_anew(north, hub):
    plan = capped(north, hub, **QUARTER, excess="carried")
    ground.day(north.agent, APRIL.first + timedelta(days=6), 120)
    reviewed(plan, hub, APRIL)
    reviewed(plan, hub)
    april = Run.objects.get(month=APRIL.first)
    assert (april.stage, april.sums, april.reviewed_by) == ("calculated", {"CNY": "168.75"}, None)
    assert runs.total(april) == {"CNY": Decimal("168.75")}
