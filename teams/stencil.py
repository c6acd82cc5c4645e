"""Statements about whoever asks, compiled once for somebody and filled in for each.

To compose a scope anew from its dozen conditions takes longer than to run it. So it is compiled for a stand-in, and only the
person and the moment are put in. What is compiled must depend on nothing else of the person: operators, who see everything,
and people we do not know, who see nothing, have no part in it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models.expressions import RawSQL
from django.utils import timezone

SOMEBODY, SOME_TIME = -1, datetime(1, 1, 1, tzinfo=UTC)
Compiled = tuple[str, tuple[Any, ...]]  # a statement and its parameters
_kept: list[Any] = []


def once(compile_it: Callable[..., Compiled]) -> Callable[..., Compiled]:
    """`compile_it`, whose statements are kept for as long as the process lives."""
    kept = cache(compile_it)
    _kept.append(kept)
    return kept


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
    moment = SOME_TIME if user.pk == SOMEBODY else timezone.now()
    known = {SOMEBODY: user.pk, SOME_TIME: moment}
    given = (known.get(each, each) if isinstance(each, int | datetime) else each for each in parameters)
    return RawSQL(sql, tuple(given))  # noqa: S611 - compiled by the ORM
