"""`manage.py`: what is ours to do, and what is Django's."""

import io
import os
import sys

from config.runtime import environment
from config.runtime.places import Unable, embedded_parts
from config.runtime.processes import Progress


def main(arguments: list[str]) -> int:
    """Do what was asked; a sentence instead of a traceback where the machine is in the way."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without Chinese shows marks, and no traceback
    progress = Progress()
    command, rest = (arguments[1], arguments[2:]) if len(arguments) > 1 else ("help", [])
    try:
        if command == "run":
            from config.runtime import supervisor

            wish = supervisor.read_wish(rest)
            environment.enter("run", progress)
            return supervisor.run(wish, progress)
        if command == "restore":
            from config.runtime import restore

            what = restore.read_wish(rest)
            environment.enter("run", progress)
            return restore.run(what, progress)
        if command == "test":
            from config.runtime import suite

            environment.enter("test", progress)
            return suite.run(rest, progress)
        environment.enter("run", progress)
        return _hand_to_django(arguments)
    except Unable as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _hand_to_django(arguments: list[str]) -> int:
    """Any other command. Only one that asks the database learns that the embedded one is not running."""
    import warnings

    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    from teams import acting

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if "runserver" not in arguments[1:2]:  # the one command that serves people: each request gets the reach of its own
        acting.whole_process("a command is given by whoever runs the machine")
    if not embedded_parts().database:
        execute_from_command_line(arguments)
        return 0
    # `makemigrations` looks at the database only if it can, and the sentence for it would only alarm.
    warnings.filterwarnings("ignore", message="Got an error checking a consistent migration history")
    try:
        execute_from_command_line(arguments)
    except OperationalError as error:
        if "connection failed" not in str(error) and "connection to server" not in str(error):
            raise
        raise Unable(
            "The embedded database is not running: start it with `python3 manage.py run` in another terminal "
            "(`python3 manage.py run database` starts it and the broker alone), or set DATABASE_URL."
        ) from error
    return 0
