"""What is posted for a line, and what later knowledge adds to it. Entries are only ever added.

A line is posted once, whatever it pays; nothing stands for it before. If it would be rounded otherwise later, the difference
to all that stands posted is an entry of its own in the period that is open then, with its cause: a late fact, a dispute, a
correction. So the entries of a line always add up to what it pays by all that is known, and asking again adds nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Posting(StrEnum):
    LINE = "line"
    DELTA = "delta"


@dataclass(frozen=True, order=True)
class LineKey:
    """A line of a statement: whose, by which version of the plan, and the first day of its measure period (ISO)."""

    agent: int
    version: int
    begins: str


@dataclass(frozen=True)
class Entry:
    """A signed amount. `period` is the one whose pay-out it belongs to; a delta's line names what it corrects."""

    line: LineKey
    period: str
    kind: Posting
    cause: str
    amount: Decimal


def due(
    lines: Mapping[LineKey, Decimal], posted: Iterable[Entry], *, period: str, cause: str, delta_cause: str = ""
) -> list[Entry]:
    """The entries that are missing so that `posted` and they together pay `lines`, in the order of the lines.

    `posted` is all that stands for these agents; a line among it that is no longer due is taken back. `cause` is that of new
    lines, `delta_cause` (the same where none is given) that of differences. Raises ValueError where a line has a difference
    by that cause already: one cause has one effect.
    """
    stands: dict[LineKey, Decimal] = defaultdict(Decimal)
    causes: set[tuple[LineKey, str]] = set()
    for entry in posted:
        stands[entry.line] += entry.amount
        causes.add((entry.line, entry.cause if entry.kind is Posting.DELTA else ""))
    delta_cause = delta_cause or cause
    missing = []
    for line in sorted({*lines, *stands}):
        if line not in stands:
            missing.append(Entry(line, period, Posting.LINE, cause, lines[line]))
            continue
        difference = lines.get(line, Decimal(0)) - stands[line]
        if not difference:
            continue
        if (line, delta_cause) in causes:
            raise ValueError(f"{line} has a difference by {delta_cause!r} already, and it pays otherwise now")
        missing.append(Entry(line, period, Posting.DELTA, delta_cause, difference))
    return missing


def balances(entries: Iterable[Entry]) -> dict[tuple[int, str], Decimal]:
    """What the entries of each agent and pay-out period come to."""
    sums: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        sums[entry.line.agent, entry.period] += entry.amount
    return dict(sums)
