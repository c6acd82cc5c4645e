"""Sealed texts, such as telephone numbers, addresses of robots and secrets of second factors.

Sealed with AES-GCM under a key derived from OUTPOST_SEAL_KEY, else from the secret of the installation.

A sealed text is `v1.<key>.<nonce and ciphertext>`; `<key>` tells by which key it was sealed, so that a former one
(OUTPOST_SEAL_KEYS_BEFORE) still opens it until `manage.py reseal` has sealed it anew. `purpose` is bound into the seal: what
was sealed for one purpose does not open for another.
"""

import base64
import binascii
import hashlib
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models, transaction

VERSION = "v1"
NONCE_BYTES = 12


class Unopenable(Exception):
    """Sealed under a key this installation no longer has, for another purpose, or damaged."""


def seal(text: str, purpose: str) -> str:
    """`text`, readable only with the key of this installation."""
    name, cipher = _key(secrets()[0])
    nonce = os.urandom(NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, text.encode(), purpose.encode())
    return f"{VERSION}.{name}.{base64.urlsafe_b64encode(sealed).decode()}"


def unseal(sealed: str, purpose: str) -> str:
    """The text again. Raises Unopenable."""
    version, _dot, rest = sealed.partition(".")
    wanted, _dot, body = rest.partition(".")
    if version != VERSION:
        raise Unopenable("not a sealed text of this version")
    for secret in secrets():
        name, cipher = _key(secret)
        if name == wanted:
            try:
                raw = base64.urlsafe_b64decode(body)
                return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], purpose.encode()).decode()
            except (InvalidTag, ValueError, binascii.Error) as error:
                raise Unopenable("damaged, or sealed for something else") from error
    raise Unopenable("sealed under a key that is not among OUTPOST_SEAL_KEYS_BEFORE")


def reseal(rows: models.QuerySet, purpose: str, portion: int = 1000) -> int:
    """Seal the column `sealed` of `rows` anew where a former key sealed it; returns how many. Repeatable, portion by portion.

    Raises Unopenable; what was done before in whole portions stays.
    """
    done = 0
    old = rows.exclude(sealed="").exclude(sealed__startswith=newest()).order_by("pk")
    while True:
        with transaction.atomic():
            found = list(old.select_for_update(skip_locked=True)[:portion])
            for row in found:
                row.sealed = seal(unseal(row.sealed, purpose), purpose)
            rows.model._base_manager.bulk_update(found, ["sealed"])
        if not found:
            return done
        done += len(found)


def newest() -> str:
    """What texts sealed by the newest key begin with."""
    return f"{VERSION}.{_key(secrets()[0])[0]}."


def secrets() -> list[str]:
    """The secrets that open, the newest first."""
    return [settings.SEAL_KEY, *settings.SEAL_KEYS_BEFORE]


@lru_cache(maxsize=16)
def _key(secret: str) -> tuple[str, AESGCM]:
    raw = hashlib.sha256(b"outpost seal\0" + secret.encode()).digest()
    return hashlib.sha256(b"outpost seal name\0" + raw).hexdigest()[:8], AESGCM(raw)
