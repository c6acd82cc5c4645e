"""The day's line, as each agent gets it in the evening: worked out when it leaves, in the agent's language."""

from datetime import date

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from incentives.reports.progress import progress
from teams.models import Agent, Notice
from teams.outbox import Mail


def day_line(notice: Notice) -> Mail | None:
    """Nothing where the person is no agent any more, or no plan holds for them."""
    agent = Agent.objects.filter(user=notice.recipient).first()
    if agent is None:
        return None
    day = date.fromisoformat(notice.details["day"])
    found = progress(agent, day)
    if found is None or found.line is None:
        return None
    link = settings.OUTPOST_URL + reverse("my_incentives") + f"?day={day.isoformat()}"
    subject = _("%(day)s: %(words)s") % {"day": date_format(day, "DATE_FORMAT"), "words": found.words}
    return Mail(subject, render_to_string("mail/day_line.txt", {"found": found, "day": day, "link": link}), link=link)
