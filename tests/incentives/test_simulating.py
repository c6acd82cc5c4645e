"""A draft on a month that has been: what it would cost, who gains and loses, and nothing of it is posted."""

from datetime import date, timedelta

import pytest
import time_machine
from django.utils import timezone

from incentives.models import Attainment, Entry, Simulation
from incentives.services import plans, simulating
from teams import jobs
from teams.errors import OutOfReach
from teams.models import JobProgress, JobRun
from tests.approvals.test_engine import refused
from tests.incentives import ground
from tests.incentives.months import MARCH, calculated
from tests.incentives.plans import tiers
from tests.incentives.test_plans import days_on, declared


@pytest.fixture
def worked(march, north, south):
    """110 and 125 of one; 119 of another; 95 of a third: 60 + 150, 60, nothing."""
    for agent in (north.agents[1], south.agent):
        ground.wage(agent)
    ground.day(north.agent, 2, 110)
    ground.day(north.agent, 3, 125)
    ground.day(north.agents[1], 2, 119)
    ground.day(south.agent, 2, 95)
    calculated(march)
    return march


def draft(plan, hub, **more):
    return plans.draft_version(plan.pk, declared(**more), days_on(5), by=hub.payroll)


def tried(version, hub):
    made = simulating.simulate(version.pk, MARCH.first, by=hub.payroll)
    assert jobs.work(JobRun.objects.get(job=simulating.JOB, subject=str(made.pk)).pk, timezone.now())
    made.refresh_from_db()
    assert made.state == "done"
    return made.result


def test_a_draft_is_tried_on_days_before_it_would_begin(worked, north, south, hub):
    before = list(Entry.objects.values()), list(Attainment.objects.values())
    result = tried(draft(worked, hub, tiers=tiers(("0.9", "0.1"), ("1.2", "0.4"))), hub)
    assert (result["currency"], result["before"], result["after"]) == ("CNY", "270.00", "210.00")
    assert (result["lines"], result["lacking"], result["people"]) == (4, 0, 3)
    assert (result["gaining"], result["losing"], result["same"]) == (1, 2, 0)
    assert result["gains"] == [{"agent": south.agent.pk, "name": "South Agent 1", "before": "0.00", "after": "30.00"}]
    assert [(row["name"], row["before"], row["after"]) for row in result["loses"]] == [
        ("North Agent 1", "210.00", "150.00"), ("North Agent 2", "60.00", "30.00"),
    ]  # fmt: skip
    assert (list(Entry.objects.values()), list(Attainment.objects.values())) == before


def test_the_version_that_holds_changes_nothing(worked, hub):
    result = tried(draft(worked, hub), hub)
    assert (result["before"], result["after"], result["same"], result["gains"]) == ("270.00", "270.00", 3, [])


def test_it_tells_how_many_stand_at_an_edge(worked, hub):
    result = tried(draft(worked, hub), hub)
    assert result["near"] == [{"place": 1, "below": 0, "above": 1}, {"place": 2, "below": 1, "above": 0}]


def test_lines_without_a_wage_are_counted_and_pay_nothing(worked, south, hub):
    ground.day(south.agents[1], 4, 130)
    result = tried(draft(worked, hub), hub)
    assert (result["lines"], result["lacking"], result["after"]) == (5, 1, "270.00")


def test_a_first_version_is_tried_on_people_whom_no_plan_paid(worked, north, hub):
    own = plans.make_plan(north.team.pk, "North", by=hub.payroll)
    result = tried(draft(own, hub, gates=[], tiers=tiers(("1.0", "1"))), hub)
    assert (result["before"], result["after"], result["people"]) == ("270.00", "900.00", 2)


def test_its_progress_is_followed_by_who_asked(worked, hub):
    made = simulating.simulate(draft(worked, hub).pk, MARCH.first, by=hub.payroll)
    run = JobRun.objects.get(job=simulating.JOB, subject=str(made.pk))
    assert JobProgress.objects.get(run=run).asked_by == hub.payroll
    assert (made.state, made.month, made.made_by) == ("waiting", MARCH.first, hub.payroll)


def test_twice_by_the_ledger_is_once(worked, hub):
    made = simulating.simulate(draft(worked, hub).pk, MARCH.first, by=hub.payroll)
    run = JobRun.objects.get(job=simulating.JOB, subject=str(made.pk))
    assert (simulating.work(run), simulating.work(run)) == ("done", "")


def test_a_month_that_has_not_begun_has_nothing_to_try_it_on(worked, hub):
    with time_machine.travel("2026-03-20T12:00:00Z", tick=False):
        refused("not_begun", simulating.simulate, draft(worked, hub).pk, date(2026, 4, 1), by=hub.payroll)
        assert simulating.simulate(draft(worked, hub).pk, date(2026, 3, 31), by=hub.payroll).month == MARCH.first


def test_simulations_are_payrolls_alone(worked, north, hub):
    version = draft(worked, hub)
    simulating.simulate(version.pk, MARCH.first, by=hub.payroll)
    for who in (hub.lead, north.lead, north.agent.user):
        with pytest.raises(OutOfReach):
            simulating.simulate(version.pk, MARCH.first, by=who)
        assert not Simulation.objects.visible_to(who).exists()
    with pytest.raises(OutOfReach):
        simulating.simulate(10**9, MARCH.first, by=hub.payroll)


def test_a_simulation_goes_with_its_draft(worked, hub):
    version = draft(worked, hub)
    tried(version, hub)
    plans.discard_draft(version.pk, by=hub.payroll)
    assert not Simulation.objects.exists()
    assert MARCH.first + timedelta(days=30) == MARCH.last
