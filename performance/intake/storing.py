"""Contacts, compared with what we hold and stored: one identity, one version, one place in its month.

Whoever calls holds the lock of the source's row, so nobody else changes its contacts meanwhile. A row is
  new      its id is not known yet
  same     known, and nothing in it has changed
  newer    known, changed, and of the same or a later version: it takes the place of the one we hold
  older    known, changed, and of an earlier version: ignored
At an equal version the later delivery wins: it is a second change within the clock tick of the source, or a mapping mended.
"""

from typing import Any

from performance import partitions
from performance.intake import placing
from performance.intake.outputs import CONTACT_VALUES, HASHED
from performance.models import ImportRun, Source
from teams import progress
from teams.models import User

# Rows of the delivery whose id we hold already. Usually few; a delivery of new rows finds none.
KNOWN = """
CREATE TEMPORARY TABLE intake_known ON COMMIT DROP AS
SELECT t.n, k.id, k.opened_at AS held_opened_at,
       CASE WHEN k.payload_hash = t.payload_hash THEN 'same' WHEN t.version_at >= k.version_at THEN 'newer' ELSE 'older'
       END AS verdict, t.version_at > k.version_at AS is_later
FROM (SELECT t.n, t.external_id, md5(ROW({hashed})::text) AS payload_hash, coalesce(t.version_at, %s) AS version_at
      FROM intake_typed t) t
JOIN performance_contactkey k ON k.source_id = {source} AND k.external_id = t.external_id
"""
# Nothing changed but the version: it is kept all the same, or what arrives late and lies between would win.
SEEN_AGAIN = """
WITH later AS (
    SELECT h.id, h.held_opened_at, t.version_at FROM intake_known h JOIN intake_typed t USING (n)
    WHERE h.verdict = 'same' AND h.is_later AND t.version_at IS NOT NULL
), raised AS (
    UPDATE performance_contactkey k SET version_at = later.version_at FROM later WHERE k.id = later.id
)
UPDATE performance_contact c SET source_updated_at = later.version_at
FROM later WHERE c.id = later.id AND c.opened_at = later.held_opened_at
"""
REMOVE = """
WITH gone AS (
    DELETE FROM performance_contact c USING intake_known h
    WHERE h.verdict = 'newer' AND c.id = h.id AND c.opened_at = h.held_opened_at
    RETURNING c.zone, c.day, c.queue_id, c.opened_at
)
INSERT INTO intake_touched
SELECT zone, day FROM gone
UNION SELECT q.zone, (g.opened_at AT TIME ZONE q.zone)::date FROM gone g JOIN performance_queue q ON q.id = g.queue_id
"""
# Fresh rows get the next ids here and nowhere else, so that keys and contacts agree without being joined again.
KEYS = """
INSERT INTO performance_contactkey (id, source_id, external_id, opened_at, version_at, payload_hash)
SELECT t.id, {source}, t.external_id, t.opened_at, coalesce(t.version_at, %s), md5(ROW({hashed})::text) FROM intake_typed t
"""
REPLACE_KEYS = """ ON CONFLICT (source_id, external_id) DO UPDATE SET opened_at = excluded.opened_at,
version_at = excluded.version_at, payload_hash = excluded.payload_hash"""
INSERT = """
WITH stored AS (
    INSERT INTO performance_contact (id, source_id, run_id, external_id, opened_at, source_updated_at, queue_id, queue_external,
        agent_id, agent_external, team_id, zone, day, shift_started_at, has_own_complexity, {columns})
    SELECT id, {source}, {run}, external_id, opened_at, coalesce(version_at, %s), queue_id, queue_external, agent_id,
        agent_external, team_id, zone, day, shift_at, complexity IS NOT NULL, {values}
    FROM ({placed}) p
    RETURNING zone, day, queue_id, opened_at,
        agent_id IS NULL AND agent_external <> '' OR queue_id IS NULL AND queue_external <> '' AS waits,
        agent_id IS NOT NULL AND team_id IS NULL AS is_teamless
)
SELECT s.zone, s.day, q.zone, (s.opened_at AT TIME ZONE q.zone)::date, count(*) FILTER (WHERE waits),
       count(*) FILTER (WHERE is_teamless)
FROM stored s LEFT JOIN performance_queue q ON q.id = s.queue_id GROUP BY 1, 2, 3, 4
"""


def contacts(cursor: Any, source: Source, run: ImportRun, *, by: User | None) -> dict[str, int]:
    """Store the valid rows of `intake_typed`; returns counts by verdict and what waits in the tray."""
    cursor.execute("SELECT clock_timestamp()")
    moment = cursor.fetchone()[0]
    here = {"source": int(source.pk), "run": int(run.pk), "hashed": ", ".join(f"t.{name}" for name in HASHED)}
    cursor.execute("ANALYZE intake_typed (external_id, agent_external, queue_external)")
    cursor.execute(KNOWN.format(**here), [moment])
    cursor.execute("SELECT verdict, count(*) FROM intake_known GROUP BY verdict")
    counts: dict[str, int] = {"newer": 0, "same": 0, "older": 0, **dict(cursor.fetchall())}
    if counts["same"]:
        cursor.execute(SEEN_AGAIN)
    if counts["same"] or counts["older"]:
        cursor.execute(
            "DELETE FROM intake_typed t USING intake_known h WHERE h.n = t.n AND h.verdict IN ('same', 'older')"
        )
    counts["new_agents"], counts["new_queues"] = placing.welcome_names(cursor, source, "intake_typed", by=by)
    cursor.execute("CREATE TEMPORARY TABLE intake_touched (zone text, day date) ON COMMIT DROP")
    make_months(cursor, "intake_typed", "opened_at")
    if counts["newer"]:
        cursor.execute(REMOVE)
        cursor.execute(
            "UPDATE intake_typed t SET id = h.id FROM intake_known h WHERE h.n = t.n AND h.verdict = 'newer'"
        )
    cursor.execute(KEYS.format(**here) + (REPLACE_KEYS if counts["newer"] else ""), [moment])
    counts["new"] = cursor.rowcount - counts["newer"]
    values = ("coalesce(complexity, queue_complexity, 'simple')" if c == "complexity" else c for c in CONTACT_VALUES)
    placed = placing.placed(cursor, source, "intake_typed")
    progress.safe_point()
    statement = INSERT.format(columns=", ".join(CONTACT_VALUES), values=", ".join(values), placed=placed, **here)
    cursor.execute(statement, [moment])
    stored = cursor.fetchall()
    days = {(zone, day) for zone, day, *_rest in stored} | {(zone, day) for _z, _d, zone, day, *_rest in stored if zone}
    cursor.execute(
        "INSERT INTO intake_touched SELECT * FROM unnest(%s::text[], %s::date[])",
        [[zone for zone, _day in days], [day for _zone, day in days]],
    )
    counts["days"] = placing.touch(cursor, "SELECT zone, day FROM intake_touched")
    counts["waiting"] = sum(row[4] for row in stored)
    counts["without_team"] = sum(row[5] for row in stored)
    return counts


def make_months(cursor: Any, facts: str, moment: str) -> None:
    """Partitions for the months in which `facts` lie, and for no others between them."""
    cursor.execute(f"SELECT DISTINCT date_trunc('month', {moment} AT TIME ZONE 'UTC')::date FROM {facts} ORDER BY 1")
    for (month,) in cursor.fetchall():
        partitions.ensure(month, month)
