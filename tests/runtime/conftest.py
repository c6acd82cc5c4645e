"""A home for each test that needs one."""

import contextlib
import shutil
import subprocess
from pathlib import Path

import pytest

from config.runtime import places
from tests.runtime.outpost import Outpost, wait


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
def launch(tmp_path, monkeypatch):
    """Make supervisors that are gone, with their sockets, when the test is over."""
    made = []

    def make(home: Path = tmp_path / "home", **settings) -> Outpost:
        made.append(Outpost(home, **settings))
        return made[-1]

    yield make
    for outpost in made:
        if outpost.process is not None and outpost.process.poll() is None:
            outpost.kill()
        wait(lambda outpost=outpost: not outpost.alive(), 15, "processes left")
        monkeypatch.setenv("OUTPOST_HOME", str(outpost.home))
        for purpose in ("run", "test"):
            shutil.rmtree(places.socket_dir(purpose), ignore_errors=True)


@pytest.fixture(scope="session")
def made_home(tmp_path_factory):
    """A home that has been started once and stopped: with its database, and nothing in it."""
    first = Outpost(tmp_path_factory.mktemp("made") / "home").start()
    first.wait_until_ready()
    code, _seconds, said = first.stop()
    assert code == 0, said
    return first.home


@pytest.fixture
def home(made_home, tmp_path):
    """A home of the test's own, in which a start has nothing left to make."""
    subprocess.run(["cp", "--archive", str(made_home), str(tmp_path / "home")], check=True)  # owners and all
    return tmp_path / "home"


@pytest.fixture
def outpost(launch, home):
    running = launch(home).start()
    running.wait_until_ready()
    return running
