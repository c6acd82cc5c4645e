"""Where contacts come from, and what came in: sources, queues, names at sources, deliveries."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from performance import querysets
from teams.clock import check_zone
from teams.models import Agent, Team, User
from teams.models.people import check_code, same


def always() -> DateRange:
    """The span without beginning and end."""
    return DateRange(None, None)


class Complexity(models.TextChoices):
    SIMPLE = "simple", _("simple")
    COMPLEX = "complex", _("complex")


class Channel(models.TextChoices):
    PHONE = "phone", _("telephone")
    CHAT = "chat", _("chat")
    MAIL = "mail", _("mail")
    TICKET = "ticket", _("ticket")
    OTHER = "other", _("other")


class Source(models.Model):
    """Where facts come from: a platform, a telephone system, a spreadsheet. What came in belongs to the team it serves."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[check_code])
    name = models.CharField(_("name"), max_length=120)
    team = models.ForeignKey(Team, models.PROTECT, related_name="sources", verbose_name=_("serves team"))
    zone = models.CharField(_("zone of its local times"), max_length=64, default="UTC", validators=[check_zone])
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.PHONE)
    mapping = models.JSONField(_("mapping"), default=dict, blank=True)
    token_digest = models.CharField(max_length=64, blank=True, editable=False)
    token_hint = models.CharField(_("token ends in"), max_length=8, blank=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    keeps_phones = models.BooleanField(
        _("keeps telephone numbers"),
        default=False,
        db_default=False,
        help_text=_(
            "Off: only masks are kept. On: numbers are kept sealed for some days, and each look at one is recorded. "
            "Switch it on only where agents must call back from here."
        ),
    )
    phones_reason = models.CharField(_("why numbers are kept"), max_length=300, blank=True, db_default="")

    objects = querysets.SourceQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["token_digest"], verbose_name=_("earlier version of source"))

    class Meta:
        verbose_name, verbose_name_plural = _("source"), _("sources")
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_source_per_token", fields=["token_digest"], condition=~Q(token_digest="")
            ),
            models.CheckConstraint(
                name="kept_phones_have_a_reason", condition=Q(keeps_phones=False) | ~Q(phones_reason="")
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if self.keeps_phones and not self.phones_reason.strip():
            raise ValidationError({"phones_reason": _("Say why this source has to keep telephone numbers.")})


class Queue(models.Model):
    """A line of waiting customers. Its zone decides the half hours, its complexity stands in where a contact names none."""

    code = models.CharField(_("code"), max_length=60, unique=True, validators=[check_code])
    name = models.CharField(_("name"), max_length=120)
    team = models.ForeignKey(Team, models.PROTECT, related_name="queues", verbose_name=_("team"))
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_zone])
    complexity = models.CharField(_("complexity"), max_length=10, choices=Complexity, default=Complexity.SIMPLE)
    answer_within_seconds = models.PositiveIntegerField(_("answer within (seconds)"), default=20)

    objects = querysets.QueueQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of queue"))

    class Meta:
        verbose_name, verbose_name_plural = _("queue"), _("queues")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class AgentAlias(models.Model):
    """Who a source's user is, by local day. Without an agent the row stands in the tray, and its facts wait uncounted."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="agent_aliases", verbose_name=_("source"))
    external = models.CharField(_("name at the source"), max_length=200)
    agent = models.ForeignKey(
        Agent, models.PROTECT, null=True, blank=True, related_name="aliases", verbose_name=_("agent")
    )
    span = DateRangeField(_("from, until"), default=always)
    is_ignored = models.BooleanField(_("ignored: not a person"), default=False)

    objects = querysets.SourceRowQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of agent at source"))

    class Meta:
        verbose_name, verbose_name_plural = _("agent at source"), _("agents at sources")
        ordering = ["source", "external", "span"]
        constraints = [
            ExclusionConstraint(name="one_agent_per_alias_and_day", expressions=same("source", "external")),
            models.CheckConstraint(name="ignored_alias_has_no_agent", condition=Q(is_ignored=False) | Q(agent=None)),
        ]

    def __str__(self) -> str:
        return self.external


class QueueAlias(models.Model):
    """Which of our queues a source's inbox, group or topic is."""

    source = models.ForeignKey(Source, models.CASCADE, related_name="queue_aliases", verbose_name=_("source"))
    external = models.CharField(_("name at the source"), max_length=200)
    queue = models.ForeignKey(
        Queue, models.PROTECT, null=True, blank=True, related_name="aliases", verbose_name=_("queue")
    )
    is_ignored = models.BooleanField(_("ignored: not a queue of ours"), default=False)

    objects = querysets.SourceRowQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of queue at source"))

    class Meta:
        verbose_name, verbose_name_plural = _("queue at source"), _("queues at sources")
        ordering = ["source", "external"]
        constraints = [models.UniqueConstraint(name="one_queue_per_alias", fields=["source", "external"])]

    def __str__(self) -> str:
        return self.external


class ImportRun(models.Model):
    """One delivery of a source: a file or a REST call, what it held, what came of it. Refused rows are kept with a reason."""

    class Door(models.TextChoices):
        FILE = "file", _("file")
        COMMAND = "command", _("command")
        REST = "rest", _("REST")

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("uploaded")
        CHECKED = "checked", _("checked, nothing stored")
        WAITING = "waiting", _("waiting")
        DONE = "done", _("taken in")
        FAILED = "failed", _("failed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    source = models.ForeignKey(Source, models.PROTECT, related_name="runs", verbose_name=_("source"))
    door = models.CharField(_("door"), max_length=10, choices=Door, default=Door.FILE)
    layout = models.CharField(_("kind of rows"), max_length=20, default="contacts")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UPLOADED)
    file = models.FileField(_("file"), upload_to="intake", blank=True)
    file_name = models.CharField(_("file name"), max_length=255, blank=True)
    digest = models.CharField(_("checksum"), max_length=64, blank=True)
    mapping = models.JSONField(_("mapping"), default=dict, blank=True)
    counts = models.JSONField(_("counts"), default=dict, blank=True)
    message = models.TextField(_("message"), blank=True)
    by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by"))
    created_at = models.DateTimeField(_("received at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = querysets.SourceRowQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["counts", "mapping"], verbose_name=_("earlier version of delivery"))

    class Meta:
        verbose_name, verbose_name_plural = _("delivery"), _("deliveries")
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.file_name or f"{self.get_door_display()} {self.pk}"


class ImportRefusal(models.Model):
    """One refused row: where, which field, why, and the row as it came, so that it can be mended and sent again."""

    run = models.ForeignKey(ImportRun, models.CASCADE, related_name="refusals", verbose_name=_("delivery"))
    row_number = models.PositiveIntegerField(_("row"))
    field = models.CharField(_("field"), max_length=60, blank=True)
    code = models.CharField(_("reason"), max_length=60)
    value = models.CharField(_("value"), max_length=200, blank=True)
    raw = models.JSONField(_("row as it came"), default=list)

    objects = querysets.ImportRowQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("refused row"), _("refused rows")
        ordering = ["run", "row_number", "pk"]

    def __str__(self) -> str:
        return f"{self.row_number}: {self.field} {self.code}"
