"""Customers' telephone numbers, sealed, in a table of their own, and the record of every look at one.

No list, search, export or history touches these tables; `performance.services.phones` is the only way to a number.
"""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from performance import querysets


class ContactSecret(models.Model):
    """The sealed number of one contact (`teams.sealing`). `contact_id` is that of the Contact, which is partitioned."""

    contact_id = models.BigIntegerField(primary_key=True)
    source = models.ForeignKey("performance.Source", models.CASCADE, related_name="+", db_constraint=False)
    sealed = models.CharField(max_length=300)
    kept_at = models.DateTimeField(db_default=Now(), db_index=True)

    objects = querysets.ContactSecretQuerySet.as_manager()

    def __str__(self) -> str:
        return str(self.contact_id)


class PhoneReveal(models.Model):
    """Who was shown the number of which contact, when, why and from where. Append-only: a trigger refuses changes."""

    class Reason(models.TextChoices):
        CALL_BACK = "call_back", _("to call the customer back")
        COMPLAINT = "complaint", _("to settle a complaint")
        FRAUD = "fraud", _("to look into abuse")
        REQUEST = "request", _("the customer asked what is kept")
        AUTHORITY = "authority", _("an authority asks by law")

    contact_id = models.BigIntegerField(_("contact"))
    external_id = models.CharField(_("id at source"), max_length=120)
    team = models.ForeignKey("teams.Team", models.PROTECT, related_name="+", verbose_name=_("team"))
    agent = models.ForeignKey("teams.Agent", models.PROTECT, null=True, related_name="+", verbose_name=_("agent"))
    viewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("viewer"))
    reason = models.CharField(_("reason"), max_length=10, choices=Reason)
    note = models.CharField(_("in words"), max_length=200)
    address = models.GenericIPAddressField(_("from address"), null=True)
    at = models.DateTimeField(_("at"), db_default=Now())

    objects = querysets.PhoneRevealQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("look at a telephone number"), _("looks at telephone numbers")
        ordering = ["-at", "-pk"]
        indexes = [models.Index(name="reveal_by_viewer", fields=["viewer", "at"])]

    def __str__(self) -> str:
        return f"{self.external_id} {self.at:%Y-%m-%d %H:%M}"
