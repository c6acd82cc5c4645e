"""The environment's markers: when it is whole, when it is mended, and when it is made anew."""

import fcntl
import io
import re
from pathlib import Path

import pytest

from config.runtime import environment
from config.runtime.environment import Environment
from config.runtime.places import CHECKOUT, Unable
from config.runtime.processes import Progress


@pytest.fixture
def progress():
    return Progress(io.StringIO())


@pytest.fixture
def lock_files(tmp_path):
    folder = tmp_path / "requirements"
    folder.mkdir()
    (folder / "run.txt").write_text("django==5.2.19 \\\n    --hash=sha256:1\n")
    (folder / "test.txt").write_text("django==5.2.19 \\\n    --hash=sha256:1\npytest==9 \\\n    --hash=sha256:2\n")
    return folder


@pytest.fixture
def installs(monkeypatch):
    """Every installation that was asked for, with the installer and the interpreter only imitated."""
    asked = []

    def follow(self, command, log, packages, progress):
        asked.append((Path(command[command.index("--requirement") + 1]).name, packages))
        return True

    monkeypatch.setattr(Environment, "_follow", follow)
    monkeypatch.setattr(environment.shutil, "which", lambda name: None)
    monkeypatch.setattr(Environment, "_make_interpreter", lambda self, *_: _imitate_interpreter(self.folder))
    return asked


def _imitate_interpreter(folder):
    (folder / "bin").mkdir(parents=True, exist_ok=True)
    python = folder / "bin" / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    (folder / "pyvenv.cfg").write_text(f"version = {environment._version()}.7\n")


def make(tmp_path, lock_files, wanted="run"):
    return Environment(tmp_path / "venv", lock_files, wanted)


def test_a_complete_environment_is_left_alone(tmp_path, lock_files, installs, progress):
    make(tmp_path, lock_files).ensure(progress)
    make(tmp_path, lock_files).ensure(progress)
    assert installs == [("run.txt", 1)]


def test_the_test_set_extends_the_environment_and_vouches_for_the_running_set(tmp_path, lock_files, installs, progress):
    make(tmp_path, lock_files, "run").ensure(progress)
    make(tmp_path, lock_files, "test").ensure(progress)
    make(tmp_path, lock_files, "run").ensure(progress)
    assert installs == [("run.txt", 1), ("test.txt", 2)]


def test_a_changed_lock_is_installed_into_what_is_there(tmp_path, lock_files, installs, progress):
    make(tmp_path, lock_files).ensure(progress)
    (tmp_path / "venv" / "kept").touch()
    (lock_files / "run.txt").write_text("django==5.2.20 \\\n    --hash=sha256:3\n")
    assert not make(tmp_path, lock_files).is_complete()
    make(tmp_path, lock_files).ensure(progress)
    assert len(installs) == 2
    assert (tmp_path / "venv" / "kept").exists()


@pytest.mark.parametrize("harm", ["interrupted", "interpreter removed", "another version"])
def test_what_cannot_be_trusted_is_made_anew(tmp_path, lock_files, installs, progress, harm):
    here = make(tmp_path, lock_files)
    here.ensure(progress)
    (here.folder / "half-written").mkdir()
    if harm == "interrupted":
        here.unfinished.touch()
    elif harm == "interpreter removed":
        here.python.unlink()
    else:
        (here.folder / "pyvenv.cfg").write_text("version = 3.10.1\n")
    assert not here.is_complete()
    here.ensure(progress)
    assert here.is_complete()
    assert len(installs) == 2
    assert not (here.folder / "half-written").exists()


def test_an_installation_that_fails_leaves_no_marker_and_says_what_to_do(
    tmp_path, lock_files, installs, progress, monkeypatch
):
    monkeypatch.setattr(Environment, "_follow", lambda *_: False)
    here = make(tmp_path, lock_files)
    with pytest.raises(Unable, match="could not be installed"):
        here.ensure(progress)
    assert here.unfinished.exists()
    assert not here.is_complete()


def test_an_environment_in_use_is_not_emptied(tmp_path, lock_files, installs, progress):
    here = make(tmp_path, lock_files)
    here.ensure(progress)
    here.unfinished.touch()
    with (here.folder / "outpost.in-use").open("w") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_SH)
        with pytest.raises(Unable, match="Stop it there"):
            make(tmp_path, lock_files).ensure(progress)


def test_a_python_without_venv_is_told_which_package_to_install(tmp_path, lock_files, installs, progress, monkeypatch):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(Unable, match="apt install python3-venv"):
        make(tmp_path, lock_files).ensure(progress)


def test_the_test_lock_pins_all_that_the_running_lock_pins():
    def pins(name):
        return set(re.findall(r"^[a-z0-9._-]+==\S+", (CHECKOUT / "requirements" / name).read_text(), re.M))

    assert pins("run.txt")
    assert pins("run.txt") <= pins("test.txt")


def test_no_file_of_the_requirements_names_a_package_index():
    for lock_file in (CHECKOUT / "requirements").iterdir():
        assert "://" not in lock_file.read_text(), lock_file
