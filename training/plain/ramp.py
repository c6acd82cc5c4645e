"""From the first day to working alone: five stages, and the gate at the end of each.

A gate opens on evidence, all of it, and says what is missing and by how much. It opens nothing by itself: a trainer and a
reviewer sign, two people and neither the learner. Shares are compared exactly and satisfaction by its lower bound (see
`wilson`), so that three smiles do not make anybody independent. What there is too little of is missing, never passed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from training.plain import wilson
from training.plain.reading import percent, shown

MOST_EXTENSIONS = 2


class Stage(StrEnum):
    SHADOW = "shadow"
    SIMULATED = "simulated"
    ASSISTED_SIMPLE = "assisted_simple"
    ASSISTED_MIXED = "assisted_mixed"
    INDEPENDENT = "independent"


STAGE_NAMES: dict[Stage, Promise] = {
    Stage.SHADOW: gettext_lazy("Listening in"),
    Stage.SIMULATED: gettext_lazy("Simulated tickets"),
    Stage.ASSISTED_SIMPLE: gettext_lazy("Simple contacts with help"),
    Stage.ASSISTED_MIXED: gettext_lazy("All contacts with help"),
    Stage.INDEPENDENT: gettext_lazy("Working alone"),
}


@dataclass(frozen=True)
class Gate:
    """What has to be shown to leave a stage; None or zero where nothing is asked of that kind.

    `days`: working days in the stage. `passes`: simulated tickets. `quality` over at least `reviews`. `clean`: so many last
    reviews without a critical failure. `satisfaction`: the lower bound of the share of satisfied. `handle`: the own mean handle
    time as a multiple of that of tenured agents, at most. `certificates`: valid on the day.
    """

    days: int = 0
    passes: int = 0
    reviews: int = 0
    quality: Fraction | None = None
    clean: int = 0
    satisfaction: Fraction | None = None
    handle: Fraction | None = None
    certificates: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """A stage of a plan. `target`: the part of the full target. `mix`: the shares of live contacts by complexity, empty where
    there are none. `reviewed`: the share of contacts that somebody reviews. `gate`: to the next stage; the last has none."""

    stage: Stage
    target: Fraction
    mix: Mapping[str, Fraction]
    reviewed: Fraction
    gate: Gate | None


SECURITY = ("security",)
DEFAULT: tuple[Step, ...] = (
    Step(Stage.SHADOW, Fraction(0), {}, Fraction(0), Gate(days=3)),
    Step(Stage.SIMULATED, Fraction(1, 4), {}, Fraction(0), Gate(days=3, passes=5, certificates=SECURITY)),
    Step(
        Stage.ASSISTED_SIMPLE, Fraction(1, 2), {"simple": Fraction(1)}, Fraction(1, 4),
        Gate(days=5, passes=8, reviews=5, quality=Fraction(80, 100), clean=3, handle=Fraction(3, 2), certificates=SECURITY),
    ),
    Step(
        Stage.ASSISTED_MIXED, Fraction(3, 4), {"simple": Fraction(7, 10), "complex": Fraction(3, 10)}, Fraction(1, 10),
        Gate(
            days=5, passes=10, reviews=10, quality=Fraction(85, 100), clean=5, satisfaction=Fraction(75, 100),
            handle=Fraction(6, 5), certificates=SECURITY,
        ),
    ),
    Step(Stage.INDEPENDENT, Fraction(1), {"simple": Fraction(1, 2), "complex": Fraction(1, 2)}, Fraction(1, 50), None),
)  # fmt: skip


def check(steps: Sequence[Step]) -> None:
    """Raises ValueError with a sentence unless `steps` make a plan: each stage in its order, and no step back in target."""
    if [step.stage for step in steps] != list(Stage):
        raise ValueError(_("A ramp has each of the five stages, in their order."))
    for step in steps:
        told = {"stage": STAGE_NAMES[step.stage]}
        if (step.gate is None) != (step.stage is Stage.INDEPENDENT):
            raise ValueError(_("“%(stage)s”: each stage but the last has a gate.") % told)
        if not 0 <= step.target <= 1 or not 0 <= step.reviewed <= 1:
            raise ValueError(_("“%(stage)s”: target and reviews are shares from 0 to 1.") % told)
        if step.mix and (sum(step.mix.values()) != 1 or min(step.mix.values()) < 0):
            raise ValueError(_("“%(stage)s”: the shares of contacts have to add up to 1.") % told)
        if step.mix and step.stage in (Stage.SHADOW, Stage.SIMULATED):
            raise ValueError(_("“%(stage)s”: there are no live contacts yet; leave the shares empty.") % told)
        if step.gate is not None and step.gate.quality is not None and step.gate.reviews < 1:
            raise ValueError(_("“%(stage)s”: say over how many reviews quality is measured.") % told)
    if any(later.target < earlier.target for earlier, later in pairwise(steps)):
        raise ValueError(_("The target grows from stage to stage; sort the shares upwards."))
    if steps[-1].target != 1:
        raise ValueError(_("Who works alone has the whole target."))


# -- the gate ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Review:
    """The score of a contact from 0 to 1, and whether something critical failed in it."""

    score: Fraction
    is_critical: bool = False


@dataclass(frozen=True)
class Evidence:
    """What a learner has shown in a stage. `reviews`: the last one last. `handle_seconds`: own mean and that of tenured agents
    for the same kind of contacts, None where there are none. `certificates`: the first day without each."""

    days: int = 0
    passes: int = 0
    reviews: tuple[Review, ...] = ()
    satisfied: int = 0
    rated: int = 0
    handle_seconds: Fraction | None = None
    tenured_seconds: Fraction | None = None
    certificates: Mapping[str, date] | None = None


@dataclass(frozen=True)
class Missing:
    """One thing that keeps a gate shut: a code for programs, a sentence for people."""

    code: str
    words: str


@dataclass(frozen=True)
class Verdict:
    missing: tuple[Missing, ...]

    @property
    def is_open(self) -> bool:
        return not self.missing


def verdict(gate: Gate, evidence: Evidence, today: date) -> Verdict:
    """Whether the gate opens on this evidence, and if not each thing that is missing."""
    return Verdict(tuple(found for judge in JUDGES for found in judge(gate, evidence, today)))


def _days(gate: Gate, evidence: Evidence, _today: date) -> Iterator[Missing]:
    if (left := gate.days - evidence.days) > 0:
        told = {"left": left, "asked": gate.days}
        yield Missing(
            "days",
            ngettext(
                "%(left)d more working day in this stage, of %(asked)d.",
                "%(left)d more working days in this stage, of %(asked)d.",
                left,
            )
            % told,
        )


def _passes(gate: Gate, evidence: Evidence, _today: date) -> Iterator[Missing]:
    if (left := gate.passes - evidence.passes) > 0:
        told = {"left": left, "asked": gate.passes}
        yield Missing(
            "passes",
            ngettext(
                "%(left)d more simulated ticket to pass, of %(asked)d.",
                "%(left)d more simulated tickets to pass, of %(asked)d.",
                left,
            )
            % told,
        )


def _quality(gate: Gate, evidence: Evidence, _today: date) -> Iterator[Missing]:
    count = len(evidence.reviews)
    if (left := gate.reviews - count) > 0:
        told = {"left": left, "asked": gate.reviews}
        yield Missing(
            "reviews",
            ngettext(
                "%(left)d more review, of %(asked)d: with fewer, quality says too little.",
                "%(left)d more reviews, of %(asked)d: with fewer, quality says too little.",
                left,
            )
            % told,
        )
    elif gate.quality is not None:
        mean = sum((review.score for review in evidence.reviews), Fraction(0)) / count
        if mean < gate.quality:
            told_mean = {"mean": percent(mean), "asked": percent(gate.quality), "by": percent(gate.quality - mean)}
            yield Missing("quality", _("Quality is %(mean)s of %(asked)s: %(by)s are missing.") % told_mean)


def _clean(gate: Gate, evidence: Evidence, _today: date) -> Iterator[Missing]:
    since = 0
    for review in reversed(evidence.reviews):
        if review.is_critical:
            break
        since += 1
    if (left := gate.clean - since) > 0:
        told = {"left": left, "asked": gate.clean}
        yield Missing(
            "critical",
            ngettext(
                "%(left)d more review in a row without a critical failure, of %(asked)d.",
                "%(left)d more reviews in a row without a critical failure, of %(asked)d.",
                left,
            )
            % told,
        )


def _satisfaction(gate: Gate, evidence: Evidence, _today: date) -> Iterator[Missing]:
    if gate.satisfaction is None or wilson.reaches(evidence.satisfied, evidence.rated, gate.satisfaction):
        return
    if not evidence.rated:
        yield Missing("satisfaction", _("No customer has rated a contact yet."))
        return
    found = wilson.interval(evidence.satisfied, evidence.rated)
    told = {
        "satisfied": evidence.satisfied,
        "rated": evidence.rated,
        "low": percent(found.low),
        "asked": percent(gate.satisfaction),
    }
    yield Missing(
        "satisfaction",
        _("%(satisfied)d of %(rated)d were satisfied, which makes at least %(low)s certain; %(asked)s are asked for.")
        % told,
    )


def _handle(gate: Gate, evidence: Evidence, _today: date) -> Iterator[Missing]:
    if gate.handle is None:
        return
    if not evidence.handle_seconds or not evidence.tenured_seconds:
        yield Missing("handle", _("There is no handle time to compare with that of tenured agents yet."))
        return
    most = gate.handle * evidence.tenured_seconds
    if evidence.handle_seconds > most:
        told = {
            "own": shown(evidence.handle_seconds, 0),
            "most": shown(most, 0),
            "over": shown(evidence.handle_seconds - most, 1),
            "asked": percent(gate.handle),
        }
        yield Missing(
            "handle",
            _("A contact takes %(own)s s, at most %(most)s (%(asked)s of tenured agents): %(over)s s too long.") % told,
        )


def _certificates(gate: Gate, evidence: Evidence, today: date) -> Iterator[Missing]:
    held = evidence.certificates or {}
    for name in gate.certificates:
        if name not in held:
            yield Missing("certificate", _("The certificate “%(name)s” has not been signed.") % {"name": name})
        elif held[name] <= today:
            told = {"name": name, "day": held[name].isoformat()}
            yield Missing("certificate", _("The certificate “%(name)s” has ended on %(day)s; renew it.") % told)


JUDGES = (_days, _passes, _quality, _clean, _satisfaction, _handle, _certificates)


# -- what people decide ------------------------------------------------------------------------------------------------------


def unsigned(found: Verdict, learner: int, trainer: int | None, reviewer: int | None) -> str:
    """Why the next stage does not begin yet, as a sentence; empty where it does."""
    if not found.is_open:
        return _("The gate is shut: %(missing)s") % {"missing": " ".join(each.words for each in found.missing)}
    if trainer is None or reviewer is None:
        return _("A trainer and a reviewer have to sign.")
    if trainer == reviewer:
        return _("Trainer and reviewer are two people; let somebody else sign as well.")
    if learner in (trainer, reviewer):
        return _("Nobody signs the own stage; ask another trainer or reviewer.")
    return ""


def not_extended(extensions: int, reason: str) -> str:
    """Why a stage cannot be extended once more, as a sentence; empty where it can."""
    if not reason.strip():
        return _("Say why the stage is extended, so that the learner knows what to work on.")
    if extensions >= MOST_EXTENSIONS:
        return _("The stage was extended %(most)d times already: open the gate on evidence, or stop with a reason.") % {
            "most": MOST_EXTENSIONS
        }
    return ""
