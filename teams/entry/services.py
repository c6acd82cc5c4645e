"""Verbs for sessions, tokens and one's own password. What ends, ends at its next request."""

from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from teams.audit import save_with_history
from teams.entry import ending, tries
from teams.entry.models import Session, TokenUse
from teams.errors import OutOfReach, Refused
from teams.models import User


@transaction.atomic
def end_entry(number: str, *, by: User) -> None:
    """End one's own session or token of that number; what has ended already stays so. Raises OutOfReach."""
    try:
        token = TokenUse.objects.filter(number=number, token__user=by).first()
        ended = Session.entries.about(by).filter(number=number).delete()[0]
    except ValidationError as error:
        raise OutOfReach from error
    if token is not None:
        AuthToken.objects.filter(pk=token.pk, user=by).delete()
    elif not ended:
        raise OutOfReach


@transaction.atomic
def end_others(*, by: User, session: str) -> int:
    """End all sessions of `by` but the one of that number, and all tokens; how many ended."""
    return ending.end_sessions(by, but=session) + ending.end_tokens(by)


@transaction.atomic
def end_all_of(pk: int, *, by: User, reason: str) -> None:
    """End every session and token of an account; the person is told. Raises OutOfReach unless `by` is an operator."""
    if not (by.is_active and by.is_superuser):
        raise OutOfReach
    user = User.objects.select_for_update().filter(pk=pk).first()
    if user is None:
        raise OutOfReach
    ending.end_sessions(user)
    ending.end_tokens(user)
    save_with_history(user, "is_suspended", by=by, reason=_("sessions ended: %(reason)s") % {"reason": reason})
    ending.tell(user, "entries_ended", reason=reason)


@transaction.atomic
def change_password(password: str, *, by: User, session: str) -> User:
    """Another password for oneself; other sessions and all tokens end. The door has asked for the old one.

    Raises Refused: weak_password.
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("weak_password", " ".join(error.messages)) from error
    user.set_password(password)
    save_with_history(user, "password", by=by, reason=str(_("own password changed")))
    ending.end_sessions(user, but=session)
    ending.end_tokens(user)
    ending.tell(user, "password_changed")
    return user


def sweep(now: datetime) -> None:
    """Remove what is over: sessions and tokens past their end, tries that count for nothing any more. Repeatable."""
    Session.entries.filter(expire_date__lt=now).delete()
    TokenUse.objects.filter(token__expiry__lt=now).delete()
    AuthToken.objects.filter(expiry__lt=now).delete()
    tries.sweep(now)
