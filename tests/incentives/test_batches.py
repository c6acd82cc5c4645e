"""Batches: fixed when made, released by a second person, taken and paid; later facts are paid once, and all adds up."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from approvals.kinds import kind_of
from approvals.services import deciding, requests
from incentives.kinds.releases import ask_release
from incentives.models import Batch, BatchDownload, BatchItem, Entry, Plan, Run
from incentives.plain.batch import Item, controls
from incentives.services import batches, runs
from teams.errors import OutOfReach
from tests.approvals.test_engine import refused
from tests.incentives import ground
from tests.incentives.months import APRIL, MARCH, approved, batch, calculated, left_over, paid_out, released


@pytest.fixture
def days(march, north):
    """Two people: 60 + 150, and 60."""
    ground.wage(north.agents[1])
    rows = [ground.day(north.agent, 2, 112), ground.day(north.agent, 3, 121), ground.day(north.agents[1], 5, 115)]
    ground.day(north.agents[1], 6, 95)
    return rows


def items(made):
    return [
        (row.agent.pk, row.code, row.currency, row.amount, row.earned_from, row.earned_until, row.cost_centre)
        for row in made.items.order_by("agent")
    ]


def more_closed(row, closed):
    row.closed = row.closed_simple = closed
    row.save()


def forge(statement):
    """As somebody could who owns the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE incentives_batchitem DISABLE TRIGGER incentives_item_stays")
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE incentives_batchitem ENABLE TRIGGER incentives_item_stays")


# -- making --------------------------------------------------------------------------------------------------------------


def test_a_batch_locks_the_run_and_pays_each_person_once(days, march, north, hub):
    made = batches.make_batch(approved(march, hub).pk, by=hub.payroll, pay_on=date(2026, 5, 10), reason="May")
    one, other = north.agents
    assert items(made) == [
        (one.pk, "BONUS", "CNY", Decimal(210), date(2026, 3, 2), date(2026, 3, 3), "north"),
        (other.pk, "BONUS", "CNY", Decimal(60), date(2026, 3, 5), date(2026, 3, 5), "north"),
    ]
    assert (made.number, made.count, made.sums, made.state, made.made_by, made.pay_on) == (
        1, 2, {"CNY": "270.0000"}, "made", hub.payroll, date(2026, 5, 10),
    )  # fmt: skip
    assert Run.objects.get().stage == "locked"
    assert not Entry.objects.unpaid().exists() and left_over(march) == {}
    assert made.history.get().history_change_reason == "May"


def test_the_checksum_is_that_of_the_items_and_of_nothing_else(days, march, hub):
    made = batch(march, hub)
    rows = [
        Item(row.employee, row.code, row.currency, row.amount, row.earned_from, row.earned_until, row.cost_centre)
        for row in BatchItem.objects.order_by("-pk")
    ]
    assert controls(rows).checksum == made.checksum == batches.recounted(made).checksum
    assert controls(rows[1:]).checksum != made.checksum


def test_what_is_not_approved_has_no_code_or_pays_nothing_makes_no_batch(days, march, hub):
    run = calculated(march)
    refused("not_now", batches.make_batch, run.pk, by=hub.payroll)
    Plan.objects.update(earning_code="")
    approved(march, hub)
    refused("no_code", batches.make_batch, run.pk, by=hub.payroll)
    Plan.objects.update(earning_code="BONUS")
    batches.make_batch(run.pk, by=hub.payroll)
    refused("not_now", batches.make_batch, run.pk, by=hub.payroll)
    empty = approved(march, hub, APRIL)
    refused("nothing_to_pay", batches.make_batch, empty.pk, by=hub.payroll)
    assert (Batch.objects.count(), Run.objects.get(month=APRIL.first).stage) == (1, "approved")


def test_a_batch_and_its_items_never_change(days, march, hub):
    made = batch(march, hub)
    for statement in (
        "UPDATE incentives_batchitem SET amount = 1",
        "DELETE FROM incentives_batchitem",
        "UPDATE incentives_batch SET checksum = ''",
        "UPDATE incentives_batch SET sums = '{}'",
        "DELETE FROM incentives_batch",
        "UPDATE incentives_entry SET batch_id = NULL",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert batches.recounted(made).checksum == made.checksum


# -- releasing -----------------------------------------------------------------------------------------------------------


def test_whoever_made_it_does_not_release_it(days, march, north, hub):
    made = batch(march, hub)
    request = ask_release(made.pk, by=hub.payroll)
    refused("own_request", deciding.approve, request.pk, by=hub.payroll)
    requests.withdraw(request.pk, by=hub.payroll)
    request = ask_release(made.pk, by=hub.hr)  # somebody else asks: the maker is not among those who are asked
    refused("own_request", deciding.approve, request.pk, by=hub.hr)
    assert not request.seats.filter(user=hub.payroll).exists()
    for who in (hub.payroll, north.lead):
        with pytest.raises(OutOfReach):
            deciding.approve(request.pk, by=who)
    assert Batch.objects.get().state == "made"


def test_a_second_person_releases_it(days, march, hub):
    made = released(batch(march, hub), hub)
    assert (made.state, made.released_by, made.request.state) == ("released", hub.hr, "applied")
    assert made.released_at is not None
    refused("not_now", ask_release, made.pk, by=hub.payroll)


def test_a_request_for_release_names_no_amount(days, march, hub):
    made = batch(march, hub)
    request = ask_release(made.pk, by=hub.payroll)
    kind = kind_of(request.kind)
    wish = kind.wish(request.content)
    told = [str(part) for line in kind.difference(wish, kind.stands(wish)) for part in (line.label, line.old, line.new)]
    told += kind.effects(wish, kind.stands(wish), request.submitted_at)
    assert "2 items" in told
    assert not [words for words in told if "270" in words or "CNY" in words]


def test_a_rejected_release_may_be_asked_for_again(days, march, hub):
    made = batch(march, hub)
    deciding.reject(ask_release(made.pk, by=hub.payroll).pk, by=hub.hr, words="Wait for the tenth")
    assert Batch.objects.get().state == "made"
    assert released(made, hub).state == "released"


def test_items_that_do_not_add_up_are_not_released(days, march, hub):
    made = batch(march, hub)
    request = ask_release(made.pk, by=hub.payroll)
    forge("UPDATE incentives_batchitem SET amount = amount + 1")
    request = deciding.approve(request.pk, by=hub.hr)
    assert (request.state, Batch.objects.get().state) == ("apply_failed", "made")
    assert "checksum" in request.error


# -- taking and paying ---------------------------------------------------------------------------------------------------


def test_a_file_is_had_after_the_release_and_each_time_is_noted(days, march, hub):
    made = batch(march, hub)
    refused("not_released", batches.download, made.pk, "csv", by=hub.payroll)
    released(made, hub)
    assert not BatchDownload.objects.exists()
    batches.download(made.pk, "csv", by=hub.payroll, address="10.0.0.7")
    batches.download(made.pk, "xlsx", by=hub.hr)
    told = list(BatchDownload.objects.order_by("pk").values_list("by", "format", "address"))
    assert told == [(hub.payroll.pk, "csv", "10.0.0.7"), (hub.hr.pk, "xlsx", None)]
    assert (Batch.objects.get().state, Run.objects.get().stage) == ("exported", "exported")


def test_paid_moves_the_run_to_paid(days, march, hub):
    made = batch(march, hub)
    refused("not_exported", batches.mark_paid, made.pk, by=hub.payroll)
    paid = paid_out(made, hub)
    assert (paid.state, Run.objects.get().stage) == ("paid", "paid") and paid.paid_at is not None
    refused("not_exported", batches.mark_paid, made.pk, by=hub.payroll)
    assert left_over(march) == {}


def test_batches_are_payrolls_alone(days, march, north, south, hub):
    made = batch(march, hub)
    for who in (hub.lead, north.lead, north.agent.user, hub.trainer):
        for verb, given in (
            (batches.make_batch, (made.run_id,)),
            (ask_release, (made.pk,)),
            (batches.download, (made.pk, "csv")),
            (batches.mark_paid, (made.pk,)),
        ):
            with pytest.raises(OutOfReach):
                verb(*given, by=who)
        with pytest.raises(OutOfReach):
            batches.make_correction(made.run_id, by=who, reason="mine")
        assert not BatchItem.objects.visible_to(who).exists()
    with pytest.raises(OutOfReach):
        batches.download(10**9, "csv", by=hub.payroll)


# -- corrections ---------------------------------------------------------------------------------------------------------


def test_a_correction_pays_differences_alone_and_april_does_not_pay_them_again(days, march, north, hub):
    made = paid_out(batch(march, hub), hub)
    more_closed(days[0], 120)  # 60 -> 150
    calculated(march)
    late = batches.make_correction(made.run_id, by=hub.payroll, reason="A whole day was missing")
    assert (late.is_correction, late.number, late.sums) == (True, 2, {"CNY": "90.0000"})
    assert items(late) == [(north.agent.pk, "BONUS", "CNY", Decimal(90), date(2026, 3, 2), date(2026, 3, 2), "north")]
    paid_out(late, hub)
    assert Run.objects.get(month=MARCH.first).stage == "paid"
    ground.day(north.agent, date(2026, 4, 7), 112)
    april = batch(march, hub, APRIL)
    assert items(april) == [(north.agent.pk, "BONUS", "CNY", Decimal(60), date(2026, 4, 7), date(2026, 4, 7), "north")]
    assert left_over(march) == {} and not Entry.objects.unpaid().exists()
    assert sum(BatchItem.objects.values_list("amount", flat=True)) == sum(
        Entry.objects.values_list("amount", flat=True)
    )


def test_without_a_correction_april_pays_the_difference(days, march, north, hub):
    batch(march, hub)
    more_closed(days[0], 109)  # 60 -> 0
    more_closed(days[2], 125)  # 60 -> 150
    calculated(march)
    ground.day(north.agent, date(2026, 4, 7), 112)
    april = batch(march, hub, APRIL)
    one, other = north.agents
    assert [(agent, amount, first) for agent, _code, _cny, amount, first, _last, _centre in items(april)] == [
        (one.pk, Decimal(0), date(2026, 3, 2)),  # 60 of April, less 60 of March
        (other.pk, Decimal(90), date(2026, 3, 5)),
    ]
    assert left_over(march) == {}


def test_differences_that_cancel_out_are_settled_without_an_item(days, march, hub):
    made = batch(march, hub)
    for closed in (125, 112):
        more_closed(days[0], closed)
        calculated(march)
    refused("nothing_to_pay", batches.make_correction, made.run_id, by=hub.payroll, reason="late")
    more_closed(days[2], 125)
    calculated(march)
    late = batches.make_correction(made.run_id, by=hub.payroll, reason="late")
    assert [row[3] for row in items(late)] == [Decimal(90)]
    assert not Entry.objects.unpaid().exists() and left_over(march) == {}


def test_a_correction_needs_a_locked_month_a_reason_and_something_to_correct(days, march, hub):
    run = approved(march, hub)
    refused("not_locked", batches.make_correction, run.pk, by=hub.payroll, reason="late")
    made = batches.make_batch(run.pk, by=hub.payroll)
    refused("no_reason", batches.make_correction, run.pk, by=hub.payroll, reason=" ")
    refused("nothing_to_pay", batches.make_correction, run.pk, by=hub.payroll, reason="late")
    assert list(Batch.objects.all()) == [made]


def test_an_imbalance_is_found(days, march, hub):
    """The control of the control: with an item too few the sums do not meet."""
    batch(march, hub)
    forge("DELETE FROM incentives_batchitem WHERE amount = 60")
    assert left_over(march) == {"CNY": Decimal(60)}


def test_a_batch_is_made_of_one_plan(days, march, south, hub):
    own = ground.plan(south.team, hub.payroll, name="South", code="SOUTH")
    ground.wage(south.agent)
    ground.day(south.agent, 2, 120)
    calculated(own)
    made = batch(march, hub)
    assert south.agent.pk not in {row[0] for row in items(made)}
    assert [row[1:4] for row in items(batch(own, hub))] == [("SOUTH", "CNY", Decimal(150))]
    assert runs.total(Run.objects.get(plan=own)) == {"CNY": Decimal(150)}
