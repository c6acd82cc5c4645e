"""Money at the same time: a month calculated by many, a batch made twice, a late fact while a month is locked."""

from decimal import Decimal

import pytest
from django.db import connection

from incentives import posting
from incentives.models import Attainment, Batch, Entry, Run
from incentives.services import batches, runs
from teams.errors import Refused
from tests.incentives import ground
from tests.incentives.months import MARCH, NOW, approved, calculated, left_over
from tests.races.test_races import CONTROL, expect_hold
from tests.races.together import Meeting, together, without_row_locks

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 8
GUARD = next(each for each in Entry._meta.constraints if each.name == "one_entry_per_line_kind_and_cause")


@pytest.fixture
def plan(hub, north):
    """Two people and five days: 60, 150, 60 for one, 150 and 60 for the other."""
    ground.target(hub.team)
    for agent in north.agents:
        ground.wage(agent)
    for day, closed in enumerate((95, 112, 121, 90, 110), 2):
        ground.day(north.agent, day, closed)
    for day, closed in enumerate((130, 115), 2):
        ground.day(north.agents[1], day, closed)
    return ground.plan(hub.team, hub.payroll)


@pytest.fixture
def unguarded():
    """The entries without the constraint that keeps each cause to one effect; as they were again afterwards."""
    removed = []

    def remove() -> None:
        with connection.schema_editor() as editor:
            editor.remove_constraint(Entry, GUARD)
        removed.append(GUARD)

    yield remove
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE incentives_entry")
    for guard in removed:
        with connection.schema_editor() as editor:
            editor.add_constraint(Entry, guard)


@CONTROL
def test_eight_who_calculate_a_month_at_once_post_each_line_once(locks, plan, unguarded, monkeypatch):
    """Each looks at what stands posted before any is done. The lock of the run alone has to keep them apart: the constraint
    is gone, and so are the rows of attainments, at which they would wait for each other as well."""
    Run.objects.bulk_create([Run(plan=plan, month=MARCH.first)])  # else whoever makes it has the others wait
    unguarded()
    with monkeypatch.context() as alone:
        alone.setattr(posting, "NEW", "SELECT")
        alone.setattr(posting, "RENEWED", "SELECT")
        if not locks:
            without_row_locks(alone)
        alone.setattr(posting, "post", Meeting(MANY).after(posting.post))  # none is done before all have written
        results = together(*[lambda: runs.calculate(plan.pk, MARCH, now=NOW).sums] * MANY)
    total = sum(Entry.objects.values_list("amount", flat=True))
    expect_hold(locks, (Entry.objects.count(), total) == (5, Decimal(480)), (results, total))
    if locks:
        assert results == [{"CNY": "480"}] * MANY


def test_eight_at_once_leave_what_one_leaves(plan, monkeypatch):
    monkeypatch.setattr(runs, "hold", Meeting(MANY).after(runs.hold))
    results = together(*[lambda: runs.calculate(plan.pk, MARCH, now=NOW).input_hash] * MANY)
    posted = list(Entry.objects.values_list("agent", "begins", "version", "kind", "cause"))
    assert len(set(results)) == 1 and len(posted) == len(set(posted)) == 5
    before = list(Entry.objects.values()), list(Attainment.objects.values()), Run.history.count()
    made = calculated(plan)
    assert (made.sums, made.lines, made.input_hash) == ({"CNY": "480"}, 7, results[0])
    assert (list(Entry.objects.values()), list(Attainment.objects.values()), Run.history.count()) == before


@CONTROL
def test_two_who_make_a_batch_at_once_make_one(locks, plan, hub, monkeypatch):
    """Whoever comes second finds the run locked. Without locks both make one, and one ends in an error of the database."""
    run = approved(plan, hub)
    if not locks:
        without_row_locks(monkeypatch)
    monkeypatch.setattr(batches, "take", Meeting(2).after(batches.take))
    results = together(*[lambda: batches.make_batch(run.pk, by=hub.payroll).sums] * 2)
    refused = [result.code for result in results if isinstance(result, Refused)]
    expect_hold(locks, {"CNY": "480.0000"} in results and refused == ["not_now"], results)
    if locks:
        assert Batch.objects.count() == 1 and left_over(plan) == {}


@CONTROL
def test_a_late_fact_while_a_month_is_locked_is_in_the_batch_or_in_a_month_that_is_open(
    locks, plan, north, hub, monkeypatch
):
    """Without locks the line is posted into a month whose batch has been made without it, and nobody would ever pay it."""
    run = approved(plan, hub)
    ground.day(north.agent, 20, 120)
    if not locks:
        without_row_locks(monkeypatch)
    looked, written = Meeting(2), Meeting(2)
    monkeypatch.setattr(batches, "take", looked.after(batches.take))
    monkeypatch.setattr(runs, "_open_run", looked.after(runs._open_run))
    monkeypatch.setattr(batches, "_make", written.after(batches._make))
    monkeypatch.setattr(posting, "post", written.before(posting.post))
    results = together(
        lambda: batches.make_batch(run.pk, by=hub.payroll).sums, lambda: runs.calculate(plan.pk, MARCH, now=NOW).stage
    )
    is_locked = Batch.objects.exists()
    forgotten = Entry.objects.unpaid().filter(month=MARCH.first).exists()
    expect_hold(locks, not (is_locked and forgotten), results)
    if locks:
        assert is_locked or isinstance(results[0], Refused)
        assert calculated(plan).lines == 8
        assert sum(Entry.objects.values_list("amount", flat=True)) == Decimal(630)
