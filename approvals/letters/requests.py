"""What people are told about requests. A letter names the request and leads to its page; nothing is decided by following it."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.kinds import kind_of
from approvals.models import ApprovalRequest
from teams.models import Notice, User
from teams.outbox import Mail


def _request(notice: Notice) -> ApprovalRequest | None:
    """The request a notice is about, if its recipient may still see it."""
    rows = ApprovalRequest.objects.visible_to(notice.recipient).select_related("requester", "team")
    return rows.filter(pk=notice.about).first()


def _words(request: ApprovalRequest, recipient: User) -> dict[str, object]:
    try:
        kind = str(kind_of(request.kind).title)
    except LookupError:
        kind = request.kind
    last = request.events.exclude(words="").order_by("-pk").first()
    return {
        "request": request,
        "kind": kind,
        "about": request.subject_label,
        "requester": request.requester,
        "team": request.team.name,
        "state": request.get_state_display(),
        "last": last.said if last is not None else "",
        "link": link_to(request, recipient),
    }


def link_to(request: ApprovalRequest, recipient: User) -> str:
    """The page of a request for this person: that of the admin for those who decide, the own one for the others."""
    if recipient.is_staff and request.requester_id != recipient.pk:
        return settings.OUTPOST_URL + reverse("admin:approvals_approvalrequest_change", args=[request.pk])
    return settings.OUTPOST_URL + reverse("my_request", args=[request.pk])


def _letter(notice: Notice, subject: str, template: str, states: tuple[str, ...] = ()) -> Mail | None:
    """`states`: those in which it is still worth telling."""
    request = _request(notice)
    if request is None or (states and request.state not in states):
        return None
    words = _words(request, notice.recipient)
    return Mail(subject % words, render_to_string(template, words), link=str(words["link"]))


OPEN = (ApprovalRequest.State.SUBMITTED, ApprovalRequest.State.IN_REVIEW)


def waits(notice: Notice) -> Mail | None:
    return _letter(notice, _("%(kind)s: “%(about)s” waits for you"), "mail/approval_waits.txt", OPEN)


def reminder(notice: Notice) -> Mail | None:
    return _letter(notice, _("%(kind)s: “%(about)s” still waits for you"), "mail/approval_waits.txt", OPEN)


def settled(notice: Notice) -> Mail | None:
    return _letter(notice, _("%(kind)s: “%(about)s” is %(state)s"), "mail/approval_settled.txt")


def sent_back(notice: Notice) -> Mail | None:
    return _letter(
        notice, _("%(kind)s: “%(about)s” needs changes"), "mail/approval_sent_back.txt",
        (ApprovalRequest.State.CHANGES_REQUESTED,),
    )  # fmt: skip


def failed(notice: Notice) -> Mail | None:
    return _letter(
        notice, _("%(kind)s: “%(about)s” could not be carried out"), "mail/approval_failed.txt",
        (ApprovalRequest.State.APPLY_FAILED,),
    )  # fmt: skip


def escalated(notice: Notice) -> Mail | None:
    return _letter(notice, _("%(kind)s: “%(about)s” was handed up"), "mail/approval_escalated.txt", OPEN)


def alarm(notice: Notice) -> Mail | None:
    return _letter(notice, _("Nobody can decide “%(about)s”"), "mail/approval_alarm.txt", OPEN)


def glass(notice: Notice) -> Mail | None:
    return _letter(notice, _("An operator has broken the glass: “%(about)s”"), "mail/approval_glass.txt")


def absence_given(notice: Notice) -> Mail | None:
    return _absence(notice, _("%(deputy)s decides for %(owner)s"), "mail/absence_given.txt")


def absence_ended(notice: Notice) -> Mail | None:
    return _absence(notice, _("%(deputy)s no longer decides for %(owner)s"), "mail/absence_ended.txt")


def _absence(notice: Notice, subject: str, template: str) -> Mail | None:
    told = notice.details
    people = {user.pk: str(user) for user in User.objects.filter(pk__in=[told["owner"], told["deputy"]])}
    if len(people) < 2:
        return None
    open_rows = ApprovalRequest.objects.visible_to(notice.recipient).in_review().filter(pk__in=told["waiting"])
    words = {
        "owner": people[told["owner"]],
        "deputy": people[told["deputy"]],
        "until": timezone.localtime(datetime.fromisoformat(told["until"])),
        "waiting": [str(row) for row in open_rows[:20]],
        "is_deputy": notice.recipient_id == told["deputy"],
        "link": settings.OUTPOST_URL + reverse("admin:approvals_approvalrequest_changelist"),
    }
    return Mail(subject % words, render_to_string(template, words), link=str(words["link"]))
