"""`manage.py demo_logins`: one log-in for each role of the demo organisation."""

from typing import Any

from django.core.management.base import BaseCommand

from config.demo import logins


class Command(BaseCommand):
    help = "Print one log-in for each role of the demo organisation, as far as its passwords have not been changed."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = logins.still_valid()
        if not rows:
            return
        wide = max(len(row["username"]) for row in rows)
        self.stdout.write("Log-ins of the demo organisation:")
        for row in rows:
            self.stdout.write(f"  {row['role']:<11} {row['username']:<{wide}}  {row['password']}")
