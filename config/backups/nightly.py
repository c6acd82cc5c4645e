"""The jobs of the ledger that keep the data safe: a backup with its drill each night, a look at disk and archive each hour."""

import shutil
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from config.backups import drill, making
from config.runtime import backups
from config.runtime.backups import Backup
from config.runtime.places import Unable
from teams.jobs import Expectation
from teams.models import Backup as Written
from teams.models import JobRun
from teams.services import safekeeping

BACK_UP, WATCH = "config.back_up", "config.watch_room"
FULL_SHARE = 0.85
LOG_AFTER = timedelta(minutes=5)  # the archive may be this far behind: so much is lost at most


def expected_backups(now: datetime) -> Iterable[Expectation]:
    """One for each day whose hour has come, for the embedded database only, from its first night on. Missed nights are made
    up by the newest alone: yesterday's backup cannot be made today."""
    if not settings.IS_EMBEDDED:
        return
    due = now.replace(hour=settings.BACKUP_HOUR, minute=0, second=0, microsecond=0)
    due -= timedelta(days=1) if due > now else timedelta()
    if MigrationRecorder.Migration.objects.filter(applied__lt=due).exists():
        yield Expectation("", due.date().isoformat(), due, None)


def expected_watches(now: datetime) -> Iterable[Expectation]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    yield Expectation("", hour.isoformat(timespec="hours"), hour, None)


def back_up(run: JobRun) -> str:
    """Make a backup, restore it, and write down what that showed. A bad one is an answer, not a failure: trying it again
    would show the same, and its alarm must stand."""
    if not settings.IS_EMBEDDED:
        return ""
    place, now = backups.default_place(), timezone.now()
    try:
        made = making.make(place, now)
    except Unable as refusal:
        safekeeping.alarm(
            safekeeping.BAD_BACKUP, about=run.period, key=f"not made:{run.period}", details={"findings": [str(refusal)]}
        )
        return "not made"
    is_good = try_out(made, now)
    clear_away(place, now)
    return f"{made.folder.name} {'good' if is_good else 'bad'}"


def try_out(made: Backup, now: datetime) -> bool:
    """Write the backup down, restore it in the drill, write down the result. True if it is good."""
    name = made.folder.name
    safekeeping.note_backup(
        name,
        place=str(made.folder),
        made_at=made.note.moment,
        size_bytes=made.size_bytes,
        rows=sum(least for least, _most in made.note.tables.values()),
    )
    findings = drill.examine(made, last_good(made.folder.parent, name))
    safekeeping.note_drill(name, findings, now=now)
    return not findings


def last_good(place: Path, but: str = "") -> Backup | None:
    """The newest backup that is still there and whose restore has passed."""
    good = Written.objects.filter(state=Written.State.GOOD).exclude(name=but).values_list("name", flat=True)
    names = set(good)
    return next((backup for backup in reversed(backups.found(place)) if backup.folder.name in names), None)


def clear_away(place: Path, now: datetime) -> list[str]:
    """Remove what is older than OUTPOST_BACKUP_DAYS; the last good one stays, however old it is."""
    good = last_good(place)
    gone = backups.clear_old(place, settings.BACKUP_DAYS, now, [good.folder.name] if good else [])
    safekeeping.note_removed(gone)
    return gone


def watch_room(run: JobRun) -> str:
    """Alarm the operators, once a day, when a disk is 85 % full or the log is not archived."""
    now = timezone.now()
    for name, place in (("data", Path(settings.OUTPOST_HOME)), ("backups", backups.default_place())):
        if place.exists() and (share := full_share(place)) >= FULL_SHARE:
            safekeeping.alarm(
                safekeeping.LITTLE_ROOM,
                about=name,
                key=f"{name}:{now:%Y-%m-%d}",
                details={"place": str(place), "percent": round(share * 100)},
            )
    if settings.IS_EMBEDDED and (minutes := minutes_behind()) is not None:
        safekeeping.alarm(safekeeping.LOG_BEHIND, about="archive", key=f"{now:%Y-%m-%d}", details={"minutes": minutes})
    return ""


def full_share(place: Path) -> float:
    """How full the disk below `place` is, 0 to 1, for an ordinary user."""
    space = shutil.disk_usage(place)
    return space.used / (space.used + space.free)


def minutes_behind() -> int | None:
    """For how many minutes the archive has refused the log; None while it takes it, or where none is kept."""
    with psycopg.connect(making.address(), autocommit=True) as link:
        told = link.execute(
            "SELECT extract(epoch FROM now() - coalesce(last_archived_time, stats_reset)) / 60 FROM pg_stat_archiver "
            "WHERE current_setting('archive_mode') <> 'off' AND last_failed_time > coalesce(last_archived_time, stats_reset) "
            "AND now() - coalesce(last_archived_time, stats_reset) > %s",
            [LOG_AFTER],
        ).fetchone()
    return int(told[0]) if told else None


def findings_of(name: str) -> list[str]:
    """What is wrong with a backup, in the language of whoever asks."""
    return [safekeeping.told(line) for line in Written.objects.get(name=name).finding.splitlines()]
