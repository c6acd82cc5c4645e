"""Breaks that wait for cover: who is next, and granting when a place is free.

Whoever serves the queue holds the team's cover and asks each waiting request's own policy again, with what is measured now.
A request that somebody is deciding at this moment is left to them.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext_noop

from approvals.kinds import kind_of
from approvals.models import ApprovalRequest, Base, StatusSpan
from approvals.plain.policy import plan
from approvals.services import deciding, flow
from approvals.services.statuses import breaks, covering
from approvals.services.statuses.covering import MINUTE

WAITS = (ApprovalRequest.State.SUBMITTED, ApprovalRequest.State.IN_REVIEW)


def waiting(rows: Any = None) -> Any:
    """Requests that wait in a queue, the longest first; of `rows`, or of all."""
    rows = ApprovalRequest.objects.all() if rows is None else rows
    return rows.filter(kind=breaks.NAME, state__in=WAITS).order_by("submitted_at", "pk")


def serve(team: int, now: datetime) -> int:
    """Grant what the policies allow by now, in the order asked; returns how many. The caller holds the team's cover."""
    granted = 0
    cover = covering.hold(team)
    lets_go = covering.count(cover).lets_one_go
    for request in waiting().filter(team=team).select_related("policy"):
        waited = int((now - request.submitted_at) / MINUTE)
        if not (lets_go or breaks.has_waited(cover, waited)) or not _is_at_work(request):
            continue
        words = _granted_by(request, now)
        if words is None or not _take(request):
            continue
        if deciding.approve_by_rule(request.pk, words) is not None:
            granted += 1
            lets_go = covering.count(cover).lets_one_go
    return granted


def _is_at_work(request: ApprovalRequest) -> bool:
    open_row = StatusSpan.objects.open().filter(agent=request.content["agent"], team=request.team_id)
    return open_row.exclude(base=Base.OFFLINE).exists()


def _granted_by(request: ApprovalRequest, now: datetime) -> str | None:
    """The rule of the request's own policy that grants it now, in words; past a limit nothing is granted without a person."""
    wish = kind_of(request.kind).wish(request.content)
    facts = breaks.measure(wish, covering.hold(request.team_id), now, request.submitted_at)
    judged = plan(flow.definition_of(request), facts)
    if judged.outcome != "approve" or facts["within_limits"] == "no":
        return None
    return judged.reason or judged.rule or gettext_noop("A place is free")


def _take(request: ApprovalRequest) -> bool:
    """The request's row, unless somebody holds it: who waited for them here, while they wait for the cover, waited for ever."""
    held = ApprovalRequest.objects.select_for_update(skip_locked=True, of=("self",)).filter(pk=request.pk)
    return held.filter(state__in=WAITS).exists()
