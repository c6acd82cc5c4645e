"""Doors for Celery: beat only rings, the list of what is due stands in the database."""

from celery import shared_task
from django.utils import timezone

from approvals.services import absences, blacklist, clocks, statuses


@shared_task(name="approvals.ring_clocks")
def ring_clocks() -> None:
    """Remind, escalate and expire what is due."""
    now = timezone.now()
    clocks.sweep(now)
    absences.tell_ended(now)


@shared_task(name="approvals.sweep_statuses")
def sweep_statuses() -> None:
    """Tell whose break is over, serve the queues, end the lines of those who are not employed any more."""
    statuses.sweep(timezone.now())


@shared_task(name="approvals.lapse_blacklist")
def lapse_blacklist() -> None:
    """Say of entries whose time is over that it is (they match nobody from that moment on anyway), and whose review is due."""
    now = timezone.now()
    blacklist.lapse(now)
    blacklist.tell_reviews(now)
