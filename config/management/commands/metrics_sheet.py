"""`manage.py metrics_sheet`: write docs/metrics.md from the metric registry."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config import metrics_sheet


class Command(BaseCommand):
    help = "Write docs/metrics.md from the metric registry, or with --check say whether it is current."
    requires_system_checks = ()

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="write nothing; fail if the sheet is not current")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            metrics_sheet.PLACE.write_text(metrics_sheet.sheet(), encoding="utf-8")
            self.stdout.write(f"{metrics_sheet.PLACE} is written")
        elif metrics_sheet.PLACE.read_text(encoding="utf-8") != metrics_sheet.sheet():
            raise CommandError("docs/metrics.md is not current: run `python3 manage.py metrics_sheet` and commit it.")
