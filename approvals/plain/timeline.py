"""A time line in plain values: pieces that say what somebody did, cut, joined and added up. Knows no database and no clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Self

MOMENTS = ("since", "until", "back_at")
OFFLINE = "offline"
LONGEST_SHIFT = timedelta(hours=24)


@dataclass(frozen=True)
class Piece:
    """A stretch of the line, `until` excluded; None: it goes on. Ids stand for rows, so that it can be kept as JSON."""

    since: datetime
    until: datetime | None
    team: int
    base: str
    reason: int | None = None
    back_at: datetime | None = None
    source: str = "self"
    confidence: str = "stated"
    request: int | None = None
    by: int | None = None
    note: str = ""

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> Self:
        moments = {name: datetime.fromisoformat(kept[name]) if kept[name] else None for name in MOMENTS}
        return cls(**{**kept, **moments})

    def as_json(self) -> dict[str, Any]:
        told = {each.name: getattr(self, each.name) for each in fields(self)}
        return {**told, **{name: told[name].isoformat() if told[name] else None for name in MOMENTS}}

    def says_as(self, other: "Piece") -> bool:
        """Whether both say the same, whenever that was."""
        return replace(self, since=other.since, until=other.until) == other

    def within(self, since: datetime, until: datetime | None) -> Self | None:
        """The part of it between two moments."""
        begins = max(self.since, since)
        ends = min((each for each in (self.until, until) if each is not None), default=None)
        return replace(self, since=begins, until=ends) if ends is None or begins < ends else None

    def lasted(self, since: datetime, until: datetime) -> timedelta:
        """How much of it lies between two moments."""
        part = self.within(since, until)
        return (part.until or until) - part.since if part is not None else timedelta()


def cut(line: Iterable[Piece], since: datetime, until: datetime | None) -> list[Piece]:
    """The parts between two moments."""
    return [part for each in line if (part := each.within(since, until)) is not None]


def joined(line: Iterable[Piece]) -> list[Piece]:
    """In order, with neighbours that say the same as one."""
    made: list[Piece] = []
    for each in sorted(line, key=lambda piece: piece.since):
        if made and made[-1].until == each.since and made[-1].says_as(each):
            made[-1] = replace(made[-1], until=each.until)
        else:
            made.append(each)
    return made


def shift_began_at(line: Sequence[Piece], now: datetime) -> datetime | None:
    """Since when somebody is at work: the end of the last time offline, at most a day ago; None while they are not. `line` is
    in order and reaches back for a day."""
    earliest = now - LONGEST_SHIFT
    recent = cut(line, earliest, now)
    away = [place for place, piece in enumerate(recent) if piece.base == OFFLINE]
    at_work = recent[away[-1] + 1 :] if away else recent
    return at_work[0].since if at_work else None


def spent(line: Iterable[Piece], reason: int, since: datetime | None, now: datetime) -> timedelta:
    """How long somebody did something since a moment."""
    if since is None:
        return timedelta()
    return sum((each.lasted(since, now) for each in line if each.reason == reason), timedelta())
