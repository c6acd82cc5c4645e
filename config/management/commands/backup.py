"""`manage.py backup`: make one now; with --check restore it at once in the drill and say what that showed."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.backups import making, nightly
from config.runtime import backups
from config.runtime.places import Unable


class Command(BaseCommand):
    help = (
        "Make a backup of the database in use: the embedded one by a copy of its files, while everything runs; a server's by "
        "pg_dump. `manage.py restore --from` takes either."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, help="the folder of backups (OUTPOST_BACKUPS, else backups in the home)")
        parser.add_argument("--check", action="store_true", help="restore it into a scratch cluster and examine it")
        parser.add_argument(
            "--examine", type=Path, metavar="BACKUP", help="make none, but restore and examine this one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["examine"]:
            self._examine(options["examine"].expanduser().resolve())
            return
        place = options["to"].expanduser().resolve() if options["to"] else None
        try:
            made = making.make(place)
        except Unable as refusal:
            raise CommandError(str(refusal)) from refusal
        rows = sum(least for least, _most in made.note.tables.values())
        self.stdout.write(
            f"{made.folder}: {made.size_bytes / 2**20:.1f} MB, {len(made.note.tables)} tables, {rows} rows"
        )
        if not options["check"]:
            self.stdout.write(
                "It counts as a backup once its restore has passed: --check tries it now, the night does too."
            )
            return
        self._examine(made.folder)

    def _examine(self, folder: Path) -> None:
        try:
            backup = backups.read(folder)
        except Unable as refusal:
            raise CommandError(str(refusal)) from refusal
        if not nightly.try_out(backup, timezone.now()):
            found = "\n".join(f"- {line}" for line in nightly.findings_of(folder.name))
            raise CommandError(f"It is no good backup:\n{found}")
        self.stdout.write("Restored and examined: good.")
