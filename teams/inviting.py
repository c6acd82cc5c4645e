"""Invitations: accounts without a password get a link by which their owner chooses the first one.

A link is random, kept as a digest only, ends by itself, is used once, and a newer one ends it. Opening it writes nothing.
"""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.models import Invitation, Notice, User

VALID_FOR = timedelta(days=7)
GONE = Refused("link_gone", _("This link is no longer valid. Ask whoever invited you for a new one."))


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def new_token(row: Invitation) -> str:
    """A fresh token for `row`, which is locked; the one before no longer opens anything."""
    token = secrets.token_urlsafe(32)
    row.digest, row.made_at = digest_of(token), timezone.now()
    Invitation.objects.filter(pk=row.pk).update(digest=row.digest, made_at=row.made_at)
    return token


@transaction.atomic
def invite(user: int, *, by: User, reason: str = "") -> Invitation:
    """Invite the owner of an account that has no password yet, by mail if there is an address; again: a new week.

    Raises OutOfReach unless `by` is the operator, or Refused: has_password, closed_account.
    """
    account = _account(user, by)
    if account.has_usable_password():
        raise Refused("has_password", _("%(who)s has a password already.") % {"who": account})
    if not account.is_active:
        raise Refused("closed_account", _("This account is closed. Open it first."))
    row = Invitation.objects.select_for_update().filter(user=account).first() or Invitation(user=account)
    row.digest, row.used_at, row.revoked_at, row.until = None, None, None, timezone.now() + VALID_FOR
    save_with_history(row, by=by, reason=reason)
    if account.email:
        key = f"invitation:{row.pk}:{row.until.isoformat()}"
        Notice.objects.create(kind="invitation", recipient=account, about=str(row.pk), key=key)
    return row


@transaction.atomic
def link_for(pk: int, *, by: User) -> str:
    """A token to hand over oneself, shown once; a link sent before no longer works. Raises OutOfReach, or Refused."""
    row = _open(pk, by)
    return new_token(row)


@transaction.atomic
def revoke(pk: int, *, by: User, reason: str = "") -> None:
    """Take an invitation back: its link opens nothing from now on. Raises OutOfReach, or Refused: link_gone."""
    row = _open(pk, by)
    row.revoked_at, row.digest = timezone.now(), None
    save_with_history(row, "revoked_at", "digest", by=by, reason=reason)


def invited(token: str) -> Invitation | None:
    """The open invitation that `token` belongs to. Reads only."""
    return (
        Invitation.objects.open().select_related("user").filter(digest=digest_of(token), user__is_active=True).first()
    )


@transaction.atomic
def accept(token: str, password: str) -> User:
    """Choose the first password by an invitation, once. Raises Refused: link_gone, weak_password."""
    found = invited(token)
    if found is None:
        raise GONE
    user = User.objects.select_for_update().get(pk=found.user_id)
    row = Invitation.objects.select_for_update().open().filter(pk=found.pk, digest=found.digest).first()
    if row is None or not user.is_active or user.has_usable_password():
        raise GONE
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("weak_password", " ".join(error.messages)) from error
    user.set_password(password)
    save_with_history(user, "password", by=user, reason=str(_("password chosen by invitation")))
    row.used_at, row.digest = timezone.now(), None
    save_with_history(row, "used_at", "digest", by=user)
    return user


def _account(pk: int, by: User) -> User:
    user = User.objects.manageable_by(by).select_for_update().filter(pk=pk).first()
    if user is None:
        raise OutOfReach
    return user


def _open(pk: int, by: User) -> Invitation:
    row = Invitation.objects.manageable_by(by).select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise OutOfReach
    if row.used_at or row.revoked_at or row.until <= timezone.now():
        raise GONE
    return row
