"""Money: runs, the entries they post, and the batches that pay them. All of it under SETTLE.

Entries are only added (migration 0002): of one that stands, nothing but its batch may be named, once.
"""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from approvals.models import ApprovalRequest
from incentives import querysets
from incentives.models.plans import Plan, PlanVersion, known
from teams.models import Agent, Team, User


class Run(models.Model):
    """A pay-out month of a plan and how far it is (`incentives.plain.periods.Stage`)."""

    class Stage(models.TextChoices):
        OPEN = "open", _("open")
        CALCULATED = "calculated", _("calculated")
        IN_REVIEW = "in_review", _("in review")
        APPROVED = "approved", _("approved")
        LOCKED = "locked", _("locked")
        EXPORTED = "exported", _("exported")
        PAID = "paid", _("paid")

    plan = models.ForeignKey(
        Plan, models.PROTECT, related_name="runs", db_index=False, verbose_name=_("incentive plan")
    )
    month = models.DateField(_("month"))  # its first day
    stage = models.CharField(_("stage"), max_length=12, choices=Stage, default=Stage.OPEN)
    lines = models.PositiveIntegerField(_("lines"), default=0)
    agents = models.PositiveIntegerField(_("agents"), default=0)
    lacking = models.PositiveIntegerField(_("lines without a wage"), default=0)
    sums = models.JSONField(_("sums"), default=dict, blank=True)  # currency -> amount as text
    input_hash = models.CharField(_("input"), max_length=32, blank=True)
    calculated_at = models.DateTimeField(_("calculated at"), null=True, blank=True)
    reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("sent to review by")
    )
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )

    objects = querysets.RunQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of incentive run"))

    class Meta:
        verbose_name, verbose_name_plural = _("incentive run"), _("incentive runs")
        ordering = ["-month", "plan"]
        constraints = [
            models.UniqueConstraint(name="one_run_per_plan_and_month", fields=["plan", "month"]),
            models.CheckConstraint(name="run_is_of_a_whole_month", condition=Q(month__day=1)),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.month:%Y-%m}"


class Batch(models.Model):
    """What is paid for a run, or between two runs as a correction: fixed when it is made, released by a second person."""

    class State(models.TextChoices):
        MADE = "made", _("waits for release")
        RELEASED = "released", _("released")
        EXPORTED = "exported", _("exported")
        PAID = "paid", _("paid")

    run = models.ForeignKey(Run, models.PROTECT, related_name="batches", verbose_name=_("incentive run"))
    number = models.PositiveIntegerField(_("number"))
    is_correction = models.BooleanField(_("correction"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.MADE)
    count = models.PositiveIntegerField(_("items"))
    sums = models.JSONField(_("sums"), default=dict)  # currency -> amount as text
    checksum = models.CharField(_("checksum"), max_length=64)
    format_version = models.PositiveSmallIntegerField(_("format"), default=1)
    pay_on = models.DateField(_("pay date"), null=True, blank=True)
    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("request")
    )
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    released_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("released by")
    )
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)

    objects = querysets.BatchQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of pay-out batch"))

    class Meta:
        verbose_name, verbose_name_plural = _("pay-out batch"), _("pay-out batches")
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(name="one_batch_per_run_and_number", fields=["run", "number"]),
            models.UniqueConstraint(name="one_regular_batch_per_run", fields=["run"], condition=Q(is_correction=False)),
        ]

    def __str__(self) -> str:
        return f"{self.run} #{self.number}"


class BatchItem(models.Model):
    """What one person is paid with a batch, in one currency. Never changed."""

    batch = models.ForeignKey(
        Batch, models.PROTECT, related_name="items", db_index=False, verbose_name=_("pay-out batch")
    )
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", verbose_name=_("agent"))
    employee = models.CharField(_("employee number"), max_length=40)
    code = models.CharField(_("earning code"), max_length=40)
    currency = models.CharField(_("currency"), max_length=3)
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=4)
    earned_from = models.DateField(_("earned from"))
    earned_until = models.DateField(_("earned until"))
    cost_centre = models.CharField(_("cost centre"), max_length=40, blank=True)

    objects = querysets.BatchPartQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("item of a pay-out batch"), _("items of pay-out batches")
        ordering = ["batch", "employee", "code", "currency"]
        constraints = [
            models.UniqueConstraint(
                name="one_item_per_batch_person_code_and_currency", fields=["batch", "employee", "code", "currency"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.employee} {self.code}"


class BatchDownload(models.Model):
    """Who took a file of a batch, when, from where."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="downloads", verbose_name=_("pay-out batch"))
    by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("downloaded by"))
    at = models.DateTimeField(_("at"), db_default=Now())
    format = models.CharField(_("format"), max_length=4)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)

    objects = querysets.BatchPartQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("download of a pay-out batch"), _("downloads of pay-out batches")
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{known(self, 'batch')} {self.format}"


class Entry(models.Model):
    """A signed amount of a line. `month` is the pay-out month it belongs to; what corrects a line says so by its kind."""

    class Kind(models.TextChoices):
        LINE = "line", _("line")
        DELTA = "delta", _("difference")
        CAP = "cap", _("over the cap")
        CARRIED = "carried", _("carried over")

    id = models.BigAutoField(primary_key=True)
    agent = models.ForeignKey(Agent, models.PROTECT, related_name="+", db_index=False, verbose_name=_("agent"))
    team = models.ForeignKey(Team, models.PROTECT, related_name="+", db_index=False, verbose_name=_("team of the day"))
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="+", db_index=False, verbose_name=_("incentive plan"))
    version = models.ForeignKey(
        PlanVersion, models.PROTECT, related_name="+", db_index=False, verbose_name=_("version of incentive plan")
    )
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"))
    month = models.DateField(_("pay-out month"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    cause = models.CharField(_("cause"), max_length=80)
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=4)
    withheld = models.DecimalField(_("withheld"), max_digits=16, decimal_places=4, default=Decimal(0))
    currency = models.CharField(_("currency"), max_length=3)
    wages = models.JSONField(_("daily wages"), default=list)  # one exact text for each day of the facts
    digest = models.CharField(_("fingerprint of the counts"), max_length=32, blank=True)  # of those it rests on
    batch = models.ForeignKey(
        Batch, models.PROTECT, null=True, blank=True, related_name="entries", verbose_name=_("pay-out batch")
    )
    posted_at = models.DateTimeField(_("posted at"), db_default=Now())

    objects = querysets.EntryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("entry"), _("entries")
        ordering = ["-posted_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_entry_per_line_kind_and_cause", fields=["agent", "begins", "version", "kind", "cause"]
            ),
            models.CheckConstraint(
                name="entry_says_something", condition=~Q(amount=0) | ~Q(withheld=0) | Q(kind="delta")
            ),
        ]
        indexes = [models.Index(name="entry_by_plan_and_month", fields=["plan", "month", "agent"])]

    def __str__(self) -> str:
        return f"{known(self, 'agent')}, {self.begins}: {self.get_kind_display()}"


class Simulation(models.Model):
    """A draft on days that have been: what it would cost, who gains and loses. Made by a run of the ledger."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    version = models.ForeignKey(
        PlanVersion, models.CASCADE, related_name="simulations", verbose_name=_("version of incentive plan")
    )
    month = models.DateField(_("month"))
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    result = models.JSONField(_("result"), default=dict, blank=True)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())

    objects = querysets.SimulationQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("simulation of a plan"), _("simulations of plans")
        ordering = ["-made_at", "-pk"]

    def __str__(self) -> str:
        return f"{known(self, 'version')}, {self.month:%Y-%m}"
