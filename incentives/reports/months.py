"""What an agent reads of their months: a list of them, and one month line by line with what was done and asked.

Rows come from the caller's scope. Versions and the stage of a month are looked up beyond it: an agent reads neither plans nor
runs, but is told by which version a line was worked out, and how far the month is.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from incentives.cases import facts_of
from incentives.models import Attainment, Entry, PlanVersion, Run
from incentives.plain.pay import worth
from incentives.plain.periods import Span
from incentives.plain.statement import percent, shown
from incentives.plain.terms import Terms, read
from incentives.reports.statements import Row, Statement, statement
from incentives.words import GATE_NAMES
from teams.acting import system_scope
from teams.models import Agent

BY_WHICH = "by which version one's own line was worked out, and how far the month is, belongs to the line"


@dataclass(frozen=True)
class MonthLine:
    """A month in the list. `sums` and `withheld` are by currency."""

    month: date
    lines: int
    sums: dict[str, Decimal]
    withheld: dict[str, Decimal]
    stage: str


def own_months(agent: Agent, entries: QuerySet[Entry], lines: QuerySet[Attainment]) -> list[MonthLine]:
    """Every month with lines or amounts, newest first. Three queries."""
    counted = dict(
        lines.filter(agent=agent)
        .annotate(month=TruncMonth("ends"))
        .order_by()
        .values_list("month")
        .annotate(lines=Count("pk"))
    )
    sums: dict[date, dict[str, Decimal]] = defaultdict(dict)
    withheld: dict[date, dict[str, Decimal]] = defaultdict(dict)
    plans = set()
    rows = entries.filter(agent=agent).order_by("currency", "plan").values_list("month", "currency", "plan")
    for month, currency, plan, amount, held in rows.annotate(amount=Sum("amount"), held=Sum("withheld")):
        plans.add(plan)
        sums[month][currency] = sums[month].get(currency, Decimal(0)) + amount
        if held:
            withheld[month][currency] = withheld[month].get(currency, Decimal(0)) + held
    stages = _stages(plans)
    return [
        MonthLine(month, counted.get(month, 0), sums[month], withheld[month], stages.get(month, ""))
        for month in sorted({*counted, *sums}, reverse=True)
    ]


def _stages(plans: set[int]) -> dict[date, str]:
    """How far each month of these plans is; where two plans pay in it, the one that is less far."""
    order = list(Run.Stage.values)
    found: dict[date, str] = {}
    with system_scope(BY_WHICH):
        for month, stage in Run.objects.filter(plan__in=plans).order_by().values_list("month", "stage"):
            found[month] = min(stage, found.get(month, stage), key=order.index)
    return {month: str(Run.Stage(stage).label) for month, stage in found.items()}


@dataclass(frozen=True)
class Told:
    """A row of a month in words. `done` and `target` are of the first measure; empty where the counts are no longer kept."""

    row: Row
    plan: str
    currency: str
    done: str
    target: str
    missed: str

    @property
    def is_put_right(self) -> bool:
        """Whether something was found out later that changed the amount of this month's own line."""
        return not self.row.corrects and len(self.row.entries) > 1


@dataclass(frozen=True)
class MonthPage:
    statement: Statement
    rows: tuple[Told, ...]  # of this month
    corrections: tuple[Told, ...]  # differences for lines of earlier months
    plans: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        return not (self.rows or self.corrections or self.statement.caps)


def month_page(agent: Agent, month: Span, entries: QuerySet[Entry], lines: QuerySet[Attainment]) -> MonthPage:
    """One month of an agent. Three queries, however many lines."""
    found = statement(agent, month, entries, lines)
    wanted = {row.version for row in found.rows} | {cap.version_id for cap in found.caps}
    with system_scope(BY_WHICH):
        versions = PlanVersion.objects.select_related("plan").in_bulk(wanted)
    terms = {pk: read(version.terms) for pk, version in versions.items()}
    told = [_told(row, versions[row.version], terms[row.version]) for row in found.rows]
    return MonthPage(
        found,
        tuple(each for each in told if not each.row.corrects),
        tuple(each for each in told if each.row.corrects),
        tuple(_named(version) for version in _in_order(versions.values())),
    )


def _in_order(versions: Iterable[PlanVersion]) -> list[PlanVersion]:
    return sorted(versions, key=lambda version: (version.plan.name, version.number))


def _named(version: PlanVersion) -> str:
    return _("%(plan)s, version %(number)d") % {"plan": version.plan.name, "number": version.number}


def _told(row: Row, version: PlanVersion, terms: Terms) -> Told:
    done, target = _counted(row.attainment, terms) if row.attainment is not None else ("", "")
    missed = row.attainment.missed.split(",") if row.attainment is not None and row.attainment.missed else []
    names = ", ".join(str(GATE_NAMES[gate]) for gate in missed)
    return Told(row, _named(version), terms.currency, done, target, names)


def _counted(line: Attainment, terms: Terms) -> tuple[str, str]:
    """What was done and asked, exactly as the line was worked out from it."""
    facts = facts_of(line.facts, ["0"] * len(line.facts["days"]))
    asked = worth(terms, facts.volumes, facts.days, ()).targets[0]
    write = percent if terms.measures[0].is_ratio else shown
    return write(facts.volumes[0]), write(asked) if asked else ""
