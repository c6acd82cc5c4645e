"""Contacts drawn for review: the same for the same seed, fair to each agent, flagged ones on top."""

from collections import Counter

import pytest

from training.plain.sampling import Contact, Why, assign, draw

CONTACTS = [Contact(f"c{agent}-{place}", agent) for agent in (7, 8) for place in range(50)] + [Contact("c9-0", 9)]


def keys(picks, why=None):
    return [pick.contact.key for pick in picks if why in (None, pick.why)]


def test_each_agent_has_so_many_or_all():
    assert Counter(pick.contact.agent for pick in draw(CONTACTS, 3, "2026-11")) == {7: 3, 8: 3, 9: 1}
    assert draw(CONTACTS, 0, "2026-11") == draw([], 3, "2026-11") == []


def test_the_same_seed_draws_the_same_in_whatever_order_they_come():
    assert draw(CONTACTS, 3, "2026-11") == draw(CONTACTS[::-1], 3, "2026-11")
    assert keys(draw(CONTACTS, 3, "2026-11")) != keys(draw(CONTACTS, 3, "2026-12"))


def test_more_are_the_same_and_some():
    assert set(keys(draw(CONTACTS, 3, "2026-11"))) < set(keys(draw(CONTACTS, 5, "2026-11")))


def test_flagged_contacts_come_on_top_and_do_not_change_what_chance_draws():
    plain = draw(CONTACTS, 3, "2026-11")
    drawn = plain[0].contact.key
    other = next(contact.key for contact in CONTACTS if contact.key not in keys(plain))
    flags = {drawn: ["silence"], other: ["anger", "abuse"], "c8-1": []}
    found = draw(CONTACTS, 3, "2026-11", flags)
    assert keys(found, Why.RANDOM) == keys(plain)
    assert keys(found, Why.FLAGGED) == [other]
    assert {pick.contact.key: pick.flags for pick in found if pick.flags} == {
        drawn: ("silence",),
        other: ("abuse", "anger"),
    }


def test_over_many_seeds_each_contact_has_the_same_chance():
    few = [Contact(f"c{place}", 7) for place in range(5)]
    counts = Counter(key for seed in range(500) for key in keys(draw(few, 1, str(seed))))
    assert len(counts) == 5 and all(70 <= count <= 130 for count in counts.values())


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: draw(CONTACTS, -1, "x"), "no contacts or more"),
        (lambda: draw(CONTACTS, 1, ""), "Give the draw a seed"),
        (lambda: draw([*CONTACTS, CONTACTS[0]], 1, "x"), "Contact c7-0 stands twice"),
        (lambda: assign(draw(CONTACTS, 1, "x"), [], "x"), "Nobody may review this agent"),
        (lambda: assign(draw(CONTACTS, 1, "x"), [7], "x"), "Nobody may review this agent"),
        (lambda: assign(draw(CONTACTS, 1, "x"), [1], "x", {(1, 8)}), "Nobody may review this agent"),
    ],
)
def test_refusals(call, said):
    with pytest.raises(ValueError, match=said):
        call()


def test_reviewers_share_the_work_and_nobody_reviews_the_own():
    picks = draw(CONTACTS, 10, "2026-11")
    found = assign(picks, [1, 2, 7], "2026-11", {(2, 8)})
    assert set(found) == set(keys(picks))
    assert not any(found[pick.contact.key] == pick.contact.agent for pick in picks)
    assert not any(found[pick.contact.key] == 2 for pick in picks if pick.contact.agent == 8)
    assert max(Counter(found.values()).values()) <= 9
    assert found == assign(picks, [7, 2, 1], "2026-11", {(2, 8)})
