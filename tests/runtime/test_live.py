"""The real thing: a running Outpost looked at, its parts killed, and homes of many kinds. Minutes long: `-m live` asks for it.

Nothing is downloaded: the interpreter that runs the tests is given as the environment.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config.runtime import postgres
from config.runtime.places import CHECKOUT, NOBODY
from config.runtime.processes import birth
from tests.runtime.outpost import (
    BACK_SECONDS,
    NOT_FOR_CHILDREN,
    STOP_SECONDS,
    Outpost,
    count_rows,
    family,
    wait,
    write_rows,
)

pytestmark = pytest.mark.live


def test_a_deaf_worker_is_started_again(outpost):
    """The supervisor asks /health/worker; a worker that is stopped in its tracks hears no bell. It is first, being long."""
    assert outpost.ask("/health/worker") in (200, 503)  # 503 until the first bell is heard
    before = outpost.pid("worker")
    for pid in family(before):
        os.kill(pid, signal.SIGSTOP)
    wait(lambda: outpost.pid("worker") != before, 300, "the worker was not started again")


@pytest.mark.parametrize("part", ["web", "worker", "beat", "broker", "database"])
def test_a_killed_part_is_back_and_every_row_is_kept(outpost, part):
    write_rows(outpost, 20)
    before, restarts = outpost.pid(part), outpost.record()["parts"][part]["restarts"]
    children = set(family(before)) - {before}
    os.kill(before, signal.SIGKILL)
    wait(lambda: outpost.pid(part) != before, BACK_SECONDS, "not started again")
    wait(lambda: outpost.ask("/health/ready") == 200, BACK_SECONDS, "not ready again")
    wait(lambda: not any(birth(pid) for pid in children), STOP_SECONDS, "children left")
    assert count_rows(outpost) == 20
    assert outpost.record()["parts"][part]["restarts"] == restarts + 1


def test_a_second_start_is_refused_with_a_sentence(outpost):
    second = Outpost(outpost.home).start()
    try:
        said, _ = second.process.communicate(timeout=30)
    finally:
        second.process.kill()
    assert second.process.returncode == 1
    assert f"already running from {outpost.home}" in said
    assert f"http://127.0.0.1:{outpost.port}" in said
    assert outpost.ask("/health/ready") == 200


def test_a_taken_port_is_refused_before_anything_starts(launch):
    refused = launch()
    with socket.socket() as other:
        other.bind(("127.0.0.1", refused.port))
        other.listen()
        said, _ = refused.start().process.communicate(timeout=30)
    assert refused.process.returncode == 1
    assert f"Port {refused.port} on 127.0.0.1 is taken" in said
    assert not (refused.home / "postgres").exists()


def test_two_homes_run_beside_each_other(outpost, launch, home):
    other = launch(home).start()
    other.wait_until_ready()
    assert outpost.ask("/health/ready") == 200


def test_only_the_web_port_is_open_and_on_loopback_only(outpost):
    inodes = set()
    for pid in family(outpost.process.pid):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                inodes.add(os.readlink(descriptor).removeprefix("socket:[").removesuffix("]"))
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.add(fields[1])
    assert listening == {f"0100007F:{outpost.port:04X}"}


def test_a_c_locale_still_finds_trigrams_in_chinese(launch):
    plain = launch(LANG="C", LC_ALL="C").start("database")
    plain.wait_until_ready()
    with plain.connect() as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        assert connection.execute("SELECT show_trgm('坐席排班')").fetchone()[0]


def test_the_role_of_the_application_is_no_superuser(outpost):
    with outpost.connect() as connection:
        rights = "SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(rights).fetchone() == (False, False, True)
        assert connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_stat_statements'").fetchone()


def test_beat_is_alone_in_its_home(outpost):
    beats = [pid for pid in family(outpost.process.pid) if b"\0beat\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert beats == [outpost.pid("beat")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become nobody")
def test_root_without_namespaces_still_has_a_database(launch, tmp_path):
    """As in a container of the usual profile: `unshare` refuses, and the server really runs as nobody."""
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (programs / "unshare").chmod(0o755)
    tmp_path.chmod(0o700)
    stores = launch(PATH=f"{programs}:{os.environ['PATH']}").start("database")
    stores.wait_until_ready()
    assert Path(f"/proc/{stores.pid('database')}").stat().st_uid == NOBODY
    stores.kill()
    wait(lambda: not stores.alive(), STOP_SECONDS, "processes left")
    stores.settings.pop("PATH")  # and back to a namespace, with the same data
    stores.start("database")
    stores.wait_until_ready()
    write_rows(stores, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_an_ordinary_user_runs_a_fresh_clone(launch, tmp_path):
    become = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    trial = [
        *become,
        "sh",
        "-c",
        f"'{sys.executable}' -c 'import django'",
    ]  # the shell has lost root's rights already
    if subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip(f"an ordinary user may not run {sys.executable}")
    place = Path("/var/tmp") / f"outpost-{os.getpid()}"  # noqa: S108 - where that user may walk
    subprocess.run(["git", "clone", "--quiet", CHECKOUT, place / "clone"], check=True)
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", place], check=True)
    try:
        user = launch(place / "home", prefix=become, checkout=place / "clone", HOME=str(place), LANG="C").start()
        user.wait_until_ready()
        code, seconds, said = user.stop()
        assert code == 0, said
        assert seconds < STOP_SECONDS
        assert not user.alive()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def test_the_suite_runs_beside_a_running_outpost(outpost):
    inherited = {name: value for name, value in os.environ.items() if name not in NOT_FOR_CHILDREN}
    done = subprocess.run(
        [sys.executable, "manage.py", "test", "tests/runtime/test_places.py"],
        cwd=CHECKOUT,
        env=inherited | {"OUTPOST_ENVIRONMENT": "given", "OUTPOST_HOME": str(outpost.home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert outpost.ask("/health/ready") == 200


def test_data_of_an_older_major_version_moves_by_the_command_that_is_printed(launch, tmp_path):
    old = Path("/usr/lib/postgresql/15/bin")
    if not (old / "postgres").exists() or postgres.major(postgres.binaries()) == 15:
        pytest.skip("needs the programs of an older version beside the installed ones")
    stores = launch(OUTPOST_POSTGRES=str(old)).start("database")
    stores.wait_until_ready()
    with stores.connect() as connection:
        connection.execute("CREATE FUNCTION kept() RETURNS text LANGUAGE sql RETURN '排班'")
    stores.stop()
    stores.settings.pop("OUTPOST_POSTGRES")
    said, _ = stores.start("database").process.communicate(timeout=30)
    assert stores.process.returncode == 1
    command = said.strip().splitlines()[-1]
    moved = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert moved.returncode == 0, moved.stdout + moved.stderr
    stores.start("database")
    stores.wait_until_ready()
    with stores.connect() as connection:
        assert connection.execute("SELECT kept()").fetchone() == ("排班",)
