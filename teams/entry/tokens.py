"""Tokens of programs: they act as their owner, and for as long as the owner may come in oneself.

A changed password ends them in the same transaction (a trigger of the database, so that no door can forget it).
"""

from contextlib import suppress
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from knox.models import AuthToken
from knox.settings import CONSTANTS
from rest_framework.exceptions import AuthenticationFailed

from teams.edges.addresses import client_address
from teams.entry import devices, factor
from teams.entry.models import TokenUse
from teams.errors import Refused
from teams.models import User

MOST_TOKENS = 10
NOTED_EVERY = timedelta(minutes=1)


class TokenAuthentication(KnoxAuthentication):
    """Refuses the token of whoever may not come in any more, and notes when it was last shown."""

    def authenticate_credentials(self, token: bytes) -> tuple[Any, Any]:
        """The owner and the token, in one question to the database. What has ended is no token; it is swept elsewhere."""
        now, text, digest = timezone.now(), "", ""
        with suppress(ValueError):  # not of the letters a token has: then nothing is found
            text = token.decode("ascii")
            digest = hash_token(text)
        for row in AuthToken.objects.filter(token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH]).select_related("user", "use"):
            if compare_digest(digest, row.digest) and (row.expiry is None or row.expiry > now):
                return self.validate_user(row)
        raise AuthenticationFailed(_("This token is not known, or it has ended."))

    def validate_user(self, auth_token: Any) -> tuple[Any, Any]:
        user, token = super().validate_user(auth_token)
        if user.is_suspended:
            raise AuthenticationFailed(_("This account is suspended."))
        if factor.is_required(user) and not factor.has(user):
            raise AuthenticationFailed(_("Your rights need a second factor. Log in on the pages and set it up."))
        now = timezone.now()
        use = getattr(token, "use", None) or TokenUse.objects.get_or_create(token=token)[0]
        if use.last_used_at is None or use.last_used_at < now - NOTED_EVERY:
            TokenUse.objects.filter(pk=use.pk).update(last_used_at=now)
        return user, token


@transaction.atomic
def issue(user: User, days: int, *, request: HttpRequest, label: str = "") -> tuple[AuthToken, str]:
    """A token for `user`, good for `days`, and its text, which is told this once. Raises Refused: too_many_tokens."""
    User.objects.select_for_update().get(pk=user.pk)
    if AuthToken.objects.filter(user=user, expiry__gt=timezone.now()).count() >= MOST_TOKENS:
        raise Refused("too_many_tokens", _("You have %(count)d tokens. End one first.") % {"count": MOST_TOKENS})
    made, text = AuthToken.objects.create(user, expiry=timedelta(days=days))
    TokenUse.objects.create(
        token=made,
        label=label,
        device=devices.words(request.META.get("HTTP_USER_AGENT", "")),
        address=str(client_address(request) or "") or None,
    )
    return made, text
