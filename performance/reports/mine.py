"""What an agent reads on the own pages, and what a lead reads about one agent: figures from agent days and targets.

Every function takes the rows it may use from its caller's scope, asks the same few queries however much there is, and
hands back frozen dataclasses with everything a template shows.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from performance import words
from performance.metrics import METRICS, Better, Metric
from performance.models import AgentDay, DayTouch, Measures, Target
from performance.reports import behind
from teams.acting import system_scope
from teams.models import Agent

WINDOW_DAYS = 30
SUMS = tuple(field.name for field in Measures._meta.get_fields() if field.name != "handle_p90_seconds")
DAY_FIGURES = (
    "handle_time_simple", "handle_time_complex", "satisfaction", "closure", "talk_time", "first_reply", "reopened",
)  # fmt: skip

Goal = Callable[[int | None, date, str], Decimal | None]
Sums = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """One figure of the registry for some days, with what it rests on."""

    metric: Metric
    value: Fraction | None
    numerator: int | Decimal
    denominator: int | None
    target: Decimal | None
    rests_on_few: bool

    @property
    def id(self) -> str:
        return self.metric.id

    @property
    def label(self) -> Promise | str:
        return self.metric.label

    @property
    def shown(self) -> str:
        return words.shown(self.value, self.metric.unit)

    @property
    def target_shown(self) -> str:
        return words.shown(self.target, self.metric.unit) if self.target is not None else ""

    @property
    def verdict(self) -> str:
        """ "met", "missed" or nothing where there is no value, no target, or too little to judge by."""
        if self.value is None or self.target is None or self.rests_on_few or self.metric.better is Better.NEITHER:
            return ""
        goal = Fraction(self.target)
        good = self.value >= goal if self.metric.better is Better.MORE else self.value <= goal
        return "met" if good else "missed"

    @property
    def hits(self) -> str | None:
        return behind.hits(self.metric)

    @property
    def rests_on(self) -> str | None:
        return behind.rests_on(self.metric)


@dataclass(frozen=True)
class Progress:
    """How far a day is: contacts closed against the day's target."""

    done: int
    target: int | None

    @property
    def to_go(self) -> int:
        return max((self.target or 0) - self.done, 0)

    @property
    def over(self) -> int:
        return max(self.done - self.target, 0) if self.target is not None else 0

    @property
    def words(self) -> str:
        done = ngettext("%(count)d done", "%(count)d done", self.done) % {"count": self.done}
        if not self.target:
            return done
        if self.to_go:
            return _("%(done)s, %(count)d to go") % {"done": done, "count": self.to_go}
        if self.over:
            return _("%(done)s, %(count)d over target") % {"done": done, "count": self.over}
        return _("%(done)s, target reached") % {"done": done}

    @property
    def share(self) -> str:
        """The share of the target reached, as a percentage; nothing without a target."""
        return words.percent(Fraction(self.done, self.target)) if self.target else ""


@dataclass(frozen=True)
class Part:
    """The contacts of one complexity."""

    measure: str
    closed: int
    time: Figure


@dataclass(frozen=True)
class DayPage:
    day: date
    today: date
    zone: str
    progress: Progress
    contacts: int
    parts: tuple[Part, ...]
    figures: tuple[Figure, ...]
    estimated: Figure | None
    as_of: datetime | None

    @property
    def is_today(self) -> bool:
        return self.day == self.today

    @property
    def is_yesterday(self) -> bool:
        return self.day == self.today - timedelta(days=1)

    @property
    def before(self) -> date | None:
        return self.day - timedelta(days=1) if self.day > date.min else None

    @property
    def after(self) -> date | None:
        return self.day + timedelta(days=1) if self.day < self.today else None


@dataclass(frozen=True)
class DayLine:
    day: date
    progress: Progress
    simple: Figure
    complex: Figure
    satisfaction: Figure
    closure: Figure
    talk_time: Figure


@dataclass(frozen=True)
class DaysPage:
    first: date
    last: date
    lines: tuple[DayLine, ...]  # newest first, days with contacts only
    whole: tuple[Figure, ...]
    closed: int
    chart: dict[str, Any]
    older: int | None
    newer: int | None


def agent_day(rows: QuerySet[AgentDay], agent: Agent, day: date, today: date) -> DayPage:
    """One day of `agent` out of `rows`, against the targets that hold on it. Two queries, and one for the freshness."""
    found = list(rows.filter(agent=agent, day=day))
    sums = summed(found)
    team = _main_team(found) or agent.team_id
    goal = goals({team} if team else set(), agent.role, day, day)

    def figure(name: str) -> Figure:
        return figure_of(METRICS[name], sums, goal(team, day, name))

    estimated = figure("estimated")
    return DayPage(
        day=day,
        today=today,
        zone=found[0].zone if found else agent.zone,
        progress=progress_of(sums, goal(team, day, "volume")),
        contacts=sums["contacts"],
        parts=tuple(
            Part(f"closed_{kind}", sums[f"closed_{kind}"], figure(f"handle_time_{kind}"))
            for kind in ("simple", "complex")
        ),
        figures=tuple(figure(name) for name in DAY_FIGURES),
        estimated=estimated if estimated.numerator else None,
        as_of=_as_of(agent, day),
    )


def agent_days(rows: QuerySet[AgentDay], agent: Agent, today: date, page: int = 1) -> DaysPage:
    """Thirty days of `agent` out of `rows`; page 1 ends today, page 2 thirty days earlier. Three queries."""
    last = today - timedelta(days=WINDOW_DAYS * (page - 1))
    first = last - timedelta(days=WINDOW_DAYS - 1)
    mine = rows.filter(agent=agent)
    by_day: dict[date, list[AgentDay]] = {}
    for row in mine.filter(day__range=(first, last)).order_by("day", "pk"):
        by_day.setdefault(row.day, []).append(row)
    teams = {row.team_id for found in by_day.values() for row in found} | ({agent.team_id} if agent.team_id else set())
    goal = goals(teams, agent.role, first, last)
    lines = []
    for day in sorted(by_day, reverse=True):
        team, sums = _main_team(by_day[day]), summed(by_day[day])

        def figure(name: str, day: date = day, team: int | None = team, sums: Sums = sums) -> Figure:
            return figure_of(METRICS[name], sums, goal(team, day, name))

        lines.append(
            DayLine(
                day,
                progress_of(sums, goal(team, day, "volume")),
                figure("handle_time_simple"),
                figure("handle_time_complex"),
                figure("satisfaction"),
                figure("closure"),
                figure("talk_time"),
            )
        )
    every = summed(row for found in by_day.values() for row in found)
    return DaysPage(
        first=first,
        last=last,
        lines=tuple(lines),
        whole=tuple(figure_of(METRICS[name], every, goal(agent.team_id, last, name)) for name in DAY_FIGURES),
        closed=every["closed"],
        chart=_chart(first, last, {line.day: line for line in lines}),
        older=page + 1 if mine.filter(day__lt=first).exists() else None,
        newer=page - 1 if page > 1 else None,
    )


def figure_of(metric: Metric, sums: Sums, target: Decimal | None) -> Figure:
    """`metric` from summed measures, beside its target."""
    return Figure(
        metric=metric,
        value=metric.value(sums),
        numerator=sums.get(metric.numerator) or 0,
        denominator=None if metric.denominator is None else sums.get(metric.denominator) or 0,
        target=target,
        rests_on_few=metric.rests_on_few(sums),
    )


def progress_of(sums: Sums, target: Decimal | None) -> Progress:
    """Contacts closed against a target, which counts whole contacts: a part of one is one more to do."""
    return Progress(sums["closed"], None if target is None else ceil(target))


def summed(rows: Iterable[AgentDay]) -> dict[str, Any]:
    """All measures of some agent days of one agent added up, and on how many days there were contacts."""
    total: dict[str, Any] = dict.fromkeys(SUMS, 0)
    worked = set()
    for row in rows:
        for name in SUMS:
            total[name] += getattr(row, name)
        if row.contacts:
            worked.add(row.day)
    return total | {"agent_days": len(worked)}


def _main_team(rows: Iterable[AgentDay]) -> int | None:
    """The team that had most of the day: its targets count."""
    most = max(rows, key=lambda row: (row.contacts, -row.pk), default=None)
    return most.team_id if most else None


def goals(teams: set[int], role: str, first: date, last: date) -> Goal:
    """The targets that hold for a role in some teams from `first` to `last`, read at once; ask it by team, day, metric.

    The nearest team above decides, within a team the role beats none; where nobody set one, the metric's own default.
    """
    best: dict[tuple[int, str], list[tuple[int, bool, DateRange, Decimal]]] = {}
    rows = (
        Target.objects.filter(
            team__descent__descendant__in=teams,
            role__in=("", role),
            span__overlap=DateRange(first, last + timedelta(days=1)),
        )
        .annotate(depth=F("team__descent__depth"), for_team=F("team__descent__descendant"))
        .values_list("for_team", "metric", "depth", "role", "span", "value")
    )
    with system_scope("a target given to a team above holds for those below"):
        for team, metric, depth, for_role, span, value in rows if teams else ():
            best.setdefault((team, metric), []).append((depth, not for_role, span, value))
    for candidates in best.values():
        candidates.sort(key=lambda candidate: candidate[:2])

    def goal(team: int | None, day: date, metric: str) -> Decimal | None:
        for _depth, _general, span, value in best.get((team, metric), ()) if team else ():
            if (span.lower is None or span.lower <= day) and (span.upper is None or day < span.upper):
                return value
        return METRICS[metric].default_target

    return goal


def _as_of(agent: Agent, day: date) -> datetime | None:
    """When facts of this day last came in for the agent's zone; None before the first."""
    return DayTouch.objects.filter(zone=agent.zone, day=day).values_list("touched_at", flat=True).first()


def _chart(first: date, last: date, lines: Mapping[date, DayLine]) -> dict[str, Any]:
    """What the chart of a span of days draws: one place per day, empty where there were no contacts."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found = [lines.get(day) for day in days]

    def minutes(figure: Figure | None) -> str | None:
        return str(words.rounded(figure.value / 60, 1)) if figure and figure.value is not None else None

    return {
        "labels": [day.isoformat() for day in days],
        "volume": [
            {
                "label": _("Contacts closed"),
                "type": "bar",
                "data": [line.progress.done if line else None for line in found],
            },
            {
                "label": _("Target"),
                "type": "line",
                "dashed": True,
                "data": [line.progress.target if line else None for line in found],
            },
        ],
        "time": [
            {
                "label": _("Simple, minutes"),
                "type": "line",
                "data": [minutes(line.simple if line else None) for line in found],
            },
            {
                "label": _("Complex, minutes"),
                "type": "line",
                "data": [minutes(line.complex if line else None) for line in found],
            },
        ],
    }
