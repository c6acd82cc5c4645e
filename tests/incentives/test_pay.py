"""The worked examples, line by line. The numbers are those of the table they come from."""

from decimal import Decimal
from fractions import Fraction

import pytest

from incentives.plain.pay import Evidence, Facts, Sample, ahead, line
from incentives.plain.terms import read
from incentives.plain.totals import delta, total
from tests.incentives.plans import day, facts, gate, terms, tiers

P1 = read(terms())


def paid(plan, *args, **gates):
    return str(line(plan, facts(*args, **gates)).amount)


@pytest.mark.parametrize(
    ("volume", "amount"),
    [(109, "0.00"), (110, "60.00"), (115, "60.00"), (119, "60.00"), (120, "150.00"), (135, "150.00"), (0, "0.00")],
)
def test_tiers_of_the_brief(volume, amount):
    assert paid(P1, volume) == amount


def test_the_boundary_is_declared():
    passed = read(terms(boundary="passed"))
    assert [paid(passed, volume) for volume in (110, 111, 120, 121)] == ["0.00", "60.00", "60.00", "150.00"]


def test_tiers_added_up_are_another_plan():
    assert paid(read(terms(stacked=True)), 125) == "210.00"
    assert paid(P1, 125) == "150.00"


def test_needed_units_are_whole():
    assert [paid(P1, volume, day(83)) for volume in (91, 92, 99, 100)] == ["0.00", "60.00", "60.00", "150.00"]
    assert [(step.volume, step.more, str(step.amount)) for step in ahead(P1, facts(90, day(83)))] == [
        (92, 2, "60.00"), (100, 10, "150.00")
    ]  # fmt: skip


def test_a_gate_counts_cases_and_not_what_a_percentage_shows():
    short, met = (Evidence(Sample(good, 499)) for good in (449, 450))
    assert (paid(P1, 120, satisfaction=short), paid(P1, 120, satisfaction=met)) == ("0.00", "150.00")
    told = line(P1, facts(120, satisfaction=short)).gates[0]
    assert (told.sample.good, told.sample.all, told.needed, told.is_met) == (449, 499, 450, False)


def test_a_small_sample_falls_back_as_declared():
    few = Evidence(Sample(2, 3), rolling=Sample(93, 100), team=Sample(80, 100))
    outcomes = {
        name: paid(read(terms(gates=[gate("satisfaction", fallback=name)])), 112, satisfaction=few)
        for name in ("rolling", "team", "waive", "fail")
    }
    assert outcomes == {"rolling": "60.00", "team": "0.00", "waive": "60.00", "fail": "0.00"}


def test_leave_halves_target_and_base():
    assert paid(P1, 58, day(leave=240)) == "30.00"
    base_kept = read(terms(proration={**terms()["proration"], "leave": False}))
    assert paid(base_kept, 58, day(leave=240)) == "0.00"  # neither: 58 of 100


@pytest.mark.parametrize("cause", ["training", "coaching", "outage"])
def test_protected_time_lowers_the_target_alone(cause):
    assert paid(P1, 84, day(**{cause: 120})) == "60.00"
    assert paid(read(terms(proration={**terms()["proration"], cause: False})), 84, day(**{cause: 120})) == "0.00"


def test_ramp_and_overtime():
    assert paid(P1, 66, day(wage=240, ramp="0.6")) == "48.00"
    assert [paid(P1, volume, day(overtime=120)) for volume in (137, 138, 150)] == ["0.00", "60.00", "150.00"]


def test_a_week_of_days_is_not_a_week():
    volumes = (95, 112, 121, 90, 110)
    assert sum(line(P1, facts(volume)).amount for volume in volumes) == Decimal("270.00")
    weekly = read(terms(period="week"))
    told = line(weekly, facts(sum(volumes), *[day()] * 5))
    assert (told.attainment, str(told.amount)) == (Fraction("1.056"), "0.00")


def test_what_was_excluded_is_not_counted():
    assert paid(P1, 124 - 5) == "60.00"


@pytest.mark.parametrize("nothing", [day(0), day(planned=0), day(leave=480), day(ramp=0)])
def test_where_nothing_is_asked_nothing_is_paid(nothing):
    told = line(P1, facts(12, nothing))
    assert (told.is_eligible, told.attainment, str(told.amount)) == (False, None, "0.00")
    assert ahead(P1, facts(12, nothing)) == []


def test_rounding_is_declared():
    half_even, down = (read(terms(rounding={"unit": "0.01", "mode": mode})) for mode in ("half_even", "down"))
    outcomes = [paid(plan, 120, day(wage="200.25")) for plan in (P1, half_even, down)]
    assert outcomes == ["100.13", "100.12", "100.12"]
    assert paid(read(terms(rounding={"unit": "0.05", "mode": "half_up"})), 120, day(wage="200.25")) == "100.15"


def test_the_cap_acts_on_the_sum_of_rounded_lines():
    lost, carried = (
        read(terms(cap={"of": "monthly_base", "value": "0.25", "excess": excess})) for excess in ("lost", "carried")
    )
    lines = [line(P1, facts(120)).amount] * 11
    told = total(lines, lost.cap, lost.rounding, monthly_base=Fraction(6525))
    assert [str(each) for each in (told.earned, told.paid, told.lost, told.carried)] == [
        "1650.00",
        "1631.25",
        "18.75",
        "0",
    ]
    kept = total(lines, carried.cap, carried.rounding, monthly_base=Fraction(6525))
    assert (kept.paid, kept.carried) == (Decimal("1631.25"), Decimal("18.75"))
    later = total([], carried.cap, carried.rounding, monthly_base=Fraction(6525), carried=kept.carried)
    assert later.paid == Decimal("18.75")
    with pytest.raises(ValueError, match="monthly base"):
        total(lines, lost.cap, lost.rounding)


def test_a_later_fact_owes_the_difference():
    old, new = line(P1, facts(118)).amount, line(P1, facts(120)).amount
    assert (str(old), str(delta(old, new)), str(delta(new, old))) == ("60.00", "90.00", "-90.00")


# -- gates ---------------------------------------------------------------------------------------------------------------


def test_each_effect_of_a_gate():
    missed = Evidence(Sample(1, 10))
    plans = {
        effect: read(terms(gates=[gate("closure", effect=effect, factor="0.5" if effect == "factor" else None)]))
        for effect in ("zero", "demote", "factor", "hold")
    }
    assert {effect: paid(plan, 120, closure=missed) for effect, plan in plans.items()} == {
        "zero": "0.00", "demote": "60.00", "factor": "75.00", "hold": "0.00"
    }  # fmt: skip
    assert paid(plans["demote"], 110, closure=missed) == "0.00"
    open_still = line(plans["hold"], facts(120, closure=Evidence(Sample(9, 10), is_final=False)))
    assert (str(open_still.amount), str(open_still.withheld)) == ("0.00", "150.00")
    assert paid(plans["hold"], 120, closure=Evidence(Sample(9, 10))) == "150.00"


def test_gates_that_are_met_or_not():
    plan = read(terms(gates=[gate("critical"), gate("certificate")]))
    valid, failed = Evidence(Sample(1, 1)), Evidence(Sample(1, 4))
    assert paid(plan, 120, certificate=valid) == "150.00"
    assert paid(plan, 120, certificate=valid, critical=failed) == "0.00"
    assert paid(plan, 120) == "0.00"  # nobody has shown a certificate


def test_each_missed_qualifier_takes_a_tier():
    ladder = read(terms(gates=[gate("satisfaction", effect="demote"), gate("closure", effect="demote")]))
    missed = Evidence(Sample(1, 10))
    assert [paid(ladder, 120), paid(ladder, 120, closure=missed)] == ["150.00", "60.00"]
    assert paid(ladder, 120, closure=missed, satisfaction=missed) == "0.00"


# -- other kinds of tiers --------------------------------------------------------------------------------------------------

SALES = {"January": (200, 300, 1500), "February": (1200, 2000), "March": (4500,)}
BANDS = tiers(("0", "0.01"), ("1000", "0.02"), ("3000", "0.03"), ("8000", "0.05"))


def by_units(kind, bands=BANDS):
    return read(terms(kind=kind, edges="units", tiers=bands, gates=[]))


def summed(plan, how):
    every = [amount for month in SALES.values() for amount in month]
    volumes = {"item": every, "month": map(sum, SALES.values()), "all": [sum(every)]}[how]
    return sum(line(plan, facts(volume)).amount for volume in volumes)


def test_the_same_sales_six_answers():
    marginal, whole = by_units("marginal"), by_units("whole_volume")
    assert [summed(marginal, how) for how in ("item", "month", "all")] == [164, 181, 285]
    assert [summed(whole, how) for how in ("item", "all")] == [234, 485]
    amounts = read(
        terms(
            kind="interpolated",
            edges="units",
            gates=[],
            tiers=tiers(("0", "0"), ("1000", "10"), ("3000", "50"), ("8000", "150")),
        )
    )
    every = [amount for month in SALES.values() for amount in month]
    assert sum(line(amounts, facts(volume, day(wage=1))).amount for volume in every) == 149


def test_between_two_knots():
    plan = read(terms(kind="interpolated"))
    assert [paid(plan, volume) for volume in (109, 110, 115, 120, 125)] == [
        "0.00",
        "60.00",
        "105.00",
        "150.00",
        "150.00",
    ]


def test_units_by_attainment():
    plan = read(terms(kind="marginal", tiers=tiers(("1", "1.50"), ("1.2", "2"))))
    assert [paid(plan, volume) for volume in (100, 110, 120, 125)] == ["0.00", "15.00", "30.00", "40.00"]


def test_several_measures_by_weight():
    measures = [
        {"metric": "closed", "weight": "0.7", "is_ratio": False}, {"metric": "satisfaction", "weight": "0.3", "is_ratio": True}
    ]  # fmt: skip
    plan = read(terms(measures=measures, gates=[]))
    whole = day()
    both = type(whole)(whole.wage, (Fraction(100), Fraction("0.9")), whole.planned, leave=Fraction(240))
    told = line(plan, Facts((Fraction(60), Fraction("0.9")), (both,)))
    assert told.targets == (50, Fraction("0.9"))  # a ratio is no workload
    assert told.attainment == Fraction("0.7") * Fraction(60, 50) + Fraction("0.3")
    assert str(told.amount) == "30.00"
    (further,) = ahead(plan, Facts((Fraction(60), Fraction("0.9")), (both,)))
    assert (further.more, str(further.amount)) == (5, "75.00")
    with pytest.raises(ValueError, match="each measure"):
        line(plan, facts(60))


def test_ten_more_and_it_is_sixty():
    assert [(step.more, str(step.amount)) for step in ahead(P1, facts(100))] == [(10, "60.00"), (20, "150.00")]
    assert [(step.more, str(step.amount)) for step in ahead(P1, facts(112))] == [(8, "150.00")]
    assert ahead(P1, facts(120)) == []
    passed = read(terms(boundary="passed"))
    assert [step.volume for step in ahead(passed, facts(100))] == [111, 121]
