"""Old and new text compared word by word, Chinese sign by sign. Plain values; knows nothing of requests.

Words, gaps and signs are compared as wholes, so that a changed word reads as a changed word and not as a few letters of it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import groupby

# Scripts without spaces are compared sign by sign: Han, kana and full-width forms, hangul syllables.
PARTS = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]|\s+|\w+?(?=[\u2e80-\u9fff\uac00-\ud7af])|\w+|.",
    re.S,
)
MOST_PAIRS = 4_000_000  # beyond, what lies between the common ends is shown as replaced whole


class Change(StrEnum):
    SAME = "same"
    REMOVED = "removed"
    INSERTED = "inserted"


@dataclass(frozen=True)
class Piece:
    change: Change
    text: str


def compared(old: str, new: str) -> list[Piece]:
    """`new` beside `old` in pieces: the same and removed ones give `old`, the same and inserted ones `new`."""
    before, after = PARTS.findall(old), PARTS.findall(new)
    head = _common(before, after)
    tail = _common(before[head:][::-1], after[head:][::-1])
    pieces = [Piece(Change.SAME, "".join(before[:head]))]
    pieces += _middle(before[head : len(before) - tail], after[head : len(after) - tail])
    pieces.append(Piece(Change.SAME, "".join(before[len(before) - tail :])))
    return _joined(pieces)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """How many parts both begin with."""
    shortest = min(len(one), len(other))
    return next((place for place in range(shortest) if one[place] != other[place]), shortest)


def _middle(before: list[str], after: list[str]) -> Iterator[Piece]:
    if len(before) * len(after) > MOST_PAIRS:
        yield Piece(Change.REMOVED, "".join(before))
        yield Piece(Change.INSERTED, "".join(after))
        return
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, first, last, since, until in matcher.get_opcodes():
        if tag == "equal":
            yield Piece(Change.SAME, "".join(before[first:last]))
            continue
        yield Piece(Change.REMOVED, "".join(before[first:last]))
        yield Piece(Change.INSERTED, "".join(after[since:until]))


def _joined(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of one kind become one piece; a lone gap between two changes is changed with them, which reads better."""
    merged: list[Piece] = []
    for place, piece in enumerate(pieces):
        if not piece.text:
            continue
        is_between = 0 < place < len(pieces) - 1
        if piece.change is Change.SAME and is_between and not piece.text.strip(" "):
            merged += [Piece(Change.REMOVED, piece.text), Piece(Change.INSERTED, piece.text)]
        else:
            merged.append(piece)
    made: list[Piece] = []
    for is_same, run in groupby(merged, key=lambda each: each.change is Change.SAME):
        group = list(run)
        kinds = (Change.SAME,) if is_same else (Change.REMOVED, Change.INSERTED)
        made += [
            Piece(kind, text) for kind in kinds if (text := "".join(each.text for each in group if each.change is kind))
        ]
    return made
