"""A check of the blacklist over a million entries: one subject, twenty and 500 at once, hits and misses, with their log.

    DJANGO_SETTINGS_MODULE=config.settings python -m benchmarks.blacklist [--entries 1000000] [--keep]

Works in a database of its own that is made and dropped (`--keep` leaves it, and takes one that was kept). A tenth of the hashes
is permanent, a tenth is over, a quarter has lapsed; 20,000 entries are networks; the caller is an agent five teams below the
top. A call is timed whole, as a web request makes it: entering the caller's scope, the reach, the hashing, the statement that
answers and logs, the commit; and the statement alone. Limits: p95 of a call with one subject, and with twenty, at most 10 ms;
of one with 500 at most 100 ms; the plan reads entries by an index; an expired one never matches.
"""

import argparse
import os
import random
import statistics
import sys
import time
from typing import Any

from benchmarks.supervisor_list import verdict

ROUNDS = 300
LIMIT_MS, LIMIT_500_MS = 10, 100
NETWORKS = 20_000
SEED = 20

FILL = """
INSERT INTO approvals_blockentry (team_id, subject_kind, digest, key_name, customer_keys, mask, reason_code, evidence, effect,
    channels, severity, span, review_note, appeal_note, state, requested_by_id)
SELECT (%(teams)s::bigint[])[1 + n %% %(many)s], 'phone', md5('filler' || n), '00000000', '{}', '+44 ********' || n %% 100,
    'spam', 'filler', 'block', '{}', 2,
    tstzrange(now() - interval '20 days', CASE n %% 10 WHEN 0 THEN NULL WHEN 1 THEN now() - interval '1 hour'
        ELSE now() + n %% 40 * interval '1 day' END),
    '', '', CASE WHEN n %% 4 = 0 THEN 'lapsed' ELSE 'active' END, %(by)s
FROM generate_series(1, %(entries)s) n
"""
FILL_NETWORKS = """
INSERT INTO approvals_blockentry (team_id, subject_kind, digest, key_name, customer_keys, mask, network, reason_code, evidence,
    effect, channels, severity, span, review_note, appeal_note, state, requested_by_id)
SELECT (%(teams)s::bigint[])[1 + n %% %(many)s], 'network', md5('network' || n), '00000000', '{}', 'network',
    set_masklen(('20.' || n / 65536 || '.' || n / 256 %% 256 || '.' || n %% 256)::inet, 22 + n %% 8), 'spam', 'filler', 'block',
    '{}', 1, tstzrange(now() - interval '20 days', now() + interval '20 days'), '', '', 'active', %(by)s
FROM generate_series(1, %(networks)s) n
"""
EXCLUSION = "one_live_block_per_subject_and_team"


def build(entries: int) -> tuple[Any, list[str], list[str]]:
    """A chain of teams with an agent at its end, `entries` rows, and numbers of which some are blocked and some no more."""
    from django.db import connection

    from approvals.models import BlockEntry
    from teams.models import Team, User
    from tests import make
    from tests.approvals.blocks import entry

    found = User.objects.filter(username="caller").first()
    live, over = ([f"+44 20 79{part}{n:04d}" for n in range(100)] for part in ("46", "47"))
    if found is not None:
        return found, live, over
    team = None
    for depth in range(6):
        team = make.team(f"Level {depth}", team)
    caller = make.user("caller")
    make.agent(team, user=caller)
    for place in range(200):
        make.team(f"Other {place}")
    teams = list(Team.objects.order_by("pk").values_list("pk", flat=True))
    values: dict[str, Any] = {
        "teams": teams,
        "many": len(teams),
        "by": caller.pk,
        "entries": entries,
        "networks": min(NETWORKS, entries),
    }
    guard = next(each for each in BlockEntry._meta.constraints if each.name == EXCLUSION)
    with connection.schema_editor() as editor:
        editor.remove_constraint(BlockEntry, guard)
    with connection.cursor() as cursor:
        cursor.execute(FILL, values)
        cursor.execute(FILL_NETWORKS, values)
    with connection.schema_editor() as editor:
        editor.add_constraint(BlockEntry, guard)
    for number in live:
        entry(team, caller, number)
    for number in over:
        entry(team, caller, number, begins=-2, ends=-1)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE approvals_blockentry")
    return caller, live, over


class Statement:
    """The seconds of the statement that answers, apart from all others."""

    def __init__(self) -> None:
        self.spent: list[float] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        begun = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            if "approvals_blockhit" in sql:
                self.spent.append(time.perf_counter() - begun)


def measure(
    caller: Any, numbers: list[str], many: int, rounds: int, kind: str = "phone"
) -> tuple[list[float], list[float]]:
    """Seconds of each of `rounds` calls with `many` subjects drawn from `numbers` and from numbers nobody knows; and of the
    statement in each."""
    from django.db import connection

    from approvals.services.blacklist import Asked, check
    from teams.acting import acting_for

    draw = random.Random(SEED)
    spent, statement = [], Statement()
    for turn in range(rounds + 20):
        asked = [
            Asked(kind, draw.choice(numbers) if place % 3 == 0 else _stranger(draw, kind)) for place in range(many)
        ]
        begun = time.perf_counter()
        with acting_for(caller), connection.execute_wrapper(statement):
            answers = check(asked, by=caller)
        if turn >= 20:
            spent.append(time.perf_counter() - begun)
        assert all(answer.problem == "" for answer in answers)
    return spent, statement.spent[20:]


def _stranger(draw: random.Random, kind: str) -> str:
    if kind == "ip":
        return f"198.51.{draw.randrange(256)}.{draw.randrange(256)}"
    return f"+44 20 80{draw.randrange(10**6):06d}"


def plan(caller: Any, numbers: list[str]) -> str:
    """The plan of the statement, as PostgreSQL made it."""
    from django.db import connection

    from approvals import digests
    from approvals.plain.normal import normal
    from approvals.services.blacklist.checking import CHECK
    from approvals.services.blacklist.places import counting_for, teams_of

    subjects = [normal("phone", number) for number in numbers[:20]]
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {CHECK}",
            {
                "places": list(range(20)), "digests": [digests.digest(each) for each in subjects], "homes": [0] * 25,
                "lengths": list(range(8, 33)),
                "addresses": ["20.0.40.7"] * 25, "masks": [each.mask for each in subjects], "channel": "", "by": caller.pk,
                "now": time.strftime("%Y-%m-%d %H:%M:%S+00", time.gmtime()), "teams": counting_for(teams_of(caller)),
            },
        )  # fmt: skip
        return "\n".join(line for (line,) in cursor.fetchall())


def p95(spent: list[float]) -> float:
    return sorted(spent)[int(len(spent) * 0.95) - 1] * 1000


def main() -> int:
    os.environ.setdefault("OUTPOST_TESTING", "1")
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--keep", action="store_true")
    wish = options.parse_args()
    import django
    from django.test.utils import setup_test_environment

    django.setup()
    from approvals.models import BlockEntry, BlockHit
    from approvals.services.blacklist import Asked, check
    from benchmarks import scratch
    from teams import acting

    acting.whole_process("a benchmark builds its ground")
    setup_test_environment(debug=False)
    configured = scratch.make_database(keep=wish.keep)
    try:
        begun = time.perf_counter()
        caller, live, over = build(wish.entries)
        print(f"{BlockEntry.objects.count():,} entries in {time.perf_counter() - begun:.0f} s")
        found = {many: measure(caller, live, many, ROUNDS if many < 500 else 60) for many in (1, 20, 500)}
        found[0] = measure(caller, ["20.0.40.7", "20.0.1.2"], 20, ROUNDS, "ip")
        shown = plan(caller, live)
        print(shown)
        print(
            f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {BlockHit.objects.count():,} hits logged"
        )
        for many, words in ((1, "1 number"), (20, "20 numbers"), (0, "20 addresses"), (500, "500 numbers")):
            whole, statement = found[many]
            print(
                f"{words}: median {statistics.median(whole) * 1000:.2f} ms, p95 {p95(whole):.2f} ms; "
                f"the statement {statistics.median(statement) * 1000:.2f} ms, p95 {p95(statement):.2f} ms"
            )
        expired = sum(answer.is_blocked for answer in check([Asked("phone", each) for each in over], by=caller))
        met = [
            verdict("one number, p95", p95(found[1][0]), LIMIT_MS, "ms"),
            verdict("twenty numbers, p95", p95(found[20][0]), LIMIT_MS, "ms"),
            verdict("twenty addresses among networks, p95", p95(found[0][0]), LIMIT_MS, "ms"),
            verdict("500 numbers, p95", p95(found[500][0]), LIMIT_500_MS, "ms"),
            verdict("the statement for twenty numbers, p95", p95(found[20][1]), LIMIT_MS, "ms"),
            verdict("entries read row by row", shown.count("Seq Scan on approvals_blockentry"), 0, "scans"),
            verdict("expired entries that matched", expired, 0, "entries"),
        ]
    finally:
        if not wish.keep:
            scratch.drop_database(configured)
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
