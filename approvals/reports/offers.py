"""Which verbs a person may use on a request now, and why not the others. Each asks the check that the verb itself asks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.translation import gettext_lazy as _

from approvals import kinds
from approvals.models import ApprovalRequest
from approvals.services import applying, deciding, requests
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import User

State = ApprovalRequest.State
CHECKS = "what a verb would say is asked beforehand, by the verb's own check"
UNDECIDED = (State.SUBMITTED, State.IN_REVIEW)


@dataclass(frozen=True)
class Offer:
    """A verb by its slug. `refusal` says why it cannot be used now; empty: it can."""

    slug: str
    title: Any
    refusal: str = ""

    @property
    def is_open(self) -> bool:
        return not self.refusal


def offers(request: ApprovalRequest, by: User) -> list[Offer]:
    """The verbs that make sense for the request as it stands, refused ones with their reason. What is none of the person's
    business at all is left out."""
    with system_scope(CHECKS):
        return [
            Offer(slug, title, why)
            for slug, title, check in _fitting(request, by)
            if (why := _refusal(check)) is not None
        ]


def _refusal(check: Callable[[], Any]) -> str | None:
    try:
        check()
    except Refused as refusal:
        return str(refusal.message)
    except OutOfReach:
        return None
    return ""


def _fitting(request: ApprovalRequest, by: User) -> Iterator[tuple[str, Any, Callable[[], Any]]]:
    state = request.state
    if state in UNDECIDED:
        decide = cache(lambda: _refusal(lambda: deciding.may_decide(request, by)))
        for slug, title in (("approve", _("Approve")), ("reject", _("Reject")), ("send-back", _("Send back"))):
            yield slug, title, lambda: _again(decide())
        if state == State.IN_REVIEW:
            yield "escalate", _("Hand up"), lambda: deciding.may_escalate(request, by)
        yield "break-glass", _("Break the glass"), lambda: deciding.may_break_glass(request, by)
    if request.glass_by_id is not None and request.glass_reviewed_by_id is None:
        yield "review-glass", _("Review the broken glass"), lambda: deciding.may_review_glass(request, by)
    if state == State.APPLIED and _has_way_back(request):
        yield "undo", _("Undo"), lambda: applying.may_undo(request, by)
    if state == State.APPLY_FAILED:
        yield "retry", _("Try again"), lambda: applying.may_apply_again(request)
    if state == State.DRAFT:
        yield "submit", _("Hand in"), lambda: requests.may_submit(request, by)
    if state in requests.flow.BEFORE_DECISION:
        yield "edit", _("Edit"), lambda: requests.may_edit(request, by)
    if state in (*requests.flow.BEFORE_DECISION, State.APPLY_FAILED):
        yield "withdraw", _("Withdraw"), lambda: requests.may_withdraw(request, by)
    yield "comment", _("Comment"), lambda: None


def _again(why: str | None) -> None:
    if why:
        raise Refused("refused", why)


def _has_way_back(request: ApprovalRequest) -> bool:
    try:
        return kinds.kind_of(request.kind).undo_within is not None
    except LookupError:
        return False
