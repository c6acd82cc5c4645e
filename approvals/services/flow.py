"""How a request moves, once it is locked: into review, from step to step, to its end. Called by the verbs; no door of its own.

Everything here runs in the system's scope and in the transaction of the verb that took the request.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from approvals.kinds import Moved, kind_of
from approvals.models import ApprovalEvent, ApprovalPolicy, ApprovalRequest, ApprovalSeat, ApprovalStep
from approvals.plain.policy import Definition, Plan, StepPlan, plan, read
from approvals.services import approvers
from approvals.services.trace import note, tell
from teams import jobs
from teams.errors import Refused
from teams.models import TeamLineage, User

State, Event, Step = ApprovalRequest.State, ApprovalEvent.Kind, ApprovalStep.State
APPLY = "approvals.apply"
ASK_AGAIN = timedelta(minutes=5)  # how soon a request that nobody could be asked about looks for somebody again
FINAL = (State.APPLIED, State.REJECTED, State.WITHDRAWN, State.EXPIRED, State.UNDONE)
BEFORE_DECISION = (State.DRAFT, State.SUBMITTED, State.IN_REVIEW, State.CHANGES_REQUESTED)


def hash_of(kind: str, subject: str, content: Mapping[str, Any]) -> str:
    """The content's fingerprint: the same for the same content, however its keys are ordered."""
    text = json.dumps([kind, subject, content], sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def save(request: ApprovalRequest, *fields: str) -> None:
    """Save `fields` and count the version of the row up, so that whoever read it before is refused."""
    request.version += 1
    request.next_due_at = min(
        filter(None, (request.remind_at, request.escalate_at, request.expire_at)), default=None
    )  # SUBMITTED sets it by itself
    if request.state == State.SUBMITTED:
        request.next_due_at = timezone.now() + ASK_AGAIN
    request.save(update_fields=[*fields, "version", "next_due_at"])


CLOCKS = ("remind_at", "escalate_at", "expire_at")


def stop_clocks(request: ApprovalRequest) -> None:
    request.remind_at = request.escalate_at = request.expire_at = None


def set_clocks(request: ApprovalRequest, now: datetime) -> None:
    """Let the clocks of the plan run from `now`, in the business time of its timetable."""
    planned = Plan.from_json(request.plan)
    hours, clock = planned.hours, planned.clock
    request.remind_at = hours.after(now, clock.remind) if clock.remind else None
    request.escalate_at = hours.after(now, clock.escalate) if clock.escalate else None
    request.expire_at = hours.after(now, clock.expire) if clock.expire else None


# -- policy --------------------------------------------------------------------------------------------------------------


def policy_for(kind: str, team: int) -> ApprovalPolicy | None:
    """The policy in force that is nearest above `team`; None: the kind's own."""
    above = dict(TeamLineage.objects.filter(descendant=team).values_list("ancestor", "depth"))
    found = list(ApprovalPolicy.objects.current().filter(kind=kind, team__in=above))
    return min(found, key=lambda each: above[each.team_id], default=None)


def definition_of(request: ApprovalRequest) -> Definition:
    policy = request.policy
    return read(policy.definition if policy is not None else kind_of(request.kind).standard())


# -- into review -----------------------------------------------------------------------------------------------------------


def begin(request: ApprovalRequest, now: datetime, *, by: User | None) -> None:
    """Judge the current revision by the policy, and ask, approve or refuse."""
    kind = kind_of(request.kind)
    wish = kind.wish(request.content)
    request.stood = kind.stands(wish)
    made = plan(definition_of(request), kind.measured(wish, request.stood, now))
    request.plan = made.as_json()
    request.submitted_at, request.decided_at = now, None
    request.condition, request.ends_at, request.error, request.escalations = "", None, "", 0
    set_clocks(request, now)
    fields = ("stood", "plan", "submitted_at", "decided_at", "condition", "ends_at", "error", "escalations", "state")
    if made.outcome == "approve":
        stop_clocks(request)
        request.state, request.decided_at = State.APPROVED, now
        save(request, *fields, *CLOCKS)
        note(request, Event.AUTO_APPROVED, by=None, words=made.reason or made.rule, rule=made.rule)
        carry_out(request, by=None)
        return
    if made.outcome == "deny":
        stop_clocks(request)
        request.state, request.decided_at = State.REJECTED, now
        save(request, *fields, *CLOCKS)
        note(request, Event.AUTO_REJECTED, by=None, words=made.reason, rule=made.rule)
        end(request)
        return
    request.state = State.SUBMITTED
    save(request, *fields, *CLOCKS)
    ApprovalStep.objects.bulk_create(
        [
            ApprovalStep(
                request=request, revision=request.revision, number=10 * place, mode=step.mode, needed=step.needed,
                plan=asdict(step),
            )
            for place, step in enumerate(made.steps, 1)
        ]
    )  # fmt: skip
    next_step(request, now)


def steps_of(request: ApprovalRequest) -> list[ApprovalStep]:
    rows = request.steps.filter(revision=request.revision).order_by("number")
    return list(rows.prefetch_related("seats"))


def active_step(request: ApprovalRequest) -> ApprovalStep | None:
    return next((step for step in steps_of(request) if step.state == Step.ACTIVE), None)


def step_plan(step: ApprovalStep) -> StepPlan:
    """The plan of a step as it was frozen with the request."""
    kept = Plan.from_json({**EMPTY, "steps": [step.plan]})
    return kept.steps[0]


EMPTY: dict[str, Any] = {
    "rule": "", "outcome": "steps", "reason": "", "clock": {}, "timetable": {}, "measured": {}
}  # fmt: skip


def next_step(request: ApprovalRequest, now: datetime) -> None:
    """Begin the first step that waits; after the last one the request is approved. Where nobody can be asked it stays as it is
    and the operators are told: nothing is approved because nobody was there."""
    steps = steps_of(request)
    waiting = [step for step in steps if step.state == Step.WAITING]
    if not waiting:
        approve(request, now)
        return
    step = waiting[0]
    spoke = [seat for each in steps for seat in each.seats.all() if seat.verdict]
    agreed = {person for seat in spoke for person in (seat.user_id, seat.decided_by_id) if person is not None}
    planned = step_plan(step)
    last = max((each for each in steps if each.state == Step.APPROVED), key=lambda each: each.number, default=None)
    if planned.may_repeat and last is not None and step.mode == ApprovalStep.Mode.ANY:
        before = {seat.user_id for seat in last.seats.all() if seat.verdict}
        if before & approvers.asked(planned, request)[0]:
            step.state, step.note = Step.SKIPPED, gettext_noop("agreed in the step before")
            step.save(update_fields=["state", "note"])
            note(request, Event.STEP_SKIPPED, by=None, words=step.note, step=step.number)
            next_step(request, now)
            return
    people, is_fallback = approvers.asked(planned, request, () if planned.may_repeat else agreed)
    if len(people) < step.needed:
        _nobody(request, step, people, now)
        return
    open_step(request, step, people, is_fallback=is_fallback)


def open_step(request: ApprovalRequest, step: ApprovalStep, people: set[int], *, is_fallback: bool) -> None:
    step.state, step.uses_fallback = Step.ACTIVE, is_fallback
    if step.mode == ApprovalStep.Mode.ALL:
        step.needed = len(people)
    step.save(update_fields=["state", "uses_fallback", "needed"])
    seat(request, step, people)
    if request.state != State.IN_REVIEW:
        request.state = State.IN_REVIEW
        save(request, "state")
    note(request, Event.STEP_BEGUN, by=None, step=step.number, asked=sorted(people), fallback=is_fallback)


def seat(request: ApprovalRequest, step: ApprovalStep, people: set[int]) -> None:
    """Ask `people`, and tell them, or their deputies while they are away."""
    ApprovalSeat.objects.bulk_create(
        [
            ApprovalSeat(step=step, request=request, team_id=request.team_id, user_id=person)
            for person in sorted(people)
        ],
        ignore_conflicts=True,
    )
    deputies = approvers.deputies_of(people, request.kind)
    tell("approval_waits", request, people | set(deputies.values()) - approvers.barred(request), f"{step.pk}")


def _nobody(request: ApprovalRequest, step: ApprovalStep, people: set[int], now: datetime) -> None:
    if request.state != State.SUBMITTED:
        request.state = State.SUBMITTED
    save(request, "state")
    if not request.events.filter(kind=Event.ALARM, revision=request.revision, step=step.number).exists():
        note(request, Event.ALARM, by=None, step=step.number, needed=step.needed, found=len(people))
        tell("approval_alarm", request, approvers.operators(), f"{request.revision}/{step.number}")


def close_steps(request: ApprovalRequest, state: str) -> None:
    """Close what is open of the current revision: the step under way gets `state`, later ones are cancelled."""
    for step in request.steps.filter(revision=request.revision, state__in=[Step.WAITING, Step.ACTIVE]):
        step.state = state if step.state == Step.ACTIVE else Step.CANCELLED
        step.save(update_fields=["state"])
    request.seats.filter(is_open=True).update(is_open=False)


# -- to the end ------------------------------------------------------------------------------------------------------------


def approve(request: ApprovalRequest, now: datetime, *, by: User | None = None) -> None:
    """All steps have agreed."""
    stop_clocks(request)
    request.state, request.decided_at = State.APPROVED, now
    save(request, "state", "decided_at", *CLOCKS)
    carry_out(request, by=by)


def carry_out(request: ApprovalRequest, *, by: User | None) -> None:
    """Do what was approved: here and now, or by the ledger where the kind takes longer."""
    if kind_of(request.kind).is_deferred:
        jobs.expect(
            APPLY,
            subject=str(request.pk),
            due_at=timezone.now(),
            input_hash=f"{request.content_hash}/{request.version}",
        )
        return
    apply(request, by=by)


def apply(request: ApprovalRequest, *, by: User | None) -> None:
    """The effect of an approved request, once: with the request locked, what stands compared with what was approved. Where it
    fails nothing of it remains but the reason."""
    kind = kind_of(request.kind)
    wish = kind.wish(request.content)
    now_stands = kind.stands(wish, lock=True)
    if now_stands != request.stood:
        _conflict(request, now_stands)
        return
    try:
        with transaction.atomic():
            kept = kind.apply(request, wish, by)
    except Moved:
        _conflict(request, kind.stands(wish))
        return
    except Refused as refusal:
        _failed(request, str(refusal.message), refusal.code)
        return
    request.state, request.applied_at, request.kept, request.error = State.APPLIED, timezone.now(), kept, ""
    save(request, "state", "applied_at", "kept", "error")
    note(request, Event.APPLIED, by=by)
    if kind.answers_at_once and request.decided_at == request.submitted_at:
        return
    tell(
        "approval_settled",
        request,
        [request.requester_id],
        f"{request.revision}/{request.version}",
        state=request.state,
    )


def _conflict(request: ApprovalRequest, stands: Mapping[str, Any]) -> None:
    note(request, Event.CONFLICT, by=None, then=request.stood, now=stands)
    request.state, request.decided_at = State.CHANGES_REQUESTED, None
    save(request, "state", "decided_at")
    tell("approval_sent_back", request, [request.requester_id], f"{request.revision}/{request.version}")


def _failed(request: ApprovalRequest, words: str, code: str) -> None:
    request.state, request.error = State.APPLY_FAILED, words[:500]
    save(request, "state", "error")
    note(request, Event.FAILED, by=None, words=words, code=code)
    tell("approval_failed", request, [request.requester_id], f"{request.revision}/{request.version}")


def end(request: ApprovalRequest) -> None:
    """It has ended without effect: what was held for it is let go, and who asked is told."""
    kind_of(request.kind).settled(request)
    tell(
        "approval_settled",
        request,
        [request.requester_id],
        f"{request.revision}/{request.version}",
        state=request.state,
    )
