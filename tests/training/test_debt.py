"""The ledger of owed training against a plain model of it, and its refusals."""

from collections import defaultdict
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import settings as effort
from hypothesis import strategies as some
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from training.plain.debt import (
    Debt,
    Entry,
    Posting,
    Totals,
    debts,
    forgiven,
    held,
    made_up,
    moved,
    overdue,
    planned,
    totals,
)

DAY = date(2026, 11, 2)
BEGUN = [planned([], 7, 1, 60, DAY), planned([], 7, 2, 90, DAY + timedelta(days=7)), planned([], 8, 1, 60, DAY)]


def owed(entries, agent=7):
    return [(debt.session, debt.owed) for debt in debts(entries) if debt.agent == agent]


def test_what_is_planned_is_owed_until_it_is_held():
    assert owed(BEGUN) == [(1, 60), (2, 90)]
    assert owed(BEGUN + held(BEGUN, 7, 1, 45, DAY)) == [(1, 15), (2, 90)]
    assert owed(BEGUN + held(BEGUN, 7, 1, 100, DAY)) == [(1, 0), (2, 90)]  # staying longer pays nothing else


def test_a_make_up_pays_the_oldest_first_and_nothing_that_is_still_to_come():
    later = DAY + timedelta(days=8)
    assert [(each.session, each.minutes, each.cause) for each in made_up(BEGUN, 7, 100, later, "session 9")] == [
        (1, 60, "session 9"),
        (2, 40, "session 9"),
    ]
    assert [each.session for each in made_up(BEGUN, 7, 100, DAY, "session 9")] == [1]
    assert made_up([], 7, 100, DAY, "session 9") == []
    assert owed(BEGUN + made_up(BEGUN, 7, 500, later, "session 9")) == [(1, 0), (2, 0)]


def test_what_is_forgiven_was_approved():
    row = forgiven(BEGUN, 7, 1, 60, DAY, "request 4")
    assert row == Entry(7, 1, Posting.FORGIVEN, 60, DAY, "request 4")
    assert totals([*BEGUN, row]) == Totals(210, 0, 60, 150)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: planned(BEGUN, 7, 1, 30, DAY), "planned for this agent already"),
        (lambda: planned(BEGUN, 7, 3, 0, DAY), "whole number above zero"),
        (lambda: moved(BEGUN, 7, 3, DAY), "was not planned for this agent"),
        (lambda: held(BEGUN, 7, 3, 30, DAY), "what was not planned is not owed"),
        (lambda: held(BEGUN, 7, 1, -5, DAY), "whole number above zero"),
        (lambda: made_up(BEGUN, 7, 0, DAY, "session 9"), "whole number above zero"),
        (lambda: forgiven(BEGUN, 7, 1, 60, DAY, " "), "by an approval only"),
        (lambda: forgiven(BEGUN, 7, 1, 61, DAY, "request 4"), "61 minutes cannot be forgiven: only 60 are owed"),
        (lambda: forgiven(BEGUN, 9, 1, 1, DAY, "request 4"), "was not planned for this agent"),
    ],
)
def test_refusals(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_age_counts_from_the_day_it_should_have_been():
    later = DAY + timedelta(days=3)
    assert [(debt.agent, debt.session, debt.age(later)) for debt in overdue(BEGUN, later)] == [(7, 1, 3), (8, 1, 3)]
    assert overdue(BEGUN, DAY) == []
    assert Debt(7, 1, DAY, DAY, 60, 0, 0).age(DAY - timedelta(days=3)) == 0


def test_a_session_that_was_moved_is_not_overdue_before_its_new_day_but_keeps_its_age():
    new_day = DAY + timedelta(days=9)
    rows = [*BEGUN, moved(BEGUN, 7, 1, new_day)]
    assert [debt.agent for debt in overdue(rows, new_day - timedelta(days=4))] == [8]
    late = overdue(rows, new_day + timedelta(days=1))
    assert [(debt.agent, debt.session, debt.age(new_day)) for debt in late] == [(7, 1, 9), (7, 2, 2), (8, 1, 9)]
    assert totals(rows) == totals(BEGUN)
    assert [each.session for each in made_up(rows, 7, 200, new_day - timedelta(days=2), "session 9")] == [2]
    assert owed(rows + held(rows, 7, 1, 60, new_day)) == [(1, 0), (2, 90)]


def test_the_share_that_was_held():
    assert totals(BEGUN + held(BEGUN, 7, 1, 42, DAY)).share_held == Fraction(1, 5)
    assert totals([]).share_held is None


agents, sessions, minutes = some.integers(1, 2), some.integers(1, 4), some.integers(1, 150)
days = some.integers(0, 20).map(lambda place: DAY + timedelta(days=place))


class Ledger(RuleBasedStateMachine):
    """Beside the entries: for each agent a plain list of [day, session, minutes left, day due], and sums."""

    def __init__(self):
        super().__init__()
        self.entries = []
        self.left = defaultdict(list)
        self.sums = defaultdict(int)

    def find(self, agent, session):
        return next((row for row in self.left[agent] if row[1] == session), None)

    @rule(agent=agents, session=sessions, much=minutes, on=days)
    def plan(self, agent, session, much, on):
        if self.find(agent, session):
            with pytest.raises(ValueError, match="already"):
                planned(self.entries, agent, session, much, on)
            return
        self.entries.append(planned(self.entries, agent, session, much, on))
        self.left[agent].append([on, session, much, on])
        self.left[agent].sort()
        self.sums[agent, "planned"] += much

    @precondition(lambda self: self.entries)
    @rule(agent=agents, session=sessions, much=minutes, on=days)
    def attend(self, agent, session, much, on):
        row = self.find(agent, session)
        if row is None:
            with pytest.raises(ValueError, match="not planned"):
                held(self.entries, agent, session, much, on)
            return
        self.entries += held(self.entries, agent, session, much, on)
        self.sums[agent, "held"] += min(much, row[2])
        row[2] -= min(much, row[2])

    @precondition(lambda self: self.entries)
    @rule(agent=agents, session=sessions, on=days)
    def move(self, agent, session, on):
        if row := self.find(agent, session):
            self.entries.append(moved(self.entries, agent, session, on))
            row[3] = on

    @precondition(lambda self: self.entries)
    @rule(agent=agents, much=minutes, on=days)
    def make_up(self, agent, much, on):
        self.entries += made_up(self.entries, agent, much, on, "make-up")
        for _minute in range(much):  # one by one, to the oldest that has any left
            row = next((row for row in self.left[agent] if row[2] and row[3] <= on), None)
            if row:
                row[2] -= 1
                self.sums[agent, "held"] += 1

    @precondition(lambda self: self.entries)
    @rule(agent=agents, session=sessions, much=minutes, on=days)
    def forgive(self, agent, session, much, on):
        row = self.find(agent, session)
        if row is None or much > row[2]:
            with pytest.raises(ValueError):
                forgiven(self.entries, agent, session, much, on, "request 1")
            return
        self.entries.append(forgiven(self.entries, agent, session, much, on, "request 1"))
        self.sums[agent, "forgiven"] += much
        row[2] -= much

    @invariant()
    def owed_held_and_forgiven_are_what_was_planned(self):
        for agent in (1, 2):
            told = totals(entry for entry in self.entries if entry.agent == agent)
            left = sum(row[2] for row in self.left[agent])
            assert told == Totals(*(self.sums[agent, kind] for kind in ("planned", "held", "forgiven")), left)
            assert told.owed + told.held + told.forgiven == told.planned

    @invariant()
    def nothing_is_below_zero_and_each_debt_is_as_in_the_model(self):
        rows = debts(self.entries)
        assert all(min(row.owed, row.held, row.forgiven) >= 0 for row in rows)
        for agent in (1, 2):
            assert [[row.since, row.session, row.owed, row.due_on] for row in rows if row.agent == agent] == self.left[
                agent
            ]


Ledger.TestCase.settings = effort(max_examples=40, stateful_step_count=25, deadline=None)
TestLedger = Ledger.TestCase
