"""Processes beside a test that die at a moment that is named: before, within or after a statement, or their commit.

"Within" is when the server has the statement and the process is gone before it hears of it: the server goes on for a while and
holds its locks, and either rolls back or, in a commit, has done all of it.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, connections, transaction

BEFORE, WITHIN, AFTER = MOMENTS = ("before", "within", "after")
COMMIT = "COMMIT"
WAITING = """
SELECT count(DISTINCT waiting.pid) FROM pg_locks waiting JOIN pg_locks held USING (pid)
WHERE NOT waiting.granted AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@dataclass(frozen=True)
class Blow:
    """The end of a process, at the statement with these words in it that comes as the `number`-th."""

    words: str
    moment: str
    number: int = 1

    def __str__(self) -> str:
        return f"{self.moment} {self.words!r}"


class _Killer:
    def __init__(self, blow: Blow) -> None:
        self.blow, self.seen = blow, 0
        self._really_commit = connection._commit

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        moment = self._moment(str(sql))
        if moment == BEFORE:
            _die()
        if moment == WITHIN:
            _send_and_die(context["cursor"].cursor.mogrify(sql, params))
        answer = execute(sql, params, many, context)
        if moment == AFTER:
            _die()
        return answer

    def commit(self) -> None:
        moment = self._moment(COMMIT)
        if moment == BEFORE:
            _die()
        if moment == WITHIN:
            _send_and_die(COMMIT)
        self._really_commit()
        if moment == AFTER:
            _die()

    def _moment(self, statement: str) -> str:
        if self.blow.words not in statement:
            return ""
        self.seen += 1
        return self.blow.moment if self.seen == self.blow.number else ""


def _send_and_die(statement: str) -> None:
    connection.connection.pgconn.send_query(statement.encode())
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Beside:
    """A process of a test's own, from its beginning to its end."""

    pid: int
    told: int
    is_over: bool = False

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> str:
        """Wait for its end. What it said of itself: "done" or what went wrong; nothing if it was killed before."""
        if self.is_over:
            return ""
        self.is_over = True
        with os.fdopen(self.told, "rb") as pipe:
            words = pipe.read().decode()
        os.waitpid(self.pid, 0)
        return words


def beside(work: Callable[[], Any], blow: Blow | None = None) -> Beside:
    """Begin `work` in a process of its own; it ends there by `blow`, else when it has told how it went."""
    told, tell = os.pipe()
    if not connection.in_atomic_block:
        connections.close_all()
    pid = os.fork()
    if pid:
        os.close(tell)
        return Beside(pid, told)
    try:  # nothing of pytest may run in here
        connection.connection = None  # the one above belongs to the test
        connection.in_atomic_block, connection.savepoint_ids, connection.needs_rollback = False, [], False
        if blow is None:
            work()
        else:
            killer = _Killer(blow)
            connection._commit = killer.commit  # type: ignore[method-assign]
            with connection.execute_wrapper(killer):
                work()
        os.write(tell, b"done")
    except BaseException as error:  # whatever it is, the test must hear of it
        os.write(tell, f"{type(error).__name__}: {error}".encode())
    finally:
        _die()
    raise AssertionError("nobody comes to here")


def killed(work: Callable[[], Any], blow: Blow) -> None:
    """Do `work` in a process of its own that `blow` ends. Raises AssertionError where it never came to that point."""
    words = beside(work, blow).wait()
    assert not words, f"never came to {blow}: {words}"


@contextmanager
def held(table: str) -> Iterator[None]:
    """Nobody else writes to the table until the block is left: whoever wants to waits, and holds what it has locked before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        yield


def until_waiting(many: int, seconds: float = 10) -> None:
    """Until so many others wait for a lock in this database. Raises AssertionError after `seconds`."""
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while True:
            cursor.execute(WAITING)
            (waiting,) = cursor.fetchone()
            if waiting >= many:
                return
            assert time.monotonic() < until, f"{waiting} wait for a lock, and {many} should"
            time.sleep(0.01)
