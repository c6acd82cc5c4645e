"""A supervisor's list of agents: 50 rows and the exact count, with reach over a sixth of the tree, at 1,000 and 100,000.

    DJANGO_SETTINGS_MODULE=config.settings python -m benchmarks.supervisor_list [--agents 100000]

Works in a database of its own that is made and dropped. Measured in the same run, median of 5 rounds: the page through
the admin (middleware, templates and all), its queries and their time, and the same rows and count by hand-written SQL.
Limits: the same number of queries at both sizes; database time of rows and count at most 3x the bare SQL for the same
ids; page at most 250 ms (p95) and at most 1.3x from 1,000 to 100,000. `--agents` takes another larger number.
"""

import argparse
import os
import statistics
import sys
import time
from typing import Any

SMALL, LARGE = 1_000, 100_000
ROUNDS = 5
PAGES_A_ROUND = 8
LEVELS, FANOUT = 6, 3  # six regions below the top, each with 121 teams: reach over one is a sixth of the tree

BARE = """
WITH RECURSIVE own (id) AS (
    SELECT content_object_id FROM teams_teamusergrant g JOIN auth_permission p ON p.id = g.permission_id
    WHERE g.user_id = %(user)s AND p.codename = ANY(%(grants)s) AND (g.until IS NULL OR g.until > now())
    UNION
    SELECT team.id FROM teams_team team JOIN own ON team.parent_id = own.id
)
"""
BARE_ROWS = (
    BARE
    + """
SELECT agent.id, agent.number, agent.name, agent.user_id, agent.team_id, agent.zone, agent.locale, agent.role,
       agent.status, agent.started_on, agent.left_on
FROM teams_agent agent
WHERE agent.team_id = ANY(ARRAY(SELECT id FROM own)) OR agent.user_id = %(user)s OR agent.id = ANY(ARRAY(
    SELECT loan.agent_id FROM teams_loan loan JOIN teams_agent lent ON lent.id = loan.agent_id
    WHERE loan.team_id IN (SELECT id FROM own) AND loan.span @> (now() AT TIME ZONE lent.zone)::date))
ORDER BY agent.number, agent.id DESC LIMIT 50
"""
)
BARE_COUNT = (
    BARE
    + """
SELECT count(*) FROM teams_agent agent
WHERE agent.team_id = ANY(ARRAY(SELECT id FROM own)) OR agent.user_id = %(user)s OR agent.id = ANY(ARRAY(
    SELECT loan.agent_id FROM teams_loan loan JOIN teams_agent lent ON lent.id = loan.agent_id
    WHERE loan.team_id IN (SELECT id FROM own) AND loan.span @> (now() AT TIME ZONE lent.zone)::date))
"""
)


def build(agents: int) -> Any:
    """A tree of six levels, `agents` spread evenly over its teams, some of them lent; the supervisor of a sixth."""
    from django.db import connection

    from teams.models import Agent, Team, User
    from teams.scoping import Grant
    from tests import make

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE teams_team, teams_agent, teams_user CASCADE")
    top = make.team("Top", code="top")
    level = [make.team(f"Region {n}", top, code=f"r{n}") for n in range(6)]
    first = level[0]
    for _depth in range(3, LEVELS + 1):
        level = [
            make.team(f"{above.name}.{n}", above, code=f"{above.code}-{n}") for above in level for n in range(FANOUT)
        ]
    leaves = list(Team.objects.exclude(pk=top.pk).values_list("pk", flat=True).order_by("pk"))
    supervisor = make.user("supervisor", is_staff=True)
    make.grant(supervisor, first, Grant.LEAD)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO teams_agent (number, name, zone, locale, role, status, team_id) "
            "SELECT 'A' || lpad(n::text, 7, '0'), 'Agent ' || n, 'UTC', 'en', 'agent', 'active', "
            "(%s::bigint[])[1 + n %% %s] FROM generate_series(1, %s) n",
            [leaves, len(leaves), agents],
        )
        cursor.execute(
            "INSERT INTO teams_loan (agent_id, team_id, span, reason) SELECT id, %s, "
            "daterange(current_date - 1, current_date + 9), '' FROM teams_agent WHERE id %% 500 = 0 AND team_id <> %s",
            [first.pk, first.pk],
        )
        cursor.execute("ANALYZE")
    assert Agent.objects.count() == agents
    return User.objects.get(pk=supervisor.pk)


class Clock:
    """Counts queries and their time; keeps those that read agents apart."""

    def __init__(self) -> None:
        self.count, self.agents, self.all = 0, 0.0, 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            spent = time.perf_counter() - begun
            self.count, self.all = self.count + 1, self.all + spent
            if 'FROM "teams_agent"' in sql.partition("WHERE")[0]:
                self.agents += spent


def measure(user: Any) -> dict[str, Any]:
    from django.db import connection
    from django.test import Client

    from teams.querysets import ROSTER_READERS

    client = Client()
    client.force_login(user)
    address = "/admin/teams/agent/"
    client.get(address)
    parameters = {"user": user.pk, "grants": [str(grant) for grant in ROSTER_READERS]}
    clocks, pages, bare, rows_of_page = [], [], [], None
    for _round in range(ROUNDS):
        for _page in range(PAGES_A_ROUND):
            clock = Clock()
            with connection.execute_wrapper(clock):
                begun = time.perf_counter()
                answer = client.get(address)
                pages.append(time.perf_counter() - begun)
            clocks.append(clock)
            begun = time.perf_counter()
            with connection.cursor() as cursor:
                cursor.execute(BARE_ROWS, parameters)
                rows = cursor.fetchall()
                cursor.execute(BARE_COUNT, parameters)
                (total,) = cursor.fetchone()
            bare.append(time.perf_counter() - begun)
        listed = answer.context["cl"]
        rows_of_page = [row.pk for row in listed.result_list]
        assert rows_of_page == [row[0] for row in rows], "the page and the bare SQL must show the same rows"
        assert listed.result_count == total, "and the same count"
    return {
        "queries": {clock.count for clock in clocks},
        "agents": statistics.median(clock.agents for clock in clocks),
        "database": statistics.median(clock.all for clock in clocks),
        "bare": statistics.median(bare),
        "page": statistics.median(pages),
        "p95": sorted(pages)[int(len(pages) * 0.95) - 1],
        "total": total,
    }


def verdict(words: str, value: float, limit: float, unit: str = "x") -> bool:
    met = value <= limit
    print(f"{'PASS   ' if met else 'NOT MET'} {words}: {value:.2f} {unit} (limit {limit:g} {unit})")
    return met


def main() -> int:
    os.environ.setdefault("OUTPOST_TESTING", "1")
    options = argparse.ArgumentParser()
    options.add_argument("--agents", type=int, default=LARGE)
    sizes = (SMALL, options.parse_args().agents)
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    from benchmarks import scratch
    from teams import acting

    acting.whole_process("a benchmark builds its ground")

    setup_test_environment(debug=False)
    configured = scratch.make_database()
    try:
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        found = {}
        for size in sizes:
            found[size] = measure(build(size))
            print(
                f"{size:>7} agents, {found[size]['total']} in reach: page {found[size]['page'] * 1000:.0f} ms median, "
                f"{found[size]['p95'] * 1000:.0f} ms p95; {sorted(found[size]['queries'])} queries, "
                f"{found[size]['database'] * 1000:.1f} ms in all, rows and count {found[size]['agents'] * 1000:.1f} ms; "
                f"bare SQL {found[size]['bare'] * 1000:.1f} ms"
            )
        small, large = (found[size] for size in sizes)
        met = [
            verdict(f"queries at {sizes[1]:,} against {SMALL:,}", max(large["queries"]) / min(small["queries"]), 1),
            verdict(f"rows and count against bare SQL, {SMALL:,}", small["agents"] / small["bare"], 3),
            verdict(f"rows and count against bare SQL, {sizes[1]:,}", large["agents"] / large["bare"], 3),
            verdict(f"all queries of the page against bare SQL, {sizes[1]:,}", large["database"] / large["bare"], 3),
            verdict(f"page at {sizes[1]:,}, p95", large["p95"] * 1000, 250, "ms"),
            verdict(f"page at {sizes[1]:,} against {SMALL:,}, median", large["page"] / small["page"], 1.3),
        ]
    finally:
        scratch.drop_database(configured)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
