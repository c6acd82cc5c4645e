"""`manage.py`: an old Python, and a machine without a database, get sentences."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from config.runtime.places import CHECKOUT

OLD_PYTHONS = sorted(
    found
    for pattern in ("2.7*", "3.[6-9].*", "3.10.*")
    for found in Path.home().glob(f".pyenv/versions/{pattern}/bin/python")
)


def manage(*arguments, python=sys.executable, **environment):
    """Run manage.py as a person would, in an environment that is given and a home of its own."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name not in {"OUTPOST_TESTING", "DATABASE_URL", "CELERY_BROKER_URL"}
    }
    return subprocess.run(
        [python, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=inherited | {"OUTPOST_ENVIRONMENT": "given"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("python", OLD_PYTHONS, ids=lambda path: path.parts[-3])
def test_an_old_python_is_told_what_is_needed(python):
    done = manage("run", python=str(python))
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_old_python_is_told_even_if_none_is_at_hand():
    code = (
        "import runpy, sys; sys.version_info = (3, 9, 2, 'final', 0); sys.argv = ['manage.py', 'test']; "
        f"runpy.run_path({str(CHECKOUT / 'manage.py')!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "this is Python 3.9" in done.stderr
    assert "python3.11 manage.py test" in done.stderr


def test_the_first_second_needs_nothing_but_the_standard_library():
    """Not even `config/__init__.py` may import a package: it is read before there are any."""
    code = "import sys; sys.path.insert(0, '.'); import config.runtime.entry, config.runtime.supervisor"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code + ", config.runtime.suite"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""


def test_help_for_run_names_its_settings_before_anything_is_installed():
    done = subprocess.run(
        [sys.executable, "-S", "manage.py", "run", "--help"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in ("OUTPOST_PORT", "OUTPOST_HOME", "DATABASE_URL", "CELERY_BROKER_URL", "OUTPOST_DEMO"):
        assert name in done.stdout


def test_a_command_that_needs_the_database_says_how_to_start_it(own_home):
    done = manage("showmigrations")
    assert done.returncode == 1
    assert "The embedded database is not running" in done.stderr
    assert "python3 manage.py run" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("check",), ("makemigrations", "--check", "--dry-run")])
def test_commands_that_need_no_database_do_without_it(own_home, command):
    done = manage(*command)
    assert done.returncode == 0, done.stderr
    assert "not running" not in done.stderr


def test_a_given_environment_without_packages_says_so():
    bare = shutil.which("python3", path="/usr/bin")
    if bare is None or subprocess.run([bare, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]).returncode:
        pytest.skip("no bare Python of a usable version on this machine")
    done = manage("check", python=bare)
    if done.returncode == 0:
        pytest.skip("the system's Python has Django")
    assert "has no Django" in done.stderr
