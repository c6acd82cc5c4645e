"""What this floor keeps only for a time."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from teams.models import AccessRecord, DataCopy, JobRun, Notice
from teams.retention import RetentionClass, enter
from teams.services import copies


def _notices(cutoff: datetime) -> models.QuerySet[Notice]:
    return Notice.objects.filter(created_at__lt=cutoff).exclude(state=Notice.State.WAITING)


def _looks(cutoff: datetime) -> models.QuerySet[AccessRecord]:
    return AccessRecord.objects.filter(last_at__lt=cutoff)


def _errors(cutoff: datetime) -> models.QuerySet[JobRun]:
    """Runs stay: they tell the ledger what has been done. What their errors said goes."""
    return JobRun.objects.filter(state=JobRun.State.DONE, finished_at__lt=cutoff).exclude(error="")


def _copies(cutoff: datetime) -> models.QuerySet[DataCopy]:
    return DataCopy.objects.filter(state=DataCopy.State.READY, until__lt=cutoff + copies.KEPT)


CLASSES = (
    RetentionClass(
        "copies", _("Files with copies of people's data"), _("files are deleted, the record of them stays"),
        "days", 7, lambda cutoff: _copies(cutoff).count(), lambda cutoff: copies.drop(_copies(cutoff)),
    ),
    RetentionClass(
        "notices", _("Notices that were sent or given up"), _("rows are deleted"),
        "months", 12, lambda cutoff: _notices(cutoff).count(), lambda cutoff: _notices(cutoff).delete()[0],
    ),
    RetentionClass(
        "looks", _("Records of who looked at whom"), _("rows are deleted"),
        "months", 36, lambda cutoff: _looks(cutoff).count(), lambda cutoff: _looks(cutoff).delete()[0],
    ),
    RetentionClass(
        "job_errors", _("Errors of jobs that were done later"), _("texts are emptied, the runs stay"),
        "months", 6, lambda cutoff: _errors(cutoff).count(), lambda cutoff: _errors(cutoff).update(error=""),
    ),
)  # fmt: skip


def enter_all() -> None:
    enter(*CLASSES)
