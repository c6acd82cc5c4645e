"""The moment of the last log-in is noted on the account. It is no change of it: no version is left behind, as Django's own
note, which saves the account, would."""

from typing import Any

from django.contrib.auth.signals import user_logged_in
from django.utils import timezone

from teams.models import User

DJANGOS = "update_last_login"  # the name under which Django's note is connected, whether before or after this


def listen() -> None:
    user_logged_in.disconnect(dispatch_uid=DJANGOS)
    user_logged_in.connect(note, dispatch_uid=DJANGOS)


def note(sender: Any, user: User, **signal: Any) -> None:
    user.last_login = timezone.now()
    User.objects.filter(pk=user.pk).update(last_login=user.last_login)
