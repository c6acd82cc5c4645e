"""Cover in plain numbers: how many may leave now, and when the next place is free."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Cover:
    """How many agents are ready in a team, and how many have to stay ready. Nothing is asked of a team that needs nobody."""

    ready: int
    needed: int

    @property
    def spare(self) -> int:
        """How many ready agents there are beyond the needed ones; below zero where some are missing."""
        return self.ready - self.needed

    @property
    def lets_one_go(self) -> bool:
        return self.needed == 0 or self.spare >= 1


def expected_at(
    place: int, cover: Cover, ends: Iterable[datetime], *, now: datetime, at_the_latest: datetime | None = None
) -> datetime | None:
    """When the one at `place` (from 1) of a queue can expect a free place, or None where nothing tells.

    Each of `ends` is when somebody is to come back; who is over the time tells nothing. Everybody before in the queue takes one
    place, and those who are missing are waited for first. `at_the_latest`: when time alone grants it.
    """
    returns = sorted(end for end in ends if end > now)
    missing = max(place - cover.spare, 1)
    by_return = returns[missing - 1] if missing <= len(returns) else None
    return min((each for each in (by_return, at_the_latest) if each is not None), default=None)
