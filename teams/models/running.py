"""The running of the suite: the organisation itself, the outbox, the job ledger, backups, files."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from teams import querysets
from teams.clock import check_zone
from teams.models.people import Team, User


class Organisation(models.Model):
    """The one organisation of an installation, and how far its guided first start is."""

    class Step(models.TextChoices):
        TEAMS = "teams", _("Teams")
        PEOPLE = "people", _("People")
        INVITATIONS = "invitations", _("Invitations")
        CONTACTS = "contacts", _("First contacts")
        REPORT = "report", _("First report")

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(_("name"), max_length=120, blank=True)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_zone])
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    steps = models.JSONField(_("steps"), default=dict, blank=True)  # step -> "done" or "skipped"
    key_digest = models.CharField(max_length=64, blank=True, editable=False)  # of the one-time link
    key_until = models.DateTimeField(null=True, blank=True, editable=False)
    history = HistoricalRecords(
        excluded_fields=["key_digest", "key_until"], verbose_name=_("earlier version of organisation")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("organisation"), _("organisations")
        constraints = [models.CheckConstraint(name="one_organisation", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """The outbox: a message written in the transaction that caused it, delivered by a task. `key` makes it one of a kind."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        UNDER_WAY = "under_way", _("on its way")  # shared out among the recipient's channels
        SENT = "sent", _("sent")
        PARKED = "parked", _("given up")
        DROPPED = "dropped", _("no longer due")

    kind = models.CharField(_("kind"), max_length=60)
    recipient = models.ForeignKey(User, models.CASCADE, related_name="notices", verbose_name=_("recipient"))
    about = models.CharField(_("about"), max_length=80, blank=True)
    key = models.CharField(_("key"), max_length=200, unique=True)
    details = models.JSONField(_("details"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    created_at = models.DateTimeField(_("written at"), db_default=Now())
    due_at = models.DateTimeField(_("due at"), db_default=Now())
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    message_id = models.UUIDField(_("message id"), default=uuid.uuid4, unique=True)
    error = models.TextField(_("error"), blank=True)

    objects = querysets.NoticeQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("notice"), _("notices")
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(name="notice_unsent", fields=["due_at"], condition=Q(state="waiting"))]

    def __str__(self) -> str:
        return self.kind


class JobRun(models.Model):
    """The job ledger: what is expected by the calendar, and how far it is. The broker is only a bell."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        PARKED = "parked", _("parked")
        CANCELLED = "cancelled", _("cancelled")

    job = models.CharField(_("job"), max_length=80)
    subject = models.CharField(_("subject"), max_length=80, blank=True)
    period = models.CharField(_("period"), max_length=40, blank=True)
    revision = models.PositiveIntegerField(_("revision"), default=1)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempt = models.PositiveSmallIntegerField(_("attempt"), default=0)
    due_at = models.DateTimeField(_("due at"))
    lease_until = models.DateTimeField(_("leased until"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    input_hash = models.CharField(_("input"), max_length=80, blank=True)
    output_hash = models.CharField(_("output"), max_length=80, blank=True)
    error = models.TextField(_("error"), blank=True)

    objects = querysets.JobRunQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("job run"), _("job runs")
        ordering = ["-due_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_run_per_job_subject_period_revision", fields=["job", "subject", "period", "revision"]
            )
        ]
        indexes = [
            models.Index(name="job_run_open", fields=["due_at", "id"], condition=Q(state__in=["waiting", "running"])),
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.subject} {self.period} r{self.revision}"


class JobProgress(models.Model):
    """How far a run is that somebody waits for, who may stop it, and who did, when and why.

    Written by the run beside its own transaction (`teams.progress`); the columns of the cancel only by `jobs.cancel`.
    `done` and `total` count what `step` names; a total nobody knows is null.
    """

    class Step(models.TextChoices):
        WAITING = "waiting", _("waits for the worker")
        READING = "reading", _("reading rows")
        JUDGING = "judging", _("checking rows")
        STORING = "storing", _("storing")
        COLLECTING = "collecting", _("collecting kinds of data")

    run = models.OneToOneField(JobRun, models.CASCADE, primary_key=True, related_name="progress", verbose_name=_("run"))
    team = models.ForeignKey(
        Team, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("team")
    )  # its leads may look and stop, beside the one who asked
    asked_by = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("asked for by")
    )
    step = models.CharField(_("step"), max_length=12, choices=Step, default=Step.WAITING)
    done = models.PositiveBigIntegerField(_("done so far"), default=0)
    total = models.PositiveBigIntegerField(_("in all"), null=True, blank=True)
    moved_at = models.DateTimeField(_("last sign"), db_default=Now())
    cancelled_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("cancelled by")
    )
    cancelled_at = models.DateTimeField(_("cancel asked for at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=100, blank=True)

    objects = querysets.JobProgressQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("progress of a job"), _("progress of jobs")

    def __str__(self) -> str:
        return str(self.get_step_display())


class Backup(models.Model):
    """One backup and what the drill found when it restored it. The files are the truth; this is what the operator reads."""

    class State(models.TextChoices):
        MADE = "made", _("not tried yet")
        GOOD = "good", _("good")
        BAD = "bad", _("bad")
        REMOVED = "removed", _("removed")

    name = models.CharField(_("name"), max_length=120, unique=True)
    place = models.CharField(_("place"), max_length=400)
    made_at = models.DateTimeField(_("made at"))
    size_bytes = models.BigIntegerField(_("bytes"))
    rows = models.BigIntegerField(_("rows"))
    state = models.CharField(_("drill"), max_length=10, choices=State, default=State.MADE)
    checked_at = models.DateTimeField(_("tried at"), null=True, blank=True)
    finding = models.TextField(_("finding"), blank=True)

    objects = querysets.OperatorQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("backup"), _("backups")
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return self.name


class Heartbeat(models.Model):
    """When a bell was rung and when a worker answered it: a worker that is up but deaf shows here."""

    name = models.CharField(max_length=40, primary_key=True)
    rung_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class StoredFile(models.Model):
    """A file kept in the database (`teams.edges.filestore`). It is reached through the row that names it, and no other way."""

    name = models.CharField(max_length=200, unique=True)
    size = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name


class StoredPart(models.Model):
    """At most 1 MiB of a file."""

    file = models.ForeignKey(StoredFile, models.CASCADE, related_name="parts", db_index=False)  # the constraint serves
    number = models.PositiveIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_part_per_file_and_number", fields=["file", "number"])]

    def __str__(self) -> str:
        return f"{self.file_id} {self.number}"
