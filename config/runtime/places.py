"""Where things are. Standard library only: settings and the first second of `manage.py` both ask here.

All places follow from the home directory, so that any process of the same home finds the same sockets without
being told. The sockets lie apart from the home, because a socket's path may be no longer than some hundred
bytes.
"""

import hashlib
import os
import secrets
import stat
from pathlib import Path
from typing import Any, NamedTuple

CHECKOUT = Path(__file__).resolve().parent.parent.parent
LONGEST_SOCKET_DIR = 70
NOBODY = 65534


class Unable(Exception):
    """What stops the start: a sentence that says what is in the way and what to do about it."""


def is_testing() -> bool:
    """Whether this process belongs to `manage.py test`, which keeps its own servers."""
    return os.environ.get("OUTPOST_TESTING") == "1"


def home() -> Path:
    """The data directory; named by OUTPOST_HOME, else inside the checkout and ignored by git."""
    named = os.environ.get("OUTPOST_HOME", "").strip()
    return (Path(named).expanduser() if named else CHECKOUT / ".outpost").resolve()


def make_home() -> Path:
    """The home directory, made if it is missing and certainly ours to write to."""
    place = home()
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        (place / "logs").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise Unable(f"The data directory {place} cannot be made ({error.strerror}). {_ANOTHER_HOME}") from error
    if not os.access(place, os.R_OK | os.W_OK | os.X_OK):
        raise Unable(f"The data directory {place} cannot be written to by this user. {_ANOTHER_HOME}")
    return place


_ANOTHER_HOME = "Start as the user it belongs to, or set OUTPOST_HOME to a directory of your own."


def socket_dir(purpose: str = "run") -> Path:
    """A short private directory for the sockets of this home, the same for every process of this user.

    Its name can be guessed, so a directory that another user made or may enter is refused. The superuser's
    lies below /tmp in any case: a session's runtime directory vanishes at log-out, and cannot be entered
    after a change of user.
    """
    mark = hashlib.sha256(os.fsencode(home())).hexdigest()[:10]
    place = _runtime_dir() / f"outpost-{os.geteuid()}-{mark}-{purpose}"
    try:
        place.mkdir(mode=0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise Unable(f"The socket directory {place} cannot be made: {error.strerror}.") from error
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in _owners() or stat.S_IMODE(found.st_mode) != 0o700:
        raise Unable(
            f"The socket directory {place} is not private: it must be a directory of this user, mode 0700. "
            "Find out who made it, remove it and start again."
        )
    return place


def _runtime_dir() -> Path:
    user = os.geteuid()
    if user:
        for named in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{user}"):
            if named and len(named) <= LONGEST_SOCKET_DIR - 40:
                place = Path(named)
                if place.is_dir() and place.stat().st_uid == user and os.access(place, os.W_OK | os.X_OK):
                    return place
    return Path("/tmp")  # noqa: S108 - the directory in it is private, and refused when it is not


def _owners() -> set[int]:
    """Who may own our sockets: this user, and for root also the one its database may have to run as."""
    return {os.geteuid()} if os.geteuid() else {0, NOBODY}


def servers_purpose() -> str:
    """Which pair of embedded servers this process talks to."""
    return "test" if is_testing() else "run"


def embedded_database() -> dict[str, Any]:
    """Django's values for the embedded PostgreSQL. A test database copies nothing from a living one."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "app",
        "USER": embedded_login(),
        "PASSWORD": "",
        "HOST": str(socket_dir(servers_purpose())),
        "PORT": "",
        "TEST": {"TEMPLATE": "template0"},
    }


def embedded_login() -> str:
    """As whom this process knows the embedded database: the parts that the supervisor starts as a role that owns nothing,
    told by OUTPOST_DATABASE_ROLE; commands, migrations and tests as the owner of the tables."""
    return os.environ.get("OUTPOST_DATABASE_ROLE", "").strip() or "app"


def embedded_broker_url() -> str:
    """Celery's address of the embedded Valkey."""
    return f"redis+socket://{socket_dir(servers_purpose())}/vk"


def embedded_cache_url() -> str:
    """The address of the embedded Valkey for Django's cache, beside the broker's database."""
    return f"unix://{socket_dir(servers_purpose())}/vk?db=1"


def secret_key() -> str:
    """The secret of the embedded default: made once per home, for its owner only, and race-safe."""
    place = make_home() / "secret_key"
    if not place.exists():
        draft = place.with_name(f"secret_key.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, place)  # unlike a rename, this never replaces what another start has written meanwhile
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return place.read_text().strip()


class Embedded(NamedTuple):
    """Which servers are the embedded ones."""

    database: bool
    broker: bool


def embedded_parts() -> Embedded:
    """The servers that no address replaces."""
    return Embedded(
        database=not os.environ.get("DATABASE_URL", "").strip(),
        broker=not os.environ.get("CELERY_BROKER_URL", "").strip(),
    )
