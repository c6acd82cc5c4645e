"""The wage of a day by its date, its currency, and the way a month is divided."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

from incentives.plain.periods import Span
from incentives.plain.terms import read
from incentives.plain.wages import Lack, Wage, of_day
from tests.incentives.plans import terms

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
WAGES = [
    Wage(True, Decimal("6525.00"), "CNY", MARCH, APRIL),
    Wage(False, Decimal("320.50"), "CNY", APRIL, date(2026, 5, 1)),
    Wage(False, Decimal("40.00"), "EUR", date(2026, 5, 1)),
]


def wage(day, days=0, **more):
    asked: list[Span] = []

    def scheduled(month):
        asked.append(month)
        return days

    found = of_day(WAGES, day, read(terms(**more)), scheduled)
    assert len(asked) == (1 if more.get("monthly_by") == "scheduled" and day < APRIL and day >= MARCH else 0)
    return found


def test_a_monthly_wage_by_the_statute_or_by_the_days_that_were_planned():
    assert wage(date(2026, 3, 31)) == 300
    assert wage(date(2026, 3, 31), 20, monthly_by="scheduled") == Fraction("326.25")
    assert wage(date(2026, 3, 31), 0, monthly_by="scheduled") is Lack.NO_SCHEDULE


def test_the_wage_is_that_of_the_day():
    assert wage(APRIL) == Fraction("320.5")
    assert wage(date(2026, 4, 30)) == Fraction("320.5")
    assert wage(date(2026, 2, 28)) is Lack.NO_WAGE
    assert wage(date(2026, 5, 1)) is Lack.OTHER_CURRENCY
    assert wage(date(2026, 6, 1), currency="EUR") == 40
