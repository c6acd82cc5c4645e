"""What was done: contacts, their legs, states of agents, interval facts.

Contact, Leg and StateInterval are partitioned by month in PostgreSQL (see migrations and `performance.partitions`); their
database key is (id, moment), the id alone comes from one sequence and is unique. Facts keep no history: they are told anew by
their source.
"""

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from performance import querysets
from performance.models.sources import Channel, Complexity, ImportRun, Queue, Source
from teams.models import Agent, Team


class HandleMethod(models.TextChoices):
    """How the handling time is known; estimated ones are shown as such beside each figure."""

    MEASURED = "measured", _("measured")
    ACCOUNTED = "accounted", _("accounted")
    STATE = "state", _("derived from states")
    GAP = "gap", _("estimated from message gaps")
    NONE = "none", _("not known")


class ContactKey(models.Model):
    """The one identity of a contact across all months: which version we hold, and in which month it lies."""

    # Without a constraint, like the contacts themselves: a million keys need not ask for one source each.
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", db_constraint=False)
    external_id = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    version_at = models.DateTimeField()
    payload_hash = models.CharField(max_length=32)

    objects = querysets.SourceRowQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_contact_per_external_id", fields=["source", "external_id"])]

    def __str__(self) -> str:
        return self.external_id


class Dayed(models.Model):
    """The day of a fact, decided at intake: team and zone of the agent at that instant, and the civil date there."""

    agent = models.ForeignKey(
        Agent, models.PROTECT, null=True, related_name="+", verbose_name=_("agent"), db_constraint=False
    )
    agent_external = models.CharField(_("agent at source"), max_length=200, blank=True)
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, related_name="+", verbose_name=_("team of the day"), db_constraint=False
    )
    zone = models.CharField(_("time zone"), max_length=64, blank=True)
    day = models.DateField(_("day"), null=True)

    class Meta:
        abstract = True


class Contact(Dayed):
    """One matter of one customer. `id` is that of its ContactKey. Times are UTC; seconds are whole; rating is 0 to 1."""

    id = models.BigIntegerField(primary_key=True)
    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"), db_constraint=False)
    external_id = models.CharField(_("id at source"), max_length=120)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    queue = models.ForeignKey(
        Queue, models.PROTECT, null=True, related_name="+", verbose_name=_("queue"), db_constraint=False
    )
    queue_external = models.CharField(_("queue at source"), max_length=200, blank=True)
    topic = models.CharField(_("topic"), max_length=200, blank=True)
    complexity = models.CharField(_("complexity"), max_length=10, choices=Complexity)
    has_own_complexity = models.BooleanField(
        _("complexity told by the source"), default=False, db_default=False, editable=False
    )  # told by the source
    opened_at = models.DateTimeField(_("opened"))
    shift_started_at = models.DateTimeField(_("start of the shift"), null=True)  # where told, it decides the day
    assigned_at = models.DateTimeField(_("assigned"), null=True)
    first_reply_at = models.DateTimeField(_("first reply"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)
    wait_seconds = models.PositiveIntegerField(_("waited (s)"), null=True)
    first_reply_seconds = models.PositiveIntegerField(_("first reply after (s)"), null=True)
    handle_seconds = models.PositiveIntegerField(_("handling time (s)"), null=True)
    handle_method = models.CharField(_("handling time is"), max_length=10, choices=HandleMethod)
    business_seconds = models.PositiveIntegerField(_("business time (s)"), null=True)
    reopen_count = models.PositiveSmallIntegerField(_("reopened"), default=0)
    transfer_count = models.PositiveSmallIntegerField(_("transferred"), default=0)
    reply_count = models.PositiveSmallIntegerField(_("replies"), null=True)
    is_answered = models.BooleanField(_("answered"), default=False)
    is_abandoned = models.BooleanField(_("abandoned"), default=False)
    is_resolved = models.BooleanField(_("resolved"), null=True)
    is_bot_only = models.BooleanField(_("bot only"), default=False)
    is_excluded = models.BooleanField(_("not counted"), default=False)
    rating_raw = models.DecimalField(_("rating"), max_digits=6, decimal_places=2, null=True)
    rating_scale = models.PositiveSmallIntegerField(_("best rating"), null=True)
    rating = models.DecimalField(_("rating, 0 to 1"), max_digits=5, decimal_places=4, null=True)
    rating_comment = models.TextField(_("rating comment"), blank=True)
    customer_key = models.CharField(_("customer"), max_length=32, blank=True)
    phone_mask = models.CharField(_("telephone"), max_length=32, blank=True)
    source_updated_at = models.DateTimeField(_("version of"))
    run = models.ForeignKey(
        ImportRun, models.PROTECT, related_name="+", verbose_name=_("delivery"), db_constraint=False
    )

    objects = querysets.ContactQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("contact"), _("contacts")
        ordering = ["-opened_at", "-id"]

    def __str__(self) -> str:
        return self.external_id


class Leg(Dayed):
    """One agent's part in one contact."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"), db_constraint=False)
    contact_external = models.CharField(_("contact at source"), max_length=120)
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"), null=True)
    reply_count = models.PositiveSmallIntegerField(_("replies"), null=True)
    end_reason = models.CharField(_("ended by"), max_length=60, blank=True)
    run = models.ForeignKey(
        ImportRun, models.PROTECT, related_name="+", verbose_name=_("delivery"), db_constraint=False
    )

    objects = querysets.FactQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("leg of a contact"), _("legs of contacts")
        ordering = ["started_at", "id"]

    def __str__(self) -> str:
        return f"{self.contact_external} {self.started_at:%H:%M}"


class BaseState(models.TextChoices):
    OFFLINE = "offline", _("offline")
    READY = "ready", _("ready")
    ON_CONTACT = "on_contact", _("on contact")
    WRAP_UP = "wrap_up", _("wrap-up")
    BREAK = "break", _("break")
    NOT_READY = "not_ready", _("not ready")


class StateInterval(Dayed):
    """What state a source saw an agent in, from when to when."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"), db_constraint=False)
    base = models.CharField(_("state"), max_length=12, choices=BaseState)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    started_at = models.DateTimeField(_("from"))
    ended_at = models.DateTimeField(_("until"), null=True)
    confidence = models.PositiveSmallIntegerField(_("confidence (%)"), default=100)
    run = models.ForeignKey(
        ImportRun, models.PROTECT, related_name="+", verbose_name=_("delivery"), db_constraint=False
    )

    objects = querysets.FactQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("state interval"), _("state intervals")
        ordering = ["started_at", "id"]

    def __str__(self) -> str:
        return f"{self.agent_external} {self.base}"


class IntervalFact(models.Model):
    """A queue's half hour as the source itself counted it."""

    source = models.ForeignKey(Source, models.PROTECT, related_name="+", verbose_name=_("source"))
    queue_external = models.CharField(_("queue at source"), max_length=200)
    queue = models.ForeignKey(Queue, models.PROTECT, null=True, related_name="+", verbose_name=_("queue"))
    started_at = models.DateTimeField(_("half hour from"))
    offered = models.PositiveIntegerField(_("offered"))
    answered = models.PositiveIntegerField(_("answered"), null=True)
    abandoned = models.PositiveIntegerField(_("abandoned"), null=True)
    handle_seconds = models.PositiveIntegerField(_("mean handling time (s)"), null=True)
    run = models.ForeignKey(ImportRun, models.PROTECT, related_name="+", verbose_name=_("delivery"))

    objects = querysets.SourceRowQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("half hour of a source"), _("half hours of sources")
        ordering = ["started_at", "queue_external"]
        constraints = [
            models.UniqueConstraint(
                name="one_interval_fact_per_half_hour", fields=["source", "queue_external", "started_at"]
            )
        ]
        indexes = [models.Index(name="interval_fact_by_queue", fields=["queue", "started_at"])]

    def __str__(self) -> str:
        return f"{self.queue_external} {self.started_at:%Y-%m-%d %H:%M}"


class DayTouch(models.Model):
    """Facts of this zone and day have changed `version` times; the night compares it with what it last rolled up."""

    zone = models.CharField(max_length=64)
    day = models.DateField()
    version = models.PositiveIntegerField(default=1)
    touched_at = models.DateTimeField(db_default=Now())

    objects = querysets.DayTouchQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_touch_per_zone_and_day", fields=["zone", "day"])]

    def __str__(self) -> str:
        return f"{self.zone} {self.day} v{self.version}"
