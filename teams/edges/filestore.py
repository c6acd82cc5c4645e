"""Uploads live in PostgreSQL, so that whichever machine works on a file has it: no shared disk, one backup.

A file is one StoredFile and its parts of at most 1 MiB, written and read part by part. It belongs to the transaction that
saves or deletes it: a rollback, and a process killed half-way, take it along. It has no address: whoever may read it comes
through a view that asks who wants it. `LocalCopy` is for code that needs a path.
"""

import io
import tempfile
import time
import weakref
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils.deconstruct import deconstructible

from teams.acting import system_scope
from teams.models import StoredFile, StoredPart

PART_BYTES = 1 << 20
LEFT_BEHIND_SECONDS = 86400  # no work on a copy lasts a day: what is older was left by a killed process
BY_ITS_ROW = system_scope("a file belongs to the row that names it; whoever holds that row was asked before")


@deconstructible
class StoredFiles(Storage):
    """Django's storage interface over StoredFile and StoredPart."""

    def _open(self, name: str, mode: str = "rb") -> File:
        if mode != "rb":
            raise ValueError("a stored file is only read; save it anew to change it")
        return File(io.BufferedReader(_Parts(self._row(name)), PART_BYTES), name)

    @transaction.atomic
    @BY_ITS_ROW
    def _save(self, name: str, content: File) -> str:
        row = StoredFile.objects.create(name=name)
        for number, chunk in enumerate(content.chunks(PART_BYTES)):
            StoredPart.objects.create(file=row, number=number, content=chunk)
            row.size += len(chunk)
        row.save(update_fields=["size"])
        return name

    @BY_ITS_ROW
    def delete(self, name: str) -> None:
        StoredFile.objects.filter(name=name).delete()

    @BY_ITS_ROW
    def exists(self, name: str) -> bool:
        return StoredFile.objects.filter(name=name).exists()

    def size(self, name: str) -> int:
        return self._row(name).size

    def get_created_time(self, name: str) -> datetime:
        return self._row(name).created_at

    get_modified_time = get_created_time

    @BY_ITS_ROW
    def _row(self, name: str) -> StoredFile:
        row = StoredFile.objects.filter(name=name).first()
        if row is None:
            raise FileNotFoundError(name)
        return row


class _Parts(io.RawIOBase):
    """The bytes of a stored file in order; holds one part at a time."""

    def __init__(self, row: StoredFile) -> None:
        self._row, self._number, self._left = row, 0, memoryview(b"")

    def readable(self) -> bool:
        return True

    @BY_ITS_ROW
    def readinto(self, buffer: Any) -> int:
        if not self._left:
            part = StoredPart.objects.filter(file=self._row, number=self._number).values_list("content", flat=True)
            self._left, self._number = memoryview(part.first() or b""), self._number + 1
        room = memoryview(buffer).cast("B")
        count = min(len(room), len(self._left))
        room[:count], self._left = self._left[:count], self._left[count:]
        return count


class LocalCopy:
    """A file on this machine at `path`, for as long as this object is held, and gone after that."""

    def __init__(self, file: FieldFile) -> None:
        place = Path(settings.FILE_COPIES)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(place)
        with tempfile.NamedTemporaryFile(dir=place, delete=False) as copy:
            self.path = Path(copy.name)
            weakref.finalize(self, self.path.unlink, missing_ok=True)
            with file.storage.open(str(file.name)) as stored:
                for chunk in stored.chunks(PART_BYTES):
                    copy.write(chunk)


def _clear(place: Path) -> None:
    for left in place.iterdir():
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_BEHIND_SECONDS:
                left.unlink()
