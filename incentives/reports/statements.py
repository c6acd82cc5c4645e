"""Statements: what a month of an agent is made of, line by line, each told step by step from the counts it rests on."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.db.models import Q, QuerySet

from incentives.cases import facts_of
from incentives.models import Attainment, Entry, KeptFacts, PlanVersion
from incentives.plain.pay import Facts, Line, line
from incentives.plain.periods import Span, month_of
from incentives.plain.statement import Step, percent, told
from incentives.plain.terms import Terms, read
from incentives.words import LACKS, metric_names
from teams.acting import system_scope
from teams.models import Agent

RESTS_ON = "the terms of a plan and earlier counts of a line belong to whoever may see the line"


@dataclass(frozen=True)
class Row:
    """One line of a month: what was reached, and what its entries of this month come to. `corrects`: it is a difference for a
    line of an earlier month."""

    attainment: Attainment | None
    begins: date
    ends: date
    version: int
    amount: Decimal
    withheld: Decimal
    entries: tuple[Entry, ...]
    corrects: bool

    @property
    def reached(self) -> int:
        return self.attainment.reached if self.attainment is not None else 0

    @property
    def attained(self) -> str:
        """Cut off, never rounded up."""
        if self.attainment is None or self.attainment.attained is None:
            return ""
        cut = int(self.attainment.attained * 1000)
        return f"{cut // 10}.{cut % 10} %"

    @property
    def lack(self) -> str:
        return str(LACKS[self.attainment.lack]) if self.attainment is not None and self.attainment.lack else ""


@dataclass(frozen=True)
class Statement:
    """A month: its lines, what the cap takes or brings, and the sum. Sums are by currency."""

    agent: Agent
    month: Span
    rows: tuple[Row, ...]
    caps: tuple[Entry, ...]
    sums: dict[str, Decimal]
    withheld: dict[str, Decimal]

    @property
    def before(self) -> date:
        return month_of(date.fromordinal(self.month.first.toordinal() - 1)).first

    @property
    def after(self) -> date:
        return date.fromordinal(self.month.last.toordinal() + 1)


def statement(agent: Agent, month: Span, entries: QuerySet[Entry], lines: QuerySet[Attainment]) -> Statement:
    """The statement of a month, from rows that whoever asks may see. Two queries."""
    mine = list(entries.filter(agent=agent, month=month.first).order_by("begins", "pk"))
    earlier = {entry.begins for entry in mine if entry.ends < month.first}
    known = {
        (row.begins, row.version_id): row
        for row in lines.filter(agent=agent).filter(Q(ends__range=(month.first, month.last)) | Q(begins__in=earlier))
    }
    held = {key for key, row in known.items() if row.ends in month}
    posted: dict[tuple[date, int], list[Entry]] = defaultdict(list)
    caps = []
    for entry in mine:
        if entry.kind in (Entry.Kind.CAP, Entry.Kind.CARRIED):
            caps.append(entry)
        else:
            posted[entry.begins, entry.version_id].append(entry)
    rows = [_row(key, known.get(key), posted.get(key, []), month) for key in sorted({*held, *posted})]
    return Statement(agent, month, tuple(rows), tuple(caps), _sums(mine, "amount"), _sums(mine, "withheld"))


def _row(key: tuple[date, int], held: Attainment | None, entries: list[Entry], month: Span) -> Row:
    begins, version = key
    ends = held.ends if held is not None else entries[0].ends
    amount = sum((entry.amount for entry in entries), Decimal(0))
    withheld = sum((entry.withheld for entry in entries), Decimal(0))
    return Row(held, begins, ends, version, amount, withheld, tuple(entries), ends < month.first)


def _sums(entries: Iterable[Entry], name: str) -> dict[str, Decimal]:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        found[entry.currency] += getattr(entry, name)
    return {currency: amount for currency, amount in sorted(found.items()) if amount or name == "amount"}


@dataclass(frozen=True)
class Version:
    """One state of a line: what was counted then, how it was paid, and the entry that posted it (None: it pays nothing)."""

    entry: Entry | None
    facts: Facts
    line: Line
    steps: tuple[Step, ...]  # those of money only where the wages are known, and to whoever may see them
    is_proved: bool  # the entries up to this one come to what the line pays, worked out anew


@dataclass(frozen=True)
class Detail:
    attainment: Attainment
    version: PlanVersion
    terms: Terms
    states: tuple[Version, ...]  # oldest first
    amount: Decimal
    withheld: Decimal

    @property
    def newest(self) -> Version:
        return self.states[-1]

    @property
    def attainment_words(self) -> str:
        attained = self.newest.line.attainment
        return percent(attained) if attained is not None else ""


def detail(attainment: Attainment, entries: QuerySet[Entry], *, with_money: bool = True) -> Detail:
    """A line with every state it was posted in. `entries`: those whoever asks may see. For whoever may see none, say so
    (`with_money`): where units are paid, an amount comes out of the counts alone."""
    posted = list(
        entries.filter(
            agent=attainment.agent_id, begins=attainment.begins, version=attainment.version_id,
            kind__in=(Entry.Kind.LINE, Entry.Kind.DELTA),
        ).order_by("pk")
    )  # fmt: skip
    with system_scope(RESTS_ON):
        version = PlanVersion.objects.select_related("plan").get(pk=attainment.version_id)
        kept = {
            row.digest: row.facts
            for row in KeptFacts.objects.filter(pk__in={entry.digest for entry in posted} - {attainment.digest})
        }
    kept[attainment.digest] = attainment.facts
    terms = read(version.terms)
    names = metric_names()
    states, amount, withheld = [], Decimal(0), Decimal(0)
    for entry in posted:
        amount, withheld = amount + entry.amount, withheld + entry.withheld
        if entry.digest in kept:
            states.append(_state(terms, kept[entry.digest], entry, names, amount, withheld, entry.wages))
    if not states or states[-1].entry is None or states[-1].entry.digest != attainment.digest:
        wages = states[-1].entry.wages if states and states[-1].entry is not None else []
        states.append(_state(terms, attainment.facts, None, names, amount, withheld, wages))
    if not with_money:
        states = [replace(state, steps=_without_money(state.steps)) for state in states]
    return Detail(attainment, version, terms, tuple(states), amount, withheld)


def _state(
    terms: Terms, counted: dict, entry: Entry | None, names: dict[str, str], amount: Decimal, withheld: Decimal,
    wages: list[str],
) -> Version:  # fmt: skip
    days = len(counted["days"])
    is_known = terms.pays_by_unit or len(wages) == days
    facts = facts_of(counted, wages if len(wages) == days else ["0"] * days)
    made = line(terms, facts)
    steps = told(terms, facts, made, names)
    is_proved = (made.amount, made.withheld) == (amount, withheld)
    return Version(entry, facts, made, steps if is_known else _without_money(steps), is_proved)


def _without_money(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(step for step in steps if not step.is_money)
