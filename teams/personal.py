"""The catalogue of people's data: for each table, whose rows it holds, what a copy shows of them, what erasure does.

Each app enters its tables in `AppConfig.ready()`. A test fails for a model that points to an agent or an account and is
neither entered here nor excused with a reason, so that a new table cannot be forgotten by copy and erasure.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q

from teams.models import Agent, User

REASONS = frozenset({"reason", "history_change_reason", "note"})
PSEUDONYM = object()  # in `cleared`: the column becomes the pseudonym


@dataclass(frozen=True)
class Subject:
    """A person: as an agent, as an account, or both."""

    agent: Agent | None
    user: User | None

    @classmethod
    def of_agent(cls, agent: Agent) -> "Subject":
        return cls(agent, agent.user)

    @classmethod
    def of_user(cls, user: User) -> "Subject":
        agent = Agent.objects.filter(user=user).first()
        return cls(agent, user)


@dataclass(frozen=True)
class DataClass:
    """One table. `agent` and `user` are the columns that name the person; `hidden` columns are about somebody else."""

    model: type[models.Model]
    agent: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()  # relations to other people whose name belongs to the person's own record
    cleared: tuple[tuple[str, Any], ...] = ()  # on erasure: column and what it becomes
    is_deleted: bool = False  # on erasure: the rows go
    label: Any = ""  # where the table's own name says nothing to people

    @property
    def words(self) -> str:
        return str(self.label or self.model._meta.verbose_name_plural)

    @property
    def code(self) -> str:
        return self.model._meta.label_lower

    def about(self, subject: Subject) -> models.QuerySet:
        """The person's rows."""
        return self.model._base_manager.filter(self._condition(subject, "pk"))

    def about_earlier(self, subject: Subject) -> models.QuerySet:
        """Earlier versions of the person's rows, also of rows that are gone."""
        return self.earlier._base_manager.filter(self._condition(subject, self.model._meta.pk.name))

    def _condition(self, subject: Subject, key: str) -> Q:
        """`key` is the column that holds the primary key of the row: in a history it is not the version's own."""
        condition = Q(pk__in=[])
        for person, paths in ((subject.agent, self.agent), (subject.user, self.user)):
            for path in paths if person is not None else ():
                condition |= Q(**{key if path == "pk" else path: person.pk})  # type: ignore[union-attr]
        return condition

    @property
    def earlier(self) -> Any:
        """The model of earlier versions, or None."""
        history = getattr(self.model, "history", None)
        return history.model if history is not None else None


@dataclass(frozen=True)
class FreeText:
    """Columns of a table in which somebody may have written a name: erasure puts the pseudonym in its place."""

    model: type[models.Model]
    columns: tuple[str, ...]


Step = Callable[[Subject, str, list[str]], dict[str, int]]
OfCustomer = Callable[..., dict[str, int]]

_classes: dict[str, DataClass] = {}
_excused: dict[tuple[str, str], str] = {}
_texts: list[FreeText] = []
_steps: list[Step] = []
_of_customers: list[OfCustomer] = []


def enter(*classes: DataClass) -> None:
    for each in classes:
        _classes[each.code] = each


def excuse(model: str, column: str, reason: str) -> None:
    """`column` of `model` (its label) points to a person, but its rows are not data about that person. Say why."""
    _excused[model.lower(), column] = reason


def enter_texts(*texts: FreeText) -> None:
    _texts.extend(each for each in texts if each not in _texts)


def enter_step(step: Step) -> None:
    """Something else that erasing a person takes: called with subject, pseudonym and the words that named them."""
    if step not in _steps:
        _steps.append(step)


def enter_customers(erase: OfCustomer) -> None:
    """Erases the customer of a key: called with the key, `before` and `dry_run`, answers what went."""
    if erase not in _of_customers:
        _of_customers.append(erase)


def classes() -> list[DataClass]:
    return list(_classes.values())


def texts() -> list[FreeText]:
    """The tables entered, and the reasons of all changes and rows, wherever they stand."""
    found = list(_texts)
    for model in apps.get_models():
        written = [each for each in model._meta.concrete_fields if not (each.choices or each.is_relation)]
        columns = [field.name for field in written if field.name in REASONS]
        if columns:
            found.append(FreeText(model, tuple(columns)))
    return found


def steps() -> list[Step]:
    return list(_steps)


def of_customers() -> list[OfCustomer]:
    return list(_of_customers)


def forgotten() -> Iterator[str]:
    """Columns that point to a person and of which nobody has said what copy and erasure do: must be none."""
    for model in apps.get_models(include_auto_created=True):
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
            if not (field.is_relation and field.related_model in (Agent, User)):
                continue
            if field.name == "history_user":
                continue  # who made a change: belongs to the row that was changed, whose person has it in their copy
            label = _original(model)
            if (label, field.name) in _excused:
                continue
            entered = _classes.get(label)
            if entered is None or field.name not in entered.agent + entered.user:
                yield f"{model._meta.label}.{field.name}"


def _original(model: type[models.Model]) -> str:
    """The label of the model, or of the one whose earlier versions it holds."""
    tracked = getattr(model, "instance_type", None)
    return (tracked or model)._meta.label_lower
