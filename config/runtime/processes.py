"""Child processes on a leash: however this process ends, those it started end too.

On Linux the kernel sends each child a signal when its parent is gone, even by kill -9. Elsewhere the leash is
only the orderly stop.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TextIO

from config.runtime.places import CHECKOUT, Unable

SET_PARENT_DEATH_SIGNAL = 1
LOG_LIMIT = 5 * 1024 * 1024
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def follow_parent(sign: signal.Signals, parent: int) -> None:
    """Let the kernel send `sign` to this process when `parent` ends; at once, if it has ended already."""
    if _libc is not None:
        _libc.prctl(SET_PARENT_DEATH_SIGNAL, int(sign), 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), sign)


def spawn(
    command: Sequence[str],
    *,
    log: IO[bytes] | int | None,
    leash: signal.Signals = signal.SIGTERM,
    environment: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
    own_session: bool = True,
) -> subprocess.Popen[bytes]:
    """Start `command` in the checkout, its output in `log`, with `leash` as the signal that follows our end.

    An own session keeps the terminal's Ctrl-C from it: who stops first is the supervisor's to say.
    """
    parent = os.getpid()
    return subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL if own_session else None,
        stdout=log,
        stderr=subprocess.STDOUT if log is not None else None,
        start_new_session=own_session,
        pass_fds=tuple(keep),
        preexec_fn=lambda: follow_parent(leash, parent),
    )


def birth(pid: int) -> int:
    """When a process began, in the kernel's ticks: with its number this names it for good. 0: it is gone."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return 0
    return 0 if state in "ZX" else int(fields[18])


def open_log(place: Path) -> IO[bytes]:
    """A log to add to; one that has grown large is set aside first, in place of the one set aside before."""
    with contextlib.suppress(FileNotFoundError):
        if place.stat().st_size > LOG_LIMIT:
            place.replace(place.with_name(place.name + ".1"))
    return place.open("ab")


def tail(place: Path, lines: int = 12) -> str:
    """The last lines of a log, to be shown with the sentence that says what went wrong."""
    with contextlib.suppress(OSError):
        return "\n".join(place.read_text(errors="replace").splitlines()[-lines:])
    return ""


def hold(place: Path) -> int | None:
    """The open lock file, locked until it is closed or this process ends; None if another one holds it."""
    descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


class Stopped(Exception):
    """Somebody asked us to stop."""


class Patience:
    """Waiting that ends early when a child ends or somebody asks us to stop."""

    def __init__(self) -> None:
        self.asked_to_stop = 0
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, self._note)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as it is under nohup
            signal.signal(signal.SIGHUP, self._note)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _note(self, *_: object) -> None:
        self.asked_to_stop += 1

    def pause(self, seconds: float) -> None:
        """Wait a while. Raises Stopped if somebody has asked for it."""
        if not self.asked_to_stop:
            self.rest(seconds)
        if self.asked_to_stop:
            raise Stopped

    def rest(self, seconds: float) -> None:
        """Wait a while, or until the next signal, whatever it asks."""
        self._reader.settimeout(seconds)
        with contextlib.suppress(TimeoutError, BlockingIOError):
            self._reader.recv(64)


class Progress:
    """Short lines with the seconds since the start. Whoever closes our output does not want them."""

    def __init__(self, stream: TextIO | None = None, began: float | None = None) -> None:
        self.began = time.monotonic() if began is None else began
        self._stream = stream or sys.stdout

    def say(self, text: str) -> None:
        """Show one line."""
        self.show(f"{time.monotonic() - self.began:6.1f} s  {text}")

    def show(self, text: str) -> None:
        """Show something to be read on its own."""
        with contextlib.suppress(OSError):
            self._stream.write(text + "\n")
            self._stream.flush()


def program(name: str, found: Sequence[Path | None]) -> Path:
    """The first of the places that holds an executable. Raises Unable if none does."""
    for place in found:
        if place is not None and os.access(place, os.X_OK):
            return place
    raise Unable(
        f"No {name} for this machine was found: the environment brings none for {sys.platform}. "
        "Install one, or set DATABASE_URL and CELERY_BROKER_URL to servers of your own."
    )
