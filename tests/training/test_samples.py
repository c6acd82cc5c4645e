"""Work samples rated blind by two, and a third where they differ."""

from fractions import Fraction

import pytest

from training.plain.samples import (
    LIMIT,
    Agreement,
    Rating,
    Wants,
    agreement,
    cover_name,
    refusal,
    sample,
    seen_by,
)

TICKETS = ("refund", "angry", "lost")


def ratings(ticket, *scores):
    return [Rating(ticket, rater, Fraction(score)) for rater, score in enumerate(scores, 1)]


@pytest.mark.parametrize(
    ("scores", "wants", "score"),
    [
        ((), Wants.RATINGS, None),
        (("0.8",), Wants.RATINGS, None),
        (("0.8", "0.9"), Wants.NOTHING, "0.85"),
        (("0.7", "0.85"), Wants.NOTHING, "0.775"),  # apart by the limit itself
        (("0.7", "0.86"), Wants.THIRD, None),
        (("0.4", "0.8", "0.75"), Wants.NOTHING, "0.775"),
        (("0.4", "0.8", "0.3"), Wants.NOTHING, "0.35"),
        (("0.4", "0.8", "0.6"), Wants.NOTHING, "0.6"),  # in the middle: all three
        (("0.4", "0.8", "0.8"), Wants.NOTHING, "0.8"),
    ],
)
def test_the_score_of_a_reply(scores, wants, score):
    found = sample(TICKETS, ratings("refund", *scores)).tickets[0]
    assert (found.wants, found.score) == (wants, None if score is None else Fraction(score))


def test_a_sample_has_a_score_when_all_its_replies_have():
    rows = ratings("refund", "1", "1") + ratings("angry", "0.5", "0.6")
    assert sample(TICKETS, rows).score is None
    assert sample(TICKETS, rows + ratings("lost", "0.2", "0.1")).score == Fraction(17, 30)


@pytest.mark.parametrize(
    ("rating", "said"),
    [
        (Rating("other", 3, Fraction(1)), "not part of the work sample"),
        (Rating("angry", 3, Fraction(2)), "a share from 0 to 1"),
        (Rating("refund", 1, Fraction(1)), "You have rated this reply already"),
        (Rating("refund", 3, Fraction(1)), "has all its scores"),
    ],
)
def test_ratings_that_are_refused(rating, said):
    so_far = ratings("refund", "0.8", "0.9")
    assert said in refusal(TICKETS, so_far, rating)
    with pytest.raises(ValueError, match=said):
        sample(TICKETS, [*so_far, rating])


def test_a_sample_has_three_tickets():
    with pytest.raises(ValueError, match="3 different tickets"):
        sample(("refund", "refund", "lost"), [])


def test_raters_see_no_score_before_they_have_given_their_own():
    rows = ratings("refund", "0.8", "0.9") + [Rating("angry", 2, Fraction(1))]
    assert seen_by(1, rows) == rows[:2]
    assert seen_by(2, rows) == rows
    assert seen_by(3, rows) == []


def test_a_cover_name_stays_and_tells_nothing():
    assert cover_name("key", 7) == cover_name("key", 7) != cover_name("key", 8)
    assert cover_name("key", 7) != cover_name("other", 7) and len(cover_name("key", 7)) == 8


def test_agreement_of_raters():
    one = sample(TICKETS, ratings("refund", "0.8", "0.9") + ratings("angry", "0.2", "0.6"))
    assert agreement([one]) == Agreement(2, Fraction(1, 2), Fraction(1, 4))
    assert agreement([]) == Agreement(0, None, None)
    assert Fraction(15, 100) == LIMIT
