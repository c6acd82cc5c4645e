"""Targets: what a figure should reach, per team and role, by local day; and which one holds for whom.

The nearest team above decides, by the tree of the day; within a team a target for the role beats the one for everybody.
Where no team says anything, the registry's own default holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from performance.metrics import METRICS, Better, Unit
from performance.models import Target
from performance.tree import PARENTS
from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import Refused
from teams.models import Agent, Team, User


@dataclass(frozen=True)
class Wanted:
    """Whose target is asked for: a team on a day, for a role, or for everybody where the role is empty."""

    team_pk: int
    day: date
    role: str = ""


Found = Mapping[tuple[Wanted, str], Decimal]

NEAREST = f"""
WITH RECURSIVE wanted AS (
    SELECT * FROM unnest(%(places)s::int[], %(teams)s::bigint[], %(days)s::date[], %(roles)s::text[])
        AS w (place, team_id, day, role)
), days AS (
    SELECT DISTINCT day FROM wanted
), tree AS MATERIALIZED (
    SELECT days.day, on_day.* FROM days CROSS JOIN LATERAL (
        WITH {PARENTS.format(day="days.day")} SELECT * FROM parents
    ) on_day
), walk (place, day, role, team_id, depth) AS (
    SELECT place, day, role, team_id, 0 FROM wanted
    UNION ALL
    SELECT walk.place, walk.day, walk.role, tree.parent_id, walk.depth + 1
    FROM walk JOIN tree ON tree.day = walk.day AND tree.team_id = walk.team_id
    WHERE tree.parent_id IS NOT NULL
)
SELECT DISTINCT ON (walk.place, target.metric) walk.place, target.metric, target.value
FROM walk JOIN performance_target target
    ON target.team_id = walk.team_id AND target.span @> walk.day AND target.role IN ('', walk.role)
WHERE %(metrics)s::text[] IS NULL OR target.metric = ANY (%(metrics)s::text[])
ORDER BY walk.place, target.metric, walk.depth, target.role = ''
"""


def target_for(wanted: Iterable[Wanted], metrics: Iterable[str] | None = None) -> Found:
    """The targets that hold for all `wanted` at once, by (wanted, metric id), in one query; missing where there is none."""
    ids = list(metrics) if metrics is not None else None
    rows = list(dict.fromkeys(wanted))
    found = {
        (row, metric.id): metric.default_target
        for row in rows
        for metric in METRICS.values()
        if metric.default_target is not None and (ids is None or metric.id in ids)
    }
    if not rows:
        return found
    with system_scope("a target given to a team above holds for those below"), connection.cursor() as cursor:
        cursor.execute(
            NEAREST,
            {
                "places": list(range(len(rows))),
                "teams": [row.team_pk for row in rows],
                "days": [row.day for row in rows],
                "roles": [row.role for row in rows],
                "metrics": ids,
            },
        )
        found.update({(rows[place], metric): value for place, metric, value in cursor.fetchall()})
    return found


@transaction.atomic
def set_target(
    team_pk: int, metric: str, value: Decimal, *, since: date, by: User, role: str = "", reason: str = ""
) -> Target:
    """Let a target hold from `since` on, until the next one that is already planned. What held before ends there.

    Raises OutOfReach, or Refused if the figure takes no target, the role is unknown or the value cannot be.
    """
    team = Team.objects.manageable_by(by).take(team_pk)
    _check(metric, value, role)
    same = Target.objects.select_for_update().filter(team=team, metric=metric, role=role)
    now = same.filter(span__contains=since).first()
    if now is not None and now.span.lower == since:
        now.value = value
        save_with_history(now, "value", by=by, reason=reason)
        return now
    until = same.filter(span__startswith__gt=since).order_by("span").values_list("span", flat=True).first()
    if now is not None:
        now.span = DateRange(now.span.lower, since)
        save_with_history(now, "span", by=by, reason=reason)
    span = DateRange(since, until.lower if until else None)
    target = Target(team=team, metric=metric, role=role, value=value, span=span)
    save_with_history(target, by=by, reason=reason)
    return target


@transaction.atomic
def end_target(pk: int, *, on: date, by: User, reason: str = "") -> Target:
    """Let a target hold for the last time on the day before `on`; one that would never have held is taken away.

    Raises OutOfReach, or Refused if it has ended by then.
    """
    target = Target.objects.manageable_by(by).take(pk)
    if target.span.upper is not None and target.span.upper <= on:
        raise Refused("target_has_ended", _("This target ends before that day already."))
    if target.span.lower is not None and on <= target.span.lower:
        delete_with_history(target, by=by, reason=reason)
        return target
    target.span = DateRange(target.span.lower, on)
    save_with_history(target, "span", by=by, reason=reason)
    return target


def _check(metric: str, value: Decimal, role: str) -> None:
    definition = METRICS.get(metric)
    if definition is None or definition.better is Better.NEITHER:
        raise Refused("no_target", _("This figure takes no target; choose one that should rise or fall."))
    if role not in {"", *Agent.Role.values}:
        raise Refused("unknown_role", _("There is no such role; choose one of the list, or none for everybody."))
    if not value.is_finite() or value <= 0:
        raise Refused("target_not_positive", _("A target must be more than zero."))
    if definition.unit is Unit.SHARE and value > 1:
        raise Refused("share_above_one", _("A share is between 0 and 1: write 0.9 for 90 %."))
    if value >= Decimal("1e8"):
        raise Refused("target_too_large", _("This target is too large to be meant; write seconds, counts or shares."))
