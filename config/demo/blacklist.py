"""The blacklist of the demo organisation: 25 entries, their hits, one customer held, one request that waits, one appeal.

What lies back is written as it stood; what is new is asked for and decided by the verbs, with everything they leave behind. All
numbers and addresses are of the ranges kept free for examples.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from approvals.models import ApprovalRequest, BlockEntry, BlockHit
from approvals.plain.normal import normal
from approvals.services import blacklist, deciding
from approvals.services.blacklist import subjects
from teams import audit
from teams.models import Agent, Team, TeamLineage, TeamUserGrant, User
from teams.scoping import Grant

REASON = "demo organisation"


@dataclass(frozen=True)
class Past:
    """An entry that began `since` days ago and ends in `until` days (None: never, below zero: it has)."""

    team: str
    kind: str
    subject: str
    reason: str
    evidence: str
    since: int
    until: float | None
    effect: str = "block"
    channels: tuple[str, ...] = ()
    severity: int = 2
    state: str = "active"
    hits: int = 0


PAST = (
    Past("lisbon-care", "phone", "+351 210 000 101", "abuse", "Insults in calls of three days, recordings 5512-5519", 3,
         4, hits=7),
    Past("lisbon-care", "mail", "angry.customer@example.com", "threat", "Ticket 88120, threatens a visit", 5, 2,
         "divert", severity=3, hits=4),
    Past("lisbon-care", "network", "203.0.113.0/24", "spam", "1,400 forms in an hour", 10, 20, "divert", ("chat",
         "ticket"), 1, hits=12),
    Past("lisbon-care", "phone", "+351 910 000 202", "spam", "Silent calls every ten minutes", 9, -2, state="lapsed", hits=3),
    Past("lisbon-care", "visitor", "v-7f3a91c2d0e4", "abuse", "Chat of Tuesday, insults", 2, 5, "mute", ("chat",)),
    Past("lisbon-care", "account", "@deal_hunter_990", "fraud", "Sells vouchers in our name", 30, None, severity=3, hits=5),
    Past("lisbon-care", "mail", "noreply@mailer.example.net", "spam", "Bounces in a loop", 40, None, "mute", ("mail",),
         1, hits=9),
    Past("lisbon-care", "phone", "+44 20 7946 0101", "test", "Number of the load test", 15, -8, "mute", (), 1, "lifted"),
    Past("shanghai-orders", "phone", "+86 138 0000 1101", "abuse", "通话录音 20931，多次辱骂客服", 4, 3, hits=6),
    Past("shanghai-orders", "account", "wx_quick_refund_88", "fraud", "反复申请退款，工单 70112", 12, 60, severity=3, hits=8),
    Past("shanghai-orders", "device", "dev-a1b2c3d4e5f6", "fraud", "注册 40 个账号", 6, 24, "divert", ("chat",), 3, hits=3),
    Past("shanghai-orders", "phone", "+86 139 0000 2202", "spam", "推销电话，每天十余次", 8, -1, state="lapsed", hits=11),
    Past("shanghai-orders", "ip", "198.51.100.23", "spam", "机器人灌水", 1, 6, "mute", ("chat",), 1, hits=5),
    Past("shanghai-orders", "contact", "C-4471902", "other", "家属要求暂停联系，函件 2026-118", 20, 70, "divert"),
    Past("kathmandu-tech", "network", "2001:db8:77::/48", "spam", "Scanner of a hosting firm", 14, 16, "block", ("chat",
         "ticket"), 2, hits=4),
    Past("kathmandu-tech", "mail", "tester@example.org", "test", "Address of the acceptance test", 25, -18, "mute", (),
         1, "lifted"),
    Past("kathmandu-tech", "phone", "+977 1 5000101", "abuse", "Shouts at each agent in turn", 1, 1, hits=2),
    Past("saopaulo-sales", "phone", "+55 11 4000-0101", "fraud", "Orders on forged documents, case 311", 33, None,
         severity=3, hits=3),
    Past("saopaulo-sales", "mail", "ofertas@example.com", "spam", "Newsletter that cannot be ended", 11, 19, "mute",
         ("mail",), 1, hits=6),
    Past("harbour", "network", "192.0.2.0/24", "fraud", "Addresses of a known fraud ring", 60, 120, "block", (), 3, hits=10),
    Past("harbour", "account", "@harbour_support_real", "fraud", "Pretends to be us", 21, None, "block", (), 3, hits=2),
)  # fmt: skip


def build(now: datetime) -> None:
    """Everything of the blacklist, up to `now`."""
    teams = {row.code: row for row in Team.objects.all()}
    _past(now, teams)
    _present(teams["lisbon-care"], teams["shanghai-orders"])


def _past(now: datetime, teams: dict[str, Team]) -> None:
    rows = []
    for place, each in enumerate(PAST):
        team = teams[each.team]
        known = normal(each.kind, each.subject)
        parts = {
            name: value for name, value in subjects.parts_of(known, each.subject).items() if name in subjects.PARTS
        }
        began = now - timedelta(days=each.since, minutes=37 * place)
        ends = None if each.until is None else now + timedelta(days=each.until, minutes=11 * place)
        rows.append(
            BlockEntry(
                **{**parts, "network": known.network or None}, team=team, reason_code=each.reason, evidence=each.evidence,
                effect=each.effect, channels=list(each.channels), severity=each.severity, state=each.state, made_at=began,
                span=DateTimeTZRange(began, ends), requested_by=_agents(team)[0], approved_by=_lead(team),
                review_on=(now + timedelta(days=12 * place - 30)).date() if ends is None else None,
            )
        )  # fmt: skip
    made = audit.create_many(BlockEntry, rows, by=None, reason=REASON)
    hits = []
    for each, row in zip(PAST, made, strict=True):
        agents = _agents(row.team)
        until = min(now, row.span.upper or now)
        step = (until - row.span.lower) / (each.hits + 1)
        hits += [
            BlockHit(
                entry=row, at=row.span.lower + step * (number + 1), mask=row.mask, by=agents[number % len(agents)],
                channel=each.channels[0] if each.channels else ("phone" if each.kind == "phone" else "chat"),
            )
            for number in range(each.hits)
        ]  # fmt: skip
    BlockHit.objects.bulk_create(hits)


def _present(west: Team, east: Team) -> None:
    """Asked for today: two approved, one held by a lead, one that waits, and an appeal against one of the approved."""

    def ask(team: Team, by: User, kind: str, subject: str, reason: str, evidence: str, **more: Any) -> ApprovalRequest:
        return blacklist.ask(
            team=team.pk, subject_kind=kind, subject=subject, reason_code=reason, evidence=evidence, by=by, **more
        )

    agents, others = _agents(west), _agents(east)
    lead, other = _lead(west), _lead(east)
    for request, decider in (
        (
            ask(west, agents[1], "phone", "+351 210 000 303", "abuse", "Called 14 times this morning, recording 5601"),
            lead,
        ),
        (ask(east, others[1], "phone", "+86 137 0000 3303", "threat", "威胁上门，录音 20988", severity=3), other),
    ):
        deciding.approve(request.pk, by=decider, words="heard the recording")
    ask(west, lead, "mail", "chain.letter@example.net", "spam", "Sent 300 letters in ten minutes", hold_now=True)
    ask(east, others[2], "account", "wx_fake_invoice", "fraud", "伪造发票，工单 70455", term="permanent", severity=3)
    met = BlockEntry.objects.get(team=west, mask=normal("phone", "+351 210 000 303").mask, request__isnull=False)
    blacklist.lift(met.pk, by=agents[1], note="Says his son had the telephone; his wife confirmed it in ticket 88301")


def _agents(team: Team) -> list[User]:
    """Accounts of agents of a team or, where it has none, of the teams below, who are there today."""
    own = Agent.objects.filter(team=team, status=Agent.Status.ACTIVE, user__is_active=True)
    found = own if own.exists() else Agent.objects.filter(status=Agent.Status.ACTIVE, user__is_active=True)
    plain = found.filter(user__is_staff=False).select_related("user").order_by("number")
    return [agent.user for agent in plain[:6] if agent.user is not None]


def _lead(team: Team) -> User:
    """Who leads the team, or the next one above that somebody leads."""
    leads = TeamUserGrant.objects.filter(permission__codename=Grant.LEAD.value, until=None).select_related("user")
    for above in TeamLineage.objects.filter(descendant=team).order_by("depth").values_list("ancestor", flat=True):
        found = leads.filter(content_object=above).order_by("pk").first()
        if found is not None:
            return found.user
    return User.objects.filter(is_superuser=True).order_by("pk")[0]
