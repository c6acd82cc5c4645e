"""Chainable reads of canned replies and what belongs to them.

A reply is the owner's alone, a team's, or everybody's. What belongs to a team is read by whoever works in it or below it, and
by whoever holds a grant of the roster on it, above it or below it: a lead reads what the people of the team are offered.
"""

from typing import Any, ClassVar, Self

from django.apps import apps
from django.db import models
from django.db.models import Q

from teams import walls
from teams.querysets import ROSTER_READERS, OperatorQuerySet
from teams.scoping import AnyOf, Grant, TeamScopedQuerySet, reach


def near(user: Any) -> models.QuerySet:
    """Ids of the teams whose shared things `user` reads: those in reach, the own one, where they are lent today, and all that
    stand above one of these."""
    lineage = apps.get_model("teams", "TeamLineage").objects.all()
    agents = apps.get_model("teams", "Agent").objects.filter(user=user)
    loans = apps.get_model("teams", "Loan").objects.today().filter(agent__user=user)
    below = Q(descendant__in=reach(user, ROSTER_READERS)) | Q(descendant__in=agents.values("team"))
    return lineage.filter(below | Q(descendant__in=loans.values("team"))).values("ancestor")


NEAR = """
SELECT line.ancestor_id FROM teams_teamlineage line WHERE line.descendant_id IN (
    SELECT unnest(outpost_ids('roster'))
    UNION ALL SELECT agent.team_id FROM teams_agent agent WHERE agent.id = (SELECT outpost_one('agent'))
    UNION ALL SELECT loan.team_id FROM teams_loan loan JOIN teams_agent lent ON lent.id = loan.agent_id
        WHERE lent.id = (SELECT outpost_one('agent')) AND loan.span @> (now() AT TIME ZONE lent.zone)::date
)
"""
KNOWN = "(SELECT outpost_one('user')) IS NOT NULL"


class SharedQuerySet(TeamScopedQuerySet):
    """Rows of a team and all below it; where no team is named, everybody's."""

    read_grants: ClassVar[tuple[Grant, ...]] = ROSTER_READERS

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        table = model._meta.db_table
        return (
            walls.either(f"{table}.team_id IN ({NEAR})", f"({table}.team_id IS NULL AND {KNOWN})"),
            walls.either(walls.within(f"{table}.team_id", "lead")),
        )

    def in_teams(self, teams: models.QuerySet) -> Q:
        """Rows of `teams`, of those above them, and everybody's: whoever works there is offered them."""
        above = apps.get_model("teams", "TeamLineage").objects.filter(descendant__in=teams).values("ancestor")
        return Q(team=None) | Q(AnyOf("team", above))

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self if user.is_superuser else self.filter(Q(team=None) | Q(AnyOf("team", near(user))))

    def manageable_by(self, user: Any) -> Self:
        """Whoever leads the team; what is everybody's is the operator's."""
        if not (user.is_authenticated and user.is_active):
            return self.none()
        return self if user.is_superuser else self.filter(AnyOf("team", reach(user, self.write_grants)))


class CategoryQuerySet(SharedQuerySet):
    def in_teams(self, teams: models.QuerySet) -> Q:
        """Rows of `teams` themselves: who leads below a category does not write it."""
        return Q(AnyOf("team", teams))


class ReplyQuerySet(SharedQuerySet):
    """A personal reply is its owner's alone: not even a lead reads it. The operator may."""

    owner_path = "owner"

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Shared replies are written by the engine of approvals, in the system's scope."""
        table = model._meta.db_table
        mine = walls.is_mine(f"{table}.owner_id", "user")
        everybody = f"({table}.scope = 'all' AND {KNOWN})"
        return walls.either(mine, f"{table}.team_id IN ({NEAR})", everybody), walls.either(mine)

    def in_teams(self, teams: models.QuerySet) -> Q:
        return Q(scope__in=["team", "all"]) & super().in_teams(teams)

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if user.is_superuser:
            return self
        return self.filter(Q(scope="all") | Q(owner=user) | Q(AnyOf("team", near(user))))

    def manageable_by(self, user: Any) -> Self:
        """One's own: what is shared changes by an approved request only."""
        return self.filter(owner=user) if user.is_authenticated and user.is_active else self.none()

    def shared(self) -> Self:
        return self.exclude(scope="personal")

    def live(self) -> Self:
        return self.filter(status="live")


class ReplyRowQuerySet(TeamScopedQuerySet):
    """What belongs to a reply is seen with it."""

    team_path = "reply__team"
    owner_path = "reply__owner"
    read_grants: ClassVar[tuple[Grant, ...]] = ROSTER_READERS
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """The policy of the reply itself answers for its rows; whoever may write it writes them."""
        replies = apps.get_model("approvals", "CannedReply")._meta.db_table
        mine = walls.is_mine("reply.owner_id", "user")
        return (
            walls.either(f"reply_id IN (SELECT reply.id FROM {replies} reply)"),
            walls.either(f"reply_id IN (SELECT reply.id FROM {replies} reply WHERE {mine})"),
        )

    def visible_to(self, user: Any) -> Self:
        return self.filter(reply__in=apps.get_model("approvals", "CannedReply").objects.visible_to(user))


class AttachmentQuerySet(models.QuerySet):
    """A file is seen by who brought it, by whoever sees a reply that has it, and by the leads of the team it is proposed to."""

    read_grants: ClassVar[tuple[Grant, ...]] = ROSTER_READERS
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        pairs = apps.get_model("approvals", "CannedReply").attachments.through._meta.db_table
        mine = walls.is_mine("brought_by_id", "user")
        shown = f"id IN (SELECT pair.replyattachment_id FROM {pairs} pair)"
        return walls.either(mine, walls.within("team_id", "lead"), shown), walls.either(mine)

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active):
            return self.none()
        if user.is_superuser:
            return self
        replies = apps.get_model("approvals", "CannedReply").objects.visible_to(user)
        attached = replies.filter(attachments__isnull=False).order_by().values("attachments")
        led = Q(AnyOf("team", reach(user, (Grant.LEAD,))))
        return self.filter(Q(brought_by=user) | led | Q(pk__in=attached))

    def manageable_by(self, user: Any) -> Self:
        return self.filter(brought_by=user) if user.is_authenticated and user.is_active else self.none()


class UseQuerySet(TeamScopedQuerySet):
    """Which replies an agent uses: figures about the agent, read as figures are. Written by the verb that counts."""

    owner_path = "agent__user"
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.OBSERVE, Grant.LEAD)
    write_grants: ClassVar[tuple[Grant, ...]] = ()


class HeatQuerySet(UseQuerySet):
    """As uses; and how warm replies are for one's own team as a whole is no secret to whoever works there: it ranks them."""

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        table = model._meta.db_table
        own = "SELECT agent.team_id FROM teams_agent agent WHERE agent.id = (SELECT outpost_one('agent'))"
        return walls.scoped(model, cls, also=(f"({table}.agent_id IS NULL AND {table}.team_id IN ({own}))",))

    def visible_to(self, user: Any) -> Self:
        if not (user.is_authenticated and user.is_active) or user.is_superuser:
            return super().visible_to(user)
        own = apps.get_model("teams", "Agent").objects.filter(user=user).values("team")
        return super().visible_to(user) | self.filter(agent=None, team__in=own)


class RulesQuerySet(OperatorQuerySet):
    """Rules for replies: the same for everybody, changed by the operator."""
