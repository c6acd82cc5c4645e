"""Which version of which plan holds for whom: by the tree of the day, the nearest plan above; within a team one that names the
role before one for everybody. One plan for a person and day, so nothing is paid twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from incentives.models import PlanVersion
from incentives.plain.periods import DAY, Span
from performance.tree import PARENTS
from teams.models import Agent, TeamPlacement


@dataclass(frozen=True)
class Place:
    """In this team, people of this role are under this version from `first` to `last`, both included."""

    team: int
    role: str
    version: int
    first: date
    last: date


NEAREST = f"""
WITH RECURSIVE {PARENTS.format(day="%(day)s::date")}, walk (team_id, above_id, depth) AS (
    SELECT team_id, team_id, 0 FROM parents
    UNION ALL
    SELECT walk.team_id, parents.parent_id, walk.depth + 1
    FROM walk JOIN parents ON parents.team_id = walk.above_id WHERE parents.parent_id IS NOT NULL
)
SELECT DISTINCT ON (walk.team_id, role) walk.team_id, role, version.id
FROM incentives_planversion version
JOIN incentives_plan plan ON plan.id = version.plan_id
JOIN walk ON walk.above_id = plan.team_id
CROSS JOIN unnest(%(roles)s::text[]) AS role
WHERE (plan.roles = '{{}}' OR role = ANY (plan.roles))
  AND CASE WHEN plan.id = %(instead)s THEN version.id = %(version)s
           ELSE version.state = 'published' AND version.span @> %(day)s::date END
ORDER BY walk.team_id, role, walk.depth, plan.roles = '{{}}', plan.id
"""


def places(span: Span, *, instead: PlanVersion | None = None) -> list[Place]:
    """Where each version holds within `span`. With `instead`, as if that draft held in the place of its plan on all of its
    days, whenever it would begin. System scope."""
    found: list[Place] = []
    asked: dict[str, Any] = {
        "roles": list(Agent.Role.values),
        "instead": instead.plan_id if instead is not None else 0,
        "version": instead.pk if instead is not None else 0,
    }
    with connection.cursor() as cursor:
        for part in _parts(span):
            cursor.execute(NEAREST, {**asked, "day": part.first})
            found += [Place(team, role, version, part.first, part.last) for team, role, version in cursor.fetchall()]
    return found


def _parts(span: Span) -> Sequence[Span]:
    """`span` cut wherever a version begins or ends, or a team moves."""
    edges = {span.first}
    dated = (PlanVersion.objects.all(), TeamPlacement.objects.all())
    for rows in dated:
        for held in rows.values_list("span", flat=True).distinct():
            edges |= {edge for edge in (held.lower, held.upper) if edge is not None and edge in span}
    firsts = sorted(edges)
    lasts = [first - timedelta(days=1) for first in firsts[1:]] + [span.last]
    return [Span(first, last) for first, last in zip(firsts, lasts, strict=True)]


def version_for(agent: Agent, team: int, day: date) -> PlanVersion | None:
    """The version that holds for one person on a day. Two queries. System scope."""
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"roles": [agent.role], "instead": 0, "version": 0, "day": day}
        cursor.execute(f"SELECT * FROM ({NEAREST}) nearest WHERE team_id = %(team)s", {**asked, "team": team})
        row = cursor.fetchone()
    return PlanVersion.objects.select_related("plan").get(pk=row[2]) if row else None


def roles_under(version: int, team: int, day: date) -> list[str]:
    """The roles that are under a version in a team on a day. System scope."""
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {
            "roles": list(Agent.Role.values),
            "instead": 0,
            "version": 0,
            "day": day,
            "held": version,
            "team": team,
        }
        cursor.execute(f"SELECT role FROM ({NEAREST}) nearest WHERE team_id = %(team)s AND id = %(held)s", asked)
        return [role for (role,) in cursor.fetchall()]


__all__ = ["DAY", "Place", "places", "roles_under", "version_for"]
