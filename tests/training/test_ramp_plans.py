"""Ramps that are read, written and read again, and those that are refused."""

import copy
import json
from fractions import Fraction

import pytest

from training.plain.ramp import DEFAULT
from training.plain.ramp_plans import GATE, STEP, read, written


def changed(place, **more):
    made = copy.deepcopy(written(DEFAULT))
    made[place] |= more
    return made


def with_gate(**more):
    made = copy.deepcopy(written(DEFAULT))
    made[3]["gate"] |= more
    return made


def test_the_default_plan_is_plain_json_and_reads_as_itself():
    assert read(json.loads(json.dumps(written(DEFAULT)))) == DEFAULT
    assert read(with_gate(quality=None, handle="1.35"))[3].gate.handle == Fraction(27, 20)


@pytest.mark.parametrize("name", STEP)
def test_nothing_is_assumed_of_a_stage(name):
    made = written(DEFAULT)
    del made[2][name]
    with pytest.raises(ValueError, match=f"In stage 3 choose “{name}”: nothing is assumed"):
        read(made)


@pytest.mark.parametrize("name", GATE)
def test_nothing_is_assumed_of_a_gate(name):
    made = written(DEFAULT)
    del made[2]["gate"][name]
    with pytest.raises(ValueError, match=f"In the gate of stage 3 choose “{name}”: nothing is assumed"):
        read(made)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "Of stages there have to be 5 to 5"),
        (changed(0, stage="shadows"), "“stage” has to be one of: shadow"),
        (written(DEFAULT)[::-1], "each of the five stages, in their order"),
        (changed(2, target="50"), "In stage 3 “target” is a share from 0 to 1"),
        (changed(2, target=0.5), "“target” as a number in text"),
        (changed(2, mix=["simple"]), "a share for each kind of contact"),
        (changed(2, mix={"simple": "0.9"}), "add up to 1"),
        (changed(2, gate=None), "each stage but the last has a gate"),
        (with_gate(days=-1), "“days” has to be a whole number from 0 to 60"),
        (with_gate(handle="120"), "a multiple of that of tenured agents"),
        (with_gate(certificates="security"), "a list of names"),
        (with_gate(reviews=0), "over how many reviews"),
    ],
)
def test_plans_that_are_refused(made, said):
    with pytest.raises(ValueError, match=said):
        read(made)


def test_a_share_without_an_end_is_not_written():
    with pytest.raises(ValueError, match="1/3 has no end"):
        written([DEFAULT[2].__class__(DEFAULT[2].stage, Fraction(1, 3), {}, Fraction(0), None)])
