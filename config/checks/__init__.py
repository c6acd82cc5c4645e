"""What `manage.py doctor` looks at: the machine and its settings, the database, and whether the work gets done."""

from config.checks import database, machine, work
from teams import doctor


def register_own() -> None:
    """In the order in which they are read: what others rest on comes first."""
    for name, check in (*database.CHECKS, *machine.CHECKS, *work.CHECKS):
        doctor.register(name, check, rank=0)
