"""Twenty faults during intake and night leave the rows of an undisturbed run, and each is over soon."""

import time

import pytest

from tests.live import kills

pytestmark = pytest.mark.drill


def test_twenty_kills_leave_the_rows_of_an_unkilled_run(capfd, made_home):
    outcome = kills.in_a_place_of_its_own(20, seed=int(time.time()), made=made_home)
    print(*outcome.lines(), sep="\n")
    assert sum(outcome.killed.values()) >= 20
    assert outcome.is_in_time
    assert (outcome.lost, outcome.doubled, outcome.faults) == (0, 0, [])
