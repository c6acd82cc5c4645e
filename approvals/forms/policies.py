"""Rules of a policy as a form that a supervisor can fill in: names and choices in, a definition as `approvals.plain.policy`
reads it out.

The form holds up to eight rules of up to three conditions and three steps. What it cannot hold it refuses to open, so that
nothing is lost by looking at it. Whether rules are right `approvals.plain.policy.read` says; its sentences name the rule.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from django import forms
from django.contrib.auth.models import Group
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from approvals import sentences
from approvals.kinds import Fact, Kind
from approvals.plain.policy import read
from approvals.plain.worktime import Timetable
from teams.clock import zone_names
from teams.edges.verbs import VerbForm
from teams.grants import known_people
from teams.models import User
from teams.scoping import Grant, shown

RULES, CONDITIONS, STEPS = 8, 3, 3
LAST = "last"
HIGHEST_LEVEL = 5
MOST_NAMES = 300  # offered while typing a log-in name; others can be typed as well
BETWEEN_SPANS = re.compile(r"[,，、;；]")
WITHIN_SPAN = re.compile(r"\s*(?:-|–|—|~|～|至|to)\s*")


class TooLarge(Exception):
    """A policy that was not written here and does not fit: the sentence says why."""


@dataclass(frozen=True)
class StepBlock:
    number: int
    fields: Sequence[Any]
    is_filled: bool


@dataclass(frozen=True)
class RuleBlock:
    """The fields of one rule in the order of reading."""

    prefix: str
    number: int
    name: Any
    conditions: Sequence[Sequence[Any]]
    outcome: Any
    reason: Any
    steps: Sequence[StepBlock]
    is_filled: bool
    is_last: bool


class RulesForm(VerbForm):
    """`team` and `kind` are settled before: they decide which facts and people are offered."""

    remind = forms.IntegerField(label=_("remind after"), required=False, min_value=1, help_text=_("business minutes"))
    escalate = forms.IntegerField(
        label=_("hand up after"), required=False, min_value=1, help_text=_("business minutes")
    )
    most_escalations = forms.IntegerField(label=_("hand up at most"), initial=2, min_value=0, max_value=10)
    expire = forms.IntegerField(label=_("run out after"), required=False, min_value=1, help_text=_("business minutes"))
    at_expiry = forms.ChoiceField(label=_("when it runs out"), choices=list(sentences.AT_EXPIRY.items()))
    zone = forms.ChoiceField(label=_("time zone of business time"), required=False)

    kind: ClassVar[Kind]  # that of the class made by `rules_form`

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = [(name, name) for name in sorted(zone_names())]
        self.fields["zone"].choices = [("", _("round the clock")), *zones]  # type: ignore[attr-defined]

    # -- for the page ------------------------------------------------------------------------------------------------------

    def blocks(self) -> Iterator[RuleBlock]:
        for number in range(RULES):
            yield self._block(f"r{number}", number + 1)
        yield self._block(LAST, 0)

    def _block(self, prefix: str, number: int) -> RuleBlock:
        is_last = prefix == LAST
        steps = [self._step_block(f"{prefix}_s{place}", place + 1) for place in range(STEPS)]
        conditions = (
            []
            if is_last
            else [
                [self[f"{prefix}_c{place}_{part}"] for part in ("fact", "is", "value")] for place in range(CONDITIONS)
            ]
        )
        return RuleBlock(
            prefix, number, None if is_last else self[f"{prefix}_name"], conditions, self[f"{prefix}_outcome"],
            self[f"{prefix}_reason"], steps, is_last or bool(self[f"{prefix}_outcome"].value()), is_last,
        )  # fmt: skip

    def _step_block(self, prefix: str, number: int) -> StepBlock:
        fields = [self[f"{prefix}_{part}"] for part in STEP_PARTS]
        return StepBlock(number, fields, bool(self[f"{prefix}_source"].value()))

    def week(self) -> list[Any]:
        return [self[f"day{day}"] for day in range(7)]

    def clock_fields(self) -> list[Any]:
        return [self[name] for name in ("remind", "escalate", "most_escalations", "expire", "at_expiry")]

    def people(self) -> list[tuple[str, str]]:
        """Log-in and name of those who are offered while a person is typed."""
        rows = known_people(self.user).filter(is_active=True, is_staff=True).order_by("full_name", "username")
        return [(row.username, str(row)) for row in rows[:MOST_NAMES]]

    # -- to a definition ---------------------------------------------------------------------------------------------------

    def clean(self) -> dict[str, Any]:
        wish = super().clean() or {}
        self.definition: dict[str, Any] = {}
        if self.errors:
            return wish
        try:
            self.definition = self._definition(wish)
            read(self.definition, self.kind.facts)
        except ValueError as error:
            self.add_error(None, str(error))
        return wish

    def _definition(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        rules = [
            self._rule(wish, f"r{number}", number + 1) for number in range(RULES) if wish.get(f"r{number}_outcome")
        ]
        made: dict[str, Any] = {"rules": rules, "otherwise": self._rule(wish, LAST, 0)}
        made["clock"] = {
            "remind": wish["remind"], "escalate": wish["escalate"], "expire": wish["expire"],
            "at_expiry": wish["at_expiry"], "most_escalations": wish["most_escalations"],
        }  # fmt: skip
        if wish["zone"]:
            week = [_spans(wish[f"day{day}"], str(sentences.DAYS[day])) for day in range(7)]
            made["timetable"] = {"zone": wish["zone"], "week": week}
        return made

    def _rule(self, wish: Mapping[str, Any], prefix: str, number: int) -> dict[str, Any]:
        where = _("rule %(number)d") % {"number": number} if number else _("the last word")
        made: dict[str, Any] = {"outcome": wish[f"{prefix}_outcome"]}
        if wish[f"{prefix}_reason"]:
            made["reason"] = wish[f"{prefix}_reason"]
        if number:
            made["name"] = wish[f"{prefix}_name"]
            made["when"] = [
                self._condition(wish, f"{prefix}_c{place}", str(where))
                for place in range(CONDITIONS)
                if wish[f"{prefix}_c{place}_fact"]
            ]
        if made["outcome"] == "steps":
            made["steps"] = [
                self._step(wish, f"{prefix}_s{place}", str(where))
                for place in range(STEPS)
                if wish[f"{prefix}_s{place}_source"]
            ]
        return made

    def _condition(self, wish: Mapping[str, Any], prefix: str, where: str) -> dict[str, Any]:
        fact = next(each for each in self.kind.facts if each.name == wish[f"{prefix}_fact"])
        comparison, typed = wish[f"{prefix}_is"], wish[f"{prefix}_value"].strip()
        if not typed:
            raise ValueError(
                _("In %(where)s say what “%(fact)s” is compared with.") % {"where": where, "fact": fact.title}
            )
        if comparison == "among":
            value: Any = [_value(part.strip(), fact) for part in BETWEEN_SPANS.split(typed) if part.strip()]
        else:
            value = _value(typed, fact)
        return {"fact": fact.name, "is": comparison, "value": value}

    def _step(self, wish: Mapping[str, Any], prefix: str, where: str) -> dict[str, Any]:
        made = {
            "mode": wish[f"{prefix}_mode"],
            "source": self._source(wish[f"{prefix}_source"], wish[f"{prefix}_person"], where),
            "may_repeat": wish[f"{prefix}_may_repeat"],
        }
        if made["mode"] == "quorum":
            made["needed"] = wish[f"{prefix}_needed"] or 1
        if wish[f"{prefix}_fallback"]:
            made["fallback"] = self._source(wish[f"{prefix}_fallback"], wish[f"{prefix}_fallback_person"], where)
        return made

    def _source(self, chosen: str, username: str, where: str) -> dict[str, Any]:
        kind, _colon, which = chosen.partition(":")
        if kind == "grant":
            return {"is": "grant", "grant": which}
        if kind == "lead_above":
            return {"is": "lead_above", "level": int(which)}
        if kind == "group":
            return {"is": "group", "group": int(which)}
        if kind == "on_duty":
            return {"is": "on_duty"}
        person = known_people(self.user).filter(username=username.strip(), is_active=True).first() if username else None
        if person is None:
            raise ValueError(
                _("In %(where)s nobody known to you has the log-in name “%(name)s”.")
                % {"where": where, "name": username}
            )
        return {"is": "person", "user": person.pk}


def rules_form(kind: Kind, user: Any) -> type[RulesForm]:
    """The form for the facts of a kind, and for the groups that `user` may name."""
    sources = _sources(user)
    fields: dict[str, Any] = {}
    for prefix in [*(f"r{number}" for number in range(RULES)), LAST]:
        fields |= _rule_fields(prefix, kind, sources)
    return type("RulesFormOfKind", (RulesForm,), {**fields, **_week_fields(), "kind": kind})


STEP_PARTS = ("mode", "needed", "source", "person", "fallback", "fallback_person", "may_repeat")


def _rule_fields(prefix: str, kind: Kind, sources: Sequence[Any]) -> dict[str, forms.Field]:
    is_last = prefix == LAST
    outcomes = list(sentences.OUTCOMES.items())
    made: dict[str, forms.Field] = {}
    if not is_last:
        made[f"{prefix}_name"] = forms.CharField(label=_("name of the rule"), max_length=100, required=False)
        facts = [("", "–"), *((fact.name, _fact_title(fact)) for fact in kind.facts)]
        for place in range(CONDITIONS):
            stem = f"{prefix}_c{place}"
            made[f"{stem}_fact"] = forms.ChoiceField(label=_("if"), choices=facts, required=False)
            made[f"{stem}_is"] = forms.ChoiceField(
                label=_("compares"), choices=list(sentences.COMPARISONS.items()), required=False, initial="at_most"
            )
            made[f"{stem}_value"] = forms.CharField(label=_("with"), max_length=300, required=False)
        outcomes = [("", _("not used")), *outcomes]
    made[f"{prefix}_outcome"] = forms.ChoiceField(label=_("then"), choices=outcomes, required=is_last)
    made[f"{prefix}_reason"] = forms.CharField(
        label=_("why, for who asked"),
        max_length=300,
        required=False,
        help_text=_("Needed where it is refused at once."),
    )
    modes, asked = list(sentences.MODES.items()), [("", _("no step")), *sources]
    instead = [("", _("the lead of the next team above")), *sources]
    for place in range(STEPS):
        stem = f"{prefix}_s{place}"
        made[f"{stem}_mode"] = forms.ChoiceField(label=_("who has to agree"), choices=modes, required=False)
        made[f"{stem}_needed"] = forms.IntegerField(label=_("how many"), min_value=1, max_value=20, required=False)
        made[f"{stem}_source"] = forms.ChoiceField(label=_("who is asked"), choices=asked, required=False)
        made[f"{stem}_person"] = _login()
        made[f"{stem}_fallback"] = forms.ChoiceField(label=_("and if that is nobody"), choices=instead, required=False)
        made[f"{stem}_fallback_person"] = _login()
        made[f"{stem}_may_repeat"] = forms.BooleanField(
            label=_("whoever agreed in the step before has agreed here too"), required=False
        )
    return made


def _login() -> forms.CharField:
    return forms.CharField(
        label=_("log-in name, for one person"), max_length=150, required=False,
        widget=forms.TextInput(attrs={"list": "people", "autocomplete": "off"}),
    )  # fmt: skip


def _week_fields() -> dict[str, forms.Field]:
    return {f"day{day}": forms.CharField(label=sentences.DAYS[day], max_length=120, required=False) for day in range(7)}


def _fact_title(fact: Fact) -> str:
    return f"{fact.title} ({fact.unit})" if fact.unit else str(fact.title)


def _sources(user: Any) -> list[tuple[str, Any]]:
    grants = [
        (f"grant:{grant.label}", _("whoever holds %(grant)s on the team or above") % {"grant": grant.label})
        for grant in Grant
    ]
    above = [
        (f"lead_above:{level}", sentences.source(sentences.Source("lead_above", level=level), sentences.Names()))
        for level in range(1, HIGHEST_LEVEL + 1)
    ]
    groups = [
        (f"group:{group.pk}", _("the group %(name)s") % {"name": group.name})
        for group in shown(Group.objects.order_by("name"), user)
    ]
    return [
        *grants,
        *above,
        ("on_duty", sentences.SOURCES["on_duty"]),
        ("person", sentences.SOURCES["person"]),
        *groups,
    ]


def _value(typed: str, fact: Fact) -> Any:
    """What was typed, as rules keep it: numbers as numbers, a choice by its value or its title."""
    for value, title in fact.choices:
        if typed.casefold() in (str(value).casefold(), str(title).casefold()):
            return value
    if not fact.is_number:
        return typed
    try:
        number = Decimal(typed)
    except InvalidOperation:
        return typed  # `read` says which number is none
    return (
        int(number) if number.is_finite() and number == number.to_integral_value() and abs(number) < 10**15 else typed
    )


def _spans(typed: str, day: str) -> list[list[str]]:
    """Spans as typed, "09:00-12:00, 13:00-18:00". Raises ValueError naming the day."""
    spans = []
    for part in BETWEEN_SPANS.split(typed.replace("：", ":")):
        if not part.strip():
            continue
        ends = WITHIN_SPAN.split(part.strip())
        if len(ends) != 2:
            raise ValueError(_("On %(day)s write spans as in 09:00-12:00, 13:00-18:00.") % {"day": day})
        spans.append([end.zfill(5) for end in ends])
    return spans


# -- from a definition -----------------------------------------------------------------------------------------------------


def filled(made: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the form for a definition. Raises TooLarge where the form cannot hold it."""
    read(made)
    rules = made.get("rules", [])
    if len(rules) > RULES:
        raise TooLarge(_("These rules are more than this page holds. Write them anew, or leave them."))
    values: dict[str, Any] = {}
    for number, rule in enumerate(rules):
        values |= _filled_rule(f"r{number}", rule)
    values |= _filled_rule(LAST, made["otherwise"])
    values |= {name: value for name, value in made.get("clock", {}).items() if name != "on_escalation"}
    table = made.get("timetable")
    if table is not None:
        hours = Timetable.from_json(table).as_json()
        values["zone"] = hours["zone"]
        values |= {f"day{day}": sentences.day_words(spans) for day, spans in enumerate(hours["week"])}
    return values


def _filled_rule(prefix: str, rule: Mapping[str, Any]) -> dict[str, Any]:
    conditions, steps = rule.get("when", []), rule.get("steps", [])
    if len(conditions) > CONDITIONS or len(steps) > STEPS or rule.get("clock") is not None:
        raise TooLarge(
            _("A rule has more conditions or steps than this page holds, or a clock of its own. Write it anew.")
        )
    values: dict[str, Any] = {
        f"{prefix}_name": gettext(rule["name"]) if rule.get("name") else "", f"{prefix}_outcome": rule["outcome"],
        f"{prefix}_reason": rule.get("reason", ""),
    }  # fmt: skip
    for place, each in enumerate(conditions):
        kept = each["value"]
        typed = ", ".join(map(str, kept)) if isinstance(kept, list) else str(kept)
        values |= {
            f"{prefix}_c{place}_fact": each["fact"], f"{prefix}_c{place}_is": each["is"],
            f"{prefix}_c{place}_value": typed,
        }  # fmt: skip
    for place, step in enumerate(steps):
        stem = f"{prefix}_s{place}"
        source, person = _filled_source(step["source"])
        fallback, other = _filled_source(step["fallback"]) if "fallback" in step else ("", "")
        values |= {
            f"{stem}_mode": step.get("mode", "any"), f"{stem}_needed": step.get("needed"), f"{stem}_source": source,
            f"{stem}_person": person, f"{stem}_fallback": fallback, f"{stem}_fallback_person": other,
            f"{stem}_may_repeat": step.get("may_repeat", False),
        }  # fmt: skip
    return values


def _filled_source(source: Mapping[str, Any]) -> tuple[str, str]:
    kind = source["is"]
    if kind == "person":
        login = User.objects.filter(pk=source["user"]).values_list("username", flat=True).first()
        return "person", login or ""
    which = {"grant": source.get("grant"), "lead_above": source.get("level"), "group": source.get("group")}.get(kind)
    return (f"{kind}:{which}", "") if which else (kind, "")
