"""The daily wage that a bonus is a share of: the daily rate of the contract, or a monthly wage divided as the plan declares."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from incentives.plain.periods import Span, month_of
from incentives.plain.terms import Terms

CONVERSION = Fraction("21.75")  # paid days of a month in China, by which a monthly wage becomes a daily one


@dataclass(frozen=True)
class Wage:
    """What somebody is paid from `first` up to, but not on, `until` (None: until further notice)."""

    is_monthly: bool
    amount: Decimal
    currency: str
    first: date
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.first <= day and (self.until is None or day < self.until)


class Lack(StrEnum):
    """Why a day has no wage to pay a share of. The line waits until somebody has put it right."""

    NO_WAGE = "no_wage"
    OTHER_CURRENCY = "other_currency"
    NO_SCHEDULE = "no_schedule"


def of_day(wages: Iterable[Wage], day: date, terms: Terms, scheduled_days: Callable[[Span], int]) -> Fraction | Lack:
    """The daily wage on `day`, exact. `scheduled_days` tells for how many days of a month somebody was planned; it is asked
    only where the plan goes by them."""
    held = next((wage for wage in wages if wage.holds_on(day)), None)
    if held is None:
        return Lack.NO_WAGE
    if held.currency != terms.currency:
        return Lack.OTHER_CURRENCY
    if not held.is_monthly:
        return Fraction(held.amount)
    if terms.monthly_by == "statutory":
        return Fraction(held.amount) / CONVERSION
    days = scheduled_days(month_of(day))
    return Fraction(held.amount) / days if days > 0 else Lack.NO_SCHEDULE
