"""A draft on a month that has been: laid out and calculated like the real thing, with nothing posted."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incentives import cases, figures
from incentives.models import PlanVersion, Simulation
from incentives.places import places
from incentives.plain.periods import Span, month_of, spans_of
from incentives.plain.simulation import Pair as Change
from incentives.plain.simulation import cliffs, compared
from incentives.plain.terms import Terms, read
from teams import jobs
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import Agent, JobRun, User

JOB = "incentives.simulate"
MOST_NAMED = 50
WHOLE = "a draft is tried on everybody who would be under it; amounts are read under SETTLE alone"


@transaction.atomic
def simulate(pk: Any, month: Any, *, by: User) -> Simulation:
    """Try a version on a month that has begun. The ledger works it out; its page tells how far it is.

    Raises OutOfReach, or Refused: not_begun.
    """
    version = PlanVersion.objects.manageable_by(by).select_related("plan__team").filter(pk=pk).first()
    if version is None:
        raise OutOfReach
    span = month_of(month)
    if span.first > timezone.now().date():
        raise Refused("not_begun", _("There is nothing to try it on yet. Choose a month that has begun."))
    made = Simulation.objects.create(version=version, month=span.first, made_by=by)
    with system_scope("the ledger is the system's"):
        run = jobs.expect(JOB, str(made.pk), due_at=timezone.now())
        jobs.follow(run, by=by, team=None)
    return made


def work(run: JobRun) -> str:
    """The job of the ledger."""
    with system_scope(WHOLE):
        made = Simulation.objects.select_for_update(of=("self",)).filter(pk=int(run.subject)).first()
        if made is None or made.state != Simulation.State.WAITING:
            return ""
        made.result = tried(made.version, month_of(made.month))
        made.state = Simulation.State.DONE
        made.save(update_fields=["result", "state"])
        return "done"


def tried(version: PlanVersion, month: Span) -> dict[str, Any]:
    """What a version would pay for a month, beside what stands posted for the same people and days."""
    terms = read(version.terms)
    every = places(month, instead=version)
    figures.lay_out(figures.Wanted(version.pk, terms, month, timezone.now()), every)
    cases.calculate(terms, version.terms)
    spans = spans_of(terms.period, month)
    with connection.cursor() as cursor:
        cursor.execute(BY_AGENT, {"first": spans[0].first, "last": spans[-1].last, "currency": terms.currency})
        pairs = [Change(agent, before, after) for agent, before, after in cursor.fetchall()]
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE lack <> '') FROM incentives_line line "
            "JOIN incentives_case one USING (work, missed, waits) "
            "JOIN incentives_pair pair ON pair.case_id = one.id AND pair.wages = line.wages"
        )
        lines, lacking = cursor.fetchone()
    outcome = compared(pairs)
    names = dict(
        Agent.objects.filter(pk__in=[row.agent for row in (*outcome.gains[:MOST_NAMED], *outcome.loses[:MOST_NAMED])])
        .order_by()
        .values_list("pk", "name")
    )

    def told(rows: tuple[Change, ...]) -> list[dict[str, Any]]:
        return [
            {"agent": row.agent, "name": names[row.agent], "before": _text(row.before), "after": _text(row.after)}
            for row in rows[:MOST_NAMED]
        ]

    return {
        "currency": terms.currency, "before": _text(outcome.before), "after": _text(outcome.after), "lines": lines,
        "lacking": lacking, "people": len(pairs), "gaining": len(outcome.gains), "losing": len(outcome.loses),
        "same": outcome.same, "gains": told(outcome.gains), "loses": told(outcome.loses), "near": _near(terms),
    }  # fmt: skip


def _text(amount: Decimal) -> str:
    """With two digits, or as many as it has."""
    digits = -int(amount.normalize().as_tuple().exponent)
    return f"{amount:.{max(digits, 2)}f}"


BY_AGENT = """
WITH after AS (
    SELECT line.agent_id, sum(coalesce(pair.amount, 0) + coalesce(pair.withheld, 0)) AS amount
    FROM incentives_line line
    JOIN incentives_case one USING (work, missed, waits)
    JOIN incentives_pair pair ON pair.case_id = one.id AND pair.wages = line.wages
    GROUP BY line.agent_id
)
SELECT after.agent_id, coalesce(before.amount, 0), after.amount
FROM after LEFT JOIN LATERAL (
    SELECT sum(entry.amount + entry.withheld) AS amount FROM incentives_entry entry
    WHERE entry.agent_id = after.agent_id AND entry.kind IN ('line', 'delta') AND entry.currency = %(currency)s
      AND entry.begins BETWEEN %(first)s AND %(last)s
) before ON true
ORDER BY after.agent_id
"""
HOW_MANY = """
SELECT one.work, one.missed, one.waits, count(*)
FROM incentives_case one JOIN incentives_line line USING (work, missed, waits) GROUP BY one.work, one.missed, one.waits
"""


def _near(terms: Terms) -> list[dict[str, int]]:
    """For each tier how many lines stand within 2 % of the target below its edge, and how many on it or within 2 % above."""
    found = {place: [0, 0] for place in range(1, len(terms.tiers) + 1)}
    with connection.cursor() as cursor:
        cursor.execute(HOW_MANY)
        for work_text, missed, waits, count in cursor.fetchall():
            worth = cases.worth_of(terms, work_text, missed, waits)
            volume = Fraction(json.loads(work_text)["volumes"][0])
            for cliff in cliffs(terms, worth, volume):
                found[cliff.place][cliff.short_by <= 0] += count
    return [{"place": place, "below": below, "above": above} for place, (below, above) in found.items()]
