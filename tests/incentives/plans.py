"""The plan of the brief, and how tests vary it."""

from fractions import Fraction
from typing import Any

from incentives.plain.pay import Day, Evidence, Facts, Sample
from incentives.plain.terms import CAUSES


def tiers(*edges_and_pays: tuple[str, str]) -> list[dict[str, Any]]:
    """Tiers that follow each other, the last one open."""
    ends = [edge for edge, _pays in edges_and_pays[1:]] + [None]
    return [{"from": edge, "to": end, "pays": pays} for (edge, pays), end in zip(edges_and_pays, ends, strict=True)]


def gate(of: str, **more: Any) -> dict[str, Any]:
    usual = {"at_least": "0.9", "smallest": 5, "fallback": "rolling", "effect": "zero", "factor": None}
    return {"of": of, **usual, **more}


def terms(**more: Any) -> dict[str, Any]:
    """Over target by 10 % pays 20 % of the daily wage, by 20 % pays 50 %, the highest tier alone, by the day."""
    return {
        "measures": [{"metric": "closed", "weight": "1", "is_ratio": False}], "period": "shift_day", "kind": "step",
        "edges": "attainment", "boundary": "reached", "stacked": False, "tiers": tiers(("1.1", "0.2"), ("1.2", "0.5")),
        "gates": [gate("satisfaction"), gate("closure")], "proration": dict.fromkeys(CAUSES, True),
        "cap": {"of": "none", "value": None, "excess": "lost"}, "rounding": {"unit": "0.01", "mode": "half_up"},
        "currency": "CNY", "monthly_by": "statutory", "late_days": 7, "dispute_days": 10,
        "complexity": {"simple": "1", "complex": "1"}, "exclude": {"reopened": True}, "day_minutes": 480, **more,
    }  # fmt: skip


MET = {"satisfaction": Evidence(Sample(95, 100)), "closure": Evidence(Sample(95, 100))}


def day(target: Any = 100, wage: Any = 300, **more: Any) -> Day:
    """Eight hours; all else in minutes."""
    return Day(
        Fraction(wage),
        (Fraction(target),),
        Fraction(more.pop("planned", 480)),
        **{k: Fraction(v) for k, v in more.items()},
    )


def facts(volume: Any, *days: Day, **gates: Evidence) -> Facts:
    return Facts((Fraction(volume),), days or (day(),), {**MET, **gates})
