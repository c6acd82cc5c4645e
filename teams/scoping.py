"""The one scoping function. Every read starts from who asks; out of reach and not there are one answer.

A scoped model names the path to its team, the path to the person it is about, and the grants that open it; everything
else (admin, API, portal, exports, tasks) goes through `visible_to`, `manageable_by` and `take`.
"""

from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.apps import apps
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import F, Q

from teams.errors import OutOfReach

SHARED_WORDS = frozenset(
    {"teams.skill", "approvals.statusreason"}
)  # vocabulary of the whole organisation: no team, nothing about people


class Grant(models.TextChoices):
    """What may be given to a user or a group on a team; it reaches that team and all below. Values are codenames."""

    OBSERVE = "observe_team", "OBSERVE"
    LEAD = "lead_team", "LEAD"
    ONBOARD = "onboard_team", "ONBOARD"
    REVIEW = "review_team", "REVIEW"
    SETTLE = "settle_team", "SETTLE"


class AnyOf(models.Func):
    """`column = ANY (ARRAY(ids))`: the ids are looked up once per statement, and an index on the column may be used.

    `IN (subquery)` inside an OR is neither: PostgreSQL then reads the whole table and probes row by row.
    """

    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()

    def __init__(self, path: str, ids: models.QuerySet) -> None:
        super().__init__(F(path), ArraySubquery(ids.order_by()))


def shown(queryset: models.QuerySet, user: Any) -> models.QuerySet:
    """What of `queryset` may be offered to `user`, whatever its model. A model that says nothing offers nothing."""
    if hasattr(queryset, "visible_to"):
        return queryset.visible_to(user)
    if not (user.is_authenticated and user.is_active):
        return queryset.none()
    if user.is_superuser or queryset.model._meta.label_lower in SHARED_WORDS:
        return queryset
    return queryset.none()


def reach(user: Any, grants: Iterable[Grant]) -> models.QuerySet:
    """The teams that any of `grants` opens to `user`, as a subquery of team ids."""
    return apps.get_model("teams", "TeamLineage").objects.in_reach_of(user, *grants)


class TeamScopedQuerySet(models.QuerySet):
    """Rows that belong to a team. Subclasses declare; nobody overrides the three verbs without a reason in a docstring."""

    team_path: ClassVar[str] = "team"
    owner_path: ClassVar[str | None] = None  # from the row to the user it is about, if they may read it
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.OBSERVE, Grant.LEAD)
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)

    def visible_to(self, user: Any) -> Self:
        """Rows whose team a read grant reaches, and rows about this person. Whoever we do not know sees none."""
        return self._within(user, self.read_grants, owned=True)

    def manageable_by(self, user: Any) -> Self:
        """Rows whose team a write grant reaches."""
        return self._within(user, self.write_grants, owned=False)

    def about(self, user: Any) -> Self:
        """Rows about this person and nobody else, whatever grants they hold."""
        if not (user.is_authenticated and user.is_active) or self.owner_path is None:
            return self.none()
        return self.filter(**{self.owner_path: user})

    def take(self, pk: Any) -> Any:
        """The one row, locked until the transaction ends. Raises OutOfReach."""
        try:
            row = self.select_for_update(of=("self",)).filter(pk=pk).first()
        except (TypeError, ValueError):
            row = None
        if row is None:
            raise OutOfReach
        return row

    def _within(self, user: Any, grants: tuple[Grant, ...], *, owned: bool) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if user.is_superuser:
            return self
        scope = self.in_teams(reach(user, grants))
        if owned and self.owner_path is not None:
            scope |= Q(**{self.owner_path: user})
        return self.filter(scope)

    def in_teams(self, teams: models.QuerySet) -> Q:
        """The condition that a row belongs to one of `teams` (a subquery of ids)."""
        return Q(AnyOf(self.team_path, teams))
