"""What people are told about jobs: the operator when one is given up, whoever asked when a copy of data is made; and what a
channel says when it is tried."""

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from teams import jobs
from teams.models import DataCopy, JobRun, Notice
from teams.outbox import Mail


def parked_mail(notice: Notice) -> Mail | None:
    """Which run was given up and where to try it again; nothing if it has been tried again since."""
    run = JobRun.objects.visible_to(notice.recipient).filter(pk=notice.about, state=JobRun.State.PARKED).first()
    if run is None:
        return None
    link = settings.OUTPOST_URL + reverse("admin:teams_jobrun_change", args=[run.pk])
    subject = _("A job was given up: %(job)s %(subject)s %(period)s") % {
        "job": jobs.words_of(run.job),
        "subject": run.subject,
        "period": run.period,
    }
    return Mail(
        subject,
        render_to_string("mail/job_parked.txt", {"run": run, "job": jobs.words_of(run.job), "link": link}),
        link=link,
    )


def trial_mail(notice: Notice) -> Mail:
    """The message of the button "Test": that it arrived is all it says."""
    link = settings.OUTPOST_URL + reverse("notices")
    return Mail(_("Test: notices reach you here"), f"{_('Test: notices reach you here')}\n\n{link}\n", link=link)


def copy_mail(notice: Notice) -> Mail | None:
    """Where to fetch a copy of a person's data; nothing if it has gone. The mail itself holds no data and no name."""
    copy = DataCopy.objects.visible_to(notice.recipient).filter(pk=notice.about, state=DataCopy.State.READY).first()
    if copy is None:
        return None
    link = settings.OUTPOST_URL + reverse("my_data")
    return Mail(
        _("A copy of data is ready"), render_to_string("mail/copy_ready.txt", {"copy": copy, "link": link}), link=link
    )
