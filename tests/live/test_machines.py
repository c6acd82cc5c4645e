"""Several machines: two beats at once have one effect, and a further machine needs two addresses and the secret only.

A machine is a home of its own. The servers are those of the usual local ports; who has none is told.
"""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from tests.live import ground as grounds
from tests.live.kills import Home, a_home, against_count, feed
from tests.runtime.outpost import copy_home, wait

pytestmark = pytest.mark.drill

SERVER = "postgresql://{user}@127.0.0.1:5432/{name}"
BROKERS = {"rabbitmq": "amqp://guest:guest@127.0.0.1:5672//", "redis": "redis://127.0.0.1:6379/5"}
PORTS = {"rabbitmq": 5672, "redis": 6379}
DELIVERED_SECONDS = 60


@pytest.fixture
def small_ground() -> grounds.Ground:
    return grounds.make(5, datetime.now(UTC).date(), many=10, file_contacts=6000)


def test_two_beats_at_once_have_one_effect(made_home, tmp_path, small_ground):
    with a_home(copy_home(made_home, tmp_path / "one")) as home:
        home.outpost.start().wait_until_ready()
        home.organise()
        sockets = home.outpost.record()["sockets"]
        addresses = {
            "DATABASE_URL": f"postgresql://app@/app?host={sockets}",
            "CELERY_BROKER_URL": f"redis+socket://{sockets}/vk",
        }
        with a_home(tmp_path / "two", **addresses) as second:
            second.outpost.start("beat").wait_until_ready()
            feed(home, small_ground, small_ground.write_file(tmp_path / "drill.csv"))
            home.wait_until_quiet()
            assert "ring the due jobs" in (second.outpost.home / "logs" / "beat.log").read_text()
            _deliver_all(home)
        assert against_count(home, grounds.counted(small_ground)) == []
        assert home.ask("SELECT job, subject, period FROM teams_jobrun WHERE attempt > 1 OR state = 'parked'") == []
        told = home.ask(
            "SELECT n.recipient_id, listed, count(*) FROM teams_notice n "
            "CROSS JOIN jsonb_array_elements_text(n.details -> 'reports') listed GROUP BY 1, 2 HAVING count(*) > 1"
        )
        assert told == []
        assert _mails(home) == sorted(home.ask("SELECT message_id::text FROM teams_notice WHERE state = 'sent'"))


@pytest.mark.parametrize("broker", BROKERS)
def test_a_further_machine_needs_two_addresses_and_the_secret(tmp_path, small_ground, migrated, broker):
    """Web on one machine, the worker on a second, beat on a third; each has its own disk."""
    _must_answer(PORTS[broker])
    with ExitStack() as stack:
        name = _a_database(stack, broker, migrated)
        addresses = {
            "DATABASE_URL": SERVER.format(user="outpost_live", name=name),
            "CELERY_BROKER_URL": BROKERS[broker],
        }
        web, worker, beat = (
            stack.enter_context(a_home(tmp_path / part, **addresses)) for part in ("web", "worker", "beat")
        )
        web.organise()
        for home, part in ((web, "web"), (worker, "worker"), (beat, "beat")):
            home.outpost.start(part).wait_until_ready()
        feed(web, small_ground, small_ground.write_file(tmp_path / "drill.csv"))
        web.wait_until_quiet()
        assert against_count(web, grounds.counted(small_ground)) == []
        assert web.ask("SELECT count(*) FROM teams_jobrun WHERE job = 'performance.take_in' AND state = 'done'") == [
            (1,)
        ]
        assert web.ask("SELECT count(*) FROM teams_storedfile") == [(0,)]
        assert "teams.work_one" in (worker.outpost.home / "logs" / "worker.log").read_text()
        assert web.outpost.ask("/health/worker") == 200


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """A database of an ordinary role on the server, with its tables and timetable: the template of each test's own."""
    _must_answer(5432)
    with ExitStack() as stack:
        name = _a_database(stack, "migrated", "template0")
        with a_home(
            tmp_path_factory.mktemp("migrated") / "home",
            DATABASE_URL=SERVER.format(user="outpost_live", name=name),
            CELERY_BROKER_URL=BROKERS["redis"],
        ) as home:
            for command in ("migrate", "sync_timetable"):
                subprocess.run(
                    [sys.executable, "manage.py", command], cwd=home.outpost.checkout, env=home.outpost.environment(),
                    check=True, capture_output=True,
                )  # fmt: skip
        yield name


def _must_answer(port: int) -> None:
    with socket.socket() as trial:
        if trial.connect_ex(("127.0.0.1", port)):
            pytest.skip(f"no server answers on port {port}")


def _a_database(stack: ExitStack, purpose: str, template: str) -> str:
    """A database of an ordinary role, made like `template` and dropped at the end."""
    name = f"outpost_live_{os.getpid()}_{purpose}"
    link = stack.enter_context(psycopg.connect(SERVER.format(user="postgres", name="postgres"), autocommit=True))
    if not link.execute("SELECT FROM pg_roles WHERE rolname = 'outpost_live'").rowcount:
        link.execute("CREATE ROLE outpost_live LOGIN NOSUPERUSER NOBYPASSRLS")
    link.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    link.execute(f"CREATE DATABASE {name} OWNER outpost_live TEMPLATE {template} ENCODING 'UTF8'")
    stack.callback(link.execute, f"DROP DATABASE {name} WITH (FORCE)")
    return name


def _deliver_all(home: Home) -> None:
    """Make every notice due and wait until each has left."""
    with home.outpost.connect() as link:
        link.execute("UPDATE teams_notice SET due_at = now() WHERE state = 'waiting'")
        waiting = "SELECT count(*) FROM teams_notice WHERE state = 'waiting'"
        wait(lambda: link.execute(waiting).fetchone() == (0,), DELIVERED_SECONDS, "notices left")


def _mails(home: Home) -> list[tuple[str]]:
    """The message ids of all mail, each as often as it was sent."""
    found = []
    for place in Path(home.outpost.home, "mail").iterdir():
        for line in place.read_text().splitlines():
            if line.startswith("Message-ID: <"):
                found.append((line.removeprefix("Message-ID: <").partition("@")[0],))
    return sorted(found)
