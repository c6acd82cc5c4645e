"""`manage.py doctor`: looks at an installation and says of each part whether it is well, and what to do where it is not."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from teams import doctor
from teams.doctor import State


class Command(BaseCommand):
    help = (
        "Look at the installation: each check says ok, warning or wrong, with what to do. Fails if anything is wrong."
    )
    requires_system_checks: list[str] = []  # an installation that is not well is what this is for

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("checks", nargs="*", help="only these checks")
        parser.add_argument("--json", action="store_true", help="one JSON object, for a program to read")

    def handle(self, *args: Any, **options: Any) -> None:
        checks = doctor.registered()
        unknown = [name for name in options["checks"] if name not in checks]
        if unknown:
            self.stderr.write(f"No check is called {unknown[0]!r}. There are: {', '.join(checks)}.")
            raise SystemExit(2)
        wanted = options["checks"] or list(checks)
        findings: dict[str, doctor.Finding] = {}
        for name in wanted:
            findings[name] = doctor.examine(name, checks[name])
            if not options["json"]:
                self.tell(name, findings[name])
        counts = {state: sum(found.state == state for found in findings.values()) for state in State}
        if options["json"]:
            told = {
                name: {"state": found.state, "words": found.words, "remedy": found.remedy}
                for name, found in findings.items()
            }
            self.stdout.write(json.dumps(told, ensure_ascii=False))
        else:
            self.stdout.write(f"{counts[State.OK]} ok, {counts[State.WARNING]} warnings, {counts[State.WRONG]} wrong")
        if counts[State.WRONG]:
            raise SystemExit(1)

    def tell(self, name: str, found: doctor.Finding) -> None:
        paint = {State.OK: self.style.SUCCESS, State.WARNING: self.style.WARNING, State.WRONG: self.style.ERROR}
        self.stdout.write(f"{paint[found.state](f'{found.state:8}')} {name}: {found.words}")
        if found.remedy:
            self.stdout.write(f"         {found.remedy}")
