"""Brings the facts into the database: rows in normal form become text, stream through COPY, and get their day here.

One delivery for each source and kind of rows. Every fact's day, zone and team are those of its agent at that instant.
"""

import hashlib
import hmac
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.demo import callbacks
from config.demo.cast import WEST
from config.demo.facts import Batch
from config.demo.floor import STRANGER_AGENT, STRANGER_QUEUE
from config.demo.rows import ContactRow, LegRow, StateRow
from performance.models import AgentAlias, DayTouch, ImportRefusal, ImportRun, Queue, QueueAlias, Source
from teams import audit
from teams.models import AgentZone, Loan, Membership

MONTHS_AHEAD_DAYS = 95
NULL = "\\N"
RATINGS = {1: ("1", "0"), 2: ("2", "0.25"), 3: ("3", "0.5"), 4: ("4", "0.75"), 5: ("5", "1")}
QUARTER = 900  # no zone changes its clock within a quarter of an hour of UTC

KEY_COLUMNS = "id, source_id, external_id, opened_at, version_at, payload_hash"
CONTACT_COLUMNS = (
    "id, source_id, run_id, opened_at, assigned_at, first_reply_at, ended_at, source_updated_at, queue_id, agent_id, "
    "agent_external, team_id, zone, day, wait_seconds, first_reply_seconds, handle_seconds, reopen_count, "
    "transfer_count, reply_count, is_answered, is_abandoned, is_resolved, is_bot_only, is_excluded, rating_scale, "
    "rating_raw, rating, external_id, channel, queue_external, topic, complexity, handle_method, rating_comment, "
    "customer_key, phone_mask"
)
LEG_COLUMNS = (
    "source_id, run_id, agent_id, agent_external, team_id, zone, day, contact_external, started_at, ended_at, "
    "reply_count, end_reason"
)
STATE_COLUMNS = "source_id, run_id, agent_id, agent_external, team_id, zone, day, base, reason, started_at, ended_at"


@dataclass(frozen=True)
class Counts:
    contacts: int
    days: int


@dataclass(frozen=True)
class Place:
    """Where a fact belongs, as COPY reads it."""

    agent: str = NULL
    team: str = NULL
    zone: str = ""
    day: str = NULL


class Register:
    """Who and what the sources mean, and who was where: read once, before the facts."""

    def __init__(self) -> None:
        self.sources = {row.code: row for row in Source.objects.all()}
        codes = {row.pk: row.code for row in self.sources.values()}
        self._agents = {
            (codes[row.source_id], row.external): row.agent_id for row in AgentAlias.objects.exclude(agent=None)
        }
        self.queues = {
            (codes[row.source_id], row.external): row.queue_id for row in QueueAlias.objects.exclude(queue=None)
        }
        self._queue_teams = dict(Queue.objects.values_list("pk", "team"))
        self._queue_zones = dict(Queue.objects.values_list("pk", "zone"))
        self._zones: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for row in AgentZone.objects.order_by("span"):
            self._zones[row.agent_id].append(
                (0 if row.span.lower is None else int(row.span.lower.timestamp()), row.zone)
            )
        self._homes = _spans(Membership.objects.order_by("span"))
        self._loans = _spans(Loan.objects.order_by("span"))
        self.touched: set[tuple[str, str]] = set()
        self._known: dict[tuple[int, int | None, str, date], Place] = {}

    def place(self, source: str, name: str, queue: int | None, at: int) -> Place:
        """Agent, zone, day and team of a fact at `at`. Without an agent: the queue's day, or the source's, and no team."""
        agent = self._agents.get((source, name))
        if agent is None:
            zone = self.sources[source].zone if queue is None else self._queue_zones[queue]
            told = civil_day(zone, at).isoformat()
            self.touched.add((zone, told))
            return Place(zone=zone, day=told)
        zones = self._zones[agent]
        zone = next((zone for since, zone in reversed(zones) if since <= at), zones[0][1])
        day = civil_day(zone, at)
        known = (agent, queue, zone, day)
        if known not in self._known:
            team = self._team(agent, queue, day)
            self._known[known] = Place(str(agent), NULL if team is None else str(team), zone, day.isoformat())
            self.touched.add((zone, day.isoformat()))
        return self._known[known]

    def touch_half_hour(self, queue: int, at: int) -> None:
        """A contact counts in the half hour in which it was opened, on the day that it then was where its queue is."""
        zone = self._queue_zones[queue]
        self.touched.add((zone, civil_day(zone, at).isoformat()))

    def _team(self, agent: int, queue: int | None, day: date) -> int | None:
        """The borrowing team during a loan, unless the queue is the home team's; else the home team."""
        home = _covering(self._homes[agent], day)
        lent = _covering(self._loans[agent], day)
        if lent is not None and (queue is None or self._queue_teams[queue] != home):
            return lent
        return home


def _spans(rows: object) -> dict[int, list[tuple[date, date | None, int]]]:
    spans: dict[int, list[tuple[date, date | None, int]]] = defaultdict(list)
    for row in rows:  # type: ignore[attr-defined]
        spans[row.agent_id].append((row.span.lower, row.span.upper, row.team_id))
    return spans


def _covering(spans: list[tuple[date, date | None, int]], day: date) -> int | None:
    return next((team for since, until, team in spans if since <= day and (until is None or day < until)), None)


def civil_day(zone: str, at: int) -> date:
    """The civil date in `zone` at `at` seconds UTC."""
    return date(1970, 1, 1) + timedelta(days=(at + _offset(zone, at // QUARTER)) // 86400)


@lru_cache(maxsize=200_000)
def _offset(zone: str, quarter: int) -> int:
    """Seconds by which the clock in `zone` is ahead of UTC in a quarter of an hour."""
    offset = datetime.fromtimestamp(quarter * QUARTER, ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0


def take_in(batches: Iterator[Batch], now: datetime, callers: Sequence[str]) -> Counts:
    """Store all `batches`, the list of `callers`, their deliveries and the touched days in the caller's transaction."""
    register = Register()
    runs = _Runs(register)
    contacts, days, first = 0, set(), now.date()
    with connection.cursor() as cursor:
        for batch in batches:
            if batch.day < first:
                first = batch.day
                cursor.execute(
                    "SELECT performance_make_partitions(%s, %s)",
                    [first - timedelta(days=2), now.date() + timedelta(days=MONTHS_AHEAD_DAYS)],
                )
            _store(cursor, register, runs, batch)
            contacts += len(batch.contacts)
            days.add(batch.day)
        _store(cursor, register, runs, _callbacks(now, runs, callers))
    DayTouch.objects.bulk_create(DayTouch(zone=zone, day=day) for zone, day in sorted(register.touched))
    runs.finish()
    return Counts(contacts, len(days))


class _Runs:
    """The deliveries of this seeding: one for each source and kind of rows, as its platform would have made it."""

    def __init__(self, register: Register) -> None:
        self._register = register
        self._runs: dict[tuple[str, str], ImportRun] = {}
        self._rows: dict[tuple[str, str], int] = defaultdict(int)
        self._refused: dict[tuple[str, str], list[ImportRefusal]] = defaultdict(list)

    def count(self, source: str, layout: str) -> int:
        """The delivery that one more row belongs to."""
        key = (source, layout)
        self._rows[key] += 1
        if key not in self._runs:
            run = ImportRun(
                source=self._register.sources[source], door=ImportRun.Door.COMMAND, layout=layout,
                file_name=f"{source}-{layout}", state=ImportRun.State.DONE, finished_at=timezone.now(),
            )  # fmt: skip
            audit.save_with_history(run, by=None, reason="demo organisation")
            self._runs[key] = run
        return self._runs[key].pk

    def refuse(self, source: str, layout: str, number: int, field: str, code: str, line: list[str]) -> None:
        """Keep a refused row of a delivery with its reason."""
        self._refused[source, layout].append(
            ImportRefusal(
                run_id=self.count(source, layout), row_number=number, field=field, code=code,
                value=line[callbacks.HEADER.index(field)], raw=line,
            )
        )  # fmt: skip

    def finish(self) -> None:
        """Write down how many rows each delivery held, and name in the tray whom nobody knows."""
        for key, run in self._runs.items():
            refused = self._refused.get(key, [])
            ImportRefusal.objects.bulk_create(refused)
            run.counts = {"rows": self._rows[key], "new": self._rows[key] - len(refused), "refused": len(refused)}
            audit.save_with_history(run, "counts", by=None, reason="demo organisation")
        source = self._register.sources[f"phone-{WEST}"]
        for alias in (AgentAlias(external=STRANGER_AGENT), QueueAlias(external=STRANGER_QUEUE)):
            alias.source = source
            audit.save_with_history(alias, by=None, reason="first seen in a delivery")


def _callbacks(now: datetime, runs: _Runs, callers: Sequence[str]) -> Batch:
    """The rows of the spreadsheet that can be taken in; the others are refused with a reason."""
    contacts = []
    table = callbacks.rows(now, callers)
    for number, line in enumerate(table[1:], start=2):
        cell = dict(zip(table[0], line, strict=True))
        spoilt = callbacks.SPOILT.get(number - 1)
        if spoilt is not None:
            runs.refuse("callbacks", "contacts", number, callbacks.HEADER[spoilt.place], spoilt.code, line)
            continue
        begins, ends = (callbacks.seconds(cell[name]) for name in ("opened_at", "ended_at"))
        contacts.append(
            ContactRow(
                "callbacks", cell["external_id"], "phone", cell["queue"], cell["agent"], "", "simple", begins, begins, begins,
                ends, 0, 0, int(cell["handle_seconds"]), "accounted", 0, 0, None, True, False, cell["is_resolved"] == "yes",
                False, False, None, "", cell["phone"], ends,
            )
        )  # fmt: skip
    return Batch(callbacks.TEAM, now.date(), contacts, [], [])


def _store(cursor: object, register: Register, runs: _Runs, batch: Batch) -> None:
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT nextval(pg_get_serial_sequence('performance_contactkey', 'id')) FROM generate_series(1, %s)",
        [len(batch.contacts)],
    )
    keys, contacts = [], []
    for (number,), row in zip(cursor.fetchall(), batch.contacts, strict=True):  # type: ignore[attr-defined]
        key, contact = _contact(register, runs, number, row)
        keys.append(key)
        contacts.append(contact)
    _copy(cursor, "performance_contactkey", KEY_COLUMNS, keys)
    _copy(cursor, "performance_contact", CONTACT_COLUMNS, contacts)
    _copy(cursor, "performance_leg", LEG_COLUMNS, [_leg(register, runs, row) for row in batch.legs])
    _copy(cursor, "performance_stateinterval", STATE_COLUMNS, [_state(register, runs, row) for row in batch.states])


def _copy(cursor: Any, table: str, columns: str, lines: list[str]) -> None:
    """Load `lines` by way of a temporary table: COPY into a table with row security is refused by PostgreSQL."""
    if not lines:
        return
    staged = f"staged_{table}"
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {staged} ON COMMIT DROP AS SELECT {columns} FROM {table} LIMIT 0"
    )
    with cursor.copy(f"COPY {staged} ({columns}) FROM STDIN") as copy:
        copy.write("\n".join(lines))
    cursor.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}")
    cursor.execute(f"TRUNCATE {staged}")


def _contact(register: Register, runs: _Runs, number: int, row: ContactRow) -> tuple[str, str]:
    source, run = register.sources[row.source].pk, runs.count(row.source, "contacts")
    queue = register.queues.get((row.source, row.queue))
    at = row.opened_at if row.ended_at is None else row.ended_at
    where = register.place(row.source, row.agent, queue, at)
    if queue is not None:
        register.touch_half_hour(queue, row.opened_at)
    opened, version = _moment(row.opened_at), _moment(row.updated_at)
    raw, share = (NULL, NULL) if row.rating is None else RATINGS[row.rating]
    customer, phone = _customer(row.customer)
    facts = (
        f"{opened}\t{_moment(row.assigned_at)}\t{_moment(row.first_reply_at)}\t{_moment(row.ended_at)}\t{version}\t"
        f"{NULL if queue is None else queue}\t{where.agent}\t{row.agent}\t{where.team}\t{where.zone}\t{where.day}\t"
        f"{_whole(row.wait_seconds)}\t{_whole(row.first_reply_seconds)}\t{_whole(row.handle_seconds)}\t"
        f"{row.reopen_count}\t{row.transfer_count}\t{_whole(row.reply_count)}\t{row.is_answered}\t"
        f"{row.is_abandoned}\t{NULL if row.is_resolved is None else row.is_resolved}\t{row.is_bot_only}\t"
        f"{row.is_excluded}\t{NULL if row.rating is None else 5}\t{raw}\t{share}\t{row.external_id}\t{row.channel}\t"
        f"{row.queue}\t{row.topic}\t{row.complexity}\t{row.handle_method}\t{row.rating_comment}\t{customer}\t{phone}"
    )
    digest = hashlib.md5(facts.encode(), usedforsecurity=False).hexdigest()
    key = f"{number}\t{source}\t{row.external_id}\t{opened}\t{version}\t{digest}"
    return key, f"{number}\t{source}\t{run}\t{facts}"


def _leg(register: Register, runs: _Runs, row: LegRow) -> str:
    at = row.started_at if row.ended_at is None else row.ended_at
    where = register.place(row.source, row.agent, None, at)
    return (
        f"{register.sources[row.source].pk}\t{runs.count(row.source, 'legs')}\t{where.agent}\t{row.agent}\t{where.team}\t"
        f"{where.zone}\t{where.day}\t{row.contact}\t{_moment(row.started_at)}\t{_moment(row.ended_at)}\t"
        f"{_whole(row.reply_count)}\t{row.end_reason}"
    )


def _state(register: Register, runs: _Runs, row: StateRow) -> str:
    where = register.place(row.source, row.agent, None, row.started_at)
    return (
        f"{register.sources[row.source].pk}\t{runs.count(row.source, 'states')}\t{where.agent}\t{row.agent}\t"
        f"{where.team}\t{where.zone}\t{where.day}\t{row.base}\t{row.reason}\t{_moment(row.started_at)}\t"
        f"{_moment(row.ended_at)}"
    )


def _moment(seconds: int | None) -> str:
    return NULL if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _whole(number: int | None) -> str:
    return NULL if number is None else str(number)


@lru_cache(maxsize=100_000)
def _customer(clear: str) -> tuple[str, str]:
    """The keyed hash of a customer, and the mask of a telephone number."""
    key = hashlib.sha256(b"outpost customers\0" + settings.SECRET_KEY.encode()).digest()
    digits = clear.lstrip("+") if clear.startswith("+") else ""
    named = f"phone:{digits}" if digits else f"mail:{clear}"
    mask = f"{digits[:3]}{'*' * (len(digits) - 5)}{digits[-2:]}" if digits else ""
    return hmac.digest(key, named.encode(), "sha256").hex()[:32], mask
