"""The archive is whole or not there; what is cleared away is old and not the last good one."""

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.runtime import archive, backups, restore
from config.runtime.backups import Note
from config.runtime.places import Unable

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def made(place: Path, days_ago: int, life: str = "log-1", first: str = "") -> backups.Backup:
    moment = NOW - timedelta(days=days_ago)
    draft = backups.new_draft(place, moment, backups.BASE)
    (draft / backups.BASE_FILE).write_bytes(b"x")
    note = Note(backups.BASE, moment.isoformat(), 18, "app", {"public.t": (1, 2)}, [["teams", "0001"]], life, first)
    return backups.finish(draft, note)


def names(place: Path) -> list[str]:
    return [backup.folder.name for backup in backups.found(place)]


def test_a_segment_is_kept_once_and_comes_back_as_it_was(tmp_path):
    segment = tmp_path / "000000010000000000000001"
    segment.write_bytes(b"log" * 100_000)
    target = tmp_path / "archive" / segment.name
    archive.keep(segment, target)
    archive.keep(segment, target)  # PostgreSQL may call again for what it has handed over
    assert [place.name for place in target.parent.iterdir()] == [f"{segment.name}.gz"]
    archive.fetch(target, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == segment.read_bytes()
    segment.write_bytes(b"another")
    with pytest.raises(FileExistsError, match="two databases must not share"):
        archive.keep(segment, target)
    with pytest.raises(FileNotFoundError):
        archive.fetch(tmp_path / "archive" / "missing", tmp_path / "nothing")


def test_no_half_segment_stays_where_there_is_no_room(tmp_path, monkeypatch):
    segment = tmp_path / "000000010000000000000001"
    segment.write_bytes(b"log")

    def no_room(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive.os, "fsync", no_room)
    with pytest.raises(OSError, match="No space"):
        archive.keep(segment, tmp_path / "archive" / segment.name)
    assert list((tmp_path / "archive").iterdir()) == []


def test_a_place_with_a_percent_sign_is_no_placeholder(tmp_path):
    command = backups.archive_command(tmp_path / "100%f")
    assert command.endswith(f'keep "%p" "{tmp_path}/100%%f/%f"')


def test_a_backup_is_read_as_it_was_noted_and_a_draft_is_none(tmp_path):
    backup = made(tmp_path, 1)
    assert backups.read(backup.folder) == backup
    draft = backups.new_draft(tmp_path, NOW, backups.BASE)
    assert names(tmp_path) == [backup.folder.name]
    with pytest.raises(Unable, match="holds no backup"):
        backups.read(draft)
    (backup.folder / backups.NOTE).write_text("{")
    with pytest.raises(Unable, match="cannot be read"):
        backups.read(backup.folder)
    assert names(tmp_path) == []


def test_the_one_before_the_moment_is_chosen(tmp_path):
    old, _new = made(tmp_path, 3), made(tmp_path, 1)
    assert backups.choose(tmp_path, NOW - timedelta(days=2)) == old
    assert backups.choose(old.folder, None) == old
    with pytest.raises(Unable, match="after the moment asked for"):
        backups.choose(old.folder, NOW - timedelta(days=9))
    with pytest.raises(Unable, match="holds no backup from before"):
        backups.choose(tmp_path, NOW - timedelta(days=9))


def test_old_backups_go_the_last_good_and_the_newest_stay_and_logs_follow(tmp_path):
    segments = [f"0000000100000000000000{number:02X}" for number in (1, 5, 9)]
    good = made(tmp_path, 30, first=segments[1])
    made(tmp_path, 20, first=segments[2])
    newest = made(tmp_path, 10, first=segments[2])
    log = tmp_path / "log-1"
    log.mkdir()
    for segment in segments:
        (log / f"{segment}.gz").write_bytes(gzip.compress(b"x"))
    gone = backups.clear_old(tmp_path, 7, NOW, [good.folder.name])
    assert len(gone) == 1
    assert names(tmp_path) == [good.folder.name, newest.folder.name]
    assert sorted(place.name for place in log.iterdir()) == [f"{segment}.gz" for segment in segments[1:]]


@pytest.mark.parametrize(
    ("asked", "said"), [("yesterday", "is no moment"), ("2026-11-25T10:00:00", "names no time zone")]
)
def test_a_moment_that_cannot_be_meant_is_refused(asked, said):
    with pytest.raises(Unable, match=said):
        restore.read_wish(["--from", "/x", "--at", asked])


def test_a_used_home_is_refused_and_keeps_what_it_holds(own_home, tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    made(tmp_path / "backups", 1)
    own_home.mkdir()
    (own_home / "secret_key").write_text("keep")
    with pytest.raises(Unable, match="A restore replaces nothing"):
        restore.run(restore.read_wish(["--from", str(tmp_path / "backups")]), None)
    assert (own_home / "secret_key").read_text() == "keep"
