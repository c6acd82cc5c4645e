"""What a plan pays for one line: an agent, a version of the plan, a period.

The order is fixed and printed on the statement: counted facts, less exclusions; target adjusted, unrounded; attainment as an
exact fraction; tier by the boundary rule; base; amount; gates in their order; rounding, once. Sums, cap and deltas follow in
`incentives.plain.totals`. Inside everything is a `Fraction`; what is paid is a `Decimal`.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from incentives.plain.terms import Effect, Fallback, Gate, Kind, Measure, Rounding, Terms, Tier


@dataclass(frozen=True)
class Day:
    """A day of the period by its plan. `wage`: the daily wage by that date. `targets`: of each measure, for a whole day.
    All else is minutes, but for `ramp`, the share of the target that is asked of somebody who is still learning."""

    wage: Fraction
    targets: tuple[Fraction, ...]
    planned: Fraction
    leave: Fraction = Fraction(0)
    training: Fraction = Fraction(0)
    coaching: Fraction = Fraction(0)
    outage: Fraction = Fraction(0)
    overtime: Fraction = Fraction(0)
    ramp: Fraction = Fraction(1)


@dataclass(frozen=True)
class Sample:
    """`good` of `all`: rated well of rated, closed of taken. For what is met or not: failures in `good`, or 1 of 1."""

    good: int
    all: int


@dataclass(frozen=True)
class Evidence:
    """What a gate may go by: the agent's own sample of the period, that of 28 days, the team's. `is_final`: nothing more can
    come."""

    own: Sample | None = None
    rolling: Sample | None = None
    team: Sample | None = None
    is_final: bool = True


@dataclass(frozen=True)
class Facts:
    """`volumes`: of each measure what was counted; `excluded`: what was taken out of the first, by reason; `waived`: gates that
    two people have lifted for this line."""

    volumes: tuple[Fraction, ...]
    days: tuple[Day, ...]
    gates: Mapping[str, Evidence] = field(default_factory=dict)
    excluded: Mapping[str, Fraction] = field(default_factory=dict)
    waived: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GateResult:
    """`needed` of `sample.all` would have met it; `source` tells whose sample it is."""

    gate: Gate
    sample: Sample | None
    source: str
    needed: int | None
    is_met: bool


@dataclass(frozen=True)
class Worth:
    """What a line is worth before anybody's wage is known: a share of the base (`rate`), or money for units (`units`), and what
    the gates leave of it. `attainment` is None where nothing was asked."""

    targets: tuple[Fraction, ...]
    attainment: Fraction | None
    reached: int = 0
    demoted: int = 0
    rate: Fraction | None = None
    units: Fraction = Fraction(0)
    keep: Fraction = Fraction(1)
    is_held: bool = False

    def gross(self, base: Fraction) -> Fraction:
        return self.units if self.rate is None else base * self.rate


@dataclass(frozen=True)
class Line:
    """An amount with all it was made of. `attainment` is None where nothing was asked: such a line is not eligible. `reached`
    counts the tiers; `rate` is the share of the base, None where units are paid. `withheld` waits for the data to be final."""

    targets: tuple[Fraction, ...]
    attainment: Fraction | None
    reached: int
    demoted: int
    base: Fraction
    rate: Fraction | None
    gross: Fraction
    gates: tuple[GateResult, ...]
    amount: Decimal
    withheld: Decimal

    @property
    def is_eligible(self) -> bool:
        return self.attainment is not None


def line(terms: Terms, facts: Facts) -> Line:
    """One line of a statement. Raises ValueError where facts and terms speak of different numbers of measures."""
    gates = tuple(judged(gate, facts) for gate in terms.gates)
    found = worth(terms, facts.volumes, facts.days, missed_by(facts, gates), waiting_for(terms, facts))
    base = base_of(terms, facts.days)
    paid, withheld = amounts(terms, found, base)
    return Line(
        found.targets, found.attainment, found.reached, found.demoted, base, found.rate, found.gross(base), gates, paid,
        withheld,
    )  # fmt: skip


def worth(
    terms: Terms,
    volumes: tuple[Fraction, ...],
    days: tuple[Day, ...],
    missed: Collection[str],
    waits: Collection[str] = (),
) -> Worth:
    """What `volumes` on `days` are worth where the gates named by `missed` are not met and the data of `waits` is not final.
    Wages of the days are not asked. Raises ValueError where days and terms speak of different numbers of measures."""
    if len(volumes) != len(terms.measures) or any(len(day.targets) != len(terms.measures) for day in days):
        raise ValueError("each measure needs its volume, and on each day its target")
    targets = tuple(_target(terms, place, days) for place in range(len(terms.measures)))
    if any(target <= 0 for target in targets):
        return Worth(targets, None)
    attainment = attained(terms.measures, volumes, targets)
    height = volumes[0] if terms.edges == "units" else attainment
    reached = sum(_is_reached(terms, tier, height) for tier in terms.tiers)
    demoted, keep = 0, Fraction(1)
    for gate in terms.gates:
        if gate.of in missed and gate.effect is Effect.DEMOTE:
            demoted = min(demoted + 1, reached)
        elif gate.of in missed:
            keep *= gate.factor  # of a gate that leaves nothing the factor is 0
    tiers = terms.tiers[: reached - demoted]
    rate, units = None, Fraction(0)
    if terms.pays_by_unit:
        units = _for_units(terms.kind, tiers, volumes[0], Fraction(1) if terms.edges == "units" else targets[0])
    else:
        rate = _share(terms, tiers, height, is_demoted=demoted > 0)
    return Worth(targets, attainment, reached, demoted, rate, units, keep, bool(waits))


def amounts(terms: Terms, found: Worth, base: Fraction) -> tuple[Decimal, Decimal]:
    """What is paid, and what is withheld, each rounded once."""
    nothing = rounded(Fraction(0), terms.rounding)
    if found.attainment is None:
        return nothing, nothing
    amount = rounded(found.gross(base) * found.keep, terms.rounding)
    return (nothing, amount) if found.is_held else (amount, nothing)


def missed_by(facts: Facts, gates: tuple[GateResult, ...]) -> frozenset[str]:
    """The gates that take something: not met, and their data final where they hold."""
    return frozenset(
        result.gate.of
        for result in gates
        if not result.is_met and (result.gate.effect is not Effect.HOLD or _is_final(result.gate, facts))
    )


def waiting_for(terms: Terms, facts: Facts) -> frozenset[str]:
    """The gates that hold the line until their data is final."""
    return frozenset(
        gate.of
        for gate in terms.gates
        if gate.effect is Effect.HOLD and gate.of not in facts.waived and not _is_final(gate, facts)
    )


# -- target, base, attainment --------------------------------------------------------------------------------------------


def _target(terms: Terms, place: int, days: tuple[Day, ...]) -> Fraction:
    """The target of a measure over all days, unrounded. That of a ratio is the last day's: there is nothing to add up."""
    worked = [day for day in days if day.planned > 0]
    if terms.measures[place].is_ratio:
        return worked[-1].targets[place] if worked else Fraction(0)
    return sum((day.targets[place] * _asked_share(terms, day) for day in worked), Fraction(0))


def _asked_share(terms: Terms, day: Day) -> Fraction:
    """How much of a whole day's target is asked."""
    taken = {"leave": day.leave, "training": day.training, "coaching": day.coaching, "outage": day.outage}
    minutes = day.planned - sum((much for cause, much in taken.items() if cause in terms.prorated), Fraction(0))
    minutes = max(minutes, Fraction(0))
    if "overtime" in terms.prorated:
        minutes += day.overtime
    share = minutes / day.planned
    return share * day.ramp if "ramp" in terms.prorated else share


def base_of(terms: Terms, days: tuple[Day, ...]) -> Fraction:
    """The daily wages of the days, each by the share of the day that is paid."""
    return sum((day.wage * _paid_share(terms, day) for day in days), Fraction(0))


def _paid_share(terms: Terms, day: Day) -> Fraction:
    """Leave lowers the base; what the employer takes of a day does not."""
    if day.planned <= 0:
        return Fraction(0)
    return max(1 - day.leave / day.planned, Fraction(0)) if "leave" in terms.prorated else Fraction(1)


def attained(measures: tuple[Measure, ...], volumes: tuple[Fraction, ...], targets: tuple[Fraction, ...]) -> Fraction:
    """Attainment, each measure by its weight. 1 is on target. All targets are above zero."""
    parts = zip(measures, volumes, targets, strict=True)
    return sum((measure.weight * volume / target for measure, volume, target in parts), Fraction(0))


# -- tiers ---------------------------------------------------------------------------------------------------------------


def _is_reached(terms: Terms, tier: Tier, height: Fraction) -> bool:
    return height > tier.start if terms.boundary == "passed" else height >= tier.start


def _share(terms: Terms, tiers: tuple[Tier, ...], height: Fraction, *, is_demoted: bool) -> Fraction:
    """The share of the base. Whoever is demoted is paid as if the highest tiers that were reached did not exist."""
    if not tiers:
        return Fraction(0)
    last = tiers[-1]
    if terms.kind is Kind.STEP:
        return sum((tier.pays for tier in tiers), Fraction(0)) if terms.stacked else last.pays
    if is_demoted or len(tiers) == len(terms.tiers):
        return last.pays
    following = terms.tiers[len(tiers)]
    way = (height - last.start) / (following.start - last.start)
    return last.pays + way * (following.pays - last.pays)


def _for_units(kind: Kind, tiers: tuple[Tier, ...], volume: Fraction, edge: Fraction) -> Fraction:
    """Each unit by the tier it lies in, or all of them by the tier that was reached. `edge`: what an edge of 1 is in units."""
    if not tiers:
        return Fraction(0)
    if kind is Kind.WHOLE_VOLUME:
        return volume * tiers[-1].pays
    ends = [tier.start * edge for tier in tiers[1:]] + [volume]
    parts = zip(tiers, ends, strict=True)
    return sum((tier.pays * (end - tier.start * edge) for tier, end in parts), Fraction(0))


# -- gates ---------------------------------------------------------------------------------------------------------------


def judged(gate: Gate, facts: Facts) -> GateResult:
    """Whether a gate is met, by whose sample, and how many it would have taken. Compared exactly, never as it is shown."""
    evidence = facts.gates.get(gate.of, Evidence())
    own = evidence.own
    if gate.of in facts.waived:
        return GateResult(gate, own, "lifted", None, True)
    if gate.of == "critical":
        return GateResult(gate, own, "own", None, own is None or own.good == 0)
    if gate.of == "certificate":
        return GateResult(gate, own, "own", None, own is not None and own.good > 0)
    if own is not None and own.all >= max(gate.smallest, 1):
        return _compared(gate, own, "own")
    if gate.fallback is Fallback.WAIVE:
        return GateResult(gate, own, "waived", None, True)
    stand_in = {Fallback.ROLLING: evidence.rolling, Fallback.TEAM: evidence.team}.get(gate.fallback)
    if stand_in is not None and stand_in.all > 0:
        return _compared(gate, stand_in, gate.fallback.value)
    return GateResult(gate, own, "none", None, False)


def _compared(gate: Gate, sample: Sample, source: str) -> GateResult:
    needed = ceil(gate.at_least * sample.all)
    return GateResult(gate, sample, source, needed, sample.good >= needed)


def _is_final(gate: Gate, facts: Facts) -> bool:
    """Until its data is final a gate that holds takes nothing and lets nothing go; from then on it leaves nothing if missed."""
    return facts.gates.get(gate.of, Evidence()).is_final


# -- rounding ------------------------------------------------------------------------------------------------------------


def rounded(amount: Fraction, by: Rounding) -> Decimal:
    """`amount` to a multiple of the unit: half away from zero, half to even, or towards zero."""
    unit = Fraction(by.unit)
    size = abs(amount) / unit
    whole, rest = floor(size), size - floor(size)
    if by.mode == "half_up" and rest * 2 >= 1:
        whole += 1
    if by.mode == "half_even" and (rest * 2 > 1 or (rest * 2 == 1 and whole % 2 == 1)):
        whole += 1
    return by.unit * whole if amount >= 0 else -by.unit * whole


# -- what is still to do ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """With `more` units of the first measure, `volume` in all, the line would pay `amount`."""

    place: int
    volume: int
    more: int
    amount: Decimal


def ahead(terms: Terms, facts: Facts) -> list[Step]:
    """For each tier that is not reached the whole units of the first measure that reach it, and what the line would pay then:
    "10 more and it is 60.00". Empty where nothing was asked, and where the first measure is a ratio."""
    now = line(terms, facts)
    if not now.is_eligible or terms.measures[0].is_ratio:
        return []
    volume, first, target = facts.volumes[0], terms.measures[0], now.targets[0]
    others = (now.attainment or Fraction(0)) - first.weight * volume / target
    steps = []
    for place, tier in enumerate(terms.tiers[now.reached :], now.reached + 1):
        edge = tier.start if terms.edges == "units" else (tier.start - others) * target / first.weight
        wanted = floor(edge) + 1 if terms.boundary == "passed" else ceil(edge)
        then = line(terms, replace(facts, volumes=(Fraction(wanted), *facts.volumes[1:])))
        steps.append(Step(place, wanted, ceil(wanted - volume), then.amount))
    return steps
