"""The running of the suite, for the operator: the timetable of beat, the job ledger, the outbox."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from django.contrib.admin import SimpleListFilter, display, register
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _
from django_celery_beat.admin import PeriodicTaskForm
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from teams import jobs, outbox
from teams.edges.admin import OperatorOnlyAdmin, ScopedInline, site
from teams.edges.empty import Step
from teams.edges.verbs import ReasonForm, Verb
from teams.models import Backup, JobProgress, JobRun, Notice, NoticeDelivery
from teams.services.safekeeping import told


@register(PeriodicTask, site=site)
class PeriodicTaskAdmin(OperatorOnlyAdmin):
    """What beat rings and how often. It can name any registered task, so nobody but the operator comes here."""

    form = PeriodicTaskForm
    may_add = may_change = may_delete = True
    list_display = ("name", "rings", "enabled", "interval", "crontab", "last_run_at")
    more_columns = ("description", "total_run_count", "date_changed")
    empty_words = _(
        "Nothing is rung regularly: no night, no mail. The timetable is written at each start of the suite."
    )
    empty_steps = (Step(_("Add an entry"), "admin:django_celery_beat_periodictask_add"),)
    list_filter = ("enabled",)
    search_fields = ("name", "task")
    readonly_fields = ("last_run_at", "total_run_count", "date_changed")
    fields = (
        "name", "regtask", "task", "enabled", "description", "interval", "crontab", "one_off", "args", "kwargs",
        "last_run_at", "total_run_count", "date_changed",
    )  # fmt: skip

    @display(description=_("task"), ordering="task")
    def rings(self, entry: PeriodicTask) -> str:
        """The package names this column in English alone."""
        return entry.task


@register(IntervalSchedule, site=site)
class IntervalScheduleAdmin(OperatorOnlyAdmin):
    may_add = may_change = True
    list_display = ("every", "period")
    empty_words = _("An interval says how often an entry of the timetable is rung. There is none yet.")
    empty_steps = (Step(_("Add an interval"), "admin:django_celery_beat_intervalschedule_add"),)


@register(CrontabSchedule, site=site)
class CrontabScheduleAdmin(OperatorOnlyAdmin):
    may_add = may_change = True
    list_display = ("human_readable", "timezone")
    empty_words = _("A clock time says when an entry of the timetable is rung. There is none yet.")
    empty_steps = (Step(_("Add a clock time"), "admin:django_celery_beat_crontabschedule_add"),)


class ProgressInline(ScopedInline):
    """How far the run is, if somebody waits for it; and who stopped it. Their names are what the record is for."""

    model = JobProgress
    open_relations = ("asked_by", "cancelled_by")
    verbose_name_plural = _("progress")
    fields = ("step", "done", "total", "moved_at", "asked_by", "cancelled_by", "cancelled_at", "reason")


CANCELLING = _("The work stops at its next safe point. Nothing of it stays.")


def _can_be_cancelled(run: JobRun) -> bool:
    return run.state in jobs.OPEN and JobProgress.objects.filter(pk=run.pk).exists()


class JobFilter(SimpleListFilter):
    title, parameter_name = _("job"), "job"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return sorted(((name, jobs.words_of(name)) for name in jobs.registered()), key=lambda each: each[1])

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(job=self.value()) if self.value() else queryset


def _period(text: str) -> str:
    """A period of the ledger as people write it: a month, a day, an hour in the reader's zone; else as it stands."""
    for form, shown in (
        ("%Y-%m-%d", "DATE_FORMAT"),
        ("%Y-%m", "YEAR_MONTH_FORMAT"),
        ("%Y-%m-%dT%H%z", "DATETIME_FORMAT"),
    ):
        with suppress(ValueError):
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - days and months have no zone
            return date_format(localtime(moment) if moment.tzinfo else moment, shown)
    return text


@register(JobRun, site=site)
class JobRunAdmin(OperatorOnlyAdmin):
    list_display = ("what", "of_what", "of_when", "revision", "state", "attempt", "due_at", "finished_at")
    more_columns = ("started_at", "lease_until", "error")
    empty_words = _(
        "No job has been entered yet. The first ones appear within a minute of the start; if none does, look whether "
        "the timetable is rung."
    )
    empty_steps = (Step(_("Timetable"), "admin:django_celery_beat_periodictask_changelist"),)
    list_filter = ("state", JobFilter)
    search_fields = ("job", "subject", "period")
    date_hierarchy = "due_at"
    fields = (
        "what", "of_what", "of_when", "revision", "state", "attempt", "due_at", "started_at", "finished_at", "lease_until",
        "error", "input_hash", "output_hash",
    )  # fmt: skip
    readonly_fields = ("what", "of_what", "of_when")
    inlines = (ProgressInline,)
    verbs = (
        Verb("retry", _("Try again"), jobs.retry, ReasonForm, fits=lambda run: run.state == JobRun.State.PARKED),
        Verb("cancel", _("Cancel the work"), jobs.cancel, ReasonForm, done=CANCELLING, fits=_can_be_cancelled),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        return jobs.with_subjects(super().get_queryset(request))

    @display(description=_("job"), ordering="job")
    def what(self, run: JobRun) -> str:
        return jobs.words_of(run.job)

    @display(description=_("subject"), ordering="subject", empty_value="–")
    def of_what(self, run: Any) -> str | None:
        return None if run.about in ("", "-") else str(run.about)

    @display(description=_("period"), ordering="period", empty_value="–")
    def of_when(self, run: JobRun) -> str | None:
        return _period(run.period) or None


class DeliveryInline(ScopedInline):
    """What became of the notice, channel by channel. Where a channel leads is its owner's secret."""

    model = NoticeDelivery
    readers = ()
    verbose_name_plural = _("by channel")
    fields = ("service", "state", "attempts", "due_at", "sent_at", "error")

    @display(description=_("channel"))
    def service(self, delivery: NoticeDelivery) -> str:
        return delivery.service


@register(Notice, site=site)
class NoticeAdmin(OperatorOnlyAdmin):
    """Letters on their way. Their content is the recipient's; the operator sees that they go, and what went wrong."""

    list_display = ("what", "recipient", "state", "by_channel", "attempts", "due_at", "sent_at")
    more_columns = ("created_at", "error")
    empty_words = _("Nobody has been written to yet. Notices are written by jobs, such as the reports of the night.")
    empty_steps = (Step(_("Job runs"), "admin:teams_jobrun_changelist"),)
    list_filter = ("state", "kind")
    fields = ("what", "recipient", "state", "attempts", "created_at", "due_at", "sent_at", "error")
    readonly_fields = ("what",)
    inlines = (DeliveryInline,)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("deliveries")

    @display(description=_("kind"), ordering="kind")
    def what(self, notice: Notice) -> str:
        return str(outbox.title_of(notice.kind))

    @display(description=_("by channel"))
    def by_channel(self, notice: Notice) -> str:
        return ", ".join(f"{each.service}: {each.get_state_display()}" for each in notice.deliveries.all())


@register(Backup, site=site)
class BackupAdmin(OperatorOnlyAdmin):
    """Every backup, and whether its restore has passed: the drill of each night says so."""

    list_display = ("name", "made_at", "age", "size", "rows", "state", "checked_at", "found")
    empty_words = _("No backup has been made yet. The worker makes one each night; on servers, your own means do.")
    empty_steps = (Step(_("Job runs"), "admin:teams_jobrun_changelist"),)
    list_filter = ("state",)
    fields = ("name", "place", "made_at", "size", "rows", "state", "checked_at", "found")
    readonly_fields = ("size", "age", "found")

    @display(description=_("size"), ordering="size_bytes")
    def size(self, backup: Backup) -> str:
        return filesizeformat(backup.size_bytes)

    @display(description=_("finding"))
    def found(self, backup: Backup) -> str:
        return "\n".join(told(line) for line in backup.finding.splitlines())

    @display(description=_("age"))
    def age(self, backup: Backup) -> Any:
        return timesince(backup.made_at, depth=1)
