"""A run through its stages: who sends it, who approves it, what puts it back."""

import pytest
from django.utils import timezone

from incentives.models import Run
from incentives.services import runs
from teams.errors import OutOfReach
from tests.approvals.test_engine import refused
from tests.incentives import ground
from tests.incentives.months import APRIL, approved, calculated


@pytest.fixture
def run(march, north):
    ground.day(north.agent, 2, 112)
    return calculated(march)


def stage(run) -> str:
    return Run.objects.get(pk=run.pk).stage


def test_one_sends_it_and_another_approves(run, hub):
    sent = runs.send_to_review(run.pk, by=hub.payroll, reason="complete")
    assert (sent.stage, sent.reviewed_by) == ("in_review", hub.payroll)
    refused("own_run", runs.approve, run.pk, by=hub.payroll)
    assert stage(run) == "in_review"
    done = runs.approve(run.pk, by=hub.hr, reason="looked at")
    assert (done.stage, done.approved_by, done.reviewed_by) == ("approved", hub.hr, hub.payroll)
    told = list(run.history.order_by("history_id").values_list("stage", "history_user", "history_change_reason"))
    assert told[-2:] == [("in_review", hub.payroll.pk, "complete"), ("approved", hub.hr.pk, "looked at")]


def test_not_even_the_operator_approves_what_they_sent(run, hub):
    runs.send_to_review(run.pk, by=hub.operator)
    refused("own_run", runs.approve, run.pk, by=hub.operator)


def test_stages_are_not_skipped(run, hub):
    refused("not_now", runs.approve, run.pk, by=hub.hr)
    refused("not_now", runs.send_back, run.pk, by=hub.hr, reason="why")
    runs.send_to_review(run.pk, by=hub.payroll)
    refused("not_now", runs.send_to_review, run.pk, by=hub.payroll)
    assert stage(run) == "in_review"


@pytest.mark.parametrize("how_far", ["in_review", "approved"])
def test_it_is_sent_back_with_a_reason_and_begins_anew(run, hub, how_far):
    runs.send_to_review(run.pk, by=hub.payroll)
    if how_far == "approved":
        runs.approve(run.pk, by=hub.hr)
    refused("no_reason", runs.send_back, run.pk, by=hub.hr, reason=" ")
    back = runs.send_back(run.pk, by=hub.hr, reason="a wage is old")
    assert (back.stage, back.reviewed_by, back.approved_by) == ("calculated", None, None)
    assert back.history.first().history_change_reason == "a wage is old"
    runs.send_to_review(run.pk, by=hub.hr)
    assert runs.approve(run.pk, by=hub.payroll).stage == "approved"


def test_a_run_that_lacks_wages_waits_for_them(run, march, north, hub):
    ground.day(north.agents[1], 3, 120)
    calculated(march)
    assert "1 line has no daily wage" in str(refused("lacking", runs.send_to_review, run.pk, by=hub.payroll))
    ground.wage(north.agents[1])
    calculated(march)
    assert runs.send_to_review(run.pk, by=hub.payroll).sums == {"CNY": "210"}


def test_a_month_that_is_not_over_everywhere_is_not_sent(run, hub):
    Run.objects.filter(pk=run.pk).update(month=timezone.now().date().replace(day=1))
    refused("not_over", runs.send_to_review, run.pk, by=hub.payroll)
    assert stage(run) == "calculated"


def test_new_facts_put_an_approved_run_back_and_the_same_facts_do_not(march, north, hub):
    row = ground.day(north.agent, 2, 112)
    run = approved(march, hub)
    calculated(march)
    assert stage(run) == "approved"
    row.closed = row.closed_simple = 121
    row.save()
    again = calculated(march)
    assert (again.stage, again.reviewed_by, again.approved_by, again.sums) == ("calculated", None, None, {"CNY": "150"})


def test_a_locked_month_is_not_calculated_by_hand(run, north, hub):
    assert runs.recalculate(run.pk, by=hub.payroll).pk == run.pk
    Run.objects.update(stage="locked")
    refused("not_open", runs.recalculate, run.pk, by=hub.payroll)


def test_runs_are_payrolls_alone(run, north, south, hub):
    for who in (hub.lead, north.lead, north.agent.user, hub.trainer):
        for verb in (runs.recalculate, runs.send_to_review, runs.approve):
            with pytest.raises(OutOfReach):
                verb(run.pk, by=who)
        with pytest.raises(OutOfReach):
            runs.send_back(run.pk, by=who, reason="why")
        assert not Run.objects.visible_to(who).exists()
    with pytest.raises(OutOfReach):
        runs.send_to_review(10**9, by=hub.payroll)
    assert stage(run) == "calculated"


def test_a_month_without_lines_is_a_run_of_nothing(march):
    made = calculated(march, APRIL)
    assert (made.stage, made.lines, made.agents, made.sums) == ("calculated", 0, 0, {})
