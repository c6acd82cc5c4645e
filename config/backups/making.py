"""Making a backup: the embedded cluster by a copy of its files, a database of one's own by a dump of one snapshot."""

import os
import shutil
from datetime import datetime
from pathlib import Path

import psycopg
from django.conf import settings
from django.utils import timezone

from config.backups import counts
from config.runtime import backups, postgres
from config.runtime.backups import Backup, Note
from config.runtime.places import Unable, servers_purpose, socket_dir


def make(place: Path | None = None, now: datetime | None = None) -> Backup:
    """Make a backup of the database in use below `place`. Raises Unable with a sentence; then nothing is left of it."""
    place, now = place or backups.default_place(), now or timezone.now()
    backups.make_place(place)
    _refuse_little_room(place)
    draft = backups.new_draft(place, now, backups.BASE if settings.IS_EMBEDDED else backups.DUMP)
    try:
        note = _copy(draft, now) if settings.IS_EMBEDDED else _dump(draft, now)
        made = backups.finish(draft, note)
    except psycopg.Error as error:
        raise Unable(f"The database cannot be read for a backup: {str(error).strip()}") from error
    except OSError as error:
        raise Unable(
            f"The backup cannot be written to {place}: {error.strerror}. Make room there, then try again."
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    if settings.IS_EMBEDDED:
        backups.keep_secret(place)
    return made


def address(database: str | None = None) -> str:
    """The database in use, by who sees every row: the superuser of the embedded cluster, else whom DATABASE_URL names."""
    if not settings.IS_EMBEDDED:
        return settings.DATABASE_URL
    name = database or settings.DATABASES["default"]["NAME"]
    return f"host={socket_dir(servers_purpose())} user=postgres dbname={name} connect_timeout=10"


def _refuse_little_room(place: Path) -> None:
    """A copy needs at most what the database takes; a full disk would stop the database beside it."""
    with psycopg.connect(address(), autocommit=True) as link:
        told = link.execute("SELECT pg_database_size(current_database())").fetchone()
    size, free = (told[0] if told else 0), shutil.disk_usage(place).free
    if free < size // 2 + 2**26:
        raise Unable(
            f"Only {free // 2**20} MB are free in {place}, and a backup of this database needs about {size // 2**20}. Make "
            "room, or name a larger disk by OUTPOST_BACKUPS."
        )


def _copy(draft: Path, now: datetime) -> Note:
    with psycopg.connect(address(), autocommit=True) as link:
        before = counts.count(link)
        applied = counts.migrations(link)
        first_segment = backups.copy_cluster(socket_dir(servers_purpose()), draft)
        after = counts.count(link)
    return Note(
        backups.BASE, now.isoformat(), postgres.major(postgres.binaries()), settings.DATABASES["default"]["NAME"],
        before.until(after), applied, backups.life_of(settings.OUTPOST_HOME), first_segment,
    )  # fmt: skip


def _dump(draft: Path, now: datetime) -> Note:
    """The dump holds the very snapshot that is counted, so its counts are exact."""
    program = _pg_dump()
    with psycopg.connect(address()) as link:
        link.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        link.read_only = True
        rows = counts.count(link).rows
        applied = counts.migrations(link)
        told = link.execute("SELECT pg_export_snapshot()").fetchone()
        major = link.info.server_version // 10000
        backups.run_program(
            [
                program, "--format=custom", f"--snapshot={told[0] if told else ''}", "--no-password",
                f"--file={draft / backups.DUMP_FILE}", f"--dbname={settings.DATABASE_URL}",
            ],
            "The database cannot be dumped",
        )  # fmt: skip
        name = link.info.dbname
    return Note(backups.DUMP, now.isoformat(), major, name, {table: (n, n) for table, n in rows.items()}, applied)


def _pg_dump() -> str:
    try:
        program = postgres.binaries() / "pg_dump"
    except Unable:
        program = Path("pg_dump")
    if not os.access(program, os.X_OK):
        raise Unable(
            "There is no pg_dump on this machine. Run on one that has it: pg_dump --format=custom --file=outpost.dump "
            '"$DATABASE_URL"; or use your server\'s own backups (docs/operating.md, Backup).'
        )
    return str(program)
