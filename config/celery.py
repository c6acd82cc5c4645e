"""The Celery application. The broker is only a bell: what has to be done stands in the job ledger (`teams.jobs`)."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, before_task_publish, worker_init
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("outpost")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

from config import tracing  # noqa: E402, F401 - its signals belong to every process that has this application

# What beat rings, and how often. `manage.py sync_timetable` brings it into the database, where the operator may edit it.
# Each entry only scans the ledger or sweeps what has lapsed: a ring too many or too few changes no result.
TIMETABLE: dict[str, dict[str, object]] = {
    "ring the due jobs": {"task": "teams.ring_due_jobs", "every_seconds": 60},
    "deliver the outbox": {"task": "teams.deliver_notices", "every_seconds": 60},
    "sweep lapsed grants": {"task": "teams.sweep_grants", "every_seconds": 3600},
    "sweep ended sessions and tries": {"task": "teams.sweep_entries", "every_seconds": 3600},
    "turn the day": {"task": "teams.turn_day", "every_seconds": 900},
    "ring the clocks of requests": {"task": "approvals.ring_clocks", "every_seconds": 60},
    "sweep the statuses of agents": {"task": "approvals.sweep_statuses", "every_seconds": 60},
    "mark lapsed blacklist entries": {"task": "approvals.lapse_blacklist", "every_seconds": 300},
    "withdraw unfinished deliveries": {"task": "performance.sweep_deliveries", "every_seconds": 86400},
    "make partitions ahead of time": {"task": "performance.make_partitions", "every_seconds": 21600},
}


@worker_init.connect
@beat_init.connect
def act_as_system(**details: Any) -> None:
    """Tasks and the timetable act in the system's scope; what a task does for a person it does under that person's filter."""
    from teams import acting

    acting.whole_process("the worker and the scheduler serve every team")


@before_task_publish.connect(sender="teams.ring_due_jobs")
def note_ring(**details: Any) -> None:
    """Whoever rings says so in the database, so that a bell nobody hears shows in /health/worker."""
    from teams import jobs

    jobs.note_ring(timezone.now())
