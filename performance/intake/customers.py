"""Customers are known by a keyed hash, their telephones by a mask. What came in clear goes no further than this file.

Where a source keeps numbers, a sealed one goes along in a column of its own (`sealer`), for contacts only.

A secret cell is replaced, before it reaches PostgreSQL, by `keyed:<32 hex digits>` and for telephones
`keyed:<32 hex digits>:<mask>`. The same form stands in refused rows and in the errors file, and is taken back as it is.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Sequence
from functools import lru_cache

KEYED = re.compile(r"keyed:[0-9a-f]{32}(?::[0-9*]{0,32})?")
KEEP_FIRST, KEEP_LAST = 3, 2
FEWEST_HIDDEN = 4
UNDIALLED = re.compile(r"[^\d+#*]")
MOST_SIGNS = 40
REMEMBERED = 100_000  # cells of one delivery: customers come back


def derive_key(secret: str) -> bytes:
    """The key of the customers' hashes; another secret makes other hashes."""
    return hashlib.sha256(b"outpost customers\0" + secret.encode()).digest()


def key_of(text: str, key: bytes) -> str:
    """The customer's key for a telephone number or mail address as it came in, or for the key itself."""
    value = text.strip().lower()
    if re.fullmatch(r"[0-9a-f]{32}", value):
        return value
    customer, phone = keyer(key, "")
    return (customer if "@" in value else phone)(value).removeprefix("keyed:")[:32]


def mask_phone(number: str) -> str:
    """The number with its first three and last two digits, the rest as stars; a short one keeps fewer, or none."""
    digits = re.sub(r"\D", "", number)[:32]
    hidden = len(digits) - KEEP_FIRST - KEEP_LAST
    if hidden >= FEWEST_HIDDEN:
        return digits[:KEEP_FIRST] + "*" * hidden + digits[-KEEP_LAST:]
    last = min(KEEP_LAST, max(0, len(digits) - FEWEST_HIDDEN))
    return "*" * (len(digits) - last) + (digits[-last:] if last else "")


def keyer(key: bytes, scope: str) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Two functions that replace a customer's cell and a telephone cell.

    A mail address and a telephone number mean the same person at every source; any other id only within `scope`.
    """

    def digest(text: str) -> str:
        return hmac.digest(key, text.encode(errors="replace"), "sha256").hex()[:32]

    @lru_cache(maxsize=REMEMBERED)
    def customer(cell: str) -> str:
        value = cell.strip().lower()
        if not value or (value.startswith("keyed:") and KEYED.fullmatch(value)):
            return value
        return "keyed:" + digest(f"mail:{value}" if "@" in value else f"{scope}:{value}")

    @lru_cache(maxsize=REMEMBERED)
    def phone(cell: str) -> str:
        value = cell.strip()
        if not value or KEYED.fullmatch(value):
            return value
        digits = re.sub(r"\D", "", value)
        return f"keyed:{digest(f'phone:{digits or value}')}:{mask_phone(digits)}"

    return customer, phone


def sealer(places: Sequence[int], seal: Callable[[str], str]) -> Callable[[list[str]], str]:
    """What seals the first number found in the cells `places` of a row; empty where there is none, or only a keyed one."""

    @lru_cache(maxsize=REMEMBERED)
    def sealed(cell: str) -> str:
        number = UNDIALLED.sub("", cell)[:MOST_SIGNS]
        return "" if KEYED.fullmatch(cell.strip()) or not number else seal(number)

    return lambda row: next((found for place in places if row[place] and (found := sealed(row[place]))), "")
