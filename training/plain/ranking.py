"""The scorecard of candidates: criteria with weights, a total, and the reasons for a place.

A place decides nothing; it is what those who decide have before them. Whoever has not been rated in everything has no place
rather than a low one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _

from training.plain.reading import percent


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
