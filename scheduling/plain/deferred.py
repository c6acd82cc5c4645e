"""Mail and tickets: work that may wait until it is due, oldest first.

What comes in a half hour can be begun in the next one, and is in time if it is done by the end of the half hour so many later.
The team is enough if in no span of time more work comes and falls due than it can do there; the fewest follow from the span
that asks the most. Nothing is drawn at random: due times are hours, and chance evens out within them.
"""

from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import ArrayLike

from scheduling.plain import asked
from scheduling.plain.hills import Floats


@dataclass(frozen=True)
class Deferred:
    """`agents`, not rounded, in every open half hour. `first` to `last`, both included, is the span that decides; None where
    nothing falls due."""

    agents: float
    first: int | None
    last: int | None


@dataclass(frozen=True)
class Worked:
    """In agents for a half hour, for each half hour: what was done, what is left at its end, and what of that is late."""

    done: Floats
    backlog: Floats
    late: Floats


def fewest_by_due(
    contacts: ArrayLike,
    handle_seconds: ArrayLike,
    due_half_hours: int,
    is_open: ArrayLike = True,
    spare: ArrayLike = 0.0,
    interval_minutes: float = 30,
) -> Deferred:
    """The fewest agents, the same in each open half hour, that have all done in time.

    `spare`: agents who are there anyway and have time, such as the pauses between calls. What falls due after the last half
    hour is not asked for: give enough of them. Raises ValueError where work falls due and nobody could do it."""
    work, extra = np.broadcast_arrays(
        _work(contacts, handle_seconds, interval_minutes), asked.not_negative(asked.AGENTS, spare)
    )
    _check_due(due_half_hours)
    came, offered, opened = (_added_up(each) for each in (work, extra, np.broadcast_to(is_open, work.shape)))
    most, span = 0.0, None
    for first in range(work.size - due_half_hours):
        ends = np.arange(first + 1, work.size - due_half_hours + 1)  # after the last half hour in which work came
        lacking = came[ends] - came[first] - (offered[ends + due_half_hours] - offered[first + 1])
        hours = opened[ends + due_half_hours] - opened[first + 1]
        stuck = np.flatnonzero((hours == 0) & (lacking > 1e-9))
        if stuck.size:
            raise _nobody_there(first, int(ends[stuck[0]]) - 1 + due_half_hours)
        asks = lacking / np.maximum(hours, 1)
        place = int(asks.argmax())
        if asks[place] > most:
            most, span = float(asks[place]), (first, int(ends[place]) - 1 + due_half_hours)
    return Deferred(most, *(span or (None, None)))


def worked(
    contacts: ArrayLike,
    handle_seconds: ArrayLike,
    due_half_hours: int,
    agents: ArrayLike,
    interval_minutes: float = 30,
) -> Worked:
    """How a day goes with `agents` in each half hour (parts of an agent allowed), oldest work first."""
    work, people = np.broadcast_arrays(
        _work(contacts, handle_seconds, interval_minutes), asked.not_negative(asked.AGENTS, agents)
    )
    _check_due(due_half_hours)
    came, could = _added_up(work), _added_up(people)
    ahead = came[:-1] - could[1:]  # below zero by what could have been done when there was nothing to do
    backlog = ahead - np.minimum(np.minimum.accumulate(ahead), 0)
    finished = came[:-1] - backlog
    due = np.concatenate((np.zeros(due_half_hours), came[1:]))[: work.size]
    late = np.maximum(due - finished, 0)
    return Worked(np.diff(finished, prepend=0.0), backlog + work, late)


def _work(contacts: ArrayLike, handle_seconds: ArrayLike, interval_minutes: float) -> Floats:
    counted = np.atleast_1d(asked.not_negative(asked.CONTACTS, contacts))
    interval = asked.positive(asked.INTERVAL, interval_minutes)
    return asked.erlangs(counted, asked.positive(asked.HANDLE, handle_seconds), interval)


def _added_up(each: ArrayLike) -> Floats:
    return np.concatenate(([0.0], np.cumsum(each, dtype=np.float64)))


def _check_due(due_half_hours: int) -> None:
    if not isinstance(due_half_hours, int) or due_half_hours < 1:
        raise ValueError(_("Work falls due one or more whole half hours after it came."))


def _nobody_there(first: int, last: int) -> ValueError:
    told = {"first": first + 1, "last": last + 1}
    return ValueError(
        _(
            "What comes in half hour %(first)d falls due by half hour %(last)d, and nobody works in between. Open a half hour"
            " or allow more time."
        )
        % told
    )
