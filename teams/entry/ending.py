"""How sessions and tokens end, for every verb that must end them; and how the person hears of it."""

import uuid
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _
from knox.models import AuthToken

from teams.acting import system_scope
from teams.entry.models import Session, TokenUse
from teams.models import Notice, User
from teams.outbox import Mail

KIND = "account_changed"


def end_sessions(user: User, *, but: str = "") -> int:
    """End the sessions of `user`, all or all but the one that bears the number `but`; how many."""
    rows = Session.entries.filter(user=user)
    return (rows.exclude(number=but) if but else rows).delete()[0]


def end_tokens(user: User) -> int:
    """End the tokens of `user`; how many."""
    TokenUse.objects.filter(token__user=user).delete()
    return AuthToken.objects.filter(user=user).delete()[0]


@system_scope("what is written to the outbox is written by the system")
def tell(user: User, what: str, **details: Any) -> None:
    """A letter to the person about a change of the own account, so that a change by somebody else does not stay unseen."""
    key = f"{KIND}:{user.pk}:{what}:{uuid.uuid4()}"
    Notice.objects.create(kind=KIND, recipient=user, about=what, key=key, details=details)


def letter(notice: Notice) -> Mail | None:
    """What has changed, in words; nothing for a change this release does not know."""
    others, everything = (
        _("Your other sessions and your tokens have ended."),
        _("All your sessions and tokens have ended."),
    )
    sentences = {
        "factor_set_up": (_("A second factor has been set up for your account."), others),
        "factor_removed": (_("The second factor of your account has been removed."), others),
        "factor_reset": (_("The operator has taken away the second factor of your account."), everything),
        "password_changed": (_("The password of your account has been changed."), others),
        "password_set": (_("The operator has set a new password for your account."), everything),
        "entries_ended": (_("The operator has logged you out everywhere."), everything),
    }
    if notice.about not in sentences:
        return None
    page = {
        "sentences": sentences[notice.about],
        "reason": notice.details.get("reason", ""),
        "link": settings.OUTPOST_URL + reverse("my_entries"),
    }
    return Mail(_("Your account has been changed"), render_to_string("mail/account_changed.txt", page))
