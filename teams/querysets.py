"""Chainable reads of teams and people."""

from datetime import date, datetime
from typing import Any, ClassVar, Self

from django.apps import apps
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db import connection, models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils import timezone

from teams import stencil, walls
from teams.scoping import AnyOf, Grant, TeamScopedQuerySet, reach
from teams.stencil import SOME_TIME, SOMEBODY


class LocalToday(models.Func):
    """The civil date of now in the zone that the given column names."""

    template = "(now() AT TIME ZONE %(expressions)s)::date"
    output_field = models.DateField()


EVERY_GRANT = tuple(Grant)
ROSTER_READERS: tuple[Grant, ...] = (Grant.OBSERVE, Grant.LEAD, Grant.ONBOARD, Grant.REVIEW)


class TeamQuerySet(models.QuerySet):
    read_grants: ClassVar[tuple[Grant, ...]] = EVERY_GRANT
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Wider than the filter: teams above those in reach, and former teams of one's own, have a name on one's pages."""
        return walls.either(walls.within("id", "named")), walls.either(walls.within("id", "lead"))

    def in_teams(self, teams: models.QuerySet) -> Q:
        """The condition that a team is one of `teams` (a subquery of ids)."""
        return Q(AnyOf("pk", teams))

    def in_reach_of(self, user: Any, *grants: Grant) -> Self:
        """Teams where `user` holds one of `grants`, and all teams below. Whoever we do not know reaches none."""
        if user.is_authenticated and user.is_active and user.is_superuser:
            return self
        return self.filter(pk__in=reach(user, grants))

    def visible_to(self, user: Any) -> Self:
        """Teams that any grant reaches, and the team one works in."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if user.is_superuser:
            return self
        own = apps.get_model("teams", "Agent").objects.filter(user=user)
        return self.filter(Q(pk__in=reach(user, EVERY_GRANT)) | Q(pk__in=own.values("team")))

    def manageable_by(self, user: Any) -> Self:
        return self.in_reach_of(user, Grant.LEAD)

    def take(self, pk: Any) -> Any:
        """The one team, locked until the transaction ends, or OutOfReach."""
        return TeamScopedQuerySet.take(self, pk)  # type: ignore[arg-type]

    def below(self, team: Any) -> Self:
        """`team` and all teams under it now."""
        return self.filter(ascent__ancestor=team)


class LineageQuerySet(models.QuerySet):
    """The tree as pairs of ids."""

    def in_reach_of(self, user: Any, *grants: Grant) -> models.QuerySet[Any, Any]:
        """Ids (`descendant`) of the teams where `user` holds one of `grants` at this moment, and of all below. For a subquery:
        a team below two such teams comes twice, and an operator has the whole tree."""
        ids = self.values("descendant")
        if not (user.is_authenticated and user.is_active):
            return ids.none()
        if user.is_superuser:
            return ids.filter(depth=0)
        return ids.filter(ancestor__in=_held(user, grants)) if grants else ids.none()


def _held(user: Any, grants: tuple[Grant, ...]) -> RawSQL:
    """Ids of the teams on which `user` holds one of `grants` at this moment, as a subquery."""
    wanted = tuple(sorted(grants))
    return stencil.held_teams(user, wanted) or stencil.filled(*_held_sql(wanted, "content_object"), user)


@stencil.once
def _held_sql(grants: tuple[Grant, ...], *columns: str) -> stencil.Compiled:
    """For somebody at some time: nearly every statement contains it, so it is compiled once."""
    live = {"permission__codename__in": [str(grant) for grant in grants]}
    own = apps.get_model("teams", "TeamUserGrant").objects.live(SOME_TIME).filter(user=SOMEBODY, **live)
    groups = apps.get_model("teams", "User").groups.through.objects.filter(user=SOMEBODY).values("group")
    shared = apps.get_model("teams", "TeamGroupGrant").objects.live(SOME_TIME).filter(group__in=groups, **live)
    teams = own.order_by().values_list(*columns).union(shared.order_by().values_list(*columns), all=True)
    return teams.query.sql_with_params()


def held_by(user: Any) -> dict[str, set[int]]:
    """Ids of the teams on which `user` holds each grant at this moment, by the codename of the grant."""
    asked = stencil.filled(*_held_sql(EVERY_GRANT, "permission__codename", "content_object"), user)
    held: dict[str, set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(asked.sql, asked.params)
        for codename, team in cursor.fetchall():
            held.setdefault(codename, set()).add(team)
    return held


class LiveGrantQuerySet(models.QuerySet):
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """As the filter, and the grants that make the reader's own reach. Writing them is the operator's."""
        holder = walls.is_mine("user_id", "user") if hasattr(model, "user") else walls.within("group_id", "groups")
        return walls.either(holder, walls.within("content_object_id", "lead")), walls.either()

    def live(self, at: datetime | None = None) -> Self:
        """Grants that have begun and not ended. Both dates work at once, before any sweep."""
        at = at or timezone.now()
        return self.filter(Q(until=None) | Q(until__gt=at), Q(since=None) | Q(since__lte=at))

    def lapsed(self) -> Self:
        return self.filter(until__lte=timezone.now())

    def visible_to(self, user: Any) -> Self:
        """Grants on teams that the viewer leads; who may see a team is no secret to its lead."""
        return self.filter(content_object__in=reach(user, [Grant.LEAD]))

    def manageable_by(self, user: Any) -> Self:
        """Giving and taking rights is the operator's."""
        return self if user.is_active and user.is_superuser else self.none()

    def in_teams(self, teams: models.QuerySet) -> Q:
        """The condition that a grant is given on one of `teams` (a subquery of ids)."""
        return Q(AnyOf("content_object", teams))


class UserGrantQuerySet(LiveGrantQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Grants on teams that the viewer leads, the own ones, and those that others hold on the viewer's behalf."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        led = Q(content_object__in=reach(user, [Grant.LEAD]))
        return self.filter(led | Q(user=user) | Q(on_behalf_of=user))


class AgentQuerySet(TeamScopedQuerySet):
    """People on the roster. Seen by those who reach the home team of today, or a team they are lent to today."""

    owner_path = "user"
    read_grants = ROSTER_READERS
    write_grants = (Grant.LEAD, Grant.ONBOARD)

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Wider than the filter: payroll names whom it pays, and days of former members stay readable with their rows.

        A row has one wall for all its columns, so whoever holds any grant on the team gets it whole; and a loan or membership
        counts whenever it was, as the date of today hangs on the zone in the very row that is asked for.
        """
        return walls.either(
            walls.within("team_id", "open"),
            walls.is_mine("user_id", "user"),
            "id IN (SELECT outpost_guests())",
        ), walls.either(walls.within("team_id", *walls.names_of(cls.write_grants)))

    def in_teams(self, teams: models.QuerySet) -> Q:
        loans = apps.get_model("teams", "Loan").objects.today().filter(team__in=teams)
        return Q(AnyOf("team", teams)) | Q(AnyOf("pk", loans.values("agent")))

    def at_home_in(self, teams: models.QuerySet) -> Self:
        """Agents whose home team is one of `teams` (a subquery of ids); those lent to them are left out."""
        return self.filter(AnyOf("team", teams))

    def current(self) -> Self:
        """Everybody who has not left."""
        return self.exclude(status="left")


class DatedQuerySet(TeamScopedQuerySet):
    """Rows that hold for a span of local days."""

    owner_path = "agent__user"
    read_grants = ROSTER_READERS
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD, Grant.ONBOARD)

    def on(self, day: date) -> Self:
        return self.filter(span__contains=day)

    def today(self) -> Self:
        """Rows that hold on the agent's own date of this moment."""
        return self.filter(span__contains=LocalToday("agent__zone"))


class AgentZoneQuerySet(TeamScopedQuerySet):
    team_path = "agent__team"
    owner_path = "agent__user"
    read_grants = ROSTER_READERS
    write_grants = (Grant.LEAD, Grant.ONBOARD)


class PlacementQuerySet(TeamScopedQuerySet):
    """Where a team stood in the tree, and since when."""

    read_grants = ROSTER_READERS

    def on(self, day: date) -> Self:
        return self.filter(span__contains=day)


class CompensationQuerySet(DatedQuerySet):
    """Wages: never implied by a reporting line. Read and written under SETTLE, read by the person."""

    team_path = "agent__team"
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.SETTLE,)
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.SETTLE,)

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Wider than the filter: it does not know that somebody looks as somebody else."""
        return walls.scoped(model, cls)

    def visible_to(self, user: Any) -> Self:
        """Whoever looks as somebody else (`teams.edges.viewing`) looks for rights: wages stay shut."""
        return self.none() if getattr(user, "seen_by", None) is not None else super().visible_to(user)


class AccessRecordQuerySet(TeamScopedQuerySet):
    """Who looked at whom: the person concerned, and who leads them."""

    team_path = "agent__team"
    owner_path = "agent__user"
    read_grants = (Grant.LEAD,)
    write_grants = ()


class ViewAsQuerySet(models.QuerySet):
    """Looks as somebody else: the operator's to read, and the person's whose eyes were borrowed."""

    read_grants: ClassVar[tuple[Grant, ...]] = ()
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        return walls.either(walls.is_mine("person_id", "user")), walls.either()

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self if user.is_superuser else self.filter(person=user)

    def manageable_by(self, user: Any) -> Self:
        return self if user.is_active and user.is_superuser else self.none()


class InvitationQuerySet(models.QuerySet):
    """Invitations are the operator's."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated and user.is_active and user.is_superuser else self.none()

    def manageable_by(self, user: Any) -> Self:
        return self.visible_to(user)

    def open(self, at: datetime | None = None) -> Self:
        """Those whose link would still be taken."""
        return self.filter(used_at=None, revoked_at=None, until__gt=at or timezone.now())


class UserQuerySet(models.QuerySet):
    read_grants: ClassVar[tuple[Grant, ...]] = ROSTER_READERS
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    def visible_to(self, user: Any) -> Self:
        """Accounts: the operator all, everybody the own, leads and HR those of people they may see on the roster."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if user.is_superuser:
            return self
        people = apps.get_model("teams", "Agent").objects.visible_to(user)
        return self.filter(Q(pk=user.pk) | Q(agent__in=people))

    def without_password(self) -> Self:
        """Open accounts whose owner has not chosen a password yet."""
        return self.filter(is_active=True, password__startswith=UNUSABLE_PASSWORD_PREFIX)

    def manageable_by(self, user: Any) -> Self:
        return self if user.is_active and user.is_superuser else self.none()


class NoticeQuerySet(models.QuerySet):
    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """One reads the own; what is written to others is written by the system."""
        return walls.either(walls.is_mine("recipient_id", "user")), walls.either()

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self if user.is_superuser else self.filter(recipient=user)

    def manageable_by(self, user: Any) -> Self:
        return self.visible_to(user)

    def unsent(self) -> Self:
        return self.filter(state="waiting", due_at__lte=timezone.now())


class OwnQuerySet(models.QuerySet):
    """What people settle about themselves (`owner`): theirs to read and write. Not even the operator changes it."""

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        return walls.either(walls.is_mine("owner_id", "user")), walls.either(walls.is_mine("owner_id", "user"))

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self if user.is_superuser else self.filter(owner=user)

    def manageable_by(self, user: Any) -> Self:
        return self.filter(owner=user) if user.is_authenticated and user.is_active else self.none()


class UndoOfferQuerySet(OwnQuerySet):
    """What one may undo is nobody else's to undo, or to see."""

    def take(self, pk: Any) -> Any:
        """The one row, locked until the transaction ends, or OutOfReach."""
        return TeamScopedQuerySet.take(self, pk)  # type: ignore[arg-type]


class DeliveryQuerySet(models.QuerySet):
    """What became of notices: the recipient's, and the operator's to watch."""

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        own = walls.along(model, "notice__recipient", lambda column: walls.is_mine(column, "user"))
        return walls.either(own), walls.either()

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self if user.is_superuser else self.filter(notice__recipient=user)

    def manageable_by(self, user: Any) -> Self:
        return self.none()

    def unsent(self) -> Self:
        return self.filter(state="waiting", due_at__lte=timezone.now())


class ScreenQuerySet(models.QuerySet):
    """What a person arranged for their own screen: nobody else's, not even the operator's to see."""

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        return walls.either(walls.is_mine("user_id", "user")), walls.either(walls.is_mine("user_id", "user"))

    def visible_to(self, user: Any) -> Self:
        return self.filter(user=user) if user.is_authenticated and user.is_active else self.none()

    def manageable_by(self, user: Any) -> Self:
        return self.visible_to(user)

    def take(self, pk: Any) -> Any:
        """The one row, locked until the transaction ends, or OutOfReach."""
        return TeamScopedQuerySet.take(self, pk)  # type: ignore[arg-type]


class OperatorQuerySet(models.QuerySet):
    """What belongs to the running of the suite is the operator's to read."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated and user.is_active and user.is_superuser else self.none()

    def manageable_by(self, user: Any) -> Self:
        return self.visible_to(user)


class JobRunQuerySet(OperatorQuerySet):
    """The ledger is the operator's to read; runs act in a declared system scope."""

    def claimable(self, now: datetime) -> Self:
        """Due runs nobody works on: waiting ones not put off by a failure, and running ones whose lease has lapsed."""
        is_free = Q(state="waiting", lease_until=None) | Q(state__in=["waiting", "running"], lease_until__lte=now)
        return self.filter(is_free, due_at__lte=now)


class JobProgressQuerySet(TeamScopedQuerySet):
    """Progress is seen, and stopped, by who asked for the work, by who leads its team, and by the operator."""

    owner_path = "asked_by"
    read_grants = write_grants = (Grant.LEAD,)

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Written by whoever may read it: who asked also stops."""
        read, _write = walls.scoped(model, cls)
        return read, read

    def manageable_by(self, user: Any) -> Self:
        return self.visible_to(user)


class DataCopyQuerySet(models.QuerySet):
    """A copy is for the one who asked for it, and for nobody else: the operator too may not open it."""

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        return walls.either(walls.is_mine("asked_by_id", "user")), walls.either(walls.is_mine("asked_by_id", "user"))

    def visible_to(self, user: Any) -> Self:
        return self.filter(asked_by=user) if user.is_authenticated and user.is_active else self.none()

    def manageable_by(self, user: Any) -> Self:
        return self.visible_to(user)


class ErasureQuerySet(TeamScopedQuerySet):
    """Erasures of people of teams one onboards; those of customers, who belong to no team, by ONBOARD on a top team."""

    team_path = "agent__team"
    read_grants = write_grants = (Grant.ONBOARD,)

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Wider than the filter: for a customer, who belongs to no team, any ONBOARD will do."""
        of_customers = "(agent_id IS NULL AND (SELECT outpost_ids('onboard')) IS NOT NULL)"
        read, write = walls.scoped(model, cls)
        return f"{read} OR {of_customers}", f"{write} OR {of_customers}"

    def in_teams(self, teams: models.QuerySet) -> Q:
        top = apps.get_model("teams", "Team").objects.filter(pk__in=teams, parent=None)
        return Q(AnyOf("agent__team", teams)) | Q(models.Exists(top), agent=None)
