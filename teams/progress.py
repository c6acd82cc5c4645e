"""How far a long job is, told while it works, and the wish to stop it, heard at its safe points.

What a job writes is unseen until it commits, and a row lock holds its run all the while. So progress has a row of its own
and a connection of its own: each report is one UPDATE that commits at once, beside the transaction of the work, and brings
back in its answer whether somebody has asked to stop. A second connection, and not a savepoint or a message through the
broker: the first cannot be seen by others, and the second may be lost. It is opened by the first report of a run that
somebody follows, and closed with it; runs of the night, which nobody waits for, cost one look whether they are followed.

A report is a safe point: where the wish to stop is found, `Cancelled` goes up through the job, its transaction rolls back
whole, and the ledger writes down the end. The run is found through a context variable, so that what reads the rows of a file
need not know whether a person, a command or a source's call waits for them; where no followed run is at work a report does
nothing. Progress must never be the reason that work fails: a connection that cannot be had is logged, and the job goes on.
"""

import contextlib
import logging
import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TypeVar

import psycopg
from django.db import connection

from teams.acting import SYSTEM
from teams.models import JobProgress

log = logging.getLogger(__name__)

Row = TypeVar("Row")
Step = JobProgress.Step
SECONDS_BETWEEN = 0.5  # reports of the same step that come sooner are left out
ROWS_BETWEEN = 500

WRITE = """
UPDATE teams_jobprogress SET step = %s, done = %s, total = %s, moved_at = now()
WHERE run_id = %s RETURNING cancelled_at IS NOT NULL
"""
ASK = "SELECT cancelled_at IS NOT NULL FROM teams_jobprogress WHERE run_id = %s"


class Cancelled(Exception):
    """Goes up through a job that somebody asked to stop. Nobody catches it but the ledger."""


class _Followed:
    """The run at work in this thread, and its connection beside it."""

    def __init__(self, run_pk: int) -> None:
        self.run_pk = run_pk
        self.link: psycopg.Connection | None = None
        self.is_deaf = False
        self.last_step, self.last_at = "", 0.0

    def say(self, statement: str, *values: object) -> None:
        """Send a report and raise Cancelled if the answer says so."""
        if self.is_deaf:
            return
        try:
            if self.link is None:
                self.link = _open()
            answer = self.link.execute(statement, (*values, self.run_pk)).fetchone()
        except psycopg.errors.LockNotAvailable:
            return  # somebody writes the wish to stop at this moment: the next report will hear it
        except psycopg.Error:
            log.warning("no progress can be told of run %d", self.run_pk, exc_info=True)
            self.is_deaf = True
            return
        if answer is not None and answer[0]:
            raise Cancelled

    def close(self) -> None:
        if self.link is not None:
            self.link.close()


def _open() -> psycopg.Connection:
    """A connection like Django's, that commits each statement and waits for no lock longer than two seconds."""
    details = {name: value for name, value in connection.get_connection_params().items() if name in PLACE}
    link = psycopg.connect(**details, autocommit=True, connect_timeout=5)
    link.execute("SELECT set_config('outpost.scope', %s, false)", [SYSTEM])
    link.execute("SET lock_timeout = '2s'")
    return link


PLACE = ("dbname", "user", "password", "host", "port", "sslmode", "sslrootcert", "application_name")

_followed: ContextVar[_Followed | None] = ContextVar("followed", default=None)


@contextlib.contextmanager
def following(run_pk: int) -> Iterator[None]:
    """Within, reports are about run `run_pk`, if anybody follows it."""
    if not JobProgress.objects.filter(pk=run_pk).exists():
        yield
        return
    followed = _Followed(run_pk)
    token = _followed.set(followed)
    try:
        yield
    finally:
        _followed.reset(token)
        followed.close()


def at(step: str, done: int = 0, total: int | None = None) -> None:
    """Report that `step` is at `done` of `total`. A safe point: raises Cancelled if the run is to stop.

    Call it as often as is convenient: what comes within half a second of the last report of the same step is left out.
    """
    followed = _followed.get()
    if followed is None:
        return
    now = time.monotonic()
    if step == followed.last_step and now - followed.last_at < SECONDS_BETWEEN:
        return
    followed.last_step, followed.last_at = step, now
    followed.say(WRITE, step, done, total)


def safe_point() -> None:
    """Raises Cancelled if the run is to stop; says nothing about how far it is."""
    followed = _followed.get()
    if followed is not None:
        followed.say(ASK)


def counted(rows: Iterable[Row], step: str, total: int | None = None) -> Iterator[Row]:
    """`rows` as they are, reported on the way."""
    if _followed.get() is None:
        yield from rows
        return
    for number, row in enumerate(rows):
        if number % ROWS_BETWEEN == 0:
            at(step, number, total)
        yield row
