"""`manage.py run`: every part of Outpost under one supervisor, from the first lock to the address to open."""

import argparse
import contextlib
import http.client
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.runtime import assets
from config.runtime.crew import LEFTOVER_SECONDS, Crew, Part, clear_leftovers, last_words, read_record
from config.runtime.places import Unable, embedded_parts, home, make_home, socket_dir
from config.runtime.processes import Patience, Progress, Stopped, hold
from config.runtime.stores import start_stores

PARTS = ("web", "worker", "beat")
WEB, WORKER = "outpost_web", "outpost_worker"  # `teams.database_roles`, which only a process with Django may import
LEAST_FREE_BYTES = 500 * 1024 * 1024
READY_SECONDS = 60.0
PROBE_SECONDS = 2.0
DEAF_CHECK_SECONDS = 30.0
DEAF_ANSWERS = 2

HELP = """\
Start Outpost. Without a part: the embedded database and broker, web, worker and beat. With parts: these
alone, together with whichever embedded server they need and no address replaces.

  python3 manage.py run                   everything, for this machine
  python3 manage.py run web worker        two parts, say on a further machine
  python3 manage.py run database          the embedded database and broker alone, for development

OUTPOST_PORT        the port on 127.0.0.1 (8000)
OUTPOST_HOME        the data directory (.outpost in the checkout); one supervisor for each
OUTPOST_WEB_WORKERS web processes of four threads each (2)
OUTPOST_POSTGRES    a folder of PostgreSQL programs to use in place of the installed ones
DATABASE_URL        a PostgreSQL of your own, in place of the embedded one
CELERY_BROKER_URL   a RabbitMQ or Redis of your own, in place of the embedded one
OUTPOST_DEMO        1: create the demo organisation in an empty database, 0: do not.
                    Unset: in the embedded database when every part runs, never in a database of your own

The database is migrated when every part runs or it is the embedded one. On several machines run everything,
or at least beat, on exactly one, and `run web` or `run worker` with both addresses on the others."""


@dataclass(frozen=True)
class Wish:
    """What is to run, and where it answers."""

    parts: tuple[str, ...]
    is_everything: bool
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def read_wish(arguments: list[str]) -> Wish:
    """The wish in the command line and the environment. Raises Unable for a port that is none."""
    parser = argparse.ArgumentParser(
        prog="manage.py run", description=HELP, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="part", help="web, worker, beat or database")
    named = parser.parse_args(arguments).parts
    unknown = [part for part in named if part not in (*PARTS, "database")]
    if unknown:
        parser.error(f"there is no part named {unknown[0]}: choose from web, worker, beat and database")
    port = os.environ.get("OUTPOST_PORT", "").strip() or "8000"
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise Unable(f"OUTPOST_PORT must be a number from 1 to 65535, not {port!r}.")
    parts = tuple(part for part in PARTS if part in named or not named)
    return Wish(parts, is_everything=parts == PARTS, port=int(port))


def run(wish: Wish, progress: Progress) -> int:
    """Start what is wished and keep it running until somebody asks to stop."""
    place = make_home()
    _refuse_full_disk(place)
    lock = hold(place / "outpost.lock")
    if lock is None:
        raise Unable(_already_running(place))
    patience = Patience()
    record = place / "run.json"
    facts = {
        "pid": os.getpid(),
        "address": wish.address,
        "sockets": str(socket_dir("run")),
        "state": "starting",
    }
    supervisor: Supervisor | None = None
    try:
        was_killed = record.exists()
        clear_leftovers(record, patience, progress)
        if "web" in wish.parts:
            _claim_port(wish.port, patience, LEFTOVER_SECONDS if was_killed else 0.0)
        supervisor = Supervisor(wish, place, Crew(record, patience, progress, facts), patience, progress)
        supervisor.start()
        supervisor.watch()
    except Stopped:
        progress.say("Stopping")
    finally:
        if supervisor is not None:
            supervisor.crew.stop()
            progress.say("Stopped")
        os.close(lock)
    return 0


def _refuse_full_disk(place: Path) -> None:
    free = shutil.disk_usage(place).free
    if free < LEAST_FREE_BYTES:
        raise Unable(
            f"Only {free // 2**20} MB are free where the data is kept ({place}), and Outpost needs "
            f"{LEAST_FREE_BYTES // 2**20}. Make room, or set OUTPOST_HOME to a larger disk."
        )


def _already_running(place: Path) -> str:
    told = read_record(place / "run.json")
    who = f" (pid {told['pid']}, {told['address']})" if "pid" in told else ""
    return (
        f"Outpost is already running from {place}{who}. Stop it with Ctrl-C there, "
        "or set OUTPOST_HOME and OUTPOST_PORT to run another one."
    )


def _claim_port(port: int, patience: Patience, seconds: float) -> None:
    """Refuse a taken port, after `seconds`: web processes whose master was killed with us let go of it a moment later."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return refuse_taken_port(port)
        except Unable:
            if time.monotonic() > deadline:
                raise
        patience.pause(0.2)


def refuse_taken_port(port: int) -> None:
    """Raises Unable if somebody answers on our port, or the system does not let us have it."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
            trial.listen()
        except PermissionError:
            raise Unable(
                f"Port {port} is reserved for the superuser. Choose one from 1024 on: "
                "OUTPOST_PORT=8000 python3 manage.py run"
            ) from None
        except OSError:
            with socket.socket() as other:
                other.bind(("127.0.0.1", 0))
                free = other.getsockname()[1]
            raise Unable(
                f"Port {port} on 127.0.0.1 is taken by another program. Stop that one, or choose another: "
                f"OUTPOST_PORT={free} python3 manage.py run"
            ) from None


class Supervisor:
    """The order of the start, and what is watched afterwards."""

    def __init__(self, wish: Wish, place: Path, crew: Crew, patience: Patience, progress: Progress) -> None:
        self.wish = wish
        self.place = place
        self.crew = crew
        self._patience = patience
        self._progress = progress
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self._environment = inherited | {  # with compiled modules a start takes half the time
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "OUTPOST_HOME": str(home()),  # children stand in the checkout: a relative name would mislead them
            "OUTPOST_PORT": str(wish.port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONUTF8": "1",
        }

    def start(self) -> None:
        """Servers, then the database's content, then whoever uses it."""
        start_stores(self.crew, self._patience, self._progress, self.place, "run")
        logins = ""
        if self.wish.parts:
            with self._collecting():
                logins = self._prepare()
        for name in self.wish.parts:
            self.crew.start(self._part(name))
        if "web" in self.wish.parts:
            self._wait_until_ready()
            self._progress.say(f"Outpost is ready at {os.environ.get('OUTPOST_URL', '').strip() or self.wish.address}")
        else:
            self._progress.say(f"Running: {', '.join(self.crew.seats) or 'nothing, as every server is your own'}")
        if logins:
            self._progress.show(f"\n{logins}")
        if "web" in self.wish.parts:
            self._progress.show("Stop with Ctrl-C.")
        self.crew.facts["state"] = "ready"
        self.crew.write_record()

    # -- the database and the static files -------------------------------------------------------------------

    def _prepare(self) -> str:
        """Migrate and seed as the wish asks; returns the table of demo log-ins, if there are any."""
        is_embedded = embedded_parts().database
        migrate = is_embedded or self.wish.is_everything
        demo = os.environ.get("OUTPOST_DEMO", "").strip() or ("1" if is_embedded else "0")
        seed = self.wish.is_everything and demo == "1"
        if self.wish.is_everything and not is_embedded and demo == "0":
            self._progress.say("This database is your own: OUTPOST_DEMO=1 would create the demo organisation in it")
        if not migrate:
            return ""
        asked = [*(["--migrate"] if migrate else []), *(["--seed"] if seed else [])]
        for attempts_left in (2, 1, 0):
            try:
                return self._run_preparation(asked)
            except Unable as refusal:
                if not (is_embedded and attempts_left and "OperationalError" in str(refusal)):
                    raise
                self._progress.say("The database went away meanwhile; preparing it again")
                self.crew.bring_back("database")
        raise AssertionError("the last attempt returns or raises")

    def _run_preparation(self, asked: list[str]) -> str:
        with tempfile.TemporaryFile("w+") as table, contextlib.ExitStack() as stack:
            told = os.dup(sys.stdout.fileno())
            stack.callback(os.close, told)
            command = self._python(
                "config.runtime.prepare", *asked, "--began", repr(self._progress.began),
                "--progress", str(told), "--logins", str(table.fileno()),
            )  # fmt: skip
            self.crew.begin(self._child("preparation", command, keep=(told, table.fileno())))
            self.crew.finish("preparation")
            table.seek(0)
            return table.read()

    @contextlib.contextmanager
    def _collecting(self) -> Iterator[None]:
        """Collect the static files beside the work on the database: each keeps one core busy."""
        collected, stamp = self.place / "static", self.place / "static.stamp"
        is_due = "web" in self.wish.parts and not assets.are_current(collected, stamp)
        if is_due:
            stamp.unlink(missing_ok=True)
            command = self._python("django", "collectstatic", "--noinput", "--clear", "--verbosity", "0")
            self.crew.begin(self._child("collection of static files", command))
        yield
        if is_due:
            self.crew.finish("collection of static files")
            stamp.write_text(assets.fingerprint(collected))
            self._progress.say("The static files are collected")

    # -- web, worker, beat -----------------------------------------------------------------------------------

    def _part(self, name: str) -> Part:
        """How one part starts, and how it goes should we be killed.

        Then its broker and database go as well, and a worker that tries to part from them in good order would
        wait for ever: it is killed, and what it had begun is given again.
        """
        if name == "web":
            command = self._python("gunicorn", "-c", "python:config.gunicorn", "config.wsgi:application")
            return self._child(name, command, leash=signal.SIGQUIT, role=WEB)
        if name == "worker":
            command = self._python(
                "celery", "-A", "config", "worker", "--hostname", f"outpost-{os.getpid()}@%h",
                "--concurrency", "2", "--prefetch-multiplier", "1", "--without-gossip", "--without-mingle",
                "--loglevel", "INFO", "--include", "config.runtime.leash",
            )  # fmt: skip
            return self._child(name, command, leash=signal.SIGKILL, role=WORKER)
        command = self._python("celery", "-A", "config", "beat", "--loglevel", "INFO")
        return self._child(name, command, leash=signal.SIGKILL, keep=(self._hold_beat(),), role=WORKER)

    def _hold_beat(self) -> int:
        """The lock of this home's beat. The child holds it with us: a beat we left behind still counts."""
        deadline = time.monotonic() + PROBE_SECONDS * 5
        while (lock := hold(self.place / "beat.lock")) is None:
            if time.monotonic() > deadline:
                raise Unable(f"Another beat is at work in {self.place}. Stop it, then start again.")
            self._patience.pause(0.2)
        return lock

    def _child(
        self,
        name: str,
        command: list[str],
        leash: signal.Signals = signal.SIGTERM,
        keep: tuple[int, ...] = (),
        role: str = "",
    ) -> Part:
        """`role` is the login at the embedded database; a DATABASE_URL names its own."""
        log = self.place / "logs" / f"{name.replace(' ', '-')}.log"
        environment = self._environment | ({"OUTPOST_DATABASE_ROLE": role} if role else {})
        return Part(name=name, command=lambda: command, log=log, environment=environment, leash=leash, keep=keep)

    @staticmethod
    def _python(module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, *arguments]

    # -- asking ourselves ------------------------------------------------------------------------------------

    def _ask(self, path: str) -> tuple[int, str]:
        """What our own web process answers: its status and words, or 0 and why not."""
        host = urlsplit(os.environ.get("OUTPOST_URL", "").strip() or self.wish.address).netloc
        line = http.client.HTTPConnection("127.0.0.1", self.wish.port, timeout=PROBE_SECONDS)
        try:
            line.request("GET", path, headers={"Host": host})
            answer = line.getresponse()
            return answer.status, answer.read(2000).decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as error:
            return 0, str(error)
        finally:
            line.close()

    def _wait_until_ready(self) -> None:
        """Wait for the first 200. A web process that cannot start stops us; one not ready yet does not."""
        complain_at = time.monotonic() + READY_SECONDS
        while True:
            self.crew.look_after()
            web = self.crew.seats["web"]
            if web.failures > 2:
                raise Unable(f"The web process does not start. {last_words(web.part)}")
            status, words = self._ask("/health/ready")
            if status == 200:
                return
            if time.monotonic() > complain_at:
                self._progress.say(f"Still not ready ({status or 'no answer'}: {words}); logs: {self.place / 'logs'}")
                complain_at = time.monotonic() + READY_SECONDS
            self._patience.pause(0.1)

    def watch(self) -> None:
        """Start again what ends, and a worker that is up but hears nothing. Ends by Stopped only."""
        deaf, next_check = 0, time.monotonic() + DEAF_CHECK_SECONDS
        while True:
            self._patience.pause(1.0)
            self.crew.look_after()
            if {"web", "worker"} <= set(self.wish.parts) and time.monotonic() >= next_check:
                next_check = time.monotonic() + DEAF_CHECK_SECONDS
                deaf = deaf + 1 if self._ask("/health/worker")[0] == 503 else 0
                if deaf == DEAF_ANSWERS:
                    deaf = 0
                    self._progress.say("The worker hears no task; starting it again")
                    self.crew.restart("worker")
