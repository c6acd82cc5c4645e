"""A month's run of incentives beside the bare aggregate of the same contacts, and one agent's live progress.

    python -m benchmarks.incentives                                    5 million contacts, 20,000 agents
    python -m benchmarks.incentives --contacts 300000 --agents 2000    small, for a check that it runs

The bare statement adds up, by agent and day, the counts that a plan of the brief asks for, and only reads. The run lays out
each day of each agent, calculates every distinct case by both calculators, and writes attainments and entries. Wages are of
forty grades, as contracts are. A tenth of the agents is run as well: time must not grow faster than people, nor memory at all.
"""

import argparse
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from benchmarks import figure_ground as ground  # sets Django up: first

# isort: split

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from incentives.models import Entry, Plan, PlanVersion, Run
from incentives.plain.periods import month_of
from incentives.reports.progress import progress
from incentives.services import runs
from performance import rollups
from performance.models import Target
from teams.models import Agent, Team, User
from tests.incentives.plans import gate, terms

RATIO, LINEAR, QUERIES, MILLISECONDS, MEMORY = 3.0, 12.0, 5, 20.0, 1.25
MONTH = month_of(ground.FIRST_DAY)
NOW = datetime(2026, 4, 20, tzinfo=UTC)
ASKED = ("contacts", "closed_simple", "closed_complex", "reopened", "satisfied", "rated", "resolved", "judged")
BARE = f"""
SELECT contact.agent_id, contact.day, {", ".join(rollups.SUMS[name] for name in ASKED)}
FROM performance_contact contact
WHERE contact.day BETWEEN %(first)s AND %(last)s AND {rollups.COUNTED}
GROUP BY contact.agent_id, contact.day
"""
PEOPLE = """
INSERT INTO teams_membership (agent_id, team_id, span, reason)
SELECT id, team_id, daterange('2020-01-01', NULL), '' FROM teams_agent;
INSERT INTO teams_compensation (agent_id, basis, amount, currency, span)
SELECT id, CASE WHEN id %% 2 = 0 THEN 'daily' ELSE 'monthly' END,
       CASE WHEN id %% 2 = 0 THEN 200 + 10 * (id %% 40) ELSE 5000 + 100 * (id %% 40) END, 'CNY', daterange('2020-01-01', NULL)
FROM teams_agent
"""


def fill(contacts: int, agents: int) -> Plan:
    """The month with its rollups, wages, a target that some reach on some days, and the plan of the brief."""
    ground.fill(contacts, agents)
    for day in ground.days():
        rollups.roll_up(day)
    with connection.cursor() as cursor:
        for statement in PEOPLE.split(";\n"):
            cursor.execute(statement.replace("%%", "%"))
    hub = Team.objects.get(code="hub")
    daily = Decimal(contacts) / len(ground.days()) / agents
    for team in Team.objects.exclude(pk=hub.pk):  # every second team reaches a tier on most days
        value = (daily * Decimal("0.9" if team.pk % 2 else "1.1")).quantize(Decimal("0.01"))
        Target.objects.create(team=team, metric="volume", value=value, span=DateRange(ground.FIRST_DAY, None))
    payroll = User.objects.create(username="payroll")
    plan = Plan.objects.create(team=hub, name="Bonus", made_by=payroll, earning_code="BONUS")
    made = terms(
        measures=[{"metric": "volume", "weight": "1", "is_ratio": False}],
        gates=[gate("satisfaction", at_least="0.3"), gate("closure", at_least="0.6")],  # as most of these contacts are
    )
    PlanVersion.objects.create(
        plan=plan, number=1, terms=made, span=DateRange(ground.FIRST_DAY, None), state="published", made_by=payroll
    )
    ground.tidy()
    return plan


def bare() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")
        cursor.execute(BARE, {"first": ground.FIRST_DAY, "last": ground.LAST_DAY})
        while cursor.fetchmany(10_000):
            pass


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE incentives_attainment, incentives_keptfacts, incentives_entry")
        cursor.execute("DELETE FROM incentives_run")


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_of_a_run(plan: Plan) -> int:
    """The most memory that this process has held so far, in MB, after a run. Asked before the bare statement is, whose rows all
    come here."""
    empty()
    runs.calculate(plan.pk, MONTH, now=NOW)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


class Asked:
    """Counts statements and the time they take in the database."""

    def __init__(self) -> None:
        self.count, self.seconds = 0, 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        started = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - started


def verdict(name: str, value: float, limit: float, unit: str = "x") -> bool:
    met = value <= limit
    print(f"{name}: {value:.2f} {unit} (limit {limit:g} {unit}) {'PASS' if met else 'NOT MET'}", flush=True)
    return met


def seconds_of_a_run(plan: Plan, times: int) -> float:
    """Median seconds of a run on nothing."""
    taken = []
    for _turn in range(times):
        empty()
        taken.append(seconds(lambda: runs.calculate(plan.pk, MONTH, now=NOW)))
    return sorted(taken)[times // 2]


def month(plan: Plan, times: int) -> tuple[float, float]:
    """Median seconds of the bare statement and of the run, one after the other."""
    theirs, ours = [], []
    for _turn in range(times):
        theirs.append(seconds(bare))
        empty()
        ours.append(seconds(lambda: runs.calculate(plan.pk, MONTH, now=NOW)))
    return sorted(theirs)[times // 2], sorted(ours)[times // 2]


def live(plan: Plan, people: int = 200) -> tuple[int, float]:
    """Most queries, and the 95th percentile of the milliseconds they take in the database, of agents' progress."""
    most, taken = 0, []
    for agent in Agent.objects.order_by("pk")[:people]:
        asked = Asked()
        with connection.execute_wrapper(asked):
            found = progress(agent, ground.LAST_DAY)
        assert found is not None and found.line is not None
        most = max(most, asked.count)
        taken.append(asked.seconds * 1000)
    return most, sorted(taken)[int(len(taken) * 0.95)]


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--contacts", type=int, default=5_000_000)
    arguments.add_argument("--agents", type=int, default=20_000)
    arguments.add_argument("--times", type=int, default=5)
    arguments.add_argument("--keep", action="store_true", help="keep the scratch database for the next run")
    wish = arguments.parse_args()
    met = []
    with ground.scratch_database("bench_small", keep=False):
        plan = fill(wish.contacts // 10, wish.agents // 10)
        before = peak_of_a_run(plan)
        small = seconds_of_a_run(plan, wish.times)
    with ground.scratch_database("bench_incentives", keep=wish.keep) as is_new:
        plan = fill(wish.contacts, wish.agents) if is_new else Plan.objects.get()
        after = peak_of_a_run(plan)
        theirs, ours = month(plan, wish.times)
        run = Run.objects.get()
        print(f"{run.lines} lines of {run.agents} agents, {Entry.objects.count()} entries")
        met.append(verdict(f"a month's run: {ours:.2f} s / {theirs:.2f} s bare", ours / theirs, RATIO))
        met.append(verdict(f"ten times the agents: {ours:.2f} s / {small:.2f} s", ours / small, LINEAR))
        met.append(verdict(f"memory: {after} MB / {before} MB with a tenth", after / before, MEMORY))
        again = seconds(lambda: runs.calculate(plan.pk, MONTH, now=NOW))
        print(f"the same run again, which changes nothing: {again:.2f} s")
        queries, milliseconds = live(plan)
        met.append(verdict("live progress, queries", queries, QUERIES, "queries"))
        met.append(verdict("live progress, p95 in the database", milliseconds, MILLISECONDS, "ms"))
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
