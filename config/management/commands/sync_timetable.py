"""`manage.py sync_timetable`: bring beat's timetable into the database without undoing what the operator has set there."""

import json
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from config.celery import TIMETABLE

OURS = "Outpost's own timetable: "  # begins the description; what follows is what we last wrote, to tell an edit by


class Command(BaseCommand):
    help = "Create missing timetable entries, update those the operator has not edited, remove ours that have gone."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        made = changed = kept = 0
        for name, entry in TIMETABLE.items():
            row = PeriodicTask.objects.select_for_update(of=("self",)).filter(name=name).first()
            if row is None:
                _write(PeriodicTask(name=name), entry)
                made += 1
            elif row.description != _written(row):
                kept += 1
            elif row.description != _wish(entry):
                _write(row, entry)
                changed += 1
        gone, _ = PeriodicTask.objects.filter(description__startswith=OURS).exclude(name__in=TIMETABLE).delete()
        if made or changed or gone:
            PeriodicTasks.update_changed()
        self.stdout.write(f"Timetable: {made} new, {changed} updated, {kept} as the operator set them, {gone} removed.")


def _write(row: PeriodicTask, entry: dict[str, Any]) -> None:
    row.interval, _ = IntervalSchedule.objects.get_or_create(
        every=entry["every_seconds"], period=IntervalSchedule.SECONDS
    )
    row.task, row.description = entry["task"], _wish(entry)
    row.crontab = row.solar = row.clocked = None
    row.save()


def _wish(entry: dict[str, Any]) -> str:
    return OURS + json.dumps({"task": entry["task"], "every_seconds": entry["every_seconds"]}, sort_keys=True)


def _written(row: PeriodicTask) -> str:
    """What our description would say of the row as it stands; differs from the description once somebody edited it."""
    if row.interval is None or row.interval.period != IntervalSchedule.SECONDS or not row.enabled:
        return ""
    return _wish({"task": row.task, "every_seconds": row.interval.every})
