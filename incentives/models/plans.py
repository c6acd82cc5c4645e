"""Plans, their versions by work date, and who has read them."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from approvals.models import ApprovalRequest
from incentives import querysets
from teams.models import Agent, Team, User
from teams.models.people import same

check_earning_code = RegexValidator(
    r"^[A-Za-z0-9._-]+$", _("Write the payroll's code in letters, digits, dot, dash and underscore.")
)


def known(row: models.Model, relation: str) -> object:
    """The related row where it is read already, else its id: what a row is called must not cost a query."""
    return row._state.fields_cache.get(relation) or getattr(row, f"{relation}_id")


class Plan(models.Model):
    """What a team and all below it earn on top. On a day the nearest plan above an agent's team holds, and within a team one
    that names the agent's role before one for everybody."""

    team = models.ForeignKey(Team, models.PROTECT, related_name="incentive_plans", verbose_name=_("team"))
    name = models.CharField(_("name"), max_length=120)
    roles = ArrayField(
        models.CharField(max_length=10, choices=Agent.Role), default=list, blank=True, verbose_name=_("roles")
    )  # []: everybody
    earning_code = models.CharField(
        _("earning code of the payroll"), max_length=40, blank=True, validators=[check_earning_code]
    )
    is_closed = models.BooleanField(_("closed"), default=False)
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())

    objects = querysets.PlanQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of incentive plan"))

    class Meta:
        verbose_name, verbose_name_plural = _("incentive plan"), _("incentive plans")
        ordering = ["name", "pk"]
        constraints = [models.UniqueConstraint(name="one_plan_per_team_and_name", fields=["team", "name"])]

    def __str__(self) -> str:
        return self.name


class PlanVersion(models.Model):
    """The terms of a plan (`incentives.plain.terms`) for the work days of `span`. Once published they never change."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        WITHDRAWN = "withdrawn", _("withdrawn")

    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions", verbose_name=_("incentive plan"))
    number = models.PositiveIntegerField(_("version"))
    terms = models.JSONField(_("terms"))
    span = DateRangeField(_("from, until"))  # a draft's is what it would be
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DRAFT)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    request = models.ForeignKey(
        ApprovalRequest, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("request")
    )
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    published_at = models.DateTimeField(_("published at"), null=True, blank=True)

    objects = querysets.PlanVersionQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of plan version"))

    class Meta:
        verbose_name, verbose_name_plural = _("version of incentive plan"), _("versions of incentive plans")
        ordering = ["plan", "-number"]
        constraints = [
            models.UniqueConstraint(name="one_plan_version_per_number", fields=["plan", "number"]),
            ExclusionConstraint(
                name="one_published_version_per_plan_and_day", expressions=same("plan"), condition=Q(state="published")
            ),
            models.CheckConstraint(name="plan_version_has_a_first_day", condition=Q(span__lower_inf=False)),
        ]

    def __str__(self) -> str:
        return f"{known(self, 'plan')} v{self.number}"


class Acknowledgement(models.Model):
    """An agent has read a version of the plan."""

    version = models.ForeignKey(
        PlanVersion, models.CASCADE, related_name="acknowledgements", verbose_name=_("version of incentive plan")
    )
    agent = models.ForeignKey(Agent, models.CASCADE, related_name="+", verbose_name=_("agent"))
    at = models.DateTimeField(_("at"), db_default=Now())

    objects = querysets.AcknowledgementQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("acknowledgement of a plan"), _("acknowledgements of plans")
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(name="one_acknowledgement_per_agent_and_version", fields=["version", "agent"])
        ]

    def __str__(self) -> str:
        return f"{known(self, 'agent')}: {known(self, 'version')}"
