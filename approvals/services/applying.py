"""Carrying out by the ledger, trying again, and taking back."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.kinds import Kind, kind_of
from approvals.models import ApprovalRequest
from approvals.services import approvers, flow
from approvals.services.flow import Event, State
from approvals.services.requests import ENGINE, take
from approvals.services.trace import note, tell
from teams.acting import system_scope
from teams.errors import Refused
from teams.models import JobRun, User


@transaction.atomic
def work(run: JobRun) -> str:
    """The job of the ledger: carry out an approved request, in the transaction that marks the run done. Twice: nothing."""
    with system_scope(ENGINE):
        request = ApprovalRequest.objects.select_for_update(of=("self",)).filter(pk=int(run.subject)).first()
        if request is None or request.state != State.APPROVED:
            return ""
        flow.apply(request, by=None)
        return request.content_hash


@transaction.atomic
def apply_again(pk: Any, *, by: User) -> ApprovalRequest:
    """Try once more what could not be carried out; it is approved already. Raises OutOfReach, or Refused: not_failed."""
    request = take(pk, by)
    may_apply_again(request)
    with system_scope(ENGINE):
        request.state = State.APPROVED
        flow.save(request, "state")
        flow.carry_out(request, by=by)
    return request


@transaction.atomic
def undo(pk: Any, *, by: User, words: str) -> ApprovalRequest:
    """Take back what was carried out: by a lead of the team or somebody who decided it, and nobody with a part in it.

    Raises OutOfReach, or Refused: no_reason, not_applied, no_way_back, too_late, own_request, not_asked, the kind's.
    """
    request = take(pk, by)
    if not words.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the request and told to who asked."))
    with system_scope(ENGINE):
        kind = may_undo(request, by)
        kind.undo(request, kind.wish(request.content), request.kept, by)
        request.state = State.UNDONE
        flow.save(request, "state")
        note(request, Event.UNDONE, by=by, words=words)
        tell("approval_settled", request, [request.requester_id], f"{request.version}", state=request.state)
    return request


def may_apply_again(request: ApprovalRequest) -> None:
    """Raises Refused."""
    if request.state != State.APPLY_FAILED:
        raise Refused("not_failed", _("Only what could not be carried out can be tried again."))


def may_undo(request: ApprovalRequest, by: User) -> Kind:
    """The kind that knows the way back, if `by` may take it now. Raises Refused."""
    if request.state != State.APPLIED or request.applied_at is None:
        raise Refused("not_applied", _("Only what has been carried out can be undone."))
    kind = kind_of(request.kind)
    if kind.undo_within is None:
        raise Refused("no_way_back", _("This cannot be undone. Ask for the opposite instead."))
    if request.applied_at + kind.undo_within < timezone.now():
        raise Refused("too_late", _("The time in which this could be undone is over. Ask for the opposite instead."))
    if by.pk in approvers.barred(request):
        raise Refused("own_request", _("Someone who has no part in this request has to undo it."))
    leads = approvers.resolved(approvers.Source("grant", grant="LEAD"), request.team_id)
    decided = request.seats.exclude(verdict="").filter(decided_by=by).exists()
    if not (by.pk in leads or decided or by.is_superuser):
        raise Refused("not_asked", _("A lead of the team, or somebody who decided this, can undo it."))
    return kind
