"""The time line against a plain list of minutes: set, corrected and taken back, it never overlaps and says the same."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from approvals.models import StatusSpan
from approvals.plain.timeline import Piece, joined, shift_began_at, spent
from approvals.services import statuses
from approvals.services.statuses.corrections import StatusCorrection
from approvals.services.statuses.line import piece_of
from teams.errors import Refused

MINUTE = timedelta(minutes=1)
BEGAN = datetime(2026, 11, 26, 8, tzinfo=UTC)
BASES = ("ready", "on_contact", "wrap_up", "offline")
LENGTH = 60

SETS = st.tuples(st.just("set"), st.sampled_from(BASES), st.integers(0, 9))
CORRECTIONS = st.tuples(st.just("correct"), st.sampled_from(BASES), st.integers(0, LENGTH), st.integers(1, 20))
UNDOS = st.tuples(st.just("undo"), st.integers(0, 9))


class Model:
    """One label for each minute: what stands there, and by which correction."""

    def __init__(self):
        self.minutes: dict[int, tuple[str, int | None]] = {}
        self.now = 0
        self.kept: dict[int, tuple[int, int, dict[int, tuple[str, int | None]]]] = {}

    def pass_time(self, minutes, base):
        for minute in range(self.now, self.now + minutes):
            if base is not None:
                self.minutes[minute] = (base, None)
        self.now += minutes

    def correct(self, number, first, last, base):
        former = {minute: self.minutes[minute] for minute in range(first, last) if minute in self.minutes}
        self.kept[number] = (first, last, former)
        self.minutes.update(dict.fromkeys(range(first, last), (base, number)))

    def may_undo(self, number):
        first, last, _former = self.kept[number]
        return all(self.minutes.get(minute, ("", None))[1] == number for minute in range(first, last))

    def undo(self, number):
        first, last, former = self.kept[number]
        for minute in range(first, last):
            self.minutes.pop(minute, None)
        self.minutes.update(former)


def line_of(agent):
    return [piece_of(row) for row in StatusSpan.objects.filter(agent=agent).order_by("span")]


def says_as(agent, model):
    """The rows say what the model says, each minute once; neighbours differ."""
    line = line_of(agent)
    for earlier, later in pairwise(line):
        assert earlier.until is not None and earlier.until <= later.since, "two rows overlap"
        assert not (earlier.until == later.since and earlier.says_as(later)), "neighbours say the same"
    for minute in range(model.now):
        moment = BEGAN + minute * MINUTE + timedelta(seconds=30)
        standing = [each for each in line if each.since <= moment and (each.until is None or moment < each.until)]
        told = [(each.base, each.request) for each in standing]
        assert told == ([model.minutes[minute]] if minute in model.minutes else []), minute


@pytest.mark.django_db
def test_whatever_is_set_corrected_and_undone_the_line_says_as_the_list(north, monkeypatch):
    kind, agent = StatusCorrection(), north.agent

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.one_of(SETS, CORRECTIONS, UNDOS), min_size=3, max_size=14))
    def walk(deeds):
        model, base, asked = Model(), None, {}
        monkeypatch.setattr(timezone, "now", lambda: BEGAN + model.now * MINUTE)
        with transaction.atomic():
            for number, (deed, *rest) in enumerate(deeds, 1):
                if deed == "set":
                    model.pass_time(rest[1], base)
                    base = rest[0]
                    statuses.set_status(agent.pk, base, by=agent.user)
                elif deed == "correct":
                    first, last = rest[1], min(rest[1] + rest[2], model.now)
                    if first >= last:
                        continue
                    wish = {
                        "agent": agent.pk, "since": BEGAN + first * MINUTE, "until": BEGAN + last * MINUTE,
                        "base": rest[0], "reason": "",
                    }  # fmt: skip
                    request = SimpleNamespace(pk=number, requester_id=agent.user_id)
                    asked[number] = (request, wish, kind.apply(request, wish, None))
                    model.correct(number, first, last, rest[0])
                elif asked:
                    chosen = sorted(asked)[rest[0] % len(asked)]
                    request, wish, kept = asked[chosen]
                    if model.may_undo(chosen):
                        kind.undo(request, wish, kept, north.lead)
                        model.undo(chosen)
                        del asked[chosen]
                    else:
                        with pytest.raises(Refused):
                            kind.undo(request, wish, kept, north.lead)
                says_as(agent, model)
            transaction.set_rollback(True)

    walk()


def piece(since, until, base="ready", reason=None, **more):
    return Piece(BEGAN + since * MINUTE, None if until is None else BEGAN + until * MINUTE, 1, base, reason, **more)


def test_neighbours_that_say_the_same_are_one():
    assert joined([piece(10, 20), piece(0, 10), piece(20, None, "break", 3)]) == [
        piece(0, 20), piece(20, None, "break", 3)
    ]  # fmt: skip
    assert len(joined([piece(0, 10), piece(11, 20)])) == 2
    assert len(joined([piece(0, 10), piece(10, 20, note="by hand")])) == 2


@pytest.mark.parametrize(
    ("line", "began"),
    [
        ([], None),
        ([piece(0, None)], 0),
        ([piece(0, 10, "offline"), piece(10, 20), piece(20, None, "break", 3)], 10),
        ([piece(0, 10), piece(10, None, "offline")], None),
        ([piece(0, 10), piece(10, 20, "offline"), piece(20, None)], 20),
        ([piece(-3000, None)], -1380),
    ],
)
def test_a_shift_begins_with_the_end_of_the_last_time_offline_at_most_a_day_ago(line, began):
    now = BEGAN + 60 * MINUTE
    assert shift_began_at(line, now) == (None if began is None else BEGAN + began * MINUTE)


def test_time_spent_counts_from_the_beginning_and_up_to_now():
    line = [piece(0, 10, "break", 3), piece(10, 20), piece(20, None, "break", 3)]
    now = BEGAN + 25 * MINUTE
    assert spent(line, 3, BEGAN + 5 * MINUTE, now) == 10 * MINUTE
    assert spent(line, 4, BEGAN, now) == timedelta()
    assert spent(line, 3, None, now) == timedelta()


def test_a_piece_comes_back_from_json_as_it_was():
    made = piece(0, None, "break", 3, back_at=BEGAN, request=5, by=7, note="x")
    assert Piece.from_json(made.as_json()) == made
