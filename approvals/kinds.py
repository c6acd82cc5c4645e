"""Kinds of requests. The app that owns an effect says how it is asked for, shown, carried out and taken back; the engine
(`approvals.services`) knows nothing of effects and treats all kinds alike.

A kind registers in `AppConfig.ready()`. Its methods are called by the engine with the request's row under lock and in the
system's scope, but for `may_ask`, which is asked in the scope of the person and is the place for their reach. `wish` is what
the payload's serializer made of the frozen content: typed values, never the raw JSON.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework import serializers

from teams.errors import Refused
from teams.models import User

Wish = Mapping[str, Any]
State = dict[str, Any]  # plain JSON: what stands now, or what an effect has to remember
Value = str | int | bool | Decimal | None


@dataclass(frozen=True)
class Subject:
    """What a request is about. `key` is unique within a kind: only one request about it may be open. `team` is the team whose
    policy and approvers count, `person` the account of the one concerned, who may not decide."""

    key: str
    team: int
    label: str
    person: int | None = None


@dataclass(frozen=True)
class Line:
    """One difference: what it is about, the old words and the new ones; a long text is compared word by word."""

    label: Any
    old: str
    new: str
    is_text: bool = False


@dataclass(frozen=True)
class Fact:
    """Something that rules of a policy may ask about. `unit` is for people; `choices` (value, title) where it is a word."""

    name: str
    title: Any
    is_number: bool = True
    unit: Any = ""
    choices: tuple[tuple[str, Any], ...] = ()


class Moved(Exception):
    """Raised by `apply` where what stands is no longer what was approved; the request goes back with both versions."""


class Kind(ABC):
    """One kind of request. Subclasses name what is below and are registered as instances."""

    name: ClassVar[str]
    title: ClassVar[Any]
    payload: ClassVar[type[serializers.Serializer]]
    facts: ClassVar[tuple[Fact, ...]] = ()
    undo_within: ClassVar[timedelta | None] = None  # None: there is no way back but another request
    is_deferred: ClassVar[bool] = False  # carried out by a run of the ledger instead of with the decision
    allows_end: ClassVar[bool] = False  # whether an approval may carry an end date
    fixed: ClassVar[frozenset[str]] = frozenset()  # fields of the payload that say what it is about: an edit keeps them
    page: ClassVar[str] = ""  # the name of the page on which it is asked for
    answers_at_once: ClassVar[bool] = False  # what is carried out in the moment it is asked is told by the page alone

    # -- what is asked ---------------------------------------------------------------------------------------------------

    @abstractmethod
    def may_ask(self, wish: Wish, by: User) -> None:
        """Raises OutOfReach for what `by` may not know of, Refused for what may not be asked (now). In the scope of `by`."""

    @abstractmethod
    def subject(self, wish: Wish, by: User) -> Subject:
        """What the request is about."""

    def barred(self, request: Any) -> frozenset[int]:
        """Further accounts that may not decide, beside who asked, edited and is concerned."""
        return frozenset()

    @abstractmethod
    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        """What stands now and would be changed, as plain JSON; {} where nothing stands. Compared when it is carried out.
        With `lock` its rows are held until the transaction ends."""

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Value]:
        """The values of `facts`, by name."""
        return {}

    def standard(self) -> dict[str, Any]:
        """The policy where no team has one: as `approvals.plain.policy` reads it."""
        return {
            "otherwise": {"outcome": "steps", "steps": [{"mode": "any", "source": {"is": "grant", "grant": "LEAD"}}]}
        }

    # -- how it is shown -------------------------------------------------------------------------------------------------

    @abstractmethod
    def difference(self, wish: Wish, stands: State) -> list[Line]:
        """Old and new, in the language of whoever reads."""

    def effects(self, wish: Wish, stands: State, now: datetime) -> list[str]:
        """Sentences on what would follow from an approval now: cover, counts, who is affected."""
        return []

    # -- what it does ----------------------------------------------------------------------------------------------------

    @abstractmethod
    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        """Carry it out, within the transaction of the decision; returns what `undo` has to know. Raises Refused where it is no
        longer possible: the request is then marked as failed, and can be tried again."""

    def undo(self, request: Any, wish: Wish, kept: State, by: User) -> None:
        """Take it back. Raises Refused where something else has come on top of it."""
        raise NotImplementedError

    def settled(self, request: Any) -> None:  # noqa: B027 - most kinds hold nothing
        """The request has come to an end without effect: whatever was held for it is let go."""

    # -- the content -----------------------------------------------------------------------------------------------------

    def checked(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """The content as it is frozen: checked, complete, plain JSON. Raises Refused: bad_payload, naming fields."""
        form = self.payload(data=dict(content))
        if not form.is_valid():
            raise Refused("bad_payload", _complaint(form), fields=form.errors)
        return dict(form.to_representation(form.validated_data))

    def wish(self, content: Mapping[str, Any]) -> Wish:
        """Typed values of frozen content. What was valid once is read again without the rules of today."""
        form = self.payload()
        return {str(field.source): _typed(field, content.get(str(field.field_name))) for field in form._writable_fields}


def _typed(field: serializers.Field, value: Any) -> Any:
    if value is None:
        return None
    return field.to_internal_value(value)


def _complaint(form: serializers.Serializer) -> str:
    """One sentence for all fields: their labels and what is wrong with each."""
    parts = []
    for name, errors in form.errors.items():
        field = form.fields.get(name)
        label = str(field.label) if field is not None and field.label else name
        words = " ".join(str(error) for error in (errors if isinstance(errors, list) else [errors]))
        parts.append(words if name == "non_field_errors" else f"{label}: {words}")
    return " ".join(parts)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> Kind:
    _kinds[kind.name] = kind
    return kind


def forget(name: str) -> None:
    _kinds.pop(name, None)


class UnknownKind(Refused, LookupError):
    """A kind that this release does not have: its requests are read, and every verb on them says this sentence."""

    def __init__(self, name: str) -> None:
        sentence = _("This release has no kind of request called “%(name)s”, so nothing can be done with it.")
        super().__init__("unknown_kind", sentence % {"name": name})


def kind_of(name: str) -> Kind:
    """Raises UnknownKind."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(name) from None


def registered() -> list[Kind]:
    return list(_kinds.values())


def titles() -> list[tuple[str, Any]]:
    """Names and titles, as choices."""
    return [(kind.name, kind.title) for kind in _kinds.values()]
