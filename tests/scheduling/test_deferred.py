"""Mail and tickets by their due time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from scheduling.plain.deferred import fewest_by_due, worked


def test_a_heap_in_the_morning_is_spread_until_it_is_due():
    """12 mails of half an hour, due four half hours later: three agents."""
    told = fewest_by_due([12, 0, 0, 0, 0, 0], 1800, 4)
    assert (told.agents, told.first, told.last) == (3.0, 0, 4)


def test_closed_half_hours_do_nothing_and_free_hands_help():
    mails = [12, 0, 0, 0, 0, 0]
    assert fewest_by_due(mails, 1800, 4, is_open=[True, True, False, False, True, True]).agents == 6.0
    assert fewest_by_due(mails, 1800, 4, spare=1).agents == 2.0
    assert fewest_by_due(mails, 1800, 4, spare=[9, 0, 0, 0, 0, 9]).agents == 3.0  # before it came, and after it was due


def test_what_falls_due_after_the_end_is_not_asked_for():
    assert fewest_by_due([0, 0, 5], 1800, 4) == type(fewest_by_due([0], 1800, 1))(0.0, None, None)


def test_how_a_day_goes():
    told = worked([4, 0, 0, 0], 1800, 2, 1)
    assert (told.done.tolist(), told.backlog.tolist(), told.late.tolist()) == ([0, 1, 1, 1], [4, 3, 2, 1], [0, 0, 2, 1])


@effort(max_examples=60, deadline=None)
@given(some.lists(some.integers(0, 30), min_size=3, max_size=30), some.integers(1, 6), some.randoms())
def test_the_fewest_are_in_time_and_a_little_less_is_not(contacts, due, chance):
    is_open = np.array([True] + [chance.random() < 0.7 for _each in contacts[1:]])
    try:
        told = fewest_by_due(contacts, 600, due, is_open)
    except ValueError:
        return
    assert worked(contacts, 600, due, told.agents * is_open).late.max() < 1e-9
    if told.agents:
        assert worked(contacts, 600, due, told.agents * 0.99 * is_open).late.max() > 1e-9


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: fewest_by_due([1, 0, 0], 1800, 1, is_open=[True, False, True]),
            "half hour 1 falls due by half hour 2",
        ),
        (lambda: fewest_by_due([1], 1800, 0), "whole half hours after"),
        (lambda: fewest_by_due([-1], 1800, 1), "number of contacts"),
        (lambda: worked([1], 0, 1, 1), "handle time"),
        (lambda: worked([1], 1800, 1, float("nan")), "number of agents"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
