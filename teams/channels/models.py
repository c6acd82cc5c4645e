"""Channels of a person, hours of rest, and one row for each notice and channel: what became of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from teams import querysets


class NoticeChannel(models.Model):
    """A way to a person. Mail needs no row: without one every kind goes to the address of the account."""

    class Kind(models.TextChoices):
        MAIL = "mail", _("Mail")
        WECOM = "wecom", _("WeCom")
        DINGTALK = "dingtalk", _("DingTalk")
        FEISHU = "feishu", _("Feishu")
        SLACK = "slack", "Slack"

    owner = models.ForeignKey("teams.User", models.CASCADE, related_name="channels", verbose_name=_("person"))
    kind = models.CharField(_("service"), max_length=10, choices=Kind)
    sealed = models.TextField(
        _("address, sealed"), blank=True, editable=False
    )  # address and secret of a robot, never shown again
    fingerprint = models.CharField(
        _("fingerprint of the address"), max_length=64, blank=True, editable=False
    )  # tells the same address given twice
    hint = models.CharField(_("address"), max_length=80, blank=True, editable=False)
    unwanted = ArrayField(models.CharField(max_length=60), default=list, blank=True, verbose_name=_("not wanted here"))
    created_at = models.DateTimeField(_("added at"), db_default=Now())

    objects = querysets.OwnQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["sealed", "fingerprint"], verbose_name=_("earlier version of channel of notices")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("channel of notices"), _("channels of notices")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(name="one_mail_channel_per_person", fields=["owner"], condition=Q(kind="mail")),
            models.UniqueConstraint(
                name="one_channel_per_person_and_robot", fields=["owner", "fingerprint"], condition=~Q(fingerprint="")
            ),
            models.CheckConstraint(name="only_mail_has_no_address", condition=Q(kind="mail") ^ ~Q(sealed="")),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.hint}".strip()

    @property
    def way(self) -> str:
        """What the deliveries by this channel are known by."""
        return self.kind if self.kind == self.Kind.MAIL else f"{self.kind}:{self.pk}"


class QuietHours(models.Model):
    """When a person is not to be disturbed, on the clock of their own zone. Past midnight where the end comes first."""

    owner = models.OneToOneField("teams.User", models.CASCADE, related_name="quiet_hours", verbose_name=_("person"))
    begins = models.TimeField(_("from"))
    ends = models.TimeField(_("until"))

    objects = querysets.OwnQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of quiet hours"))

    class Meta:
        verbose_name, verbose_name_plural = _("quiet hours"), _("quiet hours")
        constraints = [models.CheckConstraint(name="quiet_hours_have_a_length", condition=~Q(begins=F("ends")))]

    def __str__(self) -> str:
        return f"{self.begins:%H:%M}-{self.ends:%H:%M}"


class NoticeDelivery(models.Model):
    """One notice by one channel: there is never a second row, so a confirmed delivery is never made again."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        PARKED = "parked", _("given up")
        DROPPED = "dropped", _("no longer due")

    notice = models.ForeignKey(
        "teams.Notice", models.CASCADE, related_name="deliveries", verbose_name=_("notice"), db_index=False
    )  # the constraint serves
    way = models.CharField(_("channel"), max_length=30)
    channel = models.ForeignKey(NoticeChannel, models.SET_NULL, null=True, related_name="deliveries")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    unclear = models.PositiveSmallIntegerField(
        default=0, editable=False
    )  # attempts that may have arrived, no word of them
    created_at = models.DateTimeField(_("written at"), db_default=Now())
    due_at = models.DateTimeField(_("due at"), db_default=Now())
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)

    objects = querysets.DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("delivery of a notice"), _("deliveries of notices")
        ordering = ["notice", "pk"]
        constraints = [models.UniqueConstraint(name="one_delivery_per_notice_and_way", fields=["notice", "way"])]
        indexes = [
            models.Index(name="notice_delivery_unsent", fields=["due_at", "id"], condition=Q(state="waiting")),
            models.Index(name="notice_delivery_parked", fields=["id"], condition=Q(state="parked")),
        ]

    def __str__(self) -> str:
        return f"{self.way} {self.state}"

    @property
    def service(self) -> str:
        """The kind of the channel, as it is called."""
        return str(NoticeChannel.Kind(self.way.partition(":")[0]).label)
