"""A pay-out batch as its page and its file show it."""

from collections.abc import Iterator
from typing import Any

from django.core.paginator import Page, Paginator

from incentives.models import Batch, BatchItem
from incentives.reports.amounts import amount_words, trimmed

# Columns of the file, in the words that payroll systems map: never translated.
COLUMNS = ("employee", "code", "amount", "currency", "earned_from", "earned_until", "pay_on", "cost_centre")
PORTION, ON_A_PAGE = 2000, 100


def items(batch: Batch, number: Any) -> tuple[Page, list[tuple[BatchItem, str]]]:
    """A page of the items, and each of them with its amount in words. Two queries."""
    every = batch.items.select_related("agent").order_by("employee", "code", "currency")
    page = Paginator(every, ON_A_PAGE).get_page(number)
    return page, [(item, amount_words(item.amount)) for item in page.object_list]


def rows(batch: Batch) -> Iterator[list[Any]]:
    """The items in the order of `COLUMNS`: numbers and days as such."""
    for item in batch.items.order_by("employee", "code", "currency").iterator(chunk_size=PORTION):
        yield [
            item.employee, item.code, trimmed(item.amount), item.currency, item.earned_from, item.earned_until, batch.pay_on,
            item.cost_centre,
        ]  # fmt: skip


def file_name(batch: Batch) -> str:
    return f"payout-{batch.run.month:%Y-%m}-{batch.run.plan_id}-{batch.number}"
