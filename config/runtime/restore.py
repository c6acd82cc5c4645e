"""`manage.py restore`: an embedded installation out of a backup, into a home that holds none yet.

The base backup is laid out and checked file by file, the log is replayed to its end or to a moment, and what has been
erased since is erased again (`teams.recovery`) before anybody is served. A dump is loaded into a fresh cluster. Until all
of that is done the data lies under another name, so that a restore that broke off is never taken for a database.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config.runtime import backups, postgres, supervisor
from config.runtime.backups import Backup
from config.runtime.places import Unable, embedded_parts, make_home, socket_dir
from config.runtime.postgres import Cluster
from config.runtime.processes import Progress, hold, open_log, spawn

START_SECONDS = 60.0
REPLAY_SECONDS = 3600.0


@dataclass(frozen=True)
class Wish:
    """Which backup, up to which moment (None: the end of what was archived), whose secret, and whether to start then."""

    source: Path
    at: datetime | None
    secret: Path | None
    start: bool


def read_wish(arguments: list[str]) -> Wish:
    """The wish in the command line. Raises Unable for a moment that cannot be read or that lacks its zone."""
    parser = argparse.ArgumentParser(
        prog="manage.py restore", description="Restore a backup into an empty OUTPOST_HOME."
    )
    parser.add_argument(
        "--from", dest="source", type=Path, required=True, help="a backup, or the folder of all backups"
    )
    parser.add_argument("--at", help="a moment with its zone, as 2026-11-25T14:05:00+08:00; else all that was archived")
    parser.add_argument("--secret", type=Path, help="the secret_key, if it does not lie beside the backups")
    parser.add_argument("--start", action="store_true", help="start Outpost from it afterwards")
    wish = parser.parse_args(arguments)
    at = None
    if wish.at:
        try:
            at = datetime.fromisoformat(wish.at)
        except ValueError:
            raise Unable(f"--at {wish.at} is no moment: write it as 2026-11-25T14:05:00+08:00.") from None
        if at.tzinfo is None:
            raise Unable(f"--at {wish.at} names no time zone: add it, as in {wish.at}+08:00 or {wish.at}Z.")
    return Wish(wish.source.expanduser().resolve(), at, wish.secret, wish.start)


def run(wish: Wish, progress: Progress) -> int:
    """Restore, and start from it if that is wished."""
    if not embedded_parts().database:
        raise Unable(
            "DATABASE_URL names a server of your own, and its data is not ours to replace: restore there with pg_restore "
            "(docs/operating.md, Backup), or unset DATABASE_URL to restore into an embedded database."
        )
    place = _empty_home()
    chosen = backups.choose(wish.source, wish.at)
    _refuse_another_major(chosen)
    lock = hold(place / "outpost.lock")
    if lock is None:
        raise Unable(f"Outpost is at work in {place}. Restore into another OUTPOST_HOME.")
    progress.say(f"Restoring the backup of {chosen.note.made_at} from {chosen.folder}")
    try:
        _restore(chosen, wish, place, progress)
    finally:
        os.close(lock)
    progress.say(f"The installation of {chosen.note.made_at} stands in {place}")
    if wish.start:
        return supervisor.run(supervisor.read_wish([]), progress)
    progress.show("Start it with `python3 manage.py run`, with the same OUTPOST_HOME.")
    return 0


def _empty_home() -> Path:
    place = make_home()
    used = [name for name in ("postgres", "secret_key", "run.json") if (place / name).exists()]
    if used:
        raise Unable(
            f"{place} is in use already: it holds {', '.join(used)}. A restore replaces nothing: set OUTPOST_HOME to an "
            "empty directory, or move this one away."
        )
    return place


def _refuse_another_major(chosen: Backup) -> None:
    here = postgres.major(postgres.binaries())
    if chosen.note.kind == backups.BASE and chosen.note.major != here:
        raise Unable(
            f"The backup was made by PostgreSQL {chosen.note.major}, and the programs here are PostgreSQL {here}. Name "
            f"those of {chosen.note.major} by OUTPOST_POSTGRES."
        )


def _restore(chosen: Backup, wish: Wish, place: Path, progress: Progress) -> None:
    draft = place / "postgres.restoring"
    shutil.rmtree(draft, ignore_errors=True)
    cluster = Cluster(draft, socket_dir("run"), place / "logs" / "restore.log")
    log = chosen.folder.parent / chosen.note.life if chosen.note.life else None
    if chosen.note.kind == backups.BASE:
        backups.unpack_base(chosen, draft)
        progress.say("Every file is as it was backed up; replaying the log")
        target = "latest" if wish.at is None else wish.at.isoformat(sep=" ")
        backups.set_recovery(draft, log, target=target)
    elif wish.at is not None:
        raise Unable("This backup is a dump: it holds one moment only, and --at cannot be met from it.")
    _take_secret(wish.secret or chosen.folder.parent / "secret_key", place, progress)
    try:
        with served(cluster, chosen) as seconds:
            progress.say(f"The database is up again after {seconds:.0f} s")
            if chosen.note.kind == backups.BASE:
                cluster.furnish()
            _afterwards(place, progress)
        if chosen.note.kind == backups.BASE:
            backups.end_recovery(draft)
        draft.rename(place / "postgres")
    except BaseException:
        (place / "secret_key").unlink(missing_ok=True)
        raise


def _take_secret(secret: Path, place: Path, progress: Progress) -> None:
    if os.environ.get("OUTPOST_SECRET_KEY", "").strip():
        return
    if not secret.exists():
        progress.say(
            f"There is no secret at {secret}: a new one is made, and a customer who calls again is not recognised"
        )
        return
    with os.fdopen(os.open(place / "secret_key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secret.read_text())


@contextmanager
def served(cluster: Cluster, chosen: Backup) -> Iterator[float]:
    """The restored cluster at work, its recovery over or its dump loaded; stopped in good order afterwards.

    Yields the seconds that took. Raises Unable with PostgreSQL's last words if it does not come up.
    """
    began = time.monotonic()
    if chosen.note.kind == backups.DUMP:
        cluster.initialise()
    else:
        cluster.hand_over()
    with open_log(cluster.log) as log:
        server = spawn(cluster.command(), log=log, leash=signal.SIGQUIT, environment=backups.bare_environment())
    try:
        _wait_until_itself(cluster, server)
        if chosen.note.kind == backups.DUMP:
            cluster.furnish(chosen.note.database)
            _load(cluster, chosen)
        yield time.monotonic() - began
    finally:
        _stop(server)
        cluster.clear(time.sleep)


def _wait_until_itself(cluster: Cluster, server: subprocess.Popen[bytes]) -> None:
    """Wait for the end of the recovery."""
    import psycopg

    deadline = time.monotonic() + REPLAY_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            words = cluster.explain()
            if "before configured recovery target" in words:
                raise Unable(
                    "The archive ends before the moment of --at. Leave --at out to restore all that was archived."
                )
            raise Unable(f"The restored database does not start. Its last words, from {cluster.log}:\n{words}")
        if cluster.is_ready():
            try:
                with psycopg.connect(superuser(cluster), autocommit=True) as link:
                    told = link.execute("SELECT pg_is_in_recovery()").fetchone()
                if told is not None and not told[0]:
                    return
            except psycopg.OperationalError:
                pass
        time.sleep(0.1)
    raise Unable(f"The log is not replayed after {REPLAY_SECONDS / 60:.0f} minutes: see {cluster.log}.")


def superuser(cluster: Cluster, database: str = "postgres") -> str:
    """The address by which the superuser of an embedded cluster is reached: row security hides nothing from it."""
    return f"host={cluster.sockets} user=postgres dbname={database} connect_timeout=10"


def _load(cluster: Cluster, chosen: Backup) -> None:
    backups.run_program(
        [
            str(postgres.binaries() / "pg_restore"), "-h", str(cluster.sockets), "-U", "postgres", "-d", chosen.note.database,
            "--role=app", "--no-owner", "--no-privileges", "--no-comments", "--exit-on-error",
            str(chosen.folder / backups.DUMP_FILE),
        ],
        f"{chosen.folder / backups.DUMP_FILE} cannot be loaded",
    )  # fmt: skip


def _stop(server: subprocess.Popen[bytes]) -> None:
    if server.poll() is None:
        server.send_signal(signal.SIGINT)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _afterwards(place: Path, progress: Progress) -> None:
    """What has to be done again on a restored copy before anybody reads it, in a process of its own."""
    said = backups.run_program(
        [sys.executable, "-m", "config.backups.afterwards"],
        "What was erased after the backup cannot be erased again",
        environment=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
    )
    for line in said.splitlines():
        progress.say(line)
