"""Deadlines: remind, escalate, expire. The list of what is due is a column of the database, not a queue of messages: whatever
was lost, killed or late, the next sweep finds it. Each request is one transaction, and done twice it changes nothing."""

import logging
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from approvals.models import ApprovalRequest
from approvals.plain.policy import Plan
from approvals.services import approvers, flow
from approvals.services.deciding import hand_up
from approvals.services.flow import Event, State, Step
from approvals.services.requests import ENGINE
from approvals.services.trace import note, tell
from teams.acting import system_scope

log = logging.getLogger(__name__)


def sweep(now: datetime, limit: int = 500) -> int:
    """Do what is due by `now`, oldest first; returns how many requests moved. One that fails is logged and holds none back."""
    moved = 0
    for pk in list(ApprovalRequest.objects.due(now).values_list("pk", flat=True)[:limit]):
        try:
            moved += ring(pk, now)
        except Exception:
            log.exception("the clock of request %d failed", pk)
    return moved


@transaction.atomic
def ring(pk: int, now: datetime) -> bool:
    """Do what is due for one request. False where another has done it."""
    with system_scope(ENGINE):
        request = ApprovalRequest.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if request is None or request.next_due_at is None or request.next_due_at > now:
            return False
        if request.state == State.SUBMITTED:
            if request.expire_at is not None and request.expire_at <= now:
                _expire(request, now)
            else:
                flow.next_step(request, now)
            return True
        if request.state != State.IN_REVIEW:
            flow.stop_clocks(request)
            flow.save(request, *flow.CLOCKS)
            return False
        if request.expire_at is not None and request.expire_at <= now:
            _expire(request, now)
        elif request.escalate_at is not None and request.escalate_at <= now:
            _escalate(request, now)
        else:
            _remind(request, now)
        return True


def _remind(request: ApprovalRequest, now: datetime) -> None:
    """Tell those who have not been heard; whoever was given the right since is asked as well."""
    step = flow.active_step(request)
    request.remind_at = None
    flow.save(request, "remind_at")
    if step is None:
        return
    people, _is_fallback = approvers.asked(flow.step_plan(step), request)
    flow.seat(request, step, people - {seat.user_id for seat in request.seats.filter(step__revision=request.revision)})
    waiting = set(step.seats.filter(is_open=True).values_list("user", flat=True))
    waiting |= set(approvers.deputies_of(waiting, request.kind).values())
    note(request, Event.REMINDED, by=None, step=step.number, asked=sorted(waiting))
    tell("approval_reminder", request, waiting - approvers.barred(request), f"{step.pk}/{request.version}")


def _escalate(request: ApprovalRequest, now: datetime) -> None:
    clock = Plan.from_json(request.plan).clock
    request.escalate_at = None
    is_handed = request.escalations < clock.most_escalations and hand_up(request, now, by=None)
    if is_handed and clock.on_escalation == "restart":
        expire_at = request.expire_at
        flow.set_clocks(request, now)
        request.expire_at = request.expire_at or expire_at
    if not is_handed:
        note(request, Event.ALARM, by=None, words=gettext_noop("nobody above is left"))
        tell("approval_alarm", request, approvers.operators(), f"top/{request.revision}")
    flow.save(request, *flow.CLOCKS)


def _expire(request: ApprovalRequest, now: datetime) -> None:
    outcome = Plan.from_json(request.plan).clock.at_expiry
    note(request, Event.EXPIRED, by=None, outcome=outcome)
    if outcome == "approve":
        flow.close_steps(request, Step.CANCELLED)
        note(request, Event.AUTO_APPROVED, by=None, words=gettext_noop("nobody decided in time"))
        flow.approve(request, now)
        return
    if outcome == "hold":
        flow.stop_clocks(request)
        flow.save(request, *flow.CLOCKS)
        tell("approval_alarm", request, approvers.operators(), f"held/{request.revision}")
        return
    flow.close_steps(request, Step.CANCELLED)
    flow.stop_clocks(request)
    request.state, request.decided_at = State.EXPIRED, now
    flow.save(request, "state", "decided_at", *flow.CLOCKS)
    flow.end(request)
