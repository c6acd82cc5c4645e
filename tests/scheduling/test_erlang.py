"""Erlang B, C and A: published examples, an exact slow method, the shared tables, and what may not be asked."""

import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.utils.translation import override
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as some

from scheduling.plain.erlang import erlang_a, erlang_b, erlang_c
from scheduling.plain.hills import hill
from scheduling.plain.staffing import Target, fewest, gross, need, scheduled
from tests.scheduling import exact

NEAR = 1e-9
LOADS = some.floats(min_value=0.05, max_value=300)
FEW = effort(max_examples=60, deadline=None)


# -- published -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("load", "lines", "lost"), [(1, 1, 0.5), (1, 2, 0.2), (1, 3, 1 / 16), (2, 2, 0.4)])
def test_erlang_b_of_the_textbook(load, lines, lost):
    assert float(erlang_b(load, lines)) == pytest.approx(lost, rel=1e-12)


def test_ten_erlangs_need_seventeen_lines_for_two_of_a_hundred_lost():
    lost = erlang_b(10, np.arange(1, 30))
    assert int((lost > 0.02).sum()) + 1 == 17


def test_erlang_c_of_the_example_that_all_copy():
    """100 calls in 30 minutes of 3 minutes each, 80 % in 20 seconds: 14 agents, with 30 % shrinkage 20."""
    told = erlang_c(100, 180, 14, 20)
    assert [round(float(each), 4) for each in (told.erlangs, told.p_wait, told.service_level, told.occupancy)] == [
        10.0, 0.1741, 0.8884, 0.7143
    ]  # fmt: skip
    assert float(told.asa_seconds) == pytest.approx(7.835937012, rel=NEAR)
    agents = fewest(100, 180, Target(0.8, 20, most_occupancy=0.85))
    assert (int(agents), int(scheduled(agents, 0.3))) == (14, 20)
    tight = fewest(100, 180, Target(0.8, 19.8, most_occupancy=0.7))
    assert (int(tight), int(scheduled(tight, 0.3))) == (15, 22)


def test_erlang_a_of_whitt_2005_table_2():
    """102 arrivals a unit of time, mean service and patience 1, 100 agents."""
    told = erlang_a(102, 60, 100, 60, 6, 1)
    figures = 1 - told.p_wait, told.p_abandon, told.mean_queue, told.asa_seconds / 60
    assert [float(each) for each in figures] == pytest.approx([0.408, 0.0499, 5.09, 0.0490], rel=2e-3)


def test_erlang_a_of_garnett_mandelbaum_reiman_2002():
    """48 calls a minute of one minute, 50 agents, patience two minutes."""
    told = erlang_a(48, 60, 50, 120, 20, 1)
    figures = told.p_abandon, told.mean_wait_seconds, told.occupancy, told.mean_queue
    assert [float(each) for each in figures] == pytest.approx([0.031, 3.7, 0.93, 3.0], rel=2e-2)
    assert float(erlang_c(48, 60, 50, 20, 1).asa_seconds) == pytest.approx(20.8, rel=2e-3)


# -- exact ---------------------------------------------------------------------------------------------------------------

CHAINS = [  # worked out by hand from the chains of states: load, agents, P(lost), P(wait)
    ("1/2", 1, "1/3", "1/2"), ("1", 2, "1/5", "1/3"), ("3/2", 2, "9/29", "9/14"), ("2", 3, "4/19", "4/9"),
]  # fmt: skip


@pytest.mark.parametrize(("load", "agents", "lost", "wait"), CHAINS)
def test_small_chains_by_hand(load, agents, lost, wait):
    load, lost, wait = Fraction(load), Fraction(lost), Fraction(wait)
    assert (exact.blocked(load, agents), exact.p_wait(load, agents)) == (lost, wait)
    assert float(erlang_b(float(load), agents)) == pytest.approx(float(lost), rel=1e-13)
    told = erlang_c(float(load), 1800, agents, 0)
    assert float(told.p_wait) == pytest.approx(float(wait), rel=1e-13)
    assert float(told.service_level) == pytest.approx(float(1 - wait), rel=1e-13)


@pytest.mark.parametrize("agents", [1, 2, 5, 39, 40, 41, 60, 150])
@pytest.mark.parametrize("share", ["1/20", "1/2", "9/10", "999/1000"])
def test_erlang_c_equals_the_chain_in_fractions(agents, share):
    load = agents * Fraction(share)
    told = erlang_c(float(load), 1800, agents, 45)
    assert float(told.p_wait) == pytest.approx(float(exact.p_wait(load, agents)), rel=1e-11)
    level = exact.service_level(load, agents, 1800, 45)
    assert float(told.service_level) == pytest.approx(level, rel=NEAR)


@pytest.mark.parametrize("agents", [1, 3, 12, 45])
@pytest.mark.parametrize("share", ["3/10", "1", "5/2"])
@pytest.mark.parametrize("patience", [20, 90, 600])
def test_erlang_a_equals_the_chain_in_fractions(agents, share, patience):
    load = agents * Fraction(share)
    told = erlang_a(float(load) * 10, 180, agents, patience, 30)
    wait, gone, queue = exact.with_patience(load, agents, Fraction(180), Fraction(patience), 600)
    figures = [float(told.p_wait), float(told.p_abandon), float(told.mean_queue)]
    assert figures == pytest.approx([float(wait), float(gone), float(queue)], rel=1e-10)


def test_endless_patience_is_erlang_c():
    patient, endless = erlang_a(100, 180, 14, 1e8, 20), erlang_c(100, 180, 14, 20)
    for name in ("p_wait", "service_level", "asa_seconds", "occupancy"):
        assert float(getattr(patient, name)) == pytest.approx(float(getattr(endless, name)), rel=1e-5)


@FEW
@given(LOADS, some.integers(1, 400), some.floats(5, 5000), some.floats(1, 600))
def test_what_comes_is_answered_or_goes(load, agents, patience, within):
    told = erlang_a(load * 10, 180, agents, patience, within)
    busy = float(told.occupancy) * agents
    assert busy == pytest.approx(load * (1 - float(told.p_abandon)), rel=NEAR)
    assert 0 <= float(told.service_level) <= float(told.of_answered) * (1 + 1e-12)
    assert float(told.service_level) <= float(told.with_short_abandons) * (1 + 1e-12) <= 1 + 1e-11
    assert float(told.without_short_abandons) <= 1 + 1e-12
    assert float(told.occupancy) <= 1 + 1e-12


def test_areas_of_a_hill_that_can_be_written_down():
    """k = 1: the area from 0 up is (e^x - 1) / x."""
    x = np.array([0.05, 1.0, 5.0, 20.0])
    one, zero = np.ones(4), np.zeros(4)
    found = hill(x, one, zero, np.full(4, np.inf))
    assert found.area * np.exp(found.log_top) == pytest.approx(np.expm1(x) / x, rel=1e-11)


# -- the shared tables -----------------------------------------------------------------------------------------------------


def table(name: str) -> tuple[list[str], dict[str, np.ndarray]]:
    if not settings.OUTPOST_SHARED:
        pytest.skip("OUTPOST_SHARED does not name the shared reference data")
    with (Path(settings.OUTPOST_SHARED) / "data" / "erlang" / f"{name}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row["id"] for row in rows], {
        key: np.array([float(row[key]) for row in rows]) for key in rows[0] if key != "id"
    }


def assert_near(ids: list[str], found: np.ndarray, wanted: np.ndarray, limits: np.ndarray | float = NEAR) -> None:
    """What is below 1e-50 is nothing: the table gives one of them as -2e-60, which is the rest of its own 60 digits."""
    far = np.abs(found - wanted) > limits * np.abs(wanted)
    far &= (np.abs(wanted) > 1e-50) | (found < 0) | (found > 1e-50)
    far &= np.abs(found - wanted) > 1e-300
    assert [ids[place] for place in np.flatnonzero(far)] == []


@pytest.mark.shared
def test_erlang_c_of_the_shared_table():
    ids, known = table("erlang_c")
    told = erlang_c(known["arrivals_per_h"], known["aht_s"], known["agents"], known["target_s"], 60)
    for column, found in (
        ("erlangs", told.erlangs), ("p_wait", told.p_wait), ("service_level", told.service_level),
        ("asa_s", told.asa_seconds), ("occupancy", told.occupancy),
    ):  # fmt: skip
        assert_near(ids, found, known[column])


@pytest.mark.shared
def test_erlang_a_of_the_shared_table():
    ids, known = table("erlang_a")
    told = erlang_a(
        known["arrivals_per_h"], known["aht_s"], known["agents"], known["patience_s"], known["target_s"], 60
    )
    for column, found in (
        ("erlangs", told.erlangs), ("p_wait", told.p_wait), ("p_abandon", told.p_abandon),
        ("sl_of_offered", told.service_level), ("sl_of_answered", told.of_answered),
        ("sl_short_abandons_ok", told.with_short_abandons), ("sl_short_abandons_out", told.without_short_abandons),
        ("mean_wait_all_s", told.mean_wait_seconds), ("asa_answered_s", told.asa_seconds),
        ("occupancy", told.occupancy), ("mean_queue", told.mean_queue),
    ):  # fmt: skip
        assert_near(ids, found, known[column])


@pytest.mark.shared
def test_staffing_of_the_shared_tables():
    _ids, known = table("staffing_c")
    target = Target(known["sl_goal"], known["target_s"], most_occupancy=known["max_occupancy"])
    agents = fewest(known["calls_per_half_hour"], known["aht_s"], target)
    assert agents.tolist() == known["min_agents"].astype(int).tolist()
    assert scheduled(agents, known["shrinkage"]).tolist() == known["min_scheduled"].astype(int).tolist()
    _ids, known = table("staffing_a")
    target = Target(known["sl_goal"], known["target_s"], most_abandoned=known["max_abandon"])
    agents = fewest(known["calls_per_half_hour"], known["aht_s"], target, known["patience_s"])
    assert agents.tolist() == known["min_agents"].astype(int).tolist()


# -- the fewest agents -----------------------------------------------------------------------------------------------------


@FEW
@given(LOADS, some.sampled_from([0.5, 0.8, 0.9, 0.95]), some.floats(1, 300), some.sampled_from(["1", "0.85", "0.7"]))
def test_the_fewest_are_those_of_counting_up(load, goal, within, cap):
    found = fewest(load * 10, 180, Target(goal, within, most_occupancy=float(cap)))
    written = Fraction(repr(load * 10)) * 180 / 1800
    assert int(found) == exact.fewest(written, 180, within, goal, Fraction(cap))


@FEW
@given(
    some.lists(LOADS, min_size=2, max_size=12), some.floats(30, 900), some.floats(0.3, 0.98),
    some.one_of(some.none(), some.floats(10, 1000)),
)  # fmt: skip
def test_more_load_or_a_higher_target_never_needs_fewer(loads, handle, goal, patience):
    contacts = np.sort(loads) * 1800 / handle
    found = fewest(contacts, handle, Target(goal, 20), patience)
    assert (np.diff(found) >= 0).all()
    for harder in (
        Target(goal + 0.01, 20),
        Target(goal, 10),
        Target(goal, 20, most_occupancy=0.8),
        Target(goal, 20, 5),
    ):
        assert (fewest(contacts, handle, harder, patience) >= found).all()


@FEW
@given(LOADS, some.floats(0.3, 0.98), some.floats(10, 1000), some.sampled_from([None, 0.02, 0.1]))
def test_one_less_than_the_fewest_misses_by_erlang_a(load, goal, patience, gone):
    found = int(fewest(load * 10, 180, Target(goal, 20, most_abandoned=gone), patience))
    told = erlang_a(load * 10, 180, [max(found - 1, 1), found], patience, 20)
    good = (told.service_level >= goal) & (told.p_abandon <= (gone or 1))
    assert good[1] and (found == 1 or not good[0])


def test_an_average_wait_may_be_the_target():
    agents = int(fewest(100, 180, Target(asa_seconds=10)))
    waits = erlang_c(100, 180, [agents - 1, agents], 20).asa_seconds
    assert waits[0] > 10 >= waits[1]
    patient = int(fewest(100, 180, Target(asa_seconds=10), 120))
    waits = erlang_a(100, 180, [patient - 1, patient], 120, 20).asa_seconds
    assert waits[0] > 10 >= waits[1] and patient < agents


def test_a_goal_that_is_reached_exactly_is_reached():
    assert int(fewest(0.2, 1800, Target(0.8, 0))) == 1  # P(wait) is a fifth
    assert int(fewest(10, 1530, Target(0.1, 20, most_occupancy=0.85))) == 10  # 8.5 erlangs by 85 %


def test_agents_by_chats_at_once():
    alone = int(fewest(60, 600, Target(0.8, 60)))
    assert [int(fewest(60, 600, Target(0.8, 60), concurrency=many)) for many in (1, 2, 3, 2.5)] == [
        alone, -(-alone // 2), -(-alone // 3), -(-alone * 2 // 5)
    ]  # fmt: skip


def test_half_hours_keep_their_shape_and_empty_ones_need_nobody():
    day = np.array([[0, 8, 24], [8, 0, 100]])
    told = need(day, [300, 300, 180], Target(0.8, 20), shrinkage=0.3)
    assert told.agents.tolist() == [[0, 3, 5], [3, 0, 14]]
    assert told.scheduled.tolist() == [[0, 5, 8], [5, 0, 20]]


def test_shrinkage_divides_and_whole_people_come_last():
    assert scheduled([7, 14, 10], [0.3, 0.3, 0]).tolist() == [10, 20, 10]
    assert float(gross(7, 0.35)) == pytest.approx(7 / 0.65)
    apart, together = scheduled([3.3, 3.3], 0.3).sum(), scheduled(gross([3.3, 3.3], 0.3).sum(), 0)
    assert (int(apart), int(together)) == (10, 10)
    assert int(scheduled(gross([7, 7], 0.3).sum(), 0)) == 20
    assert int(scheduled(6.6, 0.34)) == 10  # 10 exactly, which floats make 10.000000000000002


# -- what may not be asked ---------------------------------------------------------------------------------------------------

BAD = [0, -1, float("nan"), float("inf"), -float("inf"), "many", None]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("place", range(3))
def test_bad_numbers_are_refused_by_name(bad, place):
    words = ("number of contacts", "handle time", "number of agents")
    given_ = [100, 180, 14]
    given_[place] = bad
    with pytest.raises(ValueError, match=words[place]):
        erlang_c(*given_, 20)
    with pytest.raises(ValueError, match=words[place]):
        erlang_a(*given_, 300, 20)
    if place < 2:
        with pytest.raises(ValueError, match=words[place]):
            fewest(*given_[:2], Target(0.8, 20))
    with pytest.raises(ValueError, match="patience"):
        erlang_a(100, 180, 14, bad if bad is not None else "none", 20)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: erlang_c(100, 180, 10, 20), "queue would grow without end. Plan at least 11 agents"),
        (lambda: erlang_c([10, 100], 180, 9, 20), "10 erlangs is too much for 9 agents"),
        (lambda: erlang_c(100, 180, 14.5, 20), "whole number from 1 to 5,000; it is 14.5"),
        (lambda: erlang_c(100, 180, 5001, 20), "whole number from 1 to 5,000"),
        (lambda: erlang_b(0, 3), "load in erlangs"),
        (lambda: erlang_c([8, -8], 180, 14, 20), r"it is -8 \(half hour 2 of 2\)"),
        (lambda: erlang_c(100, 180, 14, -1), "answer time"),
        (lambda: erlang_c([], 180, 14, 20), "missing: give at least one half hour"),
        (lambda: fewest(100, 180, Target(0.8)), "go together"),
        (lambda: fewest(100, 180, Target()), "target is missing"),
        (lambda: fewest(100, 180, Target(1.0, 20)), "above 0 and below 1"),
        (lambda: fewest(100, 180, Target(80, 20)), "such as 0.8 for 80 %"),
        (lambda: fewest(100, 180, Target(0.8, 20, most_occupancy=0)), "highest occupancy"),
        (lambda: fewest(100, 180, Target(0.8, 20, most_abandoned=0.05)), "how long people wait"),
        (lambda: fewest([8, 60_000], 180, Target(0.8, 20)), r"5000 agents reach the target \(half hour 2 of 2\)"),
        (lambda: fewest([8, 90_000], 180, Target(0.8, 20), 120), r"reach the target \(half hour 2 of 2\)"),
        (lambda: fewest(8, 180, Target(0.8, 20), concurrency=0.5), "chats"),
        (lambda: scheduled(8, 1), "shrinkage"),
        (lambda: gross(8, -0.1), "shrinkage"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_in_a_sentence(call, words):
    with override("en"), pytest.raises(ValueError, match=words) as refusal:
        call()
    assert str(refusal.value).endswith(".")


def test_faint_and_enormous_queues_have_figures():
    faint = erlang_c(1e-6, 60, [1, 40, 5000], 20)
    assert np.isfinite(faint.service_level).all() and faint.p_wait[2] == 0
    crowd = erlang_a(1e9, 600, [1, 40, 5000], 60, 20)
    assert all(np.isfinite(figures).all() for figures in vars(crowd).values())
    assert crowd.p_abandon == pytest.approx(1, rel=1e-3)
