"""Builds rows plainly. Every maker fills what a test does not care about and takes the rest by name."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from simple_history.utils import bulk_create_with_history

from performance.models import Queue, Source
from teams.models import Agent, AgentZone, Membership, Team, TeamUserGrant, User
from teams.scoping import Grant

_numbers = count(1)
SOME_YEARS_ON = f"{datetime.now(UTC).year + 5}-01-01"  # a plan that is still believed
LONG_AGO = date(2000, 1, 1)


def user(username: str = "", **fields: Any) -> User:
    row = _user(username, **fields)
    row.save()
    return row


def users(*usernames: str, **fields: Any) -> list[User]:
    """Several accounts alike, each with its history, in two statements."""
    return bulk_create_with_history([_user(username, **fields) for username in usernames], User)


def _user(username: str, **fields: Any) -> User:
    fields.setdefault("full_name", username or "Somebody")
    password = _sealed(fields.pop("password", "correct horse battery"))
    return User(username=username or f"user{next(_numbers)}", password=password, **fields)


@cache
def _sealed(password: str) -> str:
    return make_password(password)


def team(name: str = "", parent: Team | None = None, **fields: Any) -> Team:
    name = name or f"Team {next(_numbers)}"
    fields.setdefault("code", name.lower().replace(" ", "-"))
    return Team.objects.create(name=name, parent=parent, **fields)


def agent(
    team: Team | None = None, name: str = "", *, since: date = LONG_AGO, zone: str = "UTC", **fields: Any
) -> Agent:
    """An agent with zone and home team from `since` on, and the columns of today derived from them."""
    number = fields.pop("number", f"A{next(_numbers):05d}")
    row = Agent.objects.create(number=number, name=name or f"Agent {number}", team=team, zone=zone, **fields)
    _zone(row, since).save()
    if team is not None:
        _membership(row, since).save()
    return row


def agents(team: Team, people: Iterable[tuple[str, User | None]]) -> list[Agent]:
    """The same for several with name and account, in six statements."""
    numbered = [(f"A{next(_numbers):05d}", name, user) for name, user in people]
    rows = [Agent(number=number, name=name, user=user, team=team, zone="UTC") for number, name, user in numbered]
    bulk_create_with_history(rows, Agent)
    bulk_create_with_history([_zone(row, LONG_AGO) for row in rows], AgentZone)
    bulk_create_with_history([_membership(row, LONG_AGO) for row in rows], Membership)
    return rows


def _zone(agent: Agent, since: date) -> AgentZone:
    span = DateTimeTZRange(datetime.combine(since, datetime.min.time(), UTC), None)
    return AgentZone(agent=agent, zone=agent.zone, span=span)


def _membership(agent: Agent, since: date) -> Membership:
    return Membership(agent=agent, team=agent.team, span=DateRange(since, None))


def grant(user: User, team: Team, *held: Grant) -> None:
    grants(team, ((user, each) for each in held))


def grants(team: Team, held: Iterable[tuple[User, Grant]]) -> None:
    """What several hold on one team that nobody gave them before, in three statements."""
    known = {each.codename: each for each in Permission.objects.filter(codename__in=Grant.values)}
    rows = [TeamUserGrant(user=user, content_object=team, permission=known[each]) for user, each in held]
    bulk_create_with_history(rows, TeamUserGrant)


def queue(team: Team, name: str = "", **fields: Any) -> Queue:
    name = name or f"Queue {next(_numbers)}"
    fields.setdefault("code", name.lower().replace(" ", "-"))
    return Queue.objects.create(team=team, name=name, **fields)


def source(team: Team, name: str = "", **fields: Any) -> Source:
    name = name or f"Source {next(_numbers)}"
    fields.setdefault("code", name.lower().replace(" ", "-"))
    return Source.objects.create(team=team, name=name, **fields)
