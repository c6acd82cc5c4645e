"""A row of every model of incentives, of one team: for tests that knock at all doors."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

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
    Run,
    Simulation,
)
from tests.conftest import Cast, Hub
from tests.incentives import ground

FACTS = {
    "volumes": ["120"],
    "days": [{"targets": ["100"], "planned": "480"}],
    "gates": {"satisfaction": {"own": [89, 100]}, "closure": {"own": [95, 100]}},
    "excluded": {},
}


def line(agent: Any, version: Any, day: Any, **more: Any) -> Attainment:
    """120 of 100 closed, and satisfaction below its gate."""
    given = {
        "facts": FACTS, "digest": f"d{agent.pk}", "attained": Decimal("1.2"), "reached": 2, "missed": "satisfaction", **more,
    }  # fmt: skip
    return Attainment.objects.create(agent=agent, team=agent.team, version=version, begins=day, ends=day, **given)


def of(cast: Cast, by: Any) -> dict[str, Any]:
    """A plan, and what the first agent reached and is paid by it, by the kinds of data that one may ask about."""
    plan = ground.plan(cast.team, by)
    version, day = ground.version(plan), timezone.now().date() - timedelta(days=2)
    reached = line(cast.agent, version, day)
    entry = Entry.objects.create(
        agent=cast.agent, team=cast.team, plan=plan, version=version, begins=day, ends=day, month=day.replace(day=1),
        kind="line", cause="line", amount=Decimal(150), currency="CNY", digest=reached.digest,
    )  # fmt: skip
    return {"plans": plan, "attainment": reached, "amounts": entry}


def build(hub: Hub, cast: Cast) -> dict[str, Any]:
    """Ids by the label of the model. The batch waits for its release."""
    agent, by = cast.agent, hub.payroll
    plan = ground.plan(cast.team, by, name=f"Bonus of {cast.team}")
    version = ground.version(plan)
    day = timezone.now().date() - timedelta(days=40)
    month = day.replace(day=1)
    request = ApprovalRequest.objects.create(
        kind="line_dispute", team=cast.team, subject_key=f"told:{agent.pk}", subject_label="told", requester=agent.user,
        editor=agent.user, content={}, content_hash="0" * 64, stood={}, state="applied", submitted_at=timezone.now(),
    )  # fmt: skip
    run = Run.objects.create(plan=plan, month=month, stage="locked", sums={"CNY": "150"}, lines=1, agents=1)
    batch = Batch.objects.create(run=run, number=1, count=1, sums={"CNY": "150"}, checksum="c" * 64, made_by=by)
    BatchItem.objects.create(
        batch=batch, agent=agent, employee=agent.number, code="BONUS", currency="CNY", amount=Decimal(150), earned_from=day,
        earned_until=day,
    )  # fmt: skip
    BatchDownload.objects.create(batch=batch, by=by, format="csv")
    reached = line(agent, version, day)
    entry = Entry.objects.create(
        agent=agent, team=cast.team, plan=plan, version=version, begins=day, ends=day, month=month, kind="line",
        cause="line", amount=Decimal(150), currency="CNY", wages=["300"], digest=reached.digest, batch=batch,
    )  # fmt: skip
    made = {
        "plan": plan, "planversion": version, "run": run, "batch": batch, "attainment": reached, "entry": entry,
        "simulation": Simulation.objects.create(version=version, month=month, made_by=by),
        "dayrecord": DayRecord.objects.create(
            agent=agent, day=day, what="leave", amount=Decimal(60), reason="told", made_by=cast.lead
        ),
        "correction": Correction.objects.create(
            agent=agent, day=day, count="closed_simple", by_how_much=2, request=request
        ),
        "gateoverride": GateOverride.objects.create(
            agent=agent, version=version, begins=day, gate="closure", request=request
        ),
        "acknowledgement": Acknowledgement.objects.create(version=version, agent=agent),
    }  # fmt: skip
    return {f"incentives.{name}": row.pk for name, row in made.items()}
