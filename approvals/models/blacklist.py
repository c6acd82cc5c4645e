"""Customers who are not served as others are, for a time, and how often that took effect.

A subject is kept as a keyed hash (`approvals.digests`) with a mask for people. Networks are kept as they are: a hash cannot be
asked which addresses it contains, and a range names no person. They are looked up by equality with each range around an
address, in an ordinary index: under row security PostgreSQL takes an index for operators that cannot leak, and `>>=` can.
"""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Now, Upper
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from approvals.models.requests import ApprovalRequest
from approvals.querysets import blacklist as querysets
from teams.models import Team, User


class NetworkField(models.Field):
    """A range of addresses as text in Python and `inet` in PostgreSQL, where an index answers what it contains."""

    def db_type(self, connection: Any) -> str:
        return "inet"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else str(value)

    def get_prep_value(self, value: Any) -> str | None:
        return str(value) if value else None


class BlockEntry(models.Model):
    """One subject, blocked for the customers of a team and all teams below, for as long as `span` says."""

    class Channel(models.TextChoices):
        """The ways a customer comes in by; the names of `performance`, so that platforms need one vocabulary."""

        PHONE = "phone", _("telephone")
        CHAT = "chat", _("chat")
        MAIL = "mail", _("mail")
        TICKET = "ticket", _("ticket")
        OTHER = "other", _("other")

    class Kind(models.TextChoices):
        PHONE = "phone", _("telephone number")
        MAIL = "mail", _("mail address")
        VISITOR = "visitor", _("visitor id")
        IP = "ip", _("IP address")
        NETWORK = "network", _("network")
        ACCOUNT = "account", _("channel account")
        CONTACT = "contact", _("contact id")
        DEVICE = "device", _("device")

    class Reason(models.TextChoices):
        ABUSE = "abuse", _("abuse")
        THREAT = "threat", _("threat")
        FRAUD = "fraud", _("fraud")
        SPAM = "spam", _("spam")
        TEST = "test", _("test contact")
        OTHER = "other", _("other")

    class Effect(models.TextChoices):
        MUTE = "mute", _("mute")
        DIVERT = "divert", _("divert to message form")
        BLOCK = "block", _("block")

    class Severity(models.IntegerChoices):
        LOW = 1, _("low")
        MEDIUM = 2, _("medium")
        HIGH = 3, _("high")

    class State(models.TextChoices):
        HELD = "held", _("held, not approved yet")
        ACTIVE = "active", _("active")
        LIFTED = "lifted", _("lifted")
        LAPSED = "lapsed", _("lapsed")

    team = models.ForeignKey(Team, models.PROTECT, related_name="block_entries", db_index=False, verbose_name=_("team"))
    subject_kind = models.CharField(_("kind of subject"), max_length=10, choices=Kind)
    digest = models.CharField(_("hash of the subject"), max_length=32)
    key_name = models.CharField(_("key of the hash"), max_length=8)  # under which key the digest was made
    customer_keys = ArrayField(
        models.CharField(max_length=32), default=list, blank=True, verbose_name=_("keys at deliveries")
    )  # as deliveries know them
    mask = models.CharField(_("subject"), max_length=60)
    network = NetworkField(_("network"), null=True, blank=True)
    reason_code = models.CharField(_("reason"), max_length=10, choices=Reason)
    evidence = models.CharField(_("evidence"), max_length=1000, blank=True)  # empty: the customer was erased
    effect = models.CharField(_("effect"), max_length=10, choices=Effect, default=Effect.BLOCK)
    channels = ArrayField(
        models.CharField(max_length=10, choices=Channel), default=list, blank=True, verbose_name=_("channels")
    )  # []: all
    severity = models.PositiveSmallIntegerField(_("severity"), choices=Severity, default=Severity.MEDIUM)
    span = DateTimeRangeField(_("from, until"))  # without an end: permanent
    review_on = models.DateField(_("review on"), null=True, blank=True)
    review_note = models.CharField(_("review note"), max_length=500, blank=True)
    appeal_note = models.CharField(_("appeal note"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State)
    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, related_name="block_entries", null=True, blank=True, verbose_name=_("request")
    )
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("asked by"))
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    made_at = models.DateTimeField(_("made at"), db_default=Now())

    objects = querysets.BlockEntryQuerySet.as_manager()
    history = HistoricalRecords(
        excluded_fields=["digest", "key_name", "customer_keys"],  # they never change, and say nothing to people
        verbose_name=_("earlier version of blacklist entry"),
    )

    class Meta:
        verbose_name, verbose_name_plural = _("blacklist entry"), _("blacklist entries")
        ordering = ["-made_at", "-pk"]
        constraints = [
            ExclusionConstraint(
                name="one_live_block_per_subject_and_team",
                expressions=[
                    ("team", RangeOperators.EQUAL),
                    ("subject_kind", RangeOperators.EQUAL),
                    (Upper("digest"), RangeOperators.EQUAL),  # else lookups by hash would take this slower index
                    ("span", RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=querysets.LIVE),
            ),
            models.CheckConstraint(name="block_has_a_beginning", condition=Q(span__lower_inf=False)),
            models.CheckConstraint(name="held_block_has_an_end", condition=~Q(state="held") | Q(span__upper_inf=False)),
            models.CheckConstraint(
                name="block_of_a_network_names_it",
                condition=Q(subject_kind="network", network__isnull=False)
                | (~Q(subject_kind="network") & Q(network__isnull=True)),
            ),
        ]
        indexes = [
            models.Index(name="block_by_digest", fields=["digest"]),
            models.Index(
                name="block_by_network", fields=["network"], condition=Q(network__isnull=False, state__in=querysets.LIVE)
            ),
            models.Index(
                Func(F("span"), function="upper"), name="block_ends", condition=Q(state__in=querysets.LIVE)
            ),
            models.Index(
                name="block_review", fields=["review_on"],
                condition=Q(review_on__isnull=False, state__in=querysets.LIVE),
            ),
            models.Index(name="block_by_team", fields=["team", "-made_at"]),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.mask


class BlockHit(models.Model):
    """An entry that matched a check. Only ever added to, and forgotten after a year."""

    id = models.BigAutoField(primary_key=True)
    entry = models.ForeignKey(
        BlockEntry, models.CASCADE, related_name="hits", db_index=False, verbose_name=_("blacklist entry")
    )
    at = models.DateTimeField(_("at"), db_default=Now())
    channel = models.CharField(_("channel"), max_length=10, choices=BlockEntry.Channel, blank=True)
    mask = models.CharField(_("asked about"), max_length=60)
    by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", db_index=False, verbose_name=_("asked by")
    )

    objects = querysets.BlockHitQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("hit of the blacklist"), _("hits of the blacklist")
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(name="block_hit_by_entry", fields=["entry", "-at"]),
            BrinIndex(name="block_hit_by_time", fields=["at"]),
        ]

    def __str__(self) -> str:
        return f"{self.mask}, {self.at:%Y-%m-%d %H:%M}"
