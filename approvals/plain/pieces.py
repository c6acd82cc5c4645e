"""Texts as pieces that an index can look for: words, their parts, and characters of Chinese, which knows no spaces.

A piece becomes a number, so that the index of a reply holds nothing that can be read. Numbers may collide: what they find is
looked at again (`approvals.plain.ranking`).
"""

import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator

LONGEST = 10  # letters of a word that are indexed; what is longer is told apart by looking again
BODY_SHORTEST = 3  # letters a word needs to be found in the text of a reply
TYPO_SHORTEST = 4  # letters a word needs before a typing error is looked for
CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
RUN = re.compile(rf"[{CJK}]+|[^\W{CJK}_]+")
IS_CJK = re.compile(rf"[{CJK}]")
SEEDS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1, 0xD3A2646C, 0xFD7046C5, 0xB55A4F09)
PRIME = (1 << 61) - 1


def folded(text: str) -> str:
    """`text` as it is compared: without case, width and accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(each for each in apart if not unicodedata.combining(each))).casefold()


def runs(text: str) -> list[str]:
    """The words of folded `text`: runs of letters and digits, and runs of Chinese characters."""
    return RUN.findall(text)


def is_cjk(run: str) -> bool:
    return bool(IS_CJK.match(run))


def number(place: str, piece: str) -> int:
    """A piece at a place as a number of four bytes."""
    return zlib.crc32(f"{place}\x1f{piece}".encode()) - (1 << 31)


def deletions(word: str) -> set[str]:
    """`word` and what is left of it without one letter: two words one error apart have one of these in common."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def parts(word: str) -> Iterator[str]:
    """The first letter, and all parts of two letters and more, of a word or a short code."""
    yield word[:1]
    for start in range(len(word)):
        for end in range(start + 2, min(start + LONGEST, len(word)) + 1):
            yield word[start:end]


def characters(run: str) -> Iterator[str]:
    """Single characters and pairs of a run of Chinese."""
    yield from run
    yield from (run[place : place + 2] for place in range(len(run) - 1))


def asked(run: str) -> list[str]:
    """The pieces that a word somebody types needs: all of them."""
    if not is_cjk(run):
        return [run[:LONGEST]]
    return [run] if len(run) == 1 else [run[place : place + 2] for place in range(len(run) - 1)]


def of_names(text: str) -> set[str]:
    """Pieces of a title or tag: each word is found by any part of it."""
    found: set[str] = set()
    for run in runs(text):
        found.update(characters(run) if is_cjk(run) else parts(run))
    return found


def of_body(text: str) -> set[str]:
    """Pieces of the text of a reply: words are found by their beginning, Chinese by two characters."""
    found: set[str] = set()
    for run in runs(text):
        if is_cjk(run):
            found.update(run[place : place + 2] for place in range(len(run) - 1))
        else:
            found.update(run[:end] for end in range(BODY_SHORTEST, min(len(run), LONGEST) + 1))
    return found


def numbers(place: str, pieces: Iterable[str]) -> set[int]:
    return {number(place, piece) for piece in pieces}


def sketch(text: str) -> list[int]:
    """Four numbers of a text; of two that are nine tenths alike one is nearly always the same. Without letters: none."""
    words = {zlib.crc32(piece.encode()) for run in runs(text) for piece in (asked(run) if is_cjk(run) else [run])}
    if not words:
        return []
    least = [min((word * seed + place) % PRIME for word in words) for place, seed in enumerate(SEEDS)]
    pairs = zip(least[::2], least[1::2], strict=True)
    return [((one * 1_000_003 + two + place) % PRIME) for place, (one, two) in enumerate(pairs)]


def alike(one: str, other: str) -> float:
    """The share of words that two texts have in common, 0 to 1."""
    left, right = ({piece for run in runs(folded(text)) for piece in asked(run)} for text in (one, other))
    return len(left & right) / len(left | right) if left or right else 0.0
