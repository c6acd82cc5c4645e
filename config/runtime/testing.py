"""The pytest plugin of `manage.py test`: which tests run when nobody says, and where. Loaded with `-p`.

The servers are not its business: `manage.py test` starts them once, and the workers of a parallel run find
them. Each worker has a database of its own from pytest-django, and a cache of its own from here, as tests empty it.
"""

import contextlib
import gc
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db.backends.signals import connection_created

from config.runtime import places

SET_ASIDE = "not live and not drill and not browser and not shared and not walls and not fuzz"

STAY = {SET_ASIDE, "walls", "fuzz"}  # suites whose tests start no programs that need the other processors


def cache_of(worker: str, address: str) -> str:
    """The cache at `address`, with the number of the database moved on by that of the worker ("gw0", "gw1")."""
    step = int(worker.removeprefix("gw")) + 1
    if address.startswith("unix:"):
        place, _mark, number = address.partition("?db=")
        return f"{place}?db={int(number or 0) + step}"
    parts = urlsplit(address)
    return urlunsplit(parts._replace(path=f"/{int(parts.path.strip('/') or 0) + step}"))


# Settings are read before any hook of a plugin runs, so this has to happen as the plugin is loaded.
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    given = os.environ.get("OUTPOST_CACHE_URL", "")
    if given or not os.environ.get("CELERY_BROKER_URL"):
        os.environ["OUTPOST_CACHE_URL"] = cache_of(worker, given or places.embedded_cache_url())


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Leave out what starts servers, drives a browser or needs reference data, unless `-m` says otherwise."""
    if not config.option.markexpr:
        config.option.markexpr = SET_ASIDE
    if worker and config.option.markexpr in STAY:
        settle(worker)


def settle(worker: str) -> None:
    """Keep a worker and the server processes of its connections on one processor, where there is one for each worker.

    Between processors of a virtual machine a question to the database takes several times as long as within one.
    """
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) < int(os.environ["PYTEST_XDIST_WORKER_COUNT"]):
        return
    own = {processors[int(worker.removeprefix("gw"))]}

    def beside(connection: Any, **_signal: object) -> None:
        server = connection.connection.info.backend_pid
        with contextlib.suppress(OSError):  # a server on another machine, or one that is not ours to move
            if (Path("/proc") / str(server) / "cmdline").read_bytes().startswith(b"postgres: "):
                os.sched_setaffinity(server, own)

    os.sched_setaffinity(0, own)
    connection_created.connect(beside, weak=False, dispatch_uid="beside")


def pytest_collection_finish(session: pytest.Session) -> None:
    """What stands when the tests begin stays to their end: the collector of cycles need not go over it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
