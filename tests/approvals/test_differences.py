"""Old and new text in pieces: both can be read back from them, and a changed word reads as a word."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.plain.differences import Change, compared

TEXT = st.text(alphabet="ab 中文，。\n.1é", max_size=60)


def sides(pieces):
    old = "".join(piece.text for piece in pieces if piece.change is not Change.INSERTED)
    new = "".join(piece.text for piece in pieces if piece.change is not Change.REMOVED)
    return old, new


@given(TEXT, TEXT)
def test_both_texts_are_read_back_from_the_pieces(old, new):
    pieces = compared(old, new)
    assert sides(pieces) == (old, new)
    assert all(piece.text for piece in pieces)
    assert not any(one.change is other.change for one, other in pairwise(pieces))


@pytest.mark.parametrize(
    ("old", "new", "removed", "inserted"),
    [
        ("Thank you for waiting.", "Thank you for calling.", ["waiting"], ["calling"]),
        ("您好，请问有什么可以帮您？", "您好，请问有什么能帮您？", ["可以"], ["能"]),
        ("reply within 24 hours", "reply within 12 hours", ["24"], ["12"]),
        ("a b c d", "a x y d", ["b c"], ["x y"]),
        ("same", "same", [], []),
        ("", "new", [], ["new"]),
    ],
)
def test_words_and_signs_change_as_wholes(old, new, removed, inserted):
    pieces = compared(old, new)
    assert [piece.text for piece in pieces if piece.change is Change.REMOVED] == removed
    assert [piece.text for piece in pieces if piece.change is Change.INSERTED] == inserted


def test_long_texts_that_share_nothing_are_replaced_whole():
    old, new = "a b " * 2000, "c d " * 2000
    assert [piece.change for piece in compared(old, new)] == [Change.REMOVED, Change.INSERTED, Change.SAME]
