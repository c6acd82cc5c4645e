"""Requests: jobs, notices, what the tables hold about people, who can see them."""

from django.utils.translation import gettext_lazy as _

from approvals.letters import requests as letters
from approvals.models import (
    ApprovalAbsence,
    ApprovalEvent,
    ApprovalPolicy,
    ApprovalRequest,
    ApprovalSeat,
)
from approvals.services import applying, flow
from teams import jobs, outbox, sight
from teams.models import User
from teams.personal import DataClass, FreeText, enter_texts, excuse
from teams.personal import enter as enter_classes

CLASSES = (
    DataClass(
        ApprovalRequest, user=("requester", "subject_person"),
        hidden=frozenset({"content_hash", "plan", "kept", "stood"}), cleared=(("words", ""),),
    ),
    DataClass(ApprovalSeat, user=("user",), hidden=frozenset({"content_hash"})),
    DataClass(ApprovalEvent, user=("actor",), hidden=frozenset({"content_hash", "details"})),
    DataClass(
        ApprovalAbsence, user=("owner", "deputy"), named=frozenset({"owner", "deputy"}), cleared=(("reason", ""),)
    ),
)  # fmt: skip
TEXTS = (
    FreeText(
        ApprovalRequest, ("subject_label", "words", "content", "stood", "kept", "condition", "error", "glass_reason")
    ),
    FreeText(ApprovalEvent, ("words", "details")),
    FreeText(ApprovalPolicy, ("reason",)),
)


def _decides(person: User) -> bool:
    return person.is_staff


def _operates(person: User) -> bool:
    return person.is_superuser


def enter() -> None:
    jobs.register(
        flow.APPLY, applying.work, words=_("What was approved is carried out"),
        about=jobs.called(ApprovalRequest, "subject_label"),
    )  # fmt: skip
    outbox.register("approval_waits", letters.waits, title=_("A request waits for you"), concerns=_decides)
    outbox.register("approval_reminder", letters.reminder, title=_("A request still waits for you"), concerns=_decides)
    outbox.register("approval_settled", letters.settled, title=_("Your request was settled"))
    outbox.register("approval_sent_back", letters.sent_back, title=_("Your request needs changes"))
    outbox.register("approval_failed", letters.failed, title=_("Your request could not be carried out"))
    outbox.register("approval_escalated", letters.escalated, title=_("Your request was handed up"))
    outbox.register(
        "approval_alarm", letters.alarm, title=_("Nobody can decide a request"), is_urgent=True, concerns=_operates
    )
    outbox.register(
        "approval_glass", letters.glass, title=_("An operator broke the glass"), is_urgent=True, concerns=_decides
    )
    outbox.register("absence_given", letters.absence_given, title=_("A deputy decides requests"), concerns=_decides)
    outbox.register("absence_ended", letters.absence_ended, title=_("A deputy's time has ended"), concerns=_decides)
    enter_classes(*CLASSES)
    enter_texts(*TEXTS)
    for column in ("editor", "glass_by", "glass_reviewed_by"):
        excuse("approvals.approvalrequest", column, "who acted on a request belongs to the request")
    excuse("approvals.approvalseat", "decided_by", "a deputy's decision belongs to the seat it was made from")
    excuse("approvals.approvalevent", "on_behalf_of", "for whom a deputy acted belongs to what the deputy did")
    excuse("approvals.approvalpolicy", "made_by", "who wrote a rule belongs to the rule")
    sight.register("requests", _("requests for approval"), "approvals.ApprovalRequest", "teams.Team")
