"""One customer's telephone number, opened for one lead, and the record of it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from performance.intake import customers
from performance.intake.delivery import PURPOSE
from performance.models import Contact, ContactSecret, PhoneReveal, Source
from teams import retention, sealing
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.grants import seers
from teams.models import Erasure, Notice, PrivacyRules, User
from teams.scoping import Grant
from teams.services.erasure import ask_customer_erasure

WINDOW = timedelta(hours=24)  # not a calendar day: nobody gets more by changing the own time zone
RETENTION = "phones"


def leads(user: User, contact: Contact) -> bool:
    """Whether the user holds LEAD on the contact's team or above. Being the operator is not enough."""
    if contact.team_id is None or not user.is_active:
        return False
    persons, groups = seers(contact.team_id)
    codename = Grant.LEAD.value
    return (
        persons.filter(user=user, permission__codename=codename).exists()
        or groups.filter(group__user=user, permission__codename=codename).exists()
    )


@system_scope("sealed numbers are the system's; whether there is one is said, not which")
def has_number(contact: Contact) -> bool:
    """Whether a number of this contact can be opened now."""
    return ContactSecret.objects.filter(contact_id=contact.pk, kept_at__gte=_oldest(timezone.now())).exists()


def reveal(pk: int, *, reason: str, note: str, address: str | None, by: User) -> str:
    """The number of the customer of contact `pk`, recorded with who, when, why and from which address.

    Raises OutOfReach for whoever does not lead the contact's team, or Refused: no_reason, no_number, too_many (and then
    every operator is told, once in 24 hours).
    """
    number = _reveal(pk, reason, note.strip(), address, by)
    if number is None:  # outside the transaction, so that the alarm stands
        raise Refused(
            "too_many",
            _("You have been shown as many numbers as one person may see in 24 hours. The operator has been told."),
        )
    return number


@transaction.atomic
@system_scope("sealed numbers are the system's, and each reveal leaves a record")
def _reveal(pk: int, reason: str, note: str, address: str | None, by: User) -> str | None:
    contact = Contact.objects.filter(pk=pk).select_related("agent").first()
    if contact is None or contact.team_id is None or not leads(by, contact):  # who leads its team sees it, too
        raise OutOfReach
    if reason not in PhoneReveal.Reason.values or not note:
        raise Refused("no_reason", _("Choose a reason and say in words what the number is needed for."))
    User.objects.select_for_update().get(pk=by.pk)  # counts of one person follow one another
    now = timezone.now()
    shown = PhoneReveal.objects.filter(viewer=by, at__gt=now - WINDOW).count()
    if shown >= PrivacyRules.current().reveals_a_day:
        _alarm(by, now)
        return None
    secret = ContactSecret.objects.filter(contact_id=pk, kept_at__gte=_oldest(now)).first()
    if secret is None:
        raise Refused(
            "no_number",
            _("No number is kept for this contact: its source keeps none, or its time is over."),
        )
    try:
        number = sealing.unseal(secret.sealed, PURPOSE)
    except sealing.Unopenable as error:
        raise Refused(
            "sealed_otherwise",
            _("This number was sealed with another key. The operator has to add it to OUTPOST_SEAL_KEYS_BEFORE."),
        ) from error
    PhoneReveal.objects.create(
        contact_id=pk, external_id=contact.external_id, team_id=contact.team_id, agent=contact.agent, viewer=by,
        reason=reason, note=note[:200], address=address, at=now,
    )  # fmt: skip
    return number


def _alarm(by: User, now: datetime) -> None:
    Notice.objects.bulk_create(
        [
            Notice(
                kind="reveal_limit",
                recipient=operator,
                about=str(by.pk),
                key=f"reveal_limit:{by.pk}:{now:%Y-%m-%d}:{operator.pk}",
            )
            for operator in User.objects.filter(is_superuser=True, is_active=True)
        ],
        ignore_conflicts=True,
    )


def _oldest(now: datetime) -> datetime:
    """Numbers kept before this are over their time, whether or not the night has let go of them."""
    each = next(each for each in retention.classes() if each.code == RETENTION)
    return each.cutoff(PrivacyRules.current(), now)


def reseal() -> int:
    """Seal anew, with the newest key, whatever a former key sealed; returns how many. Raises Unopenable."""
    return sealing.reseal(ContactSecret.objects.all(), PURPOSE)


def ask_erasure_of(customer: str, reason: str, *, by: User) -> Erasure:
    """Ask for the erasure of a customer by telephone number, mail address or key; what was typed is not kept.

    Raises OutOfReach, or Refused: bad_key, already_asked.
    """
    key = customers.key_of(customer, customers.derive_key(settings.SECRET_KEY))
    return ask_customer_erasure(key, reason, by=by)


@system_scope("sealed numbers are the system's")
def drop_of(source: Source) -> int:
    """Delete every number a source has kept; returns how many. When a source stops keeping numbers."""
    return ContactSecret.objects.filter(source=source)._raw_delete("default")
