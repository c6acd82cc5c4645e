"""`manage.py test`: the whole suite beside servers of its own, which start before it and end with it."""

import os
import signal
import subprocess
import sys
import time

from config.runtime.crew import Crew
from config.runtime.places import Unable, make_home
from config.runtime.processes import Patience, Progress, Stopped, hold, spawn
from config.runtime.stores import start_stores

LEAVING_SECONDS = 8.0


def run(arguments: list[str], progress: Progress) -> int:
    """Run pytest with `arguments` and return its exit code."""
    place = make_home() / "test"
    (place / "logs").mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = hold(place / "outpost.lock")
    if lock is None:
        raise Unable(f"A test run is already at work in {place}. Wait for its end, or set another OUTPOST_HOME.")
    os.environ["OUTPOST_TESTING"] = "1"
    patience = Patience()
    crew = Crew(place / "run.json", patience, progress, {"pid": os.getpid(), "state": "testing"})
    try:
        start_stores(crew, patience, progress, place, "test")
        return _run_pytest(arguments, patience)
    except Stopped:
        return 128 + signal.SIGINT
    finally:
        crew.stop()
        os.close(lock)


def _run_pytest(arguments: list[str], patience: Patience) -> int:
    """pytest keeps the terminal, so that a debugger works in it and Ctrl-C reaches it without us.

    The whole suite is shared by two workers; as soon as anything is asked for, it is asked of pytest alone.
    """
    at_once = [] if arguments or (os.cpu_count() or 1) < 2 else ["-n", "2"]
    command = [sys.executable, "-m", "pytest", "-p", "config.runtime.testing", *at_once, *arguments]
    pytest = spawn(command, log=None, environment=os.environ | {"PYTHONUTF8": "1"}, own_session=False)
    try:
        while pytest.poll() is None:
            patience.pause(1.0)
        return pytest.returncode if pytest.returncode >= 0 else 128 - pytest.returncode
    finally:
        _see_off(pytest, patience)


def _see_off(pytest: subprocess.Popen[bytes], patience: Patience) -> None:
    """After Ctrl-C pytest is tidying up already; asked by others it has to be told. Then it has seconds."""
    deadline = time.monotonic() + LEAVING_SECONDS
    tell_at = time.monotonic() + 1.0
    while pytest.poll() is None:
        if time.monotonic() > deadline:
            pytest.kill()
        elif time.monotonic() > tell_at:
            pytest.send_signal(signal.SIGINT)
            tell_at = deadline
        patience.rest(0.1)
