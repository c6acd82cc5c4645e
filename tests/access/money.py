"""Rows of incentives for the doors: a plan of north with what was reached and paid by it yesterday, and the same marked."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

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
    Run,
    Simulation,
)
from tests.conftest import Cast, Hub
from tests.incentives import ground


def rows(hub: Hub, north: Cast, today: date) -> dict[str, Any]:
    """Model label -> pk."""
    day, agent = today - timedelta(days=1), north.agent
    plan = ground.plan(north.team, hub.payroll)
    version = ground.version(plan)
    run = Run.objects.create(plan=plan, month=day.replace(day=1), stage="locked", sums={"CNY": "60"})
    batch = Batch.objects.create(run=run, number=1, count=1, sums={"CNY": "60"}, checksum="0" * 64, made_by=hub.hr)
    lined = {"agent": agent, "team": north.team, "version": version, "begins": day, "ends": day}
    counted = {"volumes": ["112"], "days": [{"targets": ["100"], "planned": "480"}], "gates": {}}
    line = Attainment.objects.create(facts=counted, digest="x", attained="1.12", reached=1, **lined)
    entry = Entry.objects.create(
        plan=plan, month=run.month, kind="line", cause="line", amount="60.00", currency="CNY", wages=["300"], digest="x",
        batch=batch, **lined,
    )  # fmt: skip
    record = DayRecord.objects.create(agent=agent, day=day, what="leave", amount=60, made_by=north.lead, reason="x")
    return {
        "incentives.plan": plan.pk,
        "incentives.planversion": version.pk,
        "incentives.attainment": line.pk,
        "incentives.entry": entry.pk,
        "incentives.run": run.pk,
        "incentives.batch": batch.pk,
        "incentives.dayrecord": record.pk,
    }


def marked(side: Any, day: date, roster: str, second: str, wage: Decimal) -> None:
    """A row of every model for a side of the marked world: names and reasons carry the mark of whom they are about, amounts
    are the wage by which those without SETTLE are caught."""
    lead, month = side.lead, day.replace(day=1)
    plan = ground.plan(side.team, lead, since=month - timedelta(days=40), name=f"{roster}plan", code=f"{roster}code")
    version = ground.version(plan)
    run = Run.objects.create(plan=plan, month=month, stage="locked", sums={"CNY": f"{wage}"}, reviewed_by=lead)
    batch = Batch.objects.create(
        run=run, number=1, count=1, sums={"CNY": f"{wage}"}, checksum="0" * 64, made_by=lead, request=None
    )
    side.keep(plan, version, run, batch)
    requests = side.rows[ApprovalRequest]
    for agent, word, request in zip(side.agents[:2], (roster, second), requests, strict=True):
        lined = {"agent": agent, "team": side.team, "version": version, "begins": day, "ends": day}
        counted = {"volumes": ["112"], "days": [{"targets": ["100"], "planned": "480"}], "gates": {}}
        side.keep(
            Attainment.objects.create(facts=counted, digest="x", attained="1.12", reached=1, **lined),
            Entry.objects.create(
                plan=plan, month=month, kind="line", cause="line", amount=wage, currency="CNY", wages=[f"{wage}"],
                digest="x", batch=batch, **lined,
            ),
            DayRecord.objects.create(agent=agent, day=day, what="leave", amount=60, made_by=lead, reason=f"{word}leave"),
            Acknowledgement.objects.create(version=version, agent=agent),
            Correction.objects.create(agent=agent, day=day, count="closed_simple", by_how_much=1, request=request),
            GateOverride.objects.create(agent=agent, version=version, begins=day, gate="closure", request=request),
            BatchItem.objects.create(
                batch=batch, agent=agent, employee=agent.number, code=f"{roster}code", currency="CNY", amount=wage,
                earned_from=day, earned_until=day,
            ),
        )  # fmt: skip
    side.keep(
        BatchDownload.objects.create(batch=batch, by=lead, format="csv"),
        Simulation.objects.create(
            version=version, month=month, made_by=lead, state="done", result={"after": f"{wage}"}
        ),
    )
    KeptFacts.objects.get_or_create(digest="x", defaults={"facts": {}})
