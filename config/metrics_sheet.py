"""docs/metrics.md, written from the metric registry: the sheet can say nothing else than what the pages show."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from django.conf import settings
from django.utils import translation

from performance.metrics import METRICS, Metric, Unit

PLACE = Path(settings.BASE_DIR) / "docs" / "metrics.md"
HEAD = """\
# Figures

This sheet is written by `python3 manage.py metrics_sheet` from `performance/metrics.py`; a test fails when it is not
current. Every page, mail, export and API answer takes its figures from the same registry.

A figure is one measure divided by another (a count is a measure alone). Measures are counts and sums of whole numbers in
the daily rollups, so days, teams and subtrees add up exactly; a quotient is never stored. A figure that rests on fewer
cases than "few below" is marked as such. Targets can be set per team and role, with dates; where none is set, the
default target holds, if there is one.

- A day is the civil date at the moment a contact ended (or, while it is open, was opened) in the time zone the agent had
  at that moment, or the day on which the shift began, where the source tells it.
- A half hour is cut by the clock of the queue.
- Satisfied is a rating in the upper quarter of its scale: 4 and 5 of 5.
"""


def sheet() -> str:
    """The whole sheet, in English."""
    with translation.override("en"):
        return "\n".join([HEAD, *(_section(metric) for metric in METRICS.values())])


def _section(metric: Metric) -> str:
    rows = [
        ("Id, version", f"`{metric.id}`, {metric.version}"),
        ("In words", metric.words),
        ("Numerator", f"`{metric.numerator}`"),
        ("Denominator", f"`{metric.denominator}`" if metric.denominator else "none: a count"),
        ("Unit", metric.unit.value),
        ("Better", {"more": "more", "less": "less"}.get(metric.better.value, "neither")),
        ("Counted", metric.inclusion),
        ("Default target", "none" if metric.default_target is None else _target(metric.default_target, metric.unit)),
        ("Few below", str(metric.smallest) if metric.denominator else "does not apply"),
        ("Clock", metric.clock),
    ]
    table = "\n".join(f"| {name} | {text} |" for name, text in rows)
    return f"## {metric.label}\n\n| | |\n|---|---|\n{table}\n"


def _target(value: Decimal, unit: Unit) -> str:
    if unit is Unit.SHARE:
        return f"{Fraction(value) * 100} %"
    if unit is Unit.SECONDS:
        minutes = Fraction(value) / 60
        return f"{value:f} s ({minutes} min)"
    return f"{value:f}"
