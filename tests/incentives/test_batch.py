"""What a batch pays can be held against its controls."""

import random
from datetime import date
from decimal import Decimal

import pytest

from incentives.plain.batch import Item, as_line, controls, imbalance


def item(employee, amount, currency="CNY", **more):
    return Item(employee, "BONUS", currency, Decimal(amount), date(2026, 11, 1), date(2026, 11, 30), **more)


ITEMS = [item("E1", "60.00"), item("E2", "-90.00"), item("E3", "150.00", "EUR"), item("E4", "0.10")]


def test_count_sums_and_a_checksum_that_knows_no_order():
    told = controls(ITEMS)
    assert (told.count, dict(told.sums)) == (4, {"CNY": Decimal("-29.90"), "EUR": Decimal("150.00")})
    for _time in range(5):
        assert controls(random.Random(_time).sample(ITEMS, 4)) == told


@pytest.mark.parametrize(
    "other",
    [
        item("E1", "60.01"), item("E1", "60.00", "EUR"), item("E9", "60.00"), item("E1", "60.00", cost_centre="7"),
        item("E1\tBONUS", "60.00"),
    ],
)  # fmt: skip
def test_whatever_differs_changes_the_checksum(other):
    assert controls([other, *ITEMS[1:]]).checksum != controls(ITEMS).checksum


def test_no_field_can_pass_for_two():
    lines = {
        as_line(item("a\tb", "1")),
        as_line(item("a\\tb", "1")),
        as_line(item("a\nb", "1")),
        as_line(item("a", "1")),
    }
    assert len(lines) == 4 and not any("\n" in line for line in lines)


def test_nobody_is_paid_twice():
    with pytest.raises(ValueError, match="E1 stands twice"):
        controls([*ITEMS, item("E1", "1.00")])


def test_entries_and_batches_are_even_or_the_difference_is_told():
    assert imbalance({"CNY": Decimal("-29.90"), "EUR": Decimal("150.00")}, ITEMS) == {}
    assert imbalance({"CNY": Decimal("-29.91")}, ITEMS) == {"CNY": Decimal("-0.01"), "EUR": Decimal("-150.00")}
    assert controls([]).count == 0 and imbalance({}, []) == {}
