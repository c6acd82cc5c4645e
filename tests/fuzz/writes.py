"""The writing operations of the API: for each a fitting body, who may send it, and the keys that belong to it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from approvals.models import BlockEntry, CannedReply
from incentives.models import Attainment, Batch, Entry, Plan, Run
from incentives.plain.periods import month_of
from teams.models import Skill
from tests import make
from tests.access.world import ROLES
from tests.approvals import kinds, replies
from tests.fuzz.doors import SOURCE, Ground

PASSWORD = "correct horse battery"
KEEPERS = ("lead", "lead above", "HR", "trainer", "operator")
LEADS = ("lead", "lead above", "operator")
DECIDERS = ("lead", "lead above")
EVERYBODY = tuple(role for role in ROLES if role != "anonymous")
Body = dict[str, Any]


@dataclass(frozen=True)
class Write:
    """A writing operation: where, its fitting body, who may, and the keys that belong to the body."""

    label: str
    address: str
    body: Callable[[str], Body]
    callers: tuple[str, ...]
    method: str = "post"
    own: frozenset[str] = frozenset()
    success: int = 201


def writes(ground: Ground) -> Iterator[Write]:
    yield from _teams(ground)
    yield from _statuses()
    yield from _requests(ground)
    yield from _absences(ground)
    yield from _replies(ground)
    yield from _blacklist(ground)
    yield from _pay(ground)


def _teams(ground: Ground) -> Iterator[Write]:
    agent, day = ground.world.alpha.agents[1].pk, timezone.now().date() + timedelta(days=9)
    below = make.team("Below alpha", ground.world.alpha.team)
    own = frozenset({"team", "on", "reason", "start", "last_day"})
    yield Write(
        "POST /api/v1/agents/{id}/move/", f"/api/v1/agents/{agent}/move/",
        lambda caller: {"team": below.pk, "on": str(day), "reason": "asked for it"}, KEEPERS, own=own,
    )  # fmt: skip
    yield Write(
        "POST /api/v1/agents/{id}/lend/", f"/api/v1/agents/{agent}/lend/",
        lambda caller: {"team": below.pk, "start": str(day), "last_day": str(day), "reason": "help"}, KEEPERS, own=own,
    )  # fmt: skip
    names = {role: user.username for role, user in ground.world.actors.items() if user is not None}
    yield Write(
        "POST /api/v1/token/", "/api/v1/token/",
        lambda caller: {"username": names.get(caller, "nobody"), "password": PASSWORD, "days": 3},
        tuple(names), own=frozenset({"username", "password", "days"}),
    )  # fmt: skip
    yield Write(
        "DELETE /api/v1/token/", "/api/v1/token/", lambda caller: {}, tuple(names), method="delete", success=204
    )  # fmt: skip
    row = {
        "external_id": "f1",
        "opened_at": "2026-01-02T03:04:05Z",
        "handle_seconds": 60,
        "updated_at": "2026-01-02T04:00:00Z",
    }
    yield Write(
        "POST /api/v1/sources/{code}/{layout}/", f"/api/v1/sources/{ground.code}/contacts/",
        lambda caller: {"rows": [dict(row)]}, (SOURCE,), own=frozenset({"rows", "ended_at", "agent"}), success=200,
    )  # fmt: skip


def _statuses() -> Iterator[Write]:
    asked = frozenset({"base", "reason", "minutes", "since", "until", "words"})
    ended = timezone.now() - timedelta(minutes=20)
    past = {"since": (ended - timedelta(minutes=10)).isoformat(), "until": ended.isoformat()}
    for address, body, success in (
        ("", {"base": "wrap_up"}, 200),
        ("ask/", {"reason": "rest"}, 201),
        ("leave-queue/", {}, 200),
        ("correct/", {**past, "base": "wrap_up", "words": "was at it still"}, 201),
    ):
        yield Write(
            f"POST /api/v1/status/{address}", f"/api/v1/status/{address}", lambda caller, body=body: dict(body),
            ("agent",), own=asked, success=success,
        )  # fmt: skip


def _requests(ground: Ground) -> Iterator[Write]:
    """A request that waits for the leads of its team; the others in the state that the verb asks for."""
    asked, side = ground.asked, ground.world.alpha
    own = frozenset({"version", "words"})

    def verb(slug: str, about: Any, callers: tuple[str, ...], body: Body, **more: Any) -> Write:
        body = {"version": about.version, **body} if body.pop("is_versioned", True) else body
        return Write(
            f"POST /api/v1/approval-requests/{{id}}/{slug}/", f"/api/v1/approval-requests/{about.pk}/{slug}/",
            lambda caller: dict(body), callers, success=200, **{"own": own, **more},
        )  # fmt: skip

    words, bare = {"words": "seen"}, {"is_versioned": False}
    yield verb("approve", asked.waits, DECIDERS, dict(words), own=own | {"condition", "ends_at"})
    yield verb("reject", asked.waits, DECIDERS, dict(words))
    yield verb("send-back", asked.waits, DECIDERS, dict(words))
    yield verb("escalate", asked.waits, DECIDERS, dict(words))
    edited = {**asked.waits.content, "name": "Hochdeutsch"}
    yield verb("edit", asked.waits, LEADS, {"content": edited, **words}, own=own | {"content", "agent"})
    yield verb("comment", asked.waits, LEADS, {**words, **bare})
    yield verb("withdraw", asked.own, ("agent",), dict(words))
    yield verb("submit", asked.draft, ("agent", *LEADS), {})
    yield verb("undo", asked.done, LEADS, {**words, **bare})
    yield verb("retry", asked.failed, LEADS, dict(bare))
    yield verb("break-glass", asked.waits, ("operator",), dict(words))
    yield verb("review-glass", asked.glass, LEADS, {**words, **bare})
    yield Write(
        "POST /api/v1/approval-requests/decide-many/", "/api/v1/approval-requests/decide-many/",
        lambda caller: {"ids": [asked.waits.pk, ground.ids[type(asked.waits)][-1]], "verdict": "reject", "words": "seen"},
        EVERYBODY, own=frozenset({"ids", "verdict", "words"}), success=200,
    )  # fmt: skip
    fresh = Skill.objects.create(code="fresh", name="Fresh")
    yield Write(
        "POST /api/v1/approval-requests/", "/api/v1/approval-requests/",
        lambda caller: {"kind": "rename", "content": kinds.wish(fresh, side.team), "words": "asked"},
        tuple(role for role in EVERYBODY if role != "sibling lead"),
        own=frozenset({"kind", "content", "words", "is_draft", "agent"}),
    )  # fmt: skip


def _absences(ground: Ground) -> Iterator[Write]:
    begins = timezone.now() + timedelta(days=10)
    span = {"since": begins.isoformat(), "until": (begins + timedelta(days=2)).isoformat()}
    yield Write(
        "POST /api/v1/approval-absences/", "/api/v1/approval-absences/",
        lambda caller: {"deputy": ground.asked.second.pk, **span, "reason": "away"}, LEADS,
        own=frozenset({"deputy", "since", "until", "kinds", "reason"}),
    )  # fmt: skip
    (absence,) = (
        row for rows in ground.world.alpha.rows.values() for row in rows if type(row).__name__ == "ApprovalAbsence"
    )
    yield Write(
        "POST /api/v1/approval-absences/{id}/end/", f"/api/v1/approval-absences/{absence.pk}/end/",
        lambda caller: {"reason": "back"}, ("lead",), own=frozenset({"reason"}), success=200,
    )  # fmt: skip


def _replies(ground: Ground) -> Iterator[Write]:
    side = ground.world.alpha
    shared = next(row for row in side.rows[CannedReply] if row.scope == "team")
    personal = replies.live("Mine", "mine", owner=ground.world.actors["agent"])
    texts = {name: value for name, value in replies.texts("Thanks", "thanks").items() if value is not None}
    yield Write(
        "POST /api/v1/canned-replies/own/", "/api/v1/canned-replies/own/", lambda caller: dict(texts), EVERYBODY,
        own=frozenset({*replies.texts(), "reply", "version", "is_draft"}), success=200,
    )  # fmt: skip
    yield Write(
        "POST /api/v1/canned-replies/propose/", "/api/v1/canned-replies/propose/",
        lambda caller: {**replies.new(side.team, **texts), "words": "needed"},
        ("agent", "lead", "lead above", "HR", "trainer", "operator"),
        own=frozenset({*replies.new(side.team), "reply", "number", "attachments", "words"}),
    )  # fmt: skip
    yield Write(
        "POST /api/v1/canned-replies/{id}/use/", f"/api/v1/canned-replies/{shared.pk}/use/",
        lambda caller: {"contact": "f1"}, ("agent",), own=frozenset({"contact", "edited_share"}), success=200,
    )  # fmt: skip
    yield Write(
        "POST /api/v1/canned-replies/{id}/retire/", f"/api/v1/canned-replies/{personal.pk}/retire/", lambda caller: {},
        ("agent",), success=200,
    )  # fmt: skip


def _blacklist(ground: Ground) -> Iterator[Write]:
    team = ground.world.alpha.team
    entry = next(
        row for row in ground.world.alpha.rows[BlockEntry] if row.requested_by_id == ground.world.alpha.lead.pk
    )
    ask = {
        "team": team.pk, "subject_kind": "phone", "subject": "+44 20 7946 0018", "reason_code": "abuse",
        "evidence": "Call of 12:04", "words": "again",
    }  # fmt: skip
    yield Write(
        "POST /api/v1/blacklist/ask/", "/api/v1/blacklist/ask/", lambda caller: dict(ask), ("agent", *LEADS),
        own=frozenset({*ask, "country", "effect", "channels", "severity", "term", "until", "review_on", "hold_now"}),
    )  # fmt: skip
    subject = {"kind": "phone", "value": ask["subject"]}
    yield Write(
        "POST /api/v1/blacklist/check/", "/api/v1/blacklist/check/", lambda caller: {"subjects": [subject], "team": team.pk},
        ("agent", *LEADS), own=frozenset({"subjects", "team", "channel"}), success=200,
    )  # fmt: skip
    note = {"note": "looked at the calls"}
    for slug, more in (("extend", {"term": "1d"}), ("lift", {})):
        yield Write(
            f"POST /api/v1/blacklist/{{id}}/{slug}/", f"/api/v1/blacklist/{entry.pk}/{slug}/",
            lambda caller, more=more: {**note, **more}, LEADS, own=frozenset({"note", "term", "until", "review_on"}),
        )  # fmt: skip


def _pay(ground: Ground) -> Iterator[Write]:
    """A month for each verb of a run, in the stage that the verb asks for."""
    side = ground.world.alpha
    (plan,), line = side.rows[Plan], side.rows[Attainment][0]
    payroll = ("HR", "payroll", "operator")
    month = month_of(line.begins).first
    months = {}
    for stage in ("calculated", "in_review", "approved", "exported"):
        month = month_of(month - timedelta(days=1)).first
        months[stage] = Run.objects.create(plan=plan, month=month, stage=stage, reviewed_by=side.lead)
    Entry.objects.create(
        agent=line.agent, team=line.team, plan=plan, version=line.version, begins=months["approved"].month, amount="1.00",
        ends=months["approved"].month, month=months["approved"].month, kind="line", cause="line", currency="EUR",
    )  # fmt: skip
    exported = Batch.objects.create(
        run=months["exported"], number=1, count=0, checksum="0" * 64, state="exported", made_by=side.lead
    )
    (made,) = side.rows[Batch]
    own = frozenset({"reason"})
    for slug, row in (
        ("calculate", side.rows[Run][0]),
        ("review", months["calculated"]),
        ("approve", months["in_review"]),
        ("send-back", months["in_review"]),
    ):
        yield Write(
            f"POST /api/v1/incentive-runs/{{id}}/{slug}/", f"/api/v1/incentive-runs/{row.pk}/{slug}/",
            lambda caller, slug=slug: {} if slug == "calculate" else {"reason": "looked at"}, payroll, own=own, success=200,
        )  # fmt: skip
    yield Write(
        "POST /api/v1/incentive-runs/{id}/batch/", f"/api/v1/incentive-runs/{months['approved'].pk}/batch/",
        lambda caller: {"reason": "looked at"}, payroll, own=own | {"pay_on"},
    )  # fmt: skip
    yield Write(
        "POST /api/v1/payout-batches/{id}/release/", f"/api/v1/payout-batches/{made.pk}/release/",
        lambda caller: {"reason": "complete"}, payroll, own=own,
    )  # fmt: skip
    yield Write(
        "POST /api/v1/payout-batches/{id}/paid/", f"/api/v1/payout-batches/{exported.pk}/paid/",
        lambda caller: {"reason": "paid"}, payroll, own=own, success=200,
    )  # fmt: skip
    told = {"agent": line.agent_id, "day": str(line.begins), "what": "coaching", "amount": "30", "reason": "talked"}
    yield Write(
        "POST /api/v1/day-records/", "/api/v1/day-records/", lambda caller: dict(told),
        ("lead", "lead above", "HR", "operator"), own=frozenset(told),
    )  # fmt: skip
