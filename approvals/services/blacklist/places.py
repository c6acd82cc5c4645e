"""Whose customers somebody may ask about: those of the own teams, and of the teams that a grant opens."""

from typing import Any

from django.db.models import Q, QuerySet

from teams import stencil
from teams.models import Agent, Loan, Team, TeamLineage, User
from teams.scoping import Grant, reach

READERS = (Grant.OBSERVE, Grant.LEAD)


def teams_of(by: Any) -> QuerySet[Team]:
    """The teams for whose customers `by` may ask and check: an agent's home and where they are lent to, and those in reach."""
    if stencil.fits(by):
        return Team.objects.filter(pk__in=stencil.filled(*_of_somebody(), by))
    if not (by.is_authenticated and by.is_active):
        return Team.objects.none()
    return Team.objects.all() if by.is_superuser else _composed(by)


@stencil.once
def _of_somebody() -> stencil.Compiled:
    return _composed(stencil.stand_in()).values("pk").query.sql_with_params()


def _composed(by: Any) -> QuerySet[Team]:
    home = Agent.objects.about(by).values("team")
    lent = Loan.objects.about(by).today().values("team")
    return Team.objects.filter(Q(pk__in=home) | Q(pk__in=lent) | Q(pk__in=reach(by, READERS)))


def home_of(by: User) -> Team | None:
    """The team an agent asks for where none is named; for others the one team they may ask for, if it is one."""
    agent = Agent.objects.about(by).select_related("team").first()
    if agent is not None and agent.team is not None:
        return agent.team
    found = list(teams_of(by).order_by("name")[:2])
    return found[0] if len(found) == 1 else None


def counting_for(teams: QuerySet[Team]) -> list[int]:
    """Ids of the teams whose entries count for customers of `teams`: these and all above them."""
    above = TeamLineage.objects.filter(descendant__in=teams.values("pk"))
    return sorted(above.values_list("ancestor", flat=True).distinct())
