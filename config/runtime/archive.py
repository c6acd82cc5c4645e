"""The log of changes of the embedded database, segment by segment, into the archive and back. Standard library only.

PostgreSQL calls it: `archive.py keep FILE TARGET` after each segment, `archive.py fetch SOURCE FILE` in recovery. A segment
of two quiet minutes is 16 MB of almost nothing, so it is compressed. It stands in the archive whole and on the disk, or not at
all: written beside its name, synced, renamed. A repeated call for the same content is well; another content is refused.
"""

import contextlib
import gzip
import os
import shutil
import sys
from pathlib import Path

SUFFIX = ".gz"


def keep(source: Path, target: Path) -> None:
    """Put one file into the archive. Raises FileExistsError if the archive holds something else under its name."""
    place = target.with_name(target.name + SUFFIX)
    if place.exists():
        with gzip.open(place) as held:
            if held.read() == source.read_bytes():
                return
        raise FileExistsError(f"the archive holds another {target.name}: two databases must not share {target.parent}")
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = place.with_name(f"{place.name}.new")
    try:
        with draft.open("wb") as file:
            with (
                source.open("rb") as segment,
                gzip.GzipFile("", "wb", compresslevel=1, fileobj=file, mtime=0) as packed,
            ):
                shutil.copyfileobj(segment, packed, 1024 * 1024)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(place)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
    sync_folder(place.parent)


def fetch(source: Path, target: Path) -> None:
    """Unpack one file out of the archive. Raises FileNotFoundError where the archive ends."""
    draft = target.with_name(f"{target.name}.new")
    with gzip.open(source.with_name(source.name + SUFFIX)) as packed, draft.open("wb") as file:
        shutil.copyfileobj(packed, file, 1024 * 1024)
    draft.rename(target)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main() -> int:
    verb, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    try:
        (keep if verb == "keep" else fetch)(source, target)
    except FileNotFoundError:
        return 1  # while recovering this is the usual end of the archive, and no word is needed
    except (OSError, EOFError) as error:
        sys.stderr.write(f"archive {verb} {source.name}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
