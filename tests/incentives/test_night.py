"""The night of incentives: which months are calculated again, and who is told of the own day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from incentives.models import Entry
from incentives.services import night
from performance.services.night import ROLL_UP
from teams import jobs
from teams.models import JobRun, Notice
from tests import make
from tests.incentives import ground

NOW = datetime(2026, 4, 2, 3, tzinfo=UTC)
EVENING = datetime(2026, 3, 2, 22, tzinfo=UTC)


def months(now=NOW):
    return {(each.subject, each.period): each.input_hash for each in night.expected_months(now)}


def rolled_up(day, zone="UTC"):
    run = jobs.expect(ROLL_UP, zone, day.isoformat(), due_at=NOW, input_hash=str(JobRun.objects.count()))
    JobRun.objects.filter(pk=run.pk).update(state=JobRun.State.DONE)


# -- months --------------------------------------------------------------------------------------------------------------


def test_without_a_plan_nothing_is_expected(hub):
    assert months() == {}


def test_the_months_of_a_plan_are_expected_and_those_before_it_are_not(march, hub):
    later = ground.plan(hub.team, hub.payroll, name="Later", since=date(2026, 3, 10))
    assert set(months()) == {
        *((str(march.pk), f"2026-{month:02d}-01") for month in range(1, 5)),
        (str(later.pk), "2026-03-01"),
        (str(later.pk), "2026-04-01"),
    }


def test_a_draft_pays_nobody_and_is_not_calculated(march):
    march.versions.update(state="draft")
    assert months() == {}


def test_a_roll_up_of_a_day_asks_for_its_month_again_and_for_no_other(march):
    before = months()
    rolled_up(date(2026, 2, 10))
    after = months()
    assert {key for key in before if before[key] != after[key]} == {(str(march.pk), "2026-02-01")}


def test_a_day_of_a_week_over_the_turn_of_the_month_asks_for_both(march):
    before = months()
    rolled_up(date(2026, 1, 28))
    after = months()
    changed = {period for (_plan, period), told in after.items() if told != before[str(march.pk), period]}
    assert changed == {"2026-01-01", "2026-02-01"}


def test_the_two_newest_months_are_looked_at_once_a_day(march):
    today, tomorrow = months(), months(NOW + timedelta(days=1))
    assert {period for (_plan, period) in today if today[str(march.pk), period] != tomorrow[str(march.pk), period]} == {
        "2026-04-01", "2026-03-01",
    }  # fmt: skip
    assert months(NOW + timedelta(hours=5)) == today


def test_the_ledger_calculates_a_month_once_for_each_reason(march, north):
    ground.day(north.agent, 2, 112)
    runs = [
        jobs.expect(night.CALCULATE, str(march.pk), "2026-03-01", due_at=NOW, input_hash=told) for told in ("a", "a")
    ]
    assert runs[0].pk == runs[1].pk
    assert jobs.work(runs[0].pk, NOW)
    assert [f"{amount:.2f}" for amount in Entry.objects.values_list("amount", flat=True)] == ["60.00"]
    rolled_up(date(2026, 3, 2))
    jobs.work(jobs.expect(night.CALCULATE, str(march.pk), "2026-03-01", due_at=NOW, input_hash="b").pk, NOW)
    assert Entry.objects.count() == 1


# -- the day's line ------------------------------------------------------------------------------------------------------


def evenings(now):
    return {(each.subject, each.period) for each in night.expected_evenings(now)}


def test_an_evening_is_expected_in_each_zone_when_it_is_evening_there(march, north):
    make.agent(north.team, "Wang Lei", zone="Asia/Shanghai", user=make.user("wang"))
    make.agent(north.team, "Nobody", zone="America/Sao_Paulo")  # without an account there is nobody to tell
    assert evenings(EVENING) == {("UTC", "2026-03-02")}
    assert evenings(datetime(2026, 3, 2, 14, tzinfo=UTC)) == {("Asia/Shanghai", "2026-03-02")}
    assert evenings(datetime(2026, 3, 2, 10, tzinfo=UTC)) == set()


def test_an_evening_that_was_missed_for_hours_is_no_news(march):
    due = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)
    assert evenings(due - timedelta(minutes=1)) == set()
    assert evenings(due + timedelta(minutes=90)) == {("UTC", "2026-03-02")}
    assert evenings(due + timedelta(hours=4)) == set()


def test_without_a_published_plan_nobody_is_told(north):
    assert evenings(EVENING) == set()


@pytest.fixture
def evening(march, north, south):
    ground.day(north.agent, 2, 112)
    ground.day(south.agent, 2, 95)
    ground.day(south.agents[1], 3, 95)
    return JobRun(job=night.EVENING, subject="UTC", period="2026-03-02")


def test_whoever_worked_under_a_plan_is_told_once(evening, north, south):
    assert night.tell_evening(evening) == "2"
    night.tell_evening(evening)
    told = Notice.objects.filter(kind="day_line")
    assert set(told.values_list("recipient", flat=True)) == {north.agent.user_id, south.agent.user_id}
    assert told.count() == 2
    assert {tuple(row.details.items()) for row in told} == {(("day", "2026-03-02"),)}  # and no amount waits in the box


def test_whoever_is_under_no_plan_or_in_another_zone_is_not_told(march, hub, north, south):
    march.versions.update(state="withdrawn")
    ground.plan(north.team, hub.payroll, name="North", roles=["mentor"])
    north.agent.role = "mentor"
    north.agent.save()
    abroad = make.agent(north.team, "Wang Lei", zone="Asia/Shanghai", role="mentor", user=make.user("wang"))
    for agent in (*north.agents, south.agent, abroad):
        ground.day(agent, 2, 112)
    night.tell_evening(JobRun(job=night.EVENING, subject="UTC", period="2026-03-02"))
    assert list(Notice.objects.filter(kind="day_line").values_list("recipient", flat=True)) == [north.agent.user_id]
