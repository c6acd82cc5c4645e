"""What one request needs to know about the reach of its user. Asked once per request, never kept for the next one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from teams import grants, stencil
from teams.grants import known_people
from teams.models import User
from teams.querysets import held_by
from teams.scoping import Grant, reach, shown

OUT_OF_REACH = _("(out of reach)")


def person(request: HttpRequest) -> User:
    """The account behind a request that only known people may make."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def held(request: HttpRequest) -> frozenset[Grant]:
    """The grants that open some team to the user of this request."""
    if not hasattr(request, "_held_grants"):
        request._held_grants = grants.held(request.user)  # type: ignore[attr-defined]
    return request._held_grants  # type: ignore[attr-defined]


def holds(request: HttpRequest, needed: tuple[Grant, ...]) -> bool:
    """Whether the user holds one of `needed` anywhere. Where none is named, only the operator does."""
    user = request.user
    return bool(user.is_active and user.is_superuser) or not held(request).isdisjoint(needed)


@contextmanager
def asked_once(user: Any) -> Iterator[None]:
    """For a page of rows that name rows of other models: the scope of each begins with the teams on which `user` holds grants.

    These are asked for once. Statements composed in here hold their ids; to plan the question in each of their parts took
    longer than to answer all of it.
    """
    if not stencil.fits(user):
        yield
        return
    with stencil.knowing(user, held_by(user)):
        yield


def in_reach(queryset: Any, user: Any, needed: tuple[Grant, ...]) -> Any:
    """Rows of `queryset` whose team one of `needed` opens; where none is named, only the operator's."""
    if user.is_active and user.is_superuser:
        return queryset
    if not needed or not user.is_active:
        return queryset.none()
    return queryset.filter(queryset.in_teams(reach(user, needed)))


def labels(model: type[models.Model], pks: set[Any], user: Any) -> dict[Any, str]:
    """How to call the rows `pks` of `model` towards `user`: what they may not see reads "(out of reach)"."""
    rows = known_people(user) if model is User else shown(model._default_manager.all(), user)
    names = {row.pk: str(row) for row in rows.filter(pk__in=pks)}
    return {pk: names.get(pk, str(OUT_OF_REACH)) for pk in pks}
