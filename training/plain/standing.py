"""How far somebody is with a checklist: what is due, what waits for whom, what is late, and whether live contacts may begin.

A task is green when it has been done and its evidence holds, or when it was left out for a reason where that is allowed. A
measured value outside its limits is not green, whoever ticked it. What waits is held up by the tasks at the beginning of its
chain: those are what somebody can do something about today.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from django.utils.translation import gettext as _

from training.plain.checklists import OWNER_NAMES, Kind, Limit, Owner, Task
from training.plain.reading import shown
from training.plain.workdays import IsWorked, distance, offset


@dataclass(frozen=True)
class Entry:
    """What has been noted for a task: done on a day with its evidence (the name of a file, a link, the hash that was signed) or
    measured values, or left out for a reason."""

    done_on: date | None = None
    evidence: str = ""
    values: Mapping[str, Decimal] = field(default_factory=dict)
    left_out_because: str = ""


class State(StrEnum):
    DONE = "done"
    LEFT_OUT = "left_out"
    OPEN = "open"  # can be done now
    WAITING = "waiting"  # for other tasks


@dataclass(frozen=True)
class Standing:
    """Where a task stands. `lacking`: sentences on what keeps it from being green. `held_up_by`: for one that waits, the
    tasks at the beginning of its chain. `late`: working days since it was due, of the person it belongs to."""

    task: Task
    due_on: date
    state: State
    lacking: tuple[str, ...]
    held_up_by: tuple[Task, ...]
    late: int

    @property
    def is_green(self) -> bool:
        return self.state in (State.DONE, State.LEFT_OUT)


@dataclass(frozen=True)
class Readiness:
    """Whether live contacts may begin, and if not, a sentence for each thing that is missing, the soonest due first."""

    is_ready: bool
    missing: tuple[str, ...]


def standings(
    tasks: Sequence[Task], entries: Mapping[str, Entry], *, starts_on: date, today: date, is_worked: IsWorked
) -> tuple[Standing, ...]:
    """Each task of one person, in the order of the list. `today` and `starts_on` are days where that person sits."""
    by_key = {task.key: task for task in tasks}
    lacking = {task.key: _lacking(task, entries.get(task.key, Entry())) for task in tasks}
    roots: dict[str, tuple[Task, ...]] = {}

    def held_up(task: Task) -> tuple[Task, ...]:
        """The first tasks of the chain that are not green; none where nothing is waited for."""
        if task.key not in roots:
            found: dict[str, Task] = {}
            for other in (by_key[key] for key in task.depends_on if lacking[key]):
                found |= {root.key: root for root in held_up(other) or (other,)}
            roots[task.key] = tuple(found.values())
        return roots[task.key]

    def standing(task: Task) -> Standing:
        due = offset(starts_on, task.offset, is_worked)
        if not lacking[task.key]:
            done = entries[task.key].done_on is not None
            return Standing(task, due, State.DONE if done else State.LEFT_OUT, (), (), 0)
        waits = held_up(task)
        late = max(distance(due, today, is_worked), 0)
        return Standing(task, due, State.WAITING if waits else State.OPEN, lacking[task.key], waits, late)

    return tuple(standing(task) for task in tasks)


def due_by(found: Iterable[Standing], day: date) -> tuple[Standing, ...]:
    """What is not green and due on `day` or before, the longest due first."""
    return tuple(
        sorted((each for each in found if not each.is_green and each.due_on <= day), key=lambda each: each.due_on)
    )


def blocked(found: Iterable[Standing]) -> dict[Owner, tuple[Standing, ...]]:
    """What waits, by the owners who could let it go on: a task that two hold up stands with both."""
    return _by_owner((owner, each) for each in found for owner in dict.fromkeys(root.owner for root in each.held_up_by))


def overdue(found: Iterable[Standing]) -> dict[Owner, tuple[Standing, ...]]:
    """What is late, by the owner it lies with: the task's own, or where it waits those who hold it up."""
    return _by_owner(
        (owner, each)
        for each in found
        if each.late
        for owner in dict.fromkeys(root.owner for root in each.held_up_by or (each.task,))
    )


def readiness(found: Sequence[Standing]) -> Readiness:
    """May this person take live contacts? Only when everything that blocks them is green."""
    open_ones = [each for each in found if each.task.blocks_live and not each.is_green]
    open_ones.sort(key=lambda each: each.due_on)
    return Readiness(not open_ones, tuple(_missing(each) for each in open_ones))


def share_done(found: Iterable[Standing]) -> Fraction:
    """The part of the weight that is green; what was left out no longer weighs. Of nothing, all is done."""
    counted = [each for each in found if each.state is not State.LEFT_OUT]
    whole = sum(each.task.weight for each in counted)
    return Fraction(sum(each.task.weight for each in counted if each.is_green), whole) if whole else Fraction(1)


def outside(limits: Iterable[Limit], values: Mapping[str, Decimal]) -> tuple[str, ...]:
    """A sentence for each value that was not measured or lies outside its limits."""
    return tuple(sentence for limit in limits if (sentence := _outside(limit, values.get(limit.name))))


# -- sentences -------------------------------------------------------------------------------------------------------------


def _lacking(task: Task, entry: Entry) -> tuple[str, ...]:
    if task.is_optional and entry.left_out_because.strip():
        return ()
    if entry.done_on is None:
        return (_("not done yet"),)
    if task.evidence is Kind.MEASURED:
        return outside(task.limits, entry.values)
    if task.evidence is Kind.NONE or entry.evidence.strip():
        return ()
    return ({Kind.FILE: _("the file is missing"), Kind.LINK: _("the link is missing")}.get(
        task.evidence, _("the signature is missing")
    ),)  # fmt: skip


def _outside(limit: Limit, value: Decimal | None) -> str:
    told = {"name": _(limit.name), "unit": _(limit.unit)}
    if value is None or not value.is_finite():
        return _("%(name)s was not measured") % told
    told["value"] = f"{value:f}"
    if limit.at_least is not None and Fraction(value) < limit.at_least:
        return _("%(name)s is %(value)s %(unit)s, at least %(limit)s needed") % (
            told | {"limit": shown(limit.at_least)}
        )
    if limit.at_most is not None and Fraction(value) > limit.at_most:
        return _("%(name)s is %(value)s %(unit)s, at most %(limit)s allowed") % (told | {"limit": shown(limit.at_most)})
    return ""


def _missing(standing: Standing) -> str:
    told = {
        "task": standing.task.words,
        "lacking": "; ".join(standing.lacking),
        "owner": OWNER_NAMES[standing.task.owner],
        "day": standing.due_on.isoformat(),
        "others": ", ".join(f"{root.words} ({OWNER_NAMES[root.owner]})" for root in standing.held_up_by),
    }
    if standing.held_up_by:
        return _("%(task)s (%(owner)s, due %(day)s): %(lacking)s. First: %(others)s.") % told
    return _("%(task)s (%(owner)s, due %(day)s): %(lacking)s.") % told


def _by_owner(pairs: Iterable[tuple[Owner, Standing]]) -> dict[Owner, tuple[Standing, ...]]:
    found: dict[Owner, list[Standing]] = {}
    for owner, each in pairs:
        found.setdefault(owner, []).append(each)
    return {owner: tuple(sorted(found[owner], key=lambda each: each.due_on)) for owner in Owner if owner in found}
