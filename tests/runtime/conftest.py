"""A home for each test that needs one of its own, and a running Outpost for those that need any."""

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from config.runtime import places
from tests.runtime.outpost import BACK_SECONDS, Outpost, copy_home, free_port, wait


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    """A home of the test's own, whose socket directories go with it."""
    monkeypatch.setenv("OUTPOST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    sockets = [places.socket_dir("run"), places.socket_dir("test")]
    yield tmp_path / "home"
    for place in sockets:
        with contextlib.suppress(OSError):
            place.rmdir()


@pytest.fixture
def launch(tmp_path):
    """Make supervisors that are gone, with their sockets, when the test is over."""
    made = []

    def make(home: Path = tmp_path / "home", **settings) -> Outpost:
        made.append(Outpost(home, **settings))
        return made[-1]

    yield make
    for outpost in made:
        clear_away(outpost)


def clear_away(outpost: Outpost) -> None:
    if outpost.is_running():
        outpost.kill()
    wait(lambda: not outpost.alive(), 15, "processes left")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OUTPOST_HOME", str(outpost.home))
        for purpose in ("run", "test"):
            shutil.rmtree(places.socket_dir(purpose), ignore_errors=True)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory):
    """A home that has been started once and stopped: with its database and static files, and nothing in it.

    All workers of a parallel run share it. Whoever needs it first makes it, while the others wait.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with (shared / "made.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "made").exists():
            first = Outpost(Path(tempfile.mkdtemp(dir=shared)) / "home").start()
            first.wait_until_ready()
            code, _seconds, said = first.stop()
            assert code == 0, said
            clear_away(first)
            first.home.rename(shared / "made")
    return shared / "made"


@pytest.fixture
def home(made_home, tmp_path):
    """A home of the test's own, in which a start has nothing left to make."""
    return copy_home(made_home, tmp_path / "home")


@pytest.fixture(scope="session")
def kept(made_home, tmp_path_factory):
    """The Outpost behind `outpost`."""
    one = Outpost(copy_home(made_home, tmp_path_factory.mktemp("kept") / "home"))
    yield one
    clear_away(one)


@pytest.fixture
def outpost(kept):
    """A running Outpost, left over from the test before if that left it whole, else started again in the same home.

    So a test may stop or kill it, and what it counts it compares with what was there.
    """
    if kept.is_running():
        with contextlib.suppress(AssertionError):
            wait(kept.is_whole, BACK_SECONDS, "not whole")
            return kept
        kept.kill()
    kept.port = free_port()
    kept.start().wait_until_ready()
    return kept
