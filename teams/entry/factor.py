"""The second factor: a code of an authenticator app, or a recovery code. Kept by django-allauth's mfa tables, sealed.

Whoever holds LEAD, ONBOARD or SETTLE, and every operator, must have one where `settings.SECOND_FACTOR` says so; anybody
else may. A code counts once, on whatever machine: what was spent stands in the row, under its lock.
"""

import base64
import secrets
import time
from datetime import timedelta
from hashlib import sha256
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter, get_adapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams import acting, grants, sealing
from teams.audit import save_with_history
from teams.entry import ending
from teams.errors import OutOfReach, Refused
from teams.models import User
from teams.scoping import Grant

NEEDED_BY = frozenset({Grant.LEAD, Grant.ONBOARD, Grant.SETTLE})
PURPOSE = "second factor"
SPENT_SECONDS = 120  # longer than any code is good for
CODES_SHOWN_FOR = timedelta(minutes=10)


class SealedSecrets(DefaultMFAAdapter):
    """What would let anybody make codes is sealed (`teams.sealing`)."""

    def encrypt(self, text: str) -> str:
        return sealing.seal(text, PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return sealing.unseal(encrypted_text, PURPOSE)
        except sealing.Unopenable as error:
            sentence = _("This second factor was sealed with another secret. Ask the operator to reset it.")
            raise Refused("unreadable", sentence) from error

    def get_totp_label(self, user: Any) -> str:
        return user.get_username()


def reseal() -> int:
    """Seal anew, with the newest key, whatever a former key sealed; returns how many. Raises Unopenable."""
    done = 0
    for pk in list(Authenticator.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            old = [
                name
                for name in ("secret", "seed")
                if row is not None and not row.data.get(name, sealing.newest()).startswith(sealing.newest())
            ]
            if row is None or not old:
                continue
            row.data |= {name: sealing.seal(sealing.unseal(row.data[name], PURPOSE), PURPOSE) for name in old}
            row.save(update_fields=["data"])
            done += 1
    return done


def is_required(user: User) -> bool:
    """Whether this account must have a second factor, by what it may do at this moment."""
    if not settings.SECOND_FACTOR:
        return False
    if acting.current() == (acting.PERSON, user.pk):
        return not NEEDED_BY.isdisjoint(grants.held(user))
    with acting.system_scope("asked before the scope of the person is open"):
        return not NEEDED_BY.isdisjoint(grants.held(user))


def has(user: User) -> bool:
    return Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists()


def has_or_is_required(user: User) -> tuple[bool, bool]:
    """`has` and `is_required` of the person who asks, in one query, since every request without a factor asks both."""
    if user.is_superuser or not settings.SECOND_FACTOR:
        return has(user), is_required(user)
    totp = Authenticator.Type.TOTP.value
    apps = Authenticator.objects.filter(user=user, type=totp).values_list("type", flat=True)
    own, shared = grants.codenames(user)
    found = set(own.union(shared, apps))
    return totp in found, not NEEDED_BY.isdisjoint(found)


def codes_left(user: User) -> int:
    row = _row(user, Authenticator.Type.RECOVERY_CODES)
    return len(row.wrap().get_unused_codes()) if row is not None else 0


def new_secret() -> str:
    """A secret for an app, sealed, to be carried in the session until the first code proves that the app has it."""
    return get_adapter().encrypt(base64.b32encode(secrets.token_bytes(20)).decode())


def secret_words(sealed: str) -> str:
    """The secret in groups of four letters, for people whose device reads no pictures."""
    secret = get_adapter().decrypt(sealed)
    return " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))


def picture(user: User, sealed: str) -> str:
    """The secret as a QR code, an SVG in an address of its own so that no page needs markup from here."""
    adapter = get_adapter()
    drawn = adapter.build_totp_svg(adapter.build_totp_url(user, adapter.decrypt(sealed)))
    return "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode()


@transaction.atomic
def set_up(sealed: str, code: str, *, by: User, session: str = "") -> list[str]:
    """Give `by` the second factor whose first code is `code`, and recovery codes; other sessions and all tokens end.

    Raises Refused: has_factor, wrong_code.
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    if has(user):
        raise Refused("has_factor", _("You have a second factor already. Remove it first."))
    row = Authenticator(user=user, type=Authenticator.Type.TOTP, data={"secret": sealed})
    if not _fits(row, code):
        raise Refused("wrong_code", _("This code does not fit. Type the six digits that the app shows now."))
    row.save()
    codes = _new_codes(user)
    save_with_history(user, "is_suspended", by=by, reason=str(_("second factor set up")))
    ending.end_sessions(user, but=session)
    ending.end_tokens(user)
    ending.tell(user, "factor_set_up")
    return codes


@transaction.atomic
def accepts(user: User, code: str) -> bool:
    """Whether `code` is the app's of this half minute or a recovery code of `user`; either counts once.

    Raises Refused: unreadable.
    """
    code = "".join(code.split())
    rows = Authenticator.objects.select_for_update().filter(user=user).order_by("pk")
    for row in rows:
        if row.type == Authenticator.Type.TOTP and not _fits(row, code):
            continue
        if row.type == Authenticator.Type.RECOVERY_CODES and not row.wrap().validate_code(code):
            continue
        row.refresh_from_db(fields=["data"]) if row.type == Authenticator.Type.RECOVERY_CODES else None
        row.last_used_at = timezone.now()
        row.save(update_fields=["data", "last_used_at"])
        return True
    return False


@transaction.atomic
def renew_codes(*, by: User) -> list[str]:
    """New recovery codes; the old ones open nothing any more. Raises Refused: no_factor."""
    user = User.objects.select_for_update().get(pk=by.pk)
    if not has(user):
        raise Refused("no_factor", _("You have no second factor. Set one up first."))
    codes = _new_codes(user)
    save_with_history(user, "is_suspended", by=by, reason=str(_("new recovery codes")))
    return codes


def codes_to_keep(user: User) -> list[str]:
    """The recovery codes, while they may be shown: in the minutes after they were made, and until put away."""
    row = _row(user, Authenticator.Type.RECOVERY_CODES)
    if row is None or row.data.get("shown_until", 0) < time.time():
        return []
    return row.wrap().get_unused_codes()


@transaction.atomic
def put_codes_away(*, by: User) -> None:
    """The codes are kept elsewhere now and are not shown again."""
    row = Authenticator.objects.select_for_update().filter(user=by, type=Authenticator.Type.RECOVERY_CODES).first()
    if row is not None:
        row.data.pop("shown_until", None)
        row.save(update_fields=["data"])


@transaction.atomic
def remove(*, by: User, session: str = "") -> None:
    """Take away one's own second factor; other sessions and all tokens end. The door has asked for password and code.

    Raises Refused: no_factor.
    """
    user = User.objects.select_for_update().get(pk=by.pk)
    if not Authenticator.objects.filter(user=user).delete()[0]:
        raise Refused("no_factor", _("You have no second factor. Set one up first."))
    save_with_history(user, "is_suspended", by=by, reason=str(_("second factor removed")))
    ending.end_sessions(user, but=session)
    ending.end_tokens(user)
    ending.tell(user, "factor_removed")


@transaction.atomic
def reset(pk: int, *, by: User, reason: str) -> None:
    """Take away the second factor of an account whose device is lost; all its sessions and tokens end; the person is told.

    Raises OutOfReach unless `by` is an operator, or Refused: own_rights, no_factor.
    """
    if not (by.is_active and by.is_superuser):
        raise OutOfReach
    user = User.objects.select_for_update().filter(pk=pk).first()
    if user is None:
        raise OutOfReach
    if user == by:
        raise Refused("own_rights", _("Somebody else has to reset your second factor; remove it on your own page."))
    take_away(user, by=by, reason=reason)


@transaction.atomic
def take_away(user: User, *, by: User | None, reason: str) -> None:
    """The effect of a reset; `by` None: whoever may run commands on the machine. Raises Refused: no_factor."""
    if not Authenticator.objects.filter(user=user).delete()[0]:
        raise Refused("no_factor", _("This account has no second factor."))
    save_with_history(user, "is_suspended", by=by, reason=_("second factor reset: %(reason)s") % {"reason": reason})
    ending.end_sessions(user)
    ending.end_tokens(user)
    ending.tell(user, "factor_reset", reason=reason)


def _row(user: User, kind: str) -> Authenticator | None:
    return Authenticator.objects.filter(user=user, type=kind).first()


def _fits(row: Authenticator, code: str) -> bool:
    """Whether the code is the app's of now and was not spent before; it is spent by this. The row is locked or new."""
    code, now = "".join(code.split()), time.time()
    spent = {each: at for each, at in row.data.get("spent", {}).items() if at > now - SPENT_SECONDS}
    digest = sha256(code.encode()).hexdigest()[:16]
    if digest in spent or not row.wrap().validate_code(code):
        return False
    row.data["spent"] = spent | {digest: int(now)}
    return True


def _new_codes(user: User) -> list[str]:
    Authenticator.objects.filter(user=user, type=Authenticator.Type.RECOVERY_CODES).delete()
    shown_until = int(time.time() + CODES_SHOWN_FOR.total_seconds())
    data = {"seed": get_adapter().encrypt(secrets.token_hex(40)), "used_mask": 0, "shown_until": shown_until}
    row = Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data=data)
    return row.wrap().generate_codes()
