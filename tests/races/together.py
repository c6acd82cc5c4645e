"""Several at once on real connections, made to meet at a named point; and the same with the locks off.

A race test means something only if it fails without the lock it is about. So each scene runs twice: as it is, where it must
hold, and as the control without locks, where its fault has to show. A control without a fault makes the test void: it fails.
"""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import close_old_connections, connections
from django.db.models import QuerySet

MEET_SECONDS = 0.7


class Meeting:
    """A point all have to reach before any goes on. Where a lock keeps one of them off, the others stop waiting for it."""

    def __init__(self, parties: int) -> None:
        self._barrier = threading.Barrier(parties)

    def wait(self) -> None:
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(MEET_SECONDS)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def met(*args: Any, **kwargs: Any) -> Any:
            self.wait()
            return function(*args, **kwargs)

        return met

    def after(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def met(*args: Any, **kwargs: Any) -> Any:
            result = function(*args, **kwargs)
            self.wait()
            return result

        return met


def together(*deeds: Callable[[], Any]) -> list[Any]:
    """Do all at once, each on a connection of its own; what each returned, or the exception it ended with."""
    results: list[Any] = [None] * len(deeds)
    start = threading.Barrier(len(deeds))

    def do(number: int) -> None:
        try:
            start.wait(10)
            results[number] = deeds[number]()
        except Exception as error:
            results[number] = error
        finally:
            close_old_connections()
            connections.close_all()

    threads = [threading.Thread(target=do, args=(number,)) for number in range(len(deeds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads), "they wait for each other for ever"
    return results


def without_row_locks(monkeypatch: Any) -> None:
    """The control: every SELECT ... FOR UPDATE of Django reads without a lock."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, *args, **kwargs: self._chain())
