"""`manage.py take_in --source CODE --mapping FILE --file FILE [--dry-run]`: the same door as the upload page."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from performance.models import ImportRefusal, Source
from performance.services import intake
from teams.errors import Refused


class Command(BaseCommand):
    help = "Take contacts (or legs, states, half hours, event logs) in from a CSV, gzip or Excel file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="code of the source the file comes from")
        parser.add_argument("--mapping", required=True, type=Path, help="JSON file that says what the columns mean")
        parser.add_argument("--file", required=True, type=Path, help="the file: .csv, .txt, .gz or .xlsx")
        parser.add_argument("--dry-run", action="store_true", help="count and show the first errors, store nothing")
        parser.add_argument("--errors", type=Path, help="write the refused rows here, to be mended and taken in again")

    def handle(self, *args: Any, **options: Any) -> None:
        source = Source.objects.filter(code=options["source"]).first()
        if source is None:
            raise CommandError(f"There is no source with the code {options['source']!r}.")
        try:
            data = json.loads(options["mapping"].read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CommandError(f"The mapping cannot be read: {error}") from error
        if not options["file"].is_file():
            raise CommandError(f"There is no file {options['file']}.")
        try:
            run = intake.take_in_file(source, data, options["file"], dry_run=options["dry_run"])
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        for row_number, field, code, value in run.counts.pop("first", []) or self._first(run):
            self.stderr.write(f"row {row_number}: {field or 'row'}: {code} {value!r}")
        words = ", ".join(f"{name} {count}" for name, count in run.counts.items() if isinstance(count, int))
        self.stdout.write(("Nothing stored: " if options["dry_run"] else "Taken in: ") + words)
        if options["errors"] and not options["dry_run"] and run.counts["refused"]:
            with options["errors"].open("w", encoding="utf-8-sig", newline="") as file:
                file.writelines(intake.errors_file(run))
            self.stdout.write(f"Refused rows: {options['errors']}")

    @staticmethod
    def _first(run: Any) -> list[tuple[int, str, str, str]]:
        rows = ImportRefusal.objects.filter(run=run).order_by("row_number", "pk")[: intake.FIRST_ERRORS]
        return [(row.row_number, row.field, row.code, row.value) for row in rows]
