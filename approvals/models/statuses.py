"""What agents are doing: reasons as shared words, spans of the time line, and what a team must keep covered.

`StatusSpan` is a fact and keeps no history of its own: each says who set it, whence and how sure; what a correction replaced
is kept by its request, which also takes it back.
"""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from approvals.models.requests import ApprovalRequest
from approvals.querysets import statuses as querysets
from teams.models import Agent, Team, User
from teams.models.people import check_code

DAY_MINUTES = 24 * 60
SOME_MINUTES = (MinValueValidator(1), MaxValueValidator(DAY_MINUTES))

# Names of the reasons that come with the suite. One that the operator names otherwise has its own `name`.
TITLES: dict[str, Any] = {
    "rest": _("Rest"),
    "meal": _("Meal"),
    "personal": _("Personal"),
    "meeting": _("Meeting"),
    "coaching": _("Coaching"),
    "training": _("Training"),
    "project": _("Project"),
    "technical": _("Technical trouble"),
    "warm_up": _("Warming up"),
    "ring_timeout": _("Did not pick up"),
    "rejected": _("Turned a contact down"),
    "heartbeat_lost": _("Connection lost"),
}


class Base(models.TextChoices):
    OFFLINE = "offline", _("Offline")
    READY = "ready", _("Ready")
    RINGING = "ringing", _("Ringing")
    ON_CONTACT = "on_contact", _("On contact")
    WRAP_UP = "wrap_up", _("Wrap-up")
    BREAK = "break", _("Break")
    NOT_READY = "not_ready", _("Not ready")


WITH_REASON = (Base.BREAK, Base.NOT_READY)


class StatusReason(models.Model):
    """Why somebody is on a break or not ready: a word of the organisation's vocabulary, and what it means for pay and plan."""

    code = models.CharField(_("code"), max_length=40, unique=True, validators=[check_code])
    name = models.CharField(
        _("name"), max_length=80, blank=True, help_text=_("Empty: the usual name, in everybody's own language.")
    )
    base = models.CharField(_("status"), max_length=10, choices=Base)
    is_paid = models.BooleanField(_("paid"), default=True)
    is_shrinkage = models.BooleanField(_("counts as shrinkage"), default=True)
    is_productive = models.BooleanField(_("productive"), default=False)
    needs_approval = models.BooleanField(
        _("needs approval"), default=False, help_text=_("Somebody decides it each time, however good the cover is.")
    )
    is_legal = models.BooleanField(
        _("required by law"), default=False, help_text=_("A break that the law gives: it is never refused.")
    )
    longest_minutes = models.PositiveIntegerField(_("longest, minutes"), null=True, blank=True, validators=SOME_MINUTES)
    longest_per_shift_minutes = models.PositiveIntegerField(
        _("longest in a shift, minutes"), null=True, blank=True, validators=SOME_MINUTES
    )
    most_at_once = models.PositiveIntegerField(
        _("most at once in a team"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    is_system = models.BooleanField(
        _("set by the system only"), default=False, help_text=_("Nobody chooses it; the system notes it.")
    )
    is_active = models.BooleanField(_("offered"), default=True)
    history = HistoricalRecords(verbose_name=_("earlier version of reason"))

    class Meta:
        verbose_name, verbose_name_plural = _("reason of a status"), _("reasons of a status")
        ordering = ["base", "code"]
        constraints = [
            models.CheckConstraint(
                name="legal_reason_is_a_break",
                condition=Q(is_legal=False) | Q(base=Base.BREAK),
                violation_error_message=_("Only a break can be required by law."),
            ),
            models.CheckConstraint(
                name="chosen_reason_is_a_break_or_not_ready",
                condition=Q(is_system=True) | Q(base__in=WITH_REASON),
                violation_error_message=_("People choose reasons of a break, or of not being ready."),
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(TITLES.get(self.code, self.code))


class StatusSpan(models.Model):
    """One stretch of an agent's time line. The open one is what the agent does now; the team is that of the moment."""

    class Source(models.TextChoices):
        SELF = "self", _("the agent")
        LEAD = "lead", _("a lead")
        SYSTEM = "system", _("the system")
        REQUEST = "request", _("a request")
        IMPORT = "import", _("an import")

    class Confidence(models.TextChoices):
        STATED = "stated", _("stated")
        INFERRED = "inferred", _("inferred")
        CORRECTED = "corrected", _("corrected")

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="status_spans", verbose_name=_("agent"))
    team = models.ForeignKey(Team, models.PROTECT, related_name="status_spans", verbose_name=_("team"))
    base = models.CharField(_("status"), max_length=10, choices=Base)
    reason = models.ForeignKey(
        StatusReason, models.PROTECT, null=True, blank=True, related_name="spans", verbose_name=_("reason")
    )
    span = DateTimeRangeField(_("from, until"))
    back_at = models.DateTimeField(_("back at"), null=True, blank=True)  # when a break or the like is to end
    source = models.CharField(_("set by"), max_length=10, choices=Source, default=Source.SELF)
    confidence = models.CharField(_("how sure"), max_length=10, choices=Confidence, default=Confidence.STATED)
    request = models.ForeignKey(
        ApprovalRequest, models.SET_NULL, null=True, blank=True, related_name="status_spans", verbose_name=_("request")
    )
    by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by"))
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = querysets.StatusSpanQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("stretch of a time line"), _("time lines")
        ordering = ["agent", "span"]
        constraints = [
            ExclusionConstraint(
                name="one_status_per_agent_and_moment",
                expressions=[("agent", RangeOperators.EQUAL), ("span", RangeOperators.OVERLAPS)],
            ),
            models.UniqueConstraint(
                name="one_open_status_per_agent", fields=["agent"], condition=Q(span__upper_inf=True)
            ),
            models.CheckConstraint(
                name="status_begins_and_lasts", condition=Q(span__lower_inf=False) & Q(span__isempty=False)
            ),
            models.CheckConstraint(
                name="break_and_not_ready_have_a_reason",
                condition=~Q(base__in=WITH_REASON) | Q(reason__isnull=False),
            ),
        ]
        indexes = [
            models.Index(name="status_by_time", fields=["-span", "id"]),
            models.Index(name="open_status_by_team", fields=["team", "base"], condition=Q(span__upper_inf=True)),
            models.Index(
                name="open_status_to_end", fields=["back_at"], condition=Q(span__upper_inf=True, back_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The status as people read it."""
        return words_of(self.base, self.reason)


def words_of(base: str, reason: StatusReason | None) -> str:
    """“Ready”, or “Break: Rest”."""
    title = str(Base(base).label)
    return title if reason is None else gettext("%(status)s: %(reason)s") % {"status": title, "reason": reason}


class TeamCover(models.Model):
    """What a team must keep covered. The row is the lock for all that is decided on breaks of the team: whoever counts who is
    ready holds it, so that two who ask at once do not both get the last free place."""

    team = models.OneToOneField(Team, models.CASCADE, related_name="cover", verbose_name=_("team"))
    needed = models.PositiveIntegerField(
        _("needed ready"), default=0, validators=[MaxValueValidator(10_000)],
        help_text=_("How many agents have to stay ready. With none, breaks are granted at once."),
    )  # fmt: skip
    lead_told_after_minutes = models.PositiveIntegerField(
        _("lead told after, minutes"), default=5, validators=[MaxValueValidator(DAY_MINUTES)],
        help_text=_("How long over its end a break is the agent's own matter."),
    )  # fmt: skip
    grant_after_minutes = models.PositiveIntegerField(
        _("granted after, minutes"), null=True, blank=True, validators=SOME_MINUTES,
        help_text=_("A break that has waited so long is granted, whatever the cover. Empty: it waits."),
    )  # fmt: skip

    objects = querysets.TeamCoverQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of cover"))

    class Meta:
        verbose_name, verbose_name_plural = _("cover of a team"), _("cover of teams")
        ordering = ["team__name", "pk"]

    def __str__(self) -> str:
        return str(self.team)
