"""Rollups by set-based SQL: agent-days, team-days and half hours of queues, always rebuilt from the facts.

Each function brings the rows of one day to what the facts say now, whatever stood there before: it inserts what is new,
updates what differs and deletes what has vanished, in one statement. Run twice, in any order or side by side, the rows are
the same; a row that already says so is not written again, and the teams whose figures changed are told.

Which contacts count stands in COUNTED and OFFERED and nowhere else. A contact of an agent who had no team on its day is in
nobody's figures until somebody gives them one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from teams.clock import day_end, day_start

COUNTED = (
    "contact.agent_id IS NOT NULL AND contact.team_id IS NOT NULL"
    " AND contact.is_answered AND NOT contact.is_excluded AND NOT contact.is_bot_only"
)
OFFERED = "contact.queue_id IS NOT NULL AND NOT contact.is_excluded AND NOT contact.is_bot_only"

# What is asked of a contact, by name: the sums name it in braces.
_ASKED = {
    "is_closed": "contact.ended_at IS NOT NULL",
    "is_simple": "contact.complexity = 'simple'",
    "is_complex": "contact.complexity = 'complex'",
    "is_satisfied": "contact.rating >= 0.75",
    "is_estimated": "contact.handle_seconds IS NOT NULL AND contact.handle_method = 'gap'",
    "is_reopened": "contact.ended_at IS NOT NULL AND contact.reopen_count > 0",
    "is_transferred": "contact.transfer_count > 0",
}
_SUMS = {
    "contacts": "count(*)",
    "closed": "count(*) FILTER (WHERE {is_closed})",
    "closed_simple": "count(*) FILTER (WHERE {is_closed} AND {is_simple})",
    "closed_complex": "count(*) FILTER (WHERE {is_closed} AND {is_complex})",
    "judged": "count(contact.is_resolved)",
    "resolved": "count(*) FILTER (WHERE contact.is_resolved)",
    "rated": "count(contact.rating)",
    "satisfied": "count(*) FILTER (WHERE {is_satisfied})",
    "rating_sum": "coalesce(sum(contact.rating), 0)",
    "timed": "count(contact.handle_seconds)",
    "timed_estimated": "count(*) FILTER (WHERE {is_estimated})",
    "handle_seconds": "coalesce(sum(contact.handle_seconds), 0)",
    "timed_simple": "count(contact.handle_seconds) FILTER (WHERE {is_simple})",
    "handle_seconds_simple": "coalesce(sum(contact.handle_seconds) FILTER (WHERE {is_simple}), 0)",
    "timed_complex": "count(contact.handle_seconds) FILTER (WHERE {is_complex})",
    "handle_seconds_complex": "coalesce(sum(contact.handle_seconds) FILTER (WHERE {is_complex}), 0)",
    "replied_first": "count(contact.first_reply_seconds)",
    "first_reply_seconds": "coalesce(sum(contact.first_reply_seconds), 0)",
    "reopened": "count(*) FILTER (WHERE {is_reopened})",
    "transferred": "count(*) FILTER (WHERE {is_transferred})",
}
SUMS = {name: how.format_map(_ASKED) for name, how in _SUMS.items()}
_TOLD = {name: f"contact.{name}" for name in _ASKED}  # once a contact has been asked
P90 = "percentile_disc(0.9) WITHIN GROUP (ORDER BY contact.handle_seconds)"
MEASURES = (*SUMS, "handle_p90_seconds")

# -- agent-days and team-days ------------------------------------------------------------------------------------------------

_columns = ", ".join(MEASURES)
_set = ", ".join(f"{name} = excluded.{name}" for name in MEASURES)
_excluded = ", ".join(f"excluded.{name}" for name in MEASURES)
_grouped = ", ".join(f"fresh.{name}" for name in MEASURES)
_fresh = ", ".join(f"{name} = fresh.{name}" for name in MEASURES)


def _held(table: str) -> str:
    return ", ".join(f"{table}.{name}" for name in MEASURES)


def _figures(contacts: str, teams: str) -> str:
    """Rebuild the day of some teams: the agents' rows and the teams' rows from one reading of the facts.

    What is asked of a contact is asked where it is read (OFFSET 0 keeps it there), so that what is sorted is narrow, numbers
    first, and each question is put once and not at each sum.

    `contacts` is what to read; `teams` selects the ids of the teams that are rebuilt. The ids are handed over as an array,
    so that the rows that stand there are found by team and day however many days the table holds.
    """
    here = f"held.day = %(day)s AND held.team_id = ANY (ARRAY({teams}))"
    same = "fresh.agent_id = held.agent_id AND fresh.team_id = held.team_id AND fresh.zone = held.zone"
    return f"""
WITH fresh AS MATERIALIZED (
    SELECT contact.team_id, contact.agent_id, contact.zone, GROUPING(contact.agent_id) = 1 AS is_team,
           {", ".join(f"{how.format_map(_TOLD)} AS {name}" for name, how in _SUMS.items())}, {P90} AS handle_p90_seconds
    FROM (
        SELECT contact.team_id, contact.agent_id, {", ".join(f"{what} AS {name}" for name, what in _ASKED.items())},
               contact.is_resolved, contact.handle_seconds, contact.first_reply_seconds, contact.rating, contact.zone
        FROM {contacts} OFFSET 0
    ) contact
    GROUP BY GROUPING SETS ((contact.team_id, contact.agent_id, contact.zone), (contact.team_id))
), gone_agents AS (
    DELETE FROM performance_agentday held WHERE {here} AND NOT EXISTS (SELECT FROM fresh WHERE {same})
    RETURNING held.team_id
), changed_agents AS (
    UPDATE performance_agentday held SET {_fresh}
    FROM fresh
    WHERE {here} AND NOT fresh.is_team AND {same} AND ({_held("held")}) IS DISTINCT FROM ({_grouped})
    RETURNING held.team_id
), new_agents AS (  -- the lock on the day keeps others off, so nothing has to be asked of each row's conflict
    INSERT INTO performance_agentday (day, team_id, agent_id, zone, {_columns})
    SELECT %(day)s, fresh.team_id, fresh.agent_id, fresh.zone, {_grouped} FROM fresh
    WHERE NOT fresh.is_team AND NOT EXISTS (SELECT FROM performance_agentday held WHERE {here} AND {same})
    RETURNING team_id
), gone_teams AS (
    DELETE FROM performance_teamday held
    WHERE {here} AND NOT EXISTS (SELECT FROM fresh WHERE fresh.is_team AND fresh.team_id = held.team_id)
    RETURNING held.team_id
), kept_teams AS (
    INSERT INTO performance_teamday AS held (day, team_id, agents, {_columns})
    SELECT %(day)s, fresh.team_id, staff.agents, {_grouped}
    FROM fresh JOIN (
        SELECT team_id, count(DISTINCT agent_id) AS agents FROM fresh WHERE NOT is_team GROUP BY team_id
    ) staff USING (team_id)
    WHERE fresh.is_team
    ON CONFLICT (team_id, day) DO UPDATE SET {_set}, agents = excluded.agents
    WHERE (held.agents, {_held("held")}) IS DISTINCT FROM (excluded.agents, {_excluded})
    RETURNING held.team_id
)
SELECT team_id FROM gone_agents UNION SELECT team_id FROM changed_agents UNION SELECT team_id FROM new_agents
UNION SELECT team_id FROM gone_teams UNION SELECT team_id FROM kept_teams
"""


_ALL_TEAMS = "SELECT id FROM teams_team"
REBUILD_DAY = _figures(f"performance_contact contact WHERE contact.day = %(day)s AND {COUNTED}", _ALL_TEAMS)
# The teams of a zone are read by zone and team in one index, and whole: with their contacts of the day's other zones. A team
# that comes in after these were found is left to the next run, which its touch has asked for.
REBUILD_ZONE = _figures(
    f"""performance_contact contact
    WHERE contact.day = %(day)s AND contact.zone = ANY (%(zones)s) AND contact.team_id = ANY (%(teams)s) AND {COUNTED}""",
    "SELECT unnest(%(teams)s::bigint[])",
)
# The teams of a zone's day and all zones of that day are found by leaping along the index from one to the next.
TOUCHED = f"""
WITH RECURSIVE here (team_id) AS (
    SELECT 0::bigint
    UNION ALL
    SELECT (SELECT contact.team_id FROM performance_contact contact
            WHERE contact.day = %(day)s AND contact.zone = %(zone)s AND contact.team_id > here.team_id
            ORDER BY contact.team_id LIMIT 1)
    FROM here WHERE here.team_id IS NOT NULL
), met (zone) AS (
    SELECT ''::varchar
    UNION ALL
    SELECT (SELECT contact.zone FROM performance_contact contact
            WHERE contact.day = %(day)s AND contact.zone > met.zone ORDER BY contact.zone LIMIT 1)
    FROM met WHERE met.zone IS NOT NULL
)
SELECT
    ARRAY(
        SELECT team_id FROM here WHERE team_id > 0
        UNION SELECT held.team_id FROM performance_agentday held
        WHERE held.day = %(day)s AND held.zone = %(zone)s AND held.team_id = ANY (ARRAY({_ALL_TEAMS}))
    ),
    ARRAY(SELECT zone FROM met WHERE zone <> '')
"""

# -- half hours of queues -----------------------------------------------------------------------------------------------------

HALF_HOUR = (
    "offered", "answered", "abandoned", "answered_in_time", "waited", "wait_seconds", "timed", "handle_seconds",
    "is_reported",
)  # fmt: skip


def _rebuild_half_hours(zones: int) -> str:
    """Rebuild the half hours of so many zones: the day of each is a window of its own, and all are read in one pass.

    Contacts of a queue lie scattered in the table. The windows are found in the index by queue and joined by OR before the
    table is read, so that each page of it is read once. Each queue is taken from its table and not from what was handed over:
    of a table it is known that ids are unique, so the few queues are hashed and not the many contacts.
    """

    def lies_here(row: str, moment: str) -> str:
        windows = (
            f"{row}.queue_id = ANY (%(queues_{n})s) AND {row}.{moment} >= %(start_{n})s AND {row}.{moment} < %(end_{n})s"
            for n in range(zones)
        )
        return " OR ".join(windows)

    held = f"({lies_here('held', 'started_at')})"
    line = """(
        SELECT queue.id, queue.answer_within_seconds, here.start_at
        FROM unnest(%(queues)s::bigint[], %(starts)s::timestamptz[]) AS here (id, start_at)
        JOIN performance_queue queue USING (id)
    ) line"""
    return f"""
WITH counted AS (
    SELECT contact.queue_id, date_bin('30 minutes', contact.opened_at, line.start_at) AS started_at,
           count(*) AS offered,
           count(*) FILTER (WHERE contact.is_answered) AS answered,
           count(*) FILTER (WHERE contact.is_abandoned) AS abandoned,
           count(*) FILTER (WHERE contact.is_answered AND contact.wait_seconds <= line.answer_within_seconds)
               AS answered_in_time,
           count(contact.wait_seconds) AS waited, coalesce(sum(contact.wait_seconds), 0) AS wait_seconds,
           count(contact.handle_seconds) FILTER (WHERE contact.is_answered) AS timed,
           coalesce(sum(contact.handle_seconds) FILTER (WHERE contact.is_answered), 0) AS handle_seconds,
           false AS is_reported
    FROM performance_contact contact
    JOIN {line} ON line.id = contact.queue_id
    WHERE ({lies_here("contact", "opened_at")}) AND {OFFERED}
    GROUP BY 1, 2
), reported AS (
    SELECT fact.queue_id, date_bin('30 minutes', fact.started_at, line.start_at) AS started_at,
           sum(fact.offered) AS offered, sum(coalesce(fact.answered, 0)) AS answered,
           sum(coalesce(fact.abandoned, greatest(fact.offered - fact.answered, 0), 0)) AS abandoned,
           0 AS answered_in_time, 0 AS waited, 0 AS wait_seconds,
           coalesce(sum(fact.answered) FILTER (WHERE fact.handle_seconds IS NOT NULL), 0) AS timed,
           coalesce(sum(fact.answered::bigint * fact.handle_seconds), 0) AS handle_seconds,
           true AS is_reported
    FROM performance_intervalfact fact
    JOIN {line} ON line.id = fact.queue_id
    WHERE {lies_here("fact", "started_at")}
    GROUP BY 1, 2
), fresh AS MATERIALIZED (
    SELECT * FROM reported
    UNION ALL
    SELECT * FROM counted
    WHERE NOT EXISTS (
        SELECT FROM reported
        WHERE reported.queue_id = counted.queue_id AND reported.started_at = counted.started_at
    )
), gone AS (
    DELETE FROM performance_queuehalfhour held
    WHERE {held}
      AND NOT EXISTS (
          SELECT FROM fresh WHERE fresh.queue_id = held.queue_id AND fresh.started_at = held.started_at
      )
    RETURNING held.queue_id, held.day
), changed AS (  -- a queue that has moved to another zone may still have rows of its former day
    UPDATE performance_queuehalfhour held
    SET day = %(day)s, {", ".join(f"{name} = fresh.{name}" for name in HALF_HOUR)}
    FROM fresh
    WHERE {held} AND held.queue_id = fresh.queue_id AND held.started_at = fresh.started_at
      AND (held.day, {", ".join(f"held.{name}" for name in HALF_HOUR)})
        IS DISTINCT FROM (%(day)s, {", ".join(f"fresh.{name}" for name in HALF_HOUR)})
    RETURNING held.queue_id, held.day
), new AS (
    INSERT INTO performance_queuehalfhour (queue_id, started_at, day, {", ".join(HALF_HOUR)})
    SELECT queue_id, started_at, %(day)s, {", ".join(HALF_HOUR)} FROM fresh
    WHERE NOT EXISTS (
        SELECT FROM performance_queuehalfhour held
        WHERE {held} AND held.queue_id = fresh.queue_id AND held.started_at = fresh.started_at
    )
    RETURNING queue_id, day
)
SELECT queue_id, day FROM gone UNION SELECT queue_id, day FROM changed UNION SELECT queue_id, day FROM new
"""


@dataclass(frozen=True)
class Changed:
    """A team's figures, or the half hours of its queues, of this day say something else than before."""

    team_pk: int
    day: date


@transaction.atomic
def roll_up(day: date, zone: str | None = None) -> set[Changed]:
    """Bring the rows of `day` to what the facts say: of the teams with facts in `zone`, and of the queues there, or of all;
    returns what changed.

    A team's day spans all zones, so a team with people in two zones is rebuilt whole by the run of either. Half hours
    lie on the day on which a contact was opened where its queue is, which may be another than the contact's own: whoever
    stores or moves a contact touches both (`intake.storing`, `services.tray`), so each has a run of its own. Two runs of
    the same day wait for each other: what the second then reads is what the first has left.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('performance_rollup'), %s)", [day.toordinal()])
        changed = {Changed(team, day) for team in figures(cursor, day, zone)}
        return changed | half_hours(cursor, day, zone)


def figures(cursor: CursorWrapper, day: date, zone: str | None) -> list[int]:
    """Rebuild agent-days and team-days, under the lock of the day; returns the teams that changed."""
    given: dict[str, Any] = {"day": day, "zone": zone}
    if zone:
        cursor.execute(TOUCHED, given)
        given["teams"], given["zones"] = cursor.fetchone()
    with _planned(cursor, "enable_nestloop", "enable_indexscan"):  # a page holds many contacts of the day: read once
        cursor.execute(REBUILD_ZONE if zone else REBUILD_DAY, given)
        return [team for (team,) in cursor.fetchall()]


def half_hours(cursor: CursorWrapper, day: date, zone: str | None) -> set[Changed]:
    """Rebuild the half hours of `day` in the queues of `zone`, or of all, under the lock of the day; returns what changed.

    A half hour names its queue without a constraint, so the queues are held until the transaction ends.
    """
    cursor.execute(
        "SELECT zone, id, team_id FROM performance_queue"
        " WHERE zone = %s OR %s::text IS NULL ORDER BY zone, id FOR KEY SHARE",
        [zone, zone],
    )
    rows = cursor.fetchall()
    if not rows:
        return set()
    zones, queues, teams = map(list, zip(*rows, strict=True))
    starts = {there: day_start(day, there) for there in zones}
    given: dict[str, Any] = {
        "day": day,
        "queues": queues,
        "starts": [starts[there] for there in zones],
    }
    for n, (there, start) in enumerate(starts.items()):
        given[f"queues_{n}"] = [queue for queue, its in zip(queues, zones, strict=True) if its == there]
        given |= {f"start_{n}": start, f"end_{n}": day_end(day, there)}
    # Read page by page and not row by row along the index; half hours are few beside contacts: hashed and not sorted.
    with _planned(cursor, "enable_nestloop", "enable_indexscan", "enable_sort"):
        cursor.execute(_rebuild_half_hours(len(starts)), given)
        team_of = dict(zip(queues, teams, strict=True))
        return {Changed(team_of[queue], changed_day) for queue, changed_day in cursor.fetchall()}


@contextmanager
def _planned(cursor: CursorWrapper, *without: str) -> Iterator[None]:
    """Statements with memory for the day's rows, not compiled (that takes longer than the rows), and `without` some ways.

    The statistics are of before: to them the day's rows are few, or none, so that a loop in a loop looks cheap.
    """
    cursor.execute(
        "; ".join(["SET LOCAL jit = off; SET LOCAL work_mem = '64MB'", *(f"SET LOCAL {w} = off" for w in without)])
    )
    yield
    cursor.execute("; ".join(f"SET LOCAL {way} = on" for way in without))
