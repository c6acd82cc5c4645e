"""What the second wall costs: the supervisor's list of 50 agents and the exact count, with row security on and off.

    DJANGO_SETTINGS_MODULE=config.settings python -m benchmarks.wall [--agents 100000]

The ground is that of `supervisor_list`: 100,000 agents, reach over a sixth of the tree. On and off take turns in one run on the
same database, median of 5 rounds; off means that the tables' owner, as whom the benchmark works, is not held by the policies.
Limits: database time of rows and count, and the whole page, at most 1.20 times that without row security.
"""

import argparse
import os
import statistics
import sys
import time
from typing import Any

from benchmarks.supervisor_list import Clock, build, verdict

ROUNDS = 5
PAGES_A_ROUND = 8
LIMIT_TIMES = 1.20


def enforce(wanted: bool) -> None:
    """Hold the owner to the policies of every table, or not."""
    from django.db import connection

    from teams import walls

    with connection.cursor() as cursor:
        for table in walls.declared()[0]:
            cursor.execute(f'ALTER TABLE "{table}" {"" if wanted else "NO "}FORCE ROW LEVEL SECURITY')


def one_round(client: Any) -> tuple[float, float, list[int]]:
    """Median seconds of the statements that read agents and of the page, and the rows the page showed."""
    from django.db import connection

    agents, pages, shown = [], [], []
    for _page in range(PAGES_A_ROUND):
        clock = Clock()
        with connection.execute_wrapper(clock):
            begun = time.perf_counter()
            answer = client.get("/admin/teams/agent/")
            pages.append(time.perf_counter() - begun)
        agents.append(clock.agents)
        shown = [row.pk for row in answer.context["cl"].result_list]
    return statistics.median(agents), statistics.median(pages), shown


def main() -> int:
    os.environ.setdefault("OUTPOST_TESTING", "1")
    options = argparse.ArgumentParser()
    options.add_argument("--agents", type=int, default=100_000)
    wish = options.parse_args()
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    from django.test import Client

    from benchmarks import scratch
    from teams import acting

    acting.whole_process("a benchmark builds its ground")
    setup_test_environment(debug=False)
    configured = scratch.make_database()
    try:
        client = Client()
        client.force_login(build(wish.agents))
        client.get("/admin/teams/agent/")
        found: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
        rows = []
        for number in range(ROUNDS):
            for is_on in (True, False) if number % 2 else (False, True):
                enforce(is_on)
                one_round_of = one_round(client)
                found[is_on].append(one_round_of[:2])
                rows.append(one_round_of[2])
        assert rows[0] and all(each == rows[0] for each in rows), "the page must show the same rows either way"
        with_wall, without = (
            [statistics.median(part) for part in zip(*found[is_on], strict=True)] for is_on in (True, False)
        )
        print(
            f"{wish.agents} agents, load average {os.getloadavg()[0]:.1f}: rows and count {with_wall[0] * 1000:.1f} ms with "
            f"row security and {without[0] * 1000:.1f} ms without; page {with_wall[1] * 1000:.0f} ms and "
            f"{without[1] * 1000:.0f} ms"
        )
        met = [
            verdict("rows and count, with row security against without", with_wall[0] / without[0], LIMIT_TIMES),
            verdict("page, with row security against without", with_wall[1] / without[1], LIMIT_TIMES),
        ]
    finally:
        scratch.drop_database(configured)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
