"""Forms that are read or refused, what reviews come to, and reviewers beside each other."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from training.plain.scorecards import ITEM, Score, calibration, read, score, standing


def item(key, /, **more):
    return {
        "key": key, "title": key.title(), "scale": 5, "weight": 1, "is_critical": False, "allows_na": True, "causes": [],
    } | more  # fmt: skip


def form(*items):
    return {"name": "Contacts", "items": list(items)}


FORM = read(
    form(item("tone", weight=1), item("solution", weight=3, scale=3), item("data", scale=2, is_critical=True, weight=0))
)


def reviewed(tone, solution, data=2):
    return score(FORM, {"tone": tone, "solution": solution, "data": data})


@pytest.mark.parametrize("name", ITEM)
def test_nothing_is_assumed(name):
    made = item("tone")
    del made[name]
    with pytest.raises(ValueError, match=f"“{name}”: nothing is assumed"):
        read(form(made))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"key": "the tone"}, "small letters"),
        ({"scale": 6}, "“scale” has to be a whole number from 2 to 5"),
        ({"scale": 1}, "from 2 to 5"),
        ({"weight": -1}, "from 0 to 100"),
        ({"weight": 0}, "neither weight nor failure counts"),
        ({"weight": 0, "is_critical": True}, "at least one item a weight"),
        ({"allows_na": None}, "yes or no"),
        ({"causes": ["a", "a"]}, "each once"),
        ({"causes": [f"{place}" for place in range(21)]}, "20 causes at most"),
    ],
)
def test_forms_that_are_refused(more, said):
    with pytest.raises(ValueError, match=said):
        read(form(item("tone", **more)))


def test_an_item_stands_once():
    with pytest.raises(ValueError, match="“tone” stands twice"):
        read(form(item("tone"), item("tone")))


@pytest.mark.parametrize(
    ("ratings", "share"),
    [
        ((5, 3), 1),
        ((1, 1), 0),
        ((2, 3), Fraction(13, 16)),  # a quarter of 1 and 3 of 3
        ((None, 2), Fraction(1, 2)),  # its weight goes to the rest
        ((3, None), Fraction(1, 2)),
        ((None, None), None),
        ((None, None, None), None),
        ((5, 3, None), 1),
        ((5, 3, 1), 0),  # a critical failure
        ((None, None, 1), 0),
    ],
)
def test_what_a_review_comes_to(ratings, share):
    assert reviewed(*ratings).share == share


@pytest.mark.parametrize(
    ("step", "scale", "fails"),
    [
        (1, 2, True),
        (2, 2, False),
        (1, 3, True),
        (2, 3, False),
        (2, 4, True),
        (3, 4, False),
        (2, 5, True),
        (3, 5, False),
    ],
)
def test_a_critical_item_fails_below_the_middle_of_its_scale(step, scale, fails):
    made = read(form(item("data", scale=scale, is_critical=True)))
    found = score(made, {"data": step})
    assert found.failed == (("data",) if fails else ()) and (found.share == 0) == fails


@pytest.mark.parametrize(
    ("ratings", "said"),
    [
        ({}, "“Tone” is not rated yet"),
        ({"tone": 6}, "“Tone” is rated from 1 to 5"),
        ({"tone": 0}, "rated from 1 to 5"),
        ({"tone": True}, "rated from 1 to 5"),
        ({"tone": 2, "mood": 3}, "“mood” is not on this form"),
    ],
)
def test_ratings_that_are_refused(ratings, said):
    with pytest.raises(ValueError, match=said):
        score(read(form(item("tone"))), ratings)


def test_what_is_always_applicable_has_to_be_rated():
    with pytest.raises(ValueError, match="always applicable"):
        score(read(form(item("tone", allows_na=False))), {"tone": None})


def test_five_reviews_are_enough_and_four_are_not():
    good = reviewed(5, 2)
    four, five = standing([good] * 4), standing([good] * 5 + [reviewed(None, None)])
    assert not four.is_sufficient and five.is_sufficient
    assert four.words == "Insufficient: 4 of 5 reviews (62.5 %, between 21.9… % and 90.8… %)."
    assert (five.count, five.interval.mean) == (5, Fraction(5, 8))
    assert five.interval.low < five.interval.mean < five.interval.high
    assert five.words.startswith("62.5 %, between ") and five.words.endswith("over 5 reviews.")


def test_no_review_is_insufficient_and_five_perfect_ones_are_not_certain():
    assert standing([]).words == "Insufficient: no review has a score yet, 5 are needed."
    assert standing([reviewed(None, None)]).count == 0
    assert standing([reviewed(5, 3)] * 5).words == "100 %, between 56.5… % and 100 %, over 5 reviews."
    assert standing([reviewed(5, 3, 1), reviewed(5, 3)]).failures == 1


def test_reviewers_beside_each_other():
    rated = {
        "c1": {1: {"tone": 5, "solution": 3, "data": 2}, 2: {"tone": 3, "solution": 3, "data": 2}},
        "c2": {1: {"tone": None, "solution": 2, "data": 2}, 2: {"tone": 1, "solution": 1, "data": 2}},
        "c3": {1: {"tone": 5, "solution": 3, "data": 2}},  # rated by one only
    }
    found = calibration(FORM, rated)
    assert (found.pairs, found.agreement, found.is_agreed) == (6, Fraction(3, 6), False)
    assert found.spread == {"tone": Fraction(1, 2), "solution": Fraction(1, 4), "data": 0}
    gap = (Fraction(1, 8) + Fraction(1, 2)) / 2  # 1 less 7/8, and a half less 0
    assert found.drift == {1: gap, 2: -gap}
    same = calibration(FORM, {"c1": {reviewer: {"tone": 5, "solution": 3, "data": 2} for reviewer in (1, 2, 3)}})
    assert (same.pairs, same.agreement, same.is_agreed) == (9, 1, True)
    nothing = calibration(FORM, {"c3": rated["c3"]})
    assert (nothing.pairs, nothing.agreement, nothing.spread, nothing.drift, nothing.is_agreed) == (
        0,
        None,
        {},
        {},
        False,
    )


steps = some.none() | some.integers(1, 2)


@effort(max_examples=60, deadline=None)
@given(some.lists(some.tuples(some.integers(2, 5), some.integers(1, 9), some.integers(1, 5)), min_size=1, max_size=6))
def test_a_score_is_a_share_and_a_better_rating_never_lowers_it(rows):
    made = read(
        form(*(item(f"i{place}", scale=scale, weight=weight) for place, (scale, weight, _step) in enumerate(rows)))
    )
    ratings = {f"i{place}": min(step, scale) for place, (scale, _weight, step) in enumerate(rows)}
    found = score(made, ratings)
    assert 0 <= found.share <= 1 and isinstance(found, Score)
    for each in made.items:
        if ratings[each.key] < each.scale:
            assert score(made, ratings | {each.key: ratings[each.key] + 1}).share > found.share
