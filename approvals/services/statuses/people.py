"""Whose line it is: who may set it, in which team the agent is at the moment, and since when they are at work."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from approvals.models import StatusSpan
from teams.acting import system_scope
from teams.clock import local_day
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Agent, Loan, User
from teams.scoping import Grant

LINE = "an agent's line is one, and is written for whoever may set it"
AT_WORK = (Agent.Status.ONBOARDING, Agent.Status.PROBATION, Agent.Status.ACTIVE)


def whose(pk: int, by: User | None) -> Agent:
    """The agent, if `by` is that person or leads them now; the system (None) reaches everybody. Raises OutOfReach."""
    with system_scope(LINE):
        agent = Agent.objects.filter(pk=pk).select_related("team").first()
        if agent is None or not (by is None or is_own(agent, by) or leads(agent, by)):
            raise OutOfReach
        return agent


def is_own(agent: Agent, by: User) -> bool:
    return agent.user_id is not None and agent.user_id == by.pk and by.is_active


def leads(agent: Agent, by: User) -> bool:
    """Whether `by` leads the home team, or the one that borrows the agent today."""
    teams = {agent.team_id, *_lent_to(agent)} - {None}
    return any(reaches(by, team, Grant.LEAD) for team in teams if team is not None)


def hold(pk: int) -> Agent:
    """The agent's row, locked: whoever writes on the line holds it. References to the agent are not kept waiting."""
    return Agent.objects.select_for_update(of=("self",), no_key=True).select_related("team").get(pk=pk)


def refuse_absent(agent: Agent) -> None:
    """Raises Refused: not_employed, no_team."""
    if agent.status not in AT_WORK:
        raise Refused(
            "not_employed",
            _("%(agent)s is “%(status)s” and has no status of the day. Change the employment first.")
            % {"agent": agent.name, "status": agent.get_status_display()},
        )
    if agent.team_id is None:
        raise Refused("no_team", _("%(agent)s belongs to no team yet. Give them a team first.") % {"agent": agent.name})


def team_now(agent: Agent, now: datetime) -> int:
    """The team in which the agent works at this moment: the one that borrows them today, else the own."""
    lent = _lent_to(agent, now)
    if agent.team_id is None and not lent:
        raise Refused("no_team", _("%(agent)s belongs to no team yet. Give them a team first.") % {"agent": agent.name})
    return lent[0] if lent else int(agent.team_id or 0)


def _lent_to(agent: Agent, now: datetime | None = None) -> list[int]:
    rows = Loan.objects.filter(agent=agent)
    rows = rows.today() if now is None else rows.on(local_day(now, agent.zone))
    return list(rows.order_by("span", "pk").values_list("team", flat=True))


def current(agent: Agent) -> StatusSpan | None:
    """What the agent does now."""
    return StatusSpan.objects.open().filter(agent=agent).select_related("reason").first()
