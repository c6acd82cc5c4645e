"""For whom a connection reads: the scope that the policies of row security (`teams.walls`) go by.

A scope belongs to a transaction. A web request opens one for the person who asks (`acting_for`); a place that must look
beyond that person's reach says so, with its reason (`system_scope`), and every such place is listed in
tests/access/test_walls.py. Worker, beat and commands act as the system for as long as they live (`whole_process`), because
of what they are. Where nobody has said anything the scope is empty, and an empty scope sees nothing.

Settings are local to the transaction, never of the session: with persistent connections or a pool they would serve the next
person. Only the scope of a whole process stands in the session. What is local ends with COMMIT or ROLLBACK by itself; inside
a surrounding transaction, as in tests, the former scope is put back.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.db.backends.signals import connection_created
from psycopg.pq import TransactionStatus

SYSTEM, NOBODY, OPERATOR, PERSON = "system", "", "operator", "person"

_process = {"scope": NOBODY}


def whole_process(why: str) -> None:
    """From here on this process acts as the system: a worker, a scheduler, a command. `why` is for whoever reads the call."""
    if not why:
        raise ValueError("say why this process may see everything")
    if _process["scope"] == SYSTEM:
        return
    _process["scope"] = SYSTEM
    connection_created.connect(_set_session, dispatch_uid="teams.acting")
    if connection.connection is not None:
        _set_session(type(connection), connection)


def _set_session(sender: Any, connection: Any, **signal: Any) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('outpost.scope', %s, false)", [SYSTEM])


def current() -> tuple[str, int | None]:
    """The scope of this connection, and the person where it is one's."""
    return getattr(connection, "_outpost_acting", None) or (_process["scope"], None)


@contextlib.contextmanager
def acting_for(user: Any) -> Iterator[None]:
    """One transaction in which only what `user` may reach exists; whoever we do not know reaches nothing."""
    with transaction.atomic():
        former = current()
        try:
            become(user)
            yield
            if connection.savepoint_ids:  # inside another transaction: a commit does not come to clear the settings
                _put_back(former)
        finally:
            connection._outpost_acting = former  # type: ignore[attr-defined]


def become(user: Any) -> None:
    """Change the scope of the transaction to that of `user`, who has been recognised only now. Raises outside of one."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("a scope belongs to a transaction, and none is open")
    person = user.pk if user.is_authenticated else None
    if person is not None and current() == (PERSON, person):
        return
    _enter(person)


def _enter(person: int | None) -> None:
    if person is None:
        _say(NOBODY)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT outpost_enter(%s)", [person])
        scope = cursor.fetchone()[0]
    known = scope if scope in (PERSON, OPERATOR) else NOBODY
    connection._outpost_acting = (known, person if known == PERSON else None)  # type: ignore[attr-defined]


@contextlib.contextmanager
def system_scope(why: str) -> Iterator[None]:
    """Look and write beyond the reach of whoever asks, for a reason that is said and listed."""
    if not why:
        raise ValueError("say why the reach of the person does not do here")
    if current()[0] == SYSTEM:
        yield
        return
    with contextlib.ExitStack() as stack:
        if not connection.in_atomic_block:
            stack.enter_context(transaction.atomic())
        former = current()
        _say(SYSTEM)
        try:
            yield
        finally:
            if _takes_statements():
                _say(former[0])
            connection._outpost_acting = former  # type: ignore[attr-defined]


def _put_back(former: tuple[str, int | None]) -> None:
    if _takes_statements():
        if former[0] == PERSON:
            _enter(former[1])
        else:
            _say(former[0])


def _takes_statements() -> bool:
    """False after an error: then the rollback that must follow puts the former scope back, as it was set before."""
    if connection.needs_rollback:
        return False
    status = connection.connection.info.transaction_status if connection.connection else TransactionStatus.UNKNOWN
    return status in (TransactionStatus.INTRANS, TransactionStatus.IDLE)


def _say(scope: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('outpost.scope', %s, true)", [scope])
    person = current()[1] if scope == PERSON else None
    connection._outpost_acting = (scope, person)  # type: ignore[attr-defined]
