"""Verbs of the operator's care: what is known of backups, and the alarms when a copy is bad, late, or the disk runs full."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from teams.models import Backup, Notice, User

BAD_BACKUP, LITTLE_ROOM, LOG_BEHIND = "backup_bad", "disk_low", "archive_behind"
MOST_FINDINGS = 20


def finding(words: str, **values: Any) -> str:
    """One thing that is wrong with a backup, as it is kept: `words` are marked for translation where they are written."""
    return json.dumps({"words": words, "values": values})


def told(finding: str) -> str:
    """A kept finding in the reader's language; what a program said itself stays as it is."""
    try:
        kept = json.loads(finding)
        return gettext(kept["words"]) % kept["values"]
    except (ValueError, TypeError, KeyError):
        return finding


@transaction.atomic
def note_backup(name: str, *, place: str, made_at: datetime, size_bytes: int, rows: int) -> Backup:
    """Write a backup down, as not tried yet; again: what is known of it stays."""
    backup, _is_new = Backup.objects.select_for_update().get_or_create(
        name=name, defaults={"place": place, "made_at": made_at, "size_bytes": size_bytes, "rows": rows}
    )
    return backup


@transaction.atomic
def note_drill(name: str, findings: list[str], *, now: datetime) -> Backup:
    """Write down what the restore of a backup showed; a bad one alarms every operator."""
    backup = Backup.objects.select_for_update().get(name=name)
    backup.state = Backup.State.BAD if findings else Backup.State.GOOD
    backup.finding, backup.checked_at = "\n".join(findings[:MOST_FINDINGS]), now
    backup.save(update_fields=["state", "finding", "checked_at"])
    if findings:
        alarm(BAD_BACKUP, about=name, key=f"{name}:{now:%Y-%m-%d}", details={"findings": findings[:MOST_FINDINGS]})
    return backup


@transaction.atomic
def note_removed(names: list[str]) -> int:
    """The files of these are gone; how many were still written down as being there."""
    return Backup.objects.filter(name__in=names).exclude(state=Backup.State.REMOVED).update(state=Backup.State.REMOVED)


@transaction.atomic
def alarm(kind: str, *, about: str, key: str, details: Mapping[str, Any]) -> int:
    """Tell every operator through the outbox, once for each `key`; returns how many operators there are."""
    operators = list(User.objects.filter(is_superuser=True, is_active=True).order_by("pk"))
    Notice.objects.bulk_create(
        [
            Notice(kind=kind, recipient=who, about=about[:80], key=f"{kind}:{key}:{who.pk}", details=dict(details))
            for who in operators
        ],
        ignore_conflicts=True,
    )
    return len(operators)
