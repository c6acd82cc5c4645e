"""What was worked and reached, without amounts: recorded minutes, corrected counts, attainment, lifted gates."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from approvals.models import ApprovalRequest
from incentives import querysets
from incentives.models.plans import PlanVersion, known
from teams.models import Agent, Team, User


class DayRecord(models.Model):
    """Something of a day that counts for pay and that no other part of Outpost tells of (`incentives.supply`)."""

    class What(models.TextChoices):
        LEAVE = "leave", _("leave")
        TRAINING = "training", _("protected training")
        COACHING = "coaching", _("coaching")
        OUTAGE = "outage", _("outage")
        OVERTIME = "overtime", _("overtime")
        RAMP = "ramp", _("share of the target while learning")
        CRITICAL = "critical", _("critical failures of quality")
        CERTIFICATE = "certificate", _("security certificate signed")

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False, verbose_name=_("agent"))
    day = models.DateField(_("day"))
    what = models.CharField(_("what"), max_length=12, choices=What)
    amount = models.DecimalField(
        _("amount"), max_digits=8, decimal_places=4, validators=[MinValueValidator(0), MaxValueValidator(1440)],
        help_text=_("Minutes; of learning, the share of the target from 0 to 1; of failures, their count."),
    )  # fmt: skip
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())

    objects = querysets.DayRecordQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of day record"))

    class Meta:
        verbose_name, verbose_name_plural = _("record of a day"), _("records of days")
        ordering = ["-day", "agent", "what"]
        constraints = [
            models.UniqueConstraint(name="one_record_per_agent_day_and_what", fields=["agent", "day", "what"]),
            models.CheckConstraint(name="day_record_is_not_negative", condition=Q(amount__gte=0, amount__lte=1440)),
            models.CheckConstraint(
                name="share_of_a_learner_is_at_most_one", condition=~Q(what="ramp") | Q(amount__lte=1)
            ),
        ]
        indexes = [models.Index(name="day_record_by_day", fields=["day"])]

    def __str__(self) -> str:
        return f"{known(self, 'agent')}, {self.day}: {self.get_what_display()}"


class Correction(models.Model):
    """A count of a day that was wrong, put right by so much: what an accepted dispute leaves. Never changed."""

    class Count(models.TextChoices):
        SIMPLE = "closed_simple", _("closed, simple")
        COMPLEX = "closed_complex", _("closed, complex")
        REOPENED = "reopened", _("reopened")
        SATISFIED = "satisfied", _("rated satisfied")
        RATED = "rated", _("rated")
        RESOLVED = "resolved", _("resolved")
        JUDGED = "judged", _("with a known outcome")

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False, verbose_name=_("agent"))
    day = models.DateField(_("day"))
    count = models.CharField(_("figure"), max_length=16, choices=Count)
    by_how_much = models.SmallIntegerField(_("by how much"))
    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="+", verbose_name=_("request"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())

    objects = querysets.CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("corrected count"), _("corrected counts")
        ordering = ["-day", "agent", "count"]
        constraints = [
            models.UniqueConstraint(name="one_correction_per_request_and_count", fields=["request", "count"]),
            models.CheckConstraint(name="correction_changes_something", condition=~Q(by_how_much=0)),
        ]
        indexes = [models.Index(name="correction_by_agent", fields=["agent", "day"])]

    def __str__(self) -> str:
        return f"{known(self, 'agent')}, {self.day}: {self.by_how_much:+d}"


class Attainment(models.Model):
    """What an agent reached in one measure period by one version of a plan, and the counts it rests on. Made anew whenever they
    change; money stands in `Entry` alone."""

    # As with the rollups: made from facts by sets, so without constraints and indexes of their own.
    agent = models.ForeignKey(
        Agent, models.PROTECT, related_name="+", verbose_name=_("agent"), db_constraint=False, db_index=False
    )
    team = models.ForeignKey(
        Team, models.PROTECT, related_name="+", verbose_name=_("team of the day"), db_constraint=False, db_index=False
    )
    version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="+", verbose_name=_("version of incentive plan"), db_constraint=False,
        db_index=False,
    )  # fmt: skip
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"))  # the last day, included
    facts = models.JSONField(_("counts"))
    digest = models.CharField(_("fingerprint of the counts"), max_length=32)
    attained = models.DecimalField(_("attainment"), max_digits=14, decimal_places=6, null=True)  # for lists; cut off
    reached = models.PositiveSmallIntegerField(_("tier"), default=0)
    demoted = models.PositiveSmallIntegerField(_("tiers taken off"), default=0)
    missed = models.CharField(_("gates not met"), max_length=80, blank=True)
    lack = models.CharField(_("what is lacking"), max_length=20, blank=True)  # why there is no wage to pay a share of

    objects = querysets.AttainmentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("attainment"), _("attainments")
        ordering = ["-begins", "agent"]
        constraints = [
            models.UniqueConstraint(
                name="one_attainment_per_agent_version_and_day", fields=["agent", "begins", "version"]
            )
        ]
        indexes = [models.Index(name="attainment_by_team", fields=["team", "begins"])]

    def __str__(self) -> str:
        return f"{known(self, 'agent')}, {self.begins}"


class KeptFacts(models.Model):
    """Counts that an entry was posted on and that have changed since, by their digest."""

    digest = models.CharField(primary_key=True, max_length=32)
    facts = models.JSONField()

    objects = querysets.KeptFactsQuerySet.as_manager()

    def __str__(self) -> str:
        return self.digest


class GateOverride(models.Model):
    """A gate that two people have lifted for one line."""

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False, verbose_name=_("agent"))
    version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="+", verbose_name=_("version of incentive plan")
    )
    begins = models.DateField(_("from"))
    gate = models.CharField(_("gate"), max_length=12)
    request = models.ForeignKey(ApprovalRequest, models.PROTECT, related_name="+", verbose_name=_("request"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())

    objects = querysets.CorrectionQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("lifted gate"), _("lifted gates")
        ordering = ["-begins", "agent"]
        constraints = [
            models.UniqueConstraint(
                name="one_override_per_line_and_gate", fields=["agent", "begins", "version", "gate"]
            )
        ]

    def __str__(self) -> str:
        return f"{known(self, 'agent')}, {self.begins}"
