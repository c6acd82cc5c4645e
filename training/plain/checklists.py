"""A checklist as it is declared: versioned, plain JSON, and refused in sentences where it could not be worked through.

A task is due so many working days before or after the day everything starts from: the first day of a hire, the last day of
somebody who leaves. It belongs to a role, not to a name, so that the list holds for everybody; who that is in one case is known
to whoever starts it. Whoever has begun on a version stays on it.

A title that stands in the catalogue of words, as those of the default lists do, is shown in the reader's language; any other is
shown as it was written.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from training.plain import reading

MOST_TASKS, MOST_LIMITS, FARTHEST, HEAVIEST = 200, 12, 260, 100


class Owner(StrEnum):
    """Who has to do a task."""

    HIRE = "hire"
    LEAD = "lead"
    HR = "hr"
    IT = "it"
    TRAINER = "trainer"
    MENTOR = "mentor"


OWNER_NAMES: dict[Owner, Promise] = {
    Owner.HIRE: gettext_lazy("New colleague"),
    Owner.LEAD: gettext_lazy("Lead"),
    Owner.HR: gettext_lazy("HR"),
    Owner.IT: gettext_lazy("IT"),
    Owner.TRAINER: gettext_lazy("Trainer"),
    Owner.MENTOR: gettext_lazy("Mentor"),
}


class Kind(StrEnum):
    """What shows that a task is done."""

    NONE = "none"
    FILE = "file"
    MEASURED = "measured"
    SIGNATURE = "signature"
    LINK = "link"


@dataclass(frozen=True)
class Limit:
    """A value that is measured, and between which two it is good; None is no limit on that side."""

    name: str
    unit: str
    at_least: Fraction | None
    at_most: Fraction | None


@dataclass(frozen=True)
class Condition:
    """Whom a task is for; an empty tuple is everybody."""

    roles: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()

    def holds_for(self, who: "Who") -> bool:
        return all(
            not asked or value in asked
            for asked, value in ((self.roles, who.role), (self.sites, who.site), (self.countries, who.country))
        )


@dataclass(frozen=True)
class Who:
    """What about a person decides which tasks there are."""

    role: str
    site: str = ""
    country: str = ""


@dataclass(frozen=True)
class Task:
    """`offset`: in working days. `blocks_live`: no live contacts before it is green. `weight`: its part of what is shown as
    done. `is_optional`: may be left out with a reason."""

    key: str
    title: str
    offset: int
    owner: Owner
    depends_on: tuple[str, ...]
    evidence: Kind
    limits: tuple[Limit, ...]
    blocks_live: bool
    is_optional: bool
    weight: int
    only_for: Condition

    @property
    def words(self) -> str:
        """The title in the reader's language, where the catalogue has it."""
        return _(self.title)


@dataclass(frozen=True)
class Checklist:
    name: str
    tasks: tuple[Task, ...]

    def for_person(self, who: Who) -> tuple[Task, ...]:
        """The tasks of one person. What depends on a task that is not for this person depends on what that one depends on."""
        dropped = {task.key: task.depends_on for task in self.tasks if not task.only_for.holds_for(who)}

        def instead(keys: Iterable[str]) -> Iterable[str]:
            for key in keys:
                if key in dropped:
                    yield from instead(dropped[key])
                else:
                    yield key

        return tuple(
            _waiting_for(task, tuple(dict.fromkeys(instead(task.depends_on))))
            for task in self.tasks
            if task.key not in dropped
        )


CHECKLIST = ("name", "tasks")
TASK = (
    "key", "title", "offset", "owner", "depends_on", "evidence", "blocks_live", "is_optional", "weight", "only_for",
)  # fmt: skip


def read(made: Any) -> Checklist:
    """The checklist that `made` declares. Raises ValueError with a sentence for the first thing that is wrong."""
    where = _("the checklist")
    reading.all_chosen(made, CHECKLIST, where)
    tasks = tuple(
        _task(row, place) for place, row in enumerate(reading.rows(made["tasks"], 1, MOST_TASKS, _("tasks")), 1)
    )
    reading.each_once([task.key for task in tasks], _("tasks"))
    _check_dependencies({task.key: task for task in tasks})
    return Checklist(reading.words(made, "name", where), tasks)


def _task(row: Any, place: int) -> Task:
    where = _("task %(place)d") % {"place": place}
    reading.all_chosen(row, TASK, where)
    key = reading.key(row, "key", where)
    where = _("task “%(key)s”") % {"key": key}
    kind, limits = _evidence(row["evidence"], where)
    blocks_live, is_optional = (
        reading.yes_or_no(row, "blocks_live", where),
        reading.yes_or_no(row, "is_optional", where),
    )
    if blocks_live and is_optional:
        told = {"where": where}
        raise ValueError(_("In %(where)s choose one: what blocks live contacts cannot be left out by anybody.") % told)
    return Task(
        key=key,
        title=reading.words(row, "title", where),
        offset=reading.whole(row, "offset", -FARTHEST, FARTHEST, where),
        owner=Owner(reading.one_of(row, "owner", tuple(Owner), where)),
        depends_on=reading.names(row, "depends_on", where),
        evidence=kind,
        limits=limits,
        blocks_live=blocks_live,
        is_optional=is_optional,
        weight=reading.whole(row, "weight", 1, HEAVIEST, where),
        only_for=_condition(row["only_for"], where),
    )


def _evidence(made: Any, where: str) -> tuple[Kind, tuple[Limit, ...]]:
    where = _("the evidence of %(where)s") % {"where": where}
    reading.all_chosen(made, ("kind", "limits"), where)
    kind = Kind(reading.one_of(made, "kind", tuple(Kind), where))
    what = _("limits in %(where)s") % {"where": where}
    if kind is not Kind.MEASURED and made["limits"] != []:
        raise ValueError(
            _("In %(where)s only what is measured has limits; leave the list of limits empty.") % {"where": where}
        )
    least = 1 if kind is Kind.MEASURED else 0
    limits = tuple(_limit(row, where) for row in reading.rows(made["limits"], least, MOST_LIMITS, what))
    reading.each_once([limit.name for limit in limits], what)
    return kind, limits


def _limit(row: Any, where: str) -> Limit:
    reading.all_chosen(row, ("name", "unit", "at_least", "at_most"), where)
    low = None if row["at_least"] is None else reading.number(row, "at_least", where)
    high = None if row["at_most"] is None else reading.number(row, "at_most", where)
    name = reading.words(row, "name", where)
    told = {"where": where, "name": name}
    if low is None and high is None:
        raise ValueError(_("In %(where)s give “%(name)s” a limit, or whatever is measured would be good.") % told)
    if low is not None and high is not None and low > high:
        raise ValueError(_("In %(where)s nothing can lie between the limits of “%(name)s”; swap them.") % told)
    return Limit(name, reading.words(row, "unit", where), low, high)


def _condition(made: Any, where: str) -> Condition:
    where = _("the condition of %(where)s") % {"where": where}
    reading.all_chosen(made, ("roles", "sites", "countries"), where)
    return Condition(*(reading.names(made, name, where) for name in ("roles", "sites", "countries")))


def _check_dependencies(tasks: Mapping[str, Task]) -> None:
    for task in tasks.values():
        for key in task.depends_on:
            if key not in tasks:
                told = {"key": task.key, "other": key}
                raise ValueError(_("Task “%(key)s” waits for “%(other)s”, which is not on the list.") % told)
    try:
        TopologicalSorter({key: task.depends_on for key, task in tasks.items()}).prepare()
    except CycleError as circle:
        keys = circle.args[1][::-1]  # so that each waits for the one after it
        chain = " → ".join(f"“{key}”" for key in keys)
        raise ValueError(
            _("These tasks wait for each other, so that nobody could begin: %(chain)s. Take one of them out of it.")
            % {"chain": chain}
        ) from None


def _waiting_for(task: Task, keys: tuple[str, ...]) -> Task:
    return task if keys == task.depends_on else Task(**{**vars(task), "depends_on": keys})
