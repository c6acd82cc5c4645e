"""The board of a lead: who does what now, what is covered, and who waits. As many queries for thirty teams as for one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils.translation import gettext as _

from approvals.models import ApprovalRequest, ApprovalSeat, Base, StatusReason, StatusSpan, TeamCover
from approvals.plain.cover import Cover
from approvals.reports.statuses import Waiting, waiting_at, wanted_of
from approvals.services import on_duty
from approvals.services.statuses import queue
from approvals.services.statuses.covering import MINUTE
from teams.models import Agent, Team, User
from teams.scoping import Grant

TEAMS_PER_PAGE = 30
SEES = (Grant.OBSERVE, Grant.LEAD, Grant.ONBOARD)


@dataclass(frozen=True)
class Row:
    """One agent: what they do, since when, how far over the end. Whoever has no status has not begun, or works elsewhere."""

    pk: int
    number: str
    name: str
    base: str
    words: str
    since: datetime | None
    back_at: datetime | None
    over_minutes: int | None
    note: str


@dataclass(frozen=True)
class InLine:
    """A request in the queue: `may_decide` says whether the buttons are this reader's."""

    waiting: Waiting
    agent: str
    words: str
    may_decide: bool
    version: int


@dataclass(frozen=True)
class TeamBoard:
    pk: int
    name: str
    code: str
    cover: Cover
    grant_after_minutes: int | None
    is_led: bool
    rows: Sequence[Row]
    queue: Sequence[InLine]

    @property
    def over(self) -> int:
        return sum(row.over_minutes is not None for row in self.rows)

    @property
    def at_work(self) -> int:
        return sum(row.base != Base.OFFLINE for row in self.rows)


@dataclass(frozen=True)
class Board:
    teams: Sequence[TeamBoard]
    page: Page[Any]
    choices: Sequence[tuple[int, str]]
    at: datetime

    @property
    def waiting(self) -> int:
        return sum(len(team.queue) for team in self.teams)


def board(user: User, now: datetime, team: int | None = None, number: int = 1) -> Board:
    """The teams in reach of `user` that have agents, by name, thirty on a page; or one of them."""
    seen = Team.objects.in_reach_of(user, *SEES).filter(is_closed=False).order_by("name", "pk")
    homes = Agent.objects.current().filter(team__isnull=False)
    places = seen.filter(pk__in=homes.values("team")) | seen.filter(pk__in=StatusSpan.objects.open().values("team"))
    choices = list(places.distinct().values_list("pk", "name", "code"))
    page = Paginator([each for each in choices if team in (None, each[0])], TEAMS_PER_PAGE).get_page(number)
    pks = [pk for pk, _name, _code in page.object_list]
    rows = _rows(user, pks, now)
    covers = {cover.team_id: cover for cover in TeamCover.objects.visible_to(user).filter(team__in=pks)}
    led = set(Team.objects.in_reach_of(user, Grant.LEAD).filter(pk__in=pks).values_list("pk", flat=True))
    lines = _queues(user, pks, rows, covers, led, now)
    made = [
        TeamBoard(
            pk, name, code, _cover(rows[pk], covers.get(pk)),
            covers[pk].grant_after_minutes if pk in covers else None, pk in led, rows[pk], lines[pk],
        )
        for pk, name, code in page.object_list
    ]  # fmt: skip
    return Board(made, page, [(pk, name) for pk, name, _code in choices], now)


def _rows(user: User, teams: Sequence[int], now: datetime) -> dict[int, list[Row]]:
    """Who belongs to each team today: those whose line stands there, and members who have none yet."""
    found: dict[int, list[Row]] = {team: [] for team in teams}
    spans = StatusSpan.objects.visible_to(user).open().filter(team__in=teams).select_related("agent", "reason")
    seen = set()
    for span in spans:
        if span.agent.status != Agent.Status.LEFT:
            found[span.team_id].append(_row(span.agent, span, now))
            seen.add(span.agent_id)
    members = Agent.objects.visible_to(user).current().filter(team__in=teams).exclude(pk__in=seen)
    elsewhere = StatusSpan.objects.open().exclude(team__in=teams).values("agent")
    for agent in members.exclude(pk__in=elsewhere):
        found[agent.team_id or 0].append(_row(agent, None, now))
    for rows in found.values():
        rows.sort(key=_order)
    return found


def _row(agent: Agent, span: StatusSpan | None, now: datetime) -> Row:
    if span is None:
        return Row(agent.pk, agent.number, agent.name, Base.OFFLINE, _("No status yet"), None, None, None, "")
    over = int((now - span.back_at) / MINUTE) if span.back_at is not None and span.back_at <= now else None
    return Row(
        agent.pk, agent.number, agent.name, span.base, span.words, span.span.lower, span.back_at, over, span.note
    )  # fmt: skip


def _order(row: Row) -> tuple[bool, bool, str]:
    """Those over their time first, those who are not at work last."""
    return row.over_minutes is None, row.base == Base.OFFLINE, row.name


def _cover(rows: Sequence[Row], cover: TeamCover | None) -> Cover:
    return Cover(sum(row.base == Base.READY for row in rows), cover.needed if cover is not None else 0)


def _queues(
    user: User,
    teams: Sequence[int],
    rows: dict[int, list[Row]],
    covers: dict[int, TeamCover],
    led: set[int],
    now: datetime,
) -> dict[int, list[InLine]]:
    """The queue of each team as far as the reader sees requests: those who lead it, and those who are asked."""
    found: dict[int, list[InLine]] = {team: [] for team in teams}
    waiting = list(queue.waiting(ApprovalRequest.objects.visible_to(user).filter(team__in=teams)))
    names = dict(Agent.objects.filter(pk__in={each.content["agent"] for each in waiting}).values_list("pk", "name"))
    reasons = {reason.code: reason for reason in StatusReason.objects.all()}
    asked = set(ApprovalSeat.objects.waiting_for(user).values_list("request", flat=True))
    is_on_duty = bool(on_duty.working({user.pk}))
    for request in waiting:
        line, team = found[request.team_id], request.team_id
        cover = covers.get(team) or TeamCover(team_id=team)
        ends = [row.back_at for row in rows[team] if row.back_at is not None]
        words = wanted_of(request, reasons)
        place = waiting_at(request, words, len(line) + 1, 0, cover, _cover(rows[team], cover), ends, now)
        is_asked = request.pk in asked or (is_on_duty and team in led)
        line.append(
            InLine(
                place, names.get(request.content["agent"], request.subject_label), words,
                is_asked and user.pk not in _own(request), request.version,
            )
        )  # fmt: skip
    return found


def _own(request: ApprovalRequest) -> set[int | None]:
    """Those who have a part in it: the service refuses them, so they get no button."""
    return {request.requester_id, request.editor_id, request.subject_person_id}
