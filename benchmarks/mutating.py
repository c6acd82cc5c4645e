"""The part of the mutants that lives inside pytest (benchmarks.mutants): which tests touch a line, and who notices its loss.

Nothing is written to the tree. A changed source is compiled, and the functions that stand in memory get its code. So tests are
collected, servers started and the database migrated once; each mutant has a forked child of that process, whose tests
take back what they write. Tests that commit are left out, as the next child would find what they leave.

OUTPOST_MUTANTS names a file with the order: `touches` (a file, written if `numbers` is empty, else read) and `numbers`.
"""

import builtins
import gc
import json
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from django.db import connections

from benchmarks.mutants import DOORS, MOST_DOORS, ROOT, WALL_TESTS, Mutant, Touches, mutants

ORDER = json.loads(Path(os.environ["OUTPOST_MUTANTS"]).read_text())
KEPT = Path(ORDER["touches"])
IS_NOTING = not ORDER["numbers"]
SECONDS_A_MUTANT = 900
BROKEN = "the command itself failed:"
touched: set[str] = set()


# -- changing what stands in memory ------------------------------------------------------------------------------------


def put_in_place(path: str, source: bytes) -> None:
    """Let the functions of a file run the code of `source`, whose lines are where they were. It is loaded first."""
    import_module(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    name = str(ROOT / path)
    codes = {(code.co_qualname, code.co_firstlineno): code for code in _within(compile(source, name, "exec"))}
    for function in [each for each in gc.get_objects() if isinstance(each, FunctionType)]:
        if function.__code__.co_filename == name:
            code = codes[function.__code__.co_qualname, function.__code__.co_firstlineno]
            function.__code__ = code.replace(co_freevars=function.__code__.co_freevars)  # `super` gone, its cell stays


def _within(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _within(each)


def with_probes(path: str, found: list[Mutant]) -> bytes:
    """The source of a file in which each mutant's place says that it was touched."""
    source = (ROOT / path).read_bytes()
    marks = [(each.start, -each.end, f"(__touched__({each.key!r}) or (") for each in found]
    marks += [(each.end, 0, "))") for each in found]
    for place, _order, mark in sorted(marks, key=lambda mark: (mark[0], mark[2] != "))", mark[1]), reverse=True):
        source = source[:place] + mark.encode() + source[place:]
    return source


# -- which tests touch what --------------------------------------------------------------------------------------------


def pytest_collection_finish(session: pytest.Session) -> None:
    if not IS_NOTING:
        return
    builtins.__touched__ = touched.add  # type: ignore[attr-defined]
    every = mutants()
    for path in {each.path for each in every}:
        put_in_place(path, with_probes(path, [each for each in every if each.path == path]))


@contextmanager
def while_asking(name: str) -> Iterator[None]:
    """What is touched in here stands under `name`."""
    import_module("teams.stencil").forget()  # what is compiled once is touched by each
    touched.clear()
    begun = time.monotonic()
    yield
    _keep(name, time.monotonic() - begun)


def _keep(name: str, seconds: float) -> None:
    if IS_NOTING and touched:
        with KEPT.open("a") as file:
            file.write(json.dumps({"test": name, "seconds": round(seconds, 2), "touches": sorted(touched)}) + "\n")
    touched.clear()


def pytest_runtest_setup() -> None:
    import_module("teams.stencil").forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """A test that fails without any change cannot tell a mutant, and is not kept."""
    report = yield
    if call.when == "call" and report.passed:
        _keep(item.nodeid, call.duration)
    elif call.when == "teardown":
        touched.clear()
    return report


# -- who notices -------------------------------------------------------------------------------------------------------


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    if IS_NOTING:
        return None
    items = {item.nodeid: item for item in session.items if not _commits(item)}
    ground = items.pop(
        next(name for name in items if name.startswith("tests/teams/test_tree.py"))
    )  # run once, asked never
    touches, every = Touches.read(KEPT), dict(enumerate(mutants(), start=1))
    say = session.config.get_terminal_writer()
    if any(
        report.failed for report in runtestprotocol(ground, log=False, nextitem=next(iter(items.values())))
    ):  # makes the database, too
        raise pytest.UsageError(f"{ground.nodeid} fails without any change")
    noticed = {}
    for number in ORDER["numbers"]:
        begun = time.monotonic()
        noticed[number] = in_a_child(lambda number=number: try_out(every[number], touches, items, ground))
        say.write(
            "mutant " + json.dumps([number, noticed[number], round(time.monotonic() - begun, 1)]) + "\n", flush=True
        )
        if every[number].is_policy:
            _raise_walls(ground)  # as they are declared
    killers = list(dict.fromkeys(words.split(" ")[0] for words in noticed.values() if words and DOORS not in words))
    wrong = in_a_child(lambda: first_failure(killers, items, ground))
    if wrong:
        raise pytest.UsageError(f"A test that noticed fails without any change as well: {wrong}")
    return True


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", ())
    return (
        bool(marker and marker.kwargs.get("transaction")) or "transactional_db" in fixtures or "live_server" in fixtures
    )


def in_a_child(work: Any) -> str:
    """What `work` says, done in a fork of this process, which keeps nothing of it."""
    connections.close_all()  # a connection has one owner
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        words = BROKEN
        try:
            words = work()
        except BaseException as error:
            words = f"{BROKEN} {error!r}"
        finally:
            os.write(writer, words.encode()[:4000])
            os._exit(0)
    os.close(writer)
    heard = select.select([reader], [], [], SECONDS_A_MUTANT)[0]
    if not heard:
        os.kill(child, signal.SIGKILL)
    words = os.read(reader, 4000).decode(errors="replace") if heard else f"no end in {SECONDS_A_MUTANT} s"
    os.close(reader)
    os.waitpid(child, 0)
    if words.startswith(BROKEN):
        raise pytest.UsageError(words)
    return words


def first_failure(names: list[str], items: dict[str, pytest.Item], ground: pytest.Item) -> str:
    """The first of the tests that fails, and where; or nothing."""
    asked = [items[name] for name in names if name in items]
    for item, following in zip(asked, [*asked[1:], ground], strict=False):
        for report in runtestprotocol(item, log=False, nextitem=following):
            if report.failed:
                last = str(getattr(report.longrepr, "reprcrash", report.longrepr)).splitlines()
                return f"{item.nodeid} {last[0] if last else ''}"
    return ""


def try_out(mutant: Mutant, touches: Touches, items: dict[str, pytest.Item], ground: pytest.Item) -> str:
    """The first test that notices the change, or nothing. The quickest are asked first, the doors last."""
    put_in_place(mutant.path, mutant.changed())
    import_module("teams.stencil").forget()
    if mutant.is_policy:
        _raise_walls(ground)
        return first_failure([name for name in items if name.startswith(WALL_TESTS)], items, ground)
    doors = touches.doors.get(mutant.key, [])
    os.environ["OUTPOST_DOORS"] = ",".join(doors[:: -(-len(doors) // MOST_DOORS) or 1])
    walks = [f"{DOORS}::test_doors[{role}]" for role in dict.fromkeys(door.rpartition(" ")[0] for door in doors)]
    return first_failure(touches.tests.get(mutant.key, []) + walks, items, ground)


def _raise_walls(ground: pytest.Item) -> None:
    from pytest_django.plugin import blocking_manager_key

    from teams import walls

    with ground.config.stash[blocking_manager_key].unblock():
        walls.raise_all()
        connections.close_all()
