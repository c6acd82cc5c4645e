"""The rows of incentives that the doors are asked about: a plan of north, and what was reached and paid by it yesterday."""

from datetime import date, timedelta
from typing import Any

from incentives.models import Attainment, Batch, DayRecord, Entry, Run
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
