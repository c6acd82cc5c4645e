"""Terms in words, for whoever reads or compares them."""

from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from incentives.plain.statement import percent, shown
from incentives.plain.terms import Effect, Fallback, Gate, Kind, Terms, Tier
from performance.metrics import METRICS

PERIODS = {
    "shift_day": gettext_lazy("each day"), "week": gettext_lazy("each week"), "month": gettext_lazy("each month"),
}  # fmt: skip
KINDS = {
    Kind.STEP: gettext_lazy("in steps"), Kind.INTERPOLATED: gettext_lazy("evenly between the edges"),
    Kind.MARGINAL: gettext_lazy("each unit by the tier it lies in"),
    Kind.WHOLE_VOLUME: gettext_lazy("all units by the tier that was reached"),
}  # fmt: skip
GATE_NAMES = {
    "satisfaction": gettext_lazy("Satisfaction"), "closure": gettext_lazy("Closure"),
    "critical": gettext_lazy("Critical failures of quality"), "certificate": gettext_lazy("Security certificate"),
}  # fmt: skip
EFFECTS = {
    Effect.ZERO: gettext_lazy("nothing is paid"), Effect.DEMOTE: gettext_lazy("one tier less"),
    Effect.FACTOR: gettext_lazy("a part is paid"), Effect.HOLD: gettext_lazy("waits until the data is final"),
}  # fmt: skip
FALLBACKS = {
    Fallback.ROLLING: gettext_lazy("the last 28 days"), Fallback.TEAM: gettext_lazy("the team"),
    Fallback.WAIVE: gettext_lazy("passed over"), Fallback.FAIL: gettext_lazy("not met"),
}  # fmt: skip
CAUSES = {
    "leave": gettext_lazy("leave"), "training": gettext_lazy("protected training"), "coaching": gettext_lazy("coaching"),
    "outage": gettext_lazy("outage"), "overtime": gettext_lazy("overtime"), "ramp": gettext_lazy("learning"),
}  # fmt: skip
LACKS = {
    "no_wage": gettext_lazy("no wage is entered for a day of the line"),
    "other_currency": gettext_lazy("the wage is in another currency than the plan"),
    "no_schedule": gettext_lazy("no roster says how many days the month has"),
}


def metric_names() -> dict[str, str]:
    return {metric.id: str(metric.label) for metric in METRICS.values()} | {"reopened": _("opened again")}


def money(amount: Decimal) -> str:
    """Two places at least, and as many more as the amount has: 1,631.25."""
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents:,f}" if cents == amount else f"{amount.normalize():,f}"


def edge(terms: Terms, tier: Tier) -> str:
    return shown(tier.start) if terms.edges == "units" else percent(tier.start)


def pays(terms: Terms, tier: Tier) -> str:
    if terms.pays_by_unit:
        return _("%(amount)s %(currency)s a unit") % {"amount": shown(tier.pays), "currency": terms.currency}
    return _("%(share)s of a day's wage") % {"share": percent(tier.pays)}


def tiers(terms: Terms) -> str:
    word = _("above %(edge)s: %(pays)s") if terms.boundary == "passed" else _("from %(edge)s: %(pays)s")
    return "; ".join(word % {"edge": edge(terms, tier), "pays": pays(terms, tier)} for tier in terms.tiers)


def gate_words(gate: Gate) -> str:
    name, effect = GATE_NAMES[gate.of], str(EFFECTS[gate.effect])
    if gate.effect is Effect.FACTOR:
        effect = _("× %(factor)s is paid") % {"factor": shown(gate.factor)}
    if gate.of not in ("satisfaction", "closure"):
        return _("%(name)s, else %(effect)s") % {"name": name, "effect": effect}
    told = {
        "name": name, "share": percent(gate.at_least), "smallest": gate.smallest, "fallback": FALLBACKS[gate.fallback],
        "effect": effect,
    }  # fmt: skip
    return _("%(name)s at least %(share)s (below %(smallest)d cases: %(fallback)s), else %(effect)s") % told


def in_words(terms: Terms) -> dict[str, str]:
    """Every choice of the terms by its name, in the order in which they are read."""
    names = metric_names()
    measures = [
        names.get(each.metric, each.metric) + ("" if len(terms.measures) == 1 else f" × {shown(each.weight)}")
        for each in terms.measures
    ]
    counts = ", ".join(
        f"{word} × {shown(terms.counts_as[kind])}"
        for kind, word in (("simple", _("simple")), ("complex", _("complex")))
    )
    cap = {
        "none": _("none"),
        "amount": f"{shown(terms.cap.value)} {terms.currency}",
        "monthly_base": _("%(share)s of the monthly base") % {"share": percent(terms.cap.value)},
    }[terms.cap.of]
    if terms.cap.of != "none":
        cap += ", " + (_("the rest is carried over") if terms.cap.excess == "carried" else _("the rest is lost"))
    return {
        _("Measure"): " + ".join(measures),
        _("Counts as"): counts,
        _("Left out"): ", ".join(names.get(each, each) for each in sorted(terms.excluded)) or _("nothing"),
        _("Measured"): str(PERIODS[terms.period]),
        _("Kind"): str(KINDS[terms.kind]) + (_(", added up") if terms.stacked else ""),
        _("Tiers"): tiers(terms),
        _("Gates"): "; ".join(gate_words(gate) for gate in terms.gates) or _("none"),
        _("Lowers or raises the target"): _causes(terms),
        _("Whole day"): _("%(minutes)d min") % {"minutes": terms.day_minutes},
        _("Cap"): cap,
        _("Rounding"): _rounding(terms),
        _("A monthly wage by the day"): _("÷ 21.75") if terms.monthly_by == "statutory" else _("÷ days of the roster"),
        _("Late facts"): _("final after %(days)d days") % {"days": terms.late_days},
        _("Disputes"): _("for %(days)d days after the month") % {"days": terms.dispute_days},
    }


def _causes(terms: Terms) -> str:
    return ", ".join(str(word) for cause, word in CAUSES.items() if cause in terms.prorated) or _("nothing")


def _rounding(terms: Terms) -> str:
    modes = {"half_up": _("half up"), "half_even": _("half to even"), "down": _("down")}
    return f"{modes[terms.rounding.mode]}, {terms.rounding.unit} {terms.currency}"
