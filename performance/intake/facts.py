"""Legs, state intervals and a source's own half hours, stored. The later delivery wins where a row's content differs."""

from typing import Any

from performance.intake import placing
from performance.intake.storing import make_months
from performance.models import ImportRun, Source
from teams.models import User

LEG_JUDGED = """
CREATE TEMPORARY TABLE intake_judged ON COMMIT DROP AS
SELECT t.*, h.id AS held_id, h.zone AS held_zone, h.day AS held_day,
       CASE WHEN h.id IS NULL THEN 'new' WHEN (h.ended_at, h.reply_count, h.end_reason) IS NOT DISTINCT FROM
            (t.ended_at, t.reply_count::smallint, t.end_reason) THEN 'same' ELSE 'newer' END AS verdict
FROM intake_typed t LEFT JOIN performance_leg h ON h.source_id = {source} AND h.contact_external = t.contact_external
    AND h.agent_external = t.agent_external AND h.started_at = t.started_at
"""
LEG_INSERT = """
INSERT INTO performance_leg (source_id, run_id, agent_id, agent_external, team_id, zone, day, contact_external, started_at,
    ended_at, reply_count, end_reason)
SELECT {source}, {run}, agent_id, agent_external, team_id, zone, day, contact_external, started_at, ended_at, reply_count,
    end_reason
FROM ({placed}) p
ON CONFLICT (source_id, contact_external, agent_external, started_at) DO UPDATE SET run_id = excluded.run_id,
    agent_id = excluded.agent_id, team_id = excluded.team_id, zone = excluded.zone, day = excluded.day,
    ended_at = excluded.ended_at, reply_count = excluded.reply_count, end_reason = excluded.end_reason
"""
LEG_TOUCHED = """
SELECT zone, day FROM performance_leg h JOIN intake_judged t USING (contact_external, agent_external, started_at)
WHERE h.source_id = {source} UNION SELECT held_zone, held_day FROM intake_judged WHERE held_id IS NOT NULL
"""


def legs(cursor: Any, source: Source, run: ImportRun, *, by: User | None) -> dict[str, int]:
    """Store the valid rows of `intake_typed` as legs; returns counts by verdict."""
    here = {"source": int(source.pk), "run": int(run.pk)}
    cursor.execute("ANALYZE intake_typed")
    cursor.execute(LEG_JUDGED.format(**here))
    counts = _verdicts(cursor)
    counts["new_agents"], counts["new_queues"] = placing.welcome_names(cursor, source, "intake_judged", by=by)
    make_months(cursor, "intake_judged", "started_at")
    cursor.execute(LEG_INSERT.format(placed=placing.placed(cursor, source, "intake_judged"), **here))
    counts["days"] = placing.touch(cursor, LEG_TOUCHED.format(**here)) if counts["new"] + counts["newer"] else 0
    return counts


def _verdicts(cursor: Any) -> dict[str, int]:
    cursor.execute("SELECT verdict, count(*) FROM intake_judged GROUP BY verdict")
    counts: dict[str, int] = {"new": 0, "newer": 0, "same": 0, "older": 0, **dict(cursor.fetchall())}
    cursor.execute("DELETE FROM intake_judged WHERE verdict = 'same'")
    return counts


INTERVAL_JUDGED = """
CREATE TEMPORARY TABLE intake_judged ON COMMIT DROP AS
SELECT t.*, CASE WHEN h.id IS NULL THEN 'new' WHEN (h.offered, h.answered, h.abandoned, h.handle_seconds) IS NOT DISTINCT FROM
    (t.offered, t.answered, t.abandoned, t.handle_seconds) THEN 'same' ELSE 'newer' END AS verdict
FROM intake_typed t LEFT JOIN performance_intervalfact h
    ON h.source_id = {source} AND h.queue_external = t.queue_external AND h.started_at = t.started_at
"""
INTERVAL_INSERT = """
INSERT INTO performance_intervalfact (source_id, run_id, queue_external, queue_id, started_at, offered, answered, abandoned,
    handle_seconds)
SELECT {source}, {run}, t.queue_external, a.queue_id, t.started_at, t.offered, t.answered, t.abandoned, t.handle_seconds
FROM intake_judged t LEFT JOIN performance_queuealias a ON a.source_id = {source} AND a.external = t.queue_external
ON CONFLICT (source_id, queue_external, started_at) DO UPDATE SET run_id = excluded.run_id, queue_id = excluded.queue_id,
    offered = excluded.offered, answered = excluded.answered, abandoned = excluded.abandoned,
    handle_seconds = excluded.handle_seconds
"""
INTERVAL_TOUCHED = """
SELECT q.zone, (t.started_at AT TIME ZONE q.zone)::date AS day FROM intake_judged t
JOIN performance_queuealias a ON a.source_id = {source} AND a.external = t.queue_external
JOIN performance_queue q ON q.id = a.queue_id
"""


def intervals(cursor: Any, source: Source, run: ImportRun, *, by: User | None) -> dict[str, int]:
    """Store the valid rows of `intake_typed` as half hours of the source; returns counts by verdict."""
    here = {"source": int(source.pk), "run": int(run.pk)}
    cursor.execute("ANALYZE intake_typed")
    cursor.execute(INTERVAL_JUDGED.format(**here))
    counts = _verdicts(cursor)
    counts["new_agents"], counts["new_queues"] = placing.welcome_names(cursor, source, "intake_judged", by=by)
    cursor.execute(INTERVAL_INSERT.format(**here))
    counts["days"] = placing.touch(cursor, INTERVAL_TOUCHED.format(**here))
    return counts


# An agent is in one state at a time. What comes in holds for the time it covers; what we held before keeps the remainder.
# Each interval ends where the next one of the same agent starts, and neighbours alike in state and reason become one.
STATE_INCOMING = """
CREATE TEMPORARY TABLE intake_coming ON COMMIT DROP AS
SELECT agent_external, base, reason, confidence, started_at,
       least(ended_at, lead(started_at) OVER (PARTITION BY agent_external ORDER BY started_at),
             CASE WHEN ended_at IS NULL THEN (
                 SELECT min(h.started_at) FROM performance_stateinterval h WHERE h.source_id = {source}
                 AND h.agent_external = t.agent_external AND h.started_at > t.started_at) END) AS ended_at
FROM intake_typed t
"""
STATE_HELD = """
CREATE TEMPORARY TABLE intake_held ON COMMIT DROP AS
SELECT h.* FROM performance_stateinterval h
JOIN (SELECT agent_external, min(started_at) AS since, max(coalesce(ended_at, 'infinity')) AS until FROM intake_coming
      GROUP BY agent_external) w USING (agent_external)
WHERE h.source_id = {source} AND h.started_at <= w.until AND coalesce(h.ended_at, 'infinity') >= w.since
"""
STATE_MERGED = """
CREATE TEMPORARY TABLE intake_merged ON COMMIT DROP AS
WITH covered AS (
    SELECT agent_external, range_agg(tstzrange(started_at, ended_at)) AS spans FROM intake_coming GROUP BY agent_external
), pieces AS (
    SELECT agent_external, base, reason, confidence, tstzrange(started_at, ended_at) AS span FROM intake_coming
    UNION ALL
    SELECT h.agent_external, h.base, h.reason, h.confidence, rest.span FROM intake_held h JOIN covered c USING (agent_external),
           unnest(tstzmultirange(tstzrange(h.started_at, h.ended_at)) - c.spans) AS rest(span)
), marked AS (
    SELECT p.*, CASE WHEN lag(base) OVER w = base AND lag(reason) OVER w = reason AND lag(confidence) OVER w = confidence
                      AND upper(lag(span) OVER w) = lower(span) THEN 0 ELSE 1 END AS begins
    FROM pieces p WHERE NOT isempty(span) WINDOW w AS (PARTITION BY agent_external ORDER BY lower(span))
), numbered AS (
    SELECT m.*, sum(begins) OVER (PARTITION BY agent_external ORDER BY lower(span)) AS island FROM marked m
)
SELECT agent_external, '' AS queue_external, base, reason, confidence, min(lower(span)) AS started_at,
       nullif(max(coalesce(upper(span), 'infinity')), 'infinity') AS ended_at, min(lower(span)) AS at,
       NULL::timestamptz AS shift_at
FROM numbered GROUP BY agent_external, island, base, reason, confidence
"""
STATE_DROP_SAME = """
WITH same AS (
    DELETE FROM intake_merged m USING intake_held h
    WHERE (m.agent_external, m.started_at) = (h.agent_external, h.started_at)
      AND (m.base, m.reason, m.confidence, m.ended_at) IS NOT DISTINCT FROM (h.base, h.reason, h.confidence, h.ended_at)
    RETURNING h.id
)
DELETE FROM intake_held h USING same WHERE h.id = same.id
"""
STATE_REMOVE = """
DELETE FROM performance_stateinterval s USING intake_held h WHERE s.id = h.id AND s.started_at = h.started_at
"""
STATE_INSERT = """
INSERT INTO performance_stateinterval (source_id, run_id, agent_id, agent_external, team_id, zone, day, base, reason,
    started_at, ended_at, confidence)
SELECT {source}, {run}, agent_id, agent_external, team_id, zone, day, base, reason, started_at, ended_at, confidence
FROM ({placed}) p
"""
STATE_TOUCHED = """
SELECT zone, day FROM intake_held UNION SELECT s.zone, s.day FROM performance_stateinterval s
JOIN intake_merged m USING (agent_external, started_at) WHERE s.source_id = {source}
"""


def states(cursor: Any, source: Source, run: ImportRun, *, by: User | None) -> dict[str, int]:
    """Lay the valid rows of `intake_typed` over the time line of each agent; `new` and `newer` count its intervals."""
    here = {"source": int(source.pk), "run": int(run.pk)}
    cursor.execute("SELECT count(*) FROM intake_typed")
    total = cursor.fetchone()[0]
    for statement in (STATE_INCOMING, STATE_HELD):
        cursor.execute(statement.format(**here))
    cursor.execute(STATE_MERGED)
    cursor.execute(STATE_DROP_SAME)
    cursor.execute(
        "SELECT count(*) FILTER (WHERE h.id IS NULL), count(*) FILTER (WHERE h.id IS NOT NULL) FROM intake_merged m "
        "LEFT JOIN intake_held h USING (agent_external, started_at)"
    )
    new, newer = cursor.fetchone()
    counts = {"new": new, "newer": newer, "same": max(0, total - new - newer), "older": 0}
    counts["new_agents"], counts["new_queues"] = placing.welcome_names(cursor, source, "intake_merged", by=by)
    make_months(cursor, "intake_merged", "started_at")
    cursor.execute(STATE_REMOVE)
    cursor.execute(STATE_INSERT.format(placed=placing.placed(cursor, source, "intake_merged"), **here))
    counts["days"] = placing.touch(cursor, STATE_TOUCHED.format(**here)) if new + newer else 0
    return counts
