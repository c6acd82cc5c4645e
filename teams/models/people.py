"""Teams and the people in them. `Team.parent` is the truth; `TeamLineage` is derived by a database trigger."""

from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, DateTimeRangeField, RangeOperators
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import Combinable
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from teams import querysets
from teams.clock import check_zone
from teams.scoping import Grant

check_code = RegexValidator(r"^[\w.-]+$", _("Use letters, digits, dot, dash and underscore only."))


def same(*fields: str) -> list[tuple[str | Combinable, str]]:
    """Exclusion on equal `fields` and overlapping spans."""
    return [*((field, RangeOperators.EQUAL) for field in fields), ("span", RangeOperators.OVERLAPS)]


class Accounts(UserManager.from_queryset(querysets.UserQuerySet)):  # type: ignore[misc]
    use_in_migrations = False


class User(AbstractUser):
    """An account. What it may see follows from grants on teams and from the agent it belongs to, never from a role name."""

    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    full_name = models.CharField(_("name"), max_length=120, blank=True)
    language = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, blank=True)
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_zone])
    is_suspended = models.BooleanField(
        _("kept out while suspended"), default=False, db_default=False
    )  # with the agent: `set_status`

    objects: ClassVar[Accounts] = Accounts()
    history = HistoricalRecords(
        excluded_fields=["password", "last_login"], verbose_name=_("earlier version of account")
    )

    class Meta:
        verbose_name, verbose_name_plural = _("account"), _("accounts")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.full_name or self.username

    def get_full_name(self) -> str:
        return self.full_name or self.username

    def get_short_name(self) -> str:
        return self.get_full_name()


class Skill(models.Model):
    """A word of the organisation's shared vocabulary of skills; it belongs to no team and says nothing about people."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[check_code])
    name = models.CharField(_("name"), max_length=80)
    history = HistoricalRecords(verbose_name=_("earlier version of skill"))

    class Meta:
        verbose_name, verbose_name_plural = _("skill"), _("skills")
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    code = models.CharField(_("code"), max_length=40, unique=True, validators=[check_code])
    name = models.CharField(_("name"), max_length=120)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("team above")
    )
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", validators=[check_zone])
    is_closed = models.BooleanField(_("closed"), default=False)

    objects = querysets.TeamQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of team"))

    class Meta:
        verbose_name, verbose_name_plural = _("team"), _("teams")
        ordering = ["name", "pk"]
        permissions = [
            (Grant.OBSERVE.value, "OBSERVE: read roster and figures"),
            (Grant.LEAD.value, "LEAD: lead the team"),
            (Grant.ONBOARD.value, "ONBOARD: hire, onboard and train"),
            (Grant.REVIEW.value, "REVIEW: review quality"),
            (Grant.SETTLE.value, "SETTLE: wages and incentives"),
        ]
        constraints = [models.CheckConstraint(name="team_is_not_its_own_parent", condition=~Q(parent=F("pk")))]

    def __str__(self) -> str:
        return self.name


class TeamLineage(models.Model):
    """Who stands above whom: one row per pair, each team above itself at depth 0. Written by a trigger on Team only."""

    ancestor = models.ForeignKey(Team, models.CASCADE, related_name="descent")
    descendant = models.ForeignKey(Team, models.CASCADE, related_name="ascent")
    depth = models.PositiveSmallIntegerField()

    objects = querysets.LineageQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="one_lineage_row_per_pair", fields=["ancestor", "descendant"])]

    def __str__(self) -> str:
        return f"{self.ancestor_id} > {self.descendant_id}"


class TeamPlacement(models.Model):
    """Where a team stood in the tree, by date: past reports add up by the tree of their day. A start after today is a plan."""

    team = models.ForeignKey(Team, models.CASCADE, related_name="placements", verbose_name=_("team"))
    parent = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("team above")
    )
    span = DateRangeField(_("from, until"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = querysets.PlacementQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of placement"))

    class Meta:
        verbose_name, verbose_name_plural = _("placement in the tree"), _("placements in the tree")
        ordering = ["team", "span"]
        constraints = [ExclusionConstraint(name="one_placement_per_team_and_day", expressions=same("team"))]

    def __str__(self) -> str:
        return f"{self.team} < {self.parent or '-'}"


class Agent(models.Model):
    class Role(models.TextChoices):
        TRAINEE = "trainee", _("Trainee")
        AGENT = "agent", _("Agent")
        SENIOR = "senior", _("Senior agent")
        MENTOR = "mentor", _("Mentor")
        LEAD = "lead", _("Team lead")

    class Status(models.TextChoices):
        HIRED = "hired", _("Hired, not started")
        ONBOARDING = "onboarding", _("Onboarding")
        PROBATION = "probation", _("On probation")
        ACTIVE = "active", _("Active")
        ON_LEAVE = "on_leave", _("On long leave")
        SUSPENDED = "suspended", _("Suspended")
        LEFT = "left", _("Left")

    number = models.CharField(_("number"), max_length=40, unique=True, validators=[check_code])
    name = models.CharField(_("name"), max_length=120)
    user = models.OneToOneField(
        User, models.PROTECT, null=True, blank=True, related_name="agent", verbose_name=_("account")
    )
    # The home team and the zone of today: derived from Membership and AgentZone by teams.services, never edited.
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="agents", editable=False, verbose_name=_("team")
    )
    zone = models.CharField(_("time zone"), max_length=64, default="UTC", editable=False, validators=[check_zone])
    locale = models.CharField(_("language"), max_length=10, choices=settings.LANGUAGES, default="en")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.AGENT)
    skills = models.ManyToManyField(Skill, blank=True, related_name="agents", verbose_name=_("skills"))
    status = models.CharField(_("employment"), max_length=10, choices=Status, default=Status.ACTIVE)
    started_on = models.DateField(_("first day"), null=True, blank=True)
    left_on = models.DateField(_("left on"), null=True, blank=True, editable=False)

    objects = querysets.AgentQuerySet.as_manager()
    history = HistoricalRecords(m2m_fields=[skills], verbose_name=_("earlier version of agent"))

    class Meta:
        verbose_name, verbose_name_plural = _("agent"), _("agents")
        ordering = ["number"]
        indexes = [models.Index(name="agent_by_team", fields=["team", "number"])]
        constraints = [
            models.CheckConstraint(
                name="agent_left_after_start",
                condition=Q(left_on=None) | Q(started_on=None) | Q(left_on__gte=F("started_on")),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.number})"


class AgentZone(models.Model):
    """The zone an agent worked in, by instant: the day of a fact is the civil date in the zone of that instant."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="zones", verbose_name=_("agent"))
    zone = models.CharField(_("time zone"), max_length=64, validators=[check_zone])
    span = DateTimeRangeField(_("from, until"))

    objects = querysets.AgentZoneQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of time zone"))

    class Meta:
        verbose_name, verbose_name_plural = _("time zone of agent"), _("time zones of agents")
        ordering = ["agent", "span"]
        constraints = [ExclusionConstraint(name="one_zone_per_agent_and_moment", expressions=same("agent"))]

    def __str__(self) -> str:
        return self.zone


class Membership(models.Model):
    """The home team of an agent, by local day."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="memberships", verbose_name=_("agent"))
    team = models.ForeignKey(Team, models.PROTECT, related_name="memberships", verbose_name=_("team"))
    span = DateRangeField(_("from, until"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = querysets.DatedQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of membership"))

    class Meta:
        verbose_name, verbose_name_plural = _("membership"), _("memberships")
        ordering = ["agent", "span"]
        constraints = [ExclusionConstraint(name="one_home_team_per_agent_and_day", expressions=same("agent"))]

    def __str__(self) -> str:
        return f"{self.agent_id} in {self.team}"


class Loan(models.Model):
    """An agent lent to another team for some days. Ends by itself; the facts of these days belong to the borrowing team."""

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="loans", verbose_name=_("agent"))
    team = models.ForeignKey(Team, models.PROTECT, related_name="loans", verbose_name=_("borrowing team"))
    span = DateRangeField(_("from, until"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = querysets.DatedQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of loan"))

    class Meta:
        verbose_name, verbose_name_plural = _("loan"), _("loans")
        ordering = ["agent", "span"]
        constraints = [
            ExclusionConstraint(name="one_loan_per_agent_team_and_day", expressions=same("agent", "team")),
            models.CheckConstraint(name="loan_has_an_end", condition=Q(span__upper_inf=False)),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id} to {self.team}"


class Compensation(models.Model):
    """What an agent earns, in a table of its own: no column to filter, sort, export or find in another table's history."""

    class Basis(models.TextChoices):
        DAILY = "daily", _("per day")
        MONTHLY = "monthly", _("per month")

    agent = models.ForeignKey(Agent, models.PROTECT, related_name="compensations", verbose_name=_("agent"))
    basis = models.CharField(_("basis"), max_length=10, choices=Basis, default=Basis.DAILY)
    amount = models.DecimalField(
        _("amount"), max_digits=12, decimal_places=2, validators=[MinValueValidator(Decimal("0.01"))]
    )
    currency = models.CharField(_("currency"), max_length=3, validators=[RegexValidator(r"^[A-Z]{3}$")])
    span = DateRangeField(_("from, until"))

    objects = querysets.CompensationQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of compensation"))

    class Meta:
        verbose_name, verbose_name_plural = _("compensation"), _("compensations")
        ordering = ["agent", "span"]
        constraints = [
            ExclusionConstraint(name="one_compensation_per_agent_and_day", expressions=same("agent")),
            models.CheckConstraint(name="compensation_is_positive", condition=Q(amount__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.agent_id}"
