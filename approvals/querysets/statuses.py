"""Chainable reads of time lines and of what teams keep covered."""

from datetime import datetime
from typing import ClassVar, Self

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from teams.scoping import Grant, TeamScopedQuerySet


class StatusSpanQuerySet(TeamScopedQuerySet):
    """Who did what when, as the roster is read: not by reviewers, not by payroll. A span keeps the team of its moment."""

    owner_path = "agent__user"
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.OBSERVE, Grant.LEAD, Grant.ONBOARD)
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)

    def open(self) -> Self:
        """What people do now."""
        return self.filter(span__upper_inf=True)

    def during(self, since: datetime, until: datetime | None) -> Self:
        """What covers some moment from `since` until before `until`, in order."""
        return self.filter(span__overlap=DateTimeTZRange(since, until)).order_by("span")


class TeamCoverQuerySet(TeamScopedQuerySet):
    """How many have to stay ready: set by those who lead, read with the statuses that it is compared with."""

    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.OBSERVE, Grant.LEAD, Grant.ONBOARD)
    write_grants: ClassVar[tuple[Grant, ...]] = (Grant.LEAD,)
