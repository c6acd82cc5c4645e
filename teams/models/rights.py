"""Who may see and do what, who looked, and how accounts are opened."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from guardian.managers import GroupObjectPermissionManager, UserObjectPermissionManager
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from simple_history.models import HistoricalRecords

from teams import querysets
from teams.models.people import Agent, Team, User


class GrantTerms(models.Model):
    """What a grant carries beside guardian's columns."""

    since = models.DateTimeField(_("begins at"), null=True, blank=True)  # empty: when it was given
    until = models.DateTimeField(_("ends at"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    given_at = models.DateTimeField(_("given at"), db_default=Now(), editable=False)

    class Meta:
        abstract = True


UserGrants = UserObjectPermissionManager.from_queryset(querysets.UserGrantQuerySet)
GroupGrants = GroupObjectPermissionManager.from_queryset(querysets.LiveGrantQuerySet)


class TeamUserGrant(UserObjectPermissionBase, GrantTerms):
    """guardian's permission of one user on one team, reaching the team and all below; dies with the team."""

    content_object = models.ForeignKey(Team, models.CASCADE, related_name="user_grants", verbose_name=_("team"))
    on_behalf_of = models.ForeignKey(  # whose right this is for a time; it cannot be handed on
        User, models.CASCADE, null=True, blank=True, related_name="delegated_grants", verbose_name=_("on behalf of")
    )

    objects: ClassVar[UserGrants] = UserGrants()
    history = HistoricalRecords(verbose_name=_("earlier version of grant"))

    class Meta(UserObjectPermissionBase.Meta):
        verbose_name, verbose_name_plural = _("grant to a person"), _("grants to persons")

    def __str__(self) -> str:
        return f"{self.permission.codename}: {self.user} on {self.content_object}"


class TeamGroupGrant(GroupObjectPermissionBase, GrantTerms):
    """The same for a group of users."""

    content_object = models.ForeignKey(Team, models.CASCADE, related_name="group_grants", verbose_name=_("team"))

    objects: ClassVar[GroupGrants] = GroupGrants()
    history = HistoricalRecords(verbose_name=_("earlier version of grant"))

    class Meta(GroupObjectPermissionBase.Meta):
        verbose_name, verbose_name_plural = _("grant to a group"), _("grants to groups")

    def __str__(self) -> str:
        return f"{self.permission.codename}: {self.group} on {self.content_object}"


class AccessRecord(models.Model):
    """Who looked at an agent's figures, through which door: one row per viewer, agent, door and day, with a count."""

    class Door(models.TextChoices):
        FIGURES = "figures", _("page of figures")
        CONTACT = "contact", _("a contact")
        CONTACTS = "contacts", _("list of contacts")
        REPORT = "nightly report", _("nightly report")
        EXPORT = "export", _("export")
        COPY = "copy", _("copy of all data")

    agent = models.ForeignKey(Agent, models.CASCADE, related_name="access_records", verbose_name=_("agent"))
    viewer = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("viewer"))
    door = models.CharField(_("page"), max_length=60, choices=Door.choices)
    seen_on = models.DateField(_("day"))
    times = models.PositiveIntegerField(_("times"), default=1)
    last_at = models.DateTimeField(_("last at"))

    objects = querysets.AccessRecordQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("look at an agent"), _("looks at agents")
        ordering = ["-last_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="one_access_record_per_viewer_door_and_day", fields=["agent", "viewer", "door", "seen_on"]
            )
        ]

    def __str__(self) -> str:
        return f"{self.viewer} {self.seen_on}"


class ViewAs(models.Model):
    """An operator looked at the suite as somebody else, read-only: who, as whom, why, and for how long."""

    viewer = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("viewer"))
    person = models.ForeignKey(User, models.CASCADE, related_name="seen_as", verbose_name=_("seen as"))
    reason = models.CharField(_("reason"), max_length=300)
    started_at = models.DateTimeField(_("started at"))
    until = models.DateTimeField(_("ends at"))
    ended_at = models.DateTimeField(_("stopped at"), null=True, blank=True)  # empty: it ended by itself

    objects = querysets.ViewAsQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("view as somebody"), _("views as somebody")
        ordering = ["-started_at", "-pk"]
        constraints = [models.CheckConstraint(name="nobody_views_as_themselves", condition=~Q(viewer=F("person")))]

    def __str__(self) -> str:
        return f"{self.viewer} > {self.person}"


class Invitation(models.Model):
    """A link by which a person chooses the first password. Only its digest is kept; a new link ends the one before."""

    user = models.OneToOneField(User, models.CASCADE, related_name="invitation", verbose_name=_("account"))
    digest = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    made_at = models.DateTimeField(_("link made at"), null=True, blank=True)
    until = models.DateTimeField(_("ends at"))
    used_at = models.DateTimeField(_("used at"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    objects = querysets.InvitationQuerySet.as_manager()
    history = HistoricalRecords(excluded_fields=["digest"], verbose_name=_("earlier version of invitation"))

    class Meta:
        verbose_name, verbose_name_plural = _("invitation"), _("invitations")
        ordering = ["user__username"]

    def __str__(self) -> str:
        return str(self.user)
