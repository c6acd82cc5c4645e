"""What this app makes known to the floors below when it starts: kinds, jobs, notices, data classes. One module per part."""

from importlib import import_module

PARTS = ("requests", "statuses", "replies", "blacklist")


def enter_all() -> None:
    for part in PARTS:
        import_module(f"approvals.ready.{part}").enter()
