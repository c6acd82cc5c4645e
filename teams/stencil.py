"""Statements about whoever asks, compiled once for somebody and filled in for each.

To compose a scope anew from its dozen conditions takes longer than to run it. So it is compiled for a stand-in, and only the
person and the moment are put in. What is compiled must depend on nothing else of the person: operators, who see everything,
and people we do not know, who see nothing, have no part in it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.expressions import RawSQL
from django.utils import timezone

Held = Mapping[str, Collection[int]]  # ids of the teams on which somebody holds a grant, by its codename
SOMEBODY, SOME_TIME = -1, datetime(1, 1, 1, tzinfo=UTC)
Compiled = tuple[str, tuple[Any, ...]]  # a statement and its parameters
_kept: list[Any] = []
_known: ContextVar[tuple[int, Held] | None] = ContextVar("teams.stencil.known", default=None)


@dataclass(frozen=True)
class HeldTeams:
    """A parameter of a compiled statement: the ids of the teams on which whoever asks holds one of `grants`."""

    grants: tuple[str, ...]

    def of(self, held: Held) -> list[int]:
        return sorted({team for grant in self.grants for team in held.get(grant, ())})


def once(compile_it: Callable[..., Compiled]) -> Callable[..., Compiled]:
    """`compile_it`, whose statements are kept for as long as the process lives: those that ask for the teams held, and those
    into which they are put."""

    @cache
    def kept(is_known: bool, *given: Any) -> Compiled:
        return compile_it(*given)

    _kept.append(kept)
    return lambda *given: kept(_known.get() is not None, *given)


@contextmanager
def knowing(user: Any, held: Held) -> Iterator[None]:
    """Statements composed for `user` in here hold the ids of `held`, where each of their parts would ask for them anew."""
    former = _known.set((user.pk, held))
    try:
        yield
    finally:
        _known.reset(former)


def held_teams(user: Any, grants: tuple[str, ...]) -> RawSQL | None:
    """The ids of the teams on which `user` holds one of `grants`, as a subquery; None where they are not known."""
    known = _known.get()
    if known is None or user.pk not in (SOMEBODY, known[0]):
        return None
    return filled("SELECT unnest(%s::bigint[])", (HeldTeams(grants),), user)


def forget() -> None:
    """Compile everything anew: for whoever changes the code of a scope while it runs, as only tests do."""
    for each in _kept:
        each.cache_clear()


def stand_in() -> Any:
    """Somebody who may ask, with an id that nobody has."""
    return get_user_model()(pk=SOMEBODY)


def fits(user: Any) -> bool:
    """Whether what was compiled for the stand-in says what `user` may see. Not so for eyes that are borrowed."""
    is_ordinary = user.is_authenticated and user.is_active and not user.is_superuser
    return bool(is_ordinary and getattr(user, "seen_by", None) is None)


def filled(sql: str, parameters: tuple[Any, ...], user: Any) -> RawSQL:
    """The statement for `user` at this moment. For the stand-in it stays as it is, to be part of a larger one."""
    if user.pk == SOMEBODY:
        return RawSQL(sql, parameters)  # noqa: S611 - compiled by the ORM
    person, held = _known.get() or (user.pk, {})
    known = {SOMEBODY: user.pk, SOME_TIME: timezone.now()}
    given = []
    for each in parameters:
        if isinstance(each, HeldTeams):
            if person != user.pk:
                raise LookupError("compiled with the teams of one person, filled in for another")
            given.append(each.of(held))
        else:
            given.append(known.get(each, each) if isinstance(each, int | datetime) else each)
    return RawSQL(sql, tuple(given))  # noqa: S611 - compiled by the ORM
