"""Figures of the running suite for a monitor: each app names its own in `AppConfig.ready()`, and `/metrics` reads them.

A gauge answers with one or two cheap queries and says nothing about people: its labels come from a fixed set of words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count, Min

from teams import jobs
from teams.models import Heartbeat, NoticeDelivery

Reading = float | Mapping[str, float] | None


@dataclass(frozen=True)
class Gauge:
    """`read` returns the value, or a value for each word of `label`, or None while there is nothing to tell."""

    name: str
    help: str
    read: Callable[[datetime], Reading]
    label: str = ""


_gauges: dict[str, Gauge] = {}


def register(name: str, help: str, read: Callable[[datetime], Reading], label: str = "") -> None:
    """Make a gauge known. `name` begins with `outpost_` and ends in its unit."""
    _gauges[name] = Gauge(name, help, read, label)


def registered() -> list[Gauge]:
    return list(_gauges.values())


def age(moment: datetime | None, now: datetime) -> float | None:
    """Seconds since `moment`, never negative."""
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def runs(now: datetime) -> Reading:
    behind = jobs.backlog(now)
    return {"overdue": behind.overdue, "parked": behind.parked}


def oldest_run(now: datetime) -> Reading:
    return age(jobs.backlog(now).oldest_due_at, now) or 0.0


def unsent(now: datetime) -> Reading:
    """Deliveries that are waiting or were given up."""
    found = NoticeDelivery.objects.filter(state__in=("waiting", "parked")).values_list("state").annotate(Count("pk"))
    return {"waiting": 0, "parked": 0} | dict(found)


def oldest_unsent(now: datetime) -> Reading:
    return age(NoticeDelivery.objects.unsent().aggregate(oldest=Min("created_at"))["oldest"], now) or 0.0


def worker_heard(now: datetime) -> Reading:
    return 1.0 if jobs.ears(now) == "ok" else 0.0


def last_answer(now: datetime) -> Reading:
    beat = Heartbeat.objects.filter(name=jobs.BELL).first()
    return age(beat.answered_at if beat else None, now)


def connections(now: datetime) -> Reading:
    """Connections to our database by what they are doing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1"
        )
        return {state: float(count) for state, count in cursor.fetchall()}


def most_connections(now: datetime) -> Reading:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('max_connections')::int")
        return float(cursor.fetchone()[0])


def register_own() -> None:
    """What this app has to tell: ledger, outbox, the worker's ear, connections."""
    register("outpost_job_runs", "Runs of the job ledger that are overdue or given up.", runs, "state")
    register("outpost_job_oldest_overdue_seconds", "Age of the oldest overdue run.", oldest_run)
    register("outpost_notice_deliveries", "Deliveries of notices that wait or were given up.", unsent, "state")
    register("outpost_notice_oldest_due_seconds", "Age of the oldest delivery that is due.", oldest_unsent)
    register("outpost_worker_heard", "1 while a worker answers the bell of beat, else 0.", worker_heard)
    register("outpost_worker_answered_seconds", "Seconds since a worker last answered the bell.", last_answer)
    register("outpost_database_connections", "Connections to the database by state.", connections, "state")
    register("outpost_database_connections_limit", "Connections that PostgreSQL allows.", most_connections)
