"""`manage.py roll_up --from 2026-03-01 --to 2026-03-31`: rebuild rollups from the facts."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from performance.services import night


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{text!r} is not a day; write it as in 2026-03-31.") from error


class Command(BaseCommand):
    help = "Rebuild the rollups of some days from the facts. Reports of days that change get a new revision."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="first", required=True, help="first day, as in 2026-03-01")
        parser.add_argument("--to", dest="last", required=True, help="last day, included")

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = _day(options["first"]), _day(options["last"])
        if last < first:
            raise CommandError("The last day lies before the first; change the two.")
        many = (last - first).days + 1

        def tell(day: date, is_changed: bool) -> None:
            self.stdout.write(f"{day} {'changed' if is_changed else 'as it was'} ({(day - first).days + 1} of {many})")

        changed = night.rebuild(first, last, tell)
        self.stdout.write(f"{many} days rebuilt, {changed} of them changed.")
