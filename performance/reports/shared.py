"""Sums of rollups for reports: by the teams of a subtree, by day, by agent. Reads rollups and never a contact."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection

from performance.models import AgentDay
from performance.rollups import SUMS
from teams.clock import day_end, day_start
from teams.models import Team

Sums = dict[str, int]
WEEKS = 4
PAST_DAYS = 28
COUNTS = tuple(name for name in SUMS if name != "rating_sum")

TEAM_SUMS = f"""
SELECT subtree.child_id, days.day, sum(days.agents)::bigint AS agent_days,
       {", ".join(f"sum(days.{name})::bigint AS {name}" for name in COUNTS)}
FROM unnest(%(teams)s::bigint[], %(children)s::bigint[]) AS subtree (team_id, child_id)
JOIN performance_teamday days ON days.team_id = subtree.team_id AND days.day BETWEEN %(first)s AND %(last)s
GROUP BY subtree.child_id, days.day
"""
QUEUE_SUMS = """
SELECT subtree.child_id, half.day, sum(half.offered)::bigint AS offered, sum(half.abandoned)::bigint AS abandoned,
       sum(half.answered_in_time)::bigint AS answered_in_time,
       sum(half.waited)::bigint AS waited, sum(half.wait_seconds)::bigint AS wait_seconds
FROM unnest(%(teams)s::bigint[], %(children)s::bigint[]) AS subtree (team_id, child_id)
JOIN performance_queue queue ON queue.team_id = subtree.team_id
JOIN performance_queuehalfhour half ON half.queue_id = queue.id AND half.day = ANY (%(days)s::date[])
GROUP BY subtree.child_id, half.day
"""
LOAD = """
SELECT subtree.child_id, CASE WHEN queue.team_id = %(root)s THEN queue.id END AS queue_id,
       half.local::date AS day, (extract(hour FROM half.local) * 2 + floor(extract(minute FROM half.local) / 30))::int AS slot,
       sum(half.offered)::bigint
FROM unnest(%(teams)s::bigint[], %(children)s::bigint[]) AS subtree (team_id, child_id)
JOIN performance_queue queue ON queue.team_id = subtree.team_id
JOIN LATERAL (
    SELECT started_at AT TIME ZONE %(zone)s AS local, offered FROM performance_queuehalfhour
    WHERE queue_id = queue.id AND started_at >= %(start)s AND started_at < %(end)s
) half ON true
GROUP BY 1, 2, 3, 4
"""


@dataclass(frozen=True)
class Subtree:
    """A team with all below it on one day; each team is told with the child of the root it stands under."""

    team: Team
    day: date
    child_of: Mapping[int, int | None]

    @property
    def children(self) -> list[int]:
        return sorted({child for child in self.child_of.values() if child is not None})

    def arrays(self) -> dict[str, Any]:
        """For SQL: the root's own teams stand under the root itself."""
        return {
            "teams": list(self.child_of),
            "children": [child if child is not None else self.team.pk for child in self.child_of.values()],
        }


def past_weekdays(day: date) -> list[date]:
    """The same weekday of the four weeks before, the latest first."""
    return [day - timedelta(weeks=week) for week in range(1, WEEKS + 1)]


def sums_by_child(subtree: Subtree) -> dict[tuple[int, date], Sums]:
    """Measures of each child's subtree, and of the root's own rows, by day, for the day and the 28 days before."""
    first = subtree.day - timedelta(days=PAST_DAYS)
    found: dict[tuple[int, date], Sums] = defaultdict(dict)
    days = [subtree.day, *past_weekdays(subtree.day)]
    for sql, bounds in ((TEAM_SUMS, {"first": first, "last": subtree.day}), (QUEUE_SUMS, {"days": days})):
        with connection.cursor() as cursor:
            cursor.execute(sql, {**subtree.arrays(), **bounds})
            names = [column.name for column in cursor.description]
            for row in cursor.fetchall():
                found[row[0], row[1]].update(zip(names[2:], row[2:], strict=True))
    return dict(found)


def added(parts: Iterable[Sums]) -> Sums:
    """The sum of measures; nothing at all where there is nothing."""
    total: Sums = defaultdict(int)
    for part in parts:
        for name, value in part.items():
            total[name] += value
    return dict(total)


def agent_sums(teams: Iterable[int], first: date, last: date) -> dict[int, dict[date, Sums]]:
    """Measures per agent and day over some teams."""
    found: dict[int, dict[date, Sums]] = defaultdict(dict)
    rows = AgentDay.objects.filter(team__in=list(teams), day__range=(first, last))
    for agent, day, *values in rows.values_list("agent", "day", *COUNTS):
        part = dict(zip(COUNTS, values, strict=True)) | {"agent_days": 1}
        held = found[agent].get(day)
        found[agent][day] = added([held, part]) | {"agent_days": 1} if held else part
    return found


def load(subtree: Subtree) -> list[tuple[int, int | None, date, int, int]]:
    """Offered contacts as (child, own queue, day, half hour of the day 0 to 47, offered), on the clock of the root's zone."""
    zone, first = subtree.team.zone, subtree.day - timedelta(days=PAST_DAYS)
    with connection.cursor() as cursor:
        cursor.execute(
            LOAD,
            {
                **subtree.arrays(),
                "root": subtree.team.pk,
                "zone": zone,
                "start": day_start(first, zone),
                "end": day_end(subtree.day, zone),
            },
        )
        return cursor.fetchall()
