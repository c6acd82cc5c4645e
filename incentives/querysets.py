"""Chainable reads of plans, lines and money.

Whoever leads a team sees attainment and tier; amounts open with SETTLE alone, and to the person they are paid to.
"""

from datetime import date
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from teams import walls
from teams.scoping import Grant, TeamScopedQuerySet

LEADS_AND_PAYROLL: tuple[Grant, ...] = (Grant.LEAD, Grant.SETTLE)
PAYROLL: tuple[Grant, ...] = (Grant.SETTLE,)


class PlanQuerySet(TeamScopedQuerySet):
    """Plans are read by those who lead and those who pay, and written by those who pay."""

    read_grants: ClassVar[tuple[Grant, ...]] = LEADS_AND_PAYROLL
    write_grants: ClassVar[tuple[Grant, ...]] = PAYROLL


class PlanVersionQuerySet(PlanQuerySet):
    team_path = "plan__team"

    def published(self) -> Self:
        return self.filter(state="published")

    def on(self, day: date) -> Self:
        return self.published().filter(span__contains=day)


class AcknowledgementQuerySet(TeamScopedQuerySet):
    """Who has read a plan: for the person, and those who lead or pay them."""

    team_path, owner_path = "agent__team", "agent__user"
    read_grants: ClassVar[tuple[Grant, ...]] = LEADS_AND_PAYROLL
    write_grants: ClassVar[tuple[Grant, ...]] = ()


class DayRecordQuerySet(TeamScopedQuerySet):
    """Minutes and findings of a day that count for pay: recorded by those who lead the agent, or pay them."""

    team_path, owner_path = "agent__team", "agent__user"
    read_grants: ClassVar[tuple[Grant, ...]] = LEADS_AND_PAYROLL
    write_grants: ClassVar[tuple[Grant, ...]] = LEADS_AND_PAYROLL


class CorrectionQuerySet(DayRecordQuerySet):
    """Counts that a dispute has put right: they come out of a decision alone."""

    write_grants: ClassVar[tuple[Grant, ...]] = ()


class AttainmentQuerySet(TeamScopedQuerySet):
    """What was reached, without a word of money, with the team of its last day."""

    owner_path = "agent__user"
    read_grants: ClassVar[tuple[Grant, ...]] = LEADS_AND_PAYROLL
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    def within(self, first: date, last: date) -> Self:
        return self.filter(begins__range=(first, last))


class MoneyQuerySet(TeamScopedQuerySet):
    """Amounts: never implied by a reporting line. Read and written under SETTLE, read by the person."""

    owner_path: ClassVar[str | None] = "agent__user"
    read_grants: ClassVar[tuple[Grant, ...]] = PAYROLL
    write_grants: ClassVar[tuple[Grant, ...]] = PAYROLL

    @classmethod
    def wall(cls, model: type[models.Model]) -> tuple[str, str]:
        """Wider than the filter: it does not know that somebody looks as somebody else."""
        return walls.scoped(model, cls)

    def visible_to(self, user: Any) -> Self:
        """Whoever looks as somebody else (`teams.edges.viewing`) looks for rights: amounts stay shut."""
        return self.none() if getattr(user, "seen_by", None) is not None else super().visible_to(user)


class EntryQuerySet(MoneyQuerySet):
    def of_month(self, month: date) -> Self:
        return self.filter(month=month)

    def unpaid(self) -> Self:
        """Entries that no batch pays yet."""
        return self.filter(batch=None)


class RunQuerySet(MoneyQuerySet):
    team_path, owner_path = "plan__team", None


class BatchQuerySet(MoneyQuerySet):
    team_path, owner_path = "run__plan__team", None


class BatchPartQuerySet(MoneyQuerySet):
    """Items and downloads of a batch."""

    team_path, owner_path = "batch__run__plan__team", None


class SimulationQuerySet(MoneyQuerySet):
    team_path, owner_path = "version__plan__team", None

    def open(self) -> Self:
        return self.filter(Q(state="waiting"))


class KeptFactsQuerySet(models.QuerySet):
    """Counts that a line rested on before they changed, by their digest: no person and no money. Found by whoever has a row
    that names the digest."""

    def visible_to(self, user: Any) -> Self:
        return self.none()
