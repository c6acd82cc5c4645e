"""The marked rows of incentives: what only those may see who lead or pay a team carries its wage as an amount."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange

from approvals.models import ApprovalRequest
from incentives.models import (
    Acknowledgement,
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
from teams.models import Agent, Team, User
from tests import make
from tests.incentives import rows
from tests.incentives.plans import terms

MEASURED = [{"metric": "volume", "weight": "1", "is_ratio": False}]


def build(
    team: Team, agent: Agent, lead: User, request: ApprovalRequest, word: str, wage: Decimal, day: date
) -> Iterator[models.Model]:
    """A row of every model, of one person and day. `word` marks what is read with the name of the team."""
    amount, month = str(wage), day.replace(day=1)
    plan = Plan.objects.create(team=team, name=f"{word}plan", earning_code=word[:40], made_by=lead)
    version = PlanVersion.objects.create(
        plan=plan, number=1, terms=terms(measures=MEASURED), span=DateRange(make.LONG_AGO, None), state="published",
        reason=f"{word}reason", made_by=lead,
    )  # fmt: skip
    run = Run.objects.create(plan=plan, month=month, stage="locked", sums={"EUR": amount}, lines=1, agents=1)
    batch = Batch.objects.create(
        run=run, number=1, count=1, sums={"EUR": amount}, checksum="c" * 64, made_by=lead, state="released"
    )
    person: dict[str, Any] = {"agent": agent, "version": version}
    paid = {"team": team, "plan": plan, "month": month, "currency": "EUR", "batch": batch, **person}
    line = rows.line(agent, version, day, digest=word[:32])
    yield from (plan, version, run, batch, line)
    yield Entry.objects.create(
        begins=day, ends=day, kind="line", cause="line", amount=wage, wages=[amount], digest=line.digest, **paid
    )
    yield BatchItem.objects.create(
        batch=batch, agent=agent, employee=agent.number, code="BONUS", currency="EUR", amount=wage, earned_from=day,
        earned_until=day,
    )  # fmt: skip
    yield BatchDownload.objects.create(batch=batch, by=lead, format="csv")
    told = {"currency": "EUR", "before": amount, "after": amount, "lines": 1, "lacking": 0, "people": 1, "gaining": 0}
    yield Simulation.objects.create(
        version=version, month=month, made_by=lead, state="done",
        result={**told, "losing": 0, "same": 1, "gains": [], "loses": [], "near": []},
    )  # fmt: skip
    yield DayRecord.objects.create(
        agent=agent, day=day, what="leave", amount=Decimal(60), reason=f"{word}told", made_by=lead
    )
    yield Correction.objects.create(agent=agent, day=day, count="closed_simple", by_how_much=2, request=request)
    yield GateOverride.objects.create(begins=day, gate="closure", request=request, **person)
    yield Acknowledgement.objects.create(**person)
    yield KeptFacts.objects.create(digest=f"{word}"[:31], facts={})
