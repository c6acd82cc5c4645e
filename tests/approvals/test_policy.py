"""Policies as plain values: which rule decides, and what is refused when it is written."""

from decimal import Decimal

import pytest

from approvals.kinds import Fact
from approvals.plain.policy import Plan, plan, read
from approvals.plain.worktime import ALWAYS

FACTS = (
    Fact("minutes", "minutes"),
    Fact("reason", "reason", is_number=False),
    Fact("permanent", "permanent", is_number=False),
)
STEP = {"mode": "any", "source": {"is": "grant", "grant": "LEAD"}}
LAST = {"outcome": "steps", "steps": [STEP]}


def rule(**more):
    return {"outcome": "approve", **more}


def decided(values, *rules):
    return read({"rules": list(rules), "otherwise": LAST}, FACTS).matching(values)


@pytest.mark.parametrize(
    ("comparison", "value", "measured", "holds"),
    [
        ("at_most", 15, 15, True), ("at_most", 15, 16, False), ("at_most", "15.5", Decimal("15.5"), True),
        ("at_least", 15, 15, True), ("at_least", 15, 14, False), ("below", 15, 15, False), ("below", 15, 14, True),
        ("above", 15, 15, False), ("above", 15, 16, True), ("is", 15, Decimal("15.0"), True), ("is", 15, 16, False),
        ("is_not", 15, 16, True), ("is_not", 15, 15, False), ("among", [1, 15], 15, True), ("among", [1, 2], 15, False),
        ("at_most", 15, None, False), ("is_not", 15, None, False),
    ],
)  # fmt: skip
def test_comparisons_of_numbers(comparison, value, measured, holds):
    found = decided({"minutes": measured}, rule(when=[{"fact": "minutes", "is": comparison, "value": value}]))
    assert (found.outcome == "approve") is holds


def test_words_and_yes_and_no():
    by_word = rule(when=[{"fact": "reason", "is": "among", "value": ["meal", "rest"]}])
    assert decided({"reason": "meal"}, by_word).outcome == "approve"
    assert decided({"reason": "meeting"}, by_word).outcome == "steps"
    by_yes = rule(when=[{"fact": "permanent", "is": "is", "value": True}])
    assert decided({"permanent": True}, by_yes).outcome == "approve"
    assert decided({"permanent": False}, by_yes).outcome == "steps"


def test_all_conditions_of_a_rule_and_the_first_rule_that_holds():
    both = rule(
        name="both",
        when=[{"fact": "minutes", "is": "at_most", "value": 15}, {"fact": "reason", "is": "is", "value": "rest"}],
    )
    second = {
        "name": "second",
        "outcome": "deny",
        "reason": "no",
        "when": [{"fact": "minutes", "is": "at_most", "value": 15}],
    }
    assert decided({"minutes": 10, "reason": "rest"}, both, second).name == "both"
    assert decided({"minutes": 10, "reason": "meal"}, both, second).name == "second"
    assert decided({"minutes": 20, "reason": "rest"}, both, second).outcome == "steps"
    assert decided({"minutes": 20}, rule(when=[])).outcome == "approve"


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({}, "otherwise"),
        ({"otherwise": {"outcome": "maybe"}}, "approve, deny, steps"),
        ({"otherwise": {"outcome": "steps"}}, "one to 5 steps"),
        ({"otherwise": {"outcome": "deny"}}, "why it is denied"),
        ({"otherwise": {"outcome": "approve", "steps": [STEP]}}, "has no steps"),
        ({"otherwise": LAST, "extra": 1}, "extra"),
        ({"otherwise": LAST, "rules": [rule(when=[{"fact": "age", "is": "is", "value": 1}])]}, "rule 1 .*age"),
        ({"otherwise": LAST, "rules": [rule(), rule(when=[{"fact": "minutes", "is": "like", "value": 1}])]}, "rule 2"),
        ({"otherwise": LAST, "rules": [rule(when=[{"fact": "minutes", "is": "at_most", "value": "x"}])]}, "number"),
        ({"otherwise": LAST, "rules": [rule(when=[{"fact": "reason", "is": "at_most", "value": 1}])]}, "is a word"),
        (
            {"otherwise": LAST, "rules": [rule(when=[{"fact": "reason", "is": "among", "value": "x"}])]},
            "list of values",
        ),
        ({"otherwise": LAST, "rules": [rule()] * 21}, "at most 20"),
        (
            {"otherwise": {"outcome": "steps", "steps": [{"mode": "some", "source": STEP["source"]}]}},
            "any, all or a quorum",
        ),
        (
            {"otherwise": {"outcome": "steps", "steps": [{"mode": "quorum", "needed": 0, "source": STEP["source"]}]}},
            "1 to 20",
        ),
        ({"otherwise": {"outcome": "steps", "steps": [{"mode": "any"}]}}, "name and value"),
        ({"otherwise": {"outcome": "steps", "steps": [{"source": {"is": "grant", "grant": "KING"}}]}}, "name a grant"),
        ({"otherwise": {"outcome": "steps", "steps": [{"source": {"is": "lead_above"}}]}}, "level"),
        ({"otherwise": LAST, "clock": {"remind": 0}}, "remind"),
        ({"otherwise": LAST, "clock": {"at_expiry": "explode"}}, "deny, approve, hold"),
        ({"otherwise": LAST, "timetable": {"zone": "UTC"}}, "a zone and a week"),
    ],
)
def test_a_bad_policy_is_refused_with_its_rule(made, words):
    with pytest.raises(ValueError, match=words):
        read(made, FACTS)


def test_a_step_that_names_no_fallback_falls_back_to_the_lead_above():
    step = read({"otherwise": LAST}).otherwise.steps[0]
    assert (step.fallback.kind, step.fallback.level) == ("lead_above", 1)


def test_a_plan_comes_back_from_what_is_kept():
    definition = read({"otherwise": LAST, "clock": {"remind": 10, "expire": 60, "at_expiry": "deny"}}, FACTS)
    made = plan(definition, {"minutes": Decimal("7.5"), "reason": "rest"})
    kept = Plan.from_json(made.as_json())
    assert (kept.steps, kept.clock, kept.hours) == (made.steps, made.clock, ALWAYS)
    assert kept.measured == {"minutes": "7.5", "reason": "rest"}
