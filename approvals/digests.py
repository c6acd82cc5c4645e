"""Keyed hashes of blocked subjects: whoever has the table alone can neither read nor guess whom it names.

The key comes from the secrets that seal (`teams.sealing`), newest first. New entries are made under the newest; a check asks
under all that are known, so a change of OUTPOST_SEAL_KEY forgets nobody for as long as the former key stands in
OUTPOST_SEAL_KEYS_BEFORE. `key_name` tells under which an entry was made, for the check of the operator.
"""

import hashlib
import hmac
import json
from functools import lru_cache
from typing import Any

from django.conf import settings

from approvals.plain.normal import MAIL, PHONE, Normal, dialled
from teams import sealing

LENGTH = 32  # hexadecimal digits: 128 bits


@lru_cache(maxsize=16)
def _key(secret: str) -> bytes:
    return hashlib.sha256(b"outpost blacklist\0" + secret.encode()).digest()


def digest(subject: Normal) -> str:
    """The hash under which a new entry is kept."""
    return _hash(_key(sealing.secrets()[0]), f"{subject.kind}:{subject.value}")


def digests(subject: Normal) -> list[str]:
    """The hashes under which the subject may stand, the newest key's first."""
    return [_hash(_key(secret), f"{subject.kind}:{subject.value}") for secret in dict.fromkeys(sealing.secrets())]


def key_name() -> str:
    return key_names()[0]


def key_names() -> list[str]:
    """Names of the keys that are known, the newest first."""
    return [hashlib.sha256(b"outpost blacklist name\0" + _key(secret)).hexdigest()[:8] for secret in sealing.secrets()]


def proof(parts: dict[str, Any]) -> str:
    """A mark that this hash and this mask were made here, of one text: a request carries it in place of the text."""
    return _hash(_key(sealing.secrets()[0]), "proof:" + json.dumps(parts, sort_keys=True))


def is_proof(mark: str, parts: dict[str, Any]) -> bool:
    text = "proof:" + json.dumps(parts, sort_keys=True)
    return any(hmac.compare_digest(mark, _hash(_key(secret), text)) for secret in sealing.secrets())


def customer_keys(subject: Normal, typed: str) -> list[str]:
    """The keys by which deliveries know this customer (`docs/privacy.md`), so that erasing the customer finds the entry.

    Deliveries hash a number as the digits they were sent, so there are several; other subjects are not known to them.
    """
    key = hashlib.sha256(b"outpost customers\0" + settings.SECRET_KEY.encode()).digest()
    if subject.kind == MAIL:
        names = [f"mail:{each}" for each in dict.fromkeys([typed.strip().lower(), subject.value])]
    elif subject.kind == PHONE:
        names = [f"phone:{each}" for each in dialled(subject.value, typed)]
    else:
        names = []
    return [_hash(key, name) for name in names]


def _hash(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(errors="replace"), "sha256").hex()[:LENGTH]
