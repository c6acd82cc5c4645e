"""The nightly report of a team and all below it: what is kept, and what a page shows of it.

`content` computes the figures of one day from rollups and returns what is kept as JSON: numbers, ids and codes, no words
and no names. `page` puts the words in, in the reader's language, so a report reads the same however often it is opened.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from performance import judgement, tree
from performance.metrics import METRICS, Better, Metric, Unit
from performance.models import AgentDay, NightlyReport, Queue, TeamDay
from performance.reports.shared import (
    PAST_DAYS,
    Subtree,
    Sums,
    added,
    agent_sums,
    load,
    past_weekdays,
    sums_by_child,
)
from performance.services.targets import Wanted, target_for
from performance.words import NOTHING, duration, percent, shown
from teams.models import Agent, Team, User

SHAPE = 1  # of the payload; raised when its keys change
FIGURES = (
    "volume", "handle_time_simple", "handle_time_complex", "satisfaction", "closure", "talk_time", "first_reply",
    "reopened", "estimated", "offered", "abandoned", "service_level",
)  # fmt: skip
LINE_FIGURES = ("volume", "handle_time_simple", "handle_time_complex", "satisfaction", "closure", "talk_time")
JUDGED_COUNTS = ("volume",)
JUDGED_SHARES = ("satisfaction", "closure")
JUDGED_MEANS = ("handle_time_simple", "handle_time_complex", "talk_time")
MOST_AGENTS = 300  # in larger subtrees people stand in the reports of their own teams, and teams are judged here
SLOTS = 48

# -- what is kept ------------------------------------------------------------------------------------------------------------


def content(team: Team, day: date) -> dict[str, Any]:
    """The report of `team` and its subtree for `day`, ready to be kept."""
    subtree = Subtree(team, day, tree.below(team.pk, day))
    sums = sums_by_child(subtree)
    days = [day, *past_weekdays(day)]
    totals = {each: added(part for (_child, on), part in sums.items() if on == each) for each in days}
    by_line = {child: {on: part for (of, on), part in sums.items() if of == child} for child in subtree.children}
    targets = _team_targets(subtree, day)
    loads = load(subtree)
    return {
        "shape": SHAPE,
        "zone": team.zone,
        "sums": _kept(totals[day]),
        "p90": _own_p90(subtree, day),
        "before": [{"day": each.isoformat(), "sums": _kept(totals[each])} for each in days[1:]],
        "targets": targets[team.pk],
        "teams": [
            {"team": child, "sums": _kept(by_line[child].get(day, {})), "targets": targets[child]}
            for child in subtree.children
        ],
        "unusual": _unusual(subtree, sums, loads),
        "load": _load_rows(subtree, loads),
    }


def _kept(sums: Sums) -> Sums:
    """Only what the figures divide: the report keeps what it shows."""
    names = {name for metric in FIGURES for name in (METRICS[metric].numerator, METRICS[metric].denominator) if name}
    return {name: sums[name] for name in sorted(names & sums.keys())}


def _own_p90(subtree: Subtree, day: date) -> int | None:
    """The 90th percentile of handling time, which does not add up: told only where one team's day is the whole report."""
    rows = list(TeamDay.objects.filter(team__in=list(subtree.child_of), day=day)[:2])
    return rows[0].handle_p90_seconds if len(rows) == 1 else None


def _team_targets(subtree: Subtree, day: date) -> dict[int, dict[str, str]]:
    """Targets of the root and of each child. That of a count is per agent and day, so a team's is the sum of its agents'."""
    lines = [subtree.team.pk, *subtree.children]
    staff: dict[tuple[int, str], int] = defaultdict(int)
    people = AgentDay.objects.filter(team__in=list(subtree.child_of), day=day).values_list(
        "team", "agent", "agent__role"
    )
    for team_pk, _agent, role in people.distinct():
        staff[team_pk, role] += 1
    own = {line: Wanted(line, day) for line in lines}
    roles = {key: Wanted(key[0], day, key[1]) for key in staff}
    found = target_for([*own.values(), *roles.values()])
    kept: dict[int, dict[str, str]] = {}
    for line in lines:
        kept[line] = {}
        for metric in (METRICS[name] for name in FIGURES):
            if metric.denominator is None:
                value = _summed(metric, line, subtree, staff, roles, found)
            else:
                value = found.get((own[line], metric.id))
            if value is not None:
                kept[line][metric.id] = f"{value.normalize():f}"
    return kept


def _summed(metric: Metric, line: int, subtree: Subtree, staff: Any, roles: Any, found: Any) -> Decimal | None:
    total = Decimal(0)
    for (team_pk, role), number in staff.items():
        if line not in (subtree.team.pk, subtree.child_of[team_pk]):
            continue
        value = found.get((roles[team_pk, role], metric.id))
        if value is None:
            return None
        total += value * number
    return total or None


def _unusual(subtree: Subtree, sums: dict[tuple[int, date], Sums], loads: Sequence[Any]) -> list[dict[str, Any]]:
    """What is out of the ordinary against the own past of the team, each team below, each agent, and each half hour."""
    day, first = subtree.day, subtree.day - timedelta(days=PAST_DAYS)
    whole = {on: added(part for (_c, of), part in sums.items() if of == on) for on in {on for _child, on in sums}}
    found = _judged("team", subtree.team.pk, whole, day)
    for child in subtree.children:
        found += _judged("team", child, {on: part for (of, on), part in sums.items() if of == child}, day)
    at_work = sum(part.get("agent_days", 0) for (_c, on), part in sums.items() if on == day)
    teams = list(subtree.child_of) if at_work <= MOST_AGENTS else [subtree.team.pk]
    for agent, days in sorted(agent_sums(teams, first, day).items()):
        found += _judged("agent", agent, days, day)
    return found + _judged_load(day, loads)


def _judged(who: str, pk: int, days: dict[date, Sums], day: date) -> list[dict[str, Any]]:
    """Verdicts on one subject's day; a day off is no day of comparison, and today off is no verdict."""
    now = days.get(day, {})
    past = [part for on, part in sorted(days.items()) if on != day and part.get("agent_days")]
    if not now.get("agent_days"):
        return []
    verdicts: list[tuple[Metric, judgement.Verdict | None]] = []
    for metric in (METRICS[name] for name in JUDGED_COUNTS):
        verdicts.append((metric, judgement.count(now[metric.numerator], [part[metric.numerator] for part in past])))
    for metric in (METRICS[name] for name in JUDGED_SHARES):
        above, below = metric.numerator, str(metric.denominator)
        known = added({above: part[above], below: part[below]} for part in past)
        verdicts.append((metric, judgement.share(now[above], now[below], known.get(above, 0), known.get(below, 0))))
    for metric in (METRICS[name] for name in JUDGED_MEANS):
        above, below = metric.numerator, str(metric.denominator)
        least = 1 if below == "agent_days" else judgement.LEAST_TIMED
        series = [(part[above], part[below]) for part in past]
        verdicts.append((metric, judgement.mean(now[above], now[below], series, least)))
    return [
        {
            "who": who,
            "pk": pk,
            "metric": metric.id,
            "good": verdict.is_above == (metric.better is Better.MORE),
            "above": verdict.is_above,
            "numerator": now[metric.numerator],
            "denominator": now[metric.denominator] if metric.denominator else None,
            "low": _text(verdict.low),
            "high": _text(verdict.high),
            "days": len(past),
        }
        for metric, verdict in verdicts
        if verdict is not None
    ]


def _judged_load(day: date, loads: Sequence[Any]) -> list[dict[str, Any]]:
    """Half hours of the whole subtree in which far more or fewer asked than in the same half hour of the last weeks."""
    by_slot: dict[int, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for _child, _queue, on, slot, offered in loads:
        by_slot[slot][on] += offered
    known = sorted({on for days in by_slot.values() for on in days if on != day})
    if day not in {on for days in by_slot.values() for on in days}:
        return []
    found = []
    for slot, days in sorted(by_slot.items()):
        verdict = judgement.count(days.get(day, 0), [days.get(on, 0) for on in known])
        if verdict is not None:
            low, high = judgement.whole_range(verdict)
            found.append(
                {"who": "load", "slot": slot, "metric": "offered", "above": verdict.is_above, "good": None,
                 "numerator": days.get(day, 0), "low": str(low), "high": str(high), "days": len(known)}
            )  # fmt: skip
    return found


def _load_rows(subtree: Subtree, loads: Sequence[Any]) -> list[dict[str, Any]]:
    """Offered contacts per half hour, a row for each own queue and for each child: of the day, and summed over the past."""
    rows: dict[tuple[int, int | None], dict[str, Any]] = {}
    for child, queue, on, slot, offered in loads:
        row = rows.setdefault(
            (child, queue), {"team": child, "queue": queue, "day": [0] * SLOTS, "past": [0] * SLOTS, "since": on}
        )
        row["since"] = min(row["since"], on)
        row["day" if on == subtree.day else "past"][slot] += offered
    kept = []
    for key in sorted(rows, key=lambda key: (key[1] is None, key[0], key[1] or 0)):
        row = rows[key]
        row["past_days"] = (subtree.day - row.pop("since")).days
        kept.append(row)
    return kept


def _text(value: Fraction) -> str:
    """Six decimals are enough to show a limit, and the same everywhere."""
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).quantize(Decimal('0.000001')).normalize():f}"


# -- what is shown -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """One figure in words, beside what it rests on; the exact values stand in the exports."""

    metric: Metric
    value: Fraction | None
    numerator: int
    denominator: int | None
    target: Decimal | None
    before: Fraction | None
    rests_on_few: bool

    @property
    def words(self) -> str:
        return shown(self.value, self.metric.unit)

    @property
    def basis(self) -> str:
        """ "45 of 50" for shares; how many cases for means."""
        if self.denominator is None:
            return ""
        if self.metric.unit is Unit.SHARE:
            return _("%(hits)d of %(cases)d") % {"hits": self.numerator, "cases": self.denominator}
        return _("from %(cases)d") % {"cases": self.denominator}

    @property
    def range_words(self) -> str:
        """Between which shares the truth may lie, where few cases make the figure uncertain."""
        if self.metric.unit is not Unit.SHARE or not self.rests_on_few or not self.denominator:
            return ""
        span = judgement.likely(self.numerator, self.denominator)
        return _("likely %(low)s to %(high)s") % {"low": percent(span[0]), "high": percent(span[1])} if span else ""

    @property
    def target_words(self) -> str:
        return shown(self.target, self.metric.unit) if self.target is not None else NOTHING

    @property
    def attainment(self) -> Fraction | None:
        return self.metric.attainment(self.value, self.target)

    @property
    def attainment_words(self) -> str:
        return percent(self.attainment) if self.attainment is not None else NOTHING

    @property
    def is_reached(self) -> bool | None:
        return None if self.attainment is None else self.attainment >= 1

    @property
    def before_words(self) -> str:
        return shown(self.before, self.metric.unit)

    @property
    def change(self) -> Fraction | None:
        return None if self.value is None or self.before is None else self.value - self.before

    @property
    def change_words(self) -> str:
        if self.change is None:
            return NOTHING
        if self.metric.unit is Unit.SHARE:
            size = _("%(points)s points") % {"points": percent(abs(self.change)).replace("%", "").strip()}
        elif self.metric.unit is Unit.SECONDS:
            size = duration(abs(self.change))
        else:
            size = shown(abs(self.change), Unit.COUNT)
        return ("+" if self.change > 0 else "−" if self.change < 0 else "±") + size

    @property
    def is_better(self) -> bool | None:
        if not self.change or self.metric.better is Better.NEITHER:
            return None
        return (self.change > 0) == (self.metric.better is Better.MORE)


@dataclass(frozen=True)
class Line:
    team_pk: int
    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Remark:
    """Something out of the ordinary, with its reason in words."""

    name: str
    figure: str
    is_good: bool | None
    reason: str
    agent_pk: int | None


@dataclass(frozen=True)
class HeatCell:
    slot: str
    offered: int
    usual: Fraction | None
    level: int  # 0 to 8, of the fullest half hour of the report

    @property
    def usual_words(self) -> str:
        return NOTHING if self.usual is None else shown(self.usual, Unit.COUNT)


@dataclass(frozen=True)
class HeatRow:
    name: str
    is_queue: bool
    cells: tuple[HeatCell, ...]

    @property
    def total(self) -> int:
        return sum(cell.offered for cell in self.cells)


@dataclass(frozen=True)
class Page:
    report: NightlyReport
    team: str
    weekday: str
    cells: tuple[Cell, ...]
    p90: str
    lines: tuple[Line, ...]
    good: tuple[Remark, ...]
    trouble: tuple[Remark, ...]
    notable: tuple[Remark, ...]
    heat: tuple[HeatRow, ...]
    hours: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not any(cell.numerator for cell in self.cells)

    def cell(self, metric_id: str) -> Cell:
        return next(cell for cell in self.cells if cell.metric.id == metric_id)


def page(report: NightlyReport, reader: User) -> Page:
    """A kept report in words. Three queries for the names, however large the report is."""
    return pages([report], reader)[0]


def pages(reports: Iterable[NightlyReport], reader: User) -> list[Page]:
    """Several kept reports in words, with the same three queries for the names of all.

    Figures stay as they were kept; names are those of today, and only of what `reader` may see today.
    """
    rows = list(reports)
    names = _Names(rows, reader)
    return [_page(row, names) for row in rows]


class _Names:
    """Names of everything that reports speak of, as far as the reader may see it, looked up at once."""

    def __init__(self, reports: list[NightlyReport], reader: User) -> None:
        teams = {row.team_id for row in reports}
        agents, queues = set(), set()
        for payload in (row.payload for row in reports):
            teams |= {line["team"] for line in (*payload["teams"], *payload["load"])}
            teams |= {each["pk"] for each in payload["unusual"] if each["who"] == "team"}
            agents |= {each["pk"] for each in payload["unusual"] if each["who"] == "agent"}
            queues |= {row["queue"] for row in payload["load"] if row["queue"]}
        self.teams = dict(Team.objects.visible_to(reader).filter(pk__in=teams).values_list("pk", "name"))
        self.agents = (
            dict(Agent.objects.visible_to(reader).filter(pk__in=agents).values_list("pk", "name")) if agents else {}
        )
        self.queues = (
            dict(Queue.objects.visible_to(reader).filter(pk__in=queues).values_list("pk", "name")) if queues else {}
        )

    def team(self, pk: int) -> str:
        return self.teams.get(pk) or _("(out of reach)")

    def agent(self, pk: int) -> str:
        return self.agents.get(pk) or _("(out of reach)")

    def queue(self, pk: int) -> str:
        return self.queues.get(pk) or _("(out of reach)")


def _page(report: NightlyReport, names: _Names) -> Page:
    kept = report.payload
    before = added(each["sums"] for each in kept["before"])
    weeks = sum(1 for each in kept["before"] if each["sums"])
    lines = [
        Line(line["team"], names.team(line["team"]), _cells(LINE_FIGURES, line["sums"], line["targets"]))
        for line in kept["teams"]
    ]
    remarks = sorted(
        (_remark(each, names) for each in kept["unusual"]), key=lambda each: (each.name.casefold(), each.figure)
    )
    heat = _heat(kept["load"], names)
    return Page(
        report=report,
        team=names.team(report.team_id),
        weekday=date_format(report.day, "l"),
        cells=_cells(FIGURES, kept["sums"], kept["targets"], before, weeks),
        p90=duration(kept["p90"]) if kept["p90"] is not None else "",
        lines=tuple(sorted(lines, key=lambda line: line.name.casefold())),
        good=tuple(each for each in remarks if each.is_good),
        trouble=tuple(each for each in remarks if each.is_good is False),
        notable=tuple(each for each in remarks if each.is_good is None),
        heat=heat,
        hours=tuple(cell.slot for cell in heat[0].cells) if heat else (),
    )


def _cells(
    metrics: Sequence[str], sums: Sums, targets: dict[str, str], before: Sums | None = None, weeks: int = 0
) -> tuple[Cell, ...]:
    found = []
    for metric in (METRICS[name] for name in metrics):
        usual = metric.value(before) if before and weeks else None
        if usual is not None and metric.denominator is None:
            usual /= weeks  # a count is compared with the mean of the weeks that had any
        found.append(
            Cell(
                metric=metric,
                value=metric.value(sums),
                numerator=sums.get(metric.numerator, 0),
                denominator=sums.get(metric.denominator, 0) if metric.denominator else None,
                target=Decimal(targets[metric.id]) if metric.id in targets else None,
                before=usual,
                rests_on_few=metric.rests_on_few(sums),
            )
        )
    return tuple(found)


def _remark(kept: dict[str, Any], names: _Names) -> Remark:
    metric = METRICS[kept["metric"]]
    words = {"days": kept["days"], "low": kept["low"], "high": kept["high"]}
    if kept["who"] == "load":
        words |= {"from": _clock(kept["slot"]), "value": kept["numerator"]}
        text = _("%(value)s asked from %(from)s on; %(low)s to %(high)s would be usual after the last %(days)d days.")
        return Remark(_("Load at %(time)s") % {"time": words["from"]}, str(metric.label), None, text % words, None)
    above, below = kept["numerator"], kept["denominator"]
    if metric.unit is Unit.SHARE:
        words |= {"hits": above, "cases": below, "value": percent(Fraction(above, below))}
        text = _(
            "%(value)s (%(hits)d of %(cases)d); %(low)s to %(high)s of %(cases)d would be usual after the last %(days)d "
            "days at work."
        )
    else:
        value = Fraction(above, below) if below else Fraction(above)
        words |= {"value": shown(value, metric.unit)}
        words |= {end: shown(Decimal(kept[end]), metric.unit) for end in ("low", "high")}
        text = _("%(value)s; %(low)s to %(high)s would be usual after the last %(days)d days at work.")
    is_agent = kept["who"] == "agent"
    name = names.agent(kept["pk"]) if is_agent else names.team(kept["pk"])
    return Remark(name, str(metric.label), kept["good"], text % words, kept["pk"] if is_agent else None)


def _heat(rows: list[dict[str, Any]], names: _Names) -> tuple[HeatRow, ...]:
    used = [slot for slot in range(SLOTS) if any(row["day"][slot] or row["past"][slot] for row in rows)]
    if not used:
        return ()
    span = range(min(used), max(used) + 1)
    most = max((row["day"][slot] for row in rows for slot in span), default=0) or 1
    return tuple(
        HeatRow(
            names.queue(row["queue"]) if row["queue"] else names.team(row["team"]),
            bool(row["queue"]),
            tuple(
                HeatCell(
                    _clock(slot),
                    row["day"][slot],
                    Fraction(row["past"][slot], row["past_days"]) if row["past_days"] else None,
                    -(-8 * row["day"][slot] // most),
                )
                for slot in span
            ),
        )
        for row in rows
    )


def _clock(slot: int) -> str:
    return f"{slot // 2:02d}:{'30' if slot % 2 else '00'}"


@dataclass(frozen=True)
class Difference:
    """One figure in two reports, the later minus the earlier."""

    metric: Metric
    left: Cell
    right: Cell

    @property
    def is_same(self) -> bool:
        return (self.left.numerator, self.left.denominator) == (self.right.numerator, self.right.denominator)

    @property
    def change_words(self) -> str:
        return Cell(
            self.metric, self.right.value, self.right.numerator, self.right.denominator, None, self.left.value, False
        ).change_words


def differences(left: Page, right: Page) -> tuple[Difference, ...]:
    """The figures of two reports side by side, in the order of the report."""
    return tuple(Difference(one.metric, one, other) for one, other in zip(left.cells, right.cells, strict=True))


HEADER = ("team", "day", "revision", "figure", "value", "unit", "numerator", "denominator", "target", "attainment")


def table(page_: Page) -> list[list[Any]]:
    """The report as rows for a file: one per team and figure, exact values, under HEADER."""
    lines = [(page_.team, page_.cells), *((line.name, line.cells) for line in page_.lines)]
    return [
        [
            name,
            page_.report.day,
            page_.report.revision,
            str(cell.metric.label),
            _six(cell.value),
            cell.metric.unit.value,
            cell.numerator,
            cell.denominator,
            cell.target,
            _six(cell.attainment),
        ]
        for name, cells in lines
        for cell in cells
    ]


def _six(value: Fraction | None) -> Decimal | None:
    return None if value is None else Decimal(_text(value))
