"""Tables of coming in. None belongs to a team: each row is about one account and is read by that person or the operator."""

import uuid
from datetime import datetime
from typing import Any, ClassVar, Self

from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords


class EntryQuerySet(models.QuerySet):
    """Sessions and tokens: one's own. The operator ends them by a verb, and reads nobody else's."""

    def about(self, user: Any) -> Self:
        return self.filter(user=user) if user.is_authenticated and user.is_active else self.none()


class Session(AbstractBaseSession):
    """A session of Django's, with what its owner must see to know it again. The columns repeat what the data says."""

    # Names the session on pages; the key never leaves. Not unique: a change of key makes the new row before the old one goes.
    number = models.UUIDField(default=uuid.uuid4, db_index=True)
    user = models.ForeignKey("teams.User", models.CASCADE, null=True, related_name="sessions")
    device = models.CharField(_("device"), max_length=80, blank=True)
    address = models.GenericIPAddressField(null=True)
    began_at = models.DateTimeField(_("began at"), null=True)
    seen_at = models.DateTimeField(_("last seen at"), null=True)

    entries: ClassVar[models.Manager] = EntryQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("session"), _("sessions")

    @classmethod
    def get_session_store_class(cls) -> Any:
        from teams.entry.sessions import SessionStore

        return SessionStore


class TokenUse(models.Model):
    """What the owner of a token must see to know it again: where it was made, and when it was last shown."""

    token = models.OneToOneField("knox.AuthToken", models.CASCADE, primary_key=True, related_name="use")
    number = models.UUIDField(default=uuid.uuid4, unique=True)
    label = models.CharField(max_length=80, blank=True)
    device = models.CharField(_("device"), max_length=80, blank=True)
    address = models.GenericIPAddressField(null=True)
    last_used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.label or self.device


class EntryTryQuerySet(models.QuerySet):
    """Tries and locks are the operator's."""

    def visible_to(self, user: Any) -> Self:
        return self if user.is_authenticated and user.is_active and user.is_superuser else self.none()

    def manageable_by(self, user: Any) -> Self:
        return self.visible_to(user)

    def quiet_since(self, moment: datetime) -> Self:
        """Rows nobody has tried at since `moment`, and whose wait is over by then."""
        return self.filter(last_at__lt=moment).exclude(locked_until__gt=moment)


class EntryTry(models.Model):
    """Tries that have failed, or are being made, under one key (`teams.entry.tries`), and until when the next must wait.

    The name that was typed is kept as a keyed digest; an account that it means is named by `user`.
    """

    class Kind(models.TextChoices):
        NAME = "name", _("a name from one address")
        ADDRESS = "address", _("one address, all names")
        DEVICE = "device", _("a name from a known device")
        CODE = "code", _("codes of a person from one address")
        PERSON = "person", _("codes of a person, all addresses")

    key = models.CharField(_("key"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    user = models.ForeignKey("teams.User", models.CASCADE, null=True, related_name="+", verbose_name=_("account"))
    address = models.GenericIPAddressField(_("address"), null=True)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    first_at = models.DateTimeField(_("first at"), db_default=Now())
    last_at = models.DateTimeField(_("last at"), db_default=Now())
    locked_until = models.DateTimeField(_("locked until"), null=True)

    objects = EntryTryQuerySet.as_manager()
    history = HistoricalRecords(verbose_name=_("earlier version of tries"))

    class Meta:
        verbose_name, verbose_name_plural = _("tries at the log-in"), _("tries at the log-in")
        ordering = ["-last_at", "pk"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.user or ''} {self.address or ''}".strip()
