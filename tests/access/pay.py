"""The part of the marked world that is about pay: a plan of each team, what its two agents reached by it, and what it pays.

Every amount is the wage of the side, which marks it: whoever may not see wages may see none of these.
"""

from datetime import date, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from approvals.models import ApprovalRequest
from incentives.models import (
    Acknowledgement,
    Attainment,
    Batch,
    BatchDownload,
    BatchItem,
    Correction,
    DayRecord,
    Entry,
    GateOverride,
    KeptFacts,
    Plan,
    PlanVersion,
    Run,
    Simulation,
)
from teams.models import Compensation
from tests import make
from tests.incentives.plans import terms

FACTS = {
    "volumes": ["120"], "days": [{"targets": ["100"], "planned": "480"}],
    "gates": {"satisfaction": {"own": [1, 10]}, "closure": {"own": [9, 10]}},
}  # fmt: skip


def fill(side: Any) -> None:
    """All of it for one side, kept for the crawl."""
    roster = f"{side.name}rosterqzx"
    amount = side.rows[Compensation][0].amount
    day = (timezone.now() - timedelta(days=1)).date()
    month = day.replace(day=1)
    plan = Plan.objects.create(team=side.team, name=f"{roster}plan", earning_code="BONUS", made_by=side.lead)
    made = terms(measures=[{"metric": "volume", "weight": "1", "is_ratio": False}], currency="EUR")
    version = PlanVersion.objects.create(
        plan=plan, number=1, terms=made, span=DateRange(make.LONG_AGO, None), state="published", made_by=side.lead,
        reason=f"{roster}version", published_at=timezone.now(),
    )  # fmt: skip
    run = Run.objects.create(
        plan=plan,
        month=month,
        stage="calculated",
        lines=2,
        agents=2,
        sums={"EUR": f"{amount}"},
        calculated_at=timezone.now(),
    )
    batch = Batch.objects.create(
        run=run, number=1, count=1, sums={"EUR": f"{amount}"}, checksum="0" * 64, made_by=side.lead
    )
    side.keep(plan, version, run, batch)
    for agent, request in zip(side.agents[:2], side.rows[ApprovalRequest], strict=False):
        side.keep(*_of(agent, request, version, batch, day, amount, roster))
    named = {"agent": side.agents[0].pk, "name": side.agents[0].name, "before": f"{amount}", "after": f"{amount}"}
    tried = {
        "currency": "EUR", "before": f"{amount}", "after": f"{amount}", "lines": 2, "lacking": 0, "people": 2, "gaining": 1,
        "losing": 0, "same": 1, "gains": [named], "loses": [], "near": [{"place": 1, "below": 1, "above": 0}],
    }  # fmt: skip
    side.keep(
        BatchDownload.objects.create(batch=batch, by=side.lead, format="csv", address="192.0.2.7"),
        Simulation.objects.create(version=version, month=month, state="done", result=tried, made_by=side.lead),
        KeptFacts.objects.create(digest=f"{side.name}", facts=FACTS),
    )


def _of(agent: Any, request: Any, version: PlanVersion, batch: Batch, day: date, amount: Any, roster: str) -> list[Any]:
    """What belongs to one agent."""
    line = {"agent": agent, "version": version, "begins": day}
    return [
        DayRecord.objects.create(
            agent=agent, day=day, what="training", amount=30, reason=f"{roster}told", made_by=version.made_by
        ),
        Correction.objects.create(agent=agent, day=day, count="closed_simple", by_how_much=1, request=request),
        GateOverride.objects.create(gate="critical", request=request, **line),
        Acknowledgement.objects.create(version=version, agent=agent),
        Attainment.objects.create(
            team=agent.team, ends=day, facts=FACTS, digest=f"{agent.pk}", attained="1.2", reached=2, missed="satisfaction",
            **line,
        ),
        Entry.objects.create(
            team=agent.team, plan=version.plan, ends=day, month=day.replace(day=1), kind="line", cause="line", amount=amount,
            currency="EUR", wages=[f"{amount}"], digest=f"{agent.pk}", **line,
        ),
        BatchItem.objects.create(
            batch=batch, agent=agent, employee=agent.number, code="BONUS", currency="EUR", amount=amount, earned_from=day,
            earned_until=day, cost_centre=agent.team.code[:40],
        ),
    ]  # fmt: skip
