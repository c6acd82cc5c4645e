"""Small queues told honestly: how often the target is reached, with one agent less and one more beside it.

An average of 84 % hides that every fourth half hour of eight contacts misses 80 %. There is no handy formula for that share,
so days are played: contacts at random, in the order they come, each to whoever is free first. The same seed plays the same
days, for each number of agents, so that the three are compared on equal terms and the answer is the same tomorrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from scheduling.plain import asked
from scheduling.plain.erlang import erlang_a, erlang_c
from scheduling.plain.hills import Floats
from scheduling.plain.staffing import Target, fewest

DAYS, HALF_HOURS, SEED = 1000, 16, 20_260_401  # days that are played, and how long a day is open
WARM_UP = 4  # half hours before the first that counts: a queue does not begin empty
MOST_A_DAY = 5000  # contacts; from there on the average tells enough


@dataclass(frozen=True)
class Queue:
    """A queue in one interval. Without `patience_seconds` everybody waits."""

    contacts: float
    handle_seconds: float
    patience_seconds: float | None = None
    interval_minutes: float = 30

    @property
    def erlangs(self) -> float:
        return self.contacts * self.handle_seconds / (self.interval_minutes * 60)


@dataclass(frozen=True)
class Aim:
    """`share` of the contacts answered within `within_seconds`."""

    share: float = 0.8
    within_seconds: float = 20

    @property
    def target(self) -> Target:
        return Target(self.share, self.within_seconds)


@dataclass(frozen=True)
class Chance:
    """With so many agents: the average by formula, and the shares of played intervals and days that reach the aim. All None
    where the agents cannot carry the load: then the wait grows all day, and no share would mean anything."""

    agents: int
    service_level: float | None
    occupancy: float | None
    intervals: float | None
    days: float | None


@dataclass(frozen=True)
class Pooling:
    """Queues apart and as one: what each needs, and what one team for all of them would need."""

    apart: tuple[int, ...]
    pooled: int

    @property
    def saved(self) -> int:
        return sum(self.apart) - self.pooled


def side_by_side(
    queue: Queue, aim: Aim, *, half_hours: int = HALF_HOURS, days: int = DAYS, seed: int = SEED
) -> tuple[Chance, ...]:
    """The fewest agents whose average reaches the aim, with one less (where that is anybody) and one more."""
    agents = _fewest(queue, aim)
    return tuple(
        chance(queue, aim, many, half_hours=half_hours, days=days, seed=seed)
        for many in (agents - 1, agents, agents + 1)
        if many > 0
    )


def chance(
    queue: Queue, aim: Aim, agents: int, *, half_hours: int = HALF_HOURS, days: int = DAYS, seed: int = SEED
) -> Chance:
    """How often `agents` reach the aim. `half_hours`: intervals of a day. A day or interval without contacts reaches it."""
    asked.agents(agents)
    _check(queue, aim, half_hours, days)
    if queue.patience_seconds is None:
        if agents <= queue.erlangs:
            return Chance(agents, None, None, None, None)
        formula = erlang_c(queue.contacts, queue.handle_seconds, agents, aim.within_seconds, queue.interval_minutes)
        level, occupancy = float(formula.service_level), float(formula.occupancy)
    else:
        told = erlang_a(
            queue.contacts,
            queue.handle_seconds,
            agents,
            queue.patience_seconds,
            aim.within_seconds,
            queue.interval_minutes,
        )
        level, occupancy = float(told.service_level), float(told.occupancy)
    offered, in_time = _played(queue, aim.within_seconds, agents, half_hours, days, seed)
    return Chance(
        agents,
        level,
        occupancy,
        float(np.mean(_reaches(offered, in_time, aim.share))),
        float(np.mean(_reaches(offered.sum(axis=1), in_time.sum(axis=1), aim.share))),
    )


def fewest_for_days(queue: Queue, aim: Aim, share_of_days: float, *, half_hours: int = HALF_HOURS) -> Chance:
    """The fewest agents with which `share_of_days` reach the aim, such as 19 days of 20."""
    wanted = float(asked.share(asked.SERVICE_LEVEL, share_of_days))
    agents = _fewest(queue, aim)
    found = chance(queue, aim, agents, half_hours=half_hours)
    while found.days is None or found.days < wanted:
        agents += 1
        found = chance(queue, aim, agents, half_hours=half_hours)
    return found


def pooling(queues: Sequence[Queue], aim: Aim) -> Pooling:
    """What one team for several queues saves. The pooled handle time is the average over all contacts, as is the patience."""
    if not queues:
        raise ValueError(_("Name at least one queue."))
    if len({(queue.interval_minutes, queue.patience_seconds is None) for queue in queues}) > 1:
        raise ValueError(_("Only queues of the same interval can be pooled, all with a patience or all without."))
    contacts = sum(queue.contacts for queue in queues)
    patience = None
    if queues[0].patience_seconds is not None:
        patience = sum(queue.contacts * (queue.patience_seconds or 0) for queue in queues) / contacts
    pooled = Queue(
        contacts,
        sum(queue.contacts * queue.handle_seconds for queue in queues) / contacts,
        patience,
        queues[0].interval_minutes,
    )
    return Pooling(tuple(_fewest(queue, aim) for queue in queues), _fewest(pooled, aim))


def _fewest(queue: Queue, aim: Aim) -> int:
    return int(fewest(queue.contacts, queue.handle_seconds, aim.target, queue.patience_seconds, queue.interval_minutes))


def _check(queue: Queue, aim: Aim, half_hours: int, days: int) -> None:
    asked.positive(asked.CONTACTS, queue.contacts)
    asked.positive(asked.HANDLE, queue.handle_seconds)
    asked.share(asked.SERVICE_LEVEL, aim.share)
    if half_hours < 1 or days < 1:
        raise ValueError(_("A day has at least one half hour, and at least one day has to be played."))
    if queue.contacts * half_hours > MOST_A_DAY:
        told = {"count": f"{queue.contacts * half_hours:.0f}", "most": MOST_A_DAY}
        raise ValueError(
            _("%(count)s contacts a day are not a small queue: above %(most)d go by the average service level.") % told
        )


def _reaches(offered: NDArray[np.int64], in_time: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    wanted = asked.as_written(share)
    return in_time * wanted.denominator >= offered * wanted.numerator  # in whole contacts: 4 of 5 are 80 %


def _played(
    queue: Queue, within: float, agents: int, half_hours: int, days: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Contacts offered, and answered in time, by day and half hour of their coming."""
    seconds = queue.interval_minutes * 60
    come, work, waits = _contacts(queue, half_hours + WARM_UP, days, seed)
    offered = np.zeros((days, half_hours + WARM_UP), dtype=np.int64)
    in_time = np.zeros_like(offered)
    free_at = np.zeros((days, agents))
    day = np.arange(days)
    for at, length, patience in zip(come.T, work.T, waits.T, strict=True):
        real = np.isfinite(at)
        first = free_at.argmin(axis=1)
        at = np.where(real, at, 0)
        begin = np.maximum(at, free_at[day, first])
        wait = begin - at
        taken = real & (wait <= patience)
        free_at[day[taken], first[taken]] = (begin + length)[taken]
        half_hour = (at // seconds).astype(np.int64)
        offered[day, half_hour] += real
        in_time[day, half_hour] += taken & (wait <= within)
    return offered[:, WARM_UP:], in_time[:, WARM_UP:]


def _contacts(queue: Queue, half_hours: int, days: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """When they come (infinite: nobody does), how long they take and how long they would wait, by day and turn."""
    chance_of = np.random.default_rng(seed)
    many = chance_of.poisson(queue.contacts * half_hours, days)
    shape = (days, max(int(many.max()), 1))
    come = chance_of.random(shape) * (half_hours * queue.interval_minutes * 60)
    come[np.arange(shape[1]) >= many[:, None]] = np.inf
    come.sort(axis=1)
    work = chance_of.exponential(queue.handle_seconds, shape)
    if queue.patience_seconds is None:
        return come, work, np.full(shape, np.inf)
    return come, work, chance_of.exponential(queue.patience_seconds, shape)
