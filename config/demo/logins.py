"""The passwords of the demo organisation: made for this installation, kept beside its data, never the same twice."""

import json
import os
import secrets
from pathlib import Path

from django.conf import settings

from config.demo.cast import Cast
from teams.models import User

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # without those that are taken for each other


def place() -> Path:
    """Where the log-ins are kept: readable by the owner of the data directory only."""
    return Path(settings.OUTPOST_HOME) / "demo_logins.json"


def make(cast: Cast) -> dict[str, str]:
    """New passwords by username, kept before anybody has them. One account for each role."""
    passwords = {username: _password() for username in cast.logins.values()}
    rows = [{"role": role, "username": name, "password": passwords[name]} for role, name in cast.logins.items()]
    path = place()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(rows, file, indent=1)
    draft.replace(path)
    return passwords


def still_valid() -> list[dict[str, str]]:
    """The kept log-ins (role, username, password) that open an account of this database as they stand."""
    try:
        rows = json.loads(place().read_text())
    except FileNotFoundError:
        return []
    users = {user.username: user for user in User.objects.filter(username__in=[row["username"] for row in rows])}
    return [
        row
        for row in rows
        if (user := users.get(row["username"])) is not None and user.is_active and user.check_password(row["password"])
    ]


def _password() -> str:
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))
