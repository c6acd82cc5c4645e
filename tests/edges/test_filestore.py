"""Uploads live in the database: any process has them, whatever its own disk holds, and nothing is left behind."""

import io
import os
import time

import pytest
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.urls import reverse

from performance.models import Contact, ImportRun
from performance.services import intake
from teams import jobs
from teams.edges.filestore import PART_BYTES, LocalCopy
from teams.models import JobRun, StoredFile, StoredPart
from tests import make
from tests.performance.intake.build import HEADER, SIMPLE


@pytest.fixture(autouse=True)
def own_disk(tmp_path, settings):
    settings.FILE_COPIES = tmp_path / "here"


@pytest.mark.parametrize("size", [0, 1, PART_BYTES - 1, PART_BYTES, 2 * PART_BYTES + 7])
def test_what_is_read_is_what_was_written(db, size):
    content = os.urandom(size)
    name = default_storage.save("a/file", File(io.BytesIO(content), "file"))
    with default_storage.open(name) as file:
        assert file.read() == content
    assert default_storage.size(name) == size
    assert StoredPart.objects.count() == -(-size // PART_BYTES)
    default_storage.delete(name)
    assert not default_storage.exists(name)
    assert not StoredPart.objects.exists()
    with pytest.raises(FileNotFoundError):
        default_storage.open(name)


def test_a_part_at_a_time_is_held(db, django_assert_num_queries):
    name = default_storage.save("long", ContentFile(b"x" * (3 * PART_BYTES)))
    with default_storage.open(name) as file, django_assert_num_queries(1):
        assert file.read(10) == b"x" * 10


def test_a_rollback_takes_the_file_along(db):
    with transaction.atomic():
        default_storage.save("doubtful", ContentFile(b"x"))
        transaction.set_rollback(True)
    assert not StoredFile.objects.exists()


def test_the_copy_goes_with_whoever_held_it_and_with_the_killed_after_a_day(db, hub, settings):
    run = _upload(hub, 3)
    copy = LocalCopy(run.file)
    place = copy.path
    assert place.read_bytes().startswith(HEADER.encode())
    left = place.parent / "left-by-a-killed-process"
    left.write_bytes(b"x")
    os.utime(left, (time.time() - 90000,) * 2)
    del copy
    assert not place.exists()
    again = LocalCopy(run.file)
    assert [each for each in settings.FILE_COPIES.iterdir() if each.name in {left.name, again.path.name}] == [
        again.path
    ]


def test_a_delivery_uploaded_on_one_machine_is_worked_on_another(hub, settings, tmp_path, monkeypatch):
    monkeypatch.setattr(intake, "AT_ONCE", 2)
    run = _upload(hub, 5)
    intake.map_columns(run.pk, SIMPLE, by=hub.operator)
    assert intake.take_in(run.pk, by=hub.operator).state == ImportRun.State.WAITING
    settings.FILE_COPIES = tmp_path / "there"  # a disk that has never seen the file
    assert jobs.work(JobRun.objects.get(job=intake.JOB).pk)
    run = ImportRun.objects.get()
    assert (run.state, Contact.objects.count(), run.file.name) == (ImportRun.State.DONE, 5, "")
    assert not StoredFile.objects.exists()
    assert list((tmp_path / "there").iterdir()) == list((tmp_path / "here").iterdir()) == []


def test_the_file_is_kept_while_the_delivery_is_open_and_sent_back_as_it_came(hub, client):
    run = _upload(hub, 2)
    client.force_login(hub.operator)
    answer = client.get(reverse("intake_file", args=[run.pk]))
    body = b"".join(answer.streaming_content)
    assert body.startswith(HEADER.encode())
    assert int(answer["Content-Length"]) == len(body)
    intake.withdraw(run.pk, by=hub.operator)
    assert not StoredFile.objects.exists()


def _upload(hub, rows: int) -> ImportRun:
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions('2026-01-01', '2026-12-31')")
    text = "".join(f"{n},2026-03-10T10:{n:02d}:00Z,,,,60,yes,5\n" for n in range(rows))
    file = ContentFile(f"{HEADER}\n{text}".encode(), name="calls.csv")
    return intake.receive(make.source(hub.team).pk, file, layout="contacts", by=hub.operator)
