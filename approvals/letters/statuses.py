"""What people are told of breaks that are over: the agent first, later the lead. Nobody is logged out for it."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.models import StatusSpan
from teams.models import Notice
from teams.outbox import Mail


def over(notice: Notice) -> Mail | None:
    return _letter(notice, _("Your %(status)s is over"), "mail/break_over.txt", "my_status")


def long_over(notice: Notice) -> Mail | None:
    return _letter(notice, _("%(agent)s is over the end of %(status)s"), "mail/break_long_over.txt", "board")


def _letter(notice: Notice, subject: str, template: str, page: str) -> Mail | None:
    """None where the agent is back by now, or the recipient no longer sees them."""
    rows = StatusSpan.objects.open().visible_to(notice.recipient).filter(agent=int(notice.about))
    row = (
        rows.filter(back_at=datetime.fromisoformat(notice.details["back_at"])).select_related("agent", "reason").first()
    )
    if row is None or row.back_at is None:
        return None
    words = {
        "agent": row.agent.name,
        "status": str(row.reason or row.get_base_display()),
        "ended": timezone.localtime(row.back_at),
        "link": settings.OUTPOST_URL + reverse(page),
    }
    return Mail(subject % words, render_to_string(template, words), link=str(words["link"]))
