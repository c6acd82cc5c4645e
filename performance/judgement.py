"""What is out of the ordinary: today's figure beside what the same person's or team's own past lets one expect.

Nobody is compared with anybody else. Each test asks how a fresh day drawn from the own past would come out, its
uncertainty included, and calls a day unusual only beyond the range that holds 99.8 of 100 such days (three-sigma limits,
Shewhart 1931). Few cases or a short past never make a verdict.

Sources: beta-binomial and negative binomial predictive distributions under Jeffreys' prior (Gelman et al., Bayesian Data
Analysis, 3rd ed., 2.4 and 2.6); overdispersion by the index of dispersion (McCullagh and Nelder, Generalized Linear
Models, 6.2); prediction of a mean by Student's t (Student 1908); score interval (Wilson 1927).

Probabilities are floating point, as only limits come out of them; figures themselves are exact.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, exp, floor, lgamma, log

TAIL = 0.001  # on either side
LEAST_CASES = 8  # of today, for a share
LEAST_TIMED = 5  # of today, for a mean
LEAST_DAYS = 10  # of the past
LEAST_PAST = 30  # cases of the past, for a share
Z95 = Decimal("1.959964")

# Student's t at 0.999 for 9 to 30 degrees of freedom.
T999 = (
    "4.297", "4.144", "4.025", "3.930", "3.852", "3.787", "3.733", "3.686", "3.646", "3.610", "3.579", "3.552",
    "3.527", "3.505", "3.485", "3.467", "3.450", "3.435", "3.421", "3.408", "3.396", "3.385",
)  # fmt: skip


@dataclass(frozen=True)
class Verdict:
    """An unusual figure: whether it lies above or below, and the range that would have been usual, in the same unit."""

    is_above: bool
    usual: Fraction
    low: Fraction
    high: Fraction


def share(hits: int, cases: int, past_hits: int, past_cases: int) -> Verdict | None:
    """Whether `hits` of `cases` is unusual after `past_hits` of `past_cases`. The range is in whole hits."""
    if cases < LEAST_CASES or past_cases < LEAST_PAST:
        return None
    a, b = past_hits + 0.5, past_cases - past_hits + 0.5

    def ratio(k: int) -> float:  # of the probabilities of k + 1 and k
        return (cases - k) * (k + a) / ((k + 1) * (cases - k - 1 + b))

    start = (
        lgamma(cases + b) - lgamma(b) + lgamma(a + b) - lgamma(cases + a + b)
    )  # log of the probability of no hit at all
    low, high = _limits(start, ratio, cases)
    return _verdict(Fraction(hits), Fraction(past_hits * cases, past_cases), Fraction(low), Fraction(high))


def count(today: int, past: Sequence[int]) -> Verdict | None:
    """Whether a day's count is unusual after the counts of past days. Spread beyond chance widens the range."""
    days = len(past)
    total = sum(past)
    if days < LEAST_DAYS or not total:
        return None
    mean = total / days
    spread = sum((each - mean) ** 2 for each in past) / (days - 1)
    variance = max(mean, spread) * (1 + 1 / days)
    size = mean * mean / (variance - mean)
    chance = mean / variance

    def ratio(k: int) -> float:
        return (k + size) / (k + 1) * (1 - chance)

    low, high = _limits(size * log(chance), ratio, None)
    return _verdict(Fraction(today), Fraction(total, days), Fraction(low), Fraction(high))


def mean(total: int, cases: int, past: Sequence[tuple[int, int]], least: int = LEAST_TIMED) -> Verdict | None:
    """Whether `total` over `cases` is an unusual mean after past days of (total, cases).

    The spread between days, each weighed by its cases, tells how far a mean of so many cases strays.
    """
    known = [(sum_, number) for sum_, number in past if number]
    if cases < least or len(known) < LEAST_DAYS:
        return None
    all_cases = sum(number for _sum, number in known)
    usual = Fraction(sum(sum_ for sum_, _number in known), all_cases)
    strays = (number * (Fraction(sum_, number) - usual) ** 2 for sum_, number in known)
    spread = sum(strays, Fraction(0)) / (len(known) - 1)
    reach = _root(spread * (Fraction(1, cases) + Fraction(1, all_cases))) * Fraction(_student(len(known) - 1))
    if not reach:
        return None
    return _verdict(Fraction(total, cases), usual, max(Fraction(0), usual - reach), usual + reach)


def likely(hits: int, cases: int) -> tuple[Decimal, Decimal] | None:
    """Between which shares the truth behind `hits` of `cases` lies in 95 of 100 (Wilson 1927); None without cases."""
    if not cases:
        return None
    n, p, z2 = Decimal(cases), Decimal(hits) / cases, Z95 * Z95
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * ((p * (1 - p) + z2 / (4 * n)) / n).sqrt() / (1 + z2 / n)
    return max(Decimal(0), middle - half), min(Decimal(1), middle + half)


def _verdict(value: Fraction, usual: Fraction, low: Fraction, high: Fraction) -> Verdict | None:
    return None if low <= value <= high else Verdict(value > high, usual, low, high)


def _limits(start: float, ratio: Callable[[int], float], most: int | None) -> tuple[int, int]:
    """The smallest and the largest number that is not beyond the tails, from the log probability of 0 and the ratios."""
    low, level, below = 0, start, 0.0
    k, found_low = 0, False
    while most is None or k < most:
        below += exp(level)
        if not found_low and below > TAIL:
            low, found_low = k, True
        if below >= 1 - TAIL:
            return low, k
        step = ratio(k)
        if step <= 0:
            return low, k
        level += log(step)
        k += 1
    return low if found_low else k, k


def _student(freedom: int) -> str:
    return T999[min(freedom, 30) - 9]


def _root(value: Fraction) -> Fraction:
    return Fraction((Decimal(value.numerator) / Decimal(value.denominator)).sqrt())


def whole_range(verdict: Verdict) -> tuple[int, int]:
    """The usual range of a count in whole numbers."""
    return ceil(verdict.low), floor(verdict.high)
