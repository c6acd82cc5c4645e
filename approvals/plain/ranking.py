"""Which canned reply comes first while somebody types. Plain values: no database, no clock.

First where it matches, in this order: the short code begins with what was typed; the short code has it somewhere; the title;
tags and category; the text; a word of the title or short code with one typing error. What matches only by its sound (pinyin)
comes after what matches as written, within the same place. Then the wanted language, then heat, the newer text, the title.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any, NamedTuple

from approvals.plain.heat import weighed
from approvals.plain.pieces import BODY_SHORTEST, TYPO_SHORTEST, deletions, folded, is_cjk, runs


class Match(IntEnum):
    """Where it matches; the lower the better."""

    ALL = 0  # nothing was typed: everything matches alike
    CODE_BEGINS = 1
    CODE_HAS = 2
    TITLE = 3
    KEYWORD = 4
    BODY = 5
    NEARLY = 6


@dataclass(frozen=True)
class Query:
    """What was typed, folded: as a whole without spaces, and as words."""

    whole: str
    words: tuple[str, ...]

    @property
    def sounds(self) -> bool:
        """Whether it may be pinyin: somewhere it has letters a to z."""
        return any(word.isascii() and not word.isdigit() for word in self.words)

    @classmethod
    def of(cls, text: str) -> "Query":
        plain = folded(text)
        return cls("".join(plain.split()), tuple(dict.fromkeys(runs(plain))))


@dataclass(frozen=True)
class Doc:
    """A reply as far as it is searched and ranked. All text but `title` is folded."""

    pk: int
    title: str
    code: str
    names: str  # the title, folded
    keywords: tuple[str, ...]
    body: str
    code_sounds: tuple[str, ...]
    title_sounds: tuple[str, ...]
    language: str
    updated_at: datetime
    own: float = 0.0
    team: float = 0.0
    everybody: float = 0.0

    @property
    def score(self) -> float:
        return weighed(self.own, self.team, self.everybody)


@dataclass(frozen=True)
class Hit:
    doc: Doc
    match: Match
    by_sound: bool = False

    def step(self, language: str = "") -> "Step":
        return Step(self.match, self.by_sound, bool(language) and self.doc.language != language)

    def order(self, language: str = "") -> tuple[Any, ...]:
        """What hits are sorted by: total, so the same replies come in the same order each time."""
        doc = self.doc
        return (*self.step(language), -doc.score, -doc.updated_at.timestamp(), doc.names, doc.pk)


class Step(NamedTuple):
    """The first part of the rank: hits of an earlier step stand before those of a later one, however warm these are."""

    match: Match
    by_sound: bool
    is_other_language: bool


def steps(query: Query, language: str = "") -> list[Step]:
    """The steps at which something may be found, in the order of rank."""
    places = [place for place in Match if bool(query.whole) != (place is Match.ALL)]
    sounds = (Match.CODE_BEGINS, Match.CODE_HAS, Match.TITLE) if query.sounds else ()
    return [
        Step(place, by_sound, is_other)
        for place in places
        for by_sound in ((False, True) if place in sounds else (False,))
        for is_other in ((False, True) if language else (False,))
    ]


def hit(query: Query, doc: Doc) -> Hit | None:
    """How `doc` matches what was typed, or None."""
    if not query.whole:
        return Hit(doc, Match.ALL)
    return _in_code(query.whole, doc) or _in_words(query.words, doc)


def ranked(hits: Sequence[Hit], language: str = "") -> list[Hit]:
    return sorted(hits, key=lambda each: each.order(language))


def _in_code(typed: str, doc: Doc) -> Hit | None:
    if doc.code.startswith(typed):
        return Hit(doc, Match.CODE_BEGINS)
    if any(sound.startswith(typed) for sound in doc.code_sounds[:2]):
        return Hit(doc, Match.CODE_BEGINS, by_sound=True)
    if len(typed) < 2:
        return None
    if typed in doc.code:
        return Hit(doc, Match.CODE_HAS)
    if any(sound.startswith(typed) for sound in doc.code_sounds[2:]):
        return Hit(doc, Match.CODE_HAS, by_sound=True)
    return None


def _in_words(words: Sequence[str], doc: Doc) -> Hit | None:
    """The worst place of any word counts: all of them have to be found."""
    found = [_place(word, doc) for word in words]
    if not found or None in found:
        return None
    match, by_sound = max(each for each in found if each is not None)
    return Hit(doc, match, by_sound)


def _place(word: str, doc: Doc) -> tuple[Match, bool] | None:
    if _named(word, doc.names) or (len(word) > 1 and word in doc.code):
        return Match.TITLE, False
    if len(word) > 1 and any(sound.startswith(word) for sound in doc.title_sounds):
        return Match.TITLE, True
    if any(_named(word, keyword) for keyword in doc.keywords):
        return Match.KEYWORD, False
    if _said(word, doc.body):
        return Match.BODY, False
    if _misspelt(word, doc):
        return Match.NEARLY, False
    return None


def _named(word: str, text: str) -> bool:
    """Whether a title or keyword has the word somewhere; a single letter counts at the beginning of a word only."""
    if len(word) > 1 or is_cjk(word):
        return word in text
    return any(each.startswith(word) for each in runs(text))


def _said(word: str, body: str) -> bool:
    """Whether a text has the word: Latin at the beginning of a word from three letters on, Chinese from two characters on."""
    if word not in body:
        return False
    if is_cjk(word):
        return len(word) > 1
    return len(word) >= BODY_SHORTEST and any(each.startswith(word) for each in runs(body))


def _misspelt(word: str, doc: Doc) -> bool:
    if len(word) < TYPO_SHORTEST or is_cjk(word):
        return False
    return any(
        one_error_apart(word, each) for each in (*runs(doc.names), *runs(doc.code)) if len(each) >= TYPO_SHORTEST
    )


def one_error_apart(one: str, other: str) -> bool:
    """Whether a single typing error makes one word the other: a letter wrong, missing or too many, or two swapped."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return short in deletions(long)
    wrong = [place for place, (left, right) in enumerate(zip(one, other, strict=True)) if left != right]
    if len(wrong) == 2:
        first, second = wrong
        return second == first + 1 and one[first] == other[second] and one[second] == other[first]
    return len(wrong) == 1
