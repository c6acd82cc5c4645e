"""Wilson's interval against published values, and comparisons at the very edge."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from training.plain.wilson import SHOWN, Interval, Z, interval, reaches


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        # R. G. Newcombe, Two-sided confidence intervals for the single proportion, Statistics in Medicine 17 (1998), table I
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ],
)
def test_published_values(k, n, low, high):
    found = interval(k, n)
    assert found.mean == Fraction(k, n)
    assert abs(found.low - Fraction(low)) <= Fraction(1, SHOWN) >= abs(found.high - Fraction(high))
    assert found.low <= Fraction(low) + Fraction(1, SHOWN) and 0 <= found.low <= found.mean <= found.high <= 1


def test_few_good_ones_are_not_certain():
    assert interval(5, 5).low == Fraction("0.5655") and interval(5, 5).high == 1
    assert not reaches(3, 3, Fraction(8, 10))
    assert next(n for n in range(1, 40) if reaches(n, n, Fraction(8, 10))) == 16


def test_a_sum_of_scores_may_stand_for_a_count():
    assert interval(Fraction(9, 2), 5) == Interval(Fraction(9, 10), Fraction("0.4629"), Fraction("0.9895"))


@pytest.mark.parametrize(("k", "n"), [(-1, 3), (4, 3), (0, -1)])
def test_what_is_no_share(k, n):
    with pytest.raises(ValueError, match="no share"):
        reaches(k, n, Fraction(1, 2))


def test_nothing_is_certain_of_nothing():
    assert not reaches(0, 0, Fraction(0))
    with pytest.raises(ValueError, match="a share of nothing"):
        interval(0, 0)


def test_a_bound_that_is_exactly_reached_is_reached():
    """With z = 2 the lower bound of 5 of 5 is 5/9: its root is a whole number."""
    two = Fraction(2)
    assert reaches(5, 5, Fraction(5, 9), two)
    assert not reaches(5, 5, Fraction(5, 9) + Fraction(1, 10**30), two)


def lower(k, n):
    """By the formula, in sixty digits."""
    with localcontext() as numbers:
        numbers.prec = 60
        z, share = Decimal(Z.numerator) / Z.denominator, Decimal(k.numerator) / k.denominator / n
        root = (share * (1 - share) / n + z * z / (4 * n * n)).sqrt()
        return (share + z * z / (2 * n) - z * root) / (1 + z * z / n)


@effort(max_examples=100, deadline=None)
@given(some.data())
def test_comparison_and_shown_bound_are_those_of_the_formula(data):
    n = data.draw(some.integers(1, 400))
    k = data.draw(some.fractions(0, n, max_denominator=20))
    limit = data.draw(some.fractions(0, 1, max_denominator=100))
    true = Fraction(lower(k, n))
    assert reaches(k, n, limit) == (true >= limit) or abs(true - limit) < Fraction(1, 10**40)
    assert true - Fraction(2, SHOWN) <= interval(k, n).low <= max(true, 0) + Fraction(1, 10**40)
