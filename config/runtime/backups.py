"""Backups as folders: made, told apart, unpacked, checked byte by byte, and cleared away when they are old.

A backup folder is named for its moment and holds either `base.tar.gz` (the files of the embedded cluster, with the log that
makes them whole) or `database.dump` (what `pg_dump` writes, for servers), and `backup.json`, written last: a folder without it
is a draft. Beside the backups lie the archives of the log, one for each life of a database (a restored one begins another), and
`secret_key`, mode 0600. All of it is closed to other users.
"""

import gzip
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from config.runtime import archive, postgres
from config.runtime.places import CHECKOUT, Unable, home

NOTE = "backup.json"
BASE, DUMP = "base", "dump"
BASE_FILE, LOG_FILE, DUMP_FILE = "base.tar.gz", "pg_wal.tar.gz", "database.dump"
LIFE = "archive_life"
_SEGMENT = re.compile(r"^([0-9A-F]{8})([0-9A-F]{16})(\.[0-9A-F]{8}\.backup)?\.gz$")


@dataclass(frozen=True)
class Note:
    """What is known of a backup: its kind, moment and origin, and what it must hold.

    `tables` gives for each table the fewest and the most rows that its copy may have: while a base backup is made, people
    go on working. Those of a dump are equal, as it is made from the very snapshot that was counted.
    """

    kind: str
    made_at: str
    major: int
    database: str
    tables: dict[str, tuple[int, int]]
    migrations: list[list[str]] = field(default_factory=list)
    life: str = ""
    first_segment: str = ""
    release: str = ""

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.made_at)


@dataclass(frozen=True)
class Backup:
    """One finished backup on the disk."""

    folder: Path
    note: Note

    @property
    def size_bytes(self) -> int:
        return sum(place.stat().st_size for place in self.folder.iterdir() if place.is_file())


def default_place() -> Path:
    """The folder of all backups: named by OUTPOST_BACKUPS, better on another disk; else in the home."""
    named = os.environ.get("OUTPOST_BACKUPS", "").strip()
    return Path(named).expanduser().resolve() if named else home() / "backups"


def make_place(place: Path) -> Path:
    """The folder, made if it is missing, for its owner only. Raises Unable if it cannot be written to."""
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.chmod(0o700)
    except OSError as error:
        raise Unable(
            f"The backup folder {place} cannot be used ({error.strerror}). Name another one by OUTPOST_BACKUPS."
        ) from error
    return place


def life_of(data_home: Path) -> str:
    """The name of the archive of this home's database: drawn once, anew for a restored one, so that no two share one."""
    place = data_home / LIFE
    if not place.exists():
        place.write_text(f"log-{secrets.token_hex(4)}\n")
    return place.read_text().strip()


def archive_command(folder: Path) -> str:
    """What PostgreSQL runs for each segment of its log."""
    return _call("keep", "%p", f"{_percent(folder)}/%f")


def restore_command(folder: Path) -> str:
    return _call("fetch", f"{_percent(folder)}/%f", "%p")


def _call(verb: str, source: str, target: str) -> str:
    script = Path(archive.__file__).resolve()
    command = [_percent(Path(sys.executable)), "-I", "-S", _percent(script), verb]
    return f'{shlex.join(command)} "{source}" "{target}"'


def _percent(place: Path) -> str:
    return str(place).replace("%", "%%")


# -- making ------------------------------------------------------------------------------------------------------------


def new_draft(place: Path, moment: datetime, kind: str) -> Path:
    """An empty folder to write a backup into; it becomes one by `finish`. Drafts that were left behind are removed."""
    make_place(place)
    for left in place.glob("*.new"):
        shutil.rmtree(left, ignore_errors=True)
    while (draft := place / f"{moment.astimezone(UTC):%Y-%m-%d-%H%M%S}-{kind}.new").with_suffix("").exists():
        moment += timedelta(seconds=1)  # another one was made within this second
    draft.mkdir(mode=0o700)
    return draft


def copy_cluster(sockets: Path, draft: Path) -> str:
    """Copy the running cluster into `draft`, as its superuser, who sees every row; returns the first segment it needs.

    Raises Unable with PostgreSQL's own words.
    """
    run_program(
        [
            str(postgres.binaries() / "pg_basebackup"), "-h", str(sockets), "-U", "postgres", "-D", str(draft),
            "--format=tar", "--gzip", "--wal-method=stream", "--checkpoint=fast", "--label=outpost", "--no-password",
        ],
        "The database cannot be copied",
    )  # fmt: skip
    ranges = json.loads((draft / "backup_manifest").read_text())["WAL-Ranges"]
    high, low = (int(half, 16) for half in ranges[0]["Start-LSN"].split("/"))
    return f"{ranges[0]['Timeline']:08X}{high:08X}{low >> 24:08X}"


def finish(draft: Path, note: Note) -> Backup:
    """Make the draft a backup: everything on the disk first, the note last, then its name."""
    written = draft / NOTE
    written.write_text(json.dumps(asdict(note), indent=1))
    for place in draft.iterdir():
        with place.open("rb") as file:
            os.fsync(file.fileno())
    folder = draft.with_suffix("")
    draft.rename(folder)
    archive.sync_folder(folder.parent)
    return Backup(folder, note)


def keep_secret(place: Path) -> None:
    """Lay the secret of the embedded default beside the backups: a database without it forgets its customers."""
    own = home() / "secret_key"
    if own.exists():
        draft = place / "secret_key.draft"
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(own.read_text())
        draft.replace(place / "secret_key")


# -- finding -----------------------------------------------------------------------------------------------------------


def read(folder: Path) -> Backup:
    """The backup in a folder. Raises Unable with a sentence if there is none, or its note cannot be read."""
    try:
        told: dict[str, Any] = json.loads((folder / NOTE).read_text())
        told["tables"] = {name: (int(least), int(most)) for name, (least, most) in told["tables"].items()}
        note = Note(**told)
        note.moment  # noqa: B018 - an unreadable moment is found here
    except FileNotFoundError:
        raise Unable(f"{folder} holds no backup: there is no {NOTE} in it.") from None
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise Unable(f"The note {NOTE} of {folder} cannot be read: {error}.") from error
    return Backup(folder, note)


def found(place: Path) -> list[Backup]:
    """All finished backups of a place, oldest first. One whose note is spoilt is left out, and stays where it is."""
    backups = []
    for folder in sorted(place.glob("*-*")) if place.is_dir() else []:
        if folder.is_dir() and folder.suffix != ".new" and (folder / NOTE).exists():
            try:
                backups.append(read(folder))
            except Unable:
                continue
    return sorted(backups, key=lambda backup: backup.note.moment)


def choose(place: Path, before: datetime | None) -> Backup:
    """The one to restore: the folder itself, or the newest in it, made before a moment if one is asked for."""
    if (place / NOTE).exists():
        chosen = read(place)
        if before is not None and chosen.note.moment > before:
            raise Unable(
                f"This backup was made at {chosen.note.made_at}, after the moment asked for. Choose an older one."
            )
        return chosen
    fitting = [backup for backup in found(place) if before is None or backup.note.moment <= before]
    if not fitting:
        raise Unable(f"{place} holds no backup" + (f" from before {before.isoformat()}." if before else "."))
    return fitting[-1]


# -- unpacking ---------------------------------------------------------------------------------------------------------


def unpack_base(backup: Backup, data: Path) -> None:
    """Lay the files of a base backup at `data` and check each against its checksum. Raises Unable if one is not as it was."""
    data.mkdir(mode=0o700, parents=True)
    for name, target in ((BASE_FILE, data), (LOG_FILE, data / "pg_wal")):
        place = backup.folder / name
        try:
            with tarfile.open(place, "r:gz") as packed:
                packed.extractall(target, filter=_as_our_own)  # noqa: S202 - filtered
        except (OSError, EOFError, tarfile.TarError, gzip.BadGzipFile) as error:
            raise Unable(f"{place} is damaged or not whole: {error}.") from error
    manifest = backup.folder / "backup_manifest"
    if not manifest.exists():
        raise Unable(f"{backup.folder} lacks its list of checksums, backup_manifest.")
    run_program(
        [str(postgres.binaries() / "pg_verifybackup"), "--no-parse-wal", "-q", "-m", str(manifest), str(data)],
        f"The files of {backup.folder} are not as they were",
    )


def _as_our_own(member: tarfile.TarInfo, target: str) -> tarfile.TarInfo:
    """Whoever unpacks owns the files: the owner in the archive is the one whom the server was disguised as."""
    return tarfile.tar_filter(member, target).replace(uid=None, gid=None, uname=None, gname=None)  # type: ignore[arg-type]


def set_recovery(data: Path, log: Path | None, *, target: str) -> None:
    """Let the unpacked cluster replay `log` up to `target` ("immediate", "latest" or a moment) at its start, then be itself."""
    lines = ["recovery_target_action = 'promote'"]
    if target == "immediate":
        lines += ["recovery_target = 'immediate'"]
    elif target != "latest":
        lines += [f"recovery_target_time = '{target}'"]
    command = restore_command(log) if log is not None else "false"
    lines += [f"restore_command = '{command.replace(chr(39), chr(39) * 2)}'"]
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write("\n".join([_MARK, *lines, ""]))
    (data / "recovery.signal").touch()


def end_recovery(data: Path) -> None:
    """Take the settings of the recovery away again, once it is over."""
    place = data / "postgresql.auto.conf"
    place.write_text(place.read_text().partition(_MARK)[0])


_MARK = "# written by manage.py restore"


def bare_environment() -> dict[str, str]:
    """PostgreSQL's programs get the language of their messages and no secret."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def run_program(command: Sequence[str], sentence: str, environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it printed. Raises Unable: `sentence`, and the program's own last words."""
    environment = bare_environment() if environment is None else environment
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, env=environment, cwd=CHECKOUT
        )
    except OSError as error:
        raise Unable(f"{sentence}: {command[0]} does not start ({error.strerror}).") from error
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise Unable(f"{sentence}: {said or f'{Path(command[0]).name} ended with {done.returncode}'}")
    return done.stdout


# -- clearing away -----------------------------------------------------------------------------------------------------


def clear_old(place: Path, keep_days: int, now: datetime, always: Iterable[str]) -> list[str]:
    """Remove backups older than `keep_days`, but none named in `always` and never the newest, and the logs that no backup
    left needs any more; returns the names of the backups removed."""
    backups = found(place)
    spared = set(always) | ({backups[-1].folder.name} if backups else set())
    gone = [
        backup
        for backup in backups
        if backup.folder.name not in spared and now - backup.note.moment > timedelta(days=keep_days)
    ]
    for backup in gone:
        shutil.rmtree(backup.folder)
    _clear_logs(place, [backup.note for backup in backups if backup not in gone], now - timedelta(days=keep_days))
    return [backup.folder.name for backup in gone]


def _clear_logs(place: Path, notes: list[Note], before: datetime) -> None:
    """Of each archive, the segments before the first one that a backup needs; all of an old archive that none needs."""
    for folder in place.glob("log-*"):
        needed = [note.first_segment[8:] for note in notes if note.life == folder.name and note.first_segment]
        for file in folder.iterdir():
            named = _SEGMENT.match(file.name)
            is_old = file.stat().st_mtime < before.timestamp()
            if named and (named[2] < min(needed) if needed else is_old):
                file.unlink()
