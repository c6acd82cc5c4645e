"""The terms of a plan as a form: every choice of `incentives.plain.terms` is a field that shows its value, none is assumed.

Shares are typed as percent, since people say "20 % of a day's wage"; they are kept as exact texts. Where a tier begins the one
before it ends, so the form asks for its beginning alone. What the form cannot hold it refuses to open, so that nothing is lost
by looking at it. Whether the choices fit together is judged by `services.plans.checked`, whose sentences stand above the form.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incentives.plain.periods import DAY, month_of
from incentives.plain.terms import CAUSES, GATES, RATIOS, Effect, Fallback, Kind, text
from incentives.services.plans import fitting_metrics
from incentives.words import CAUSES as CAUSE_NAMES
from incentives.words import EFFECTS, FALLBACKS, GATE_NAMES, KINDS, PERIODS
from teams.edges.verbs import DayField, ReasonField, VerbForm
from teams.errors import Refused

TIERS, MEASURES = 8, 3
BY_UNIT = (Kind.MARGINAL.value, Kind.WHOLE_VOLUME.value)

# The plan of the brief: over target by 10 % pays 20 % of the daily wage, by 20 % pays 50 %.
BRIEF: dict[str, Any] = {
    "measures": [{"metric": "volume", "weight": "1", "is_ratio": False}], "period": "shift_day", "kind": "step",
    "edges": "attainment", "boundary": "reached", "stacked": False,
    "tiers": [{"from": "1.1", "to": "1.2", "pays": "0.2"}, {"from": "1.2", "to": None, "pays": "0.5"}],
    "gates": [
        {"of": of, "at_least": "0.9", "smallest": 5, "fallback": "rolling", "effect": "zero", "factor": None}
        for of in RATIOS
    ],
    "proration": dict.fromkeys(CAUSES, True), "cap": {"of": "none", "value": None, "excess": "lost"},
    "rounding": {"unit": "0.01", "mode": "half_up"}, "currency": "CNY", "monthly_by": "statutory", "late_days": 7,
    "dispute_days": 10, "complexity": {"simple": "1", "complex": "1"}, "exclude": {"reopened": True}, "day_minutes": 480,
}  # fmt: skip


@dataclass(frozen=True)
class Block:
    """Fields that are read together, in rows."""

    title: Any
    hint: Any
    rows: Sequence[Sequence[Any]]
    is_numbered: bool = False


def _number(label: Any, **more: Any) -> forms.DecimalField:
    """Exact as typed: up to fifteen digits, six of them after the point."""
    widget = forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})
    more.setdefault("required", False)
    return forms.DecimalField(label=label, max_digits=15, decimal_places=6, min_value=0, widget=widget, **more)


def _whole(label: Any, most: int, *, least: int = 0, **more: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, max_value=most, **more)


class TermsForm(VerbForm):
    """The choices that every plan makes once; `DraftForm` below adds those that come in rows. `wish()` are the terms as
    `incentives.plain.terms` reads them, the day they hold from, and why."""

    since = DayField(label=_("holds from"), help_text=_("The first day that is paid by it: tomorrow or later."))
    period = forms.ChoiceField(label=_("measured"), choices=list(PERIODS.items()))
    complexity_simple = _number(_("a simple contact counts as"), required=True)
    complexity_complex = _number(_("a complex contact counts as"), required=True)
    exclude_reopened = forms.BooleanField(label=_("contacts opened again are left out"), required=False)
    day_minutes = _whole(_("minutes of a whole day"), 1440, least=1, help_text=_("Where no roster says otherwise."))

    kind = forms.ChoiceField(
        label=_("kind"), choices=[(kind.value, words) for kind, words in KINDS.items()],
        help_text=_("The first two pay a share of a day's wage, the others an amount for each unit."),
    )  # fmt: skip
    edges = forms.ChoiceField(
        label=_("tiers begin at"),
        choices=[("attainment", _("a share of the target")), ("units", _("a number of units"))],
    )
    boundary = forms.ChoiceField(
        label=_("a tier is reached"), choices=[("reached", _("at its edge")), ("passed", _("above its edge"))]
    )
    stacked = forms.ChoiceField(
        label=_("tiers"), choices=[("no", _("exclusive: the highest one pays")), ("yes", _("added up"))]
    )

    cap_of = forms.ChoiceField(
        label=_("cap of a month"),
        choices=[("none", _("none")), ("amount", _("an amount")), ("monthly_base", _("a share of the monthly base"))],
    )
    cap_value = _number(
        _("of how much"), help_text=_("An amount, or percent of the monthly base. Empty without a cap.")
    )
    cap_excess = forms.ChoiceField(
        label=_("what is over the cap"), choices=[("lost", _("is lost")), ("carried", _("is carried over"))]
    )
    rounding_unit = _number(_("amounts are rounded to"), required=True)
    rounding_mode = forms.ChoiceField(
        label=_("rounded"),
        choices=[("half_up", _("half up")), ("half_even", _("half to even")), ("down", _("down"))],
    )
    currency = forms.CharField(label=_("currency"), max_length=3, help_text=_("Three letters, as in CNY."))
    monthly_by = forms.ChoiceField(
        label=_("a monthly wage by the day"),
        choices=[("statutory", _("÷ 21.75")), ("scheduled", _("÷ days of the roster"))],
    )
    late_days = _whole(_("final after days"), 366, help_text=_("Until then figures of a day may still change."))
    dispute_days = _whole(_("disputes for days"), 366, help_text=_("After the end of the month."))
    reason = ReasonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        figures = [(name, metric.label) for name, metric in fitting_metrics().items()]
        for place in range(1, MEASURES + 1):
            own: Any = self.fields[f"m{place}_metric"]
            own.choices = figures if place == 1 else [("", _("none")), *figures]

    # -- for the page ------------------------------------------------------------------------------------------------------

    def blocks(self) -> Iterator[Block]:
        measures = [self._of("m{}_metric m{}_weight", place) for place in range(1, MEASURES + 1)]
        tiers = [self._of("t{}_from t{}_pays", place) for place in range(1, TIERS + 1)]
        yield Block(_("From when"), "", [self._of("since period")])
        yield Block(
            _("What is measured"), _("Weights come to 100 %. One figure: 100."),
            [*measures, self._of("complexity_simple complexity_complex day_minutes"), self._of("exclude_reopened")],
        )  # fmt: skip
        yield Block(_("How tiers pay"), "", [self._of("kind edges boundary stacked")])
        yield Block(
            _("Tiers"),
            _(
                "From the lowest to the highest; each one ends where the next begins, the last one is open. “From” is percent "
                "of the target (110: ten percent over) or a number of units; “pays” is percent of a day's wage or an amount "
                "a unit."
            ),
            tiers,
            is_numbered=True,
        )
        for of in GATES:
            names = [name for name in self.fields if name.startswith(f"g_{of}_")]
            yield Block(GATE_NAMES[of], "", [[self[names[0]]], [self[name] for name in names[1:]]])
        yield Block(
            _("What lowers or raises the target"), _("Without a tick it leaves the target as it is."),
            [[self[f"p_{cause}"] for cause in CAUSES]],
        )  # fmt: skip
        yield Block(_("Cap"), "", [self._of("cap_of cap_value cap_excess")])
        yield Block(_("Money"), "", [self._of("currency rounding_unit rounding_mode monthly_by")])
        yield Block(_("Late figures and disputes"), "", [self._of("late_days dispute_days")])
        yield Block(_("Why"), "", [self._of("reason")])

    def _of(self, names: str, place: int | str = "") -> list[Any]:
        return [self[name.format(place)] for name in names.split()]

    # -- to terms ----------------------------------------------------------------------------------------------------------

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        wish = super().clean() or {}
        needed = []
        for place in range(1, MEASURES + 1):
            if wish.get(f"m{place}_metric"):
                needed.append(f"m{place}_weight")
        for place in range(1, TIERS + 1):
            ends = [f"t{place}_from", f"t{place}_pays"]
            if any(wish.get(name) is not None for name in ends):
                needed += ends
        for of in GATES:
            if wish.get(f"g_{of}_on"):
                needed += [f"g_{of}_at_least", f"g_{of}_smallest"] if of in RATIOS else []
                needed += [f"g_{of}_factor"] if wish.get(f"g_{of}_effect") == Effect.FACTOR else []
        if wish.get("cap_of") not in (None, "none"):
            needed.append("cap_value")
        for name in needed:
            if wish.get(name) is None and name not in self.errors:
                self.add_error(name, _("This is needed here: nothing is assumed."))
        return wish

    def wish(self) -> dict[str, Any]:
        return {
            "terms": self._terms(self.cleaned_data),
            "since": self.cleaned_data["since"],
            "reason": self.cleaned_data["reason"],
        }

    def _terms(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        known = fitting_metrics()
        by_unit, by_edges = wish["kind"] in BY_UNIT, wish["edges"] == "units"
        chosen = [place for place in range(1, MEASURES + 1) if wish[f"m{place}_metric"]]
        return {
            "measures": [
                {
                    "metric": wish[f"m{place}_metric"], "weight": _share(wish[f"m{place}_weight"]),
                    "is_ratio": known[wish[f"m{place}_metric"]].denominator is not None,
                }
                for place in chosen
            ],
            "period": wish["period"], "kind": wish["kind"], "edges": wish["edges"], "boundary": wish["boundary"],
            "stacked": wish["stacked"] == "yes",
            "tiers": _tiers(wish, _plain if by_edges else _share, _plain if by_unit else _share),
            "gates": [_gate(wish, of) for of in GATES if wish[f"g_{of}_on"]],
            "proration": {cause: wish[f"p_{cause}"] for cause in CAUSES},
            "cap": {
                "of": wish["cap_of"], "excess": wish["cap_excess"],
                "value": None if wish["cap_of"] == "none" else
                (_plain if wish["cap_of"] == "amount" else _share)(wish["cap_value"]),
            },
            "rounding": {"unit": _plain(wish["rounding_unit"]), "mode": wish["rounding_mode"]},
            "currency": wish["currency"], "monthly_by": wish["monthly_by"], "late_days": wish["late_days"],
            "dispute_days": wish["dispute_days"],
            "complexity": {name: _plain(wish[f"complexity_{name}"]) for name in ("simple", "complex")},
            "exclude": {"reopened": wish["exclude_reopened"]}, "day_minutes": wish["day_minutes"],
        }  # fmt: skip


def _rows() -> dict[str, forms.Field]:
    """The fields that come by number or by name: measures, tiers, gates, what moves the target."""
    made: dict[str, forms.Field] = {}
    for place in range(1, MEASURES + 1):
        made[f"m{place}_metric"] = forms.ChoiceField(label=_("figure"), required=False)
        made[f"m{place}_weight"] = _number(_("weight, percent"))
    for place in range(1, TIERS + 1):
        made[f"t{place}_from"] = _number(_("from"))
        made[f"t{place}_pays"] = _number(_("pays"))
    effects = [(effect.value, words) for effect, words in EFFECTS.items()]
    for of in GATES:
        made[f"g_{of}_on"] = forms.BooleanField(label=_("this gate counts"), required=False)
        if of in RATIOS:
            made[f"g_{of}_at_least"] = _number(_("at least, percent"))
            made[f"g_{of}_smallest"] = _whole(_("smallest sample"), 100_000, required=False)
            made[f"g_{of}_fallback"] = forms.ChoiceField(
                label=_("below it"), choices=[(each.value, words) for each, words in FALLBACKS.items()]
            )
        made[f"g_{of}_effect"] = forms.ChoiceField(label=_("if it is not met"), choices=effects)
        made[f"g_{of}_factor"] = _number(_("part that is paid, percent"), help_text=_("Only where a part is paid."))
    for cause in CAUSES:
        made[f"p_{cause}"] = forms.BooleanField(label=CAUSE_NAMES[cause], required=False)
    return made


DraftForm: type[TermsForm] = type("DraftForm", (TermsForm,), _rows())


def _plain(number: Decimal) -> str:
    return text(Fraction(number))


def _share(percent: Decimal) -> str:
    return text(Fraction(percent) / 100)


def _tiers(wish: Mapping[str, Any], start: Any, pays: Any) -> list[dict[str, Any]]:
    filled = [place for place in range(1, TIERS + 1) if wish[f"t{place}_from"] is not None]
    starts = [start(wish[f"t{place}_from"]) for place in filled]
    return [
        {"from": begins, "to": ends, "pays": pays(wish[f"t{place}_pays"])}
        for place, begins, ends in zip(filled, starts, [*starts[1:], None], strict=True)
    ]


def _gate(wish: Mapping[str, Any], of: str) -> dict[str, Any]:
    is_ratio, effect = of in RATIOS, wish[f"g_{of}_effect"]
    return {
        "of": of, "at_least": _share(wish[f"g_{of}_at_least"]) if is_ratio else None,
        "smallest": wish[f"g_{of}_smallest"] if is_ratio else 0,
        "fallback": wish[f"g_{of}_fallback"] if is_ratio else Fallback.FAIL.value, "effect": effect,
        "factor": _share(wish[f"g_{of}_factor"]) if effect == Effect.FACTOR else None,
    }  # fmt: skip


# -- from terms ------------------------------------------------------------------------------------------------------------


def filled(terms: Mapping[str, Any], since: date | None = None) -> dict[str, Any]:
    """The values of the form for terms; `since`: the first day of the next month where nothing else is said.

    Raises Refused: too_large, where the form cannot hold them.
    """
    if len(terms["tiers"]) > TIERS or len(terms["measures"]) > MEASURES:
        raise Refused(
            "too_large",
            _("These terms have more tiers or figures than this page holds. Draft the next version over the API."),
        )
    by_unit, by_edges = terms["kind"] in BY_UNIT, terms["edges"] == "units"
    values: dict[str, Any] = {
        "since": since or month_of(timezone.localdate()).last + DAY,
        "stacked": "yes" if terms["stacked"] else "no",
        "exclude_reopened": terms["exclude"]["reopened"],
        "rounding_unit": terms["rounding"]["unit"],
        "rounding_mode": terms["rounding"]["mode"],
        "cap_of": terms["cap"]["of"],
        "cap_excess": terms["cap"]["excess"] or "lost",
        "cap_value": _typed(terms["cap"]["value"], terms["cap"]["of"] == "monthly_base"),
    }
    same = ("period", "kind", "edges", "boundary", "currency", "monthly_by", "late_days", "dispute_days", "day_minutes")
    values |= {name: terms[name] for name in same}
    values |= {f"complexity_{name}": number for name, number in terms["complexity"].items()}
    values |= {f"p_{cause}": chosen for cause, chosen in terms["proration"].items()}
    for place, measure in enumerate(terms["measures"], 1):
        values |= {f"m{place}_metric": measure["metric"], f"m{place}_weight": _typed(measure["weight"], True)}
    for place, tier in enumerate(terms["tiers"], 1):
        values[f"t{place}_from"] = _typed(tier["from"], not by_edges)
        values[f"t{place}_pays"] = _typed(tier["pays"], not by_unit)
    gates = {gate["of"]: gate for gate in terms["gates"]}
    for of in GATES:
        values |= _filled_gate(of, gates.get(of))
    return values


def _filled_gate(of: str, gate: Mapping[str, Any] | None) -> dict[str, Any]:
    """One that does not count shows what it would begin with."""
    shown = gate or {"at_least": "0.9", "smallest": 5, "fallback": "rolling", "effect": "zero", "factor": None}
    values = {
        "on": gate is not None, "effect": shown["effect"], "factor": _typed(shown["factor"], True),
        "at_least": _typed(shown["at_least"], True), "smallest": shown["smallest"], "fallback": shown["fallback"],
    }  # fmt: skip
    return {f"g_{of}_{name}": value for name, value in values.items()}


def _typed(number: str | None, is_share: bool) -> str | None:
    if number is None:
        return None
    return text(Fraction(number) * 100) if is_share else text(Fraction(number))
