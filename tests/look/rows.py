"""Contacts and the rollups made of them, counted here by hand so that pages are compared with something independent."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from performance.models import AgentDay, Contact, ImportRun, Source, TeamDay
from teams.models import Agent, Team

_ids = count(1)
DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 10, 35, tzinfo=UTC)


def run_of(team: Team) -> ImportRun:
    source, _made = Source.objects.get_or_create(code=f"src-{team.code}", defaults={"team": team, "name": team.name})
    return ImportRun.objects.get_or_create(source=source)[0]


def contact(agent: Agent, day: date = DAY, **fields: Any) -> Contact:
    """An answered, ended, simple telephone contact of `agent` on `day`; five minutes, neither rated nor judged."""
    number = next(_ids)
    team = fields.pop("team", agent.team)
    opened_at = fields.pop("opened_at", datetime.combine(day, time(9), UTC) + timedelta(minutes=number % 600))
    run = run_of(team)
    plain: dict[str, Any] = {
        "id": number, "source": run.source, "run": run, "external_id": f"c{number}", "channel": "phone",
        "complexity": "simple", "opened_at": opened_at, "ended_at": opened_at + timedelta(minutes=5),
        "handle_seconds": 300, "handle_method": "measured", "is_answered": True, "source_updated_at": opened_at,
        "agent": agent, "team": team, "zone": agent.zone, "day": day,
    }  # fmt: skip
    return Contact.objects.create(**plain | fields)


def agent_day(agent: Agent, day: date = DAY, **measures: Any) -> AgentDay:
    return AgentDay.objects.create(
        agent=agent, team=measures.pop("team", agent.team), day=day, zone=agent.zone, **measures
    )


def team_day(team: Team, day: date, **measures: Any) -> TeamDay:
    return TeamDay.objects.create(team=team, day=day, **measures)


def rolled_up(agent: Agent, day: date = DAY) -> AgentDay:
    """The agent's day as counted one by one from the contacts stored."""
    rows = [row for row in Contact.objects.filter(agent=agent, day=day) if row.is_answered and not row.is_excluded]
    rows = [row for row in rows if not row.is_bot_only]
    closed = [row for row in rows if row.ended_at]
    timed = [row for row in rows if row.handle_seconds is not None]
    rated = [row for row in rows if row.rating is not None]
    judged = [row for row in rows if row.is_resolved is not None]

    def of(kind: str, some: list[Contact]) -> list[Contact]:
        return [row for row in some if row.complexity == kind]

    return agent_day(
        agent, day, contacts=len(rows), closed=len(closed),
        closed_simple=len(of("simple", closed)), closed_complex=len(of("complex", closed)),
        judged=len(judged), resolved=sum(row.is_resolved for row in judged),
        rated=len(rated), satisfied=sum(row.rating >= Decimal("0.75") for row in rated),
        timed=len(timed), handle_seconds=sum(row.handle_seconds for row in timed),
        timed_estimated=sum(row.handle_method == "gap" for row in timed),
        timed_simple=len(of("simple", timed)), handle_seconds_simple=sum(r.handle_seconds for r in of("simple", timed)),
        timed_complex=len(of("complex", timed)), handle_seconds_complex=sum(r.handle_seconds for r in of("complex", timed)),
        reopened=sum(row.reopen_count > 0 for row in closed),
    )  # fmt: skip
