"""The collected static files: gathered at the start, and only if something they come from has changed."""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from config.runtime.places import CHECKOUT


def _sources() -> Iterator[Path]:
    for folder in (CHECKOUT / "static", *CHECKOUT.glob("*/static")):
        yield from sorted(folder.rglob("*"))
    yield CHECKOUT / "requirements" / "run.txt"
    yield CHECKOUT / "config" / "settings.py"


def fingerprint(collected: Path) -> str:
    """One line that differs when a source has changed or a collected file is missing."""
    digest = hashlib.sha256(sys.prefix.encode())
    for source in _sources():
        if source.is_file():
            facts = source.stat()
            digest.update(f"{source}\0{facts.st_size}\0{facts.st_mtime_ns}\n".encode())
    count = sum(len(files) for _, _, files in os.walk(collected))
    return f"{digest.hexdigest()} {count}\n"


def are_current(collected: Path, stamp: Path) -> bool:
    """Whether what was collected is what would be collected now."""
    return stamp.exists() and stamp.read_text() == fingerprint(collected)
