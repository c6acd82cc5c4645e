"""What the night makes of the facts: rollups, reports as sent; and the targets they are held against.

Rollups keep no history: they are rebuilt from the facts.
"""

from decimal import Decimal

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from performance import querysets
from performance.models.sources import Queue
from teams.models import Agent, Team
from teams.models.people import same


class Measures(models.Model):
    """Counts and sums that metrics divide: every ratio is kept as numerator and denominator, never as a quotient."""

    contacts = models.PositiveIntegerField(_("contacts counted"), default=0)  # counted contacts of the agent that day
    closed = models.PositiveIntegerField(_("closed"), default=0)  # of these, ended
    closed_simple = models.PositiveIntegerField(_("closed, simple"), default=0)
    closed_complex = models.PositiveIntegerField(_("closed, complex"), default=0)
    judged = models.PositiveIntegerField(_("with a known outcome"), default=0)  # whether it is resolved is known
    resolved = models.PositiveIntegerField(_("resolved"), default=0)
    rated = models.PositiveIntegerField(_("rated"), default=0)
    satisfied = models.PositiveIntegerField(_("rated satisfied"), default=0)
    rating_sum = models.DecimalField(_("sum of ratings"), max_digits=14, decimal_places=4, default=Decimal(0))
    timed = models.PositiveIntegerField(_("with a handling time"), default=0)  # handling time known
    timed_estimated = models.PositiveIntegerField(
        _("with an estimated handling time"), default=0
    )  # of these, estimated from message gaps
    handle_seconds = models.PositiveBigIntegerField(_("handling time in all (s)"), default=0)
    timed_simple = models.PositiveIntegerField(_("with a handling time, simple"), default=0)
    handle_seconds_simple = models.PositiveBigIntegerField(_("handling time in all, simple (s)"), default=0)
    timed_complex = models.PositiveIntegerField(_("with a handling time, complex"), default=0)
    handle_seconds_complex = models.PositiveBigIntegerField(_("handling time in all, complex (s)"), default=0)
    handle_p90_seconds = models.PositiveIntegerField(
        _("nine of ten handled within (s)"), null=True
    )  # discrete 90th percentile; not summable
    replied_first = models.PositiveIntegerField(_("with a first reply"), default=0)
    first_reply_seconds = models.PositiveBigIntegerField(_("time to first reply in all (s)"), default=0)
    reopened = models.PositiveIntegerField(_("reopened"), default=0)
    transferred = models.PositiveIntegerField(_("transferred"), default=0)

    class Meta:
        abstract = True


class AgentDay(Measures):
    """An agent's day in one team and zone."""

    day = models.DateField(_("day"))
    zone = models.CharField(_("time zone"), max_length=64)
    # No constraint and no index of their own: rebuilt from facts every night, and the two indexes below serve both.
    agent = models.ForeignKey(
        Agent, models.PROTECT, related_name="days", verbose_name=_("agent"), db_constraint=False, db_index=False
    )
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        related_name="agent_days",
        verbose_name=_("team of the day"),
        db_constraint=False,
        db_index=False,
    )

    objects = querysets.FactQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("agent day"), _("agent days")
        ordering = ["-day", "agent"]
        constraints = [
            models.UniqueConstraint(name="one_agent_day_per_team_and_zone", fields=["agent", "day", "team", "zone"])
        ]
        indexes = [models.Index(name="agent_day_by_team", fields=["team", "day"])]

    def __str__(self) -> str:
        return f"{self.agent_id} {self.day}"


class TeamDay(Measures):
    """A team's own day, without the teams below."""

    day = models.DateField(_("day"))
    # No index of its own: that of `one_team_day` begins with the team.
    team = models.ForeignKey(Team, models.PROTECT, related_name="days", verbose_name=_("team"), db_index=False)
    agents = models.PositiveIntegerField(_("agents at work"), default=0)

    objects = querysets.TeamFactQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("team day"), _("team days")
        ordering = ["-day", "team"]
        constraints = [models.UniqueConstraint(name="one_team_day", fields=["team", "day"])]

    def __str__(self) -> str:
        return f"{self.team_id} {self.day}"


class QueueHalfHour(models.Model):
    """A queue's half hour in the queue's own zone; `is_reported` when the source counted it itself."""

    # No constraint: only the roll-up writes rows, from queues that it holds until it ends, and no door deletes a queue. Each
    # row's look at its queue took longer than the row. No index of its own: the constraint below begins with the queue.
    queue = models.ForeignKey(
        Queue,
        models.PROTECT,
        related_name="half_hours",
        verbose_name=_("queue"),
        db_constraint=False,
        db_index=False,
    )
    started_at = models.DateTimeField(_("half hour from"))
    day = models.DateField(_("day"))
    offered = models.PositiveIntegerField(_("offered"), default=0)
    answered = models.PositiveIntegerField(_("answered"), default=0)
    abandoned = models.PositiveIntegerField(_("abandoned"), default=0)
    answered_in_time = models.PositiveIntegerField(_("answered in time"), default=0)
    waited = models.PositiveIntegerField(_("with a known waiting time"), default=0)
    wait_seconds = models.PositiveBigIntegerField(_("waiting time in all (s)"), default=0)
    timed = models.PositiveIntegerField(_("with a handling time"), default=0)
    handle_seconds = models.PositiveBigIntegerField(_("handling time in all (s)"), default=0)
    is_reported = models.BooleanField(_("counted by the source"), default=False)

    objects = querysets.QueueFactQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("half hour of a queue"), _("half hours of queues")
        ordering = ["queue", "started_at"]
        constraints = [models.UniqueConstraint(name="one_row_per_queue_half_hour", fields=["queue", "started_at"])]
        indexes = [models.Index(name="queue_half_hour_by_day", fields=["day", "queue"])]

    def __str__(self) -> str:
        return f"{self.queue_id} {self.started_at:%Y-%m-%d %H:%M}"


class Target(models.Model):
    """What a metric should reach, per team and role, by local day. The nearest team above decides; a role beats none."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="targets", verbose_name=_("team"))
    role = models.CharField(_("role"), max_length=10, choices=Agent.Role, blank=True)
    metric = models.CharField(_("figure"), max_length=40)
    value = models.DecimalField(
        _("target"), max_digits=12, decimal_places=4, validators=[MinValueValidator(Decimal(0))]
    )
    span = DateRangeField(_("from, until"))

    objects = querysets.TargetQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of target"))

    class Meta:
        verbose_name, verbose_name_plural = _("target"), _("targets")
        ordering = ["team", "metric", "role", "span"]
        constraints = [
            ExclusionConstraint(
                name="one_target_per_team_role_metric_and_day", expressions=same("team", "role", "metric")
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric}: {self.value.normalize():f}"


class NightlyReport(models.Model):
    """A team's report for one day, kept as sent: figures only, words are put in by whoever shows it. Late facts revise."""

    team = models.ForeignKey(Team, models.PROTECT, related_name="reports", verbose_name=_("team"))
    day = models.DateField(_("day"))
    revision = models.PositiveIntegerField(_("revision"), default=1)
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    payload = models.JSONField(_("content"))

    objects = querysets.ReportQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("nightly report"), _("nightly reports")
        ordering = ["-day", "team", "-revision"]
        constraints = [
            models.UniqueConstraint(name="one_report_per_team_day_revision", fields=["team", "day", "revision"])
        ]

    def __str__(self) -> str:
        return f"{self.team} {self.day}"
