"""What holds of every plan: two calculators written apart agree, more never pays less, order and rounding change no sum."""

import random
from collections import Counter
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incentives.plain import reference
from incentives.plain.pay import Day, Evidence, Facts, Sample, ahead, line
from incentives.plain.terms import CAUSES, GATES, Terms, read
from incentives.plain.totals import delta, total
from tests.incentives.plans import gate, terms, tiers

PLANS = 10_000
SEED = 20261127


def made_up_terms(dice: random.Random) -> dict[str, Any]:
    """Terms of any kind, with edges and rates that meet volumes and targets exactly now and then."""
    several = dice.random() < 0.2
    kind = dice.choice(["step", "interpolated"] if several else ["step", "interpolated", "marginal", "whole_volume"])
    by_units = not several and dice.random() < 0.3
    edges = sorted(dice.sample(range(0, 200, 5), dice.randint(1, 5)))
    starts = [str(edge) if by_units else str(Decimal(edge) / 100) for edge in edges]
    weights = ["0.7", "0.3"] if several else ["1"]
    effects = [dice.choice(["zero", "demote", "factor", "hold"]) for _gate in GATES]
    chosen = dice.sample(GATES, dice.randint(0, len(GATES)))
    return terms(
        measures=[
            {"metric": f"figure{place}", "weight": weight, "is_ratio": place == 1}
            for place, weight in enumerate(weights)
        ],
        kind=kind,
        edges="units" if by_units else "attainment",
        boundary=dice.choice(["reached", "passed"]),
        stacked=kind == "step" and dice.random() < 0.3,
        tiers=tiers(*((start, str(Decimal(dice.randint(0, 100)) / 100)) for start in starts)),
        gates=[
            gate(
                of,
                at_least=dice.choice(["0.9", "0.85", "1"]),
                smallest=dice.randint(0, 6),
                fallback=dice.choice(["rolling", "team", "waive", "fail"]),
                effect=effect,
                factor="0.5" if effect == "factor" else None,
            )
            for of, effect in zip(chosen, effects, strict=False)
        ],
        proration={cause: dice.random() < 0.7 for cause in CAUSES},
        rounding={
            "unit": dice.choice(["0.01", "0.05", "1"]),
            "mode": dice.choice(["half_up", "half_even", "down"]),
        },
    )


def made_up_facts(dice: random.Random, measures: int) -> dict[str, Any]:
    def sample() -> list[int] | None:
        rated = dice.randint(0, 12)
        return [dice.randint(0, rated), rated] if dice.random() < 0.8 else None

    def minutes() -> int:
        return dice.choice([0, 0, 0, 30, 120, 240, 480])

    return {
        "volumes": [str(Fraction(dice.randint(0, 800), 4)), "0.9"][:measures],
        "days": [
            {
                "wage": str(Decimal(dice.randint(0, 50_000)) / 100),
                "targets": [str(dice.choice([0, 20, 50, 83, 100])), "0.9"][:measures],
                "planned": dice.choice([0, 480, 480, 480, 300]),
                "leave": minutes(), "training": minutes(), "coaching": minutes(), "outage": minutes(), "overtime": minutes(),
                "ramp": dice.choice(["1", "1", "0.6", "0"]),
            }
            for _day in range(dice.randint(1, 4))
        ],
        "gates": {
            of: {"own": sample(), "rolling": sample(), "team": sample(), "is_final": dice.random() < 0.8}
            for of in GATES
            if dice.random() < 0.9
        },
        "waived": [of for of in GATES if dice.random() < 0.1],
    }  # fmt: skip


def as_facts(made: dict[str, Any]) -> Facts:
    def number(value: Any) -> Fraction:
        return Fraction(value)

    def sample(pair: list[int] | None) -> Sample | None:
        return Sample(*pair) if pair else None

    days = tuple(
        Day(**{name: tuple(map(number, value)) if name == "targets" else number(value) for name, value in day.items()})
        for day in made["days"]
    )
    gates = {
        of: Evidence(sample(told["own"]), sample(told["rolling"]), sample(told["team"]), told["is_final"])
        for of, told in made["gates"].items()
    }
    waived = frozenset(made.get("waived", ()))
    return Facts(tuple(map(number, made["volumes"])), days, gates, waived=waived)


def test_two_calculators_agree_on_ten_thousand_plans() -> None:
    met: Counter[str] = Counter()
    for number in range(PLANS):
        dice = random.Random(f"{SEED}/{number}")
        made = made_up_terms(dice)
        facts = made_up_facts(dice, len(made["measures"]))
        told = line(read(made), as_facts(facts))
        assert (told.amount, told.withheld) == reference.amount(made, facts), f"plan {number}: {made} {facts}"
        met[made["kind"] if told.amount else "nothing"] += 1
        met["held"] += bool(told.withheld)
        met["demoted"] += bool(told.demoted)
    assert min(met.values()) > 50, met  # the plans are such that each happens


dozens = st.integers(0, 40).map(lambda quarter: Fraction(quarter * 5))


@st.composite
def monotone(draw: Any) -> tuple[Terms, Day]:
    """A plan whose rates never fall, and a day to be paid by it."""
    kind = draw(st.sampled_from(["step", "interpolated", "whole_volume", "marginal"]))
    edges = sorted(draw(st.sets(st.integers(0, 40), min_size=1, max_size=5)))
    pays = sorted(draw(st.lists(st.integers(0, 100), min_size=len(edges), max_size=len(edges))))
    steps = [(str(Decimal(edge) / 20), str(Decimal(much) / 100)) for edge, much in zip(edges, pays, strict=True)]
    made = terms(kind=kind, gates=[], tiers=tiers(*steps), boundary=draw(st.sampled_from(["reached", "passed"])))
    leave, training = draw(st.sampled_from([0, 60, 240])), draw(st.sampled_from([0, 45, 120]))
    return read(made), Day(
        Fraction(300), (Fraction(100),), Fraction(480), leave=Fraction(leave), training=Fraction(training)
    )


@given(monotone(), dozens, dozens)
def test_more_never_pays_less(plan: tuple[Terms, Day], one: Fraction, other: Fraction) -> None:
    less, more = (line(plan[0], Facts((volume,), (plan[1],))).amount for volume in sorted((one, other)))
    assert less <= more


@given(monotone(), dozens)
def test_what_is_ahead_is_paid_when_it_is_reached(plan: tuple[Terms, Day], volume: Fraction) -> None:
    made, day = plan
    for step in ahead(made, Facts((volume,), (day,))):
        there = line(made, Facts((Fraction(step.volume),), (day,)))
        before = line(made, Facts((Fraction(step.volume - 1),), (day,)))
        assert (there.amount, there.reached >= step.place) == (step.amount, True)
        assert before.reached < step.place


@given(st.lists(st.tuples(dozens, st.sampled_from([300, 267])), min_size=1, max_size=12), st.randoms())
def test_order_changes_no_sum_and_run_and_delta_are_the_run_anew(days: list[Any], dice: random.Random) -> None:
    plan = read(terms(gates=[]))

    def run(rows: list[Any]) -> list[Decimal]:
        return [
            line(plan, Facts((volume,), (Day(Fraction(wage), (Fraction(100),), Fraction(480)),))).amount
            for volume, wage in rows
        ]

    shuffled = days.copy()
    dice.shuffle(shuffled)
    first = run(days)
    assert (
        total(first, plan.cap, plan.rounding).paid == total(run(shuffled), plan.cap, plan.rounding).paid == sum(first)
    )
    later = [(volume + 10, wage) for volume, wage in days]
    owed = [delta(old, new) for old, new in zip(first, run(later), strict=True)]
    assert sum(first) + sum(owed) == sum(run(later))


def test_the_reference_shares_no_code() -> None:
    names = {
        name for name, value in vars(reference).items() if getattr(value, "__module__", "").startswith("incentives")
    }
    assert {getattr(vars(reference)[name], "__module__", "") for name in names} == {"incentives.plain.reference"}


@pytest.mark.parametrize("change", ["boundary", "mode"])
def test_the_comparison_can_fail(change: str) -> None:
    made = terms(gates=[], rounding={"unit": "0.01", "mode": "half_up"})
    day = {"wage": "200.25", "targets": ["100"], "planned": 480, "ramp": "1", **dict.fromkeys(CAUSES[:5], 0)}
    facts = {"volumes": ["110" if change == "boundary" else "120"], "days": [day], "gates": {}}
    other = (
        {**made, "boundary": "passed"}
        if change == "boundary"
        else {**made, "rounding": {"unit": "0.01", "mode": "down"}}
    )
    assert reference.amount(other, facts)[0] != line(read(made), as_facts(facts)).amount
