"""The work sample: replies to three simulated tickets, each rated by two people who know neither the name nor each other's
score.

Where the two are near each other their mean counts. Where they differ by more than the limit a third person rates, and the two
scores that are nearest count; where the third stands in the middle, all three do. Scores are shares from 0 to 1, exactly.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from django.utils.translation import gettext as _

from training.plain.reading import percent

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
        return _("A score lies between 0 and 100 %.")
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


# -- the scorecard of candidates -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """A candidate in the ranking; whoever has the same total shares the rank. `reasons`: sentences, what lifts and what lowers
    the total most. `total` is None where a score is missing: no rank then."""

    candidate: int
    rank: int | None
    total: Fraction | None
    reasons: tuple[str, ...]


def check_weights(weights: Mapping[str, Fraction]) -> None:
    """Raises ValueError unless the weights of the criteria are above zero and add up to 1."""
    if not weights or min(weights.values()) <= 0:
        raise ValueError(_("Each criterion has a weight above zero; take out what does not count."))
    if sum(weights.values()) != 1:
        told = {"sum": percent(sum(weights.values(), Fraction(0)))}
        raise ValueError(_("The weights add up to %(sum)s; they have to make 100 %%.") % told)


def ranking(
    weights: Mapping[str, Fraction], scores: Mapping[int, Mapping[str, Fraction]], names: Mapping[str, str]
) -> list[Place]:
    """Candidates by their weighted total, the best first; those whose scores are incomplete last. `names`: of the criteria."""
    check_weights(weights)
    totals = {
        candidate: sum((weights[key] * row[key] for key in weights), Fraction(0))
        for candidate, row in scores.items()
        if all(key in row for key in weights)
    }
    means = {key: _mean([scores[candidate][key] for candidate in totals]) for key in weights}
    places = [
        Place(
            candidate,
            1 + sum(other > total for other in totals.values()),
            total,
            _reasons(weights, scores[candidate], means, names),
        )
        for candidate, total in totals.items()
    ]
    for candidate, row in scores.items():
        if candidate not in totals:
            missing = ", ".join(names.get(key, key) for key in weights if key not in row)
            places.append(Place(candidate, None, None, (_("Not rated yet: %(missing)s.") % {"missing": missing},)))
    return sorted(places, key=lambda place: (place.rank is None, place.rank or 0, place.candidate))


def _mean(scores: Sequence[Fraction]) -> Fraction:
    return sum(scores, Fraction(0)) / len(scores) if scores else Fraction(0)


def _reasons(
    weights: Mapping[str, Fraction],
    row: Mapping[str, Fraction],
    means: Mapping[str, Fraction],
    names: Mapping[str, str],
) -> tuple[str, ...]:
    """What sets a total apart from the mean of all candidates the most, upwards and downwards."""
    moved = {key: weights[key] * (row[key] - means[key]) for key in weights}
    best, worst = max(moved, key=lambda key: moved[key]), min(moved, key=lambda key: moved[key])
    found = []
    if moved[best] > 0:
        told = {"name": names.get(best, best), "score": percent(row[best]), "mean": percent(means[best])}
        found.append(_("Above others in %(name)s: %(score)s, the mean is %(mean)s.") % told)
    if moved[worst] < 0:
        told = {"name": names.get(worst, worst), "score": percent(row[worst]), "mean": percent(means[worst])}
        found.append(_("Below others in %(name)s: %(score)s, the mean is %(mean)s.") % told)
    return tuple(found)
