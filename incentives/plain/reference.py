"""A second calculator of the same lines, written from people's words and sharing no code with `incentives.plain.pay`.

Every run compares the two, and a difference stops it. It is meant to be read beside the terms of a plan, not to be fast: it
reads the JSON of the terms and plain dictionaries, and goes through the tiers unit by unit of their edges, from above.

    facts = {"volumes": [...], "days": [{"wage", "targets", "planned", "leave", "training", "coaching", "outage", "overtime",
             "ramp"}], "gates": {"satisfaction": {"own": [good, all] | None, "rolling", "team", "is_final"}},
             "waived": [gates]}
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

F = Fraction


def amount(terms: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """What is paid, and what is withheld until the data is final."""
    goals = [_goal(terms, place, facts["days"]) for place in range(len(terms["measures"]))]
    if min(goals) <= 0:
        return rounded(F(0), terms), rounded(F(0), terms)
    reached_share = F(0)
    for measure, volume, goal in zip(terms["measures"], facts["volumes"], goals, strict=True):
        reached_share += F(measure["weight"]) * F(volume) / goal
    steps_down, keep, held = _gates(terms, facts)
    money = _money(terms, facts, goals[0], reached_share, steps_down) * keep
    due = rounded(money, terms)
    none = rounded(F(0), terms)
    return (none, due) if held else (due, none)


def _goal(terms: Mapping[str, Any], place: int, days: list[Mapping[str, Any]]) -> Fraction:
    rules = terms["proration"]
    goal = F(0)
    for day in days:
        planned = F(day["planned"])
        if planned <= 0:
            continue
        whole = F(day["targets"][place])
        if terms["measures"][place]["is_ratio"]:
            goal = whole
            continue
        left = planned
        for cause in ("leave", "training", "coaching", "outage"):
            if rules[cause]:
                left -= F(day[cause])
        if left < 0:
            left = F(0)
        if rules["overtime"]:
            left += F(day["overtime"])
        part = whole * left / planned
        if rules["ramp"]:
            part = part * F(day["ramp"])
        goal += part
    return goal


def _base(terms: Mapping[str, Any], days: list[Mapping[str, Any]]) -> Fraction:
    base = F(0)
    for day in days:
        planned, leave = F(day["planned"]), F(day["leave"])
        if planned <= 0:
            continue
        if terms["proration"]["leave"]:
            base += F(day["wage"]) * max(planned - leave, F(0)) / planned
        else:
            base += F(day["wage"])
    return base


def _money(
    terms: Mapping[str, Any], facts: Mapping[str, Any], goal: Fraction, share: Fraction, steps_down: int
) -> Fraction:
    volume = F(facts["volumes"][0])
    tiers = [(F(tier["from"]), F(tier["pays"])) for tier in terms["tiers"]]
    height = volume if terms["edges"] == "units" else share
    top = -1
    for place, (edge, _pays) in enumerate(tiers):
        if height > edge or (height == edge and terms["boundary"] == "reached"):
            top = place
    counts = top - steps_down  # the highest tier that counts
    if counts < 0:
        return F(0)
    if terms["kind"] == "step":
        rate = sum(pays for _edge, pays in tiers[: counts + 1]) if terms["stacked"] else tiers[counts][1]
        return _base(terms, facts["days"]) * rate
    if terms["kind"] == "interpolated":
        rate = tiers[counts][1]
        if steps_down == 0 and top + 1 < len(tiers):
            (low, below), (high, above) = tiers[top], tiers[top + 1]
            rate = (below * (high - height) + above * (height - low)) / (high - low)
        return _base(terms, facts["days"]) * rate
    if terms["kind"] == "whole_volume":
        return tiers[counts][1] * volume
    money, rest = F(0), volume
    for edge, pays in reversed(tiers[: counts + 1]):
        begins = edge if terms["edges"] == "units" else edge * goal
        money += pays * (rest - begins)
        rest = begins
    return money


def _gates(terms: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[int, Fraction, bool]:
    """How many tiers down, what share is kept, and whether the line is held."""
    down, keep, held = 0, F(1), False
    for gate in terms["gates"]:
        if gate["of"] in facts.get("waived", ()):
            continue
        told = facts["gates"].get(gate["of"], {"own": None, "rolling": None, "team": None, "is_final": True})
        if gate["effect"] == "hold" and not told["is_final"]:
            held = True
            continue
        if _is_met(gate, told):
            continue
        if gate["effect"] == "demote":
            down += 1
        elif gate["effect"] == "factor":
            keep *= F(gate["factor"])
        else:
            keep = F(0)
    return down, keep, held


def _is_met(gate: Mapping[str, Any], told: Mapping[str, Any]) -> bool:
    own = told["own"]
    if gate["of"] == "critical":
        return own is None or own[0] == 0
    if gate["of"] == "certificate":
        return own is not None and own[0] > 0
    if own is None or own[1] == 0 or own[1] < gate["smallest"]:
        if gate["fallback"] == "waive":
            return True
        if gate["fallback"] == "fail":
            return False
        own = told[gate["fallback"]]
        if own is None or own[1] == 0:
            return False
    good, rated = own
    return good >= F(gate["at_least"]) * rated


def rounded(money: Fraction, terms: Mapping[str, Any]) -> Decimal:
    unit = F(terms["rounding"]["unit"])
    pieces, left = divmod(money, unit)
    twice = 2 * left
    mode = terms["rounding"]["mode"]
    if mode == "half_up" and twice >= unit:
        pieces += 1
    if mode == "half_even" and (twice > unit or (twice == unit and pieces % 2)):
        pieces += 1
    return Decimal(terms["rounding"]["unit"]) * int(pieces)
