"""Brings the cast into the database: teams, people, rights, wages, queues, sources, targets. With history, by the system."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange

from config.demo.cast import DAYS, SKILLS, Cast, DemoAgent
from performance.models import AgentAlias, Queue, QueueAlias, Source, Target
from teams import audit
from teams.clock import day_start, local_day
from teams.models import (
    Agent,
    AgentZone,
    Compensation,
    Loan,
    Membership,
    Skill,
    Team,
    TeamPlacement,
    TeamUserGrant,
    User,
)

REASON = "demo organisation"
# Contacts closed per day, by team and role; everything else keeps the defaults of the metric registry.
VOLUME_TARGETS = (
    ("harbour", "", Decimal(40)),
    ("harbour", "lead", Decimal(20)),
    ("harbour", "trainee", Decimal(26)),
    ("shanghai-orders", "senior", Decimal(46)),
    ("lisbon-care", "senior", Decimal(42)),
    ("kathmandu-tech", "", Decimal(34)),
)


@dataclass(frozen=True)
class Clock:
    """The moment of seeding, and what its offsets of days mean in a zone."""

    now: datetime

    def day(self, offset: int, zone: str) -> date:
        return local_day(self.now, zone) + timedelta(days=offset)

    def span(self, since: int | None, until: int | None, zone: str) -> DateRange:
        return DateRange(
            None if since is None else self.day(since, zone), None if until is None else self.day(until, zone)
        )


def build(cast: Cast, clock: Clock, passwords: dict[str, str]) -> None:
    """Everybody and everything but the facts. `passwords` by username; who is not named there cannot log in yet."""
    teams = _teams(cast, clock)
    agents = _people(cast, clock, teams, passwords)
    _employment(cast, clock, teams, agents)
    _rights(cast, clock, teams)
    _doors(cast, clock, teams, agents)
    targets = [
        Target(
            team=teams[code], role=role, metric="volume", value=value,
            span=DateRange(clock.day(-DAYS - 400, teams[code].zone), None),
        )
        for code, role, value in VOLUME_TARGETS
    ]  # fmt: skip
    audit.create_many(Target, targets, by=None, reason=REASON)


def _teams(cast: Cast, clock: Clock) -> dict[str, Team]:
    rows: dict[str, Team] = {}
    for each in cast.teams:  # the team above always comes first
        row = Team(code=each.code, name=each.name, parent=rows[each.parent] if each.parent else None, zone=each.zone)
        audit.save_with_history(row, by=None, reason=REASON)
        rows[each.code] = row
    placements = [
        TeamPlacement(team=row, parent=row.parent, span=clock.span(-DAYS - 1600, None, row.zone))
        for row in rows.values()
    ]
    audit.create_many(TeamPlacement, placements, by=None, reason=REASON)
    return rows


def _people(cast: Cast, clock: Clock, teams: dict[str, Team], passwords: dict[str, str]) -> dict[str, Agent]:
    staff = {grant.username for grant in cast.grants}
    hashes = {username: make_password(password) for username, password in passwords.items()}
    accounts = [
        User(
            username=each.username, full_name=each.name, language=each.language, zone=each.zone, is_staff=True,
            is_superuser=each.is_superuser, email=f"{each.username}@harbour.example",
        )
        for each in cast.accounts
    ]  # fmt: skip
    accounts += [
        User(
            username=each.username, full_name=each.name, language=each.locale, zone=each.zones[-1][0],
            is_staff=each.username in staff, is_active=each.left is None, email=each.mail,
        )
        for each in cast.agents
    ]  # fmt: skip
    for account in accounts:
        account.password = hashes.get(account.username) or make_password(None)
    users = {row.username: row for row in audit.create_many(User, accounts, by=None, reason=REASON)}
    rows = [
        Agent(
            number=each.number, name=each.name, user=users[each.username], zone=each.zones[-1][0], locale=each.locale,
            team=teams[each.team], role=each.role, status=each.status,
            started_on=clock.day(each.since, _zone(cast, each)),
            left_on=None if each.left is None else clock.day(each.left, _zone(cast, each)),
        )
        for each in cast.agents
    ]  # fmt: skip
    agents = {row.number: row for row in audit.create_many(Agent, rows, by=None, reason=REASON)}
    words = [Skill(code=code, name=name) for code, name in SKILLS.items()]
    skills = {row.code: row for row in audit.create_many(Skill, words, by=None, reason=REASON)}
    link = Agent.skills.through
    link.objects.bulk_create(
        link(agent=agents[each.number], skill=skills[code]) for each in cast.agents for code in each.skills
    )
    return agents


def _zone(cast: Cast, agent: DemoAgent) -> str:
    """The clock by which the agent's days count: that of the home team."""
    return cast.team[agent.team].zone


def _employment(cast: Cast, clock: Clock, teams: dict[str, Team], agents: dict[str, Agent]) -> None:
    zones, homes, loans, wages = [], [], [], []
    for each in cast.agents:
        agent, clock_zone = agents[each.number], _zone(cast, each)
        begins = [
            clock.day(each.since, clock_zone) if day is None else clock.day(day, clock_zone) for _, day in each.zones
        ]
        moments: list[datetime | None] = [None]
        moments += [day_start(day, each.zones[place][0]) for place, day in enumerate(begins[1:])]
        for place, (zone, _) in enumerate(each.zones):
            until = moments[place + 1] if place + 1 < len(moments) else None
            zones.append(AgentZone(agent=agent, zone=zone, span=DateTimeTZRange(moments[place], until)))
        for place, (code, since, until_day) in enumerate(each.homes):
            reason = "内部调动" if place else ""
            span = clock.span(since, until_day, clock_zone)
            homes.append(Membership(agent=agent, team=teams[code], span=span, reason=reason))
        if each.loan is not None:
            code, since, until_day = each.loan
            span = clock.span(since, until_day, teams[code].zone)
            loans.append(Loan(agent=agent, team=teams[code], span=span, reason="Cover for the spring campaign"))
        for amount, since, until_day in each.wages:
            wages.append(
                Compensation(
                    agent=agent, basis=each.wage_basis, amount=amount, currency=each.currency,
                    span=clock.span(since, until_day, clock_zone),
                )
            )  # fmt: skip
    for model, rows in ((AgentZone, zones), (Membership, homes), (Loan, loans), (Compensation, wages)):
        audit.create_many(model, rows, by=None, reason=REASON)


def _rights(cast: Cast, clock: Clock, teams: dict[str, Team]) -> None:
    users = {row.username: row for row in User.objects.filter(username__in={each.username for each in cast.grants})}
    permissions = {
        row.codename: row
        for row in Permission.objects.filter(content_type__app_label="teams", content_type__model="team")
    }
    rows = [
        TeamUserGrant(
            user=users[each.username], content_object=teams[each.team], permission=permissions[each.grant.value],
            until=None if each.until is None else day_start(clock.day(each.until, "UTC"), "UTC"), reason=each.reason,
        )
        for each in cast.grants
    ]  # fmt: skip
    audit.create_many(TeamUserGrant, rows, by=None, reason=REASON)


def _doors(cast: Cast, clock: Clock, teams: dict[str, Team], agents: dict[str, Agent]) -> None:
    """Queues, sources, and who and what these call by which name."""
    sources = {
        row.code: row
        for row in audit.create_many(
            Source,
            [
                Source(code=each.code, name=each.name, team=teams[each.team], zone=each.zone, channel=each.channel)
                for each in cast.sources
            ],
            by=None,
            reason=REASON,
        )
    }
    lines = [
        Queue(
            code=each.code, name=each.name, team=teams[each.team], zone=each.zone, complexity=each.complexity,
            answer_within_seconds=each.answer_within_seconds,
        )
        for each in cast.queues
    ]  # fmt: skip
    queues = {row.code: row for row in audit.create_many(Queue, lines, by=None, reason=REASON)}
    aliases = [
        QueueAlias(source=sources[each.source], external=each.external, queue=queues[each.code]) for each in cast.queues
    ]
    aliases += [QueueAlias(source=sources["callbacks"], external="care", queue=queues["lisbon-care-phone"])]
    audit.create_many(QueueAlias, aliases, by=None, reason=REASON)
    names = []
    for each in cast.agents:
        names += [
            AgentAlias(
                source=sources[cast.phone_source(each.team)], external=each.extension, agent=agents[each.number]
            ),
            AgentAlias(source=sources["helpdesk"], external=each.mail, agent=agents[each.number]),
        ]
        if each.team == "lisbon-care":
            names.append(AgentAlias(source=sources["callbacks"], external=each.name, agent=agents[each.number]))
    audit.create_many(AgentAlias, names, by=None, reason=REASON)
