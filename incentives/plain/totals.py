"""What becomes of rounded lines: sums, the cap on them, and the deltas of later knowledge."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from incentives.plain.pay import rounded
from incentives.plain.terms import Cap, Rounding


@dataclass(frozen=True)
class Total:
    """`earned`: the sum of the rounded lines. What the cap cuts off is lost, or carried to the next period."""

    earned: Decimal
    paid: Decimal
    lost: Decimal
    carried: Decimal


def total(
    lines: Iterable[Decimal],
    cap: Cap,
    rounding: Rounding,
    *,
    monthly_base: Fraction | None = None,
    carried: Decimal = Decimal(0),
) -> Total:
    """The lines of a period and what was carried into it, under the cap. Raises ValueError where the cap is a share of a
    monthly base and there is none."""
    earned = sum(lines, Decimal(0))
    due = earned + carried
    limit = _limit(cap, rounding, monthly_base)
    if limit is None or due <= limit:
        return Total(earned, due, Decimal(0), Decimal(0))
    over = due - limit
    return Total(earned, limit, *((Decimal(0), over) if cap.excess == "carried" else (over, Decimal(0))))


def _limit(cap: Cap, rounding: Rounding, monthly_base: Fraction | None) -> Decimal | None:
    if cap.of == "none":
        return None
    if cap.of == "amount":
        return rounded(cap.value, rounding)
    if monthly_base is None:
        raise ValueError("the cap is a share of the monthly base, which is missing")
    return rounded(cap.value * monthly_base, rounding)


def delta(old: Decimal, new: Decimal) -> Decimal:
    """What a later period owes for a line that would be rounded otherwise now; the line itself stays as it was."""
    return new - old
