"""The one integral behind Erlang B, C and A, for whole arrays of half hours at once.

All three are made of areas under  exp(x·(1 - e^-y) - k·y)  between two bounds: a hill with one top, whose logarithm is
concave. Sums over queue lengths, which take as many steps as there are agents and callers waiting, become a fixed number of
points of Gauss and Legendre in the window where the hill is not yet negligible. Each part is positive, so nothing cancels.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DEPTH = 38.0  # of the window below the top, in powers of e: e^-38 is less than a float resolves
CHUNK = 512  # points at a time, so that what is worked on stays in the cache


def _rule(nodes: int) -> tuple[Floats, Floats]:
    """Points and weights on 0 to 1."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    return (points + 1) / 2, weights / 2


NARROW = 40.0  # from this k on a hill is near enough to a normal curve for the short rule
SHORT, LONG = _rule(40), _rule(72)  # either leaves less than 1e-11, measured against 300 nodes and 40 digits


@dataclass(frozen=True)
class Hill:
    """Areas as multiples of e^`log_top`. `area`: of the hill itself; `faded`: of it times 1 - e^-y; `moment`: times y."""

    log_top: Floats
    area: Floats
    faded: Floats
    moment: Floats

    def lowered(self, level: Floats) -> "Hill":
        """The same areas as multiples of e^`level`."""
        factor = np.exp(self.log_top - level)
        return Hill(level, self.area * factor, self.faded * factor, self.moment * factor)


def hill(x: Floats, k: Floats, start: Floats, end: Floats, *, weighted: bool = False) -> Hill:
    """Areas between `start` and `end`, for each point. `x` is above 0, `k` at least 1; a bound may be infinite. The
    two weighted areas are zero unless asked for; they are meant for bounds from 0 up."""
    found = np.zeros((4, x.size))
    for part in _chunks(x.size):
        _fill(found[:, part], x[part], k[part], start[part], end[part], weighted)
    return Hill(*found)


def _chunks(size: int) -> Iterator[slice]:
    return (slice(first, first + CHUNK) for first in range(0, size, CHUNK))


def _fill(found: Floats, x: Floats, k: Floats, start: Floats, end: Floats, weighted: bool) -> None:
    top = np.clip(np.log(x / k), start, end)
    bend = x * np.exp(-top)  # of the logarithm at the top, where its slope is bend - k
    low = np.maximum(start, top - _reach_down(bend, k))
    width = np.minimum(end, top + _reach_up(bend, k)) - low
    points, weights = SHORT if k.min() >= NARROW else LONG
    y = low[:, None] + width[:, None] * points
    away = y - top[:, None]
    height = np.expm1(-away)
    height *= -bend[:, None]
    away *= k[:, None]
    height -= away
    np.exp(height, out=height)
    found[0] = -x * np.expm1(-top) - k * top
    found[1] = (height @ weights) * width
    if weighted:
        found[2] = ((height * -np.expm1(-y)) @ weights) * width
        found[3] = ((height * y) @ weights) * width


def _reach_up(bend: Floats, k: Floats) -> Floats:
    """How far above the top the hill is DEPTH lower, or a little more: from e^-d - 1 + d >= d²/(2 + d)."""
    slope = 2 * np.maximum(k - bend, 0) - DEPTH
    return 4 * DEPTH / (slope + np.sqrt(slope * slope + 8 * DEPTH * k))


def _reach_down(bend: Floats, k: Floats) -> Floats:
    """The same below the top, where the hill falls faster than a parabola: from e^d - 1 - d >= d²/2, and two steps of Newton,
    which come down from above and so never cut too much."""
    bend = np.maximum(bend, k)
    slope = bend - k
    reach = 2 * DEPTH / (slope + np.sqrt(slope * slope + 2 * DEPTH * bend))
    for _step in range(2):
        grown = np.expm1(reach)
        reach = reach - (bend * (grown - reach) + slope * reach - DEPTH) / (bend * grown + slope)
    return reach
