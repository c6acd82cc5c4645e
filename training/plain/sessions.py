"""Planned training takes place, whatever the volume: the states of a session, and what protects one that is confirmed.

A confirmed session is cancelled or moved only for one of four reasons and only with the approval of somebody who did not ask.
Volume is none of the reasons: who gives it is told so, and the attempt is counted. Whoever has no new date within ten working
days, by their own calendar, is owed the minutes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from training.plain.workdays import IsWorked, is_within

NEW_DATE_WITHIN = 10  # working days


class State(StrEnum):
    PROPOSED = "proposed"
    STAFFING_APPROVED = "staffing_approved"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    RESCHEDULED = "rescheduled"  # another session stands in its place


FOLLOWS: dict[State, tuple[State, ...]] = {
    State.PROPOSED: (State.STAFFING_APPROVED, State.CANCELLED),
    State.STAFFING_APPROVED: (State.CONFIRMED, State.PROPOSED, State.CANCELLED),
    State.CONFIRMED: (State.IN_PROGRESS, State.CANCELLED, State.RESCHEDULED),
    State.IN_PROGRESS: (State.COMPLETED, State.CANCELLED, State.RESCHEDULED),
    State.COMPLETED: (),
    State.CANCELLED: (),
    State.RESCHEDULED: (),
}
PROTECTED = frozenset({State.CONFIRMED, State.IN_PROGRESS})
GIVEN_UP = frozenset({State.CANCELLED, State.RESCHEDULED})


def may_follow(state: State, following: State) -> bool:
    return following in FOLLOWS[state]


class Reason(StrEnum):
    """Why a confirmed session may be given up. There is no other reason."""

    TRAINER_ILL = "trainer_ill"
    LEGAL_EMERGENCY = "legal_emergency"
    PLATFORM_DOWN = "platform_down"
    MASS_ABSENCE = "mass_absence"


REASON_NAMES: dict[Reason, Promise] = {
    Reason.TRAINER_ILL: gettext_lazy("The trainer is ill and nobody can stand in"),
    Reason.LEGAL_EMERGENCY: gettext_lazy("A legal emergency"),
    Reason.PLATFORM_DOWN: gettext_lazy("The platform is down"),
    Reason.MASS_ABSENCE: gettext_lazy("Too many of the group are absent"),
}
MEANS_VOLUME = frozenset({"volume", "busy", "too_busy", "peak", "queue", "backlog", "service_level", "understaffed"})


@dataclass(frozen=True)
class Change:
    """The wish to cancel a session, or to move it to `new_on` for those of its group in `moved`. People are numbers; days are
    local to the session."""

    to: State
    reason: str
    asked_by: int
    asked_on: date
    approved_by: int | None = None
    new_on: date | None = None
    moved: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Objection:
    """Why a change is refused. `code` is for programs, `words` for people; `is_volume`: counted and shown as an attempt."""

    code: str
    words: str
    is_volume: bool = False


def objection(state: State, change: Change) -> Objection | None:
    """What speaks against giving up a session in this state; None where it may be done now.

    "needs_approval" is the one objection that another person's yes takes away; every other stands whoever approves.
    """
    if change.to not in GIVEN_UP:
        raise ValueError(f"{change.to} gives no session up")
    if not may_follow(state, change.to):
        if change.to is State.RESCHEDULED and may_follow(state, State.CANCELLED):
            return Objection(
                "not_confirmed", _("This session is not confirmed yet: change its time, nothing is lost by it.")
            )
        return Objection("is_over", _("This session is over or given up already; there is nothing left to change."))
    if state not in PROTECTED:
        return None
    return _no_reason(change) or _no_date(change) or _not_approved(change)


def _no_reason(change: Change) -> Objection | None:
    if change.reason.strip().lower().replace(" ", "_") in MEANS_VOLUME:
        return Objection(
            "volume",
            _(
                "Volume is no reason to give up a training: it is planned into the roster, and the team gets slower without it."
                " Ask for help on the queue instead; this attempt has been counted."
            ),
            is_volume=True,
        )
    if change.reason not in tuple(Reason):
        told = {"reasons": ", ".join(f"“{name}”" for name in REASON_NAMES.values())}
        return Objection(
            "no_such_reason", _("Choose one of the reasons for which it may be given up: %(reasons)s.") % told
        )
    return None


def _no_date(change: Change) -> Objection | None:
    if change.to is not State.RESCHEDULED:
        return None
    if change.new_on is None:
        return Objection("no_new_date", _("Give the new date, or cancel the session: its hours are owed then."))
    if change.new_on < change.asked_on:
        return Objection("date_is_past", _("The new date is in the past; give one that is still to come."))
    return None


def _not_approved(change: Change) -> Objection | None:
    if change.approved_by is None:
        return Objection("needs_approval", _("The session is confirmed: somebody else has to approve giving it up."))
    if change.approved_by == change.asked_by:
        return Objection("own_request", _("Somebody else has to approve this: it was asked for by the same person."))
    return None


def owed(group: Mapping[int, int], was_on: date, change: Change, calendars: Mapping[int, IsWorked]) -> dict[int, int]:
    """Minutes that are owed after a change, by person, of the minutes that each of the `group` should have had.

    Nothing is owed to who has a new date no later than ten working days after the old one, by that person's own calendar.
    """

    def has_new_date(person: int) -> bool:
        return (
            change.to is State.RESCHEDULED
            and change.new_on is not None
            and person in change.moved
            and is_within(change.new_on, NEW_DATE_WITHIN, was_on, calendars[person])
        )

    return {person: minutes for person, minutes in group.items() if not has_new_date(person)}


# -- how many were kept ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """A session that was confirmed once, and what became of it. `lead`: of the team that was to be trained. `attempts`: to give
    it up for volume, each of them refused."""

    lead: int
    state: State
    reason: Reason | None = None
    attempts: int = 0


@dataclass(frozen=True)
class Kept:
    """`decided`: sessions that took place or were given up; those still to come are in neither figure. `lost`: given up, by
    reason. `attempts`: for volume, refused."""

    held: int
    decided: int
    lost: Mapping[Reason, int]
    attempts: int

    @property
    def rate(self) -> Fraction | None:
        """The share that took place as confirmed; None where nothing has been decided yet."""
        return Fraction(self.held, self.decided) if self.decided else None


def kept(outcomes: Iterable[Outcome]) -> Kept:
    """How many confirmed sessions took place. One that was moved has not been kept, whatever became of its new date: that
    stands as a session of its own."""
    rows = list(outcomes)
    lost = Counter(each.reason for each in rows if each.state in GIVEN_UP and each.reason is not None)
    held = sum(each.state is State.COMPLETED for each in rows)
    decided = held + sum(each.state in GIVEN_UP for each in rows)
    by_reason = {reason: lost[reason] for reason in Reason if lost[reason]}
    return Kept(held, decided, by_reason, sum(each.attempts for each in rows))


def kept_by_lead(outcomes: Iterable[Outcome]) -> dict[int, Kept]:
    rows: dict[int, list[Outcome]] = {}
    for each in outcomes:
        rows.setdefault(each.lead, []).append(each)
    return {lead: kept(rows[lead]) for lead in sorted(rows)}
