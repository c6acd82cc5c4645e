"""What retention lets go of: told with --dry-run, done without. The nightly job does the same by itself."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand
from django.utils import timezone

from teams import retention


class Command(BaseCommand):
    help = "Let go of people's data that is older than the rules say; with --dry-run only tell how many rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        for plan in retention.plan(now):
            if options["dry_run"]:
                told = f"{plan.rows} rows older than {plan.cutoff:%Y-%m-%d} go on {plan.next_at:%Y-%m-%d %H:%M} UTC"
            else:
                told = f"{retention.let_go(plan.each, now)} rows let go of"
            self.stdout.write(f"{plan.each.code} ({plan.kept} {plan.each.unit}): {told}; {plan.each.outcome}")
