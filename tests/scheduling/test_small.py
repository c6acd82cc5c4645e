"""Small queues played day by day, and what pooling saves."""

import pytest

from scheduling.plain.small import Aim, Queue, chance, fewest_for_days, pooling, side_by_side

EIGHT = Queue(8, 300)


def test_one_less_and_one_more_beside_the_fewest():
    """8 contacts of 300 s, 80 % in 20 s: 3 agents by the average, and yet every fourth half hour misses."""
    two, three, four = side_by_side(EIGHT, Aim())
    assert (two.agents, three.agents, four.agents) == (2, 3, 4)
    assert [round(each.service_level, 2) for each in (two, three)] == [0.49, 0.84]
    assert round(three.occupancy, 2) == 0.44
    assert [each.intervals for each in (three, four)] == pytest.approx([0.75, 0.94], abs=0.02)
    assert [each.days for each in (three, four)] == pytest.approx([0.77, 1.0], abs=0.03)
    assert two.days < three.days < four.days


def test_the_same_seed_plays_the_same_days():
    assert chance(EIGHT, Aim(), 3, days=50) == chance(EIGHT, Aim(), 3, days=50)
    assert chance(EIGHT, Aim(), 3, days=50) != chance(EIGHT, Aim(), 3, days=50, seed=1)


def test_played_days_have_the_average_of_the_formula():
    """With a share to reach of nearly nothing each contact counts: a half hour of one contact is in time or not."""
    rare = Queue(0.2, 300)
    played = chance(rare, Aim(0.8, 1e-9), 1, half_hours=16, days=3000)
    assert played.intervals == pytest.approx(1 - 0.18 * (1 - played.service_level), abs=0.01)


def test_those_who_give_up_make_room_for_others():
    patient, hasty = chance(EIGHT, Aim(), 2), chance(Queue(8, 300, 60), Aim(), 2)
    assert hasty.service_level > patient.service_level and hasty.intervals > patient.intervals


def test_too_few_to_carry_the_load_have_no_share():
    assert chance(Queue(12, 300), Aim(), 2) == type(chance(EIGHT, Aim(), 3, days=1))(2, None, None, None, None)
    assert chance(Queue(12, 300, 120), Aim(), 2, days=50).days is not None  # with a patience they have one


def test_one_agent_has_nobody_less():
    assert [each.agents for each in side_by_side(Queue(0.5, 60), Aim(), days=20)] == [1, 2]


def test_agents_for_nineteen_days_of_twenty():
    assert fewest_for_days(EIGHT, Aim(), 0.95).agents == 4


def test_pooling_three_queues():
    told = pooling([EIGHT] * 3, Aim())
    assert (told.apart, told.pooled, told.saved) == ((3, 3, 3), 7, 2)
    mixed = pooling([Queue(8, 300, 60), Queue(24, 180, 120)], Aim())
    assert mixed.pooled <= sum(mixed.apart)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: side_by_side(Queue(0, 300), Aim()), "number of contacts"),
        (lambda: side_by_side(EIGHT, Aim(1.2)), "service level"),
        (lambda: side_by_side(EIGHT, Aim(), days=0), "one day has to be played"),
        (lambda: side_by_side(Queue(1000, 300), Aim()), "not a small queue"),
        (lambda: chance(EIGHT, Aim(), 0), "number of agents"),
        (lambda: pooling([], Aim()), "at least one queue"),
        (lambda: pooling([EIGHT, Queue(8, 300, 60)], Aim()), "all with a patience or all without"),
    ],
)
def test_what_makes_no_sense_is_told_in_a_sentence(call, words):
    with pytest.raises(ValueError, match=words):
        call()
