"""Where a fact belongs: agent, queue, zone, day and team of the day. One statement, used at intake and when a name is mapped.

A name at a source stands for an agent by days of the source's own zone, so that a name never means two people or nobody
between two zones. The zone of a fact is the one its agent had at that instant (at the start of the shift, where the
source tells it), else the queue's, else the source's; its day the civil date there.
"""

from collections.abc import Sequence
from typing import Any

from performance.models import AgentAlias, QueueAlias, Source
from teams import audit
from teams.models import User

PLACED = """
SELECT p.*, coalesce({loan} CASE WHEN p.agent_id IS NULL THEN p.queue_team END, m.team_id) AS team_id
FROM (
    SELECT f.*, q.id AS queue_id, q.team_id AS queue_team, q.complexity AS queue_complexity, q.zone AS queue_zone,
           a.id AS agent_id, coalesce(z.zone, a.zone, q.zone, {zone}) AS zone,
           (coalesce(f.shift_at, f.at) AT TIME ZONE coalesce(z.zone, a.zone, q.zone, {zone}))::date AS day
    FROM {facts} f
    LEFT JOIN performance_queuealias qa ON qa.source_id = {source} AND qa.external = f.queue_external
    LEFT JOIN performance_queue q ON q.id = qa.queue_id
    LEFT JOIN performance_agentalias aa ON aa.source_id = {source} AND aa.external = f.agent_external
        AND aa.agent_id IS NOT NULL AND aa.span @> (f.at AT TIME ZONE {zone})::date
    LEFT JOIN teams_agent a ON a.id = aa.agent_id
    LEFT JOIN teams_agentzone z ON z.agent_id = a.id AND z.span @> coalesce(f.shift_at, f.at)
    OFFSET 0
) p
LEFT JOIN teams_membership m ON m.agent_id = p.agent_id AND m.span @> p.day
{loans}
"""
LOANS = """
LEFT JOIN LATERAL (
    SELECT l.team_id FROM teams_loan l
    WHERE l.agent_id = p.agent_id AND l.span @> p.day AND p.queue_team IS DISTINCT FROM m.team_id
    ORDER BY (l.team_id = p.queue_team) DESC NULLS LAST, lower(l.span) DESC, l.id LIMIT 1
) l ON true
"""
TOUCH = """
INSERT INTO performance_daytouch (zone, day, version, touched_at)
SELECT zone, day, 1, statement_timestamp() FROM ({touched}) t WHERE zone <> '' AND day IS NOT NULL
GROUP BY zone, day ORDER BY zone, day
ON CONFLICT (zone, day) DO UPDATE SET version = performance_daytouch.version + 1, touched_at = excluded.touched_at
"""
NEW_NAMES = """
SELECT f.name FROM (SELECT DISTINCT {column} AS name FROM {facts} WHERE {column} <> '') f
WHERE NOT EXISTS (SELECT FROM {aliases} a WHERE a.source_id = {source} AND a.external = f.name) ORDER BY f.name
"""


def placed(cursor: Any, source: Source, facts: str) -> str:
    """SQL of the rows of `facts` (which has agent_external, queue_external, at, shift_at) with where each belongs.

    The complicated rule of loans costs nothing where nobody is lent: it is left out then.
    """
    cursor.execute(
        "SELECT EXISTS (SELECT FROM teams_loan l JOIN performance_agentalias a USING (agent_id) WHERE a.source_id = %s)",
        [source.pk],
    )
    lent = cursor.fetchone()[0]
    zone = f"'{source.zone}'"  # checked to be the name of a zone
    return PLACED.format(
        facts=facts, source=int(source.pk), zone=zone, loan="l.team_id," if lent else "", loans=LOANS if lent else ""
    )


def welcome_names(cursor: Any, source: Source, facts: str, *, by: User | None) -> tuple[int, int]:
    """Put names of agents and queues that this source has never told before into the tray; returns how many of each."""
    made = []
    for model, column in ((AgentAlias, "agent_external"), (QueueAlias, "queue_external")):
        cursor.execute(
            NEW_NAMES.format(column=column, facts=facts, aliases=model._meta.db_table, source=int(source.pk))
        )
        names: Sequence[str] = [name for (name,) in cursor.fetchall()]
        audit.create_many(
            model, [model(source=source, external=name) for name in names], by=by, reason="first seen in a delivery"
        )
        made.append(len(names))
    return made[0], made[1]


def touch(cursor: Any, touched: str) -> int:
    """Tell the night that facts of these zones and days (SQL of zone, day) have changed; returns how many days."""
    cursor.execute(TOUCH.format(touched=touched))
    return cursor.rowcount
