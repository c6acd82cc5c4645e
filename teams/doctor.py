"""Checks of an installation: each app names its own in `AppConfig.ready()`, and `manage.py doctor` asks them all.

A check looks and changes nothing. It says what it found in a sentence, and what to do where that is not well.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    """What a check saw. `remedy` is a sentence to act on; a good finding has none."""

    state: State
    words: str
    remedy: str = ""


def well(words: str) -> Finding:
    return Finding(State.OK, words)


def doubtful(words: str, remedy: str) -> Finding:
    return Finding(State.WARNING, words, remedy)


def wrong(words: str, remedy: str) -> Finding:
    return Finding(State.WRONG, words, remedy)


Check = Callable[[], Finding]

_checks: dict[str, tuple[int, Check]] = {}


def register(name: str, check: Check, *, rank: int = 1) -> None:
    """Make a check known. Its name is short, and stands before the sentence; rank 0 is what the others rest on."""
    _checks[name] = (rank, check)


def examine(name: str, check: Check) -> Finding:
    """What a check finds; one that cannot be made is wrong as well, with the kind of error alone."""
    try:
        return check()
    except Exception as error:
        kind = type(error).__name__
        return wrong(f"The check could not be made: {kind}.", "See to the lines above first, then ask again.")


def registered() -> dict[str, Check]:
    """All checks by name, in the order in which they are asked."""
    return {name: check for name, (_rank, check) in sorted(_checks.items(), key=lambda entry: entry[1][0])}
