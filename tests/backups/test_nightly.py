"""The jobs that keep the data safe: when they are due, what they write down, whom they alarm, in which words."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone, translation

from config.backups import counts, drill, letters, making, nightly
from config.runtime import backups
from config.runtime.backups import Note
from config.runtime.places import Unable
from teams import recovery
from teams.models import Backup, JobRun, Notice
from teams.outbox import deliver_due
from teams.services import safekeeping
from tests import make

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


@pytest.fixture
def operator(db):
    return make.user("operator", is_superuser=True, is_staff=True, email="op@example.org", language="zh-hans")


@pytest.fixture
def place(tmp_path, monkeypatch, settings):
    settings.IS_EMBEDDED = True
    monkeypatch.setenv("OUTPOST_BACKUPS", str(tmp_path / "backups"))
    return tmp_path / "backups"


@pytest.fixture
def copies(monkeypatch):
    """Copies without PostgreSQL's part: the files are made up, and the drill finds what the test says."""
    findings: list[str] = []

    def make_one(place: Path, now: datetime) -> backups.Backup:
        draft = backups.new_draft(place, now, backups.BASE)
        (draft / backups.BASE_FILE).write_bytes(b"x")
        return backups.finish(draft, Note(backups.BASE, now.isoformat(), 18, "app", {"public.t": (3, 4)}))

    monkeypatch.setattr(making, "make", make_one)
    monkeypatch.setattr(drill, "examine", lambda backup, last_good: list(findings))
    return findings


def run() -> JobRun:
    return JobRun(job=nightly.BACK_UP, period="2026-11-25")


def test_a_backup_is_due_each_night_and_only_the_newest_one_is_made_up(db, settings):
    settings.IS_EMBEDDED, settings.BACKUP_HOUR = True, 1
    MigrationRecorder.Migration.objects.update(applied=NOW - timedelta(days=9))
    assert [wish.period for wish in nightly.expected_backups(NOW)] == ["2026-11-25"]
    assert [wish.period for wish in nightly.expected_backups(NOW.replace(hour=0))] == ["2026-11-24"]
    MigrationRecorder.Migration.objects.update(applied=NOW - timedelta(hours=1))
    assert list(nightly.expected_backups(NOW)) == [], "what did not exist at that hour has nothing to be backed up"
    settings.IS_EMBEDDED = False
    assert list(nightly.expected_backups(NOW + timedelta(days=3))) == []


def test_a_bad_backup_is_written_down_alarms_in_the_operators_words_and_the_good_one_stays(
    operator, place, copies, mailoutbox
):
    assert nightly.back_up(run()).endswith("good")
    (good,) = backups.found(place)
    copies.append("teams_agent has 0 rows, the database had 12")
    (good.folder / backups.NOTE).write_text(
        (good.folder / backups.NOTE).read_text().replace(good.note.made_at, "2020-01-01T00:00:00+00:00")
    )
    assert nightly.back_up(run()).endswith("bad")
    assert sorted(Backup.objects.values_list("state", flat=True)) == ["bad", "good"]
    assert good.folder.exists(), "older than any limit, and the last good one"
    assert nightly.last_good(place).folder == good.folder
    assert list(Notice.objects.values_list("kind", "recipient")) == [(safekeeping.BAD_BACKUP, operator.pk)]
    deliver_due()
    (mail,) = mailoutbox
    assert "备份失败" in mail.subject and "teams_agent has 0 rows" in mail.body and good.folder.name in mail.body


def test_a_backup_that_cannot_be_made_alarms_and_is_no_crash(operator, place, monkeypatch):
    def refuse(place: Path, now: datetime) -> backups.Backup:
        raise Unable("Only 3 MB are free")

    monkeypatch.setattr(making, "make", refuse)
    assert nightly.back_up(run()) == "not made"
    assert Notice.objects.get().details == {"findings": ["Only 3 MB are free"]}


def test_a_disk_at_85_percent_is_told_once_a_day_and_below_nothing(
    operator, place, monkeypatch, tmp_path, settings, mailoutbox
):
    settings.OUTPOST_HOME = tmp_path
    monkeypatch.setattr(nightly, "minutes_behind", lambda: None)
    monkeypatch.setattr(nightly, "full_share", lambda place: 0.849)
    nightly.watch_room(run())
    assert not Notice.objects.exists()
    monkeypatch.setattr(nightly, "full_share", lambda place: 0.85)
    nightly.watch_room(run())
    nightly.watch_room(run())
    assert list(Notice.objects.values_list("kind", "about")) == [(safekeeping.LITTLE_ROOM, "data")]
    deliver_due()
    assert "85" in mailoutbox[0].subject and "磁盘" in mailoutbox[0].subject


def test_a_log_that_is_not_kept_is_told(operator, place, monkeypatch, settings, tmp_path):
    settings.OUTPOST_HOME = tmp_path
    monkeypatch.setattr(nightly, "full_share", lambda place: 0.1)
    monkeypatch.setattr(nightly, "minutes_behind", lambda: 7)
    nightly.watch_room(run())
    notice = Notice.objects.get()
    assert (notice.kind, notice.details) == (safekeeping.LOG_BEHIND, {"minutes": 7})
    assert "7" in letters.log_behind(notice).subject
    operator.is_superuser = False
    operator.save()
    notice.refresh_from_db()
    assert letters.log_behind(notice) is None


def test_what_people_do_meanwhile_is_within_the_span_and_no_more():
    before = counts.Count({"a": 10, "b": 5, "c": 7}, {"a": 10, "c": 7}, {"c": 0})
    after = counts.Count({"a": 12, "b": 5, "c": 6}, {"a": 13, "c": 8}, {"c": 2, "a": 1})
    assert before.until(after) == {"a": (9, 15), "b": (5, 5), "c": (4, 8)}


def test_a_verb_after_a_restore_is_called_and_its_failure_stops_it(monkeypatch):
    monkeypatch.setattr(recovery, "_verbs", {})
    recovery.register("erase again", lambda: 3)
    assert recovery.after_restore() == ["erase again: 3"]
    recovery.register("erase again", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        recovery.after_restore()


def test_the_operator_reads_age_size_and_result(client, operator):
    Backup.objects.create(
        name="2026-11-25-010000-base", place="/backups", made_at=timezone.now() - timedelta(hours=5),
        size_bytes=5 * 2**20, rows=532, state=Backup.State.BAD,
        finding=safekeeping.finding("the table %(table)s is missing", table="teams_agent") + "\npg_restore: out of space",
    )  # fmt: skip
    client.force_login(operator)
    page = client.get("/admin/teams/backup/").content.decode()
    said = ("2026-11-25-010000-base", "5.0", "532", "the table teams_agent is missing", "pg_restore: out of space")
    assert all(words in page for words in said)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "zh-hans"
    with translation.override(None):  # the request leaves its language behind
        assert "缺少数据表 teams_agent" in client.get("/admin/teams/backup/").content.decode()
