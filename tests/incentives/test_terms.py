"""Plans that are refused, each with a sentence that says where and what to do."""

import copy

import pytest

from incentives.plain.terms import CHOICES, read, text
from tests.incentives.plans import gate, terms, tiers


def refusal(**more):
    with pytest.raises(ValueError) as told:
        read(terms(**more))
    return str(told.value)


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_nothing_is_assumed(name):
    made = terms()
    del made[name]
    with pytest.raises(ValueError, match=f"“{name}”: nothing is assumed"):
        read(made)


def test_a_gap_an_overlap_and_disorder_are_refused_by_their_edges():
    def two(end, start):
        return [{"from": "0", "to": end, "pays": "0.1"}, {"from": start, "to": None, "pays": "0.2"}]

    assert refusal(tiers=two("1000", "1001")) == (
        "Between 1000 and 1001 no tier says what is paid; begin tier 2 at 1000."
    )
    assert refusal(tiers=two("1000", "999")) == "Tier 2 begins at 999, within tier 1; begin it at 1000."
    assert refusal(tiers=tiers(("1.2", "0.5"), ("1.1", "0.2"))).startswith("In tier 1 the end is not above")
    assert "sort the tiers upwards" in refusal(tiers=two("5", "0"))


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ([], "Of tiers there have to be 1 to 20"),
        ([{"from": "1", "to": "2", "pays": "1"}], "last tier has to be open"),
        ([{"from": "1", "to": None, "pays": "1"}] * 2, "only the last tier is open"),
        (tiers(("-1", "0.1")), "below zero"),
        (tiers(("1", "-0.1")), "below zero"),
        ([{"from": 1.1, "to": None, "pays": "1"}], "write numbers as text"),
        ([{"from": "1e9999", "to": None, "pays": "1"}], "write numbers as text"),
        ([{"from": "NaN", "to": None, "pays": "1"}], "write numbers as text"),
        ([{"from": "1", "pays": "1"}], "“to”: nothing is assumed"),
        ([{"from": "1", "to": None, "pays": "1", "note": ""}], "no choice named “note”"),
        (["1"], "the choices are missing"),
        ("1", "Of tiers"),
    ],
)
def test_bad_tiers(made, said):
    assert said in refusal(tiers=made)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "ladder"}, "“kind” has to be one of: step"),
        ({"boundary": "near"}, "“boundary” has to be one of"),
        ({"stacked": "no"}, "“stacked” has to be yes or no"),
        ({"stacked": True, "kind": "interpolated"}, "Only the tiers of a step plan"),
        ({"currency": "yuan"}, "three capital letters"),
        ({"late_days": -1}, "number of days"),
        ({"dispute_days": True}, "number of days"),
        ({"proration": None}, "yes or no"),
        ({"proration": {"leave": True}}, "nothing is assumed"),
        ({"cap": {"of": "amount", "value": "0", "excess": "lost"}}, "cap has to be above zero"),
        ({"cap": {"of": "amount", "value": "1", "excess": "kept"}}, "“excess” has to be one of"),
        ({"rounding": {"unit": "0", "mode": "down"}}, "above zero, such as 0.01"),
        ({"gates": [gate("mood")]}, "“of” has to be one of"),
        ({"gates": [gate("closure", at_least="90")]}, "at most at 1"),
        ({"gates": [gate("closure", smallest=1.5)]}, "whole number"),
        ({"gates": [gate("closure", effect="factor", factor="2")]}, "between 0 and 1"),
        ({"gates": [gate("closure"), gate("closure")]}, "A gate stands twice"),
        ({"measures": [{"metric": "closed", "weight": "0.5", "is_ratio": False}]}, "add up to 1"),
        ({"measures": [{"metric": "closed", "weight": "0.5", "is_ratio": False}] * 2}, "stands twice"),
        ({"measures": [{"metric": "", "weight": "1", "is_ratio": False}]}, "name the figure"),
        ({"measures": [{"metric": "closed", "weight": "0", "is_ratio": False}]}, "above zero"),
        (
            {"measures": [{"metric": "closure", "weight": "1", "is_ratio": True}], "edges": "units"},
            "A ratio has no units",
        ),
        (
            {
                "kind": "marginal",
                "measures": [
                    {"metric": "closed", "weight": "0.5", "is_ratio": False},
                    {"metric": "closure", "weight": "0.5", "is_ratio": True},
                ],
            },
            "no unit in common",
        ),
    ],
)
def test_bad_choices(more, said):
    assert said in refusal(**more)


def test_more_work_that_earns_less_is_told_and_allowed():
    assert read(terms(tiers=tiers(("1.1", "0.5"), ("1.2", "0.2")))).warnings == [
        "Tier 2 pays less than the one below it: more work would earn less."
    ]
    assert read(terms()).warnings == []


def test_reading_changes_nothing_of_what_was_declared():
    made = terms()
    kept = copy.deepcopy(made)
    read(made)
    assert made == kept


def test_numbers_in_sentences():
    read_tiers = read(terms(tiers=tiers(("1.125", "0.2")))).tiers
    assert [text(read_tiers[0].start), text(read_tiers[0].pays), text(read_tiers[0].pays / 3)] == [
        "1.125",
        "0.2",
        "1/15",
    ]
