"""Doors for Celery."""

from celery import shared_task
from django.utils import timezone

from performance import partitions
from performance.services import intake


@shared_task(name="performance.make_partitions")
def make_partitions() -> None:
    """Months of the fact tables, ahead of time. Making what is there changes nothing."""
    partitions.ensure_ahead(timezone.now().date())


@shared_task(name="performance.sweep_deliveries")
def sweep_deliveries() -> None:
    """Withdraw deliveries that nobody has finished in a month, with their files."""
    intake.sweep()
