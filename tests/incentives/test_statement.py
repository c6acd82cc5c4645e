"""A statement prints each step of a line with the numbers of the examples."""

from fractions import Fraction

import pytest

from incentives.plain.pay import Day, Evidence, Facts, Sample, line
from incentives.plain.statement import percent, shown, told
from incentives.plain.terms import read
from tests.incentives.plans import MET, day, facts, gate, terms, tiers

NAMES = {"closed": "Contacts closed", "merged": "merged", "satisfaction": "Satisfaction"}


def steps(given, **more):
    plan = read(terms(**more))
    return {step.name: "\n".join(step.words) for step in told(plan, given, line(plan, given), NAMES)}


def test_a_plain_day_in_the_order_of_the_calculation():
    found = steps(facts(120))
    assert list(found) == ["Counted", "Target", "Attainment", "Tier", "Base", "Amount", "Gates", "Rounding"]
    assert found["Counted"] == "Contacts closed: 120"
    assert found["Target"] == "Contacts closed: 100"
    assert found["Attainment"] == "120 ÷ 100 = 120 %"
    assert found["Tier"] == "Tier 2 of 2, from 120 % on"
    assert found["Base"] == "300"
    assert found["Amount"] == "300 × 50 % = 150"
    assert found["Gates"].splitlines()[0] == "Satisfaction: 95 of 100, 90 % needs 90; met"
    assert found["Rounding"] == "half up to 0.01: 150.00 CNY"


def test_what_was_left_out_is_named():
    given = Facts((Fraction(119),), (day(),), MET, {"merged": Fraction(5)})
    assert steps(given)["Counted"] == "Contacts closed: 124 less 5 (merged): 119"


def test_no_number_is_shown_rounded_up():
    assert steps(facts(91, day(83)))["Attainment"] == "91 ÷ 83 = 109.6385… %"
    assert (shown(Fraction(1, 3)), shown(Fraction(-2, 3)), shown(Fraction(5, 2))) == ("0.3333…", "-0.6666…", "2.5")
    assert percent(Fraction(449, 499)) == "89.9799… %"


@pytest.mark.parametrize(
    ("given", "target", "base"),
    [
        (facts(58, day(leave=240)), "100, 480 min planned, − 240 min of leave: 50", "300 × 240 ÷ 480 = 150"),
        (facts(84, day(training=120)), "100, 480 min planned, − 120 min of protected training: 75", "300"),
        (facts(66, day(wage=240, ramp="0.6")), "100, 60 % asked while learning: 60", "240"),
        (facts(99, day(overtime=60)), "100, 480 min planned, + 60 min of overtime: 112.5", "300"),
        (facts(99, day(outage=30)), "100, 480 min planned, − 30 min of outage: 93.75", "300"),
        (facts(428, day(), day(), day(), day()), "400", "300 + 300 + 300 + 300 = 1200"),
    ],
)  # fmt: skip
def test_target_and_base_say_what_moved_them(given, target, base):
    found = steps(given)
    assert found["Target"] == f"Contacts closed: {target}"
    assert found["Base"] == base


def test_many_days_are_counted_instead_of_listed():
    assert steps(facts(800, *[day()] * 8))["Base"] == "8 days: 2400"


def test_who_was_asked_for_nothing_reads_why():
    found = steps(facts(12, day(target=0)))
    assert list(found) == ["Counted", "Target", "Attainment"]
    assert found["Attainment"] == "Nothing was asked, so there is nothing to be over: 0 is paid."


@pytest.mark.parametrize(
    ("evidence", "more", "words"),
    [
        (Evidence(Sample(449, 499)), {}, "449 of 499, 90 % needs 450; not met, nothing is paid"),
        (Evidence(Sample(450, 499)), {}, "450 of 499, 90 % needs 450; met"),
        (Evidence(Sample(2, 3), rolling=Sample(93, 100)), {}, "93 of 100 in 28 days, 90 % needs 90; met"),
        (
            Evidence(Sample(2, 3), team=Sample(9, 20)), {"fallback": "team"},
            "9 of 20 in the team, 90 % needs 18; not met, nothing is paid",
        ),
        (Evidence(Sample(2, 3)), {"fallback": "waive"}, "3 cases, fewer than 5: passed over; met"),
        (Evidence(), {"fallback": "fail"}, "0 cases, fewer than 5, and nothing stands in for them; not met, nothing is paid"),
        (Evidence(Sample(1, 9)), {"effect": "demote"}, "1 of 9, 90 % needs 9; not met, one tier less"),
        (Evidence(Sample(1, 9)), {"effect": "factor", "factor": "0.5"}, "1 of 9, 90 % needs 9; not met, × 0.5"),
        (
            Evidence(Sample(1, 9), is_final=False), {"effect": "hold"},
            "1 of 9, 90 % needs 9; not met; decided when the data is final",
        ),
    ],
)  # fmt: skip
def test_gates_show_counts_and_not_shares(evidence, more, words):
    found = steps(facts(120, satisfaction=evidence), gates=[gate("satisfaction", **more)])
    assert found["Gates"] == f"Satisfaction: {words}"


def test_gates_that_are_met_or_not():
    gates = [gate("critical"), gate("certificate")]
    found = steps(facts(120, critical=Evidence(Sample(1, 20)), certificate=Evidence(Sample(1, 1))), gates=gates)
    assert found["Gates"].splitlines() == [
        "Critical failures of quality: 1; not met, nothing is paid", "Security certificate: valid; met",
    ]  # fmt: skip


def test_tiers_below_above_and_taken_off():
    assert steps(facts(100))["Tier"] == "No tier: the first begins at 110 %"
    assert steps(facts(110), boundary="passed")["Tier"] == "No tier: the first begins above 110 %"
    assert steps(facts(115), boundary="passed")["Tier"] == "Tier 1 of 2, above 110 %"
    one = [gate("satisfaction", effect="demote")]
    missed = Evidence(Sample(1, 9))
    found = steps(facts(120, satisfaction=missed), gates=one)
    assert found["Tier"] == "Tier 2 of 2, from 120 % on; a gate takes 1 off: tier 1 counts"
    assert found["Amount"] == "300 × 20 % = 60"
    found = steps(facts(110, satisfaction=missed), gates=one)
    assert found["Tier"] == "Tier 1 of 2, from 110 % on; a gate takes 1 off: none counts"


def test_units_are_paid_by_their_own_tier_or_all_by_the_last():
    by_units = {"edges": "units", "tiers": tiers(("0", "1"), ("1000", "2"))}
    found = steps(facts(1500), kind="marginal", **by_units)
    assert (found["Amount"], "Base" in found) == ("1000 × 1 + 500 × 2 = 2000", False)
    assert steps(facts(1500), kind="whole_volume", **by_units)["Amount"] == "1500 × 2 = 3000"
    assert steps(facts(90), kind="marginal", **{**by_units, "tiers": tiers(("100", "1"))})["Amount"] == "0"


def test_several_measures_by_their_weights():
    both = [
        {"metric": "closed", "weight": "0.5", "is_ratio": False}, {"metric": "satisfaction", "weight": "0.5", "is_ratio": True}
    ]  # fmt: skip
    given = Facts(
        (Fraction(110), Fraction("0.99")), (Day(Fraction(300), (Fraction(100), Fraction("0.9")), Fraction(480)),), MET
    )
    found = steps(given, measures=both)
    assert found["Counted"] == "Contacts closed: 110\nSatisfaction: 99 %"
    assert found["Attainment"] == "0.5 × (110 ÷ 100) + 0.5 × (99 % ÷ 90 %) = 110 %"


def test_what_is_withheld_is_told_beside_what_is_paid():
    held = Evidence(Sample(95, 100), is_final=False)
    found = steps(facts(120, satisfaction=held), gates=[gate("satisfaction", effect="hold")])
    assert found["Rounding"] == "half up to 0.01: 0.00 CNY\n150.00 CNY waits until the data is final"
