"""Who did it and why: every change of a row with consequences is saved through here, in the transaction of the change."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db import models
from django.db.models import F
from django.utils import timezone
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from teams.acting import system_scope
from teams.clock import local_day
from teams.models import AccessRecord, Agent, User


def save_with_history(row: models.Model, *fields: str, by: User | None, reason: str = "") -> None:
    """Save `row` (only `fields`, or all of it) and, in the same save, who changed it and why. `by` None: the system."""
    row._history_user = by  # type: ignore[attr-defined]
    row._change_reason = reason[:100]  # type: ignore[attr-defined]
    row.save(update_fields=fields or None)


@system_scope("the last version of a row that is gone is nobody's")
def delete_with_history(row: models.Model, *, by: User | None, reason: str = "") -> None:
    """Delete `row`, leaving its last version with who deleted it and why."""
    row._history_user = by  # type: ignore[attr-defined]
    row._change_reason = reason[:100]  # type: ignore[attr-defined]
    row.delete()


def create_many(model: type[models.Model], rows: Sequence[Any], *, by: User | None, reason: str = "") -> list[Any]:
    """Insert many rows with their history."""
    return bulk_create_with_history(
        list(rows), model, batch_size=1000, default_user=by, default_change_reason=reason[:100]
    )


def update_many(model: type[models.Model], rows: Sequence[Any], *fields: str, by: User | None, reason: str = "") -> int:
    """Update `fields` of many rows with their history."""
    return bulk_update_with_history(
        list(rows), model, list(fields), batch_size=1000, default_user=by, default_change_reason=reason[:100]
    )


@system_scope("who looked may not write the record of it otherwise")
def record_look(agent: Agent, viewer: User, door: AccessRecord.Door, on: date | None = None) -> None:
    """Note that `viewer` saw figures of `agent` through `door`, on the date of where the viewer sits.

    One's own looks are not noted; of a look as somebody else, the one who really looked.
    """
    viewer = getattr(viewer, "seen_by", viewer)
    if agent.user_id == viewer.pk:
        return
    now = timezone.now()
    on = on or local_day(now, viewer.zone)
    AccessRecord.objects.bulk_create(
        [AccessRecord(agent=agent, viewer=viewer, door=door, seen_on=on, times=0, last_at=now)],
        ignore_conflicts=True,
    )
    AccessRecord.objects.filter(agent=agent, viewer=viewer, door=door, seen_on=on).update(
        times=F("times") + 1, last_at=now
    )
