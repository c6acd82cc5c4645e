"""Builds rows plainly. Every maker fills what a test does not care about and takes the rest by name."""

from datetime import UTC, date, datetime
from itertools import count
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from guardian.shortcuts import assign_perm

from performance.models import Queue, Source
from teams.models import Agent, AgentZone, Membership, Team, User
from teams.scoping import Grant

_numbers = count(1)
SOME_YEARS_ON = f"{datetime.now(UTC).year + 5}-01-01"  # a plan that is still believed
LONG_AGO = date(2000, 1, 1)


def user(username: str = "", **fields: Any) -> User:
    fields.setdefault("full_name", username or "Somebody")
    password = fields.pop("password", "correct horse battery")
    row = User(username=username or f"user{next(_numbers)}", **fields)
    row.set_password(password)
    row.save()
    return row


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
    AgentZone.objects.create(
        agent=row, zone=zone, span=DateTimeTZRange(datetime.combine(since, datetime.min.time(), UTC), None)
    )
    if team is not None:
        Membership.objects.create(agent=row, team=team, span=DateRange(since, None))
    return row


def grant(user: User, team: Team, *grants: Grant) -> None:
    for each in grants:
        assign_perm(each.value, user, team)


def queue(team: Team, name: str = "", **fields: Any) -> Queue:
    name = name or f"Queue {next(_numbers)}"
    fields.setdefault("code", name.lower().replace(" ", "-"))
    return Queue.objects.create(team=team, name=name, **fields)


def source(team: Team, name: str = "", **fields: Any) -> Source:
    name = name or f"Source {next(_numbers)}"
    fields.setdefault("code", name.lower().replace(" ", "-"))
    return Source.objects.create(team=team, name=name, **fields)
