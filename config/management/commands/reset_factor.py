"""Takes away the second factor of an account, for when no operator can come in to do it on the account's page."""

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand, CommandError

from teams.entry import factor
from teams.errors import Refused
from teams.models import User


class Command(BaseCommand):
    help = "Take away the second factor of an account; its sessions and tokens end, and the person is told."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="user name of the account")
        parser.add_argument("--reason", required=True, help="why; kept in the account's history")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["name"]).first()
        if user is None:
            raise CommandError(f"There is no account {options['name']!r}.")
        try:
            factor.take_away(user, by=None, reason=options["reason"])
        except Refused as refusal:
            raise CommandError(str(refusal.message)) from refusal
        self.stdout.write(f"The second factor of {user.username} is gone; a new one can be set up at the next log-in.")
