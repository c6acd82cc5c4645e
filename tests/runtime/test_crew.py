"""The crew with small processes in place of servers: started again, stopped in order, not left behind."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from config.runtime import crew as crew_module
from config.runtime.crew import Crew, Part, clear_leftovers, read_record
from config.runtime.places import CHECKOUT, Unable
from config.runtime.processes import Patience, Progress, Stopped, birth, hold, spawn

HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


@pytest.fixture
def patience():
    before = {sign: signal.getsignal(sign) for sign in HANDLED}
    yield Patience()
    signal.set_wakeup_fd(-1)
    for sign, handler in before.items():
        signal.signal(sign, handler)


@pytest.fixture
def told():
    return io.StringIO()


@pytest.fixture
def crew(tmp_path, patience, told):
    crew = Crew(tmp_path / "run.json", patience, Progress(told), {"pid": os.getpid()})
    yield crew
    crew.stop()


def part(tmp_path, name, *command, **more):
    return Part(
        name=name,
        command=lambda: list(command),
        log=tmp_path / f"{name}.log",
        environment=os.environ,
        **more,
    )


def test_a_part_that_ends_is_started_again_and_the_record_says_so(tmp_path, crew, told):
    crew.start(part(tmp_path, "web", "sleep", "60"))
    first = read_record(tmp_path / "run.json")["parts"]["web"]
    assert birth(first["pid"]) == first["born"] > 0
    os.kill(first["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 5
    while crew.seats["web"].restarts == 0 and time.monotonic() < deadline:
        crew.look_after()
        time.sleep(0.05)
    second = read_record(tmp_path / "run.json")["parts"]["web"]
    assert second["pid"] != first["pid"]
    assert second["restarts"] == 1
    assert "was killed by signal 9" in told.getvalue()


def test_a_part_that_keeps_ending_waits_longer_each_time(tmp_path, crew):
    crew.start(part(tmp_path, "web", "false"))
    delays = []
    for _ in range(3):
        crew.seats["web"].process.wait()
        crew._put_off(crew.seats["web"])
        delays.append(crew.seats["web"].due - time.monotonic())
    assert delays == sorted(delays)
    assert delays[-1] > 3 * delays[0]


def test_a_server_that_does_not_start_is_quoted(tmp_path, crew):
    command = ("sh", "-c", "echo no room in here; exit 1")
    with pytest.raises(Unable, match="no room in here"):
        crew.start(part(tmp_path, "broker", *command, is_ready=lambda: False, patience_seconds=0.5))


def test_a_step_that_fails_is_quoted(tmp_path, crew):
    crew.begin(part(tmp_path, "preparation", "sh", "-c", "echo a column is missing; exit 3"))
    with pytest.raises(Unable, match="a column is missing"):
        crew.finish("preparation")


def test_stores_are_stopped_after_those_who_use_them(tmp_path, crew):
    order = tmp_path / "order"
    for name, is_store in (("database", True), ("web", False)):
        script = f"trap 'echo {name} >> {order}; exit 0' TERM; echo up; while :; do sleep 0.1; done"
        crew.start(part(tmp_path, name, "sh", "-c", script, is_store=is_store))
        _wait_for(lambda log=tmp_path / f"{name}.log": "up" in log.read_text())
    crew.stop()
    assert order.read_text().split() == ["web", "database"]
    assert not (tmp_path / "run.json").exists()


def test_a_part_that_does_not_listen_is_killed_in_time(tmp_path, crew):
    stops = ((0, signal.SIGTERM), (0.5, signal.SIGKILL))
    script = "trap '' TERM; echo up; while :; do sleep 0.1; done"
    crew.start(part(tmp_path, "worker", "sh", "-c", script, stops=stops))
    _wait_for(lambda: "up" in (tmp_path / "worker.log").read_text())
    began = time.monotonic()
    crew.stop()
    assert time.monotonic() - began < 3
    assert crew.seats["worker"].process.returncode == -signal.SIGKILL


def _wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_being_asked_to_stop_ends_any_pause(patience):
    os.kill(os.getpid(), signal.SIGTERM)
    began = time.monotonic()
    with pytest.raises(Stopped):
        patience.pause(10)
    assert time.monotonic() - began < 1


@pytest.mark.skipif(sys.platform != "linux", reason="the leash is the kernel's")
def test_a_child_does_not_outlive_a_parent_that_is_killed():
    code = (
        "from config.runtime.processes import spawn; import time; "
        "print(spawn(['sleep', '60'], log=None).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    assert birth(child)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 5
    while birth(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not birth(child)


def test_what_an_earlier_run_left_is_killed_before_the_next(tmp_path, patience, told, monkeypatch):
    monkeypatch.setattr(crew_module, "LEFTOVER_SECONDS", 0.3)
    left = spawn(["sleep", "60"], log=None)
    stranger = spawn(["sleep", "60"], log=None)
    try:
        parts = {
            "web": {"pid": left.pid, "born": birth(left.pid)},
            "beat": {"pid": stranger.pid, "born": birth(stranger.pid) - 1},  # a number that was used again
        }
        (tmp_path / "run.json").write_text(json.dumps({"parts": parts}))
        clear_leftovers(tmp_path / "run.json", patience, Progress(told))
        assert left.wait(timeout=5) == -signal.SIGKILL
        assert stranger.poll() is None
        assert "left of an earlier run: web" in told.getvalue()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_lock_is_held_by_one(tmp_path):
    first = hold(tmp_path / "lock")
    assert first is not None
    assert hold(tmp_path / "lock") is None
    os.close(first)
    again = hold(tmp_path / "lock")
    assert again is not None
    os.close(again)
