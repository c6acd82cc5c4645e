"""A pay-out month through its stages: calculated, looked at, approved, paid. Payroll begins, HR is the second person."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from approvals.models import ApprovalRequest
from approvals.services import deciding
from incentives.kinds.releases import ask_release
from incentives.models import Batch, BatchItem, Entry, Plan, Run
from incentives.plain.batch import Item, imbalance
from incentives.plain.periods import Span, month_of
from incentives.services import batches, runs

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)  # March is over, and its late facts are in
MARCH, APRIL = month_of(date(2026, 3, 1)), month_of(date(2026, 4, 1))


def calculated(plan: Plan, month: Span = MARCH, **more: Any) -> Run:
    return runs.calculate(plan.pk, month, now=more.pop("now", NOW), **more)


def approved(plan: Plan, hub: Any, month: Span = MARCH, **more: Any) -> Run:
    run = calculated(plan, month, **more)
    runs.send_to_review(run.pk, by=hub.payroll)
    return runs.approve(run.pk, by=hub.hr)


def batch(plan: Plan, hub: Any, month: Span = MARCH, **more: Any) -> Batch:
    return batches.make_batch(approved(plan, hub, month, **more).pk, by=hub.payroll)


def released(made: Batch, hub: Any) -> Batch:
    request = deciding.approve(ask_release(made.pk, by=hub.payroll).pk, by=hub.hr)
    assert request.state == ApprovalRequest.State.APPLIED, request.error
    return Batch.objects.get(pk=made.pk)


def paid_out(made: Batch, hub: Any) -> Batch:
    batches.download(released(made, hub).pk, "csv", by=hub.payroll)
    return batches.mark_paid(made.pk, by=hub.payroll)


def left_over(plan: Plan) -> dict[str, Decimal]:
    """By currency what entries that a batch has taken come to, less what the items of all batches pay: {} where all is even."""
    taken: dict[str, Decimal] = {}
    for currency, amount in Entry.objects.filter(plan=plan).exclude(batch=None).values_list("currency", "amount"):
        taken[currency] = taken.get(currency, Decimal(0)) + amount
    rows = BatchItem.objects.filter(batch__run__plan=plan)
    return imbalance(
        taken,
        [Item(row.employee, row.code, row.currency, row.amount, row.earned_from, row.earned_until) for row in rows],
    )


def entries(agent: Any = None, **more: Any) -> list[tuple[str, str, str]]:
    """Kind, cause and amount of what stands posted, oldest first."""
    rows = Entry.objects.filter(**({"agent": agent} if agent else {}), **more).order_by("pk")
    return [(row.kind, row.cause, f"{row.amount:.2f}") for row in rows]
