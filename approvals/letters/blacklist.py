"""What leads are told of the blacklist: how many entries of a team want to be looked at again."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.models import BlockEntry
from teams.models import Notice, Team
from teams.outbox import Mail


def review_due(notice: Notice) -> Mail | None:
    """None where all have been looked at by now, or the recipient no longer sees them."""
    team = Team.objects.filter(pk=notice.about).first()
    rows = BlockEntry.objects.visible_to(notice.recipient).to_review(timezone.now())
    count = rows.filter(team=team).count() if team is not None else 0
    if team is None or not count:
        return None
    page = reverse("admin:approvals_blockentry_changelist")
    words = {"team": team.name, "count": count, "link": f"{settings.OUTPOST_URL}{page}?when=review"}
    subject = _("Blacklist of %(team)s: entries to review") % words
    return Mail(subject, render_to_string("mail/block_review_due.txt", words), link=str(words["link"]))
