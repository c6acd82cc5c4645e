"""`python -m benchmarks.intake [--rows N] [--repeat N] [--phones]`: a CSV of contacts through the door's own code.

With --phones the file has a telephone in each row and the source keeps them sealed; the limit is the same.

The bare minimum, measured in the same run on the same file: one COPY of its bytes into a staging table and one set-based
upsert with casts into a table of the same columns and indexes as the contacts'. Medians of the repetitions are compared.
Needs the settings of the suite; works in a database of its own, which it makes and drops.
"""

import argparse
import csv
import random
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import django

LIMIT_TIMES = 3.0
LIMIT_MEGABYTES = 300
AGENTS, QUEUES = 2000, 50
HEADER: tuple[str, ...] = (
    "id", "opened", "ended", "updated", "agent", "queue", "topic", "wait", "handle", "answered", "resolved", "rating",
    "customer",
)  # fmt: skip
MAPPING = {
    "layout": "contacts",
    "fields": {
        "external_id": "id", "opened_at": "opened", "ended_at": "ended", "updated_at": "updated", "agent": "agent",
        "queue": "queue", "topic": "topic", "wait_seconds": "wait", "handle_seconds": "handle", "is_answered": "answered",
        "is_resolved": "resolved", "rating": {"column": "rating", "scale": 5}, "customer": "customer",
    },
}  # fmt: skip
BARE_TABLE = """
DROP TABLE IF EXISTS bare_contact; DROP TABLE IF EXISTS bare_staging;
CREATE TABLE bare_contact (LIKE performance_contact INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
CREATE SEQUENCE IF NOT EXISTS bare_id; ALTER TABLE bare_contact ALTER id SET DEFAULT nextval('bare_id');
ALTER TABLE bare_contact ALTER zone SET DEFAULT '', ALTER agent_external SET DEFAULT '';
ALTER TABLE bare_contact ADD UNIQUE (source_id, external_id);
"""
BARE_UPSERT = """
INSERT INTO bare_contact (source_id, run_id, external_id, opened_at, ended_at, source_updated_at, agent_id, agent_external,
    queue_id, queue_external, topic, wait_seconds, handle_seconds, is_answered, is_resolved, rating_scale, rating_raw, rating,
    customer_key, channel, complexity, handle_method, day)
SELECT 1, 1, id, opened::timestamptz, ended::timestamptz, updated::timestamptz, substr(agent, 2)::bigint, agent,
    substr(queue, 2)::bigint, queue, topic, wait::integer, handle::integer, answered::boolean, resolved::boolean, 5,
    rating::numeric, (rating::numeric - 1) / 4, left(customer, 32), 'phone', 'simple', 'measured', ended::date
FROM bare_staging
ON CONFLICT (source_id, external_id) DO UPDATE SET opened_at = excluded.opened_at, ended_at = excluded.ended_at,
    source_updated_at = excluded.source_updated_at, agent_id = excluded.agent_id, wait_seconds = excluded.wait_seconds,
    handle_seconds = excluded.handle_seconds, rating = excluded.rating
WHERE excluded.source_updated_at > bare_contact.source_updated_at
"""


def write_file(path: Path, rows: int) -> None:
    rng = random.Random(7)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in range(rows):
            opened = start + timedelta(seconds=rng.randrange(60 * 86400))
            wait, handle = rng.randrange(120), rng.randrange(30, 1500)
            ended = opened + timedelta(seconds=wait + handle)
            writer.writerow([
                f"C{number:09}", f"{opened:%Y-%m-%d %H:%M:%S}", f"{ended:%Y-%m-%d %H:%M:%S}", f"{ended:%Y-%m-%d %H:%M:%S}",
                f"a{rng.randrange(AGENTS)}", f"q{rng.randrange(QUEUES)}", f"Topic {rng.randrange(30)}", wait, handle, "Y",
                rng.choice("YN"), rng.randrange(1, 6), f"customer-{rng.randrange(200000)}",
                f"+86138{rng.randrange(200000):08}",
            ][: len(HEADER)])  # fmt: skip


def bare(path: Path) -> float:
    from django.db import connection, transaction

    with connection.cursor() as cursor:
        cursor.execute(BARE_TABLE)
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE bare_staging ({', '.join(f'{n} text' for n in HEADER)}) ON COMMIT DROP")
        with path.open("rb") as file, cursor.copy("COPY bare_staging FROM STDIN WITH (FORMAT csv, HEADER)") as copy:
            while chunk := file.read(1 << 18):
                copy.write(chunk)
        cursor.execute(BARE_UPSERT)
    return time.perf_counter() - began


def ours(path: Path, rows: int) -> float:
    from django.db import connection

    from performance.models import Source
    from performance.services import intake

    with connection.cursor() as cursor:
        cursor.execute(
            "TRUNCATE performance_contact, performance_contactkey, performance_daytouch, performance_importrefusal, "
            "performance_contactsecret"
        )
    source = Source.objects.get(code="bench")
    began = time.perf_counter()
    run = intake.take_in_file(source, MAPPING, path)
    took = time.perf_counter() - began
    assert run.counts["new"] == rows and run.counts["waiting"] == 0 and run.counts["without_team"] == 0, run.counts
    return took


def people(*, keeps_phones: bool) -> None:
    """A source whose agents and queues are all mapped, with zones and home teams."""
    from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange

    from performance.models import AgentAlias, QueueAlias
    from teams.models import Agent, AgentZone, Membership
    from tests import make

    team = make.team("Bench")
    source = make.source(team, "bench", keeps_phones=keeps_phones, phones_reason="measured")
    zones = ("Asia/Shanghai", "Europe/Paris", "America/New_York", "UTC")
    since, began = date(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC)
    agents = Agent.objects.bulk_create(  # as make.agent makes each
        Agent(number=f"B{number}", name=f"Agent {number}", team=team, zone=zones[number % 4])
        for number in range(AGENTS)
    )
    AgentZone.objects.bulk_create(
        AgentZone(agent=each, zone=each.zone, span=DateTimeTZRange(began, None)) for each in agents
    )
    Membership.objects.bulk_create(Membership(agent=each, team=team, span=DateRange(since, None)) for each in agents)
    AgentAlias.objects.bulk_create(
        AgentAlias(source=source, external=f"a{number}", agent=each) for number, each in enumerate(agents)
    )
    for number in range(QUEUES):
        QueueAlias.objects.create(source=source, external=f"q{number}", queue=make.queue(team, zone=zones[number % 4]))


def with_phones() -> None:
    """A telephone in each row of the file, and the mapping of it."""
    global HEADER
    HEADER += ("phone",)
    MAPPING["fields"]["phone"] = "phone"  # type: ignore[index]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--repeat", type=int, default=5)
    options.add_argument("--phones", action="store_true", help="with telephones, kept sealed")
    wish = options.parse_args()
    django.setup()
    if wish.phones:
        with_phones()
    from django.db import connection

    from benchmarks import scratch
    from teams import acting

    acting.whole_process("a benchmark builds its ground")

    connection.settings_dict["TEST"]["NAME"] = f"bench_{connection.settings_dict['NAME']}"
    usual = scratch.make_database()
    try:
        people(keeps_phones=wish.phones)
        with connection.cursor() as cursor:
            cursor.execute("SELECT performance_make_partitions('2026-01-01', '2026-04-01')")
            cursor.execute("ANALYZE")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "contacts.csv"
            write_file(path, wish.rows)
            least, took = [], []
            for _repetition in range(wish.repeat):
                least.append(bare(path))
                took.append(ours(path, wish.rows))
                print(f"  bare {least[-1]:.2f} s, door {took[-1]:.2f} s", flush=True)
    finally:
        scratch.drop_database(usual)
    ratio = statistics.median(took) / statistics.median(least)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    good = ratio <= LIMIT_TIMES
    small = memory <= LIMIT_MEGABYTES
    told = f"intake of {wish.rows:,} contacts: {ratio:.2f}x of bare COPY and upsert, limit {LIMIT_TIMES}x"
    print(f"{told}: {'PASS' if good else 'NOT MET'}")
    print(f"memory of the process: {memory:.0f} MB, limit {LIMIT_MEGABYTES} MB: {'PASS' if small else 'NOT MET'}")
    return 0 if good and small else 1


if __name__ == "__main__":
    sys.exit(main())
