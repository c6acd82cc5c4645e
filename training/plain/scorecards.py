"""Quality scorecards: a form as it is declared, and what a review by it comes to.

A rating on a scale of 2 to 5 steps becomes a share: the lowest step is 0, the highest 1, the others evenly between. What is
not applicable is left out and its weight goes to the rest. A critical item that was rated below the middle of its scale
makes the whole review 0. A review in which nothing was applicable has no score: neither 0 nor 100 %.

A review stays with the version of the form it was made by. Forms are plain JSON values and refused in sentences; this
module knows nothing of training, so that live contacts and simulated tickets are judged by the same forms.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from training.plain import reading, wilson

SCALES = (2, 3, 4, 5)
MOST_ITEMS, MOST_CAUSES, HEAVIEST = 40, 20, 100
ENOUGH = 5  # reviews; fewer say too little for a gate
NOT_APPLICABLE = None
PASSING = Fraction(1, 2)  # of a critical item


@dataclass(frozen=True)
class Item:
    """`scale`: how many steps. `allows_na`: may be not applicable. `causes`: to choose from where it was not rated best."""

    key: str
    title: str
    scale: int
    weight: int
    is_critical: bool
    allows_na: bool
    causes: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    name: str
    items: tuple[Item, ...]


FORM = ("name", "items")
ITEM = ("key", "title", "scale", "weight", "is_critical", "allows_na", "causes")


def read(made: Any) -> Form:
    """The form that `made` declares. Raises ValueError with a sentence for the first thing that is wrong."""
    where = _("the form")
    reading.all_chosen(made, FORM, where)
    items = tuple(
        _item(row, place) for place, row in enumerate(reading.rows(made["items"], 1, MOST_ITEMS, _("items")), 1)
    )
    reading.each_once([item.key for item in items], _("items"))
    if not any(item.weight for item in items):
        raise ValueError(_("Give at least one item a weight above zero, or no review has a score."))
    return Form(reading.words(made, "name", where), items)


def _item(row: Any, place: int) -> Item:
    where = _("item %(place)d") % {"place": place}
    reading.all_chosen(row, ITEM, where)
    key = reading.key(row, "key", where)
    where = _("item “%(key)s”") % {"key": key}
    item = Item(
        key=key,
        title=reading.words(row, "title", where),
        scale=reading.whole(row, "scale", SCALES[0], SCALES[-1], where),
        weight=reading.whole(row, "weight", 0, HEAVIEST, where),
        is_critical=reading.yes_or_no(row, "is_critical", where),
        allows_na=reading.yes_or_no(row, "allows_na", where),
        causes=reading.names(row, "causes", where),
    )
    if len(item.causes) > MOST_CAUSES:
        raise ValueError(_("In %(where)s give %(most)d causes at most.") % {"where": where, "most": MOST_CAUSES})
    if not item.weight and not item.is_critical:
        raise ValueError(
            _("In %(where)s neither weight nor failure counts: make it critical, or give it a weight.")
            % {"where": where}
        )
    return item


# -- one review --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Score:
    """`share` from 0 to 1, None where nothing was applicable. `failed`: keys of the critical items that failed. `parts`: the
    share of each item that was applicable."""

    share: Fraction | None
    failed: tuple[str, ...]
    parts: Mapping[str, Fraction]


def score(form: Form, ratings: Mapping[str, int | None]) -> Score:
    """What a review comes to: for each item its step from 1 up, or None where it was not applicable. Raises ValueError with a
    sentence where a rating is missing, unknown or outside its scale."""
    if unknown := sorted(set(ratings) - {item.key for item in form.items}):
        raise ValueError(_("“%(key)s” is not on this form; it may be one of another version.") % {"key": unknown[0]})
    parts = {item.key: part for item in form.items if (part := _part(item, ratings)) is not None}
    failed = tuple(item.key for item in form.items if item.is_critical and parts.get(item.key, PASSING) < PASSING)
    weights = {item.key: item.weight for item in form.items if item.key in parts}
    whole = sum(weights.values())
    if failed:
        return Score(Fraction(0), failed, parts)
    if not whole:
        return Score(None, (), parts)
    return Score(sum((parts[key] * weight for key, weight in weights.items()), Fraction(0)) / whole, (), parts)


def _part(item: Item, ratings: Mapping[str, int | None]) -> Fraction | None:
    told = {"title": _(item.title), "scale": item.scale}
    if item.key not in ratings:
        raise ValueError(_("“%(title)s” is not rated yet.") % told)
    step = ratings[item.key]
    if step is NOT_APPLICABLE:
        if not item.allows_na:
            raise ValueError(_("“%(title)s” is always applicable; rate it.") % told)
        return None
    if isinstance(step, bool) or not isinstance(step, int) or not 1 <= step <= item.scale:
        raise ValueError(_("“%(title)s” is rated from 1 to %(scale)d.") % told)
    return Fraction(step - 1, item.scale - 1)


# -- many reviews ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """The mean of the reviews that have a score, with its interval; `count` of them. `is_sufficient`: enough to act on. Below
    that the figures may be shown, and no gate and no pay rests on them."""

    count: int
    interval: wilson.Interval | None
    failures: int

    @property
    def is_sufficient(self) -> bool:
        return self.count >= ENOUGH

    @property
    def words(self) -> str:
        told = {"count": self.count, "enough": ENOUGH}
        if self.interval is None:
            return _("Insufficient: no review has a score yet, %(enough)d are needed.") % told
        found = {
            "mean": reading.percent(self.interval.mean),
            "low": reading.percent(self.interval.low),
            "high": reading.percent(self.interval.high),
        }
        if not self.is_sufficient:
            return _("Insufficient: %(count)d of %(enough)d reviews (%(mean)s, between %(low)s and %(high)s).") % (
                told | found
            )
        return _("%(mean)s, between %(low)s and %(high)s, over %(count)d reviews.") % (told | found)


def standing(scores: Iterable[Score]) -> Standing:
    """Over reviews of contacts that were drawn at random: flagged ones are shown beside, or the mean would be one of troubles.

    The interval is that of `wilson` for a sum of scores, and so rather too wide than too narrow.
    """
    rows = [(each.share, bool(each.failed)) for each in scores if each.share is not None]
    failures = sum(failed for _share, failed in rows)
    if not rows:
        return Standing(0, None, 0)
    return Standing(
        len(rows), wilson.interval(sum((share for share, _failed in rows), Fraction(0)), len(rows)), failures
    )


# -- reviewers beside each other -----------------------------------------------------------------------------------------------

AGREED = Fraction(85, 100)


@dataclass(frozen=True)
class Calibration:
    """How near reviewers are to each other who have rated the same contacts, blind.

    `agreement`: of all pairs of ratings of the same item, the share that is equal, where not applicable is equal to itself
    only. `spread`: by item, the mean difference between the highest and the lowest, in shares of the scale. `drift`: by
    reviewer, the mean of own scores less those of the others; above zero is generous. All None or empty where nobody rated
    with another.
    """

    pairs: int
    agreement: Fraction | None
    spread: Mapping[str, Fraction]
    drift: Mapping[int, Fraction]

    @property
    def is_agreed(self) -> bool:
        return self.agreement is not None and self.agreement >= AGREED


def calibration(form: Form, rated: Mapping[str, Mapping[int, Mapping[str, int | None]]]) -> Calibration:
    """From the ratings by contact and reviewer. What was rated for calibration counts for nobody's score or pay."""
    together = {contact: rows for contact, rows in rated.items() if len(rows) > 1}
    scores = {
        contact: {reviewer: score(form, ratings) for reviewer, ratings in rows.items()}
        for contact, rows in together.items()
    }
    equal = pairs = 0
    for rows in together.values():
        for item in form.items:
            steps = [ratings[item.key] for ratings in rows.values()]
            couples = [(one, other) for place, one in enumerate(steps) for other in steps[place + 1 :]]
            pairs += len(couples)
            equal += sum(one == other for one, other in couples)
    return Calibration(
        pairs, Fraction(equal, pairs) if pairs else None, _spread(form, scores.values()), _drift(scores.values())
    )


def _spread(form: Form, scores: Iterable[Mapping[int, Score]]) -> dict[str, Fraction]:
    widths: dict[str, list[Fraction]] = {}
    for rows in scores:
        for item in form.items:
            parts = [each.parts[item.key] for each in rows.values() if item.key in each.parts]
            if len(parts) > 1:
                widths.setdefault(item.key, []).append(max(parts) - min(parts))
    return {key: _mean(found) for key, found in widths.items()}


def _drift(scores: Iterable[Mapping[int, Score]]) -> dict[int, Fraction]:
    ahead: dict[int, list[Fraction]] = {}
    for rows in scores:
        shares = {reviewer: each.share for reviewer, each in rows.items() if each.share is not None}
        for reviewer, share in shares.items():
            if others := [other for someone, other in shares.items() if someone != reviewer]:
                ahead.setdefault(reviewer, []).append(share - _mean(others))
    return {reviewer: _mean(found) for reviewer, found in sorted(ahead.items())}


def _mean(found: Sequence[Fraction]) -> Fraction:
    return sum(found, Fraction(0)) / len(found)
