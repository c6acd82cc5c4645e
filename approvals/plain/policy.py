"""Policies as plain values: ordered rules, the first that matches decides; what none matches is decided by the last word.

A definition is JSON of this shape, checked when it is written (`read` raises ValueError with a sentence for people):

    {"rules": [{"name": "Short breaks", "when": [{"fact": "minutes", "is": "at_most", "value": 15}], "outcome": "approve"}],
     "otherwise": {"outcome": "steps", "steps": [
         {"mode": "any" | "all" | "quorum", "needed": 2,
          "source": {"is": "grant", "grant": "LEAD"} | {"is": "lead_above", "level": 1} | {"is": "person", "user": 7}
                    | {"is": "group", "group": 3} | {"is": "on_duty"},
          "fallback": {...as source}, "may_repeat": false}]},
     "clock": {"remind": 60, "escalate": 120, "expire": 1440, "at_expiry": "deny" | "approve" | "hold",
               "on_escalation": "restart" | "keep", "most_escalations": 2},
     "timetable": {"zone": "Europe/Lisbon", "week": [["09:00", "18:00"]] x 7 days, or null for round the clock}}

Minutes of the clock are business minutes of the timetable. Each rule may have a clock of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from approvals.plain.worktime import ALWAYS, Timetable
from teams.scoping import Grant

COMPARISONS = ("is", "is_not", "at_most", "at_least", "below", "above", "among")
OUTCOMES = ("approve", "deny", "steps")
MODES = ("any", "all", "quorum")
SOURCES = ("grant", "lead_above", "person", "group", "on_duty")
AT_EXPIRY = ("deny", "approve", "hold")
MOST_RULES, MOST_STEPS, MOST_CONDITIONS = 20, 5, 5
LONGEST_MINUTES = 60 * 24 * 90


@dataclass(frozen=True)
class Condition:
    fact: str
    comparison: str
    value: Any

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it holds of what was measured. What could not be measured holds of nothing."""
        measured = values.get(self.fact)
        if measured is None:
            return False
        if self.comparison == "is":
            return _plain(measured) == _plain(self.value)
        if self.comparison == "is_not":
            return _plain(measured) != _plain(self.value)
        if self.comparison == "among":
            return _plain(measured) in {_plain(each) for each in self.value}
        left, right = Decimal(str(measured)), Decimal(str(self.value))
        return {
            "at_most": left <= right,
            "at_least": left >= right,
            "below": left < right,
            "above": left > right,
        }[self.comparison]


@dataclass(frozen=True)
class Source:
    """Where the approvers of a step come from."""

    kind: str
    grant: str = ""
    level: int = 0
    user: int = 0
    group: int = 0


@dataclass(frozen=True)
class StepPlan:
    mode: str
    needed: int
    source: Source
    fallback: Source
    may_repeat: bool = False  # whoever agreed in the step before has agreed here too, if they are asked here


@dataclass(frozen=True)
class Clock:
    """Business minutes from the submission; None: never. `most_escalations` bounds how often a step is handed on."""

    remind: int | None = None
    escalate: int | None = None
    expire: int | None = None
    at_expiry: str = "hold"
    on_escalation: str = "restart"
    most_escalations: int = 2


@dataclass(frozen=True)
class Rule:
    name: str
    when: tuple[Condition, ...]
    outcome: str
    steps: tuple[StepPlan, ...]
    clock: Clock | None
    reason: str = ""

    def holds(self, values: Mapping[str, Any]) -> bool:
        return all(condition.holds(values) for condition in self.when)


@dataclass(frozen=True)
class Definition:
    rules: tuple[Rule, ...]
    otherwise: Rule
    clock: Clock
    timetable: Timetable

    def matching(self, values: Mapping[str, Any]) -> Rule:
        """The first rule that holds, else the last word."""
        return next((rule for rule in self.rules if rule.holds(values)), self.otherwise)


@dataclass(frozen=True)
class Plan:
    """What a policy says of one request; kept with it, so that a later version changes nothing for it."""

    rule: str
    outcome: str
    reason: str
    steps: tuple[StepPlan, ...]
    clock: Clock
    timetable: Mapping[str, Any]
    measured: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        kept = asdict(self)
        kept["measured"] = {name: _json(value) for name, value in self.measured.items()}
        return kept

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Plan":
        steps = tuple(
            StepPlan(
                step["mode"], step["needed"], Source(**step["source"]), Source(**step["fallback"]), step["may_repeat"]
            )
            for step in kept["steps"]
        )
        return cls(
            kept["rule"], kept["outcome"], kept["reason"], steps, Clock(**kept["clock"]), kept["timetable"],
            kept["measured"],
        )  # fmt: skip

    @property
    def hours(self) -> Timetable:
        return Timetable.from_json(self.timetable)


def plan(definition: Definition, values: Mapping[str, Any]) -> Plan:
    rule = definition.matching(values)
    return Plan(
        rule.name, rule.outcome, rule.reason, rule.steps, rule.clock or definition.clock,
        definition.timetable.as_json(), dict(values),
    )  # fmt: skip


# -- reading a definition ----------------------------------------------------------------------------------------------


def read(made: Mapping[str, Any], facts: Sequence[Any] | None = None) -> Definition:
    """The definition of a policy. Raises ValueError with a sentence that names the rule and the remedy. `facts` are those
    of the kind (`approvals.kinds.Fact`); without them the names of facts are not checked."""
    _only(made, {"rules", "otherwise", "clock", "timetable"}, _("the policy"))
    known = None if facts is None else {fact.name: fact for fact in facts}
    rules = made.get("rules", [])
    if not isinstance(rules, list) or len(rules) > MOST_RULES:
        raise ValueError(_("A policy has a list of at most %(most)d rules.") % {"most": MOST_RULES})
    if not isinstance(made.get("otherwise"), Mapping):
        raise ValueError(_("Say what happens to a request that no rule matches: “otherwise” is missing."))
    return Definition(
        tuple(_rule(rule, _("rule %(number)d") % {"number": place}, known) for place, rule in enumerate(rules, 1)),
        _rule(made["otherwise"], _("the last rule"), known),
        _clock(made.get("clock", {}), _("the policy")),
        _timetable(made.get("timetable")),
    )


def _rule(made: Any, where: str, known: Mapping[str, Any] | None) -> Rule:
    _only(made, {"name", "when", "outcome", "steps", "clock", "reason"}, where)
    outcome = made.get("outcome")
    if outcome not in OUTCOMES:
        raise ValueError(_("In %(where)s the outcome has to be one of: approve, deny, steps.") % {"where": where})
    conditions = made.get("when", [])
    if not isinstance(conditions, list) or len(conditions) > MOST_CONDITIONS:
        raise ValueError(
            _("In %(where)s there are too many conditions; at most %(most)d.")
            % {"where": where, "most": MOST_CONDITIONS}
        )
    steps = made.get("steps", [])
    if outcome == "steps" and not (isinstance(steps, list) and 1 <= len(steps) <= MOST_STEPS):
        raise ValueError(_("In %(where)s name one to %(most)d steps.") % {"where": where, "most": MOST_STEPS})
    if outcome != "steps" and steps:
        raise ValueError(_("In %(where)s nobody is asked, so it has no steps.") % {"where": where})
    if outcome == "deny" and not str(made.get("reason", "")).strip():
        raise ValueError(_("In %(where)s say why it is denied: people read it.") % {"where": where})
    clock = made.get("clock")
    return Rule(
        str(made.get("name", ""))[:100],
        tuple(_condition(each, where, known) for each in conditions),
        outcome,
        tuple(_step(each, where) for each in steps),
        _clock(clock, where) if clock is not None else None,
        str(made.get("reason", "")).strip()[:300],
    )


def _condition(made: Any, where: str, known: Mapping[str, Any] | None) -> Condition:
    _only(made, {"fact", "is", "value"}, where)
    name, comparison, value = made.get("fact"), made.get("is"), made.get("value")
    if known is not None and name not in known:
        raise ValueError(
            _("In %(where)s “%(fact)s” is nothing that this kind measures; choose one of: %(known)s.")
            % {"where": where, "fact": name, "known": ", ".join(known) or "-"}
        )
    if comparison not in COMPARISONS:
        raise ValueError(
            _("In %(where)s a condition compares by one of: %(known)s.")
            % {"where": where, "known": ", ".join(COMPARISONS)}
        )
    if comparison == "among" and not (isinstance(value, list) and value):
        raise ValueError(_("In %(where)s “among” needs a list of values.") % {"where": where})
    if comparison in ("at_most", "at_least", "below", "above"):
        try:
            if isinstance(value, bool) or not Decimal(str(value)).is_finite():
                raise InvalidOperation
        except InvalidOperation:
            raise ValueError(
                _("In %(where)s “%(fact)s” is compared with a number, and %(value)s is none.")
                % {"where": where, "fact": name, "value": value}
            ) from None
        if known is not None and not known[name].is_number:
            raise ValueError(
                _("In %(where)s “%(fact)s” is a word: compare it by is, is_not or among.")
                % {"where": where, "fact": name}
            )
    elif isinstance(value, dict) or (isinstance(value, list) and comparison != "among"):
        raise ValueError(_("In %(where)s a condition has one plain value.") % {"where": where})
    return Condition(str(name), comparison, value)


def _step(made: Any, where: str) -> StepPlan:
    _only(made, {"mode", "needed", "source", "fallback", "may_repeat"}, where)
    mode = made.get("mode", "any")
    if mode not in MODES:
        raise ValueError(_("In %(where)s a step asks any, all or a quorum.") % {"where": where})
    needed = made.get("needed", 1)
    if isinstance(needed, bool) or not isinstance(needed, int) or not 1 <= needed <= 20:
        raise ValueError(_("In %(where)s a quorum is a whole number from 1 to 20.") % {"where": where})
    source = _source(made.get("source"), where)
    # Whoever leads the team next above stands in where a step names no other fallback: there always is one to be named.
    fallback = _source(made.get("fallback", {"is": "lead_above", "level": 1}), where)
    may_repeat = made.get("may_repeat", False)
    if not isinstance(may_repeat, bool):
        raise ValueError(_("In %(where)s “may_repeat” is true or false.") % {"where": where})
    return StepPlan(mode, needed if mode == "quorum" else 1, source, fallback, may_repeat)


def _source(made: Any, where: str) -> Source:
    _only(made, {"is", "grant", "level", "user", "group"}, where)
    kind = made.get("is")
    if kind not in SOURCES:
        raise ValueError(
            _("In %(where)s approvers come from one of: %(known)s.") % {"where": where, "known": ", ".join(SOURCES)}
        )
    if kind == "grant" and made.get("grant") not in Grant.labels:
        raise ValueError(
            _("In %(where)s name a grant: %(known)s.") % {"where": where, "known": ", ".join(Grant.labels)}
        )
    number = {"lead_above": "level", "person": "user", "group": "group"}.get(kind)
    value = made.get(number) if number else 0
    if number and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ValueError(
            _("In %(where)s “%(kind)s” needs “%(number)s”, a whole number from 1.")
            % {"where": where, "kind": kind, "number": number}
        )
    return Source(
        kind, made.get("grant", "") if kind == "grant" else "", *((value if number == name else 0) for name in NUMBERS)
    )


NUMBERS = ("level", "user", "group")


def _clock(made: Any, where: str) -> Clock:
    _only(made, {"remind", "escalate", "expire", "at_expiry", "on_escalation", "most_escalations"}, where)
    minutes = {}
    for name in ("remind", "escalate", "expire"):
        value = made.get(name)
        if value is not None and (
            isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LONGEST_MINUTES
        ):
            raise ValueError(
                _("In %(where)s “%(name)s” is a whole number of business minutes, or nothing.")
                % {"where": where, "name": name}
            )
        minutes[name] = value
    at_expiry = made.get("at_expiry", "hold")
    if at_expiry not in AT_EXPIRY:
        raise ValueError(_("In %(where)s at expiry one of these happens: deny, approve, hold.") % {"where": where})
    on_escalation = made.get("on_escalation", "restart")
    if on_escalation not in ("restart", "keep"):
        raise ValueError(
            _("In %(where)s say whether an escalation restarts the clock or keeps it: restart, keep.")
            % {"where": where}
        )
    most = made.get("most_escalations", 2)
    if isinstance(most, bool) or not isinstance(most, int) or not 0 <= most <= 10:
        raise ValueError(_("In %(where)s the number of escalations is between 0 and 10.") % {"where": where})
    return Clock(**minutes, at_expiry=at_expiry, on_escalation=on_escalation, most_escalations=most)


def _timetable(made: Any) -> Timetable:
    return ALWAYS if made is None else Timetable.from_json(made)


def _only(made: Any, names: set[str], where: str) -> None:
    if not isinstance(made, Mapping):
        raise ValueError(_("In %(where)s something is not written as name and value.") % {"where": where})
    strange = sorted(set(made) - names)
    if strange:
        raise ValueError(
            _("In %(where)s “%(name)s” is not known; there are: %(known)s.")
            % {"where": where, "name": strange[0], "known": ", ".join(sorted(names))}
        )


def _plain(value: Any) -> Any:
    """Numbers compare as numbers, whatever they were written as; everything else as its words."""
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return str(Decimal(value).normalize())


def _json(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
