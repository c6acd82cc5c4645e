"""Collects every sentence of the program for translation, fills in what is known, compiles, and lists what still lacks Chinese.

For developers: needs gettext (`xgettext`, `msgmerge`, `msgfmt`) on the machine and Babel from the development requirements.
A fragment is a JSON object of English to Chinese; a sentence with a context is keyed "context|sentence". The compiled
catalogue is committed, so that nobody needs gettext to run the suite; a test fails when it is stale or incomplete.
"""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command

LOCALE = "zh_Hans"
CATALOGUE = Path("locale") / LOCALE / "LC_MESSAGES" / "django.po"
HEADER = f"""# Outpost in Simplified Chinese. Written by `manage.py make_words`; the translations may be edited here.
msgid ""
msgstr ""
"Project-Id-Version: Outpost\\n"
"Language: {LOCALE}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""
LEAVE_OUT = ("tests/*", "benchmarks/*", "docs/*", ".*", "locale/*", "static/*", "trial/*")


class Command(BaseCommand):
    help = "Collect, fill in and compile the words of the user interface; fails while a sentence lacks Chinese."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("fragments", nargs="*", type=Path, help="JSON files of English to Chinese")
        parser.add_argument("--overwrite", action="store_true", help="let fragments replace what the catalogue has")

    def handle(self, *args: Any, **options: Any) -> None:
        if Path.cwd().resolve() != settings.BASE_DIR:
            raise CommandError(f"Start this in the checkout, {settings.BASE_DIR}.")
        known: dict[str, str] = {}
        for fragment in options["fragments"]:
            known |= read_fragment(fragment)
        call_command(
            "makemessages", locale=[LOCALE], ignore_patterns=list(LEAVE_OUT), no_location=True, no_wrap=True,
            no_obsolete=True, verbosity=0,
        )  # fmt: skip
        missing = fill(settings.BASE_DIR / CATALOGUE, known, overwrite=options["overwrite"])
        call_command("compilemessages", locale=[LOCALE], ignore_patterns=list(LEAVE_OUT[:-3]), verbosity=0)
        for sentence in missing:
            self.stdout.write(f"lacks Chinese: {sentence}")
        if missing:
            raise CommandError(f"{len(missing)} sentences lack Chinese; give them in a fragment or in {CATALOGUE}.")
        self.stdout.write("Every sentence has its Chinese.")


def read_fragment(path: Path) -> dict[str, str]:
    """English to Chinese from one file. Raises CommandError with the file's name where it cannot be read."""
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from error
    if not isinstance(words, dict) or not all(isinstance(text, str) for text in words.values()):
        raise CommandError(f"{path} must be one object of sentence to translation.")
    return words


def fill(path: Path, known: dict[str, str], *, overwrite: bool = False) -> list[str]:
    """Fill the catalogue from `known` and write it; returns the sentences that still lack a translation."""
    from babel.messages.catalog import Catalog
    from babel.messages.pofile import read_po, write_po

    with path.open("rb") as file:
        collected = read_po(file, locale=LOCALE)
    catalogue, missing = Catalog(locale=LOCALE), []
    for message in collected:
        if not message.id:
            continue
        forms = message.id if isinstance(message.id, (tuple, list)) else (message.id,)
        old = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
        old = "" if message.fuzzy else old
        keys = [key for form in reversed(forms) for key in (f"{message.context}|{form}", form) if key in known]
        new = known[keys[0]] if keys and (overwrite or not old) else old
        if not new:
            missing.append(forms[0])
        catalogue.add(
            message.id,
            (new,) if len(forms) > 1 else new,
            context=message.context,
            flags=message.flags - {"fuzzy"},
        )
    with path.open("wb") as file:
        file.write(HEADER.encode())
        write_po(file, catalogue, width=0, sort_output=True, omit_header=True)
    return missing
