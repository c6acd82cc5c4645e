"""The cap of a plan: what the rounded lines of a person come to in a month beyond it is lost, or carried to the next month."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from django.db.models import QuerySet

from incentives.models import Entry, PlanVersion, Run
from incentives.plain.periods import month_of
from incentives.plain.terms import Cap, Terms, read
from incentives.plain.totals import total
from teams.models import Compensation

WHOLE = (Entry.Kind.LINE, Entry.Kind.DELTA, Entry.Kind.CARRIED)


def capped_by(run: Run) -> tuple[PlanVersion, Terms] | None:
    """The version that holds on the last day of the month, if it has a cap."""
    version = PlanVersion.objects.filter(plan=run.plan_id).on(month_of(run.month).last).first()
    if version is None:
        return None
    terms = read(version.terms)
    return None if terms.cap.of == "none" else (version, terms)


def settle_caps(run: Run, version: PlanVersion, terms: Terms, into: date) -> int:
    """Post what is over the cap for everybody in a run, and what is carried on, into the month that begins with `into`; returns
    how many entries. Again: nothing new. System scope, both runs locked."""
    made = list(_missing(run, into, version, terms))
    Entry.objects.bulk_create(made, ignore_conflicts=True, batch_size=1000)
    return len(made)


def _missing(run: Run, into: date, version: PlanVersion, terms: Terms) -> Iterator[Entry]:
    month = month_of(run.month)
    rows = Entry.objects.filter(plan=run.plan_id, currency=terms.currency)
    due = _sums(rows.filter(month=run.month, kind__in=WHOLE))
    cut = _sums(rows.filter(month=run.month, kind=Entry.Kind.CAP))
    carried = _sums(rows.filter(begins=month.first, kind=Entry.Kind.CARRIED))
    bases = _monthly(set(due), run) if terms.cap.of == "monthly_base" else {}

    def entry(agent: int, team: int, kind: Entry.Kind, paid_in: date, amount: Decimal, times: int) -> Entry:
        return Entry(
            agent_id=agent, team_id=team, plan_id=run.plan_id, version=version, begins=month.first, ends=month.last,
            month=paid_in, kind=kind, cause=f"cap:{times + 1}", amount=amount, currency=terms.currency,
        )  # fmt: skip

    for agent in sorted({*due, *cut}):
        amount, team, _count = due.get(agent) or (Decimal(0), cut[agent][1], 0)
        over = _over(terms, amount, bases.get(agent))
        stands, _team, times = cut.get(agent, (Decimal(0), team, 0))
        if -over != stands:
            yield entry(agent, team, Entry.Kind.CAP, run.month, -over - stands, times)
        stands, _team, times = carried.get(agent, (Decimal(0), team, 0))
        if terms.cap.excess == "carried" and over != stands:
            yield entry(agent, team, Entry.Kind.CARRIED, into, over - stands, times)


def _sums(rows: QuerySet[Entry]) -> dict[int, tuple[Decimal, int, int]]:
    """By agent: the sum of entries, the team of one of them, and how many there are."""
    found: dict[int, tuple[Decimal, int, int]] = {}
    for agent, team, amount in rows.order_by("agent", "pk").values_list("agent", "team", "amount").iterator():
        before, _team, count = found.get(agent, (Decimal(0), team, 0))
        found[agent] = (before + amount, team, count + 1)
    return found


def _over(terms: Terms, amount: Decimal, monthly: Fraction | None) -> Decimal:
    if amount <= 0:
        return Decimal(0)
    if terms.cap.of == "monthly_base" and monthly is None:
        return Decimal(0)  # nobody's base is known: the lines of such a person wait for their wage anyway
    found = total([amount], Cap(terms.cap.of, terms.cap.value, terms.cap.excess), terms.rounding, monthly_base=monthly)
    return found.lost + found.carried


def _monthly(agents: set[int], run: Run) -> dict[int, Fraction]:
    """The monthly base of each agent on the last day of the month: a monthly wage, or the daily one by 21.75."""
    last = month_of(run.month).last
    rows = Compensation.objects.filter(agent__in=agents, span__contains=last)
    return {
        row.agent_id: Fraction(row.amount) * (1 if row.basis == Compensation.Basis.MONTHLY else Fraction("21.75"))
        for row in rows
    }
