"""Guessing is slow, and nobody's guessing locks anybody else out.

A try is counted before the password is looked at, in rows that are locked while they are counted: however many come at
once, no more are looked at than the rule lets through. Tries count per name and address, and per address; from a device
where the account has logged in before they count for that device alone, so the owner comes in whatever others try.
Codes of the second factor, which only who has the password may try, count per person as well, known devices excepted.

The first `free` tries cost nothing; after that each failure makes the next one wait, twice as long each time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_network

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import ngettext

from teams.audit import save_with_history
from teams.edges.addresses import Address, client_address
from teams.entry import devices
from teams.entry.models import EntryTry
from teams.errors import OutOfReach
from teams.models import User

FORGOTTEN_AFTER = timedelta(hours=1)  # since the last try, or the end of the wait
Kind = EntryTry.Kind


@dataclass(frozen=True)
class Rule:
    """How many tries are free, and the waits after that, in seconds."""

    free: int
    first: int
    longest: int

    def wait(self, tries: int) -> timedelta:
        """How long the next try must wait after `tries`."""
        if tries < self.free:
            return timedelta(0)
        return timedelta(seconds=min(self.longest, self.first * 2 ** min(tries - self.free, 20)))


RULES = {
    Kind.NAME: Rule(free=5, first=30, longest=900),
    Kind.DEVICE: Rule(free=5, first=30, longest=900),
    Kind.CODE: Rule(free=5, first=30, longest=900),
    Kind.ADDRESS: Rule(free=100, first=60, longest=900),  # an office, or a whole team behind one VPN
    Kind.PERSON: Rule(free=50, first=60, longest=900),
}


@dataclass(frozen=True)
class Key:
    kind: Kind
    of: str
    user: int | None
    address: str | None

    @property
    def text(self) -> str:
        return f"{self.kind.value}:{self.of}"


@dataclass(frozen=True)
class Try:
    """A try that has been counted, or one that has to wait."""

    keys: tuple[Key, ...]
    locked_until: datetime | None = None

    @property
    def wait_seconds(self) -> int:
        """Whole seconds until the next try; 0 if this one may go on."""
        if self.locked_until is None:
            return 0
        return max(1, int((self.locked_until - timezone.now()).total_seconds()) + 1)

    @property
    def sentence(self) -> str:
        minutes = -(-self.wait_seconds // 60)
        return ngettext(
            "Too many attempts. Try again in %(minutes)d minute.",
            "Too many attempts. Try again in %(minutes)d minutes.",
            minutes,
        ) % {"minutes": minutes}


def knock(request: HttpRequest, name: str) -> Try:
    """Count a try at the log-in under `name`, known or not, and say whether it may go on."""
    user = User.objects.filter(username=name).values_list("pk", flat=True).first()
    device = devices.known(request, user or 0)
    if device:
        return count([_key(Kind.DEVICE, f"{device}:{user}", user=user)])
    address = client_address(request)
    named = _digest(name.casefold())
    keys = [_key(Kind.NAME, f"{named}:{near(address)}", user=user, address=address)]
    return count([*keys, _key(Kind.ADDRESS, near(address), address=address)])


def knock_with_code(request: HttpRequest, user: User) -> Try:
    """Count a try of somebody whose password was right, or who is in already and proves it once more."""
    device = devices.known(request, user.pk)
    if device:
        return count([_key(Kind.CODE, f"{user.pk}:{device}", user=user.pk)])
    address = client_address(request)
    keys = [_key(Kind.CODE, f"{user.pk}:{near(address)}", user=user.pk, address=address)]
    return count([*keys, _key(Kind.PERSON, str(user.pk), user=user.pk)])


@transaction.atomic
def count(keys: Sequence[Key]) -> Try:
    """Count one try under each of `keys`, unless one of them has to wait: then none is counted."""
    keys = tuple(sorted(keys, key=lambda key: key.text))
    EntryTry.objects.bulk_create(
        [EntryTry(key=key.text, kind=key.kind, user_id=key.user, address=key.address) for key in keys],
        ignore_conflicts=True,
    )
    rows = list(EntryTry.objects.select_for_update().filter(key__in=[key.text for key in keys]).order_by("key"))
    now = timezone.now()
    waits = [row.locked_until for row in rows if row.locked_until is not None and row.locked_until > now]
    if waits:
        return Try(keys, max(waits))
    for row in rows:
        is_old = max(row.last_at, row.locked_until or row.last_at) < now - FORGOTTEN_AFTER
        row.tries = 1 if is_old else row.tries + 1
        row.first_at = now if row.tries == 1 else row.first_at
        row.last_at = now
        wait = RULES[Kind(row.kind)].wait(row.tries)
        row.locked_until = now + wait if wait else None
    EntryTry.objects.bulk_update(rows, ["tries", "first_at", "last_at", "locked_until"])
    return Try(keys)


@transaction.atomic
def succeeded(made: Try) -> None:
    """The try was right: the person's own counts end, and what is shared with others gets this one try back."""
    shared = [key for key in made.keys if key.kind in {Kind.ADDRESS, Kind.PERSON}]
    own = [key.text for key in made.keys if key not in shared]
    EntryTry.objects.filter(key__in=own).update(tries=0, locked_until=None)
    for key in shared:
        row = EntryTry.objects.filter(key=key.text)
        row.update(tries=Greatest(F("tries") - 1, 0))
        row.filter(tries__lt=RULES[key.kind].free).update(locked_until=None)


@transaction.atomic
def lift(pk: int, *, by: User, reason: str) -> EntryTry:
    """Let the next try go on at once. Raises OutOfReach unless `by` is an operator."""
    row = EntryTry.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        raise OutOfReach
    row.tries, row.locked_until = 0, None
    save_with_history(row, "tries", "locked_until", by=by, reason=reason)
    return row


def sweep(now: datetime) -> None:
    """Forget tries that count for nothing any more; those an operator lifted stay in the history."""
    rows = EntryTry.objects.quiet_since(now - FORGOTTEN_AFTER)
    rows._raw_delete(rows.db)  # without a history row for each try ever made


def near(address: Address | None) -> str:
    """An address as far as it tells one machine from another: of IPv6 the network, as machines choose the rest freely."""
    if isinstance(address, IPv6Address):
        return str(ip_network((int(address), 64), strict=False).network_address)
    return str(address or "unknown")


def _digest(name: str) -> str:
    return salted_hmac("teams.entry.tries", name[:150], algorithm="sha256").hexdigest()[:32]


def _key(kind: Kind, of: str, *, user: int | None = None, address: Address | None = None) -> Key:
    return Key(kind, of, user, str(address) if address is not None else None)
