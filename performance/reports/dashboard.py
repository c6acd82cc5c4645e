"""The first page of leads, HR, trainers and the operator: what is out of the ordinary first, then how it went.

All of it comes from rollups and small tables, never from contacts, and starts from who asks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, Q, Sum, When
from django.utils.translation import gettext as _

from performance import words
from performance.metrics import METRICS
from performance.models import AgentAlias, ImportRun, NightlyReport, QueueAlias, QueueHalfHour, TeamDay
from performance.querysets import FIGURE_READERS
from performance.reports.mine import SUMS, Figure, figure_of, goals
from teams.clock import day_end, day_start
from teams.models import Agent, Heartbeat, JobRun, Notice, Team

WINDOW_DAYS = 30
WEEK_DAYS = 7
CARDS = ("volume", "handle_time_simple", "handle_time_complex", "satisfaction", "closure", "talk_time")
HEAT_STEPS = 5
QUEUES_SHOWN = 12
WORDS_SHOWN = 12


@dataclass(frozen=True)
class Card:
    """A figure of the last seven whole days beside the seven before them."""

    figure: Figure
    before: Figure

    @property
    def link(self) -> str:
        return self.figure.rests_on or ""


@dataclass(frozen=True)
class HeatCell:
    offered: int
    step: int  # 0 to HEAT_STEPS, relative to the busiest half hour shown


@dataclass(frozen=True)
class HeatRow:
    queue: str
    cells: tuple[HeatCell, ...]
    offered: int


@dataclass(frozen=True)
class HeatMap:
    hours: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    left_out: int


@dataclass(frozen=True)
class Word:
    """Somebody to talk to today, with the reason: praise as well as trouble."""

    agent_pk: int
    who: str
    why: str
    is_good: bool


@dataclass(frozen=True)
class Performance:
    """What a reader of figures sees."""

    first: date
    last: date
    week_first: date
    cards: tuple[Card, ...]
    chart: dict[str, Any]
    heat: HeatMap | None
    report: NightlyReport | None
    words: tuple[Word, ...]
    has_days: bool


@dataclass(frozen=True)
class People:
    """What whoever reads the roster sees."""

    total: int
    by_status: tuple[tuple[str, int], ...]
    by_team: tuple[tuple[str, int], ...]
    starting: int
    left: int
    without_account: int
    without_team: int


@dataclass(frozen=True)
class Running:
    """What the operator looks after."""

    jobs_parked: int
    jobs_late: int
    mails_parked: int
    deliveries: tuple[tuple[str, int], ...]
    bells: tuple[tuple[str, datetime | None, datetime | None], ...]


def performance(user: Any, now: datetime) -> Performance:
    """Thirty days of all teams whose figures `user` may read, today's load, and whom to talk to. Six queries."""
    today = now.astimezone(ZoneInfo(user.zone)).date()
    first, last = today - timedelta(days=WINDOW_DAYS), today - timedelta(days=1)
    week_first = today - timedelta(days=WEEK_DAYS)
    rows: Any = (
        TeamDay.objects.visible_to(user)
        .filter(day__range=(first, last))
        .order_by()
        .values("day")
        .annotate(**{name: Sum(name) for name in (*SUMS, "agents")})
    )
    days = {row["day"]: row | {"agent_days": row["agents"]} for row in rows}
    top = (
        Team.objects.in_reach_of(user, *FIGURE_READERS)
        .exclude(parent__in=Team.objects.in_reach_of(user, *FIGURE_READERS))
        .values_list("pk", flat=True)
        .order_by("pk")[:1]
    )
    team = next(iter(top), None)
    goal = goals({team} if team else set(), "", first, last)
    this_week = _added(days, week_first, last)
    before = _added(days, week_first - timedelta(days=WEEK_DAYS), week_first - timedelta(days=1))

    def card(name: str) -> Card:
        metric, target = METRICS[name], None if name == "volume" else goal(team, last, name)
        return Card(figure_of(metric, this_week, target), figure_of(metric, before, target))

    report = latest_report(user)
    return Performance(
        first=first,
        last=last,
        week_first=week_first,
        cards=tuple(card(name) for name in CARDS),
        chart=_chart(days, first, last, goal, team),
        heat=heat_map(user, today),
        report=report,
        words=words_of(report, user) if report else (),
        has_days=bool(days),
    )


def latest_report(user: Any) -> NightlyReport | None:
    """The newest report within reach, of the highest team that has one for that day."""
    return (
        NightlyReport.objects.visible_to(user)
        .select_related("team")
        .annotate(below=Count("team__descent"))
        .order_by("-day", "-below", "-revision")
        .first()
    )


def words_of(report: NightlyReport, user: Any) -> tuple[Word, ...]:
    """The people whose day the report calls unusual, trouble first, once each; only those `user` may see. One query."""
    unusual = [
        each for each in report.payload.get("unusual", ()) if each["who"] == "agent" and each["good"] is not None
    ]
    names = dict(
        Agent.objects.visible_to(user).filter(pk__in={each["pk"] for each in unusual}).values_list("pk", "name")
    )
    found: dict[tuple[bool, str, int], list[str]] = {}
    for each in unusual:
        metric = METRICS.get(each["metric"])
        if metric is None or each["pk"] not in names:
            continue
        value = metric.value({metric.numerator: each["numerator"], str(metric.denominator): each["denominator"]})
        sentence = (
            _("%(figure)s: %(value)s, higher than usual")
            if each["above"]
            else _("%(figure)s: %(value)s, lower than usual")
        )
        why = sentence % {"figure": metric.label, "value": words.shown(value, metric.unit)}
        found.setdefault((each["good"], names[each["pk"]], each["pk"]), []).append(why)
    return tuple(
        Word(pk, who, " · ".join(whys), is_good) for (is_good, who, pk), whys in sorted(found.items())[:WORDS_SHOWN]
    )


def heat_map(user: Any, day: date) -> HeatMap | None:
    """Offered contacts per queue and half hour of the viewer's `day`; None before the first. One query."""
    zone = ZoneInfo(user.zone)
    rows = list(
        QueueHalfHour.objects.visible_to(user)
        .filter(started_at__gte=day_start(day, user.zone), started_at__lt=day_end(day, user.zone))
        .order_by("queue__name", "started_at")
        .values_list("queue_id", "queue__name", "started_at", "offered")
    )
    if not rows:
        return None
    starts = sorted({started_at for _queue, _name, started_at, _offered in rows})
    count = int((starts[-1] - starts[0]).total_seconds() // 1800) + 1
    slots = [starts[0] + timedelta(minutes=30 * n) for n in range(count)]
    by_queue: dict[int, dict[datetime, int]] = {}
    names: dict[int, str] = {}
    for queue, name, started_at, offered in rows:
        names[queue] = name
        by_queue.setdefault(queue, {})[started_at] = offered
    busiest = max(offered for *_rest, offered in rows) or 1
    lines = [
        HeatRow(
            names[queue],
            tuple(HeatCell(found.get(slot, 0), -(-found.get(slot, 0) * HEAT_STEPS // busiest)) for slot in slots),
            sum(found.values()),
        )
        for queue, found in by_queue.items()
    ]
    lines.sort(key=lambda line: (-line.offered, line.queue))
    return HeatMap(
        hours=tuple(slot.astimezone(zone).strftime("%H:%M") for slot in slots),
        rows=tuple(lines[:QUEUES_SHOWN]),
        left_out=max(len(lines) - QUEUES_SHOWN, 0),
    )


def people(user: Any, today: date) -> People:
    """Who is on the roster within reach of `user`. Two queries."""
    roster = Agent.objects.visible_to(user)
    here = ~Q(status=Agent.Status.LEFT)
    month = timedelta(days=WINDOW_DAYS)
    counts = roster.aggregate(
        total=Count("pk", filter=here),
        starting=Count("pk", filter=here & Q(started_on__gt=today)),
        gone=Count("pk", filter=Q(left_on__gt=today - month)),
        without_account=Count("pk", filter=here & Q(user=None)),
        without_team=Count("pk", filter=here & Q(team=None)),
        **{status: Count("pk", filter=Q(status=status)) for status in Agent.Status.values},
    )
    place = Case(
        When(team__in=Team.objects.visible_to(user), then=F("team__name"))
    )  # a borrowed agent's own team may be beyond
    by_team = roster.filter(here, team__isnull=False).order_by().values(place=place).annotate(n=Count("pk"))
    return People(
        total=counts["total"],
        by_status=tuple((str(status.label), counts[status]) for status in Agent.Status if counts[status]),
        by_team=tuple(
            (row["place"] or _("lent by other teams"), row["n"]) for row in by_team.order_by("-n", "place")[:20]
        ),
        starting=counts["starting"],
        left=counts["gone"],
        without_account=counts["without_account"],
        without_team=counts["without_team"],
    )


def tray(user: Any) -> int:
    """How many names of sources wait in the tray to be mapped, within reach of `user`. Two queries."""
    agents = AgentAlias.objects.manageable_by(user).filter(agent=None, is_ignored=False).count()
    return agents + QueueAlias.objects.manageable_by(user).filter(queue=None, is_ignored=False).count()


def running(now: datetime) -> Running:
    """How the installation is doing; for the operator only. Four queries."""
    jobs = JobRun.objects.aggregate(
        parked=Count("pk", filter=Q(state=JobRun.State.PARKED)),
        late=Count("pk", filter=Q(state=JobRun.State.WAITING, due_at__lt=now - timedelta(minutes=10))),
    )
    since = now - timedelta(days=1)
    found = ImportRun.objects.filter(created_at__gte=since).order_by().values("state").annotate(n=Count("pk"))
    deliveries = {row["state"]: row["n"] for row in found}
    return Running(
        jobs_parked=jobs["parked"],
        jobs_late=jobs["late"],
        mails_parked=Notice.objects.filter(state=Notice.State.PARKED).count(),
        deliveries=tuple((str(state.label), deliveries[state]) for state in ImportRun.State if state in deliveries),
        bells=tuple(Heartbeat.objects.order_by("name").values_list("name", "rung_at", "answered_at")),
    )


def _added(days: Mapping[date, Mapping[str, Any]], first: date, last: date) -> dict[str, Any]:
    """The measures of the days from `first` to `last` added up."""
    names = (*SUMS, "agent_days")
    return {name: sum(row[name] or 0 for day, row in days.items() if first <= day <= last) for name in names}


def _chart(
    days: Mapping[date, Mapping[str, Any]], first: date, last: date, goal: Any, team: int | None
) -> dict[str, Any]:
    """What the charts of the first page draw: one place per day, empty where there is nothing to divide."""
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def line(name: str, scale: int, divide: bool) -> list[str | None]:
        values = [METRICS[name].value(days[day]) if day in days else None for day in every]
        return [
            None if value is None else str(words.rounded(value / scale if divide else value * scale, 1))
            for value in values
        ]

    def target(name: str, scale: int, divide: bool) -> list[str | None]:
        values = [goal(team, day, name) for day in every]
        return [
            None if value is None else str(words.rounded(value / scale if divide else value * scale, 1))
            for value in values
        ]

    def series(label: str, data: list[Any], kind: str = "line", dashed: bool = False) -> dict[str, Any]:
        return {"label": label, "type": kind, "data": data, "dashed": dashed}

    return {
        "labels": [day.isoformat() for day in every],
        "volume": [
            series(_("Contacts closed"), [days[day]["closed"] if day in days else None for day in every], "bar")
        ],
        "time": [
            series(_("Simple, minutes"), line("handle_time_simple", 60, True)),
            series(_("Complex, minutes"), line("handle_time_complex", 60, True)),
        ],
        "quality": [
            series(_("Satisfaction, %"), line("satisfaction", 100, False)),
            series(_("Closure rate, %"), line("closure", 100, False)),
            series(_("Target for satisfaction, %"), target("satisfaction", 100, False), dashed=True),
        ],
    }
