"""`manage.py seed_demo`: the demo organisation in an empty database."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from config.demo import seeding


class Command(BaseCommand):
    help = "Create the demo organisation: eight teams, 60 agents and 90 days of their contacts, in an empty database."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing where there is data already")
        parser.add_argument("--seed", type=int, default=seeding.SEED, help="another seed makes other people's days")

    def handle(self, *args: Any, **options: Any) -> None:
        if not seeding.is_empty():
            if options["if_empty"]:
                return
            raise CommandError(
                "There are teams or accounts in this database already, and the demo organisation is only put into an "
                "empty one. Use another database (DATABASE_URL) or data directory (OUTPOST_HOME)."
            )
        now = timezone.now()
        seeding.seed(now, options["seed"], say=self.stdout.write)
        seeding.catch_up(now, say=self.stdout.write)
