"""How many agents a load needs: the fewest that reach a target, and how many to plan so that so many are there.

Targets are compared as people mean them: a goal that is reached exactly is reached, and an occupancy cap is compared in exact
fractions of the decimals that were written. People are rounded up once, at the end.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import ArrayLike, NDArray

from scheduling.plain import asked
from scheduling.plain.asked import Whole
from scheduling.plain.erlang import below, leaving, served
from scheduling.plain.hills import Floats

EDGE = 1e-12  # a goal missed by less than this is reached
CHUNK = 4096  # half hours at a time


@dataclass(frozen=True)
class Target:
    """What is to be reached; each part is a number, or an array with one for each half hour, and None where it is not asked.

    `service_level` of all offered contacts answered within `within_seconds`; an average wait of at most `asa_seconds`, of all
    contacts by Erlang C, of the answered ones by Erlang A; agents busy for at most `most_occupancy` of their time; at most
    `most_abandoned` giving up, which needs a patience."""

    service_level: ArrayLike | None = None
    within_seconds: ArrayLike | None = None
    asa_seconds: ArrayLike | None = None
    most_occupancy: ArrayLike = 1.0
    most_abandoned: ArrayLike | None = None


@dataclass(frozen=True)
class Need:
    """`agents` have to be there, and `scheduled` to be planned, for each half hour."""

    agents: Whole
    scheduled: Whole


@dataclass(frozen=True)
class _Asked:
    """A question in flat arrays: what is not asked stands at a value that is always reached."""

    contacts: Floats
    handle: Floats
    interval: Floats
    chats: Floats
    goal: Floats
    within: Floats
    wait: Floats
    cap: Floats
    gone: Floats
    patience: Floats

    @property
    def load(self) -> Floats:
        return asked.erlangs(self.contacts, self.handle, self.interval)

    def part(self, which: slice | Whole) -> "_Asked":
        return _Asked(*(each[which] for each in vars(self).values()))


def fewest(
    contacts: ArrayLike,
    handle_seconds: ArrayLike,
    target: Target,
    patience_seconds: ArrayLike | None = None,
    interval_minutes: ArrayLike = 30,
    concurrency: ArrayLike = 1,
) -> Whole:
    """The fewest agents that reach all parts of `target`: by Erlang C, or by Erlang A where a patience is given.

    `concurrency`: chats an agent has at once; each then counts as so many lines, and `handle_seconds` is how long a chat takes
    among that many. Raises ValueError for what makes no sense and where more than 5,000 would be needed."""
    question, shape = _question(contacts, handle_seconds, target, patience_seconds, interval_minutes, concurrency)
    size = question.load.size
    search = _by_waiting if patience_seconds is None else _by_leaving
    lines = np.empty(size, dtype=np.int64)
    for first in range(0, size, CHUNK):
        lines[first : first + CHUNK] = search(question.part(slice(first, first + CHUNK)), first, size)
    if not (question.chats > 1).any():
        return lines.reshape(shape)
    shared = asked.whole_above(
        lines / question.chats, lambda place: int(lines[place]) / asked.as_written(question.chats[place])
    )
    return shared.reshape(shape)


def need(
    contacts: ArrayLike,
    handle_seconds: ArrayLike,
    target: Target,
    shrinkage: ArrayLike = 0.0,
    patience_seconds: ArrayLike | None = None,
    interval_minutes: ArrayLike = 30,
    concurrency: ArrayLike = 1,
) -> Need:
    """The same for a day as it is forecast, where half hours without contacts need nobody."""
    counted = asked.not_negative(asked.CONTACTS, contacts)
    busy = counted > 0
    found = fewest(
        np.where(busy, counted, 1.0), handle_seconds, target, patience_seconds, interval_minutes, concurrency
    )
    agents = np.where(busy, found, 0)
    return Need(agents, scheduled(agents, shrinkage))


def gross(net: ArrayLike, shrinkage: ArrayLike) -> Floats:
    """People to plan, not rounded, so that `net` are there: net / (1 - s). Add up queues and teams of these."""
    return asked.not_negative(asked.AGENTS, net) / (1 - asked.shrinkage(shrinkage))


def scheduled(net: ArrayLike, shrinkage: ArrayLike) -> Whole:
    """Whole people to plan so that `net` are there. `net` may be a sum, or a sum of `gross` with no shrinkage left: what floats
    add to it beyond nine decimals is nobody."""
    many, share = np.broadcast_arrays(asked.not_negative(asked.AGENTS, net), asked.shrinkage(shrinkage))
    flat, shares = many.ravel(), share.ravel()
    found = asked.whole_above(
        flat / (1 - shares),
        lambda place: asked.as_written(round(flat[place], 9)) / (1 - asked.as_written(shares[place])),
    )
    return found.reshape(many.shape)


def _question(
    contacts: ArrayLike,
    handle_seconds: ArrayLike,
    target: Target,
    patience_seconds: ArrayLike | None,
    interval_minutes: ArrayLike,
    concurrency: ArrayLike,
) -> tuple[_Asked, tuple[int, ...]]:
    if target.service_level is None and target.asa_seconds is None and target.most_abandoned is None:
        raise ValueError(_("The target is missing: give a service level, an average wait or a share that may give up."))
    if (target.service_level is None) != (target.within_seconds is None):
        raise ValueError(
            _("A service level and its answer time go together: give both, such as 0.8 within 20 seconds.")
        )
    if target.most_abandoned is not None and patience_seconds is None:
        raise ValueError(_("Say how long people wait before they give up; without it nobody is expected to."))
    parts = (
        asked.positive(asked.CONTACTS, contacts),
        asked.positive(asked.HANDLE, handle_seconds),
        asked.positive(asked.INTERVAL, interval_minutes),
        asked.concurrency(concurrency),
        np.zeros(()) if target.service_level is None else asked.share(asked.SERVICE_LEVEL, target.service_level),
        np.zeros(()) if target.within_seconds is None else asked.not_negative(asked.WITHIN, target.within_seconds),
        np.full((), np.inf) if target.asa_seconds is None else asked.positive(asked.AVERAGE_WAIT, target.asa_seconds),
        asked.share_or_all(asked.OCCUPANCY, target.most_occupancy),
        np.ones(()) if target.most_abandoned is None else asked.share_or_all(asked.ABANDONED, target.most_abandoned),
        np.ones(()) if patience_seconds is None else asked.positive(asked.PATIENCE, patience_seconds),
    )
    shape = np.broadcast_shapes(*(each.shape for each in parts))
    return _Asked(*(np.broadcast_to(each, shape).ravel() for each in parts)), shape


def _by_waiting(question: _Asked, first: int, size: int) -> Whole:
    """Erlang C: from the first number that can carry the load, one more at a time, until each half hour has reached its
    target. From one number of agents to the next there are no more than a few multiplications."""
    load = question.load
    found = _least_for_occupancy(question, load)
    _refuse_above(found, first, size)
    people, handle = found.astype(np.float64), question.handle
    late, step = np.exp((load - people) * question.within / handle), np.exp(-question.within / handle)
    missed, wait = 1 - question.goal + EDGE, question.wait * (1 + EDGE)
    left = np.arange(load.size)
    table = np.stack((load, people, below(load, people), handle, late, step, missed, wait))
    while True:
        load, people, low, handle, late, step, missed, wait = table
        with np.errstate(over="ignore"):
            spare = people - load
            certain = 1 + spare / people * low  # 1 / P(wait)
            reached = (late <= missed * certain) & (handle <= wait * spare * certain)
        if reached.all():
            return found
        open_ = np.flatnonzero(~reached)
        left, table = left[open_], table.take(open_, axis=1)
        load, people, low, _handle, late, step, _missed, _wait = table
        people += 1
        low += 1
        low *= people / load
        late *= step
        found[left] += 1
        if people.max() > asked.MOST_AGENTS:
            _refuse_above(found, first, size)


def _least_for_occupancy(question: _Asked, load: Floats) -> Whole:
    """The fewest that can carry the load at all, with nobody busy for more than the cap."""
    stable = np.floor(load).astype(np.int64) + 1
    capped = np.flatnonzero(question.cap < 1)
    if not capped.size:
        return stable
    part = question.part(capped)

    def exactly(place: int) -> Fraction:
        written = (part.contacts[place], part.handle[place], part.interval[place], part.cap[place])
        contacts, handle, minutes, cap = (asked.as_written(each) for each in written)
        return contacts * handle / (minutes * 60 * cap)

    quotients = np.minimum(load[capped] / part.cap, 1e15)
    stable[capped] = np.maximum(stable[capped], asked.whole_above(quotients, exactly))
    return stable


def _by_leaving(question: _Asked, first: int, size: int) -> Whole:
    """Erlang A: more agents are never worse, so the fewest are found by halving. They may be fewer than the load, but not than
    keep busy with what has to be answered."""
    load = question.load
    least = load * np.maximum(question.goal, 1 - question.gone)
    unmet = np.clip(np.ceil(least * (1 - 1e-9)) - 1, 0, asked.MOST_AGENTS).astype(np.int64)
    likely = np.ceil(load + np.sqrt(load)) + 1
    found = np.minimum(likely, asked.MOST_AGENTS).astype(np.int64)
    short = np.flatnonzero(~_is_reached(question, load, found))
    unmet[short], found[short] = found[short], asked.MOST_AGENTS
    beyond = short[~_is_reached(question.part(short), load[short], found[short])]
    found[beyond] += 1
    _refuse_above(found, first, size)
    left = np.flatnonzero(found - unmet > 1)
    while left.size:
        middle = (found[left] + unmet[left]) // 2
        reached = _is_reached(question.part(left), load[left], middle)
        found[left[reached]], unmet[left[~reached]] = middle[reached], middle[~reached]
        left = left[found[left] - unmet[left] > 1]
    return found


def _is_reached(question: _Asked, load: Floats, agents: Whole) -> NDArray[np.bool_]:
    ground = load, question.handle, agents.astype(np.float64), question.patience, question.within
    in_time, answered = served(*ground)
    reached = (
        (in_time >= question.goal - EDGE)
        & (1 - answered <= question.gone + EDGE)
        & (load * answered <= agents * (question.cap + EDGE))
    )
    if np.isfinite(question.wait).any():
        reached &= leaving(*ground).asa_seconds <= question.wait * (1 + EDGE)
    return reached


def _refuse_above(found: Whole, first: int, size: int) -> None:
    beyond = np.flatnonzero(found > asked.MOST_AGENTS)
    if beyond.size:
        raise asked.out_of_range(asked.where(first + int(beyond[0]), size))
