"""How a line came about, step by step in the fixed order of the calculation, each with its numbers: what a statement prints.

Nothing is calculated anew for it but the numbers in between. A number that has no end is cut off and ends in “…”, never
rounded: what is shown as reached has been reached.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import floor

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from incentives.plain.pay import Day, Facts, GateResult, Line
from incentives.plain.terms import Effect, Kind, Terms, Tier, text

PLACES = 4  # of a number that is cut off


@dataclass(frozen=True)
class Step:
    """One step of the calculation: what it is about, and each of its findings. `is_money`: it names an amount or a wage."""

    name: str
    words: tuple[str, ...]
    is_money: bool = False


def told(terms: Terms, facts: Facts, line: Line, names: Mapping[str, str]) -> tuple[Step, ...]:
    """The steps of a line that `pay.line` made of these terms and facts. `names` are those of metrics and of reasons why
    something was left out; what it lacks is shown as it is called."""
    steps = [
        Step(_("Counted"), _counted(terms, facts, names)),
        Step(_("Target"), _target(terms, facts, line, names)),
    ]
    if line.attainment is None:
        return (*steps, Step(_("Attainment"), (_("Nothing was asked, so there is nothing to be over: 0 is paid."),)))
    steps += [
        Step(_("Attainment"), (_attainment(terms, facts, line),)),
        Step(_("Tier"), (_tier(terms, line),)),
    ]
    if not terms.pays_by_unit:
        steps.append(Step(_("Base"), _base(terms, facts, line), is_money=True))
    steps.append(Step(_("Amount"), (_amount(terms, facts, line),), is_money=True))
    if line.gates:
        steps.append(Step(_("Gates"), tuple(gate_told(each) for each in line.gates)))
    return (*steps, Step(_("Rounding"), _rounding(terms, line), is_money=True))


# -- numbers -------------------------------------------------------------------------------------------------------------


def shown(number: Fraction) -> str:
    """As a decimal; where it has no end, or a long one, cut off after four places."""
    whole = text(number)
    if "/" not in whole and len(whole.partition(".")[2]) <= PLACES:
        return whole
    cut = Decimal(floor(abs(number) * 10**PLACES)).scaleb(-PLACES)
    return f"{'-' if number < 0 else ''}{cut}…"


def percent(share: Fraction) -> str:
    return f"{shown(share * 100)} %"


# -- the steps -----------------------------------------------------------------------------------------------------------


def _counted(terms: Terms, facts: Facts, names: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    for place, (measure, volume) in enumerate(zip(terms.measures, facts.volumes, strict=True)):
        value = percent(volume) if measure.is_ratio else shown(volume)
        if place == 0 and any(facts.excluded.values()):
            out = [f"{shown(much)} ({names.get(why, why)})" for why, much in facts.excluded.items() if much]
            raw = shown(volume + sum(facts.excluded.values(), Fraction(0)))
            value = _("%(raw)s less %(out)s: %(left)s") % {"raw": raw, "out": " + ".join(out), "left": value}
        found.append(_named(names.get(measure.metric, measure.metric), value))
    return tuple(found)


def _target(terms: Terms, facts: Facts, line: Line, names: Mapping[str, str]) -> tuple[str, ...]:
    worked = [day for day in facts.days if day.planned > 0]
    found = []
    for place, measure in enumerate(terms.measures):
        name = names.get(measure.metric, measure.metric)
        if measure.is_ratio:
            found.append(_named(name, percent(line.targets[place])))
            continue
        whole = sum((day.targets[place] for day in worked), Fraction(0))
        asked = [shown(whole), *_moved(terms, worked)]
        value = asked[0] if len(asked) == 1 else f"{', '.join(asked)}: {shown(line.targets[place])}"
        found.append(_named(name, value))
    return tuple(found)


def _moved(terms: Terms, worked: list[Day]) -> list[str]:
    """What lowers or raises the target of these days, in minutes of those planned."""
    words = {
        "leave": _("%(minutes)s min of leave"),
        "training": _("%(minutes)s min of protected training"),
        "coaching": _("%(minutes)s min of coaching"),
        "outage": _("%(minutes)s min of outage"),
        "overtime": _("%(minutes)s min of overtime"),
    }
    sums = {cause: sum((getattr(day, cause) for day in worked), Fraction(0)) for cause in words}
    moved = [
        f"{'+' if cause == 'overtime' else '−'} {words[cause] % {'minutes': shown(minutes)}}"
        for cause, minutes in sums.items()
        if minutes and cause in terms.prorated
    ]
    planned = sum((day.planned for day in worked), Fraction(0))
    if moved:
        moved.insert(0, _("%(minutes)s min planned") % {"minutes": shown(planned)})
    ramps = sorted({day.ramp for day in worked if day.ramp != 1}) if "ramp" in terms.prorated else []
    return moved + [_("%(share)s asked while learning") % {"share": percent(ramp)} for ramp in ramps]


def _attainment(terms: Terms, facts: Facts, line: Line) -> str:
    parts = []
    for measure, volume, target in zip(terms.measures, facts.volumes, line.targets, strict=True):
        write = percent if measure.is_ratio else shown
        share = f"{write(volume)} ÷ {write(target)}"
        parts.append(share if len(terms.measures) == 1 else f"{shown(measure.weight)} × ({share})")
    return f"{' + '.join(parts)} = {percent(line.attainment or Fraction(0))}"


def _edge(terms: Terms, tier: Tier) -> str:
    return shown(tier.start) if terms.edges == "units" else percent(tier.start)


def _tier(terms: Terms, line: Line) -> str:
    if not line.reached:
        first = {"edge": _edge(terms, terms.tiers[0])}
        if terms.boundary == "passed":
            return _("No tier: the first begins above %(edge)s") % first
        return _("No tier: the first begins at %(edge)s") % first
    about = {
        "place": line.reached,
        "all": len(terms.tiers),
        "edge": _edge(terms, terms.tiers[line.reached - 1]),
        "demoted": line.demoted,
        "left": line.reached - line.demoted,
    }
    if terms.boundary == "passed":
        words = _("Tier %(place)d of %(all)d, above %(edge)s") % about
    else:
        words = _("Tier %(place)d of %(all)d, from %(edge)s on") % about
    if not line.demoted:
        return words
    lower = ngettext("a gate takes %(demoted)d off", "gates take %(demoted)d off", line.demoted) % about
    left = _("tier %(left)d counts") % about if about["left"] else _("none counts")
    return f"{words}; {lower}: {left}"


def _base(terms: Terms, facts: Facts, line: Line) -> tuple[str, ...]:
    """Each day's wage where there are few of them; with leave, the share of it that is paid."""
    if len(facts.days) > 7:
        count = len(facts.days)
        days = ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
        return (f"{days}: {shown(line.base)}",)
    parts = []
    for day in facts.days:
        wage = shown(day.wage)
        if "leave" in terms.prorated and day.leave and day.planned > 0:
            wage += f" × {shown(max(day.planned - day.leave, Fraction(0)))} ÷ {shown(day.planned)}"
        parts.append(wage)
    sums = " + ".join(parts)
    return (sums if sums == shown(line.base) else f"{sums} = {shown(line.base)}",)


def _amount(terms: Terms, facts: Facts, line: Line) -> str:
    if not terms.pays_by_unit:
        return f"{shown(line.base)} × {percent(line.rate or Fraction(0))} = {shown(line.gross)}"
    tiers = terms.tiers[: line.reached - line.demoted]
    if not tiers:
        return "0"
    volume = facts.volumes[0]
    if terms.kind is Kind.WHOLE_VOLUME:
        return f"{shown(volume)} × {shown(tiers[-1].pays)} = {shown(line.gross)}"
    edge = Fraction(1) if terms.edges == "units" else line.targets[0]
    ends = [tier.start * edge for tier in tiers[1:]] + [volume]
    parts = [f"{shown(end - tier.start * edge)} × {shown(tier.pays)}" for tier, end in zip(tiers, ends, strict=True)]
    return f"{' + '.join(parts)} = {shown(line.gross)}"


def gate_told(result: GateResult) -> str:
    """A gate with its fraction, and how many it takes: "Satisfaction: 95 of 100, 90 % needs 90; met"."""
    names = {
        "satisfaction": _("Satisfaction"),
        "closure": _("Closure"),
        "critical": _("Critical failures of quality"),
        "certificate": _("Security certificate"),
    }
    return _named(names[result.gate.of], f"{_seen(result)}; {_verdict(result)}")


def _seen(result: GateResult) -> str:
    gate, sample = result.gate, result.sample
    if gate.of == "critical":
        return str(sample.good if sample else 0)
    if gate.of == "certificate":
        return _("valid") if result.is_met else _("not valid")
    if result.source == "lifted":
        return _("lifted for this line, as two people agreed")
    if result.source == "waived":
        return _("%(all)d cases, fewer than %(smallest)d: passed over") % _small(result)
    if result.source == "none" or sample is None:
        return _("%(all)d cases, fewer than %(smallest)d, and nothing stands in for them") % _small(result)
    about = {"good": sample.good, "all": sample.all, "share": percent(gate.at_least), "needed": result.needed}
    if result.source == "rolling":
        return _("%(good)d of %(all)d in 28 days, %(share)s needs %(needed)d") % about
    if result.source == "team":
        return _("%(good)d of %(all)d in the team, %(share)s needs %(needed)d") % about
    return _("%(good)d of %(all)d, %(share)s needs %(needed)d") % about


def _small(result: GateResult) -> dict[str, int]:
    return {"all": result.sample.all if result.sample else 0, "smallest": max(result.gate.smallest, 1)}


def _verdict(result: GateResult) -> str:
    if result.is_met:
        return _("met")
    if result.gate.effect is Effect.FACTOR:
        return _("not met, × %(factor)s") % {"factor": shown(result.gate.factor)}
    return {
        Effect.ZERO: _("not met, nothing is paid"),
        Effect.DEMOTE: _("not met, one tier less"),
        Effect.HOLD: _("not met; decided when the data is final"),
    }[result.gate.effect]


def _rounding(terms: Terms, line: Line) -> tuple[str, ...]:
    modes = {
        "half_up": _("half up to %(unit)s"),
        "half_even": _("half to even, to %(unit)s"),
        "down": _("down to %(unit)s"),
    }
    how = modes[terms.rounding.mode] % {"unit": terms.rounding.unit}
    words = f"{how}: {line.amount} {terms.currency}"
    if not line.withheld:
        return (words,)
    held = _("%(amount)s %(currency)s waits until the data is final")
    return (words, held % {"amount": line.withheld, "currency": terms.currency})


def _named(name: str, value: str) -> str:
    return _("%(name)s: %(value)s") % {"name": name, "value": value}
