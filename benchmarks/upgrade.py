"""A rehearsed upgrade: a million contacts at the schema of an earlier release, brought to this one while a source delivers.

    python -m benchmarks.upgrade [--base TAG] [--contacts 1000000] [--rate 200] [--keep]

The base is the newest tag, or else the commit before the newest migration. It is checked out into a scratch folder, and its
own code makes a scratch database beside the configured one and fills it by set-based SQL. Then the code of this checkout
migrates it, while a writer inserts contacts as the base's code does, one transaction every few milliseconds. Printed: seconds
of the migration, the longest wait of an insert, the longest time a migration held others off, rows lost, refused inserts.
Afterwards the database goes back to the base and forward again, and the rows are counted once more.

Limits: no row lost, no insert refused, no insert waits longer than 2 s.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from io import BytesIO
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import psycopg

CHECKOUT = Path(__file__).resolve().parent.parent
MOST_WAIT = 2.0
TABLES = ("performance_contact", "teams_agent", "teams_team", "teams_notice")
DIGEST = (
    "SELECT count(*), coalesce(sum(hashtextextended(external_id || coalesce(handle_seconds, 0), 0)::numeric), 0)"
    " FROM performance_contact"
)

FILL = """
import sys
sys.path.insert(0, {checkout!r})
from benchmarks import figure_ground
figure_ground.fill({contacts}, 2000)
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SELECT performance_make_partitions(now()::date, (now() + interval '1 day')::date)")
    cursor.execute(
        "INSERT INTO teams_user (username, full_name, password, email, language, zone, is_staff, is_superuser, is_active,"
        " date_joined) SELECT 'u' || n, 'U' || n, '!', 'u' || n || '@example.org', '', 'UTC', true, false, true, now()"
        " FROM generate_series(1, 200) n"
    )
    cursor.execute(
        "INSERT INTO teams_notice (kind, recipient_id, about, key, details, state, attempts, message_id, error)"
        " SELECT 'report', (SELECT min(id) FROM teams_user) + n %% 200, '', 'k' || n, '{{}}',"
        " CASE WHEN n %% 50 = 0 THEN 'waiting' ELSE 'sent' END, 0, gen_random_uuid(), '' FROM generate_series(1, 100000) n",
        [],
    )
"""
INSERT = """
INSERT INTO performance_contact (id, source_id, run_id, external_id, channel, agent_external, team_id, zone, day, complexity,
    opened_at, source_updated_at, handle_seconds, handle_method, is_answered)
SELECT %(id)s, source.id, run.id, %(id)s::text, 'phone', '', source.team_id, 'UTC', now()::date, 'simple', now(), now(), 100,
    'measured', true
FROM performance_source source CROSS JOIN performance_importrun run LIMIT 1
"""


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True).stdout.strip()


def default_base() -> str:
    """The newest tag before this commit, else the commit before the newest one that adds a migration."""
    try:
        return git("describe", "--tags", "--abbrev=0", "HEAD^")
    except subprocess.CalledProcessError:
        newest = git("log", "-1", "--format=%H", "--diff-filter=A", "--", "*/migrations/0*.py")
        return f"{newest}^"


def check_out(base: str, place: Path) -> None:
    archive = subprocess.run(["git", "archive", base], cwd=CHECKOUT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(place, filter="data")


class Code:
    """One release's code, working on the scratch database."""

    def __init__(self, place: Path, url: str, home: Path) -> None:
        self.place = place
        own = {"DATABASE_URL": url, "OUTPOST_HOME": str(home), "OUTPOST_ENVIRONMENT": "given", "PYTHONPATH": str(place)}
        own["CELERY_BROKER_URL"] = "memory://localhost/"
        self.environment = os.environ | own | {"OUTPOST_SECRET_KEY": "rehearsal" * 8}

    def manage(self, *arguments: str) -> str:
        return self.run("manage.py", *arguments)

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.place,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(arguments)[:80]} of {self.place.name} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def newest(self) -> dict[str, str]:
        """The newest migration of each app of ours, by name."""
        told = self.run(
            "-c",
            "import django; django.setup()\nfrom django.db.migrations.loader import MigrationLoader\n"
            "for app, name in MigrationLoader(None).graph.leaf_nodes(): print(app, name)",
        )
        return dict(line.split() for line in told.splitlines() if line)


class Writer(threading.Thread):
    """Inserts contacts as a source does, and watches how long each takes."""

    def __init__(self, url: str, rate: int, first: int) -> None:
        super().__init__(daemon=True)
        self.url, self.pause, self.next = url, 1 / rate, first
        self.stop, self.written, self.longest = threading.Event(), 0, 0.0
        self.refused: list[str] = []

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as line:
            while not self.stop.wait(self.pause):
                began = time.monotonic()
                try:
                    self.written += line.execute(INSERT, {"id": self.next}).rowcount
                except psycopg.Error as error:
                    self.refused.append(f"{type(error).__name__}: {error.diag.message_primary}")
                self.longest = max(self.longest, time.monotonic() - began)
                self.next += 1


class Watch(threading.Thread):
    """The longest time for which somebody was kept waiting by a lock."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.url, self.stop, self.longest = url, threading.Event(), 0.0

    def run(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as line:
            while not self.stop.wait(0.02):
                row = line.execute(
                    "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)::float8"
                    " FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database"
                    " WHERE datname = current_database())"
                ).fetchone()
                self.longest = max(self.longest, row[0])  # type: ignore[index]


def counts(url: str) -> tuple[dict[str, int], tuple]:
    with psycopg.connect(url, autocommit=True) as line:
        found = {table: line.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # type: ignore[index]
        return found, line.execute(DIGEST).fetchone()  # type: ignore[return-value]


def rehearse(url: str, base: Code, new: Code, rate: int, contacts: int) -> bool:
    before, _digest = counts(url)
    old_heads, new_heads = base.newest(), new.newest()
    moved = {app: name for app, name in new_heads.items() if old_heads.get(app) != name}
    print(f"migrations to apply in: {', '.join(sorted(moved)) or 'no app'}")
    writer, watch = Writer(url, rate, contacts * 10), Watch(url)
    writer.start()
    watch.start()
    time.sleep(1)
    began = time.monotonic()
    new.manage("migrate", "--noinput", "--verbosity", "0")
    seconds = time.monotonic() - began
    time.sleep(1)
    for thread in (writer, watch):
        thread.stop.set()
        thread.join()
    after, digest = counts(url)
    lost = before["performance_contact"] + writer.written - after["performance_contact"]
    lost += sum(before[table] - after[table] for table in TABLES[1:])
    print(f"{seconds:.1f} s to migrate (the start of Python included), {writer.written} contacts written meanwhile")
    met = [lost == 0, not writer.refused, writer.longest <= MOST_WAIT]
    lines = (
        f"{lost} rows lost",
        f"{len(writer.refused)} inserts refused {writer.refused[:1] or ''}",
        f"longest insert {writer.longest * 1000:.0f} ms, longest wait for a lock {watch.longest * 1000:.0f} ms "
        f"(at most {MOST_WAIT * 1000:.0f})",
    )
    for good, line in zip(met, lines, strict=True):
        print(f"{'PASS' if good else 'NOT MET'}  {line}")
    ours = {app for app in moved if (CHECKOUT / app / "migrations").is_dir()}
    began = time.monotonic()
    for app in sorted(ours, reverse=True):
        new.manage("migrate", app, old_heads.get(app, "zero"), "--noinput", "--verbosity", "0")
    back = counts(url)
    base.manage("check", "--database", "default")
    back_seconds = time.monotonic() - began
    new.manage("migrate", "--noinput", "--verbosity", "0")
    again = counts(url)
    whole = back == again == (after, digest)
    print(f"{'PASS' if whole else 'NOT MET'}  back in {back_seconds:.1f} s and forward again: every row as it was")
    return all(met) and whole


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="", help="tag or commit to come from")
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--rate", type=int, default=200, help="contacts inserted each second meanwhile (200)")
    parser.add_argument("--keep", action="store_true", help="leave the scratch database")
    wish = parser.parse_args()
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    base_name = wish.base or default_base()
    settled = settings.DATABASES["default"]
    scratch = f"{settled['NAME']}_upgrade"
    where = {"host": settled["HOST"], "port": settled["PORT"], "user": settled["USER"], "password": settled["PASSWORD"]}
    info = psycopg.conninfo.make_conninfo(  # a source writes, and rows are counted, as the system
        **{name: value for name, value in where.items() if value}, dbname=scratch, options="-c outpost.scope=system"
    )
    parts = "&".join(f"{name}={value}" for name, value in where.items() if value)
    url = f"postgresql:///{scratch}?{parts}"
    place = Path(tempfile.mkdtemp(prefix="outpost-upgrade-"))
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{scratch}" WITH (FORCE)')
        cursor.execute(f"CREATE DATABASE \"{scratch}\" TEMPLATE template0 ENCODING 'UTF8'")
    try:
        (place / "base").mkdir()
        check_out(base_name, place / "base")
        print(f"from {base_name} ({git('rev-parse', '--short', base_name)}) to {git('rev-parse', '--short', 'HEAD')}")
        base, new = Code(place / "base", url, place / "home"), Code(CHECKOUT, url, place / "home")
        began = time.monotonic()
        base.manage("migrate", "--noinput", "--verbosity", "0")
        base.run("-c", FILL.format(checkout=str(place / "base"), contacts=wish.contacts))
        made = counts(info)[0]["performance_contact"]
        print(f"{made:,} contacts at the base's schema after {time.monotonic() - began:.0f} s", flush=True)
        if made < wish.contacts * 0.99:
            raise SystemExit(f"NOT MET  the base holds fewer than the {wish.contacts:,} contacts it was filled with")
        good = rehearse(info, base, new, wish.rate, wish.contacts)
        print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        return 0 if good else 1
    finally:
        shutil.rmtree(place, ignore_errors=True)
        if not wish.keep:
            with connection._nodb_cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{scratch}" WITH (FORCE)')


if __name__ == "__main__":
    sys.exit(main())
