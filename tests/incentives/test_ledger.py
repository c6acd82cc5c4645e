"""Lines are posted once, and entries always add up to what is known."""

import random
from decimal import Decimal

import pytest

from incentives.plain.ledger import Entry, LineKey, Posting, balances, due

DAY, OTHER = LineKey(7, 1, "2026-11-03"), LineKey(7, 1, "2026-11-04")


def paid(*amounts):
    return dict(zip((DAY, OTHER), map(Decimal, amounts), strict=False))


def test_a_line_is_posted_once_and_asking_again_adds_nothing():
    first = due(paid("60.00", "0.00"), [], period="2026-11", cause="run 1")
    assert first == [
        Entry(DAY, "2026-11", Posting.LINE, "run 1", Decimal("60.00")),
        Entry(OTHER, "2026-11", Posting.LINE, "run 1", Decimal("0.00")),
    ]
    assert due(paid("60.00", "0.00"), first, period="2026-11", cause="run 2") == []


def test_a_dispute_that_is_accepted_posts_its_delta_and_leaves_the_line():
    """Example 25: locked with 118 counted, and the dispute adds 2."""
    posted = due(paid("60.00"), [], period="2026-11", cause="run 1")
    more = due(paid("150.00"), posted, period="2026-12", cause="run 9", delta_cause="dispute 4")
    assert more == [Entry(DAY, "2026-12", Posting.DELTA, "dispute 4", Decimal("90.00"))]
    assert balances(posted + more) == {(7, "2026-11"): Decimal("60.00"), (7, "2026-12"): Decimal("90.00")}


def test_what_is_no_longer_due_is_taken_back():
    posted = due(paid("60.00", "150.00"), [], period="2026-11", cause="run 1")
    (back,) = due(paid("60.00"), posted, period="2026-12", cause="late facts")
    assert (back.line, back.amount) == (OTHER, Decimal("-150.00"))


def test_one_cause_has_one_effect():
    posted = due(paid("60.00"), [], period="2026-11", cause="run 1")
    posted += due(paid("150.00"), posted, period="2026-12", cause="dispute 4")
    with pytest.raises(ValueError, match="dispute 4"):
        due(paid("0.00"), posted, period="2026-12", cause="dispute 4")


def test_run_and_deltas_come_to_what_a_run_from_scratch_pays():
    dice = random.Random(20261127)
    for _case in range(300):
        keys = [LineKey(agent, 1, f"2026-11-{day:02d}") for agent in range(3) for day in range(1, 4)]
        posted, lines = [], {}
        for turn in range(dice.randint(1, 6)):
            lines = {key: Decimal(dice.choice(["0.00", "60.00", "150.00"])) for key in keys if dice.random() < 0.8}
            missing = due(lines, dice.sample(posted, len(posted)), period=f"2026-{turn:02d}", cause=f"run {turn}")
            posted += missing
            assert due(lines, posted, period="2027-01", cause="again") == []
        for key in keys:
            assert sum(each.amount for each in posted if each.line == key) == lines.get(key, 0)
        assert sum(balances(posted).values()) == sum(lines.values())
        assert len({(each.line, each.kind, each.cause) for each in posted}) == len(posted)
