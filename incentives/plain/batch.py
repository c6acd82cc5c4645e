"""A pay-out batch as plain values: control totals by currency, and a checksum over exactly what is paid.

The checksum is over one line for each item, in the order of the items' keys, so that it depends on what is paid and not on how
it was read. A file, a page and the database can each be held against it.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, order=True)
class Item:
    """What one person is paid in one currency for one earning code. `earned_from` to `earned_until`: the days it was earned on,
    both included, for payrolls that rate overtime anew."""

    employee: str
    code: str
    currency: str
    amount: Decimal
    earned_from: date
    earned_until: date
    cost_centre: str = ""


@dataclass(frozen=True)
class Controls:
    count: int
    sums: Mapping[str, Decimal]
    checksum: str


def controls(items: Iterable[Item]) -> Controls:
    """Count, sum by currency, checksum. Raises ValueError where a person stands twice with one code and currency."""
    rows = sorted(items, key=lambda item: (item.employee, item.code, item.currency))
    sums: dict[str, Decimal] = defaultdict(Decimal)
    seen: set[tuple[str, str, str]] = set()
    digest = hashlib.sha256()
    for row in rows:
        key = (row.employee, row.code, row.currency)
        if key in seen:
            raise ValueError(f"{row.employee} stands twice with {row.code} in {row.currency}")
        seen.add(key)
        sums[row.currency] += row.amount
        digest.update((as_line(row) + "\n").encode())
    return Controls(len(rows), dict(sorted(sums.items())), digest.hexdigest())


def as_line(item: Item) -> str:
    """One item for the checksum: fields between tabs, with no tab or line break inside any of them."""
    fields = (
        item.employee, item.code, item.currency, f"{item.amount:f}", item.earned_from.isoformat(),
        item.earned_until.isoformat(), item.cost_centre,
    )  # fmt: skip
    return "\t".join(field.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") for field in fields)


def imbalance(entries: Mapping[str, Decimal], batches: Iterable[Item]) -> dict[str, Decimal]:
    """By currency what entries that are said to be paid come to, less what the batches pay; nothing where all is even."""
    left: dict[str, Decimal] = defaultdict(Decimal, entries)
    for item in batches:
        left[item.currency] -= item.amount
    return {currency: amount for currency, amount in sorted(left.items()) if amount}
