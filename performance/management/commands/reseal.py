"""After a change of OUTPOST_SEAL_KEY: seal everything anew, so that the former key may be forgotten."""

from typing import Any

from django.core.management import BaseCommand, CommandError

from performance.services import phones
from teams.entry import factor
from teams.sealing import Unopenable
from teams.services import channels

SEALED = {
    "telephone numbers": phones.reseal,
    "addresses of chat robots": channels.reseal,
    "second factors": factor.reseal,
}


class Command(BaseCommand):
    help = "Seal with the newest key what a former one sealed; then take the former out of OUTPOST_SEAL_KEYS_BEFORE."

    def handle(self, *args: Any, **options: Any) -> None:
        for name, reseal in SEALED.items():
            try:
                done = reseal()
            except Unopenable as error:
                raise CommandError(f"Not all {name} could be opened: {error}. Those stay as they were.") from error
            self.stdout.write(f"{name}: {done} sealed anew")
