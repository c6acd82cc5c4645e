"""Verbs for agents: where they belong, in which zone they work, whom they help out, when they come and go.

Each is for those who lead or onboard the agent's home team; a borrowing team sees the agent and changes nothing. Days are
the agent's own. `Agent.team` and `Agent.zone` are those of today; plans become today's in `turn_day`.
"""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.clock import local_day, zone_names
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Agent, AgentZone, Loan, Membership, Team, User
from teams.scoping import Grant
from teams.services.rights import close_account, keep_out
from teams.services.spans import (
    ONE_DAY,
    DateTimeTZRange,
    cut_off,
    days,
    not_before,
    not_beyond,
    refuse_plans_after,
    reopen_before,
    today_in,
)

ONE_STORY = "the dated rows of an agent are one story, whichever teams they name"
KEEPERS = (Grant.LEAD, Grant.ONBOARD)
STAYS = (
    Agent.Status.HIRED,
    Agent.Status.ONBOARDING,
    Agent.Status.PROBATION,
    Agent.Status.ACTIVE,
    Agent.Status.ON_LEAVE,
    Agent.Status.SUSPENDED,
)


def take_home_agent(pk: int, by: User) -> Agent:
    """The agent, locked, if `by` leads or onboards the home team. Raises OutOfReach, or Refused for a borrower."""
    with system_scope("the borrower holds the row as well, to be told that the agent is only lent"):
        agent = Agent.objects.manageable_by(by).take(pk)
    if not by.is_superuser and (agent.team_id is None or not reaches(by, agent.team_id, *KEEPERS)):
        raise Refused("only_on_loan", _("This agent is only lent to you. The lead of the home team can do this."))
    return agent


def _take_team(pk: int, by: User) -> Team:
    """The team an agent goes to, locked and open."""
    team = Team.objects.filter(pk=pk).in_reach_of(by, *KEEPERS)
    if not team.exists():
        if Team.objects.filter(pk=pk).visible_to(by).exists():
            raise Refused("not_yours", _("Only who leads or onboards that team may do this."))
        raise OutOfReach
    with system_scope("whoever onboards holds the team's row while an agent goes there, and changes nothing in it"):
        row = team.take(pk)
    if row.is_closed:
        raise Refused("closed", _("%(team)s is closed. Reopen it first.") % {"team": row})
    return row


def _check_zone(zone: str) -> None:
    if zone not in zone_names():
        raise Refused("unknown_zone", _("%(name)s is not a time zone; write it as in Asia/Shanghai.") % {"name": zone})


@transaction.atomic
def add_agent(
    *,
    number: str,
    name: str,
    zone: str,
    team: int,
    on: date,
    by: User,
    role: str = Agent.Role.AGENT,
    locale: str = "en",
    reason: str = "",
) -> Agent:
    """A new agent with a home team from `on` (the first day) on; before that day the agent is hired, not started.

    Raises OutOfReach, Refused (number_taken, closed, unknown_zone), ValidationError for a malformed number.
    """
    home = _take_team(team, by)
    _check_zone(zone)
    with system_scope("a number is used once in the whole organisation"):
        is_taken = Agent.objects.filter(number=number).exists()
    if is_taken:
        raise Refused(
            "number_taken", _("The number %(number)s cannot be used here. Choose another.") % {"number": number}
        )
    status = Agent.Status.ACTIVE if on <= today_in(zone) else Agent.Status.HIRED
    agent = Agent(
        number=number, name=name, zone=zone, team=home, role=role, locale=locale, started_on=on, status=status
    )
    agent.full_clean()
    save_with_history(agent, by=by, reason=reason)
    save_with_history(AgentZone(agent=agent, zone=zone, span=DateTimeTZRange(None, None)), by=by, reason=reason)
    save_with_history(Membership(agent=agent, team=home, span=days(on), reason=reason), by=by, reason=reason)
    return agent


@transaction.atomic
def edit_agent(pk: int, *, name: str, locale: str, role: str, by: User, reason: str = "") -> Agent:
    """Name, language and role. Raises OutOfReach, Refused (only_on_loan), ValidationError."""
    agent = take_home_agent(pk, by)
    agent.name, agent.locale, agent.role = name, locale, role
    agent.full_clean()
    save_with_history(agent, "name", "locale", "role", by=by, reason=reason)
    return agent


@transaction.atomic
def change_zone(pk: int, zone: str, since: datetime | None = None, *, by: User, reason: str = "") -> AgentZone:
    """From `since` (now if not given) on the agent works in `zone`; days of facts before it stay as they are.

    Raises OutOfReach, or Refused: unknown_zone, in_the_past, already_planned, same_zone.
    """
    agent = take_home_agent(pk, by)
    with system_scope(ONE_STORY):
        _check_zone(zone)
        now = timezone.now()
        since = since or now
        not_before(local_day(since, agent.zone), local_day(now, agent.zone))
        rows = list(AgentZone.objects.select_for_update().filter(agent=agent).order_by("span"))
        refuse_plans_after(rows, now)
        if agent.zone == zone:
            raise Refused("same_zone", _("The agent already works in this time zone."))
        if not rows:
            first = AgentZone(agent=agent, zone=agent.zone, span=DateTimeTZRange(None, since))
            save_with_history(first, by=by, reason=reason)
        cut_off(rows, since, by=by, reason=reason)
        row = AgentZone(agent=agent, zone=zone, span=DateTimeTZRange(since, None))
        save_with_history(row, by=by, reason=reason)
        if since <= now:
            agent.zone = zone
            save_with_history(agent, "zone", by=by, reason=reason)
        return row


@transaction.atomic
def move_agent(pk: int, team: int, on: date, reason: str, *, by: User) -> Membership:
    """Another home team from `on` (the agent's date) on; earlier facts keep the team of their day.

    Whoever moves must lead or onboard both teams. Raises OutOfReach, or Refused: in_the_past, already_planned, same_team,
    closed, has_left.
    """
    agent = take_home_agent(pk, by)
    home = _take_team(team, by)
    with system_scope(ONE_STORY):
        today = today_in(agent.zone)
        not_before(on, today)
        _still_here(agent)
        if agent.team_id == home.pk:
            raise Refused("same_team", _("The agent already belongs to this team."))
        rows = list(Membership.objects.select_for_update().filter(agent=agent).order_by("span"))
        refuse_plans_after(rows, today)
        if not rows and agent.team_id is not None:
            save_with_history(Membership(agent=agent, team_id=agent.team_id, span=days(None, on)), by=by, reason=reason)
        last_day_after = rows[-1].span.upper if rows else None  # a leaving that is planned stays planned
        if last_day_after is not None and last_day_after <= on:
            raise Refused("leaves_before", _("The agent leaves before that day."))
        cut_off(rows, on, by=by, reason=reason)
        row = Membership(agent=agent, team=home, span=days(on, last_day_after), reason=reason)
        save_with_history(row, by=by, reason=reason)
        if on == today:
            agent.team = home
            save_with_history(agent, "team", by=by, reason=reason)
        return row


@transaction.atomic
def cancel_planned_transfer(pk: int, *, by: User, reason: str = "") -> None:
    """Take back the move of agent `pk` that has not begun. Raises OutOfReach, or Refused: nothing_planned."""
    agent = take_home_agent(pk, by)
    with system_scope(ONE_STORY):
        rows = list(Membership.objects.select_for_update().filter(agent=agent).order_by("span"))
        today = today_in(agent.zone)
        plan = next((row for row in rows[1:] if row.span.lower is not None and row.span.lower > today), None)
        if plan is None:
            raise Refused("nothing_planned", _("No move is planned for this agent."))
        delete_with_history(plan, by=by, reason=reason)
        reopen_before(rows, plan.span.lower, by=by, reason=reason)


@transaction.atomic
def lend_agent(pk: int, team: int, start: date, last_day: date, reason: str, *, by: User) -> Loan:
    """Lend an agent to another team for some days, the last included. Facts of these days may count for that team.

    Raises OutOfReach, or Refused: in_the_past, wrong_order, same_team, already_lent, closed, has_left.
    """
    agent = take_home_agent(pk, by)
    borrower = _take_team(team, by)
    with system_scope(ONE_STORY):
        not_before(start, today_in(agent.zone))
        not_beyond(last_day, today_in(agent.zone))
        _still_here(agent)
        if last_day < start:
            raise Refused("wrong_order", _("The last day lies before the first."))
        if agent.team_id == borrower.pk:
            raise Refused("same_team", _("The agent already belongs to this team."))
        span = days(start, last_day + ONE_DAY)
        if Loan.objects.filter(agent=agent, team=borrower, span__overlap=span).exists():
            raise Refused("already_lent", _("The agent is already lent to this team on some of these days."))
        loan = Loan(agent=agent, team=borrower, span=span, reason=reason)
        save_with_history(loan, by=by, reason=reason)
        return loan


@transaction.atomic
def end_loan(pk: int, *, by: User, reason: str = "") -> None:
    """End a loan today, this day included; one that has not begun is taken back. For the home team and the borrower.

    Raises OutOfReach, or Refused: already_ended.
    """
    loan = Loan.objects.manageable_by(by) | Loan.objects.filter(agent__in=Agent.objects.manageable_by(by))
    with system_scope("a loan stands between two teams, and each of them may end it"):
        row = Loan.objects.filter(pk__in=loan.values("pk")).take(pk)
        today = today_in(row.agent.zone)
        if row.span.upper <= today:
            raise Refused("already_ended", _("This loan has already ended."))
        cut_off([row], today if row.span.lower > today else today + ONE_DAY, by=by, reason=reason)


@transaction.atomic
def set_status(pk: int, status: str, *, by: User, reason: str = "") -> Agent:
    """Any employment but “left”; whoever is suspended is out at the next request. No door calls this by itself: it is asked
    for, and carried out when somebody else has agreed (`approvals.services.employment`).

    Leaving and coming back are verbs of their own. Raises OutOfReach, or Refused: use_leave, has_left, last_operator.
    """
    agent = take_home_agent(pk, by)
    _still_here(agent)
    if status not in STAYS:
        raise Refused("use_leave", _("Leaving has a day: use “Leave”."))
    agent.status = status
    save_with_history(agent, "status", by=by, reason=reason)
    if agent.user_id is not None:
        keep_out(agent.user_id, status == Agent.Status.SUSPENDED, by=by, reason=reason)
    return agent


@transaction.atomic
def leave(pk: int, last_day: date, reason: str, *, by: User) -> Agent:
    """The agent leaves after `last_day`. Up to today: membership, loans, rights and account end at once; later: a plan.

    The home team stays on the record as the last one, so that those who led the agent still find it.
    Raises OutOfReach, or Refused: has_left, own_leave, last_operator, before_start.
    """
    agent = take_home_agent(pk, by)
    _still_here(agent)
    if agent.user_id == by.pk:
        raise Refused("own_leave", _("Somebody else has to enter your own leaving."))
    if agent.started_on is not None and last_day < agent.started_on:
        raise Refused("before_start", _("The last day lies before the first day of work."))
    with system_scope(ONE_STORY):
        not_beyond(last_day, today_in(agent.zone))
        after = last_day + ONE_DAY
        cut_off(Membership.objects.select_for_update().filter(agent=agent), after, by=by, reason=reason)
        cut_off(Loan.objects.select_for_update().filter(agent=agent), after, by=by, reason=reason)
        agent.left_on = last_day
        if last_day <= today_in(agent.zone):
            finish_leaving(agent, by=by, reason=reason)
        else:
            save_with_history(agent, "left_on", by=by, reason=reason)
        return agent


def finish_leaving(agent: Agent, *, by: User | None, reason: str) -> None:
    """The part of leaving that waits for the day: status, rights, account. `agent` is locked."""
    agent.status = Agent.Status.LEFT
    save_with_history(agent, "status", "left_on", by=by, reason=reason)
    if agent.user_id is not None:
        close_account(agent.user_id, by=by, reason=reason)


@transaction.atomic
def return_agent(pk: int, team: int, on: date, reason: str, *, by: User) -> Agent:
    """Somebody who left, or was to leave, works again from `on` on. The account stays closed until the operator opens it.

    Raises OutOfReach, or Refused: has_not_left, in_the_past, closed.
    """
    agent = take_home_agent(pk, by)
    if agent.left_on is None:
        raise Refused("has_not_left", _("This agent has not left."))
    home = _take_team(team, by)
    with system_scope(ONE_STORY):
        not_before(on, today_in(agent.zone))
        cut_off(Membership.objects.select_for_update().filter(agent=agent), on, by=by, reason=reason)
        save_with_history(Membership(agent=agent, team=home, span=days(on), reason=reason), by=by, reason=reason)
        today = today_in(agent.zone)
        agent.status = Agent.Status.ACTIVE if on <= today else Agent.Status.HIRED
        agent.left_on = None
        agent.team = home
        save_with_history(agent, "status", "left_on", "team", by=by, reason=reason)
        if agent.user_id is not None:
            keep_out(agent.user_id, False, by=by, reason=reason)
        return agent


@transaction.atomic
def set_skills(pk: int, skills: list[int], *, by: User, reason: str = "") -> Agent:
    """The skills of an agent, all at once. Raises OutOfReach."""
    agent = take_home_agent(pk, by)
    agent._history_user, agent._change_reason = by, reason[:100]  # type: ignore[attr-defined]
    agent.skills.set(skills)
    return agent


def _still_here(agent: Agent) -> None:
    if agent.status == Agent.Status.LEFT:
        raise Refused("has_left", _("This agent has left. Use “Return” first."))
