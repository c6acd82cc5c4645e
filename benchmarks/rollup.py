"""Rollup of a day, and of a month, beside the bare GROUP BY with the 90th percentile of the same contacts.

    python -m benchmarks.rollup                                  a month of 5 million contacts, 20,000 agents
    python -m benchmarks.rollup --contacts 200000 --agents 2000  small, for a check that it runs

The bare statement groups by agent, team and zone, with every measure and the percentile, and only reads. The rollup
writes agent-days and team-days (`figures`), and half hours of queues as well (`whole`); against the whole stands the bare
statement with a second one that groups the same contacts by queue and half hour. Each is printed beside the limit.

The night runs zone by zone, each at its own hour. That is printed twice: beside the statements for the whole day, and
beside the same statements asked once for each zone, for the same rows in as many steps.
"""

import argparse
import sys
from collections.abc import Callable

from benchmarks import figure_ground as ground  # sets Django up: first

# isort: split

from django.db import connection, transaction

from performance import rollups

LIMIT = 1.5
BARE = f"""
SELECT contact.agent_id, contact.team_id, contact.zone, contact.day,
       {", ".join(rollups.SUMS.values())}, {rollups.P90}
FROM performance_contact contact
WHERE contact.day BETWEEN %(first)s AND %(last)s AND {rollups.COUNTED} /*among*/
GROUP BY contact.agent_id, contact.team_id, contact.zone, contact.day
"""
BARE_HALF_HOURS = f"""
SELECT contact.queue_id, date_bin('30 minutes', contact.opened_at, '2026-01-01'), count(*),
       count(*) FILTER (WHERE contact.is_answered), count(*) FILTER (WHERE contact.is_abandoned),
       count(*) FILTER (WHERE contact.is_answered AND contact.wait_seconds <= queue.answer_within_seconds),
       count(contact.wait_seconds), sum(contact.wait_seconds),
       count(contact.handle_seconds) FILTER (WHERE contact.is_answered),
       sum(contact.handle_seconds) FILTER (WHERE contact.is_answered)
FROM performance_contact contact JOIN performance_queue queue ON queue.id = contact.queue_id
WHERE contact.day BETWEEN %(first)s AND %(last)s AND {rollups.OFFERED} /*among*/
GROUP BY 1, 2
"""
SETTINGS = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'"
DAY = ground.days()[len(ground.days()) // 2]


def bare(first, last, *statements: str) -> Callable[[], None]:
    def work() -> None:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(SETTINGS)
            for statement in statements:
                cursor.execute(statement, {"first": first, "last": last})

    return work


def bare_by_zone(day) -> Callable[[], None]:
    """Both statements, for one zone after the other: each in a transaction of its own, as the zones' runs are."""
    runs = [
        bare(day, day, *(text.replace("/*among*/", f"AND contact.zone = '{zone}'") for text in (BARE, BARE_HALF_HOURS)))
        for zone in ground.ZONES
    ]

    def work() -> None:
        for run in runs:
            run()

    return work


def by_zone() -> None:
    for zone in ground.ZONES:
        rollups.roll_up(DAY, zone)


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE performance_agentday, performance_teamday, performance_queuehalfhour")


def figures() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        rollups.figures(cursor, DAY, None)


def month() -> None:
    for day in ground.days():
        rollups.roll_up(day)


def fresh(work: Callable[[], object]) -> Callable[[], float]:
    """Seconds of `work` on empty rollups; emptying is not counted."""

    def run() -> float:
        empty()
        return ground.median_seconds(work, times=1)

    return run


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=5_000_000)
    arguments.add_argument("--agents", type=int, default=20_000)
    arguments.add_argument("--times", type=int, default=5)
    arguments.add_argument("--keep", action="store_true", help="keep the scratch database for the next run")
    wish = arguments.parse_args()
    met = []
    with ground.scratch_database("bench_figures", keep=wish.keep) as is_new:
        if is_new:
            ground.fill(wish.contacts, wish.agents)
        first, last, both = ground.FIRST_DAY, ground.LAST_DAY, (BARE, BARE_HALF_HOURS)
        for name, work, base in (
            ("one day, figures", figures, bare(DAY, DAY, BARE)),
            ("one day, whole", lambda: rollups.roll_up(DAY), bare(DAY, DAY, *both)),
            ("one day, whole, by zone", by_zone, bare(DAY, DAY, *both)),
            ("one day, whole, by zone, beside bare by zone", by_zone, bare_by_zone(DAY)),
            ("month's rebuild, whole", month, bare(first, last, *both)),
        ):
            ours, theirs = [], []
            for _turn in range(wish.times):  # one after the other, so that both meet the same machine
                theirs.append(ground.median_seconds(base, times=1))
                ours.append(fresh(work)())
            ours.sort()
            theirs.sort()
            middle = wish.times // 2
            ratio = ours[middle] / theirs[middle]
            met.append(ratio <= LIMIT)
            verdict = "PASS" if met[-1] else "NOT MET"
            print(
                f"{name}: {ours[middle]:.3f} s / {theirs[middle]:.3f} s = {ratio:.2f} (limit {LIMIT}) {verdict}",
                flush=True,
            )
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
