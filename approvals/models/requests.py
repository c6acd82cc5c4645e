"""Requests, the policies they follow, and what was decided about them.

`ApprovalRequest.content` is frozen: an edit makes a new revision with a new hash, and decisions name the hash they were made
on. `ApprovalEvent` is the trace: it is only ever added to, which a trigger in the database sees to.
"""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from approvals.querysets import requests as querysets
from teams.models import Team, User


class ApprovalPolicy(models.Model):
    """How requests of a kind are decided in a team and all below, until a nearer team says otherwise. Each change is a new
    version; a running request keeps the one it began with."""

    kind = models.CharField(_("kind"), max_length=40)
    team = models.ForeignKey(Team, models.PROTECT, related_name="approval_policies", verbose_name=_("team"))
    number = models.PositiveIntegerField(_("version"), default=1)
    definition = models.JSONField(_("rules"), default=dict)  # as approvals.plain.policy reads it
    is_current = models.BooleanField(_("in force"), default=True)
    made_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+", verbose_name=_("made by"))
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = querysets.PolicyQuerySet.as_manager()
    # Each version is a row of its own: its history tells when it was in force.
    history = HistoricalRecords(excluded_fields=["definition"], verbose_name=_("earlier version of approval policy"))

    class Meta:
        verbose_name, verbose_name_plural = _("approval policy"), _("approval policies")
        ordering = ["kind", "team__name", "-number"]
        constraints = [
            models.UniqueConstraint(name="one_policy_version_per_number", fields=["team", "kind", "number"]),
            models.UniqueConstraint(
                name="one_policy_in_force_per_team_and_kind", fields=["team", "kind"], condition=Q(is_current=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} v{self.number}"


class ApprovalRequest(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("submitted")
        IN_REVIEW = "in_review", _("in review")
        CHANGES_REQUESTED = "changes_requested", _("changes requested")
        APPROVED = "approved", _("approved")
        APPLIED = "applied", _("carried out")
        APPLY_FAILED = "apply_failed", _("could not be carried out")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "expired", _("expired")
        UNDONE = "undone", _("undone")

    kind = models.CharField(_("kind"), max_length=40)
    team = models.ForeignKey(Team, models.PROTECT, related_name="approval_requests", verbose_name=_("team"))
    subject_key = models.CharField(_("subject"), max_length=120)
    subject_label = models.CharField(_("about"), max_length=200)
    subject_person = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("person concerned")
    )
    requester = models.ForeignKey(User, models.PROTECT, related_name="approval_requests", verbose_name=_("asked by"))
    editor = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("last edited by"))
    words = models.CharField(_("why"), max_length=500, blank=True)
    content = models.JSONField(_("content"), default=dict)
    content_hash = models.CharField(_("hash of the content"), max_length=64)
    revision = models.PositiveIntegerField(_("revision"), default=1)
    stood = models.JSONField(_("what stood"), default=dict)  # what stood when this revision was submitted
    state = models.CharField(_("state"), max_length=20, choices=State, default=State.DRAFT)
    version = models.PositiveIntegerField(
        _("version of the row"), default=1
    )  # of everything: a stale decision is refused
    policy = models.ForeignKey(
        ApprovalPolicy, models.PROTECT, null=True, blank=True, related_name="requests", verbose_name=_("policy")
    )  # null: the kind's own
    plan = models.JSONField(
        _("plan"), default=dict
    )  # the rule that matched, its steps and clock, and what was measured
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    submitted_at = models.DateTimeField(_("submitted at"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    applied_at = models.DateTimeField(_("carried out at"), null=True, blank=True)
    next_due_at = models.DateTimeField(_("next due at"), null=True, blank=True)  # the earliest of the clocks below
    remind_at = models.DateTimeField(_("reminds at"), null=True, blank=True)
    escalate_at = models.DateTimeField(_("escalates at"), null=True, blank=True)
    expire_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    escalations = models.PositiveSmallIntegerField(_("escalations"), default=0)
    condition = models.CharField(_("condition"), max_length=500, blank=True)
    ends_at = models.DateTimeField(_("holds until"), null=True, blank=True)
    kept = models.JSONField(
        _("kept for undoing"), default=dict, blank=True
    )  # what the effect has to know to be taken back
    error = models.CharField(_("why it failed"), max_length=500, blank=True)
    glass_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("glass broken by")
    )
    glass_reason = models.CharField(_("why the glass was broken"), max_length=500, blank=True)
    glass_reviewed_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("reviewed by")
    )
    glass_reviewed_at = models.DateTimeField(_("reviewed at"), null=True, blank=True)

    objects = querysets.RequestQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("request"), _("requests")
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_open_request_per_subject",
                fields=["kind", "subject_key"],
                condition=Q(state__in=["submitted", "in_review", "changes_requested", "approved", "apply_failed"]),
            ),
            models.CheckConstraint(
                name="glass_is_reviewed_by_another",
                condition=Q(glass_reviewed_by=None) | ~Q(glass_reviewed_by=F("glass_by")),
            ),
            models.CheckConstraint(name="broken_glass_has_a_reason", condition=Q(glass_by=None) | ~Q(glass_reason="")),
        ]
        indexes = [
            models.Index(name="request_by_team", fields=["team", "state", "-made_at"]),
            models.Index(name="request_by_requester", fields=["requester", "-made_at"]),
            models.Index(name="request_clock", fields=["next_due_at"], condition=Q(next_due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.subject_label


class ApprovalStep(models.Model):
    """One step of a revision: who has to say yes before the next one begins."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        ACTIVE = "active", _("under way")
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")
        SKIPPED = "skipped", _("skipped")
        ESCALATED = "escalated", _("escalated")
        CANCELLED = "cancelled", _("cancelled")

    class Mode(models.TextChoices):
        ANY = "any", _("one of them")
        ALL = "all", _("all of them")
        QUORUM = "quorum", _("a number of them")

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="steps", verbose_name=_("request"))
    revision = models.PositiveIntegerField(_("revision"))
    number = models.PositiveSmallIntegerField(_("number"))  # 10, 20, …; one that was escalated is followed by 11
    mode = models.CharField(_("who has to agree"), max_length=10, choices=Mode, default=Mode.ANY)
    needed = models.PositiveSmallIntegerField(_("needed"), default=1)
    plan = models.JSONField(
        _("plan"), default=dict
    )  # approvals.plain.policy.StepPlan: where its approvers come from, and the fallback
    uses_fallback = models.BooleanField(_("asks the fallback"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    note = models.CharField(_("note"), max_length=200, blank=True)

    objects = querysets.RequestRowQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("step"), _("steps")
        ordering = ["request", "revision", "number"]
        constraints = [
            models.UniqueConstraint(name="one_step_per_revision_and_number", fields=["request", "revision", "number"]),
            models.UniqueConstraint(name="one_step_under_way", fields=["request"], condition=Q(state="active")),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}/{self.revision}/{self.number}"


class ApprovalSeat(models.Model):
    """A person asked by a step, and what they said. `step` is under way for as long as the seat waits to be heard."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", _("approved")
        REJECTED = "rejected", _("rejected")

    step = models.ForeignKey(ApprovalStep, models.CASCADE, related_name="seats", verbose_name=_("step"))
    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="seats", verbose_name=_("request"))
    team = models.ForeignKey(Team, models.PROTECT, related_name="+", verbose_name=_("team"))  # that of the request
    user = models.ForeignKey(User, models.PROTECT, related_name="approval_seats", verbose_name=_("person asked"))
    is_open = models.BooleanField(_("waits"), default=True)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict, blank=True)
    decided_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided at"), null=True, blank=True)
    content_hash = models.CharField(_("hash of the content"), max_length=64, blank=True)

    objects = querysets.SeatQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("person asked"), _("people asked")
        ordering = ["step", "pk"]
        constraints = [models.UniqueConstraint(name="one_seat_per_step_and_person", fields=["step", "user"])]
        indexes = [models.Index(name="seat_waits_for", fields=["user"], condition=Q(is_open=True))]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.step_id}"


class ApprovalEvent(models.Model):
    """One line of a request's trace: who, when, as whom, on which content, with what words. Never changed."""

    class Kind(models.TextChoices):
        DRAFTED = "drafted", _("drafted")
        SUBMITTED = "submitted", _("submitted")
        EDITED = "edited", _("edited")
        STEP_BEGUN = "step_begun", _("step begun")
        STEP_SKIPPED = "step_skipped", _("step skipped")
        ALARM = "alarm", _("nobody to decide")
        APPROVED = "approved", _("approved")
        AUTO_APPROVED = "auto_approved", _("approved by rule")
        REJECTED = "rejected", _("rejected")
        AUTO_REJECTED = "auto_rejected", _("rejected by rule")
        SENT_BACK = "sent_back", _("sent back")
        REMINDED = "reminded", _("reminded")
        ESCALATED = "escalated", _("escalated")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")
        APPLIED = "applied", _("carried out")
        CONFLICT = "conflict", _("something else had changed")
        FAILED = "failed", _("could not be carried out")
        UNDONE = "undone", _("undone")
        GLASS = "glass", _("glass broken")
        GLASS_REVIEWED = "glass_reviewed", _("broken glass reviewed")
        COMMENT = "comment", _("comment")

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="events", verbose_name=_("request"))
    kind = models.CharField(_("what"), max_length=20, choices=Kind)
    at = models.DateTimeField(_("at"), db_default=Now())
    actor = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by"))
    on_behalf_of = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("on behalf of")
    )
    revision = models.PositiveIntegerField(_("revision"), default=1)
    content_hash = models.CharField(_("content"), max_length=64)
    step = models.PositiveSmallIntegerField(_("step"), null=True, blank=True)
    words = models.CharField(_("words"), max_length=500, blank=True)
    details = models.JSONField(_("details"), default=dict)

    objects = querysets.RequestRowQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("line of the trace"), _("trace")
        ordering = ["request", "pk"]

    def __str__(self) -> str:
        return str(self.get_kind_display())

    @property
    def said(self) -> str:
        """The words in the reader's language where nobody wrote them: what the engine says stands in English. People's stay."""
        return gettext(self.words) if self.words and self.actor_id is None else self.words


class ApprovalAbsence(models.Model):
    """Somebody's decisions are made by a deputy for a dated absence. A deputy cannot hand them on."""

    owner = models.ForeignKey(User, models.CASCADE, related_name="approval_absences", verbose_name=_("absent"))
    deputy = models.ForeignKey(User, models.CASCADE, related_name="approval_deputies", verbose_name=_("deputy"))
    kinds = ArrayField(models.CharField(max_length=40), default=list, blank=True, verbose_name=_("kinds"))  # []: all
    span = DateTimeRangeField(_("from, until"))
    reason = models.CharField(_("reason"), max_length=300, blank=True)

    objects = querysets.AbsenceQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of absence"))

    class Meta:
        verbose_name, verbose_name_plural = _("absence"), _("absences")
        ordering = ["-span", "pk"]
        constraints = [
            ExclusionConstraint(
                name="one_deputy_at_a_time",
                expressions=[("owner", RangeOperators.EQUAL), ("span", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(name="nobody_deputises_for_themselves", condition=~Q(owner=F("deputy"))),
            models.CheckConstraint(
                name="absence_has_two_ends", condition=Q(span__lower_inf=False) & Q(span__upper_inf=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id}: {self.deputy_id}"
