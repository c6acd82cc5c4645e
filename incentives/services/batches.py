"""Pay-out batches: what is paid, fixed when it is made, released by a second person, each file taken noted."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from incentives.models import Batch, BatchDownload, BatchItem, Entry, Run
from incentives.plain.batch import Controls, Item, controls
from incentives.plain.periods import Stage, month_of
from incentives.services.runs import SYSTEM, _move, take
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import Refused
from teams.models import Agent, Team, User

FORMAT = 1


@transaction.atomic
def make_batch(pk: Any, *, by: User, pay_on: date | None = None, reason: str = "") -> Batch:
    """Lock an approved run and fix what it pays. Raises OutOfReach, or Refused: not_now, no_code, nothing_to_pay."""
    run = take(pk, by)
    _check_code(run)
    _move(run, Stage.LOCKED, by=by, reason=reason)
    with system_scope(SYSTEM):
        return _make(run, Entry.objects.filter(plan=run.plan_id, month=run.month), by=by, pay_on=pay_on, reason=reason)


@transaction.atomic
def make_correction(pk: Any, *, by: User, pay_on: date | None = None, reason: str) -> Batch:
    """Fix what came in for locked months since, without waiting for the open month: differences alone.

    `pk`: a run that is locked or later. Raises OutOfReach, or Refused: not_locked, no_code, no_reason, nothing_to_pay.
    """
    run = take(pk, by)
    _check_code(run)
    if Stage(run.stage) not in (Stage.LOCKED, Stage.EXPORTED, Stage.PAID):
        raise Refused("not_locked", _("Corrections are of months that are locked. This one still takes figures."))
    if not reason.strip():
        raise Refused("no_reason", _("Say why it cannot wait for the next month."))
    with system_scope(SYSTEM):
        rows = Entry.objects.filter(
            plan=run.plan_id, kind=Entry.Kind.DELTA, ends__gte=run.month, ends__lte=_last(run), month__gt=run.month
        )
        return _make(run, rows, by=by, pay_on=pay_on, reason=reason, is_correction=True)


def _last(run: Run) -> date:
    return month_of(run.month).last


def _check_code(run: Run) -> None:
    if not run.plan.earning_code:
        raise Refused("no_code", _("The plan has no earning code of the payroll. Enter it, then make the batch."))


def _make(run: Run, rows: Any, *, by: User, pay_on: date | None, reason: str, is_correction: bool = False) -> Batch:
    """The entries among `rows` that no batch pays yet, as items of a new one. The run is locked."""
    entries = list(rows.unpaid().select_for_update(of=("self",)).order_by("pk"))
    items = items_of(run.plan.earning_code, entries)
    if not items:
        raise Refused("nothing_to_pay", _("There is nothing to pay that no batch pays already."))
    checks = controls(item for _agent, item in items)
    number = (run.batches.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    batch = Batch(
        run=run, number=number, is_correction=is_correction, count=checks.count, checksum=checks.checksum,
        sums={currency: f"{amount:f}" for currency, amount in checks.sums.items()}, format_version=FORMAT, pay_on=pay_on,
        made_by=by,
    )  # fmt: skip
    save_with_history(batch, by=by, reason=reason)
    BatchItem.objects.bulk_create(
        [
            BatchItem(
                batch=batch, agent_id=agent, employee=item.employee, code=item.code, currency=item.currency,
                amount=item.amount, earned_from=item.earned_from, earned_until=item.earned_until, cost_centre=item.cost_centre,
            )
            for agent, item in items
        ],
        batch_size=1000,
    )  # fmt: skip
    Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(batch=batch)
    return batch


def items_of(code: str, entries: Iterable[Entry]) -> list[tuple[int, Item]]:
    """One item for each person and currency, with the agent's id. The cost centre is the team of the last day."""
    found: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.agent_id, entry.currency].append(entry)
    numbers = dict(Agent.objects.filter(pk__in={agent for agent, _currency in found}).values_list("pk", "number"))
    teams = dict(
        Team.objects.filter(pk__in={entry.team_id for rows in found.values() for entry in rows}).values_list(
            "pk", "code"
        )
    )
    items = []
    for (agent, currency), rows in sorted(found.items()):
        last = max(rows, key=lambda entry: (entry.ends, entry.pk))
        amount = sum((entry.amount for entry in rows), Decimal(0))
        if amount or any(entry.kind != Entry.Kind.DELTA for entry in rows):
            earned = min(entry.begins for entry in rows), max(entry.ends for entry in rows)
            items.append((agent, Item(numbers[agent], code, currency, amount, *earned, teams[last.team_id])))
    return items


def release(batch: Batch, *, by: User | None, reason: str) -> None:
    """Let a batch go: called by the request that a second person agreed to. Raises Refused: not_now, broken."""
    if batch.state != Batch.State.MADE:
        raise Refused("not_now", _("This batch has been released already."))
    if recounted(batch).checksum != batch.checksum:
        raise Refused("broken", _("The items do not add up to the checksum any more. Tell the operator; pay nothing."))
    batch.state, batch.released_at, batch.released_by = Batch.State.RELEASED, timezone.now(), by
    save_with_history(batch, "state", "released_at", "released_by", by=by, reason=reason)


def recounted(batch: Batch) -> Controls:
    """The control totals of what stands in the database now."""
    return controls(
        Item(row.employee, row.code, row.currency, row.amount, row.earned_from, row.earned_until, row.cost_centre)
        for row in batch.items.all()
    )


@transaction.atomic
def download(pk: Any, format: str, *, by: User, address: str | None = None) -> Batch:
    """Note that a file of a released batch is taken. The door writes it. Raises OutOfReach, or Refused: not_released."""
    batch: Batch = Batch.objects.manageable_by(by).select_related("run__plan").take(pk)
    if batch.state == Batch.State.MADE:
        raise Refused("not_released", _("Somebody else has to release this batch before its file can be had."))
    if batch.state == Batch.State.RELEASED:
        batch.state = Batch.State.EXPORTED
        save_with_history(batch, "state", by=by, reason=format)
        run = Run.objects.select_for_update(of=("self",)).get(pk=batch.run_id)
        if run.stage == Run.Stage.LOCKED and not batch.is_correction:
            _move(run, Stage.EXPORTED, by=by, reason=format)
    BatchDownload.objects.create(batch=batch, by=by, format=format, address=address)
    return batch


@transaction.atomic
def mark_paid(pk: Any, *, by: User, reason: str = "") -> Batch:
    """Note that the payroll has paid a batch. Raises OutOfReach, or Refused: not_exported."""
    batch: Batch = Batch.objects.manageable_by(by).take(pk)
    if batch.state != Batch.State.EXPORTED:
        raise Refused("not_exported", _("Only a batch whose file has been taken can have been paid."))
    batch.state, batch.paid_at = Batch.State.PAID, timezone.now()
    save_with_history(batch, "state", "paid_at", by=by, reason=reason)
    if not batch.is_correction:
        run = Run.objects.select_for_update(of=("self",)).get(pk=batch.run_id)
        if run.stage == Run.Stage.EXPORTED:
            _move(run, Stage.PAID, by=by, reason=reason)
    return batch
