"""Contacts for tests of the night, written as intake leaves them: with agent, team, zone and day already decided."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection

from performance.models import Contact, DayTouch, ImportRun, Source
from teams.clock import day_start, local_day
from teams.models import Agent
from tests import make

_ids = count(1)
DAY = date(2026, 3, 10)


def contact(agent: Agent | None, day: date = DAY, *, minute: int = 600, **fields: Any) -> Contact:
    """A contact of `agent` opened so many minutes after midnight of its zone, ended five minutes later.

    As at intake, its own day and that of its queue's half hour are touched.
    """
    zone = fields.pop("zone", agent.zone if agent else "UTC")
    team = fields.pop("team", agent.team if agent else None)
    source = fields.pop("source", None) or Source.objects.first() or make.source(team)
    run = ImportRun.objects.filter(source=source).first() or ImportRun.objects.create(source=source)
    opened = fields.pop("opened_at", None) or day_start(day, zone) + timedelta(minutes=minute)
    number = next(_ids)
    given = {
        "id": number,
        "source": source,
        "run": run,
        "external_id": f"c{number}",
        "channel": "phone",
        "agent": agent,
        "team": team,
        "zone": zone,
        "day": day,
        "complexity": "simple",
        "opened_at": opened,
        "ended_at": opened + timedelta(minutes=5),
        "source_updated_at": opened,
        "handle_seconds": 300,
        "handle_method": "measured",
        "is_answered": True,
    }
    row = Contact.objects.create(**given | fields)
    days = {(zone, day)}
    if row.queue:
        days.add((row.queue.zone, local_day(opened, row.queue.zone)))
    for each in sorted(days):
        touch(*each)
    return row


def touch(zone: str, day: date) -> None:
    row, is_new = DayTouch.objects.get_or_create(zone=zone, day=day)
    if not is_new:
        row.version += 1
        row.save()


def partitions(first: date, last: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions(%s, %s)", [first, last])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
