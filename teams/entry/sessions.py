"""Sessions as our own rows: they end after 30 idle minutes and after 12 hours, and their owner sees and ends them.

What is noted of a session stands in its data under one key; the row's columns are filled from it on each save, as Django's
way of extending its session table has it. A row that is deleted ends the session at its next request.
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest
from django.utils import timezone

from teams.edges.addresses import client_address
from teams.entry import devices

NOTED = "_entry"
SEEN_EVERY_SECONDS = 60  # how stale "last used" may be: one write a minute for somebody at work


class SessionStore(DatabaseStore):
    @classmethod
    def get_model_class(cls) -> Any:
        from teams.entry.models import Session

        return Session

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        row: Any = super().create_model_instance(data)
        noted = data.get(NOTED)
        if noted is not None and SESSION_KEY in data:
            row.user_id = int(data[SESSION_KEY])
            row.number = uuid.UUID(noted["number"])
            row.device, row.address = noted["device"], noted["address"]
            row.began_at, row.seen_at = (datetime.fromtimestamp(noted[name], UTC) for name in ("began", "seen"))
        return row


def begin(request: HttpRequest, *, with_factor: bool = False) -> None:
    """Note where and when the session of this request began; asked again, as after a second factor, it begins anew."""
    now = int(timezone.now().timestamp())
    request.session[NOTED] = {
        "number": str(uuid.uuid4()),
        "began": now,
        "seen": now,
        "device": devices.words(request.META.get("HTTP_USER_AGENT", "")),
        "address": str(client_address(request) or "") or None,
        "factor": with_factor,
    }


def over(request: HttpRequest) -> str:
    """Why this session has to end now: "idle", "long", or "" while it goes on, which is noted at most once a minute."""
    noted = request.session.get(NOTED)
    if noted is None:
        begin(request)
        return ""
    now = int(timezone.now().timestamp())
    if now - noted["seen"] >= settings.SESSION_IDLE_SECONDS:
        return "idle"
    if now - noted["began"] >= settings.SESSION_COOKIE_AGE:
        return "long"
    if abs(now - noted["seen"]) >= SEEN_EVERY_SECONDS:
        noted["seen"] = now
        request.session.modified = True
    return ""


def has_factor(request: HttpRequest) -> bool:
    """Whether a second factor was shown in this session."""
    return bool(request.session.get(NOTED, {}).get("factor"))


def note_factor(request: HttpRequest, shown: bool) -> None:
    request.session[NOTED]["factor"] = shown
    request.session.modified = True


def is_fresh(request: HttpRequest, minutes: int = 10) -> bool:
    """Whether the log-in was minutes ago, so that the password need not be asked for again."""
    return timezone.now().timestamp() - request.session.get(NOTED, {}).get("began", 0) < minutes * 60


def number_of(request: HttpRequest) -> str:
    """The name of this request's session on pages; empty without one."""
    return str(request.session.get(NOTED, {}).get("number", ""))
