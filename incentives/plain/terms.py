"""The terms of a plan: everything that decides an amount, declared and with no default.

A version of a plan is JSON of this shape; numbers are texts, so that none is ever a float. `read` raises ValueError with a
sentence for people that names the tier or the choice and the remedy:

    {"measures": [{"metric": "volume", "weight": "1", "is_ratio": false}], "period": "shift_day" | "week" | "month",
     "complexity": {"simple": "1", "complex": "1"}, "exclude": {"reopened": true}, "day_minutes": 480,
     "kind": "step" | "interpolated" | "marginal" | "whole_volume", "edges": "attainment" | "units",
     "boundary": "reached" | "passed", "stacked": false,
     "tiers": [{"from": "1.1", "to": "1.2", "pays": "0.2"}, {"from": "1.2", "to": null, "pays": "0.5"}],
     "gates": [{"of": "satisfaction", "at_least": "0.9", "smallest": 5, "fallback": "rolling" | "team" | "waive" | "fail",
                "effect": "zero" | "demote" | "factor" | "hold", "factor": null}],
     "proration": {"leave": true, "training": true, "coaching": true, "outage": true, "overtime": true, "ramp": true},
     "cap": {"of": "none" | "amount" | "monthly_base", "value": null, "excess": "lost" | "carried"},
     "rounding": {"unit": "0.01", "mode": "half_up" | "half_even" | "down"}, "currency": "CNY",
     "monthly_by": "statutory" | "scheduled", "late_days": 7, "dispute_days": 10}

Tiers of a step or interpolated plan pay a share of the base, those of a marginal or whole-volume plan an amount for each
unit. Edges are shares of the adjusted target (1.1 is 10 % over), or units. `complexity` is how many contacts one of each kind
counts as; `exclude` says whether a contact that was opened again is taken out; `day_minutes` is a whole day where no roster
says otherwise. A monthly wage becomes a daily one by the 21.75 days of the statute, or by the days that were scheduled for the
month.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _


class Kind(StrEnum):
    STEP = "step"
    INTERPOLATED = "interpolated"
    MARGINAL = "marginal"
    WHOLE_VOLUME = "whole_volume"


class Effect(StrEnum):
    """What a gate does that is not met."""

    ZERO = "zero"
    DEMOTE = "demote"
    FACTOR = "factor"
    HOLD = "hold"


class Fallback(StrEnum):
    """What stands in for a sample that is too small."""

    ROLLING = "rolling"
    TEAM = "team"
    WAIVE = "waive"
    FAIL = "fail"


PERIODS = ("shift_day", "week", "month")
EDGES = ("attainment", "units")
BOUNDARIES = ("reached", "passed")
CAPS = ("none", "amount", "monthly_base")
EXCESS = ("lost", "carried")
MODES = ("half_up", "half_even", "down")
MONTHLY = ("statutory", "scheduled")
GATES = ("satisfaction", "closure", "critical", "certificate")
RATIOS = ("satisfaction", "closure")  # of a numerator and a denominator; the others are met or not
CAUSES = ("leave", "training", "coaching", "outage", "overtime", "ramp")
COMPLEXITIES = ("simple", "complex")
EXCLUSIONS = ("reopened",)
MOST_TIERS, MOST_GATES, MOST_MEASURES, MOST_DAYS, MOST_DIGITS, MOST_MINUTES = 20, 6, 5, 366, 15, 1440
CHOICES = {
    "measures", "period", "kind", "edges", "boundary", "stacked", "tiers", "gates", "proration", "cap", "rounding", "currency",
    "monthly_by", "late_days", "dispute_days", "complexity", "exclude", "day_minutes",
}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """One figure that is assessed and its share of the whole. A ratio's target is not a workload, so it is never prorated."""

    metric: str
    weight: Fraction
    is_ratio: bool


@dataclass(frozen=True)
class Tier:
    """From one edge up to the next; the last one is open. `pays` is a share of the base, or an amount for each unit."""

    start: Fraction
    end: Fraction | None
    pays: Fraction


@dataclass(frozen=True)
class Gate:
    """A condition outside the measure. `at_least` and `smallest` are of ratios alone."""

    of: str
    at_least: Fraction
    smallest: int
    fallback: Fallback
    effect: Effect
    factor: Fraction


@dataclass(frozen=True)
class Cap:
    of: str
    value: Fraction
    excess: str


@dataclass(frozen=True)
class Rounding:
    unit: Decimal
    mode: str


@dataclass(frozen=True)
class Terms:
    measures: tuple[Measure, ...]
    period: str
    kind: Kind
    edges: str
    boundary: str
    stacked: bool
    tiers: tuple[Tier, ...]
    gates: tuple[Gate, ...]
    prorated: frozenset[str]
    cap: Cap
    rounding: Rounding
    currency: str
    monthly_by: str
    late_days: int
    dispute_days: int
    counts_as: Mapping[str, Fraction]
    excluded: frozenset[str]
    day_minutes: int

    @property
    def pays_by_unit(self) -> bool:
        return self.kind in (Kind.MARGINAL, Kind.WHOLE_VOLUME)

    @property
    def warnings(self) -> list[str]:
        """What is allowed and yet seldom meant: more work that earns less."""
        falls = [
            place
            for place, (lower, upper) in enumerate(zip(self.tiers, self.tiers[1:], strict=False), 2)
            if upper.pays < lower.pays
        ]
        return [
            _("Tier %(place)d pays less than the one below it: more work would earn less.") % {"place": place}
            for place in falls
        ]


def read(made: Mapping[str, Any]) -> Terms:
    """The terms as declared. Raises ValueError: a choice that is missing or unknown; tiers that are unsorted, overlap or leave
    a gap; weights that do not add up to the whole."""
    _all_chosen(made, CHOICES, _("the plan"))
    kind = Kind(_one_of(made, "kind", tuple(Kind), _("the plan")))
    terms = Terms(
        measures=_measures(made["measures"]),
        period=_one_of(made, "period", PERIODS, _("the plan")),
        kind=kind,
        edges=_one_of(made, "edges", EDGES, _("the plan")),
        boundary=_one_of(made, "boundary", BOUNDARIES, _("the plan")),
        stacked=_yes_or_no(made, "stacked", _("the plan")),
        tiers=_tiers(made["tiers"]),
        gates=_gates(made["gates"]),
        prorated=_chosen_of(made["proration"], CAUSES, _("proration")),
        cap=_cap(made["cap"]),
        rounding=_rounding(made["rounding"]),
        currency=_currency(made["currency"]),
        monthly_by=_one_of(made, "monthly_by", MONTHLY, _("the plan")),
        late_days=_days(made, "late_days"),
        dispute_days=_days(made, "dispute_days"),
        counts_as=_complexity(made["complexity"]),
        excluded=_chosen_of(made["exclude"], EXCLUSIONS, _("what is excluded")),
        day_minutes=_minutes(made["day_minutes"]),
    )
    _fitting(terms)
    return terms


def _fitting(terms: Terms) -> None:
    """Choices that contradict each other."""
    if terms.stacked and terms.kind is not Kind.STEP:
        raise ValueError(_("Only the tiers of a step plan can be added up; choose “exclusive”."))
    if len(terms.measures) > 1 and (terms.pays_by_unit or terms.edges == "units"):
        raise ValueError(_("Several measures have no unit in common; pay by attainment, or choose one measure."))
    if "reopened" in terms.excluded and len(set(terms.counts_as.values())) > 1:
        raise ValueError(
            _(
                "Contacts opened again are known by their number, not by their kind: leave them in, or let all count alike."
            )
        )
    if terms.measures[0].is_ratio and (terms.pays_by_unit or terms.edges == "units"):
        raise ValueError(_("A ratio has no units to pay for; pay by attainment, or choose a measure that is counted."))


# -- the parts -----------------------------------------------------------------------------------------------------------


def _measures(made: Any) -> tuple[Measure, ...]:
    rows = _rows(made, 1, MOST_MEASURES, _("measures"))
    found = []
    for place, row in enumerate(rows, 1):
        where = _("measure %(place)d") % {"place": place}
        _all_chosen(row, {"metric", "weight", "is_ratio"}, where)
        if not isinstance(row["metric"], str) or not row["metric"]:
            raise ValueError(_("In %(where)s name the figure.") % {"where": where})
        weight = _number(row["weight"], where)
        if weight <= 0:
            raise ValueError(_("In %(where)s the weight has to be above zero.") % {"where": where})
        found.append(Measure(row["metric"], weight, _yes_or_no(row, "is_ratio", where)))
    if sum(each.weight for each in found) != 1:
        raise ValueError(_("The weights of the measures have to add up to 1."))
    if len({each.metric for each in found}) < len(found):
        raise ValueError(_("A figure stands twice among the measures; take one of them out."))
    return tuple(found)


def _tiers(made: Any) -> tuple[Tier, ...]:
    rows = _rows(made, 1, MOST_TIERS, _("tiers"))
    found: list[Tier] = []
    for place, row in enumerate(rows, 1):
        where = _("tier %(place)d") % {"place": place}
        _all_chosen(row, {"from", "to", "pays"}, where)
        start, pays = _number(row["from"], where), _number(row["pays"], where)
        end = None if row["to"] is None else _number(row["to"], where)
        if start < 0 or pays < 0:
            raise ValueError(_("In %(where)s nothing may be below zero.") % {"where": where})
        if end is None and place < len(rows):
            raise ValueError(_("In %(where)s say where it ends: only the last tier is open.") % {"where": where})
        if end is not None and place == len(rows):
            raise ValueError(
                _("The last tier has to be open, or whoever does more would earn nothing; leave its end empty.")
            )
        if end is not None and end <= start:
            raise ValueError(_("In %(where)s the end is not above the beginning.") % {"where": where})
        if found:
            _continued(found[-1], start, place)
        found.append(Tier(start, end, pays))
    return tuple(found)


def _continued(before: Tier, start: Fraction, place: int) -> None:
    """A tier begins where the one before ends."""
    told = {"place": place, "before": place - 1, "edge": text(before.end or before.start), "start": text(start)}
    if start <= before.start:
        raise ValueError(
            _("Tier %(place)d begins at %(start)s, not above tier %(before)d; sort the tiers upwards.") % told
        )
    if before.end is not None and start < before.end:
        raise ValueError(_("Tier %(place)d begins at %(start)s, within tier %(before)d; begin it at %(edge)s.") % told)
    if before.end is not None and start > before.end:
        raise ValueError(
            _("Between %(edge)s and %(start)s no tier says what is paid; begin tier %(place)d at %(edge)s.") % told
        )


def _gates(made: Any) -> tuple[Gate, ...]:
    found = []
    for place, row in enumerate(_rows(made, 0, MOST_GATES, _("gates")), 1):
        where = _("gate %(place)d") % {"place": place}
        _all_chosen(row, {"of", "at_least", "smallest", "fallback", "effect", "factor"}, where)
        of, effect = _one_of(row, "of", GATES, where), Effect(_one_of(row, "effect", tuple(Effect), where))
        at_least, smallest, fallback = Fraction(0), 0, Fallback.FAIL
        if of in RATIOS:
            at_least, smallest = _number(row["at_least"], where), _whole(row["smallest"], where)
            fallback = Fallback(_one_of(row, "fallback", tuple(Fallback), where))
            if not 0 < at_least <= 1:
                raise ValueError(_("In %(where)s the least share lies above 0 and at most at 1.") % {"where": where})
        factor = _number(row["factor"], where) if effect is Effect.FACTOR else Fraction(0)
        if effect is Effect.FACTOR and not 0 < factor < 1:
            raise ValueError(_("In %(where)s the factor lies between 0 and 1.") % {"where": where})
        found.append(Gate(of, at_least, smallest, fallback, effect, factor))
    if len({each.of for each in found}) < len(found):
        raise ValueError(_("A gate stands twice; take one of them out."))
    return tuple(found)


def _chosen_of(made: Any, names: tuple[str, ...], where: str) -> frozenset[str]:
    """Those of `names` that are chosen; each has to be yes or no."""
    if not isinstance(made, Mapping):
        raise ValueError(_("In %(where)s each cause is yes or no.") % {"where": where})
    _all_chosen(made, set(names), where)
    return frozenset(name for name in names if _yes_or_no(made, name, where))


def _complexity(made: Any) -> dict[str, Fraction]:
    where = _("complexity")
    _all_chosen(made, set(COMPLEXITIES), where)
    found = {name: _number(made[name], where) for name in COMPLEXITIES}
    if any(number < 0 for number in found.values()) or not any(found.values()):
        raise ValueError(_("A contact counts as nothing or more, and one of the kinds as more than nothing."))
    return found


def _minutes(made: Any) -> int:
    if not isinstance(made, int) or isinstance(made, bool) or not 1 <= made <= MOST_MINUTES:
        raise ValueError(_("A whole day has 1 to %(most)d minutes.") % {"most": MOST_MINUTES})
    return made


def _cap(made: Any) -> Cap:
    where = _("the cap")
    _all_chosen(made, {"of", "value", "excess"}, where)
    of = _one_of(made, "of", CAPS, where)
    if of == "none":
        return Cap(of, Fraction(0), "lost")
    value = _number(made["value"], where)
    if value <= 0:
        raise ValueError(_("The cap has to be above zero; choose “none” to have no cap."))
    return Cap(of, value, _one_of(made, "excess", EXCESS, where))


def _rounding(made: Any) -> Rounding:
    where = _("rounding")
    _all_chosen(made, {"unit", "mode"}, where)
    unit = _number(made["unit"], where)
    if unit <= 0:
        raise ValueError(_("Amounts are rounded to a unit above zero, such as 0.01."))
    return Rounding(Decimal(made["unit"]), _one_of(made, "mode", MODES, where))


def _currency(made: Any) -> str:
    if not isinstance(made, str) or len(made) != 3 or not (made.isascii() and made.isalpha() and made.isupper()):
        raise ValueError(_("Write the currency as three capital letters, such as CNY."))
    return made


# -- reading plain values --------------------------------------------------------------------------------------------------


def text(number: Fraction) -> str:
    """A number for a sentence: as a decimal where it is one, else as a fraction."""
    left = number.denominator
    for prime in (2, 5):
        while left % prime == 0:
            left //= prime
    return f"{Decimal(number.numerator) / Decimal(number.denominator):f}" if left == 1 else str(number)


def _rows(made: Any, least: int, most: int, what: str) -> list[Any]:
    if not isinstance(made, list) or not least <= len(made) <= most:
        told = {"what": what, "least": least, "most": most}
        raise ValueError(_("Of %(what)s there have to be %(least)d to %(most)d.") % told)
    return made


def _all_chosen(made: Any, names: set[str], where: str) -> None:
    if not isinstance(made, Mapping):
        raise ValueError(_("In %(where)s the choices are missing.") % {"where": where})
    if missing := sorted(names - set(made)):
        raise ValueError(
            _("In %(where)s choose “%(name)s”: nothing is assumed.") % {"where": where, "name": missing[0]}
        )
    if unknown := sorted(map(str, set(made) - names)):
        raise ValueError(_("In %(where)s there is no choice named “%(name)s”.") % {"where": where, "name": unknown[0]})


def _one_of(made: Mapping[str, Any], name: str, known: tuple[str, ...], where: str) -> str:
    if made[name] not in known:
        told = {"where": where, "name": name, "known": ", ".join(known)}
        raise ValueError(_("In %(where)s “%(name)s” has to be one of: %(known)s.") % told)
    return str(made[name])


def _yes_or_no(made: Mapping[str, Any], name: str, where: str) -> bool:
    if not isinstance(made[name], bool):
        raise ValueError(_("In %(where)s “%(name)s” has to be yes or no.") % {"where": where, "name": name})
    return made[name]


def _number(made: Any, where: str) -> Fraction:
    """A number from its text. A float is refused: what it stands for is not what was typed."""
    try:
        if isinstance(made, str) and len(made) <= 30:
            number = Decimal(made)
            if number.is_finite() and -MOST_DIGITS < number.adjusted() < MOST_DIGITS:
                return Fraction(number)
    except InvalidOperation:
        pass
    raise ValueError(_("In %(where)s write numbers as text, such as “1.1”.") % {"where": where})


def _whole(made: Any, where: str) -> int:
    if not isinstance(made, int) or isinstance(made, bool) or made < 0:
        raise ValueError(_("In %(where)s the smallest sample has to be a whole number.") % {"where": where})
    return made


def _days(made: Mapping[str, Any], name: str) -> int:
    days = made[name]
    if not isinstance(days, int) or isinstance(days, bool) or not 0 <= days <= MOST_DAYS:
        raise ValueError(_("“%(name)s” has to be a number of days up to %(most)d.") % {"name": name, "most": MOST_DAYS})
    return days
