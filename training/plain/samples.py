"""The work sample: replies to three simulated tickets, each rated by two people who know neither the name nor each other's
score.

Where the two are near each other their mean counts. Where they differ by more than the limit a third person rates, and the two
scores that are nearest count; where the third stands in the middle, all three do. Scores are shares from 0 to 1, exactly.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from django.utils.translation import gettext as _

TICKETS, RATERS = 3, 2
LIMIT = Fraction(15, 100)


@dataclass(frozen=True)
class Rating:
    ticket: str
    rater: int
    score: Fraction


class Wants(StrEnum):
    RATINGS = "ratings"
    THIRD = "third"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Rated:
    """A ticket as far as it has been rated: what is still wanted, and its score once that is nothing. `apart`: by how much the
    first two differ, None before both are in."""

    ticket: str
    wants: Wants
    apart: Fraction | None
    score: Fraction | None


@dataclass(frozen=True)
class Sample:
    """The tickets of one candidate; `score` is their mean once all are rated."""

    tickets: tuple[Rated, ...]

    @property
    def score(self) -> Fraction | None:
        scores = [each.score for each in self.tickets if each.score is not None]
        return sum(scores, Fraction(0)) / len(scores) if len(scores) == len(self.tickets) == TICKETS else None


def sample(tickets: Sequence[str], ratings: Iterable[Rating], limit: Fraction = LIMIT) -> Sample:
    """What the ratings, in the order they were given, come to. Raises ValueError for what `refusal` refuses."""
    if len(set(tickets)) != TICKETS:
        raise ValueError(_("A work sample has %(count)d different tickets.") % {"count": TICKETS})
    given: dict[str, list[Rating]] = {ticket: [] for ticket in tickets}
    so_far: list[Rating] = []
    for rating in ratings:
        if why := refusal(tickets, so_far, rating, limit):
            raise ValueError(why)
        given[rating.ticket].append(rating)
        so_far.append(rating)
    return Sample(tuple(_rated(ticket, [each.score for each in rows], limit) for ticket, rows in given.items()))


def refusal(tickets: Sequence[str], so_far: Iterable[Rating], rating: Rating, limit: Fraction = LIMIT) -> str:
    """Why a rating cannot be taken, as a sentence; empty where it can."""
    rows = [each for each in so_far if each.ticket == rating.ticket]
    if rating.ticket not in tickets:
        return _("This ticket is not part of the work sample.")
    if not 0 <= rating.score <= 1:
        return _("A score is a share from 0 to 1.")
    if any(each.rater == rating.rater for each in rows):
        return _("You have rated this reply already; somebody else gives the next score.")
    if len(rows) >= RATERS and _rated(rating.ticket, [each.score for each in rows], limit).wants is Wants.NOTHING:
        return _("This reply has all its scores.")
    return ""


def _rated(ticket: str, scores: list[Fraction], limit: Fraction) -> Rated:
    if len(scores) < RATERS:
        return Rated(ticket, Wants.RATINGS, None, None)
    apart = abs(scores[0] - scores[1])
    if apart <= limit:
        return Rated(ticket, Wants.NOTHING, apart, (scores[0] + scores[1]) / 2)
    if len(scores) == RATERS:
        return Rated(ticket, Wants.THIRD, apart, None)
    low, middle, high = sorted(scores[:3])
    if middle - low == high - middle:
        return Rated(ticket, Wants.NOTHING, apart, (low + middle + high) / 3)
    near = (low, middle) if middle - low < high - middle else (middle, high)
    return Rated(ticket, Wants.NOTHING, apart, sum(near, Fraction(0)) / 2)


def seen_by(rater: int, ratings: Iterable[Rating]) -> list[Rating]:
    """The ratings that a rater may see: the own ones, and of a ticket rated by oneself all others too. So nobody follows
    anybody."""
    rows = list(ratings)
    own = {each.ticket for each in rows if each.rater == rater}
    return [each for each in rows if each.ticket in own]


def cover_name(secret: str, sample: int) -> str:
    """What raters see instead of a name: the same for one sample, and nothing can be told from it without `secret`."""
    return hashlib.blake2b(f"{sample}".encode(), key=secret.encode()[:64], digest_size=4).hexdigest().upper()


@dataclass(frozen=True)
class Agreement:
    """Over all replies rated by two: how many were within the limit, and the mean difference; None where there are none."""

    count: int
    within: Fraction | None
    apart: Fraction | None


def agreement(samples: Iterable[Sample], limit: Fraction = LIMIT) -> Agreement:
    gaps = [each.apart for sample in samples for each in sample.tickets if each.apart is not None]
    if not gaps:
        return Agreement(0, None, None)
    within = Fraction(sum(gap <= limit for gap in gaps), len(gaps))
    return Agreement(len(gaps), within, sum(gaps, Fraction(0)) / len(gaps))
