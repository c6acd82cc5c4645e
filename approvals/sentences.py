"""Policies in sentences: what a rule asks, who decides, what the clock does. Plain values in, words of the reader out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext, pgettext_lazy

from approvals.kinds import Fact
from approvals.plain.policy import Clock, Condition, Definition, Rule, Source, StepPlan
from approvals.plain.worktime import Timetable

COMPARISONS = {
    "is": pgettext_lazy("comparison", "is"),
    "is_not": pgettext_lazy("comparison", "is not"),
    "at_most": gettext_lazy("is at most"),
    "at_least": gettext_lazy("is at least"),
    "below": gettext_lazy("is below"),
    "above": gettext_lazy("is above"),
    "among": gettext_lazy("is one of"),
}
OUTCOMES = {
    "approve": gettext_lazy("approve at once"),
    "deny": gettext_lazy("refuse at once"),
    "steps": gettext_lazy("ask people, step by step"),
}
MODES = {
    "any": gettext_lazy("any one of them"),
    "all": gettext_lazy("all of them"),
    "quorum": gettext_lazy("a number of them"),
}
SOURCES = {
    "grant": gettext_lazy("whoever holds a grant on the team"),
    "lead_above": gettext_lazy("the lead of a team above"),
    "person": gettext_lazy("one person"),
    "group": gettext_lazy("a group"),
    "on_duty": gettext_lazy("a lead who is on duty"),
}
AT_EXPIRY = {
    "hold": gettext_lazy("it stays open, and the operators are told"),
    "deny": gettext_lazy("it expires without effect"),
    "approve": gettext_lazy("it is approved"),
}
DAYS = (
    gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday"),
    gettext_lazy("Friday"), gettext_lazy("Saturday"), gettext_lazy("Sunday"),
)  # fmt: skip


@dataclass(frozen=True)
class Names:
    """How people and groups that a policy names are called."""

    people: Mapping[int, str] = field(default_factory=dict)
    groups: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RuleWords:
    """A rule: its name, when it holds, what follows, and each step and clock of it as a sentence."""

    name: str
    when: str
    then: str
    steps: tuple[str, ...]
    clock: tuple[str, ...]

    def __str__(self) -> str:
        return " ".join(filter(None, (self.when, self.then, *self.steps, *self.clock)))


def in_words(definition: Definition, facts: Sequence[Fact], names: Names) -> list[RuleWords]:
    """Every rule in its order, the last word at the end."""
    known = {fact.name: fact for fact in facts}
    return [_rule(rule, known, names) for rule in definition.rules] + [_last(definition.otherwise, known, names)]


def _rule(rule: Rule, facts: Mapping[str, Fact], names: Names) -> RuleWords:
    conditions = [condition(each, facts) for each in rule.when]
    when = _("If %(conditions)s:") % {"conditions": _(" and ").join(conditions)} if conditions else _("Always:")
    return RuleWords(
        _(rule.name) if rule.name else _("unnamed"), when, outcome(rule), _steps(rule, names), _own_clock(rule)
    )


def _last(rule: Rule, facts: Mapping[str, Fact], names: Names) -> RuleWords:
    called = _(rule.name) if rule.name else _("Last word")
    return RuleWords(called, _("If no rule holds:"), outcome(rule), _steps(rule, names), _own_clock(rule))


def condition(each: Condition, facts: Mapping[str, Fact]) -> str:
    fact = facts.get(each.fact)
    title = str(fact.title) if fact is not None else each.fact
    values = each.value if isinstance(each.value, list) else [each.value]
    words = pgettext("between names in a row", ", ").join(value_words(value, fact) for value in values)
    return _("%(fact)s %(comparison)s %(value)s") % {
        "fact": title, "comparison": COMPARISONS[each.comparison], "value": words,
    }  # fmt: skip


def value_words(value: Any, fact: Fact | None) -> str:
    """A value of a fact with its unit, or the title of a choice."""
    if value is None or value == "":
        return _("not known")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if fact is None:
        return str(value)
    titles = {str(key): str(title) for key, title in fact.choices}
    shown = titles.get(str(value), str(value))
    return f"{shown} {fact.unit}" if fact.unit and fact.is_number else shown


def outcome(rule: Rule) -> str:
    if rule.outcome == "approve":
        return _("approved at once.") if not rule.reason else _("approved at once: %(why)s") % {"why": rule.reason}
    if rule.outcome == "deny":
        return _("refused at once: %(why)s") % {"why": rule.reason}
    return ngettext("one step decides.", "%(count)d steps decide, one after the other.", len(rule.steps)) % {
        "count": len(rule.steps)
    }


def _steps(rule: Rule, names: Names) -> tuple[str, ...]:
    return tuple(step(each, names) for each in rule.steps)


def step(plan: StepPlan, names: Names) -> str:
    if plan.mode == "quorum":
        words = _("%(needed)d of: %(source)s.") % {"needed": plan.needed, "source": source(plan.source, names)}
    elif plan.mode == "all":
        words = _("All of: %(source)s.") % {"source": source(plan.source, names)}
    else:
        words = _("One of: %(source)s.") % {"source": source(plan.source, names)}
    words = f"{words} " + _("If that is nobody: %(source)s.") % {"source": source(plan.fallback, names)}
    if plan.may_repeat:
        words = f"{words} " + _("Whoever agreed in the step before has agreed here too.")
    return words


def source(each: Source, names: Names) -> str:
    if each.kind == "grant":
        return _("whoever holds %(grant)s on the team or above") % {"grant": each.grant}
    if each.kind == "lead_above":
        return ngettext(
            "the lead of the team next above", "the lead of the team %(level)d levels above", each.level
        ) % {"level": each.level}
    if each.kind == "person":
        return names.people.get(each.user, _("somebody who is no longer there"))
    if each.kind == "group":
        return _("the group %(name)s") % {"name": names.groups.get(each.group, "?")}
    return _("a lead of the team who is on duty")


def _own_clock(rule: Rule) -> tuple[str, ...]:
    return tuple(clock(rule.clock)) if rule.clock is not None else ()


def clock(each: Clock) -> list[str]:
    """What the clock does, in business time."""
    words = []
    if each.remind:
        words.append(_("Reminds after %(time)s.") % {"time": minutes(each.remind)})
    if each.escalate:
        words.append(
            ngettext(
                "Goes to the next lead above after %(time)s, once at most.",
                "Goes to the next lead above after %(time)s, %(most)d times at most.",
                each.most_escalations,
            )
            % {"time": minutes(each.escalate), "most": each.most_escalations}
        )
    if each.expire:
        words.append(
            _("After %(time)s without a decision %(outcome)s.")
            % {"time": minutes(each.expire), "outcome": AT_EXPIRY[each.at_expiry]}
        )
    return words or [_("Waits for as long as it takes.")]


def minutes(count: int) -> str:
    """Business minutes as people say them: minutes below two hours, else hours and minutes."""
    if count < 120:
        return ngettext("%(count)d business minute", "%(count)d business minutes", count) % {"count": count}
    hours, left = divmod(count, 60)
    if left:
        return _("%(hours)d h %(minutes)d min of business time") % {"hours": hours, "minutes": left}
    return ngettext("%(count)d business hour", "%(count)d business hours", hours) % {"count": hours}


def timetable(hours: Timetable) -> list[str]:
    """Business time: one line for each run of days that are alike."""
    if hours.is_always:
        return [_("Business time is round the clock.")]
    lines = [_("Business time, by the clock of %(zone)s:") % {"zone": hours.zone}]
    spans = [day_words(day) for day in hours.as_json()["week"]]
    first = 0
    for place in range(1, 8):
        if place < 7 and spans[place] == spans[first]:
            continue
        name = str(DAYS[first])
        if place - 1 > first:
            name = _("%(first)s to %(last)s") % {"first": name, "last": DAYS[place - 1]}
        hours_of_day = spans[first] or pgettext("day", "closed")
        lines.append(f"{name}: {hours_of_day}")
        first = place
    return lines


def day_words(day: Sequence[Sequence[str]]) -> str:
    """Spans of a day as they are typed: "09:00-12:00, 13:00-18:00"."""
    return ", ".join(f"{begins}-{ends}" for begins, ends in day)
