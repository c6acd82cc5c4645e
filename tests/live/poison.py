"""Two jobs for a worker of its own: one kills the process it runs in, the other leaves a row. For `test_poison`.

celery -A tests.live.poison worker           a worker that knows them
python -m tests.live.poison expect 100       the runs, one of poison among so many good ones, and an operator
python -m tests.live.poison ring             the bell, every third second, as beat would ring it
"""

import os
import signal
import sys
import time
from datetime import timedelta

import django

django.setup()

from django.utils import timezone  # noqa: E402

from config.celery import app  # noqa: E402
from teams import jobs, tasks  # noqa: E402
from teams.models import JobRun, Skill  # noqa: E402
from tests import make  # noqa: E402

__all__ = ["app"]
POISON, GOOD = "drill.poison", "drill.good"
jobs.LEASE = timedelta(seconds=2)  # a minute each time would only be waited for


def kill_oneself(run: JobRun) -> str:
    Skill.objects.create(code=f"poison-{run.attempt}", name="must not stay")
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable")


def leave_a_row(run: JobRun) -> str:
    Skill.objects.create(code=f"good-{run.period}-{run.attempt}", name="good")
    return "made"


jobs.register(POISON, kill_oneself)
jobs.register(GOOD, leave_a_row)


def expect(many: int) -> None:
    due = timezone.now() - timedelta(minutes=1)
    make.user("operator", is_staff=True, is_superuser=True, email="operator@example.org")
    for number in range(many):
        if number == many // 2:
            jobs.expect(POISON, period="poison", due_at=due + timedelta(milliseconds=number))
        jobs.expect(GOOD, period=str(number), due_at=due + timedelta(milliseconds=number))


if __name__ == "__main__":
    if sys.argv[1] == "expect":
        expect(int(sys.argv[2]))
    while sys.argv[1] == "ring":
        tasks.ring_due_jobs.delay()
        time.sleep(3)
