"""Devices: in words for people, and known again by a signed cookie of an earlier log-in.

The cookie only says "from here this account has logged in before". It opens nothing; it keeps the tries of others from
counting against the owner (`teams.entry.tries`).
"""

import time
import uuid

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "outpost_device"
SALT = "teams.entry.device"
KEPT_SECONDS = 180 * 86400
MOST_ACCOUNTS = 5  # of people who share a machine

BROWSERS = (
    ("Edg/", "Edge"), ("EdgA/", "Edge"), ("OPR/", "Opera"), ("MicroMessenger/", "WeChat"), ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
    ("python-", "Python"), ("Python", "Python"),
)  # fmt: skip
SYSTEMS = (
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("HarmonyOS", "HarmonyOS"), ("Android", "Android"),
    ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def words(agent: str) -> str:
    """ "Firefox, Windows": browser and system by their own names; empty if the header tells nothing we know."""
    found = (next((name for mark, name in names if mark in agent), "") for names in (BROWSERS, SYSTEMS))
    return ", ".join(filter(None, found))


def known(request: HttpRequest, user_pk: int) -> str:
    """The id of the device if this account has logged in from it before, else empty."""
    noted = _read(request)
    return noted["device"] if str(user_pk) in noted["accounts"] else ""


def remember(request: HttpRequest, response: HttpResponse, user_pk: int) -> None:
    """Note on the machine that this account has logged in from it; the accounts used last are kept."""
    noted = _read(request)
    accounts = noted["accounts"] | {str(user_pk): int(time.time())}
    noted["accounts"] = dict(sorted(accounts.items(), key=lambda each: each[1])[-MOST_ACCOUNTS:])
    response.set_cookie(
        COOKIE,
        signing.dumps(noted, salt=SALT),
        max_age=KEPT_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> dict:
    try:
        noted = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=KEPT_SECONDS)
    except signing.BadSignature:
        return {"device": uuid.uuid4().hex, "accounts": {}}
    return noted
