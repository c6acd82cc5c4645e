"""The agent's own pages at five million contacts: at most 12 queries and 150 ms for 95 of 100 requests.

    python -m benchmarks.agent_page [--contacts 5000000] [--agents 20000] [--requests 100] [--keep]

Works in a scratch database beside the configured one, fills it by SQL with 31 days up to today and rolls agent days up
from it. Each request goes through the whole stack of middleware, views and templates, for another agent each time.
"""

import argparse
import sys
import time
from datetime import date, timedelta

from benchmarks import figure_ground as ground  # sets Django up: first

# isort: split

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from teams.models import Agent, User

MOST_QUERIES, MOST_MILLISECONDS, DAYS, TEAM_SIZE = 12, 150, 31, 20
TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")  # open and close a request, and ask nothing
AS_SERVED = {  # plain HTTP as behind a proxy; static files need not have been collected
    "ALLOWED_HOSTS": ["testserver"],
    "SECURE_SSL_REDIRECT": False,
    "STORAGES": settings.STORAGES
    | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}},
}
PAGES = ("/me/", "/me/days/", "/me/contacts/?figure=volume", "/me/record/")

PEOPLE = """
INSERT INTO teams_team (code, name, zone, is_closed) VALUES ('hub', 'Hub', 'UTC', false);
INSERT INTO teams_team (code, name, zone, is_closed, parent_id)
SELECT 'team-' || n, 'Team ' || n, 'UTC', false, (SELECT id FROM teams_team WHERE code = 'hub')
FROM generate_series(0, %(teams)s - 1) n;
INSERT INTO performance_source (code, name, team_id, zone, channel, mapping, token_digest, token_hint, is_active)
SELECT 'bench', 'Bench', id, 'UTC', 'phone', '{}', '', '', true FROM teams_team WHERE code = 'hub';
INSERT INTO performance_importrun (source_id, door, layout, state, file, file_name, digest, mapping, counts, message)
SELECT id, 'command', 'contacts', 'done', '', 'bench', '', '{}', '{}', '' FROM performance_source;
INSERT INTO teams_user (username, full_name, password, email, language, zone, is_staff, is_superuser, is_active, date_joined)
SELECT 'b' || n, 'Agent ' || n, '!', '', '', 'UTC', false, false, true, now() FROM generate_series(0, %(agents)s - 1) n;
INSERT INTO teams_agent (number, name, team_id, zone, locale, role, status, user_id)
SELECT 'B' || n, 'Agent ' || n, team.id, 'UTC', 'en', 'agent', 'active', teams_user.id
FROM generate_series(0, %(agents)s - 1) n
JOIN teams_team team ON team.code = 'team-' || n / %(team_size)s JOIN teams_user ON teams_user.username = 'b' || n;
INSERT INTO performance_target (team_id, role, metric, value, span)
SELECT id, '', 'volume', 10, daterange(NULL, NULL) FROM teams_team
"""

CONTACTS = """
WITH staff AS MATERIALIZED (SELECT row_number() OVER (ORDER BY id) - 1 AS n, id, team_id FROM teams_agent)
INSERT INTO performance_contact (
    id, source_id, run_id, external_id, channel, agent_id, agent_external, team_id, zone, day, complexity, opened_at,
    ended_at, source_updated_at, handle_seconds, handle_method, is_answered, is_resolved, rating
)
SELECT i, source.id, run.id, i::text, 'phone', staff.id, '', staff.team_id, 'UTC', %(day)s::date,
    CASE WHEN i %% 4 = 0 THEN 'complex' ELSE 'simple' END, moment, moment + interval '5 minutes', moment,
    120 + i %% 900, 'measured', true, i %% 5 > 0, CASE WHEN i %% 3 = 0 THEN (i %% 5) / 4.0 END
FROM generate_series(%(first)s::bigint, %(last)s::bigint) i
JOIN staff ON staff.n = i %% %(agents)s
CROSS JOIN LATERAL (SELECT %(day)s::timestamp AT TIME ZONE 'UTC' + i %% 80000 * interval '1 second') AS m (moment)
CROSS JOIN performance_source source CROSS JOIN performance_importrun run
"""

ROLLUPS = """
INSERT INTO performance_agentday (
    day, zone, agent_id, team_id, contacts, closed, closed_simple, closed_complex, judged, resolved, rated, satisfied,
    rating_sum, timed, timed_estimated, handle_seconds, timed_simple, handle_seconds_simple, timed_complex,
    handle_seconds_complex, replied_first, first_reply_seconds, reopened, transferred
)
SELECT day, zone, agent_id, team_id, count(*), count(*), count(*) FILTER (WHERE complexity = 'simple'),
    count(*) FILTER (WHERE complexity = 'complex'), count(*), count(*) FILTER (WHERE is_resolved), count(rating),
    count(*) FILTER (WHERE rating >= 0.75), 0, count(*), 0, sum(handle_seconds),
    count(*) FILTER (WHERE complexity = 'simple'), coalesce(sum(handle_seconds) FILTER (WHERE complexity = 'simple'), 0),
    count(*) FILTER (WHERE complexity = 'complex'), coalesce(sum(handle_seconds) FILTER (WHERE complexity = 'complex'), 0),
    0, 0, 0, 0
FROM performance_contact GROUP BY day, zone, agent_id, team_id
"""


def fill(contacts: int, agents: int, today: date) -> None:
    """People, and `contacts` spread evenly over the last 31 days and all agents."""
    first_day = today - timedelta(days=DAYS - 1)
    words = {"agents": agents, "teams": -(-agents // TEAM_SIZE), "team_size": TEAM_SIZE}
    per_day = contacts // DAYS
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions(%s, %s)", [first_day, today + timedelta(days=1)])
        for statement in PEOPLE.split(";\n"):
            cursor.execute(statement, words)
        cursor.execute("ANALYZE")  # or each day's contacts are joined to their agents pair by pair
        for n in range(DAYS):
            numbers = {"day": first_day + timedelta(days=n), "first": n * per_day + 1, "last": (n + 1) * per_day}
            cursor.execute(CONTACTS, words | numbers)
        cursor.execute(ROLLUPS)
        cursor.execute("VACUUM ANALYZE")


def measure(path: str, requests: int) -> tuple[int, float]:
    """Most queries of one request, and the 95th percentile of `requests` in milliseconds."""
    users = list(User.objects.filter(agent__in=Agent.objects.order_by("pk")[: requests + 5]).order_by("pk"))
    most, taken = 0, []
    for place, user in enumerate(users):
        client = Client()
        client.force_login(user)
        if place < 5:  # warm, and count the queries
            with CaptureQueriesContext(connection) as found:
                answer = client.get(path)
            asked = [query for query in found.captured_queries if not query["sql"].startswith(TRANSACTION)]
            most = max(most, len(asked))
        else:
            start = time.perf_counter()
            answer = client.get(path)
            taken.append((time.perf_counter() - start) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
    return most, sorted(taken)[int(len(taken) * 0.95) - 1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=5_000_000)
    parser.add_argument("--agents", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--keep", action="store_true", help="leave the scratch database for the next run")
    wish = parser.parse_args()
    passed = True
    with ground.scratch_database("agent_page", keep=wish.keep) as is_new, override_settings(**AS_SERVED):
        if is_new:
            start = time.perf_counter()
            fill(wish.contacts, wish.agents, timezone.now().date())
            print(f"{wish.contacts:,} contacts, {wish.agents:,} agents made in {time.perf_counter() - start:.0f} s")
        for path in PAGES:
            queries, p95 = measure(path, wish.requests)
            good = queries <= MOST_QUERIES and p95 <= MOST_MILLISECONDS
            passed &= good
            print(
                f"{'PASS' if good else 'NOT MET'}  {path}: {queries} queries (at most {MOST_QUERIES}), "
                f"p95 {p95:.0f} ms (at most {MOST_MILLISECONDS})"
            )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
