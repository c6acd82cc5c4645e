"""A confirmed session holds: what may follow, what is refused and in which words, and what is owed after."""

from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest

from training.plain.sessions import (
    FOLLOWS,
    PROTECTED,
    Change,
    Kept,
    Outcome,
    Reason,
    State,
    kept,
    kept_by_lead,
    may_follow,
    objection,
    owed,
)
from training.plain.workdays import Calendar, Span

ASKED = date(2026, 9, 28)
LEAD, OTHER = 1, 2


def change(**more):
    return Change(
        **{
            "to": State.CANCELLED, "reason": "trainer_ill", "asked_by": LEAD, "asked_on": ASKED, "approved_by": OTHER,
        } | more
    )  # fmt: skip


def moved(**more):
    return change(**{"to": State.RESCHEDULED, "new_on": date(2026, 10, 9), "moved": frozenset({7, 8})} | more)


def code(state, wish):
    found = objection(state, wish)
    return found.code if found else None


def test_a_session_goes_forward_and_what_is_over_stays_so():
    way = [State.PROPOSED, State.STAFFING_APPROVED, State.CONFIRMED, State.IN_PROGRESS, State.COMPLETED]
    assert all(may_follow(one, other) for one, other in pairwise(way))
    assert not may_follow(State.PROPOSED, State.CONFIRMED)  # the staffing is looked at first
    for over in (State.COMPLETED, State.CANCELLED, State.RESCHEDULED):
        assert FOLLOWS[over] == ()
        assert code(over, change()) == code(over, moved()) == "is_over"


@pytest.mark.parametrize("state", sorted(PROTECTED))
@pytest.mark.parametrize("wish", [change, moved])
@pytest.mark.parametrize(
    ("more", "refused"),
    [
        ({}, None),
        ({"reason": "volume"}, "volume"),
        ({"reason": "Too busy"}, "volume"),
        ({"reason": "volume", "approved_by": None}, "volume"),
        ({"reason": ""}, "no_such_reason"),
        ({"reason": "holiday"}, "no_such_reason"),
        ({"approved_by": None}, "needs_approval"),
        ({"approved_by": LEAD}, "own_request"),
    ],
)
def test_what_protects_a_session(state, wish, more, refused):
    assert code(state, wish(**more)) == refused


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_of_the_list_is_one(reason):
    assert objection(State.CONFIRMED, change(reason=reason)) is None


def test_volume_is_told_and_counted():
    found = objection(State.CONFIRMED, change(reason="volume"))
    assert found.is_volume and found.words.startswith("Volume is no reason to give up a training")
    assert not objection(State.CONFIRMED, change(reason="")).is_volume
    assert "“The platform is down”" in objection(State.CONFIRMED, change(reason="")).words
    assert not any("volume" in reason for reason in Reason)


def test_a_move_needs_a_date_that_is_to_come():
    assert code(State.CONFIRMED, moved(new_on=None)) == "no_new_date"
    assert code(State.CONFIRMED, moved(new_on=date(2026, 9, 27))) == "date_is_past"
    assert code(State.CONFIRMED, moved(new_on=ASKED)) is None


def test_what_is_not_confirmed_is_changed_freely():
    assert code(State.PROPOSED, change(reason="", approved_by=None)) is None
    assert code(State.STAFFING_APPROVED, change(reason="volume", approved_by=None)) is None
    assert code(State.STAFFING_APPROVED, moved()) == "not_confirmed"


def test_to_complete_a_session_is_not_to_give_it_up():
    with pytest.raises(ValueError, match="completed gives no session up"):
        objection(State.CONFIRMED, change(to=State.COMPLETED))


GOLDEN_WEEK = frozenset(Span(date(2026, 10, 1), date(2026, 10, 7)).days())
CALENDARS = {
    7: Calendar(),
    8: Calendar(public=GOLDEN_WEEK),
    9: Calendar(public=GOLDEN_WEEK, away=(Span(date(2026, 10, 8), date(2026, 10, 16)),)),
}
GROUP = {7: 120, 8: 120, 9: 90}


@pytest.mark.parametrize(
    ("new_on", "left"),
    [
        (date(2026, 10, 9), {9: 90}),  # the ninth working day for 7, but 9 was not asked along
        (date(2026, 10, 12), {9: 90}),  # the tenth for 7
        (date(2026, 10, 13), {7: 120, 9: 90}),
        (date(2026, 10, 19), {7: 120, 9: 90}),  # the tenth for 8
        (date(2026, 10, 20), GROUP),
    ],
)
def test_ten_working_days_are_those_of_each_person(new_on, left):
    assert owed(GROUP, date(2026, 9, 28), moved(new_on=new_on), CALENDARS) == left


def test_a_leave_puts_off_the_tenth_day_and_a_cancelled_session_is_owed_to_all():
    late = moved(new_on=date(2026, 10, 26), moved=frozenset({9}))
    assert owed(GROUP, date(2026, 9, 28), late, CALENDARS) == {7: 120, 8: 120}
    assert owed(GROUP, date(2026, 9, 28), change(), CALENDARS) == GROUP


def test_how_many_were_kept_by_lead_and_reason():
    rows = [
        Outcome(LEAD, State.COMPLETED, attempts=2),
        Outcome(LEAD, State.COMPLETED),
        Outcome(LEAD, State.CANCELLED, Reason.TRAINER_ILL),
        Outcome(LEAD, State.RESCHEDULED, Reason.PLATFORM_DOWN, attempts=1),
        Outcome(LEAD, State.CONFIRMED),
        Outcome(OTHER, State.CONFIRMED, attempts=1),
    ]
    by_lead = kept_by_lead(rows)
    assert by_lead[LEAD] == Kept(2, 4, {Reason.TRAINER_ILL: 1, Reason.PLATFORM_DOWN: 1}, 3)
    assert by_lead[LEAD].rate == Fraction(1, 2)
    assert by_lead[OTHER] == Kept(0, 0, {}, 1) and by_lead[OTHER].rate is None
    assert kept(rows).attempts == 4 and kept([]).rate is None
