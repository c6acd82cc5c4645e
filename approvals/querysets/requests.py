"""Chainable reads of requests and what belongs to them."""

from datetime import datetime
from typing import Any, ClassVar, Self

from django.apps import apps
from django.db import models
from django.db.models import Q
from django.utils import timezone

from teams import walls
from teams.scoping import Grant, TeamScopedQuerySet

OPEN = ("submitted", "in_review", "changes_requested", "approved", "apply_failed")  # one of these per subject and kind


class PolicyQuerySet(TeamScopedQuerySet):
    """Rules are read by whoever leads or observes the team; written by who leads the team above (`services.policies`)."""

    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.OBSERVE, Grant.LEAD)
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)

    def current(self) -> Self:
        return self.filter(is_current=True)


class RequestQuerySet(TeamScopedQuerySet):
    """A request is seen by those who lead its team, who asked, whom it is about, and who was asked to decide, or their deputy.

    All of them act on it by verbs that look again; nobody edits the row, so `manageable_by` is the leads' alone.
    """

    owner_path = "requester"
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Seats are asked as the filter does. Rows are written by the engine, in the system's scope."""
        seats = apps.get_model("approvals", "ApprovalSeat")._meta.db_table
        table = model._meta.db_table
        read, _write = walls.scoped(
            model,
            cls,
            also=(
                walls.is_mine(f"{table}.subject_person_id", "user"),
                f"{table}.id IN (SELECT seat.request_id FROM {seats} seat)",
            ),
        )
        return read, walls.either()

    def _within(self, user: Any, grants: tuple[Grant, ...], *, owned: bool) -> Self:
        scope = super()._within(user, grants, owned=owned)
        if not owned or not (user.is_authenticated and user.is_active) or user.is_superuser:
            return scope
        return scope | self.filter(Q(subject_person=user) | Q(pk__in=_seats(user).values("request")))

    def about(self, user: Any) -> Self:
        """What this person asked for, and what is asked about them."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self.filter(Q(requester=user) | Q(subject_person=user))

    def open(self) -> Self:
        return self.filter(state__in=OPEN)

    def unsettled(self) -> Self:
        """Drafts and open ones: what one may still change or wait for."""
        return self.filter(state__in=["draft", *OPEN])

    def in_review(self) -> Self:
        return self.filter(state="in_review")

    def glass_to_review(self) -> Self:
        """Approved past all steps by an operator, and not looked at by a second person yet."""
        return self.filter(glass_by__isnull=False, glass_reviewed_by=None)

    def due(self, now: datetime) -> Self:
        """Requests one of whose clocks has run out, the oldest first."""
        return self.filter(next_due_at__lte=now).order_by("next_due_at", "pk")

    def waiting_for(self, user: Any) -> Self:
        """Requests in review that ask this person, or somebody for whom they decide now, and have not heard from them."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        open_seats = apps.get_model("approvals", "ApprovalSeat").objects.waiting_for(user)
        return self.in_review().filter(pk__in=open_seats.values("request"))


def _seats(user: Any) -> models.QuerySet:
    return apps.get_model("approvals", "ApprovalSeat").objects.of(user)


class RequestRowQuerySet(TeamScopedQuerySet):
    """What belongs to a request is seen with it, and written by the engine."""

    team_path = "request__team"
    owner_path = "request__requester"
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """The policy of the request itself answers for its rows."""
        requests = apps.get_model("approvals", "ApprovalRequest")._meta.db_table
        return walls.either(f"request_id IN (SELECT request.id FROM {requests} request)"), walls.either()

    def visible_to(self, user: Any) -> Self:
        """Whoever sees the request sees its rows."""
        return self.filter(request__in=apps.get_model("approvals", "ApprovalRequest").objects.visible_to(user))


class SeatQuerySet(TeamScopedQuerySet):
    """Who was asked: seen by the leads of the team, by the person asked, and by who decides in their place now."""

    owner_path = "user"
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Wider than the filter: the deputy of an absence sees seats of all kinds of requests."""
        absences = apps.get_model("approvals", "ApprovalAbsence")._meta.db_table
        mine = walls.is_mine("absence.deputy_id", "user")
        absent = f"SELECT absence.owner_id FROM {absences} absence WHERE absence.span @> now() AND {mine}"
        read, _write = walls.scoped(model, cls, also=(f"user_id IN ({absent})",))
        return read, walls.either()

    def of(self, user: Any) -> Self:
        """Seats of this person, and of those for whom they decide now."""
        absent = apps.get_model("approvals", "ApprovalAbsence").objects.now().filter(deputy=user)
        for_another = models.Exists(
            absent.filter(owner=models.OuterRef("user")).filter(
                Q(kinds=[]) | Q(kinds__contains=[models.OuterRef("request__kind")])
            )
        )
        return self.filter(Q(user=user) | Q(for_another))

    def waiting_for(self, user: Any) -> Self:
        return self.of(user).filter(is_open=True)

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return super().visible_to(user) | self.of(user) if not user.is_superuser else self


class AbsenceQuerySet(models.QuerySet):
    """Absences are the business of the two they name."""

    read_grants: ClassVar[tuple[Grant, ...]] = tuple(Grant)
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        owner, deputy = walls.is_mine("owner_id", "user"), walls.is_mine("deputy_id", "user")
        return walls.either(owner, deputy), walls.either(owner)

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self if user.is_superuser else self.filter(Q(owner=user) | Q(deputy=user))

    def manageable_by(self, user: Any) -> Self:
        return self.filter(owner=user) if user.is_authenticated and user.is_active else self.none()

    def take(self, pk: Any) -> Any:
        """The one row, locked until the transaction ends, or OutOfReach."""
        return TeamScopedQuerySet.take(self, pk)  # type: ignore[arg-type]

    def now(self, at: datetime | None = None) -> Self:
        return self.filter(span__contains=at or timezone.now())
