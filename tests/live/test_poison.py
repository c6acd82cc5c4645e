"""A job that kills its process is given up after three tries, with an alarm; the good ones beside it are done, once each."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.runtime.outpost import Outpost, wait

pytestmark = pytest.mark.live

GOOD_JOBS = 100
LIMIT_SECONDS = 400  # for crowded machines; a quiet one needs a tenth


@contextmanager
def beside(outpost: Outpost, name: str, *arguments: str) -> Iterator[None]:
    """A process of the home's own, gone with the test."""
    with (outpost.home / "logs" / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=outpost.checkout, stdout=log, stderr=subprocess.STDOUT,
            env=outpost.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        )  # fmt: skip
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def test_a_poison_job_is_parked_and_a_hundred_good_ones_are_done_once(launch, home):
    outpost = launch(home).start("database")
    outpost.wait_until_ready()
    worker = (
        "celery",
        "-A",
        "tests.live.poison",
        "worker",
        "--concurrency",
        "2",
        "--without-gossip",
        "--without-mingle",
    )
    module = "tests.live.poison"
    done = subprocess.run(
        [sys.executable, "-m", module, "expect", str(GOOD_JOBS)], cwd=outpost.checkout, check=False,
        env=outpost.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr

    with beside(outpost, "worker", *worker), beside(outpost, "bell", module, "ring"), outpost.connect() as link:

        def are_over() -> bool:
            open_runs = link.execute(
                "SELECT count(*) FROM teams_jobrun WHERE job LIKE 'drill.%' AND finished_at IS NULL"
            )
            return open_runs.fetchone() == (0,)

        wait(are_over, LIMIT_SECONDS, (outpost.home / "logs" / "worker.log").read_text()[-2000:] or "not over")
        runs = link.execute(
            "SELECT job, state, attempt, count(*) FROM teams_jobrun WHERE job LIKE 'drill.%' GROUP BY 1, 2, 3"
        )
        assert sorted(runs.fetchall()) == [("drill.good", "done", 1, GOOD_JOBS), ("drill.poison", "parked", 3, 1)]
        rows = link.execute(
            "SELECT name, count(*), count(DISTINCT split_part(code, '-', 2)) FROM teams_skill GROUP BY 1"
        )
        assert rows.fetchall() == [("good", GOOD_JOBS, GOOD_JOBS)]
        told = link.execute(
            "SELECT u.username, n.details ->> 'job' FROM teams_notice n JOIN teams_user u ON u.id = n.recipient_id "
            "WHERE n.kind = 'job_parked'"
        )
        assert told.fetchall() == [("operator", "drill.poison")]
    died = (outpost.home / "logs" / "worker.log").read_text().count("signal 9 (SIGKILL)")
    assert died >= 3, "it was to be tried three times, in a process of the pool each time"
