"""A draft plan on days that have been: what it would cost beside the plan that stood, who gains and loses, and who stands so
close to an edge that a contact or two decide."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from incentives.plain.pay import Line, Worth
from incentives.plain.terms import Kind, Terms

NEAR = Fraction(2, 100)  # of the target


@dataclass(frozen=True)
class Pair:
    """What an agent was paid for the days, and what the draft would have paid."""

    agent: int
    before: Decimal
    after: Decimal

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


@dataclass(frozen=True)
class Outcome:
    """`gains` and `loses`: those with a difference, the largest first; `same`: how many have none."""

    before: Decimal
    after: Decimal
    gains: tuple[Pair, ...]
    loses: tuple[Pair, ...]
    same: int

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


def compared(pairs: Iterable[Pair]) -> Outcome:
    """What a draft does to a group of agents, each of whom is among `pairs` once."""
    rows = list(pairs)
    gains = sorted((row for row in rows if row.difference > 0), key=lambda row: (-row.difference, row.agent))
    loses = sorted((row for row in rows if row.difference < 0), key=lambda row: (row.difference, row.agent))
    before, after = sum((row.before for row in rows), Decimal(0)), sum((row.after for row in rows), Decimal(0))
    return Outcome(before, after, tuple(gains), tuple(loses), len(rows) - len(gains) - len(loses))


@dataclass(frozen=True)
class Cliff:
    """The edge of tier `place`, where the amount jumps. `short_by`: the share of the target that was missing to it; 0 or less
    where it was reached."""

    place: int
    short_by: Fraction


def cliffs(terms: Terms, line: Line | Worth, volume: Fraction) -> list[Cliff]:
    """The jumps within 2 % of the target of where a line stands, the lowest first. `volume`: of the first measure. There are
    none where nothing was asked, nor where each unit is paid by its own tier."""
    if line.attainment is None:
        return []
    jumps = list(enumerate(terms.tiers, 1))
    if terms.kind is Kind.MARGINAL:
        jumps = []
    elif terms.kind is Kind.INTERPOLATED:  # between knots the amount rises evenly
        jumps = [(place, tier) for place, tier in jumps[:1] if tier.pays > 0]
    by_units = terms.edges == "units"
    stands, whole = (volume, line.targets[0]) if by_units else (line.attainment, Fraction(1))
    near = [Cliff(place, (tier.start - stands) / whole) for place, tier in jumps]
    return [cliff for cliff in near if abs(cliff.short_by) <= NEAR]
