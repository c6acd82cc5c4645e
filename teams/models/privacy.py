"""Tables about people's data as such: the organisation's rules, copies handed out, erasures and their tombstones."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from teams import querysets


class PrivacyRules(models.Model):
    """The one row of rules: from which networks sensitive data may be read, how long each class is kept, how many reveals."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    networks = models.TextField(_("allowed networks"), blank=True)
    kept = models.JSONField(_("kept for"), default=dict, blank=True)  # class of retention -> count of its unit
    reveals_a_day = models.PositiveSmallIntegerField(
        _("telephones shown to one person in 24 hours"),
        default=20,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )

    objects = querysets.OperatorQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of rules"))

    class Meta:
        verbose_name, verbose_name_plural = _("rules for people's data"), _("rules for people's data")
        constraints = [models.CheckConstraint(name="one_row_of_privacy_rules", condition=Q(id=1))]

    def __str__(self) -> str:
        return str(self._meta.verbose_name)

    @classmethod
    def current(cls) -> "PrivacyRules":
        """The rules in force; as they come where nobody has set any."""
        return cls.objects.filter(pk=1).first() or cls()


class DataCopy(models.Model):
    """A copy of one person's data, made by a job, for the one who asked and for seven days."""

    class State(models.TextChoices):
        WAITING = "waiting", _("being made")
        READY = "ready", _("ready")
        GONE = "gone", _("deleted")
        CANCELLED = "cancelled", _("cancelled")

    agent = models.ForeignKey(
        "teams.Agent", models.PROTECT, null=True, related_name="data_copies", verbose_name=_("agent")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("account")
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked for by")
    )
    asked_at = models.DateTimeField(_("asked for at"), db_default=Now())
    reason = models.CharField(_("reason"), max_length=100, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    file = models.FileField(_("file"), upload_to="people", blank=True)
    until = models.DateTimeField(_("can be had until"), null=True)
    downloads = models.PositiveIntegerField(_("downloads"), default=0)
    last_download_at = models.DateTimeField(_("last download"), null=True)

    objects = querysets.DataCopyQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("copy of a person's data"), _("copies of persons' data")
        ordering = ["-asked_at", "-pk"]
        constraints = [models.CheckConstraint(name="copy_is_about_somebody", condition=~Q(agent=None) | ~Q(user=None))]

    def __str__(self) -> str:
        return str(self.agent or self.user)


class Erasure(models.Model):
    """The erasure of one person who left, or of one customer: asked for by one, confirmed by another, done by a job."""

    class State(models.TextChoices):
        ASKED = "asked", _("waits for a second person")
        CONFIRMED = "confirmed", _("confirmed, being done")
        DONE = "done", _("erased")
        WITHDRAWN = "withdrawn", _("withdrawn")

    agent = models.ForeignKey(
        "teams.Agent", models.PROTECT, null=True, related_name="erasures", verbose_name=_("agent")
    )
    customer_key = models.CharField(_("customer"), max_length=32, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ASKED)
    reason = models.CharField(_("reason"), max_length=100)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("asked for by")
    )
    asked_at = models.DateTimeField(_("asked for at"), db_default=Now())
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("settled by")
    )
    settled_at = models.DateTimeField(_("settled at"), null=True)
    done_at = models.DateTimeField(_("erased at"), null=True)
    counts = models.JSONField(_("what went"), default=dict)

    objects = querysets.ErasureQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of erasure"))

    class Meta:
        verbose_name, verbose_name_plural = _("erasure"), _("erasures")
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="erasure_is_of_one",
                condition=(Q(agent=None) & ~Q(customer_key="")) | (~Q(agent=None) & Q(customer_key="")),
            ),
            models.CheckConstraint(
                name="erasure_takes_two",
                condition=~Q(state__in=["confirmed", "done"]) | ~Q(settled_by=F("asked_by")),
            ),
            models.UniqueConstraint(
                name="one_open_erasure_per_agent", fields=["agent"], condition=Q(state__in=["asked", "confirmed"])
            ),
        ]

    def __str__(self) -> str:
        return str(self.agent) if self.agent_id else f"{_('customer')} {self.customer_key[:8]}…"


class Tombstone(models.Model):
    """Who has been erased, as a keyed hash, so that a restored backup can be made to forget them again. Kept as a file too."""

    class Kind(models.TextChoices):
        AGENT = "agent", _("agent")
        CUSTOMER = "customer", _("customer")

    kind = models.CharField(max_length=10, choices=Kind)
    digest = models.CharField(max_length=32)  # of an agent: a keyed hash of the id; of a customer: the customer's key
    pseudonym = models.CharField(max_length=16)
    erased_at = models.DateTimeField()

    objects = querysets.OperatorQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("tombstone"), _("tombstones")
        ordering = ["erased_at", "pk"]
        constraints = [
            models.UniqueConstraint(name="one_tombstone_per_erasure", fields=["kind", "digest", "erased_at"])
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pseudonym}"
