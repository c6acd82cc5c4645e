"""Real deliveries through the CSV door, compared row by row with a recomputation by the standard library alone."""

import csv
import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings

from performance.models import Contact, ImportRun, IntervalFact
from performance.services import intake, tray
from tests import make
from tests.performance.intake import build

pytestmark = [pytest.mark.shared, pytest.mark.django_db]
MAPPINGS = Path(settings.BASE_DIR) / "docs" / "mappings"


def data(name: str) -> Path:
    if not settings.OUTPOST_SHARED:
        pytest.skip("OUTPOST_SHARED does not name the shared reference data")
    return Path(settings.OUTPOST_SHARED) / "data" / name


def rows_of(path: Path, **options) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, **options))


def take(source, name: str, path: Path) -> ImportRun:
    run = intake.take_in_file(source, json.loads((MAPPINGS / f"{name}.json").read_text()), path)
    assert list(run.refusals.all()) == []
    return run


def is_sealed(key: str, customer: str) -> bool:
    """A hash of fixed length that nobody could make of the id alone; digits of a short id may stand in it by chance."""
    bare = {hashlib.new(name, customer.encode()).hexdigest()[:32] for name in ("md5", "sha1", "sha256", "sha512")}
    return re.fullmatch("[0-9a-f]{32}", key) is not None and key not in bare


def test_phonenow_calls(north):
    path = data("phonenow_calls/calls_2021_01_02.csv.gz")
    source = make.source(north.team, "phonenow")
    for name in ("Becky", "Dan", "Diane", "Greg", "Jim", "Joe", "Martha", "Stewart"):
        build.name(source, name, make.agent(north.team, name))
    run = take(source, "phonenow_calls", path)
    rows = rows_of(path)
    assert build.counts(run, "rows", "new", "refused", "waiting") == (len(rows), len(rows), 0, 0)
    kept = {c.external_id: c for c in Contact.objects.select_related("agent")}
    assert len(kept) == len(rows) == 3388
    per_day = Counter()
    for row in rows:
        c = kept[row["call_id"]]
        opened = datetime.fromisoformat(f"{row['date']}T{row['time']}+00:00")
        answered = row["answered"] == "Y"
        hours, minutes, seconds = (int(part) for part in (row["talk_duration"] or "0:0:0").split(":"))
        talk = hours * 3600 + minutes * 60 + seconds
        ended = opened + timedelta(seconds=int(row["speed_of_answer_s"] or 0) + talk)
        assert (c.opened_at, c.ended_at, c.day) == (opened, ended, ended.date())
        assert (c.agent.name, c.topic, c.team) == (row["agent"], row["topic"], north.team)
        assert (c.is_answered, c.is_abandoned) == (answered, not answered)
        assert c.is_resolved == (row["resolved"] == "Y" if answered else None)
        assert c.handle_seconds == (talk if answered else None)
        assert c.wait_seconds == (int(row["speed_of_answer_s"]) if answered else None)
        assert c.rating == (Decimal(int(row["satisfaction"]) - 1) / 4 if answered else None)
        per_day[row["agent"], ended.date()] += answered
    counted = Counter((c.agent.name, c.day) for c in kept.values() if c.is_answered)
    assert counted == +per_day
    again = take(source, "phonenow_calls", path)
    assert build.counts(again, "new", "newer", "same") == (0, 0, 3388)


def clock(day: str, text: str) -> datetime:
    hours, minutes, seconds = (int(part) for part in text.split(":"))
    return datetime(1900 + int(day[:2]), int(day[2:4]), int(day[4:]), hours, minutes, seconds)  # noqa: DTZ001


def test_anonymous_bank_january(north):
    path = data("anonymous_bank_1999/january.txt.gz")
    zone = ZoneInfo("Asia/Jerusalem")
    source = make.source(north.team, "bank", zone="Asia/Jerusalem")
    people = {}
    rows = [{k.strip(): v.strip() for k, v in row.items()} for row in rows_of(path, delimiter="\t")]
    for name in sorted({row["server"] for row in rows} - {"NO_SERVER"}):
        people[name] = make.agent(north.team, name, zone="Asia/Jerusalem")
        build.name(source, name, people[name])
    for code in ("PS", "PE", "IN", "NE", "NW", "TT", "AA"):
        build.line(source, code, make.queue(north.team, code, zone="Asia/Jerusalem"))
    run = take(source, "anonymous_bank", path)
    assert build.counts(run, "rows", "new", "waiting") == (31599, 31599, 0)
    kept = {c.external_id: c for c in Contact.objects.select_related("agent", "queue")}
    expected, found = Counter(), Counter()
    for row in rows:
        c = kept.pop(f"{row['vru+line']}-{row['call_id']}")
        opened = clock(row["date"], row["vru_entry"])
        answered, queued = row["outcome"] == "AGENT", row["q_time"] != "0"
        if answered and (row["ser_exit"], row["ser_time"]) != ("0:00:00", "0"):
            end = row["ser_exit"]
        else:
            end = row["q_exit"] if queued else row["vru_exit"]
        ended = clock(row["date"], end)
        if opened - ended > timedelta(hours=12):
            ended += timedelta(days=1)
        assert c.opened_at == opened.replace(tzinfo=zone).astimezone(UTC)
        assert c.ended_at == ended.replace(tzinfo=zone).astimezone(UTC)
        assert c.day == ended.date()
        assert c.queue_external == row["type"] == c.queue.name
        assert (c.agent.name if c.agent else "NO_SERVER") == row["server"]
        assert (c.is_answered, c.is_excluded) == (answered, row["outcome"] == "PHANTOM")
        assert c.is_abandoned == (row["outcome"] == "HANG" and queued)
        assert c.handle_seconds == (int(row["ser_time"]) if answered else None)
        assert c.wait_seconds == (int(row["q_time"]) if queued else None)
        assert (c.customer_key == "") == (row["customer_id"] == "0")
        assert row["customer_id"] == "0" or is_sealed(c.customer_key, row["customer_id"])
        expected[row["server"], ended.date(), answered] += 1
        found[c.agent.name if c.agent else "NO_SERVER", c.day, c.is_answered] += 1
    assert kept == {} and found == expected
    everything = Contact.objects.all()
    assert everything.filter(is_excluded=True).count() == 240
    assert everything.filter(is_answered=True, agent=None).count() == 490
    assert everything.filter(is_abandoned=True).count() == 4299 - 1219
    assert everything.filter(day=date(1999, 2, 1)).count() == sum(
        n for (_s, d, _a), n in expected.items() if d == date(1999, 2, 1)
    )


def test_anonymous_bank_half_hours_equal_the_published_ones(north):
    """Offered and answered per type and half hour, as the data's own derived file counts them."""
    zone = ZoneInfo("Asia/Jerusalem")
    source = make.source(north.team, "bank", zone="Asia/Jerusalem")
    take(source, "anonymous_bank", data("anonymous_bank_1999/january.txt.gz"))
    offered, answered = Counter(), Counter()
    for c in Contact.objects.filter(is_excluded=False):
        if c.is_answered or c.wait_seconds:
            answered[c.queue_external] += c.is_answered
            offered[c.queue_external] += 1
    told = rows_of(data("anonymous_bank_1999/january_halfhour.csv.gz"))
    published_answered = Counter()
    published_offered = Counter()
    for row in told:
        published_answered[row["type"]] += int(row["answered"])
        published_offered[row["type"]] += int(row["offered"])
    assert +answered == +published_answered
    assert +offered == +published_offered
    assert Contact.objects.order_by("opened_at").first().opened_at.astimezone(zone).date() == date(1999, 1, 1)


def test_helpdesk_tickets(north):
    path = data("helpdesk_tickets/helpdesk_events.csv.gz")
    source = make.source(north.team, "helpdesk", channel="ticket")
    run = take(source, "helpdesk_tickets", path)
    zone = ZoneInfo("Europe/Rome")
    cases = defaultdict(set)
    order = {}
    for number, row in enumerate(rows_of(path)):
        event = (row["CompleteTimestamp"], row["ActivityID"])
        cases[row["CaseID"]].add(event)
        order.setdefault((row["CaseID"], *event), number)
    assert build.counts(run, "rows", "new") == (13710, 3804)
    for c in Contact.objects.all():
        events = sorted(cases.pop(c.external_id), key=lambda e: (e[0], order[c.external_id, *e]))
        first, last = events[0], events[-1]
        assert c.opened_at == datetime.fromisoformat(first[0]).replace(tzinfo=zone).astimezone(UTC)
        closes = last[1] == "6"
        assert c.ended_at == (datetime.fromisoformat(last[0]).replace(tzinfo=zone).astimezone(UTC) if closes else None)
        reopened = sum(a == "6" and b != "6" for (_t, a), (_u, b) in pairwise(events))
        assert (c.reopen_count, c.channel, c.agent) == (reopened, "ticket", None)
        assert (
            c.day == datetime.fromisoformat(last[0] if closes else first[0]).replace(tzinfo=zone).astimezone(UTC).date()
        )
    assert cases == {}


def test_axa_half_hours(north):
    path = data("axa_assistance_halfhour/received_2011_2012.csv.gz")
    source = make.source(north.team, "axa", zone="Europe/Paris")
    run = take(source, "axa_assistance_halfhour", path)
    zone = ZoneInfo("Europe/Paris")
    told = {}
    for row in rows_of(path):
        start = datetime.fromisoformat(row["start"]).replace(tzinfo=zone).astimezone(UTC)
        told[row["queue"], start] = int(row["received"])
    assert build.counts(run, "rows", "new", "new_queues") == (525865, 525865, 18)
    kept = {
        (q, at): n
        for q, at, n in IntervalFact.objects.values_list("queue_external", "started_at", "offered").iterator()
    }
    assert kept == told
    queue = make.queue(north.team, "Medical", zone="Europe/Paris")
    wait = {each.external: each for each in tray.waiting(north.lead, tray.QUEUE)}
    assert wait["Médical"].facts == 34837
    assert tray.map_queue(source.pk, "Médical", queue.pk, by=north.lead) == 34837
    assert IntervalFact.objects.filter(queue=queue).count() == 34837
