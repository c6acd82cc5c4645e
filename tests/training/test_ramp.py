"""The gate between stages: what opens it, what is missing and by how much, and who signs."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

import pytest

from training.plain.ramp import (
    DEFAULT,
    Evidence,
    Gate,
    Review,
    Stage,
    Verdict,
    check,
    not_extended,
    unsigned,
    verdict,
)

TODAY = date(2026, 11, 27)
MIXED = DEFAULT[3].gate
GOOD = Review(Fraction(9, 10))
ENOUGH = Evidence(
    days=5,
    passes=10,
    reviews=(GOOD,) * 10,
    satisfied=19,
    rated=20,
    handle_seconds=Fraction(360),
    tenured_seconds=Fraction(300),
    certificates={"security": date(2026, 11, 28)},
)


def test_the_default_plan_stands_by_its_rules():
    check(DEFAULT)
    assert [(step.stage, step.target) for step in DEFAULT] == [
        (Stage.SHADOW, 0),
        (Stage.SIMULATED, Fraction(1, 4)),
        (Stage.ASSISTED_SIMPLE, Fraction(1, 2)),
        (Stage.ASSISTED_MIXED, Fraction(3, 4)),
        (Stage.INDEPENDENT, 1),
    ]


def changed(place, **more):
    return (*DEFAULT[:place], replace(DEFAULT[place], **more), *DEFAULT[place + 1 :])


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        (DEFAULT[:4], "each of the five stages"),
        (changed(1, gate=None), "“Simulated tickets”: each stage but the last has a gate"),
        (changed(4, gate=Gate()), "each stage but the last"),
        (changed(2, target=Fraction(1, 8)), "grows from stage to stage"),
        (changed(4, target=Fraction(9, 10)), "has the whole target"),
        (changed(2, reviewed=Fraction(2)), "shares from 0 to 1"),
        (changed(2, mix={"simple": Fraction(1, 2)}), "add up to 1"),
        (changed(1, mix={"simple": Fraction(1)}), "no live contacts yet"),
        (changed(2, gate=Gate(quality=Fraction(8, 10))), "over how many reviews"),
    ],
)
def test_plans_that_are_refused(steps, said):
    with pytest.raises(ValueError, match=said):
        check(steps)


@pytest.mark.parametrize(
    "steps",
    [
        changed(2, reviewed=Fraction(1)),
        changed(3, target=Fraction(1, 2)),  # no less than the stage before
        changed(2, mix={"simple": Fraction(1), "complex": Fraction(0)}),
        changed(2, gate=Gate(quality=Fraction(8, 10), reviews=1)),
    ],
)
def test_plans_at_their_limits(steps):
    check(steps)


def test_the_gate_opens_on_all_of_it_at_its_very_limits():
    assert verdict(MIXED, ENOUGH, TODAY) == Verdict(()) and verdict(MIXED, ENOUGH, TODAY).is_open
    just = (GOOD,) * 5 + (Review(Fraction(8, 10)),) * 5
    assert verdict(MIXED, replace(ENOUGH, reviews=just), TODAY).is_open
    assert verdict(Gate(), Evidence(), TODAY).is_open


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"days": 4}, "days", "1 more working day in this stage, of 5."),
        ({"passes": 7}, "passes", "3 more simulated tickets to pass, of 10."),
        (
            {"reviews": (GOOD,) * 8},
            "reviews",
            "2 more reviews, of 10: with fewer, quality says too little.",
        ),
        (
            {"reviews": (GOOD,) * 9 + (Review(Fraction(37, 100)),)},
            "quality",
            "Quality is 84.7 % of 85 %: 0.3 % are missing.",
        ),
        (
            {"reviews": (GOOD,) * 6 + (Review(Fraction(9, 10), is_critical=True),) + (GOOD,) * 3},
            "critical",
            "2 more reviews in a row without a critical failure, of 5.",
        ),
        (
            {"satisfied": 18},
            "satisfaction",
            "18 of 20 were satisfied, which makes at least 69.8… % certain; 75 % are asked for.",
        ),
        ({"satisfied": 0, "rated": 0}, "satisfaction", "No customer has rated a contact yet."),
        (
            {"handle_seconds": Fraction(721, 2)},
            "handle",
            "A contact takes 360… s, at most 360 (120 % of tenured agents): 0.5 s too long.",
        ),
        (
            {"tenured_seconds": None},
            "handle",
            "There is no handle time to compare with that of tenured agents yet.",
        ),
        ({"certificates": {}}, "certificate", "The certificate “security” has not been signed."),
        (
            {"certificates": {"security": TODAY}},
            "certificate",
            "The certificate “security” has ended on 2026-11-27; renew it.",
        ),
    ],
)
def test_what_is_missing_and_by_how_much(more, code, words):
    (missing,) = verdict(MIXED, replace(ENOUGH, **more), TODAY).missing
    assert (missing.code, missing.words) == (code, words)


def test_satisfaction_needs_enough_who_say_so():
    """95 % of 20 are enough for 75 %, and nine of nine are not: few ratings are no proof."""
    gate = Gate(satisfaction=Fraction(3, 4))
    assert verdict(gate, replace(ENOUGH, satisfied=19, rated=20), TODAY).is_open
    assert not verdict(gate, replace(ENOUGH, satisfied=9, rated=9), TODAY).is_open


def test_a_new_learner_is_told_everything_that_is_missing():
    found = verdict(MIXED, Evidence(), TODAY)
    assert [each.code for each in found.missing] == [
        "days", "passes", "reviews", "critical", "satisfaction", "handle", "certificate",
    ]  # fmt: skip


OPEN, SHUT = Verdict(()), verdict(Gate(passes=2), Evidence(), TODAY)


@pytest.mark.parametrize(
    ("found", "trainer", "reviewer", "said"),
    [
        (OPEN, 2, 3, ""),
        (OPEN, 2, None, "A trainer and a reviewer have to sign."),
        (OPEN, 2, 2, "two people"),
        (OPEN, 1, 2, "Nobody signs the own stage"),
        (OPEN, 2, 1, "Nobody signs the own stage"),
        (SHUT, 2, 3, "The gate is shut: 2 more simulated tickets to pass, of 2."),
    ],
)
def test_a_trainer_and_a_reviewer_sign_and_neither_is_the_learner(found, trainer, reviewer, said):
    told = unsigned(found, 1, trainer, reviewer)
    assert said in told and bool(said) == bool(told)


def test_a_stage_is_extended_twice_and_with_a_reason():
    assert not_extended(1, "more practice with returns") == ""
    assert not_extended(0, " ").startswith("Say why the stage is extended")
    assert not_extended(2, "once more").startswith("The stage was extended 2 times already")
