"""The structured screen: the same two questions for everybody, for they tell best who stays with remote work.

Has this person worked remotely full time before, and worked freelance or run a business? An answer counts with its months
and with how it was checked; part time and unchecked claims are noted and do not count. Where somebody sits is information
and no answer: a vacancy that filters by time zone has to say why.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from training.plain.certificates import months_after

LEAST_MONTHS = 6
KEEP_MONTHS = 6  # what is known of people who were not taken on
SHORTEST_REASON = 10


class Predictor(StrEnum):
    REMOTE = "remote"
    OWN_WORK = "own_work"


PREDICTOR_NAMES: dict[Predictor, Promise] = {
    Predictor.REMOTE: gettext_lazy("full-time remote work"),
    Predictor.OWN_WORK: gettext_lazy("freelance work or an own business"),
}


class Asked(StrEnum):
    """How many of the two a vacancy asks for."""

    EITHER = "either"
    BOTH = "both"


class Check(StrEnum):
    """How an answer was checked."""

    NOT_YET = "not_yet"
    CONTRACT = "contract"
    REFERENCE = "reference"
    PORTFOLIO = "portfolio"


@dataclass(frozen=True)
class Answer:
    months: int
    check: Check
    is_full_time: bool = True


class Outcome(StrEnum):
    PASSED = "passed"
    TO_CHECK = "to_check"  # would pass if what was said is true
    BY_EXCEPTION = "by_exception"  # that somebody else approved
    FAILED = "failed"


@dataclass(frozen=True)
class Screened:
    """`words`: a sentence for each of the two questions, and one on what to do."""

    outcome: Outcome
    met: frozenset[Predictor]
    words: tuple[str, ...]


def screen(
    answers: Mapping[Predictor, Answer], asked: Asked, *, least_months: int = LEAST_MONTHS, has_exception: bool = False
) -> Screened:
    """What the answers come to. A question without an answer was answered with no. `has_exception`: somebody else approved that
    this person goes on without."""
    met = frozenset(each for each in Predictor if _is_met(answers.get(each), least_months))
    claimed = frozenset(each for each in Predictor if _is_met(answers.get(each), least_months, checked=False))
    words = [_found(each, answers.get(each), least_months) for each in Predictor]
    if _is_enough(met, asked):
        return Screened(Outcome.PASSED, met, (*words, _("That is what this vacancy asks for.")))
    if _is_enough(claimed, asked):
        return Screened(
            Outcome.TO_CHECK, met, (*words, _("Check it by a contract, a reference or a portfolio to go on."))
        )
    if has_exception:
        return Screened(Outcome.BY_EXCEPTION, met, (*words, _("Goes on by an exception that was approved.")))
    return Screened(
        Outcome.FAILED,
        met,
        (*words, _("This vacancy asks for more: reject with this reason, or ask for an exception.")),
    )


def _is_enough(found: Collection[Predictor], asked: Asked) -> bool:
    return len(found) == len(Predictor) if asked is Asked.BOTH else bool(found)


def _is_met(answer: Answer | None, least_months: int, *, checked: bool = True) -> bool:
    if answer is None or not answer.is_full_time or answer.months < least_months:
        return False
    return answer.check is not Check.NOT_YET or not checked


def _found(predictor: Predictor, answer: Answer | None, least_months: int) -> str:
    told = {"what": PREDICTOR_NAMES[predictor], "least": least_months}
    if answer is None or answer.months < 1:
        return _("No %(what)s.") % told
    told["months"] = answer.months
    if not answer.is_full_time:
        return _("%(months)d months of %(what)s, but part time: that does not count.") % told
    if answer.months < least_months:
        return ngettext(
            "%(months)d month of %(what)s, at least %(least)d are asked for.",
            "%(months)d months of %(what)s, at least %(least)d are asked for.",
            answer.months,
        ) % told  # fmt: skip
    if answer.check is Check.NOT_YET:
        return _("%(months)d months of %(what)s by the candidate's own word.") % told
    return _("%(months)d months of %(what)s, checked.") % told


def zone_filter_lacks(zones: Collection[str], reason: str) -> str:
    """Why a vacancy may not filter by these time zones, as a sentence; empty where it may."""
    if zones and len(reason.strip()) < SHORTEST_REASON:
        return _(
            "Time zones tell nothing about how well somebody works. Say in a sentence why only these are possible, or take"
            " the filter away."
        )
    return ""


# -- how long data of rejected people is kept ----------------------------------------------------------------------------------


def erase_on(
    closed_on: date, *, months: int = KEEP_MONTHS, agreed_until: date | None = None, is_held: bool = False
) -> date | None:
    """The day on which what is known of somebody who was not taken on, or withdrew, is erased. `agreed_until`: the last day to
    which this person agreed to be kept in mind. None while it is held for a complaint."""
    if months < 1:
        raise ValueError(
            _("Data is kept for at least one month, so that a question about the decision can be answered.")
        )
    if is_held:
        return None
    due = months_after(closed_on, months)
    return due if agreed_until is None else max(due, agreed_until)
