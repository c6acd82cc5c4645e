"""A scratch database with teams, agents, queues and one month of contacts, made by set-based SQL, for the benchmarks here."""

import logging
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import django

from teams import acting

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()
acting.whole_process("a benchmark builds its ground")
logging.disable(logging.WARNING)  # figures stand by themselves

from django.db import connection  # noqa: E402

from benchmarks import scratch  # noqa: E402

FIRST_DAY, LAST_DAY = date(2026, 3, 1), date(2026, 3, 31)
ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "UTC")
TEAM_SIZE = 20

PEOPLE = """
INSERT INTO teams_team (code, name, zone, is_closed) VALUES ('hub', 'Hub', 'UTC', false);
INSERT INTO teams_team (code, name, zone, is_closed, parent_id)
SELECT 'team-' || n, 'Team ' || n, (%(zones)s::text[])[1 + n %% 4], false, (SELECT id FROM teams_team WHERE code = 'hub')
FROM generate_series(0, %(teams)s - 1) n;
INSERT INTO performance_source (code, name, team_id, zone, channel, mapping, token_digest, token_hint, is_active)
SELECT 'bench', 'Bench', id, 'UTC', 'phone', '{}', '', '', true FROM teams_team WHERE code = 'hub';
INSERT INTO performance_importrun (source_id, door, layout, state, file, file_name, digest, mapping, counts, message)
SELECT id, 'command', 'contacts', 'done', '', 'bench', '', '{}', '{}', '' FROM performance_source;
INSERT INTO performance_queue (code, name, team_id, zone, complexity, answer_within_seconds)
SELECT 'queue-' || substr(code, 6), 'Queue ' || substr(code, 6), id, zone, 'simple', 20
FROM teams_team WHERE code LIKE 'team-%%' AND substr(code, 6)::int < 200;
INSERT INTO teams_agent (number, name, team_id, zone, locale, role, status)
SELECT 'B' || n, 'Agent ' || n, team.id, team.zone, 'en', 'agent', 'active'
FROM generate_series(0, %(agents)s - 1) n
JOIN teams_team team ON team.code = 'team-' || n / %(team_size)s;
"""

CONTACTS = """
WITH staff AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, team_id, zone FROM teams_agent
), lines AS MATERIALIZED (  -- a queue serves five teams of its own zone
    SELECT team.id AS team_id, queue.id
    FROM teams_team team JOIN performance_queue queue ON queue.code = 'queue-' || substr(team.code, 6)::int %% 200
    WHERE team.code LIKE 'team-%%'
)
INSERT INTO performance_contact (
    id, source_id, run_id, external_id, channel, queue_id, agent_id, agent_external, team_id, zone, day, complexity,
    opened_at, ended_at, source_updated_at, wait_seconds, first_reply_seconds, handle_seconds, handle_method,
    is_answered, is_resolved, rating, rating_scale, rating_raw
)
SELECT i, source.id, run.id, i::text, 'phone', lines.id, staff.id, 'a' || staff.n, staff.team_id, staff.zone, %(day)s::date,
    CASE WHEN i %% 4 = 0 THEN 'complex' ELSE 'simple' END,
    opened, opened + interval '5 minutes', opened, i %% 60, 3 + i %% 30,
    CASE WHEN i %% 50 > 0 THEN 120 + (i * 7919) %% 900 END, 'measured', true,
    CASE i %% 5 WHEN 0 THEN NULL WHEN 1 THEN false ELSE true END,
    CASE WHEN i %% 3 = 0 THEN (i %% 5) / 4.0 END, CASE WHEN i %% 3 = 0 THEN 5 END, CASE WHEN i %% 3 = 0 THEN 1 + i %% 5 END
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
JOIN staff ON staff.n = (i * 7) %% %(agents)s
JOIN lines ON lines.team_id = staff.team_id
CROSS JOIN LATERAL (
    SELECT (%(day)s::timestamp + interval '8 hours') AT TIME ZONE staff.zone + (i * 104729 %% 43200) * interval '1 second'
) AS moment (opened)
CROSS JOIN performance_source source CROSS JOIN performance_importrun run
"""


def days() -> list[date]:
    return [FIRST_DAY + timedelta(days=n) for n in range((LAST_DAY - FIRST_DAY).days + 1)]


def fill(contacts: int, agents: int) -> None:
    """Teams of 20, four zones, a queue for each of the first 200 teams, and `contacts` spread over the days of March 2026."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions(%s, %s)", [FIRST_DAY, LAST_DAY + timedelta(days=1)])
        words = {"zones": list(ZONES), "agents": agents, "team_size": TEAM_SIZE}
        words["teams"] = -(-agents // TEAM_SIZE)
        for statement in PEOPLE.split(";\n"):
            if statement.strip():
                cursor.execute(statement, words)
        cursor.execute("ANALYZE")  # or each day's contacts are joined to their agents pair by pair
        per_day = contacts // len(days())
        for index, day in enumerate(days()):
            cursor.execute(CONTACTS, {**words, "day": day, "first": index * per_day + 1, "last": (index + 1) * per_day})
        cursor.execute(
            "INSERT INTO performance_daytouch (zone, day, version)"
            " SELECT DISTINCT zone, day, 1 FROM performance_contact ON CONFLICT DO NOTHING"
        )
    tidy()


def tidy() -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


@contextmanager
def scratch_database(name: str, *, keep: bool) -> Iterator[bool]:
    """Work in a database of its own beside the configured one; says whether it is new. Dropped at the end unless `keep`."""
    connection.settings_dict["TEST"]["NAME"] = f"{connection.settings_dict['NAME']}_{name}"
    configured = scratch.make_database(keep=keep)
    with connection.cursor() as cursor:
        cursor.execute("SELECT NOT EXISTS (SELECT 1 FROM teams_team)")
        is_new = cursor.fetchone()[0]
    try:
        yield is_new
    finally:
        if not keep:
            scratch.drop_database(configured)


def median_seconds(work: Callable[[], object], times: int = 5) -> float:
    """The median of `times` runs."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)
