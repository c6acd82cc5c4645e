"""Queues in balance: Erlang B (who finds all lines busy goes), C (everybody waits) and A (who waits too long goes).

Contacts come at random (Poisson), handle times and patience are exponential. Each function takes numbers or arrays of any
shapes that fit together, and answers with arrays of their common shape. Shares are 0 to 1.

With E the sum of the states below "all agents busy" and J of those from there on, as multiples of the state in which all are
busy and nobody waits: B = 1 / (1 + E), and P(wait) = J / (E + J). Sources: Erlang 1917; Palm 1957; Garnett, Mandelbaum and
Reiman 2002; the integrals of Mandelbaum and Zeltyn 2005, changed by parts into sums of positive terms.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from scheduling.plain import asked
from scheduling.plain.hills import Floats, Hill, hill

FEW = 40  # up to so many agents their states are added up one by one, which is faster
FAINT = 1e-5  # below this load the sum of so many does not fit into a float


@dataclass(frozen=True)
class Waiting:
    """Erlang C. `service_level`: answered within the answer time; `asa_seconds`: the average wait of all contacts."""

    erlangs: Floats
    p_wait: Floats
    service_level: Floats
    asa_seconds: Floats
    occupancy: Floats


@dataclass(frozen=True)
class Leaving:
    """Erlang A. Four service levels, because four are in use: answered in time of all offered; of the answered; answered or
    gone in time of all offered; answered in time of those who did not go in time. `mean_wait_seconds` is of all,
    `asa_seconds` of the answered; `mean_queue` is the average number of those who wait."""

    erlangs: Floats
    p_wait: Floats
    p_abandon: Floats
    service_level: Floats
    of_answered: Floats
    with_short_abandons: Floats
    without_short_abandons: Floats
    mean_wait_seconds: Floats
    asa_seconds: Floats
    occupancy: Floats
    mean_queue: Floats


def erlang_b(erlangs: ArrayLike, agents: ArrayLike) -> Floats:
    """The share that finds all lines busy and is lost. The load may exceed the lines."""
    load, people = np.broadcast_arrays(asked.positive(asked.ERLANGS, erlangs), asked.agents(agents))
    return (1 / (1 + below(load.ravel(), people.ravel()))).reshape(load.shape)


def erlang_c(
    contacts: ArrayLike,
    handle_seconds: ArrayLike,
    agents: ArrayLike,
    within_seconds: ArrayLike,
    interval_minutes: ArrayLike = 30,
) -> Waiting:
    """The queue where everybody waits. Raises ValueError where the load is not below the number of agents."""
    load, handle, (people, within), shape = _ground(
        contacts,
        handle_seconds,
        interval_minutes,
        asked.agents(agents),
        asked.not_negative(asked.WITHIN, within_seconds),
    )
    too_much = np.flatnonzero(load >= people)
    if too_much.size:
        raise asked.overload(float(load[too_much[0]]), float(people[too_much[0]]))
    idle = 1 - load / people
    with np.errstate(divide="ignore"):
        odds = idle * below(load, people)  # of not having to wait
        p_wait, p_at_once = 1 / (1 + odds), 1 / (1 + 1 / odds)
    spare = (people - load) / handle  # contacts a second that the team could take on top
    return Waiting(
        *(
            each.reshape(shape)
            for each in (
                load,
                p_wait,
                p_at_once - p_wait * np.expm1(-spare * within),
                p_wait / spare,
                load / people,
            )
        )
    )


def erlang_a(
    contacts: ArrayLike,
    handle_seconds: ArrayLike,
    agents: ArrayLike,
    patience_seconds: ArrayLike,
    within_seconds: ArrayLike,
    interval_minutes: ArrayLike = 30,
) -> Leaving:
    """The queue which people leave after `patience_seconds` on average. Any load will do."""
    load, handle, (people, patience, within), shape = _ground(
        contacts,
        handle_seconds,
        interval_minutes,
        asked.agents(agents),
        asked.positive(asked.PATIENCE, patience_seconds),
        asked.not_negative(asked.WITHIN, within_seconds),
    )
    found = leaving(load, handle, people, patience, within)
    return Leaving(*(each.reshape(shape) for each in vars(found).values()))


@dataclass(frozen=True)
class _Cut:
    """The hill over the waiting time of those who are still there, in mean patiences, cut at the answer time `end`.

    `most` contacts come and `served` are handled in one patience. `early` and `late` are the two parts, by their log tops; all
    is a multiple of e^`level`, so that it fits into a float."""

    most: Floats
    served: Floats
    end: Floats
    level: Floats
    low: Floats  # E
    high: Floats  # J
    early: Hill
    late: Hill


def _cut(load: Floats, handle: Floats, people: Floats, patience: Floats, within: Floats, *, weighted: bool) -> _Cut:
    most, served, end = load * patience / handle, people * patience / handle, within / patience
    early = hill(most, served + 1, np.zeros_like(load), end, weighted=weighted)
    late = hill(most, served + 1, end, np.full_like(load, np.inf), weighted=weighted)
    low, log_low = _below(load, people)
    level = np.maximum(np.maximum(early.log_top, late.log_top), log_low)
    early, late = early.lowered(level), late.lowered(level)
    high = np.exp(-level) + most * (early.area + late.area)
    return _Cut(most, served, end, level, low * np.exp(log_low - level), high, early, late)


def served(load: Floats, handle: Floats, people: Floats, patience: Floats, within: Floats) -> tuple[Floats, Floats]:
    """Of all offered by Erlang A the share answered in time, and the share answered; for flat arrays that have been checked."""
    cut = _cut(load, handle, people, patience, within, weighted=False)
    in_time = cut.low + cut.served * cut.early.area
    total = cut.low + cut.high
    return in_time / total, (in_time + cut.served * cut.late.area) / total


def leaving(load: Floats, handle: Floats, people: Floats, patience: Floats, within: Floats) -> Leaving:
    """Erlang A of flat arrays that have been checked."""
    cut = _cut(load, handle, people, patience, within, weighted=True)
    most, early, late = cut.most, cut.early, cut.late
    total = cut.low + cut.high
    answered_in_time = cut.low + cut.served * early.area
    answered = answered_in_time + cut.served * late.area
    gone_in_time = early.area + most * (early.faded - np.expm1(-cut.end) * late.area)
    gone = early.area + late.area + most * (early.faded + late.faded)
    at_end = np.exp(-most * np.expm1(-cut.end) - cut.served * cut.end - cut.level)
    still_there = np.exp(-cut.end) * (at_end + most * late.area)
    settled = answered_in_time + gone_in_time
    p_abandon = gone / total
    return Leaving(
        erlangs=load,
        p_wait=cut.high / total,
        p_abandon=p_abandon,
        service_level=answered_in_time / total,
        of_answered=answered_in_time / answered,
        with_short_abandons=settled / (settled + still_there),
        without_short_abandons=answered_in_time / (answered_in_time + still_there),
        mean_wait_seconds=p_abandon * patience,
        asa_seconds=cut.served * (early.moment + late.moment) / answered * patience,
        occupancy=np.minimum(load * answered / total / people, 1),
        mean_queue=load / handle * p_abandon * patience,
    )


def below(load: Floats, people: Floats) -> Floats:
    """E of flat arrays. Infinite where it does not fit into a float: nobody waits there."""
    found, log_scale = _below(load, people)
    with np.errstate(over="ignore"):
        return found * np.exp(log_scale)


def _below(load: Floats, people: Floats) -> tuple[Floats, Floats]:
    """E as a number and the power of e it is to be multiplied by."""
    found, log_scale = np.empty_like(load), np.zeros_like(load)
    few = (people <= FEW) & (load >= FAINT)
    if few.any():
        found[few] = _added_up(load[few], people[few])
    if not few.all():
        many = ~few
        x, k = load[many], people[many]
        left = hill(x, k, np.full_like(x, -np.inf), np.zeros_like(x))
        found[many], log_scale[many] = k * left.area, left.log_top
    return found, log_scale


def _added_up(load: Floats, people: Floats) -> Floats:
    """n/a + n(n-1)/a² + ... down to the state in which nobody is there."""
    term, total, left, share = np.ones_like(load), np.zeros_like(load), people.copy(), 1 / load
    for _step in range(int(people.max())):
        term *= left
        term *= share
        total += term
        left -= 1
        np.maximum(left, 0, out=left)
    return total


def _ground(
    contacts: ArrayLike, handle_seconds: ArrayLike, interval_minutes: ArrayLike, *others: Floats
) -> tuple[Floats, Floats, list[Floats], tuple[int, ...]]:
    """Load, handle time and the others, flat, with the shape they have in common."""
    counted, handle, interval, *rest = np.broadcast_arrays(
        asked.positive(asked.CONTACTS, contacts),
        asked.positive(asked.HANDLE, handle_seconds),
        asked.positive(asked.INTERVAL, interval_minutes),
        *others,
    )
    load = asked.erlangs(counted, handle, interval)
    return load.ravel(), handle.ravel(), [each.ravel() for each in rest], counted.shape
