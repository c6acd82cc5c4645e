"""What agents see of their own status: now, what they may choose, the queue, and the line of a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from approvals.models import ApprovalRequest, Base, StatusReason, StatusSpan, TeamCover
from approvals.models.statuses import words_of
from approvals.plain.cover import Cover, expected_at
from approvals.plain.timeline import LONGEST_SHIFT, Piece, cut, shift_began_at, spent
from approvals.querysets.requests import OPEN
from approvals.services.statuses import breaks, covering, queue
from approvals.services.statuses.covering import MINUTE
from approvals.services.statuses.line import piece_of
from teams.acting import system_scope
from teams.clock import day_end, day_start, local_day
from teams.models import Agent

WHOLE_QUEUE = "place and expected time are counted over the whole queue, without a name"
TURNED_DOWN = (ApprovalRequest.State.REJECTED, ApprovalRequest.State.EXPIRED)
SHOWN_FOR = timedelta(minutes=30)
BUTTONS = (Base.READY, Base.ON_CONTACT, Base.WRAP_UP, Base.OFFLINE)


@dataclass(frozen=True)
class Now:
    """What the agent does at this moment; `over_minutes` is how long past its end, 0 while within."""

    base: str
    words: str
    since: datetime | None
    back_at: datetime | None
    over_minutes: int
    is_over: bool

    @property
    def is_away(self) -> bool:
        return self.base in (Base.BREAK, Base.NOT_READY)


@dataclass(frozen=True)
class Waiting:
    """The agent's own request in the queue. `expected_at` None: nothing tells. `for_person`: somebody decides, whatever the
    cover. `is_stuck`: approved, but it could not be carried out."""

    pk: int
    words: str
    asked_at: datetime
    place: int
    of: int
    expected_at: datetime | None
    for_person: bool
    is_stuck: bool


@dataclass(frozen=True)
class Answer:
    """A request of the last half hour that was turned down, and with what words."""

    words: str
    why: str
    at: datetime


@dataclass(frozen=True)
class Choice:
    """A reason that may be chosen, with its limits and what is used of them. `is_asked`: it becomes a request."""

    reason: StatusReason
    used_minutes: int
    left_minutes: int | None
    most_minutes: int | None
    is_asked: bool

    @property
    def is_used_up(self) -> bool:
        return self.left_minutes == 0


@dataclass(frozen=True)
class Entry:
    """A stretch of a day's line."""

    words: str
    base: str
    since: datetime
    until: datetime | None
    minutes: int
    source: Any
    confidence: str


@dataclass(frozen=True)
class Total:
    """How long a status took in a day. Whether it is paid or shrinkage is said of reasons only."""

    words: str
    base: str
    minutes: int
    reason: StatusReason | None


@dataclass(frozen=True)
class Day:
    """The line of one local day, cut at its ends, with sums; moments are UTC."""

    day: date
    entries: Sequence[Entry]
    totals: Sequence[Total]
    paid_minutes: int
    shrinkage_minutes: int
    before: date
    after: date | None


@dataclass(frozen=True)
class MyStatus:
    now: Now
    waiting: Waiting | None
    answer: Answer | None
    buttons: Sequence[Base]
    choices: Sequence[Choice]
    today: Day
    shift_began_at: datetime | None
    at: datetime

    @property
    def breaks(self) -> list[Choice]:
        return [each for each in self.choices if each.reason.base == Base.BREAK]

    @property
    def others(self) -> list[Choice]:
        return [each for each in self.choices if each.reason.base != Base.BREAK]


def my_status(agent: Agent, now: datetime) -> MyStatus:
    """The agent's page of this moment, in the zone of the agent."""
    today = local_day(now, agent.zone)
    rows = _rows(agent, min(day_start(today, agent.zone), now - LONGEST_SHIFT), now)
    line = [piece_of(row) for row in rows]
    reasons = {reason.pk: reason for reason in StatusReason.objects.order_by("base", "code")}
    began = shift_began_at(line, now)
    return MyStatus(
        _now(rows[-1] if rows and rows[-1].span.upper is None else None, now),
        waiting_of(agent, now),
        answer_to(agent, now),
        BUTTONS,
        [_choice(each, line, began, now) for each in reasons.values() if each.is_active and not each.is_system],
        _day(line, reasons, today, agent.zone, now),
        began,
        now,
    )


def my_line(agent: Agent, day: date, now: datetime) -> Day:
    """The agent's line of one local day."""
    begins, ends = day_start(day, agent.zone), min(day_end(day, agent.zone), now)
    rows = _rows(agent, begins, ends) if begins < ends else []
    reasons = {reason.pk: reason for reason in StatusReason.objects.all()}
    return _day([piece_of(row) for row in rows], reasons, day, agent.zone, now)


def _rows(agent: Agent, since: datetime, until: datetime) -> list[StatusSpan]:
    return list(StatusSpan.objects.filter(agent=agent).during(since, until).select_related("reason"))


def _now(row: StatusSpan | None, now: datetime) -> Now:
    if row is None:
        return Now(Base.OFFLINE, str(Base.OFFLINE.label), None, None, 0, False)
    over = now - row.back_at if row.back_at is not None and row.back_at <= now else None
    minutes = int(over / MINUTE) if over is not None else 0
    return Now(row.base, row.words, row.span.lower, row.back_at, minutes, over is not None)


def _choice(reason: StatusReason, line: Sequence[Piece], began: datetime | None, now: datetime) -> Choice:
    used = int(spent(line, reason.pk, began, now) / MINUTE)
    limit = None if reason.is_legal else reason.longest_per_shift_minutes
    left = max(limit - used, 0) if limit is not None else None
    most = min((each for each in (reason.longest_minutes, left) if each is not None), default=None)
    return Choice(reason, used, left, most, reason.base == Base.BREAK or reason.needs_approval)


# -- the queue -----------------------------------------------------------------------------------------------------------


@system_scope(WHOLE_QUEUE)
def waiting_of(agent: Agent, now: datetime) -> Waiting | None:
    """The agent's place in the queue, or None."""
    request = _newest(agent)
    if request is None or request.submitted_at is None or request.state not in OPEN:
        return None
    line = list(queue.waiting().filter(team=request.team_id).values_list("pk", flat=True))
    cover = TeamCover.objects.filter(team=request.team_id).first() or TeamCover(team_id=request.team_id)
    counted = covering.count(cover)
    place = line.index(request.pk) + 1 if request.pk in line else 0
    ends = covering.ends_of([request.team_id]).get(request.team_id, [])
    return waiting_at(request, wanted_of(request), place, len(line), cover, counted, ends, now)


def waiting_at(
    request: ApprovalRequest,
    words: str,
    place: int,
    of: int,
    cover: TeamCover,
    counted: Cover,
    ends: Sequence[datetime],
    now: datetime,
) -> Waiting:
    """A request at its place; `words` say what it asks for. No time is told where a person decides, or no end tells it."""
    asked_at = request.submitted_at or request.made_at
    for_person = request.plan.get("measured", {}).get("approval") == "yes"
    latest = asked_at + cover.grant_after_minutes * MINUTE if cover.grant_after_minutes is not None else None
    expected = None if for_person or not place else expected_at(place, counted, ends, now=now, at_the_latest=latest)
    return Waiting(
        request.pk, words, asked_at, place, of, max(expected, now) if expected is not None else None,
        for_person, request.state not in queue.WAITS,
    )  # fmt: skip


def wanted_of(request: ApprovalRequest, reasons: dict[str, StatusReason] | None = None) -> str:
    """What a request in the queue asks for, in words."""
    code = request.content.get("reason", "")
    reason = reasons.get(code) if reasons is not None else StatusReason.objects.filter(code=code).first()
    return words_of(reason.base, reason) if reason is not None else str(code)


@system_scope(WHOLE_QUEUE)
def answer_to(agent: Agent, now: datetime) -> Answer | None:
    """Why the agent's last request was turned down, if that was a moment ago."""
    request = _newest(agent)
    if request is None or request.state not in TURNED_DOWN:
        return None
    if request.decided_at is None or request.decided_at < now - SHOWN_FOR:
        return None
    last = request.events.filter(kind__in=["rejected", "auto_rejected"]).last()
    return Answer(wanted_of(request), last.said if last is not None else "", request.decided_at)


def _newest(agent: Agent) -> ApprovalRequest | None:
    """The last break that was asked for about the agent."""
    rows = ApprovalRequest.objects.filter(kind=breaks.NAME, subject_key=f"agent:{agent.pk}")
    return rows.exclude(state=ApprovalRequest.State.DRAFT).order_by("-pk").first()


# -- a day -----------------------------------------------------------------------------------------------------------------


def _day(line: Sequence[Piece], reasons: dict[int, StatusReason], day: date, zone: str, now: datetime) -> Day:
    begins, ends = day_start(day, zone), min(day_end(day, zone), now)
    parts = cut(line, begins, ends) if begins < ends else []
    entries = [_entry(part, reasons, now) for part in parts]
    sums: dict[tuple[str, int | None], timedelta] = {}
    for part in parts:
        key = (part.base, part.reason)
        sums[key] = sums.get(key, timedelta()) + part.lasted(begins, ends)
    totals = [
        Total(_words(base, reason, reasons), base, int(passed / MINUTE), reasons.get(reason or 0))
        for (base, reason), passed in sums.items()
        if base != Base.OFFLINE
    ]
    return Day(
        day, entries, totals,
        sum(each.minutes for each in totals if each.reason is None or each.reason.is_paid),
        sum(each.minutes for each in totals if each.reason is not None and each.reason.is_shrinkage),
        day - timedelta(days=1), day + timedelta(days=1) if day < local_day(now, zone) else None,
    )  # fmt: skip


def _words(base: str, reason: int | None, reasons: dict[int, StatusReason]) -> str:
    return words_of(base, reasons.get(reason or 0))


def _entry(part: Piece, reasons: dict[int, StatusReason], now: datetime) -> Entry:
    return Entry(
        _words(part.base, part.reason, reasons), part.base, part.since, part.until if part.until != now else None,
        int(part.lasted(part.since, part.until or now) / MINUTE), StatusSpan.Source(part.source).label, part.confidence,
    )  # fmt: skip
