"""The preview says of each attainment what the calculator pays there."""

from decimal import Decimal
from fractions import Fraction

import pytest

from incentives.plain.preview import preview
from incentives.plain.terms import read
from tests.incentives.plans import gate, terms, tiers


def shown(plan, **more):
    points = preview(plan, **{"wage": Fraction(300), "target": Fraction(100), **more})
    return {
        str(Decimal(point.attainment.numerator) / point.attainment.denominator): str(point.amount) for point in points
    }


def test_from_nothing_to_twice_the_target_with_all_gates_met():
    gates = [gate("satisfaction"), gate("closure", smallest=0), gate("critical"), gate("certificate")]
    told = shown(read(terms(gates=gates)))
    assert (len(told), min(told), max(told)) == (41, "0", "2")
    assert [told[share] for share in ("1.05", "1.1", "1.15", "1.2", "2")] == [
        "0.00",
        "60.00",
        "60.00",
        "150.00",
        "150.00",
    ]


def test_where_a_tier_begins_is_a_point_of_its_own():
    plan = read(terms(tiers=tiers(("1.033", "0.2"), ("2.5", "0.5"))))
    edges = [point for point in preview(plan, wage=Fraction(300), target=Fraction(100)) if point.is_edge]
    assert [(point.attainment, point.reached, str(point.amount)) for point in edges] == [
        (Fraction("1.033"), 1, "60.00")
    ]


def test_units_and_several_measures():
    by_units = read(terms(kind="whole_volume", edges="units", tiers=tiers(("100", "1"), ("110", "2"))))
    assert [shown(by_units)[share] for share in ("0.95", "1", "1.1", "2")] == ["0.00", "100.00", "220.00", "400.00"]
    both = [
        {"metric": "closed", "weight": "0.5", "is_ratio": False}, {"metric": "satisfaction", "weight": "0.5", "is_ratio": True}
    ]  # fmt: skip
    assert [shown(read(terms(measures=both)))[share] for share in ("0.2", "1.05", "1.1", "1.2")] == [
        "0.00", "0.00", "60.00", "150.00"
    ]  # fmt: skip


def test_without_a_target_there_is_nothing_to_show():
    with pytest.raises(ValueError, match="target above zero"):
        preview(read(terms()), wage=Fraction(300), target=Fraction(0))
