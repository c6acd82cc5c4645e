"""How long it takes until people work alone, and how many stay: by cohort, mentor, source, or whatever they are grouped by.

Whoever is still on the way is no reason to show too good a figure: their days so far are a lower limit, and a median is
given as a span until those who are on the way can no longer change it. Who left before working alone never will; they count
as longer than anybody, and are shown beside.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TypeVar

Group = TypeVar("Group", bound=Hashable)

SURVIVAL_DAYS = 90


@dataclass(frozen=True)
class Path:
    """One person's way: the first day, the first day alone, the first day no longer there; None where it has not come."""

    started_on: date
    alone_on: date | None = None
    left_on: date | None = None


@dataclass(frozen=True)
class Between:
    """Days, at least and at most: one number where they are the same. `most` is None where nobody knows."""

    least: int
    most: int | None

    @property
    def is_known(self) -> bool:
        return self.least == self.most


@dataclass(frozen=True)
class Cohort:
    """`alone`: how many got there; `on_the_way`, `left`: the others. `median` and `p90` of calendar days to working alone, None
    where more left than may be passed over for it. `stayed`: the share still there after 90 days, of the `matured` who
    started so long ago; None where nobody did."""

    size: int
    alone: int
    on_the_way: int
    left: int
    median: Between | None
    p90: Between | None
    matured: int
    stayed: Fraction | None


def cohort(paths: Sequence[Path], today: date) -> Cohort:
    begun = [path for path in paths if path.started_on <= today]
    ways = Counter(_days(path, today, on_the_way=_ON_THE_WAY) for path in begun)
    left, on_the_way = ways[_NEVER], ways[_ON_THE_WAY]
    matured = [path for path in begun if (today - path.started_on).days >= SURVIVAL_DAYS]
    stayed = sum(path.left_on is None or (path.left_on - path.started_on).days > SURVIVAL_DAYS for path in matured)
    return Cohort(
        size=len(begun),
        alone=len(begun) - on_the_way - left,
        on_the_way=on_the_way,
        left=left,
        median=days_to_alone(begun, today, Fraction(1, 2)),
        p90=days_to_alone(begun, today, Fraction(9, 10)),
        matured=len(matured),
        stayed=Fraction(stayed, len(matured)) if matured else None,
    )


def cohorts(paths: Iterable[Path], today: date, group: Callable[[Path], Group]) -> dict[Group, Cohort]:
    """A cohort for each group, in the order in which they first occur."""
    rows: dict[Group, list[Path]] = {}
    for path in paths:
        rows.setdefault(group(path), []).append(path)
    return {key: cohort(each, today) for key, each in rows.items()}


def days_to_alone(paths: Sequence[Path], today: date, part: Fraction) -> Between | None:
    """The number of days by which at least this part of all was working alone (the nearest rank)."""
    if not paths:
        return None
    least = sorted(_days(path, today, on_the_way=(today - path.started_on).days) for path in paths)
    most = sorted(_days(path, today, on_the_way=_NEVER) for path in paths)
    rank = -(-part.numerator * len(paths) // part.denominator) - 1
    if least[rank] == _NEVER:
        return None
    return Between(least[rank], None if most[rank] == _NEVER else most[rank])


_NEVER, _ON_THE_WAY = 10**9, -1


def _days(path: Path, today: date, *, on_the_way: int) -> int:
    if path.alone_on is not None and path.alone_on <= today:
        return (path.alone_on - path.started_on).days
    return _NEVER if path.left_on is not None and path.left_on <= today else on_the_way
