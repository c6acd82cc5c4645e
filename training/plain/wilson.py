"""Wilson's interval for a share, in exact fractions.

The bounds are  (k + z²/2 ± z·√(k·(n - k)/n + z²/4)) / (n + z²)  for k of n. All but the root is rational. A comparison
takes no root: both sides are squared, so a gate is never decided by a rounded figure. Only where a bound is shown a root is
drawn, of whole numbers, and rounded away from the middle: what is shown as the lower bound is never above the true one, nor
the upper below it.

`k` may be a sum of scores from 0 to 1 instead of a count. The spread of such scores is never more than that of as many yes
and no with the same mean, so the interval is then wide rather than narrow; and five scores of 1 do not claim to be certain.

Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22 (1927).
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

Z = Fraction(196, 100)  # both sides together leave out 5 %
SHOWN = 10**4  # bounds are shown to this part


@dataclass(frozen=True)
class Interval:
    """`mean` exactly; `low` and `high` to a ten-thousandth, rounded outwards."""

    mean: Fraction
    low: Fraction
    high: Fraction


def reaches(k: Fraction | int, n: int, at_least: Fraction, z: Fraction = Z) -> bool:
    """Whether the lower bound of the share k/n is at least `at_least`. Of nothing, nothing is certain: False.

    Exact: the middle less the limit has to be no less than half the width, and as both are positive then, so have their
    squares.
    """
    _check(k, n)
    if n == 0:
        return False
    ahead = k + z * z / 2 - at_least * (n + z * z)
    return ahead >= 0 and ahead * ahead >= z * z * _inside(k, n, z)


def interval(k: Fraction | int, n: int, z: Fraction = Z) -> Interval:
    """The share and its bounds. Raises ValueError for nothing counted."""
    _check(k, n)
    if n == 0:
        raise ValueError("a share of nothing has no interval")
    middle, whole = k + z * z / 2, n + z * z
    width = _root_above(z * z * _inside(k, n, z) * (SHOWN / whole) ** 2)
    at = middle * SHOWN / whole
    low, high = (at - width).__floor__(), (at + width).__ceil__()
    return Interval(Fraction(k) / n, max(Fraction(low, SHOWN), Fraction(0)), min(Fraction(high, SHOWN), Fraction(1)))


def _inside(k: Fraction | int, n: int, z: Fraction) -> Fraction:
    """What stands under the root."""
    return Fraction(k) * (n - k) / n + z * z / 4


def _root_above(square: Fraction) -> Fraction:
    """A root from above, less than a millionth too large: that of a whole number, next to a scaled one."""
    scale = 10**6
    return Fraction(isqrt((square * scale * scale).__ceil__()) + 1, scale)


def _check(k: Fraction | int, n: int) -> None:
    if n < 0 or not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
