"""Doors for Celery. Beat only rings; ids travel, never data; whatever comes twice changes nothing the second time."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from teams import jobs, outbox, services
from teams.entry import services as entry

RUNS_PER_RING = 500
CALL_SECONDS = 60


@shared_task(name="teams.ring_due_jobs")
def ring_due_jobs() -> None:
    """Note that a worker hears, insert what is missing in the ledger, and call somebody for each due run."""
    now = timezone.now()
    jobs.note_answer(now)
    jobs.scan(now)
    for pk in jobs.due(now, RUNS_PER_RING):
        # A call nobody has heard in time is dropped: the next ring calls again, and calls do not pile up before slow workers.
        transaction.on_commit(lambda pk=pk: work_one.apply_async((pk,), expires=CALL_SECONDS))  # type: ignore[misc]


@shared_task(name="teams.work_one")
def work_one(run_pk: int) -> None:
    jobs.work(run_pk)


@shared_task(name="teams.deliver_notices")
def deliver_notices() -> None:
    outbox.deliver_due()


@shared_task(name="teams.sweep_grants")
def sweep_grants() -> None:
    """End grants whose time is over. They have opened nothing since; this only tidies and records."""
    services.sweep_grants()


@shared_task(name="teams.sweep_entries")
def sweep_entries() -> None:
    """Remove sessions, tokens and tries that are over. They have opened and locked nothing since; this only tidies."""
    entry.sweep(timezone.now())


@shared_task(name="teams.turn_day")
def turn_day() -> None:
    """Bring the columns of today (home team, zone, tree) up to the dated rows that have begun or ended."""
    services.turn_day(timezone.now())
