"""The nine who knock at every door, and the rows of `north` that the doors are asked about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from approvals.models import (
    ApprovalAbsence,
    ApprovalPolicy,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    BlockHit,
    CannedReply,
    ReplyCategory,
    ReplyRules,
    StatusReason,
    StatusSpan,
    TeamCover,
)
from approvals.services import replies
from performance.models import (
    AgentAlias,
    AgentDay,
    Contact,
    ImportRefusal,
    ImportRun,
    NightlyReport,
    PhoneReveal,
    QueueAlias,
    QueueHalfHour,
    Target,
    TeamDay,
)
from performance.reports import nightly
from performance.services import intake
from teams.edges.admin import site
from teams.entry.models import EntryTry
from teams.models import (
    AccessRecord,
    Agent,
    Backup,
    Compensation,
    DataCopy,
    Erasure,
    JobProgress,
    JobRun,
    Loan,
    Notice,
    NoticeChannel,
    Skill,
    TeamGroupGrant,
    TeamUserGrant,
    UndoOffer,
    ViewAs,
)
from tests import make
from tests.access import money
from tests.access.world import BY_LEADS, LEADS_DECIDE
from tests.approvals import blocks
from tests.conftest import Cast, Hub

# The order of the answers in the table. "agent" is the one the rows are about, without staff rights.
ACTORS = ("anonymous", "agent", "sibling", "lead", "above", "hr", "trainer", "payroll", "operator")


@dataclass(frozen=True)
class World:
    hub: Hub
    north: Cast
    south: Cast
    rows: dict[str, Any]  # model label -> pk of a row of north

    def user(self, actor: str) -> Any:
        return {
            "anonymous": None,
            "agent": self.north.agent.user,
            "sibling": self.south.lead,
            "lead": self.north.lead,
            "above": self.hub.lead,
            "hr": self.hub.hr,
            "trainer": self.hub.trainer,
            "payroll": self.hub.payroll,
            "operator": self.hub.operator,
        }[actor]


def build(hub: Hub, north: Cast, south: Cast) -> World:
    """One row of every registered model, belonging to `north` where it belongs to anybody."""
    today = timezone.now().date()
    group = Group.objects.create(name="Night watch")
    lead_permission = Permission.objects.get(codename="lead_team")
    rows = {
        "teams.team": north.team.pk,
        "teams.agent": north.agent.pk,
        "teams.user": north.lead.pk,
        "teams.skill": Skill.objects.create(code="french", name="French").pk,
        "teams.loan": Loan.objects.create(
            agent=south.agent, team=north.team, span=DateRange(today, today + timedelta(days=3))
        ).pk,
        "teams.compensation": Compensation.objects.create(
            agent=north.agent, amount="300.00", currency="CNY", span=DateRange(make.LONG_AGO, None)
        ).pk,
        "teams.accessrecord": AccessRecord.objects.create(
            agent=north.agent, viewer=north.lead, door="day", seen_on=today, last_at=timezone.now()
        ).pk,
        "teams.teamusergrant": TeamUserGrant.objects.get(user=north.lead).pk,
        "teams.teamgroupgrant": TeamGroupGrant.objects.create(
            group=group, permission=lead_permission, content_object=north.team
        ).pk,
        "teams.viewas": ViewAs.objects.create(
            viewer=hub.operator, person=north.lead, reason="probe", started_at=timezone.now(), until=timezone.now()
        ).pk,
        "teams.jobrun": JobRun.objects.create(job="probe", due_at=timezone.now()).pk,
        "teams.backup": Backup.objects.create(name="probe", made_at=timezone.now(), size_bytes=1, rows=1).pk,
        "teams.notice": Notice.objects.create(kind="probe", recipient=north.lead, key="probe").pk,
        "teams.noticechannel": NoticeChannel.objects.create(
            owner=north.lead, kind="slack", sealed="x", fingerprint="x", hint="hooks.slack.com …wxyz"
        ).pk,
        "teams.entrytry": EntryTry.objects.create(key="probe", kind="name").pk,
        "auth.group": group.pk,
        "teams.datacopy": _copy(north.agent).pk,
        "teams.erasure": Erasure.objects.create(agent=north.agents[1], reason="asked", asked_by=hub.hr).pk,
    }
    rows["teams.undooffer"] = UndoOffer.objects.create(
        owner=north.lead, verb="teams.skills", about="teams.Agent", about_pk=north.agent.pk, until=timezone.now()
    ).pk
    followed = JobRun.objects.create(job="probe", subject="followed", due_at=timezone.now())
    rows["teams.jobprogress"] = JobProgress.objects.create(run=followed, team=north.team, asked_by=north.lead).pk
    rows |= _statuses(north)
    rows |= _performance(north, today)
    rows |= _approvals(hub, north)
    rows |= _replies(north)
    rows |= money.rows(hub, north, today)
    rows["approvals.blockentry"] = blocks.entry(north.team, north.agent.user).pk
    rows["approvals.blockhit"] = BlockHit.objects.create(entry_id=rows["approvals.blockentry"], mask="x").pk
    make.source(south.team, "South desk")  # the sibling knows the pages of intake, with rows of its own
    every = IntervalSchedule.objects.create(every=1, period="minutes")
    rows["django_celery_beat.intervalschedule"] = every.pk
    rows["django_celery_beat.crontabschedule"] = CrontabSchedule.objects.create().pk
    rows["django_celery_beat.periodictask"] = PeriodicTask.objects.create(name="p", task="teams.p", interval=every).pk
    return World(hub, north, south, rows)


def _replies(north: Cast) -> dict[str, Any]:
    """A reply of north with a file and a second version, its category, and the rules."""
    category = ReplyCategory.objects.create(name="Money", team=north.team)
    reply = CannedReply(scope="team", team=north.team, version=0)
    replies.put(reply, {"title": "Refund", "short_code": "refund", "body": "Hello.", "category": category.pk})
    file = replies.bring_file(ContentFile(b"north", "north.pdf"), by=north.lead, team=north.team.pk)
    replies.write(reply, by=north.lead)
    replies.write(reply, by=north.lead, files=[file.pk])
    return {
        "approvals.replycategory": category.pk,
        "approvals.cannedreply": reply.pk,
        "approvals.replyattachment": file.pk,
        "approvals.replyrules": ReplyRules.objects.create().pk,
    }


def _copy(agent: Agent) -> DataCopy:
    """A copy the agent asked for, ready to be had."""
    copy = DataCopy(agent=agent, user=agent.user, asked_by=agent.user, state="ready")
    copy.until = timezone.now() + timedelta(days=3)
    copy.file.save("north.zip", ContentFile(b"north"), save=False)
    copy.save()
    return copy


def _approvals(hub: Hub, north: Cast) -> dict[str, Any]:
    """A request of the agent that waits for the lead, rules of the team, and an absence of the lead. Where the kind "rename"
    (tests.approvals.kinds) is not registered, it stands for one of another release."""
    skill = Skill.objects.create(code="german", name="German")
    asker = north.agent.user
    request = ApprovalRequest.objects.create(
        kind="rename", team=north.team, subject_key=f"skill:{skill.pk}", subject_label="North word", requester=asker,
        editor=asker, content={"skill": skill.pk, "team": north.team.pk, "name": "Deutsch", "weight": 0, "agent": None},
        content_hash="0" * 64, stood={"name": "German"}, state="in_review", submitted_at=timezone.now(),
    )  # fmt: skip
    step = ApprovalStep.objects.create(request=request, revision=1, number=10, state="active", plan=LEADS_DECIDE)
    ApprovalSeat.objects.create(step=step, request=request, team=north.team, user=north.lead)
    policy = ApprovalPolicy.objects.create(
        kind="rename", team=north.team, made_by=hub.lead, reason="probe",
        definition=BY_LEADS,
    )  # fmt: skip
    begins = timezone.now() - timedelta(hours=1)
    absence = ApprovalAbsence.objects.create(
        owner=north.lead, deputy=hub.lead, span=DateTimeTZRange(begins, begins + timedelta(days=2)), reason="probe"
    )
    return {
        "approvals.approvalrequest": request.pk,
        "approvals.approvalpolicy": policy.pk,
        "approvals.approvalabsence": absence.pk,
    }


def _statuses(north: Cast) -> dict[str, Any]:
    """What north's agent does now, and what the team keeps covered."""
    began = timezone.now() - timedelta(hours=1)
    span = StatusSpan.objects.create(
        agent=north.agent, team=north.team, base="ready", span=DateTimeTZRange(began, None)
    )
    return {
        "approvals.statusspan": span.pk,
        "approvals.statusreason": StatusReason.objects.get(code="rest").pk,
        "approvals.teamcover": TeamCover.objects.create(team=north.team, needed=1).pk,
    }


def _performance(north: Cast, today: date) -> dict[str, Any]:
    """Facts, rollups, a report, and a delivery that waits for its columns, of yesterday."""
    day = today - timedelta(days=1)
    noon = datetime.combine(day, time(12), UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions(%s, %s)", [day, today])
    source, queue = make.source(north.team, "North desk"), make.queue(north.team, "North line")
    file = ContentFile(b"id,when\n1,noon\n", "north.csv")
    run = intake.receive(source.pk, file, layout="contacts", by=north.lead)
    ImportRun.objects.filter(pk=run.pk).update(counts={"header": ["id", "when"]})
    ImportRefusal.objects.create(
        run=run, row_number=2, field="opened_at", code="no_moment", value="noon", raw=["1", "noon"]
    )
    contact = Contact.objects.create(
        id=1, source=source, external_id="c1", channel="phone", queue=queue, agent=north.agent, team=north.team, zone="UTC",
        day=day, complexity="simple", opened_at=noon, ended_at=noon + timedelta(minutes=5), handle_seconds=300,
        handle_method="measured", is_answered=True, source_updated_at=noon, run=run,
    )  # fmt: skip
    reveal = PhoneReveal.objects.create(
        contact_id=contact.pk, external_id="c1", team=north.team, agent=north.agent, viewer=north.lead, reason="call_back",
        note="asked to be called", address="127.0.0.1",
    )  # fmt: skip
    dayed = {"team": north.team, "day": day, "closed": 1, "contacts": 1}
    report = NightlyReport.objects.create(team=north.team, day=day, payload=nightly.content(north.team, day))
    return {
        "performance.source": source.pk,
        "performance.queue": queue.pk,
        "performance.importrun": run.pk,
        "performance.contact": contact.pk,
        "performance.phonereveal": reveal.pk,
        "performance.agentalias": AgentAlias.objects.create(source=source, external="somebody").pk,
        "performance.queuealias": QueueAlias.objects.create(source=source, external="some line").pk,
        "performance.agentday": AgentDay.objects.create(agent=north.agent, zone="UTC", **dayed).pk,
        "performance.teamday": TeamDay.objects.create(agents=1, **dayed).pk,
        "performance.queuehalfhour": QueueHalfHour.objects.create(queue=queue, started_at=noon, day=day, offered=3).pk,
        "performance.target": Target.objects.create(
            team=north.team, metric="volume", value=100, span=DateRange(make.LONG_AGO, None)
        ).pk,
        "performance.nightlyreport": report.pk,
    }


def frame_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the context of the admin's frame (menu, names of the site) once for each person instead of once a page."""
    made: dict[Any, dict[str, Any]] = {}
    original = site.each_context

    def each_context(request: Any) -> dict[str, Any]:
        if request.user.pk not in made:
            made[request.user.pk] = original(request)
        return dict(made[request.user.pk])

    monkeypatch.setattr(site, "each_context", each_context)
