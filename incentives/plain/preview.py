"""What a plan pays from nothing to twice the target, for whoever judges it before it is published."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from incentives.plain.pay import Day, Evidence, Facts, Sample, line
from incentives.plain.terms import RATIOS, Terms

STEP, FURTHEST = Fraction(5, 100), Fraction(2)
WHOLE_DAY = Fraction(480)


@dataclass(frozen=True)
class Point:
    """At this attainment a whole day pays `amount`, with all gates met. `is_edge`: here a tier begins."""

    attainment: Fraction
    reached: int
    amount: Decimal
    is_edge: bool


def preview(terms: Terms, *, wage: Fraction, target: Fraction) -> list[Point]:
    """Every 5 % from 0 to 200 %, and where each tier begins, in order. `target`: of the first measure, for a whole day; the
    others stand on theirs. Raises ValueError if `target` is not positive."""
    if target <= 0:
        raise ValueError("a preview needs a target above zero")
    edges = {tier.start / target if terms.edges == "units" else tier.start for tier in terms.tiers}
    steps = {STEP * step for step in range(int(FURTHEST / STEP) + 1)}
    return [
        Point(share, *_paid(terms, share, wage, target), is_edge=share in edges)
        for share in sorted(steps | {edge for edge in edges if edge <= FURTHEST})
    ]


def _paid(terms: Terms, share: Fraction, wage: Fraction, target: Fraction) -> tuple[int, Decimal]:
    """The first measure lies where all together come to `share`."""
    first = terms.measures[0].weight
    own = max((share - (1 - first)) / first, Fraction(0)) if len(terms.measures) > 1 else share
    others = [Fraction(1)] * (len(terms.measures) - 1)
    day = Day(wage, (target, *others), WHOLE_DAY)
    told = line(terms, Facts((own * target, *others), (day,), _all_met(terms)))
    return told.reached, told.amount


def _all_met(terms: Terms) -> dict[str, Evidence]:
    return {
        gate.of: Evidence(
            Sample(*((gate.smallest or 1,) * 2 if gate.of in RATIOS else (int(gate.of == "certificate"), 1)))
        )
        for gate in terms.gates
    }
