"""What stands behind a line: the counts of each of its days, each with the list of contacts it counts, and what disputes have
put right in them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import QuerySet, Sum
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from incentives.models import Attainment, Correction
from performance.models import AgentDay

# Of each count its name, and the figure and part by which `my_contacts` lists exactly its contacts.
COUNTS: tuple[tuple[str, Promise, str, str], ...] = (
    ("closed_simple", _("closed, simple"), "closed_simple", ""),
    ("closed_complex", _("closed, complex"), "closed_complex", ""),
    ("reopened", _("reopened"), "reopened", "hit"),
    ("satisfied", _("rated satisfied"), "satisfaction", "hit"),
    ("rated", _("rated"), "satisfaction", ""),
    ("resolved", _("resolved"), "closure", "hit"),
    ("judged", _("with a known outcome"), "closure", ""),
)


@dataclass(frozen=True)
class Counted:
    name: Promise
    count: int
    figure: str
    part: str


@dataclass(frozen=True)
class BehindDay:
    day: date
    counts: tuple[Counted, ...]


def behind(line: Attainment, days: QuerySet[AgentDay]) -> tuple[BehindDay, ...]:
    """The days of a line out of `days`, oldest first, with their counts as they are rolled up now. One query."""
    names = [name for name, *_rest in COUNTS]
    rows = (
        days.filter(agent=line.agent_id, day__range=(line.begins, line.ends))
        .order_by("day")
        .values("day")
        .annotate(**{f"sum_{name}": Sum(name) for name in names})
    )
    return tuple(BehindDay(row["day"], _counts(row)) for row in rows)


def _counts(row: Mapping[str, Any]) -> tuple[Counted, ...]:
    return tuple(
        Counted(title, row[f"sum_{name}"], figure, part) for name, title, figure, part in COUNTS if row[f"sum_{name}"]
    )


def corrected(line: Attainment, corrections: QuerySet[Correction]) -> list[Correction]:
    """What disputes have put right on the days of a line. One query."""
    rows = corrections.filter(agent=line.agent_id, day__range=(line.begins, line.ends))
    return list(rows.order_by("day", "pk"))
