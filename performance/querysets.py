"""Chainable reads of facts, rollups and reports."""

from datetime import date, timedelta
from typing import Any, ClassVar, Self

from django.apps import apps
from django.db import models
from django.db.models import Q

from teams.acting import system_scope
from teams.scoping import Grant, TeamScopedQuerySet, reach

ONE_DAY = timedelta(days=1)
MOST_CALLED = 20  # sources that may call a contact by one and the same id
FIGURE_READERS: tuple[Grant, ...] = (Grant.OBSERVE, Grant.LEAD, Grant.REVIEW)


class FactQuerySet(TeamScopedQuerySet):
    """What was done, with the team of its day: who reaches that team sees it, and the agent concerned."""

    owner_path = "agent__user"
    read_grants: ClassVar[tuple[Grant, ...]] = FIGURE_READERS
    write_grants: ClassVar[tuple[Grant, ...]] = ()

    def for_day(self, day: date) -> Self:
        return self.filter(day=day)


class ContactQuerySet(FactQuerySet):
    def unmapped(self) -> Self:
        """In the tray: the source names an agent or a queue that nobody has mapped yet."""
        return self.filter(Q(agent=None) & ~Q(agent_external="") | Q(queue=None) & ~Q(queue_external=""))

    def called(self, external_id: str) -> Self:
        """Contacts that their source calls so. The keys, which are indexed by it, say in which months to look."""
        keys = apps.get_model("performance", "ContactKey").objects.filter(
            source__in=apps.get_model("performance", "Source").objects.values("pk"), external_id=external_id
        )
        with system_scope(
            "keys belong to those who lead the source; the contacts they lead to are scoped by themselves"
        ):
            found = list(keys.values_list("pk", "opened_at")[:MOST_CALLED])
        if not found:
            return self.none()
        days = [opened_at.date() for _pk, opened_at in found]
        return self.filter(pk__in=[pk for pk, _at in found], day__range=(min(days) - ONE_DAY, max(days) + ONE_DAY))


class TeamFactQuerySet(TeamScopedQuerySet):
    """Figures of a team as a whole; no person stands behind a row."""

    read_grants: ClassVar[tuple[Grant, ...]] = FIGURE_READERS
    write_grants: ClassVar[tuple[Grant, ...]] = ()


class SourceQuerySet(TeamScopedQuerySet):
    """A source and all that came through it belong to those who lead the team it serves."""

    read_grants = write_grants = (Grant.LEAD,)


class SourceRowQuerySet(SourceQuerySet):
    team_path = "source__team"


class ImportRowQuerySet(SourceQuerySet):
    team_path = "run__source__team"


class QueueQuerySet(TeamScopedQuerySet):
    read_grants: ClassVar[tuple[Grant, ...]] = FIGURE_READERS


class QueueFactQuerySet(TeamFactQuerySet):
    team_path = "queue__team"


class TargetQuerySet(TeamScopedQuerySet):
    read_grants: ClassVar[tuple[Grant, ...]] = FIGURE_READERS

    def on(self, day: date) -> Self:
        return self.filter(span__contains=day)


class ReportQuerySet(TeamFactQuerySet):
    read_grants: ClassVar[tuple[Grant, ...]] = (Grant.OBSERVE, Grant.LEAD)


class DayTouchQuerySet(models.QuerySet):
    """Bookkeeping of the night: zones and days with a version, no figures and no names. System scope."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_active and user.is_superuser else self.none()


def teams_within(user: Any, *grants: Grant) -> models.QuerySet:
    """The teams themselves that `grants` open to `user`, for menus and pages."""
    return apps.get_model("teams", "Team").objects.filter(pk__in=reach(user, grants))


class ContactSecretQuerySet(models.QuerySet):
    """Sealed numbers are shown to nobody as rows; one number is opened by `performance.services.phones.reveal`."""

    def visible_to(self, user: Any) -> Self:
        return self.none()


class PhoneRevealQuerySet(TeamScopedQuerySet):
    """Looks at telephone numbers: for those who lead the contact's team, and for the agent whose contact it was."""

    owner_path = "agent__user"
    read_grants = (Grant.LEAD,)
    write_grants = ()
