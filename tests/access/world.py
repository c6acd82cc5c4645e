"""A marked world: two sibling teams whose every text field carries a mark that tells team and data class.

Whoever reads a page, a file or a mail can then be asked one question: does it hold a mark that this person must not see?
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.files.base import ContentFile
from django.db import connection, models
from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from approvals.models import (
    ApprovalAbsence,
    ApprovalEvent,
    ApprovalPolicy,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
    BlockEntry,
    BlockHit,
    CannedReply,
    ReplyCategory,
    ReplyRules,
    StatusReason,
    StatusSpan,
    TeamCover,
)
from approvals.services import replies, reply_uses
from performance.models import (
    AgentAlias,
    AgentDay,
    Contact,
    ContactKey,
    ContactSecret,
    DayTouch,
    ImportRefusal,
    ImportRun,
    IntervalFact,
    Leg,
    NightlyReport,
    PhoneReveal,
    Queue,
    QueueAlias,
    QueueHalfHour,
    Source,
    StateInterval,
    Target,
    TeamDay,
)
from performance.services import intake, night
from teams.models import (
    AccessRecord,
    Agent,
    Backup,
    ColumnSet,
    Compensation,
    DataCopy,
    EntryTry,
    Erasure,
    Invitation,
    JobProgress,
    JobRun,
    Loan,
    Membership,
    Notice,
    NoticeChannel,
    NoticeDelivery,
    PrivacyRules,
    QuietHours,
    SavedFilter,
    Session,
    Skill,
    Team,
    TeamGroupGrant,
    TeamPlacement,
    TeamUserGrant,
    Tombstone,
    UndoOffer,
    User,
    ViewAs,
)
from teams.scoping import Grant
from tests import make
from tests.access import world_pay

ROLES = ("anonymous", "agent", "sibling lead", "lead", "lead above", "HR", "trainer", "payroll", "operator")

# roster: names of the team and its first agent; detail: what else the roster says of the first agent; second: all of the
# colleague as a person; figure and colleague: the facts of the two; source: intake; system: the operator's.
CLASSES = ("roster", "detail", "second", "figure", "colleague", "source", "system")
WAGES = {"alpha": Decimal("31337.31"), "bravo": Decimal("41771.41")}


def mark(team: str, kind: str) -> str:
    """The mark of one team and data class; letters only, so that no escaping changes it."""
    return f"{team}{kind}qzx"


ALL_MARKS = frozenset(mark(team, kind) for team in ("alpha", "bravo") for kind in CLASSES) | frozenset(
    str(wage) for wage in WAGES.values()
)


def filled(model: type[models.Model], word: str, **given: Any) -> models.Model:
    """A row of `model` with `word` in every free text field that is not given."""
    for each in model._meta.concrete_fields:
        if each.name in given or each.attname in given or each.primary_key or each.is_relation or each.choices:
            continue
        if isinstance(each, models.CharField | models.TextField) and each.name not in {"zone", "currency"}:
            given[each.name] = f"{word}{each.name}".replace("_", "")[: each.max_length or 200]
        elif isinstance(each, models.JSONField):
            given[each.name] = {word: word}
    row = model(**given)
    row.save(force_insert=True)
    return row


@dataclass
class Side:
    """One team with everything that belongs to it, and the rows by model for the crawl."""

    name: str
    team: Team
    lead: User
    agents: list[Agent] = field(default_factory=list)
    rows: dict[type[models.Model], list[models.Model]] = field(default_factory=dict)

    def keep(self, *rows: models.Model) -> None:
        for row in rows:
            self.rows.setdefault(type(row), []).append(row)


@dataclass(frozen=True)
class World:
    hub: Team
    alpha: Side
    bravo: Side
    actors: dict[str, User | None]

    def rows(self, model: type[models.Model]) -> Iterator[models.Model]:
        for side in (self.alpha, self.bravo):
            yield from side.rows.get(model, ())


def build() -> World:
    """Hub with alpha and bravo below it, and the nine actors. Day of the facts: yesterday."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions((now() - interval '40 days')::date, now()::date)")
    hub = make.team("Hub")
    alpha, bravo = (_side(name, hub, number) for number, name in enumerate(("alpha", "bravo"), start=1))
    people: dict[str, User | None] = {"anonymous": None}
    people["agent"] = alpha.agents[0].user
    people["sibling lead"], people["lead"] = bravo.lead, alpha.lead
    grants = {
        "lead above": (Grant.LEAD,),
        "HR": (Grant.ONBOARD, Grant.SETTLE),
        "trainer": (Grant.ONBOARD,),
        "payroll": (Grant.SETTLE,),
    }
    for role, held in grants.items():
        login = f"hub-{role.replace(' ', '-').lower()}"
        people[role] = user = make.user(login, email=f"{login}@hub.test", is_staff=True)
        make.grant(user, hub, *held)
    people["operator"] = make.user("operator", is_staff=True, is_superuser=True)
    _night(hub, alpha, bravo)
    alpha.keep(ReplyRules.objects.get_or_create()[0])  # one row for the whole organisation
    return World(hub=hub, alpha=alpha, bravo=bravo, actors=people)


def build_whole() -> World:
    """The world, and beside it what no page of it shows: one row for every model that says who sees it."""
    made = build()
    for side in (made.alpha, made.bravo):
        owner, agent = side.lead, side.agents[0]
        key = ContactKey.objects.filter(source__team=side.team).first()
        agent.skills.set(side.rows[Skill])
        side.keep(
            ColumnSet.objects.create(user=owner, listed="teams.agent", name="mine"),
            SavedFilter.objects.create(user=owner, listed="teams.agent", name="mine"),
            QuietHours.objects.create(owner=owner, begins="22:00", ends="06:00"),
            NoticeDelivery.objects.create(notice=side.rows[Notice][0], way="mail"),
            Invitation.objects.create(user=agent.user, until=soon()),
            ContactSecret.objects.create(contact_id=key.pk, source=key.source, sealed="x"),
        )
    Tombstone.objects.create(kind="agent", digest="x", pseudonym="x", erased_at=timezone.now())
    PrivacyRules.objects.get_or_create()
    return made


def _night(hub: Team, *sides: Side) -> None:
    """Four quiet weeks before the day of the facts, so that it is out of the ordinary; then the reports, made as at night."""
    past = [day() - timedelta(days=back) for back in range(1, 29)]
    for side in sides:
        own = {"team": side.team, "contacts": 20, "closed": 20}
        AgentDay.objects.bulk_create(
            AgentDay(agent=agent, zone="UTC", day=each, **own) for agent in side.agents[:2] for each in past
        )
        TeamDay.objects.bulk_create(TeamDay(day=each, agents=2, **own) for each in past)
    for team in (hub, *(side.team for side in sides)):
        night.make_report(JobRun(job=night.REPORT, subject=str(team.pk), period=day().isoformat()))
    for side in sides:
        side.keep(NightlyReport.objects.get(team=side.team))
        assert "agent" in {each["who"] for each in NightlyReport.objects.get(team=side.team).payload["unusual"]}


def _side(name: str, hub: Team, number: int) -> Side:
    roster, second, system = mark(name, "roster"), mark(name, "second"), mark(name, "system")
    detail = mark(name, "detail")
    team = filled(Team, roster, parent=hub, zone="UTC")
    lead = make.user(f"{roster}lead", full_name=f"{roster}lead", email=f"{detail}@lead.test", is_staff=True)
    make.grant(lead, team, Grant.LEAD)
    TeamUserGrant.objects.filter(user=lead).update(reason=f"{detail}grant")
    side = Side(name, team, lead)
    side.keep(team, lead, *TeamUserGrant.objects.filter(user=lead))
    side.keep(filled(TeamPlacement, detail, team=team, parent=hub, span=DateRange(make.LONG_AGO, None)))
    for word, more in ((roster, detail), (second, second)):
        user = make.user(f"{more}agent", full_name=f"{word}name", email=f"{more}@agent.test")
        agent = make.agent(team, f"{word}agentname", number=f"{word}number", user=user)
        Membership.objects.filter(agent=agent).update(reason=f"{more}membership")
        side.agents.append(agent)
        side.keep(user, agent, *agent.zones.all(), *agent.memberships.all())
        side.keep(
            Compensation.objects.create(
                agent=agent, amount=WAGES[name], currency="EUR", span=DateRange(make.LONG_AGO, None)
            ),
            filled(AccessRecord, more, agent=agent, viewer=lead, seen_on=day(), times=1, last_at=timezone.now()),
            filled(
                ViewAs,
                more,
                viewer=lead,
                person=user,
                started_at=timezone.now(),
                until=timezone.now() + timedelta(hours=1),
            ),
            filled(Notice, more, recipient=user, due_at=timezone.now() + timedelta(days=300)),
            filled(NoticeChannel, more, owner=user, kind="slack", unwanted=[]),
        )
        side.keep(filled(Erasure, more, agent=agent, customer_key="", asked_by=lead, counts={}), _copy_for(agent, more))
    for agent, word in zip(side.agents, (detail, second), strict=True):
        began = timezone.now() - timedelta(hours=number)
        side.keep(filled(StatusSpan, word, agent=agent, team=team, base="ready", span=DateTimeTZRange(began, None)))
    side.keep(
        TeamCover.objects.create(team=team, needed=number),
        filled(StatusReason, f"Reason {number}", code=f"reason{number}", base="break"),
    )
    lent = make.agent(team, f"{roster}lentname", number=f"{roster}lent")
    other = make.team(f"{mark(name, 'roster')}annex", hub)
    side.agents.append(lent)
    side.keep(lent, *lent.memberships.all(), *lent.zones.all(), other)
    side.keep(
        filled(Loan, detail, agent=lent, team=other, span=DateRange(date(2020, 1, 1), date(2020, 2, 1))),
        filled(Backup, system, made_at=timezone.now(), size_bytes=1, rows=1),
        filled(JobRun, system, due_at=timezone.now() - timedelta(days=2), state="done", revision=number),
    )
    side.keep(
        UndoOffer.objects.create(
            owner=lead, verb="teams.move", about="teams.Agent", about_pk=side.agents[0].pk, until=soon(),
            steps=[
                ["teams.Membership", row.pk, version.history_id, version.history_id]
                for row in side.agents[0].memberships.all()
                for version in row.history.all()
            ],
        )
    )  # fmt: skip
    stopped = JobRun.objects.create(job="probe", due_at=timezone.now(), state="cancelled", subject=str(number))
    side.keep(
        filled(
            JobProgress, mark(name, "source"), run=stopped, team=team, asked_by=lead, cancelled_by=lead,
            cancelled_at=timezone.now(),
        )
    )  # fmt: skip
    ghost = make.user(f"{system}ghost", full_name=f"{system}ghost")  # somebody whose log-in is nobody's but their own
    side.keep(
        filled(EntryTry, system, kind="name", user=ghost),
        Session.objects.create(
            session_key=f"{system}key", session_data="", expire_date=timezone.now() + timedelta(days=1), user=ghost,
            device=f"{system}device", began_at=timezone.now(), seen_at=timezone.now(),
        ),
    )  # fmt: skip
    _facts(side, number)
    _approvals(side)
    pay = (side.rows[ApprovalRequest][0], roster, WAGES[name], day())
    side.keep(*world_pay.build(team, side.agents[0], lead, *pay))  # type: ignore[arg-type]
    _replies(side, ghost)
    group = Group.objects.create(name=f"{roster}group")
    lead_permission = Permission.objects.get(codename="lead_team")
    side.keep(
        group,
        TeamGroupGrant.objects.create(group=group, permission=lead_permission, content_object=team, reason=detail),
        Skill.objects.create(code=f"skill{number}", name=f"Skill {number}"),
    )
    every = IntervalSchedule.objects.create(every=number, period="minutes")
    task = PeriodicTask.objects.create(name=f"{system}task", task="teams.turn_day", interval=every, description=system)
    side.keep(every, CrontabSchedule.objects.create(minute=str(number)), task)
    return side


def _approvals(side: Side) -> None:
    """A request of each of the two agents, rules, and an absence of the lead. The kind belongs to no release."""
    detail, second, roster = (mark(side.name, kind) for kind in ("detail", "second", "roster"))
    deputy = make.user(f"{roster}deputy", full_name=f"{roster}deputy", is_staff=True)
    for agent, word in zip(side.agents[:2], (detail, second), strict=True):
        request = filled(
            ApprovalRequest, word, kind="probe", team=side.team, requester=agent.user, editor=agent.user,
            subject_person=agent.user, stood={}, plan={}, kept={}, state="in_review", content_hash="0" * 64,
            glass_reason="", submitted_at=timezone.now(),
        )  # fmt: skip
        step = filled(ApprovalStep, word, request=request, revision=1, number=10, state="active", plan=LEADS_DECIDE)
        seat = ApprovalSeat.objects.create(step=step, request=request, team=side.team, user=side.lead)
        event = filled(ApprovalEvent, word, request=request, actor=agent.user, kind="submitted", content_hash="0" * 64)
        side.keep(request, step, seat, event)
    side.keep(
        filled(ApprovalPolicy, detail, kind="probe", team=side.team, made_by=side.lead, definition=BY_LEADS),
        filled(
            ApprovalAbsence, detail, owner=side.lead, deputy=deputy, kinds=["other"],
            span=DateTimeTZRange(timezone.now() - timedelta(days=1), timezone.now() + timedelta(days=1)),
        ),
    )  # fmt: skip


BY_LEADS = {"otherwise": {"outcome": "steps", "steps": [{"source": {"is": "grant", "grant": "LEAD"}}]}}
LEADS_DECIDE = {
    "mode": "any", "needed": 1, "may_repeat": False,
    "source": {"kind": "grant", "grant": "LEAD", "level": 0, "user": 0, "group": 0},
    "fallback": {"kind": "lead_above", "grant": "", "level": 1, "user": 0, "group": 0},
}  # fmt: skip


def _replies(side: Side, ghost: User) -> None:
    """A reply of the team with category, file and version, what its people used, and one of the ghost's own."""
    detail, system = mark(side.name, "detail"), mark(side.name, "system")
    category = ReplyCategory.objects.create(name=f"{detail}category", team=side.team)
    file = replies.bring_file(ContentFile(f"{detail}file".encode(), f"{detail}.txt"), by=side.lead, team=side.team.pk)
    for word, whose in (
        (detail, {"scope": "team", "team": side.team}),
        (system, {"scope": "personal", "owner": ghost}),
    ):
        reply = CannedReply(version=0, **whose)
        texts = {"title": f"{word}title", "short_code": f"{word}code", "body": f"{word}body", "tags": [f"{word}tag"]}
        replies.put(reply, {**texts, "category": category.pk if word == detail else None})
        replies.write(reply, by=side.lead, files=[file.pk] if word == detail else [])
        side.keep(reply, *reply.versions.all())
        if word == detail:
            for agent, figure in zip(side.agents, ("figure", "colleague"), strict=False):
                reply_uses.use(reply.pk, mark(side.name, figure), by=agent.user)
            side.keep(*reply.uses.all(), *reply.heats.all())
    side.keep(category, file)


def _copy_for(agent: Agent, word: str) -> DataCopy:
    copy = DataCopy(agent=agent, user=agent.user, asked_by=agent.user, state="ready", reason=f"{word}copy")
    copy.until = timezone.now() + timedelta(days=3)
    copy.file.save(f"{word}.zip", ContentFile(f"{word}zip".encode()), save=False)
    copy.save()
    return copy


def day() -> date:
    """The day of the facts: yesterday."""
    return (timezone.now() - timedelta(days=1)).date()


def soon() -> datetime:
    """When the mails of the night are due."""
    return timezone.now() + timedelta(hours=1)


def _facts(side: Side, number: int) -> None:
    figure, origin, colleague = (mark(side.name, kind) for kind in ("figure", "source", "colleague"))
    noon = datetime.combine(day(), datetime.min.time(), UTC) + timedelta(hours=12)
    source = filled(Source, origin, name=f"{figure}sourcename", team=side.team, zone="UTC", mapping={}, token_digest="")
    queue = filled(Queue, figure, team=side.team, zone="UTC")
    run = filled(
        ImportRun,
        origin,
        source=source,
        layout="contacts",
        file="",
        counts={},
        mapping={},
        created_at=noon,
        state="done",
    )
    file = ContentFile(f"{origin}column,when\n{origin}cell,noon\n".encode(), f"{origin}.csv")
    sent = intake.receive(source.pk, file, layout="contacts", by=side.lead)
    sent.counts = {"header": [f"{origin}column", "when"]}
    sent.save(update_fields=["counts"])
    side.keep(source, queue, run, sent)
    side.keep(
        filled(AgentAlias, origin, source=source, agent=None),
        filled(QueueAlias, origin, source=source, queue=None),
        filled(ImportRefusal, origin, run=run, row_number=3, raw=[origin]),
        filled(ImportRefusal, origin, run=sent, row_number=2, raw=[origin, "noon"]),
        filled(IntervalFact, origin, source=source, queue=queue, started_at=noon, offered=5, run=run),
        Target.objects.create(
            team=side.team, metric="volume", value=Decimal(7000 + number), span=DateRange(make.LONG_AGO, None)
        ),
        TeamDay.objects.create(team=side.team, day=day(), agents=2, closed=7000 + number, contacts=7000 + number),
        QueueHalfHour.objects.create(queue=queue, started_at=noon, day=day(), offered=70 + number),
    )
    dayed = {"team": side.team, "zone": "UTC", "day": day()}
    for agent, word in zip(side.agents, (figure, colleague), strict=False):
        key = filled(ContactKey, word, source=source, opened_at=noon, version_at=noon, payload_hash=word[:32])
        contact = filled(
            Contact, word, id=key.pk, source=source, external_id=key.external_id, queue=queue, agent=agent, opened_at=noon,
            ended_at=noon + timedelta(minutes=5), handle_seconds=300, handle_method="measured", channel="phone",
            complexity="simple", is_answered=True, source_updated_at=noon, run=run, **dayed,
        )  # fmt: skip
        side.keep(
            contact,
            filled(PhoneReveal, word, contact_id=key.pk, team=side.team, agent=agent, viewer=side.lead, address="192.0.2.7"),
            filled(
                Leg, word, source=source, contact_external=contact.external_id, agent=agent, started_at=noon, run=run, **dayed
            ),
            filled(StateInterval, word, source=source, base="ready", agent=agent, started_at=noon, run=run, **dayed),
            AgentDay.objects.create(agent=agent, closed=200, contacts=200, timed=1, handle_seconds=300, **dayed),
        )  # fmt: skip
    DayTouch.objects.get_or_create(zone="UTC", day=day())
    for asked_by, word in ((side.agents[0].user, figure), (side.lead, colleague)):
        entry = filled(
            BlockEntry, word, team=side.team, subject_kind="contact", reason_code="spam", effect="block", state="active",
            requested_by=asked_by, approved_by=side.lead, span=DateTimeTZRange(noon, soon()), digest=word[-20:] + str(number),
        )  # fmt: skip
        side.keep(entry, filled(BlockHit, colleague, entry=entry, by=asked_by, channel="chat"))


@cache
def _any_mark() -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(ALL_MARKS))))


def marks_in(text: str) -> set[str]:
    return set(_any_mark().findall(text))


def forbidden(role: str) -> frozenset[str]:
    """The marks that must never reach `role`, whatever the door."""
    bravo = {mark("bravo", kind) for kind in CLASSES} | {str(WAGES["bravo"])}
    alpha = {mark("alpha", kind) for kind in CLASSES} | {str(WAGES["alpha"])}
    system = _both("system")
    wages = {str(wage) for wage in WAGES.values()}
    figures = _both("figure", "colleague", "source")
    rules: dict[str, Iterable[str]] = {
        "anonymous": ALL_MARKS,
        "agent": bravo | system | {mark("alpha", kind) for kind in ("second", "colleague", "source")},
        "sibling lead": alpha | system | wages,
        "lead": bravo | system | wages,
        "lead above": system | wages,
        "HR": system | figures,
        "trainer": system | figures | wages,
        "payroll": system | figures | _both("detail"),
        "operator": (),
    }
    return frozenset(rules[role])


def expected_sights(role: str) -> set[str]:
    """Marks that must turn up, so that an empty crawl cannot pass."""
    wages = {str(wage) for wage in WAGES.values()}
    own = {"roster", "second", "detail", "figure", "colleague", "source"}
    sights: dict[str, set[str]] = {
        "anonymous": set(),
        "agent": {mark("alpha", kind) for kind in ("roster", "figure")} | {str(WAGES["alpha"])},
        "sibling lead": {mark("bravo", kind) for kind in own},
        "lead": {mark("alpha", kind) for kind in own},
        "lead above": _both(*own),
        "HR": _both("roster", "second", "detail") | wages,
        "trainer": _both("roster", "second", "detail"),
        "payroll": _both("roster") | wages,
        "operator": set(ALL_MARKS),
    }
    return sights[role]


def _both(*kinds: str) -> set[str]:
    return {mark(team, kind) for team in ("alpha", "bravo") for kind in kinds}
