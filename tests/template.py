"""A migrated database that the test database of each worker is copied from: made once for as long as the code is the same.

The first worker that finds none migrates as ever and leaves a copy before its first test; whoever else starts meanwhile waits.
"""

import fcntl
import hashlib
import os
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import ProgrammingError, connection
from django.db.utils import OperationalError

PREFIX = "template_outpost_"
UNREAD = {"tests", "benchmarks", "docs", "node_modules"}  # folders whose files no migration can depend on


@cache
def name() -> str:
    """The name of the database for the code as it stands."""
    seen = hashlib.sha256()
    for folder in sorted(settings.BASE_DIR.iterdir()):
        if folder.is_dir() and folder.name not in UNREAD and not folder.name.startswith("."):
            for file in sorted(folder.rglob("*.py" if folder.name != "requirements" else "*.txt")):
                seen.update(str(file.relative_to(settings.BASE_DIR)).encode() + file.read_bytes())
    return f"{PREFIX}{seen.hexdigest()[:16]}"


def lock() -> IO[bytes]:
    """Held until it is closed, or this process ends: one at a time looks for the database or makes it."""
    file = (Path(tempfile.gettempdir()) / f"outpost-template-{os.getuid()}.lock").open("wb")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def stands() -> bool:
    """Whether it is there; if so, the test database of this process will be copied from it."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name()])
        if cursor.fetchone() is None:
            return False
    connection.settings_dict["TEST"]["TEMPLATE"] = name()
    return True


def keep() -> None:
    """Leave a copy of this process's test database, fresh from its migrations, and drop those of other states of the code."""
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
        for (other,) in cursor.fetchall():
            with suppress(ProgrammingError, OperationalError):  # somebody else's, or just being copied
                cursor.execute(f'DROP DATABASE IF EXISTS "{other}"')
        cursor.execute(f'CREATE DATABASE "{name()}" TEMPLATE "{connection.settings_dict["NAME"]}"')
