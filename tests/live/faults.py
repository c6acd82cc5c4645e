"""What is done to a running home: each kind of fault, in an order drawn from the seed, and how soon it serves again.

"Serves again" is three things at once, asked from outside: the web answers ready, the database takes a write, and a worker has
answered a bell that was rung after the fault. Three faults in ten come before the one before them is over.
"""

import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.runtime.processes import birth
from tests.runtime.outpost import Outpost, family, wait

PARTS = ("web", "worker", "beat", "database")
FAULTS = (*PARTS, "worker group", "broker emptied", "database stopped at once", "disk full")
PERCENTILE, WORST_SECONDS = 0.95, 600
DISK_MB = 1100
HASTE = 0.3
BACK_SECONDS = WORST_SECONDS + 60


class Disk:
    """A small tmpfs that a home lies on, so that it can be filled. Where none can be mounted, `missing` says why."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.missing = ""

    def __enter__(self) -> "Disk":
        self.place.mkdir(parents=True, exist_ok=True)
        asked = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=0700", "tmpfs", str(self.place)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode:
            self.missing = f"disk full, as no tmpfs can be mounted here ({done.stderr.strip()})"
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the tmpfs; its logs are laid beside it first, for a look if something went wrong."""
        if not self.missing:
            subprocess.run(["cp", "-r", str(self.place / "logs"), f"{self.place}-logs"], check=False)
            subprocess.run(["umount", "--lazy", str(self.place)], check=True)

    def fill(self) -> None:
        with suppress(OSError), (self.place / "filler").open("wb") as file:
            while True:
                file.write(b"\0" * 65536)
                file.flush()

    def clear(self) -> None:
        (self.place / "filler").unlink(missing_ok=True)


@dataclass(frozen=True)
class Resumption:
    fault: str
    seconds: float


class Watch:
    """How long each fault lasts."""

    def __init__(self, outpost: Outpost, tell: Callable[[str], None]) -> None:
        self.outpost, self.tell = outpost, tell
        self.resumed: list[Resumption] = []
        self._open: list[tuple[str, float, float]] = []

    def began(self, fault: str) -> None:
        self.tell(fault)
        self._open.append((fault, time.monotonic(), time.time()))

    def wait(self) -> None:
        """Wait until everything serves again; what was open is over then. Raises AssertionError after eleven minutes."""
        if self._open:
            wait(lambda: self._serves(self._open[-1][2]), BACK_SECONDS, f"not back from {self._open[-1][0]}")
            over = [Resumption(fault, time.monotonic() - began) for fault, began, _moment in self._open]
            self.tell(f"serves again after {', '.join(f'{each.seconds:.1f} s' for each in over)}")
            self.resumed += over
            self._open.clear()

    def _serves(self, since: float) -> bool:
        must_run(self.outpost)
        if not self.outpost.is_ready() or self.outpost.ask("/health/ready") != 200:
            return False
        with suppress(psycopg.Error), self.outpost.connect() as link:
            link.execute("CREATE TABLE IF NOT EXISTS drill_write (at timestamptz)")
            link.execute("INSERT INTO drill_write VALUES (now())")
            told = link.execute(
                "SELECT extract(epoch FROM answered_at) FROM teams_heartbeat WHERE name = 'worker'"
            ).fetchone()
            return told is not None and told[0] is not None and float(told[0]) > since
        return False


class Killer:
    """Does harm in an order drawn from the seed, each time to something that is alive."""

    def __init__(self, outpost: Outpost, dice: random.Random, faults: int, disk: Disk, watch: Watch) -> None:
        self.outpost, self.dice, self.disk, self.watch = outpost, dice, disk, watch
        kinds = FAULTS[:-1] if disk.missing else FAULTS
        self.plan = [kinds[number % len(kinds)] for number in range(faults)]
        dice.shuffle(self.plan)
        self.supervisor_after = {faults // 3, 2 * faults // 3} - {0}
        self.done: Counter[str] = Counter()

    @property
    def share(self) -> float:
        """How much of the plan is done, 0 to 1."""
        return sum(self.done[kind] for kind in FAULTS) / max(len(self.plan), 1)

    def work(self) -> None:
        for number, kind in enumerate(self.plan):
            time.sleep(self.dice.uniform(0.7, 1.5))
            self.outpost.note_processes()
            self._harm(kind)
            self.done[kind] += 1
            if number in self.supervisor_after:
                time.sleep(self.dice.uniform(0.2, 1.0))
                self.watch.began("kill -9 supervisor")
                self.outpost.kill()
                self.done["supervisor"] += 1
                self.outpost.start()
            if self.dice.random() >= HASTE:
                self.watch.wait()
        self.watch.wait()

    def _harm(self, kind: str) -> None:
        if kind in PARTS:
            self._kill(kind)
        elif kind == "worker group":
            pid = self._pid("worker")
            self.watch.began("kill -9 worker group")
            for each in family(pid):
                with suppress(ProcessLookupError):
                    os.kill(each, signal.SIGKILL)
        elif kind == "broker emptied":
            self._pid("broker")
            self.watch.began(kind)
            empty_broker(self.outpost)
        elif kind == "database stopped at once":
            pid = self._pid("database")
            self.watch.began(kind)
            os.kill(pid, signal.SIGQUIT)
        else:
            self._fill()

    def _kill(self, part: str) -> None:
        """The part's main process, or as often one of its children: a web process, one of the worker's pool, a connection."""
        told = self._pid(part)
        children = [pid for pid in family(told) if pid != told]
        victim = self.dice.choice(children) if children and self.dice.random() < 0.5 else told
        self.watch.began(f"kill -9 {part}" if victim == told else f"kill -9 {part}, a child")
        with suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)

    def _fill(self) -> None:
        """A disk that is full for some seconds, while everybody goes on writing; the harm lasts until there is room again.

        What serves has to live through it; a start that meets a full disk ends with a sentence, as it should.
        """
        wait(self._is_started, BACK_SECONDS, "the start is not over")
        self.watch.tell("disk full")
        filler = threading.Thread(target=self.disk.fill)
        filler.start()
        filler.join()
        time.sleep(self.dice.uniform(3, 6))
        self.disk.clear()
        self.watch.began("disk full, room made")

    def _pid(self, part: str) -> int:
        """The part's process, once this supervisor, and not the one killed before, has it running."""
        wait(lambda: self._is_up(part), BACK_SECONDS, f"{part} is not back")
        pid: int = self.outpost.record()["parts"][part]["pid"]
        return pid

    def _is_started(self) -> bool:
        return self._is_up("database") and self.outpost.is_ready()

    def _is_up(self, part: str) -> bool:
        process, record = self.outpost.process, self.outpost.record()
        must_run(self.outpost)
        told = record.get("parts", {}).get(part)
        return bool(told) and record["pid"] == process.pid and birth(told["pid"]) == told["born"]  # type: ignore[union-attr]


def must_run(outpost: Outpost) -> None:
    """Raises AssertionError where the supervisor has ended and nobody has killed it."""
    process = outpost.process
    if process is not None and process.poll() is not None:
        raise AssertionError(f"the supervisor ended by itself: {process.stdout.read()}")  # type: ignore[union-attr]


def empty_broker(outpost: Outpost) -> None:
    """Every message and every cached value is gone; a broker that is only just being started is waited for."""
    wait(lambda: _flushed(f"{outpost.record()['sockets']}/vk"), BACK_SECONDS, "the broker was not emptied")


def _flushed(address: str) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as line:
        line.settimeout(10)
        line.connect(address)
        line.sendall(b"FLUSHALL\r\n")
        return line.recv(64).startswith(b"+OK")
    return False


def share_at(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * int(share * 100) // 100) - 1))]
