"""What the database needs before anything is served, in one process: starting Django once costs a second.

Started by the supervisor with a progress stream to write to and a file for the table of log-ins.
"""

import argparse
import io
import os
from contextlib import closing

import django
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.runtime.processes import Progress
from teams import acting

FIRST_START = "/start/{key}/"  # as `config.urls` has it, which takes a second or two to load for this one address
ONE_AT_A_TIME = 0x6F7574706F7374  # the name of the advisory lock: "outpost"


class Lines(io.TextIOBase):
    """A stream that shows each line with its seconds."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            if line.strip():
                self._progress.say(f"    {line.rstrip()}")
        return len(text)


def prepare(progress: Progress, *, migrate: bool, seed: bool) -> None:
    """Bring the database up to date; one machine at a time, where several share it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
    if migrate:
        executor = MigrationExecutor(connection)
        due = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
        if due:
            progress.say(f"Applying {due} migrations")
        # Where nothing is due it still gives the rights of today's models; without words it does not also compare every model.
        call_command("migrate", interactive=False, verbosity=1 if due else 0)
        call_command("sync_timetable")
        progress.say("The database is up to date")
    if seed:
        call_command("seed_demo", "--if-empty", stdout=Lines(progress))


def first_link() -> str:
    """The one-time link of an installation that nobody can log in to yet; nothing once there is an account."""
    from django.conf import settings

    from teams import starting

    key = starting.new_key() if not settings.BEHIND_HTTPS else None  # where every page wants TLS, no local link opens
    if key is None:
        return ""
    port = os.environ.get("OUTPOST_PORT", "").strip() or "8000"
    address = f"http://127.0.0.1:{port}{FIRST_START.format(key=key)}"
    return f"Nobody can log in yet. Open this link on this machine within a day to begin:\n\n  {address}\n"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--progress", type=int, required=True, help="descriptor to write progress to")
    parser.add_argument("--began", type=float, required=True, help="monotonic second of the start")
    parser.add_argument("--logins", type=int, required=True, help="descriptor to write the table of log-ins to")
    parser.add_argument("--migrate", action="store_true")
    parser.add_argument("--seed", action="store_true")
    wish = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    acting.whole_process("migrations and the timetable concern every team")
    with os.fdopen(wish.progress, "w") as stream, os.fdopen(wish.logins, "w") as table, closing(connection):
        prepare(Progress(stream, wish.began), migrate=wish.migrate, seed=wish.seed)
        call_command("demo_logins", stdout=table)
        table.write(first_link())


if __name__ == "__main__":
    main()
