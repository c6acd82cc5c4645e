"""The crew: parts that are started, watched, started again when they end, and stopped in order and time."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from config.runtime.places import Unable
from config.runtime.processes import Patience, Progress, birth, open_log, spawn, tail

LONGEST_DELAY = 30.0
SETTLED_SECONDS = 60.0
LEFTOVER_SECONDS = 8.0


@dataclass(frozen=True)
class Part:
    """One long-running process: how it starts, when it is ready, and how it is asked to stop.

    `stops` names signals by the second after the stop began. A worker finishes its tasks at first, then hands
    them back, then is killed; a server of others' data is stopped after all the parts that use it.
    """

    name: str
    command: Callable[[], list[str]]
    log: Path
    environment: Mapping[str, str]
    leash: signal.Signals = signal.SIGTERM
    stops: Sequence[tuple[float, signal.Signals]] = (
        (0, signal.SIGTERM),
        (4, signal.SIGQUIT),
        (7, signal.SIGKILL),
    )
    is_store: bool = False
    is_ready: Callable[[], bool] | None = None
    before: Callable[[], None] = lambda: None
    patience_seconds: float = 0.0
    keep: tuple[int, ...] = ()


@dataclass
class Seat:
    """A part at work: its process, and what became of it so far."""

    part: Part
    process: subprocess.Popen[bytes] | None = None
    began: float = 0.0
    failures: int = 0
    restarts: int = 0
    due: float | None = None
    born: int = 0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Crew:
    """All parts of one supervisor, and the record of their process numbers."""

    def __init__(self, record: Path, patience: Patience, progress: Progress, facts: Mapping[str, object]) -> None:
        self.seats: dict[str, Seat] = {}
        self.facts = dict(facts)
        self._record = record
        self._is_behind = False
        self._patience = patience
        self._progress = progress

    # -- starting --------------------------------------------------------------------------------------------

    def start(self, part: Part) -> None:
        """Start a part and wait until it is ready. Raises Unable with its last words.

        One that ends at once is tried again for as long as its patience lasts: right after a crash a server
        may find its place still taken. A part that cannot tell is taken as ready.
        """
        seat = self.seats.setdefault(part.name, Seat(part))
        deadline = time.monotonic() + part.patience_seconds
        while True:
            part.before()
            self._launch(seat)
            if part.is_ready is None:
                return
            while seat.is_running:
                if part.is_ready():
                    return
                if time.monotonic() > deadline:
                    break
                self._patience.pause(0.05)
            if time.monotonic() > deadline:
                raise Unable(f"The {part.name} does not start. {last_words(part)}")
            self._patience.pause(0.3)

    def bring_back(self, name: str) -> None:
        """See to it that a part which may have been killed a moment ago is running and ready, while others start."""
        seat = self.seats[name]
        deadline = time.monotonic() + seat.part.patience_seconds
        self._patience.pause(0.3)
        while not (seat.is_running and (seat.part.is_ready is None or seat.part.is_ready())):
            if time.monotonic() > deadline:
                raise Unable(f"The {name} does not stay up. {last_words(seat.part)}")
            self._look_after(seat)
            self._patience.pause(0.1)

    def begin(self, part: Part) -> None:
        """Start a part that ends by itself, to be waited for with `finish`."""
        self._launch(self.seats.setdefault(part.name, Seat(part)))

    def finish(self, name: str) -> None:
        """Wait for the end of a part that was begun. Raises Unable with its last words if it failed."""
        seat = self.seats[name]
        while seat.is_running:
            self._patience.pause(0.5)
        del self.seats[name]
        self.write_record()
        if seat.process is None or seat.process.returncode:
            raise Unable(f"The {name} failed. {last_words(seat.part)}")

    def _launch(self, seat: Seat) -> None:
        part = seat.part
        with open_log(part.log) as log:
            command = part.command()
            seat.process = spawn(command, log=log, leash=part.leash, environment=part.environment, keep=part.keep)
        seat.began, seat.due, seat.born = time.monotonic(), None, birth(seat.process.pid)
        self.write_record()

    # -- watching --------------------------------------------------------------------------------------------

    def look_after(self) -> None:
        """Start again what has ended, sooner at first and later if it keeps ending."""
        if self._is_behind:
            self.write_record()
        for seat in list(self.seats.values()):
            self._look_after(seat)

    def _look_after(self, seat: Seat) -> None:
        if seat.is_running:
            return
        if seat.due is None:
            self._put_off(seat)
        elif time.monotonic() >= seat.due:
            seat.restarts += 1
            try:
                self.start(seat.part)
            except (Unable, OSError) as refusal:  # OSError: no room for its log; it is tried again
                self._progress.say(str(refusal))

    def _put_off(self, seat: Seat) -> None:
        lived = time.monotonic() - seat.began
        seat.failures = 0 if lived > SETTLED_SECONDS else seat.failures + 1
        delay = min(LONGEST_DELAY, 0.25 * 2**seat.failures) if seat.failures else 0.0
        seat.due = time.monotonic() + delay
        code = seat.process.returncode if seat.process else 0
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self._progress.say(f"The {seat.part.name} {how}; starting it again in {delay:.1f} s: {seat.part.log}")

    def restart(self, name: str) -> None:
        """Stop one part; `look_after` starts it again."""
        self._stop([self.seats[name]], time.monotonic(), calm_requests=0)

    # -- stopping --------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Stop every part, the stores after those that use them. Asked a second time, kill what is left."""
        began = time.monotonic()
        self.facts["state"] = "stopping"
        self.write_record()
        for stores in (False, True):
            seats = [seat for seat in self.seats.values() if seat.part.is_store is stores]
            self._stop(seats, began, calm_requests=1)
        self._record.unlink(missing_ok=True)

    def _stop(self, seats: list[Seat], began: float, calm_requests: int) -> None:
        to_send = {seat.part.name: list(seat.part.stops) for seat in seats}
        while running := [seat for seat in seats if seat.is_running]:
            is_urgent = self._patience.asked_to_stop > calm_requests
            passed = time.monotonic() - began
            for seat in running:
                left = to_send[seat.part.name]
                while left and (is_urgent or left[0][0] <= passed):
                    self._signal(seat, left.pop(0)[1])
            self._patience.rest(0.05)

    @staticmethod
    def _signal(seat: Seat, sign: signal.Signals) -> None:
        if seat.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if sign is signal.SIGKILL:
                os.killpg(seat.process.pid, sign)
            else:
                seat.process.send_signal(sign)

    # -- the record ------------------------------------------------------------------------------------------

    def write_record(self) -> None:
        """Tell other programs, and the next start, which processes are ours; `born` tells apart a number used
        twice."""
        parts = {
            name: {"pid": seat.process.pid, "born": seat.born, "restarts": seat.restarts}
            for name, seat in self.seats.items()
            if seat.process is not None
        }
        draft = self._record.with_name(f"{self._record.name}.new")
        try:
            draft.write_text(json.dumps({**self.facts, "parts": parts}, indent=1))
            draft.replace(self._record)
        except OSError as error:  # a full disk must not stop whoever could go on; a half record must not be read
            self._is_behind = True
            self._progress.say(f"The record {self._record} cannot be written ({error.strerror}); make room on its disk")
        else:
            self._is_behind = False


def last_words(part: Part) -> str:
    """What a part that failed wrote at the end, and where to read the rest."""
    return f"Its last words, from {part.log}:\n{tail(part.log)}"


def read_record(place: Path) -> dict[str, object]:
    """What the last supervisor of this home wrote down; empty if it stopped in good order."""
    try:
        return json.loads(place.read_text())
    except (OSError, ValueError):
        return {}


def clear_leftovers(place: Path, patience: Patience, progress: Progress) -> None:
    """Wait until the parts of a supervisor that was killed have followed it, and kill those that have not."""
    parts: dict[str, dict[str, int]] = read_record(place).get("parts", {})  # type: ignore[assignment]
    left = {name: told for name, told in parts.items() if told["born"]}
    deadline = time.monotonic() + LEFTOVER_SECONDS
    is_told = False
    while left := {name: told for name, told in left.items() if birth(told["pid"]) == told["born"]}:
        if not is_told:
            progress.say(f"Waiting for what is left of an earlier run: {', '.join(left)}")
            is_told = True
        if time.monotonic() > deadline:
            for told in left.values():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(told["pid"], signal.SIGKILL)
        patience.pause(0.1)
