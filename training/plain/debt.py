"""What training is owed to whom: entries that are only ever added, and what follows from them.

Minutes are owed from the moment they are planned. They are paid by attending, by making up for them later, or they are
forgiven, which takes somebody's approval. So at every moment and for every agent: owed + held + forgiven = planned. Minutes
beyond what is owed pay nothing: who stays longer in one session has not been to another.

A session that was moved in time keeps its minutes and its age, and gets a new day on which they are due; nothing is planned a
second time for it. What is due on a day that is still to come is owed like any other, but not overdue.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from django.utils.translation import gettext as _


class Posting(StrEnum):
    PLANNED = "planned"
    MOVED = "moved"
    HELD = "held"
    FORGIVEN = "forgiven"


@dataclass(frozen=True)
class Entry:
    """`session` is the one that was planned, also where another one makes up for it: that is `cause` then. A forgiven entry has
    its approval as cause. `on`: the day it was planned for or moved to, or on which it was held or forgiven."""

    agent: int
    session: int
    kind: Posting
    minutes: int
    on: date
    cause: str = ""


@dataclass(frozen=True)
class Debt:
    """What one agent is owed of one session. `since`: the day it was first planned for; `due_on`: the day it is to be held by
    all that is known."""

    agent: int
    session: int
    since: date
    due_on: date
    planned: int
    held: int
    forgiven: int

    @property
    def owed(self) -> int:
        return self.planned - self.held - self.forgiven

    def age(self, today: date) -> int:
        """Days since the session should first have been; zero where it is still to come."""
        return max((today - self.since).days, 0)


@dataclass(frozen=True)
class Totals:
    planned: int
    held: int
    forgiven: int
    owed: int

    @property
    def share_held(self) -> Fraction | None:
        return Fraction(self.held, self.planned) if self.planned else None


def debts(entries: Iterable[Entry]) -> list[Debt]:
    """All that was planned, paid or not: of each agent the oldest first. Entries are taken in the order they were added."""
    sums: dict[tuple[int, int], Counter[Posting]] = {}
    since: dict[tuple[int, int], date] = {}
    due_on: dict[tuple[int, int], date] = {}
    for entry in entries:
        key = (entry.agent, entry.session)
        sums.setdefault(key, Counter())[entry.kind] += entry.minutes
        if entry.kind is Posting.PLANNED:
            since[key] = due_on[key] = entry.on
        elif entry.kind is Posting.MOVED:
            due_on[key] = entry.on
    found = [
        Debt(*key, since[key], due_on[key], row[Posting.PLANNED], row[Posting.HELD], row[Posting.FORGIVEN])
        for key, row in sums.items()
    ]
    return sorted(found, key=lambda debt: (debt.agent, debt.since, debt.session))


def totals(entries: Iterable[Entry]) -> Totals:
    rows = debts(entries)
    return Totals(
        sum(row.planned for row in rows),
        sum(row.held for row in rows),
        sum(row.forgiven for row in rows),
        sum(row.owed for row in rows),
    )


def overdue(entries: Iterable[Entry], today: date) -> list[Debt]:
    """What was due before `today` and is owed still, of each agent the oldest first."""
    return [debt for debt in debts(entries) if debt.owed and debt.due_on < today]


# -- what is added -----------------------------------------------------------------------------------------------------------


def planned(entries: Iterable[Entry], agent: int, session: int, minutes: int, on: date) -> Entry:
    """The entry for minutes that are planned. Raises ValueError where they are planned already."""
    _check_minutes(minutes)
    if _find(entries, agent, session) is not None:
        raise ValueError(_("This session is planned for this agent already."))
    return Entry(agent, session, Posting.PLANNED, minutes, on)


def moved(entries: Iterable[Entry], agent: int, session: int, on: date) -> Entry:
    """The entry for a session that gets a new day, whose minutes stay what they are. For who has no new day there is none: the
    minutes are overdue from the old one on."""
    _must_find(entries, agent, session)
    return Entry(agent, session, Posting.MOVED, 0, on)


def held(entries: Iterable[Entry], agent: int, session: int, minutes: int, on: date) -> list[Entry]:
    """What attending the session itself pays: `minutes` of it, up to what is owed of it."""
    _check_minutes(minutes)
    paid = min(minutes, _must_find(entries, agent, session).owed)
    return [Entry(agent, session, Posting.HELD, paid, on)] if paid else []


def made_up(entries: Iterable[Entry], agent: int, minutes: int, on: date, cause: str) -> list[Entry]:
    """What `minutes` of a make-up session on a day pay back: the oldest debts first, and none that is not due by then."""
    _check_minutes(minutes)
    found = []
    for debt in debts(entry for entry in entries if entry.agent == agent):
        paid = min(minutes, debt.owed)
        if paid and debt.due_on <= on:
            found.append(Entry(agent, debt.session, Posting.HELD, paid, on, cause))
            minutes -= paid
    return found


def forgiven(entries: Iterable[Entry], agent: int, session: int, minutes: int, on: date, approval: str) -> Entry:
    """The entry for minutes that are let go. Raises ValueError without an approval, or for more than is owed."""
    _check_minutes(minutes)
    if not approval.strip():
        raise ValueError(_("Training that is owed is forgiven by an approval only; ask for one."))
    owed = _must_find(entries, agent, session).owed
    if minutes > owed:
        told = {"minutes": minutes, "owed": owed}
        raise ValueError(_("%(minutes)d minutes cannot be forgiven: only %(owed)d are owed.") % told)
    return Entry(agent, session, Posting.FORGIVEN, minutes, on, approval)


def _find(entries: Iterable[Entry], agent: int, session: int) -> Debt | None:
    rows: Sequence[Debt] = debts(entry for entry in entries if (entry.agent, entry.session) == (agent, session))
    return rows[0] if rows else None


def _must_find(entries: Iterable[Entry], agent: int, session: int) -> Debt:
    found = _find(entries, agent, session)
    if found is None:
        raise ValueError(_("This session was not planned for this agent; what was not planned is not owed."))
    return found


def _check_minutes(minutes: int) -> None:
    if minutes < 1:
        raise ValueError(_("Write the minutes as a whole number above zero."))
