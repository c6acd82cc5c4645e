"""Candidates by their weighted total, with the reasons for their place."""

from fractions import Fraction

import pytest

from training.plain.ranking import check_weights, ranking

WEIGHTS = {"sample": Fraction(6, 10), "interview": Fraction(4, 10)}
NAMES = {"sample": "work sample", "interview": "interview"}


def row(sample, interview):
    return {"sample": Fraction(sample), "interview": Fraction(interview)}


def test_candidates_are_ranked_with_reasons():
    scores = {4: row("0.5", "0.9"), 5: row("0.9", "0.5"), 6: row("0.7", "0.6"), 7: {"sample": Fraction(1)}}
    found = ranking(WEIGHTS, scores, NAMES)
    assert [(place.candidate, place.rank, place.total) for place in found] == [
        (5, 1, Fraction(74, 100)),
        (4, 2, Fraction(66, 100)),
        (6, 2, Fraction(66, 100)),
        (7, None, None),
    ]
    assert found[0].reasons == (
        "Above others in work sample: 90 %, the mean is 70 %.",
        "Below others in interview: 50 %, the mean is 66.6… %.",
    )
    assert found[2].reasons == ("Below others in interview: 60 %, the mean is 66.6… %.",)
    assert found[3].reasons == ("Not rated yet: interview.",)


def test_one_candidate_is_first_without_reasons():
    assert [(place.rank, place.reasons) for place in ranking(WEIGHTS, {4: row("0.5", "0.9")}, NAMES)] == [(1, ())]
    assert ranking(WEIGHTS, {}, NAMES) == []


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "weight above zero"),
        ({"a": Fraction(1), "b": Fraction(0)}, "weight above zero"),
        ({"a": Fraction(9, 10)}, "add up to 90 %; they have to make 100 %"),
    ],
)
def test_weights_that_are_refused(weights, said):
    with pytest.raises(ValueError, match=said):
        check_weights(weights)
