"""A running Outpost as tests see it from outside: started, asked, watched, killed.

Nothing is downloaded: the interpreter that runs the tests is given as the environment.
"""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg

from config.runtime.places import CHECKOUT
from config.runtime.processes import birth

READY_SECONDS = 90
STOP_SECONDS = 10
BACK_SECONDS = 30
NOT_FOR_CHILDREN = {
    "OUTPOST_TESTING",
    "DATABASE_URL",
    "CELERY_BROKER_URL",
    "OUTPOST_URL",
    "DJANGO_SETTINGS_MODULE",
}


class NotRunning(AssertionError):
    """It ended, or did not get ready; says what it said."""


class Outpost:
    """One supervisor with its home and port, watched from outside."""

    def __init__(self, home: Path, *, prefix: tuple[str, ...] = (), checkout: Path = CHECKOUT, **settings: str):
        self.home = home
        self.port = free_port()
        self.checkout = checkout
        self.settings = {"OUTPOST_DEMO": "0", **settings}
        self.prefix = prefix
        self.process: subprocess.Popen[str] | None = None
        self.seen: dict[int, int] = {}  # each process of ours, and when it began: numbers are used again

    def environment(self) -> dict[str, str]:
        """The variables of every process of this home."""
        inherited = {name: value for name, value in os.environ.items() if name not in NOT_FOR_CHILDREN}
        own = {"OUTPOST_HOME": str(self.home), "OUTPOST_PORT": str(self.port), "OUTPOST_ENVIRONMENT": "given"}
        return inherited | own | self.settings

    def start(self, *parts: str) -> "Outpost":
        self.process = subprocess.Popen(
            [*self.prefix, sys.executable, "manage.py", "run", *parts],
            cwd=self.checkout,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return self

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> float:
        """Wait for /health/ready and the record; returns the seconds it took."""
        began = time.monotonic()
        while not self.is_ready() or ("web" in self.record()["parts"] and self.ask("/health/ready") != 200):
            if self.process.poll() is not None:
                raise NotRunning(f"Outpost ended with {self.process.returncode}:\n{self.process.stdout.read()}")
            if time.monotonic() - began > seconds:
                self.process.kill()
                raise NotRunning(f"not ready after {seconds} s:\n{self.process.stdout.read()}")
            time.sleep(0.1)
        self.note_processes()
        return time.monotonic() - began

    def ask(self, path: str) -> int:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            line.request("GET", path)
            return line.getresponse().status
        except OSError:
            return 0
        finally:
            line.close()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def is_whole(self) -> bool:
        """Whether it answers that it is ready, and every part it has started is there."""
        parts = self.record().get("parts", {}).values()
        return (
            self.is_ready()
            and all(birth(part["pid"]) == part["born"] for part in parts)
            and self.ask("/health/ready") == 200
        )

    def is_ready(self) -> bool:
        """Whether this very supervisor, and not one before it, has everything running."""
        told = self.record()
        return told.get("state") == "ready" and told["pid"] == self.process.pid

    def record(self) -> dict:
        with contextlib.suppress(OSError, ValueError):
            return json.loads((self.home / "run.json").read_text())
        return {}

    def pid(self, part: str) -> int:
        return self.record()["parts"][part]["pid"]

    def note_processes(self) -> None:
        """Remember every process of ours, to see later that each is gone."""
        self.seen |= {pid: birth(pid) for pid in family(self.process.pid)}

    def alive(self) -> set[int]:
        return {pid for pid, born in self.seen.items() if born and birth(pid) == born}

    def stop(self, sign: signal.Signals = signal.SIGINT) -> tuple[int, float, str]:
        """Ask it to stop; returns its exit code, the seconds it took and what it said."""
        self.note_processes()
        began = time.monotonic()
        self.process.send_signal(sign)
        said, _ = self.process.communicate(timeout=STOP_SECONDS + 20)
        return self.process.returncode, time.monotonic() - began, said

    def kill(self) -> None:
        """Kill the supervisor alone."""
        self.note_processes()
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def connect(self) -> psycopg.Connection:
        address = self.settings.get("DATABASE_URL")
        embedded = f"host={self.record().get('sockets')} user=app dbname=app connect_timeout=5"
        return psycopg.connect(address or embedded, autocommit=True, options="-c outpost.scope=system")


def copy_home(home: Path, place: Path) -> Path:
    """A home like one that is stopped, at `place`, which may be an empty directory."""
    subprocess.run(["cp", "--archive", f"{home}/.", str(place)], check=True)  # owners and all
    return place


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]


def family(pid: int) -> Iterator[int]:
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield from family(int(child))


def wait(condition: Callable[[], object], seconds: float, what: str) -> float:
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"{what} after {seconds} s"
        time.sleep(0.05)
    return time.monotonic() - began


def write_rows(outpost: Outpost, rows: int) -> None:
    with outpost.connect() as connection:
        connection.execute("DROP TABLE IF EXISTS drill")
        connection.execute("CREATE TABLE drill (row integer)")
        for row in range(rows):
            connection.execute("INSERT INTO drill VALUES (%s)", [row])


def count_rows(outpost: Outpost) -> int:
    with outpost.connect() as connection:
        return connection.execute("SELECT count(*) FROM drill").fetchone()[0]
