"""Erasure of a person who left, or of a customer: asked for by one, confirmed by another, done by a job, not to be undone.

What names the person goes from rows, earlier versions, uploaded files, refused rows, notices, errors of jobs and records of
looks; figures stay under a pseudonym, and so do money rows for the legal term. A tombstone (a keyed hash, never a name) is
kept in the database and in a file beside the backups: `replay_tombstones` makes a restored copy forget again.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models.functions import Cast, Replace
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams import jobs, personal
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Agent, DataCopy, Erasure, JobRun, Team, Tombstone, User
from teams.personal import PSEUDONYM, DataClass, Subject
from teams.scoping import Grant
from teams.services import copies

log = logging.getLogger(__name__)

JOB = "teams.erase"
SHORTEST_WORD = 2  # a name of two signs is a whole name in Chinese; anything shorter is none
SHORTEST_LATIN = 3
State = Erasure.State


@dataclass(frozen=True)
class Preview:
    """What an erasure would do to how many rows, by class, most first."""

    gone: tuple[tuple[str, int], ...]  # deleted; of a customer: emptied or deleted
    emptied: tuple[tuple[str, int], ...]  # what names the person is taken out, the row stays
    kept: tuple[tuple[str, int], ...]  # stay as they are, under the pseudonym


# -- two persons -------------------------------------------------------------------------------------------------------


@transaction.atomic
@system_scope("the job of the erasure belongs to the system")
def ask_erasure(pk: int, reason: str, *, by: User) -> Erasure:
    """Ask for the erasure of agent `pk`, who has left. Nothing is erased before a second person confirms.

    Raises OutOfReach, or Refused: still_here, own_erasure, already_asked, already_erased, not_yours.
    """
    agent = Agent.objects.visible_to(by).take(pk)
    if agent.team_id is None or not reaches(by, agent.team_id, Grant.ONBOARD):
        raise Refused("not_yours", _("Only HR of this team (ONBOARD) may ask for an erasure."))
    if agent.status != Agent.Status.LEFT:
        raise Refused("still_here", _("Only somebody who has left can be erased. Enter the leaving first."))
    if agent.user_id == by.pk:
        raise Refused("own_erasure", _("Somebody else has to ask for your own erasure."))
    if Erasure.objects.filter(agent=agent, state__in=[State.ASKED, State.CONFIRMED]).exists():
        raise Refused("already_asked", _("The erasure of this person has been asked for already."))
    if Erasure.objects.filter(agent=agent, state=State.DONE).exists():
        raise Refused("already_erased", _("This person has been erased already."))
    erasure = Erasure(agent=agent, reason=reason, asked_by=by, asked_at=timezone.now())
    save_with_history(erasure, by=by, reason=reason)
    return erasure


@transaction.atomic
@system_scope("the job of the erasure belongs to the system")
def ask_customer_erasure(customer_key: str, reason: str, *, by: User) -> Erasure:
    """Ask for the erasure of the customer of this key, in all teams. For HR of a top team and the operator.

    Raises OutOfReach, or Refused: bad_key, already_asked.
    """
    if not (by.is_superuser or Team.objects.in_reach_of(by, Grant.ONBOARD).filter(parent=None).exists()):
        raise OutOfReach
    if not re.fullmatch(r"[0-9a-f]{32}", customer_key):
        raise Refused("bad_key", _("A customer's key has 32 signs from 0 to 9 and a to f."))
    User.objects.select_for_update().get(pk=by.pk)
    if Erasure.objects.filter(customer_key=customer_key, state__in=[State.ASKED, State.CONFIRMED]).exists():
        raise Refused("already_asked", _("The erasure of this customer has been asked for already."))
    erasure = Erasure(customer_key=customer_key, reason=reason, asked_by=by, asked_at=timezone.now())
    save_with_history(erasure, by=by, reason=reason)
    return erasure


@transaction.atomic
@system_scope("what goes lies in every team the person was in")
def confirm_erasure(pk: int, reason: str = "", *, by: User) -> Erasure:
    """The second person's word: the erasure is handed to the worker and cannot be undone from here on.

    Raises OutOfReach, or Refused: not_open, second_person, own_erasure, still_here.
    """
    erasure = Erasure.objects.manageable_by(by).take(pk)
    if erasure.state != State.ASKED:
        raise Refused("not_open", _("This erasure has been settled already."))
    if erasure.asked_by_id == by.pk:
        raise Refused("second_person", _("Somebody else of HR, or the operator, has to confirm what you asked for."))
    if erasure.agent is not None:
        if erasure.agent.user_id == by.pk:
            raise Refused("own_erasure", _("Somebody else has to confirm your own erasure."))
        if erasure.agent.status != Agent.Status.LEFT:
            raise Refused("still_here", _("Only somebody who has left can be erased. Enter the leaving first."))
    erasure.state, erasure.settled_by, erasure.settled_at = State.CONFIRMED, by, timezone.now()
    save_with_history(erasure, "state", "settled_by", "settled_at", by=by, reason=reason)
    jobs.expect(JOB, subject=str(erasure.pk), due_at=timezone.now())
    return erasure


@transaction.atomic
def withdraw_erasure(pk: int, reason: str, *, by: User) -> Erasure:
    """Give an erasure up before it is confirmed. Raises OutOfReach, or Refused: not_open."""
    erasure = Erasure.objects.manageable_by(by).take(pk)
    if erasure.state != State.ASKED:
        raise Refused("not_open", _("This erasure has been settled already."))
    erasure.state, erasure.settled_by, erasure.settled_at = State.WITHDRAWN, by, timezone.now()
    save_with_history(erasure, "state", "settled_by", "settled_at", by=by, reason=reason)
    return erasure


@system_scope("what would go lies in every team the person was in")
def preview(erasure: Erasure) -> Preview:
    """What would go, counted now."""
    if erasure.agent is None:
        counts: dict[str, int] = {}
        for erase in personal.of_customers():
            counts |= erase(erasure.customer_key, before=timezone.now(), dry_run=True)
        return Preview(tuple(sorted(counts.items(), key=_most)), (), ())
    subject = Subject.of_agent(erasure.agent)
    gone: list[tuple[str, int]] = []
    emptied: list[tuple[str, int]] = []
    kept: list[tuple[str, int]] = []
    for each in personal.classes():
        count = each.about(subject).count()
        if count:
            (gone if each.is_deleted else emptied if each.cleared else kept).append((each.words, count))
    return Preview(*(tuple(sorted(part, key=_most)) for part in (gone, emptied, kept)))


def _most(pair: tuple[str, int]) -> int:
    return -pair[1]


# -- the job -----------------------------------------------------------------------------------------------------------


def work(run: JobRun) -> str:
    """The job: erase what was confirmed, and leave the tombstone. Given twice, it changes nothing the second time."""
    erasure = Erasure.objects.select_for_update(of=("self",)).filter(pk=int(run.subject)).first()
    if erasure is None or erasure.state != State.CONFIRMED:
        return ""
    now = timezone.now()
    pseudonym = f"x{secrets.token_hex(5)}"
    if erasure.agent_id is not None:
        stone = Tombstone(
            kind="agent", digest=agent_digest(erasure.agent_id), pseudonym=pseudonym, erased_at=now
        )  # a keyed hash: the list alone names nobody
        counts = erase_person(Subject.of_agent(Agent.objects.select_for_update().get(pk=erasure.agent_id)), pseudonym)
    else:
        stone = Tombstone(kind="customer", digest=erasure.customer_key, pseudonym=pseudonym, erased_at=now)
        counts = erase_customer(erasure.customer_key, before=now)
    stone.save()
    erasure.state, erasure.done_at, erasure.counts = State.DONE, now, counts
    erasure.reason = ""
    save_with_history(erasure, "state", "done_at", "counts", "reason", by=None, reason="erased")
    transaction.on_commit(keep_tombstones, robust=True)
    return ""


@transaction.atomic
def erase_person(subject: Subject, pseudonym: str) -> dict[str, int]:
    """Take what names the person out of every table of the catalogue; returns rows by class. Repeatable."""
    _announce()
    words = _words(subject)
    counts: dict[str, int] = {}
    for step in personal.steps():
        counts |= step(subject, pseudonym, words)
    counts["teams.datacopy"] = copies.drop(DataCopy.objects.filter(_about_copies(subject)))
    for each in personal.classes():
        _clear(each, subject, pseudonym, counts)
    for text in personal.texts():
        _replace(text, words, pseudonym)
    if subject.user is not None:
        user = User.objects.select_for_update().get(pk=subject.user.pk)
        user.set_unusable_password()
        user.is_active = False
        user.last_login = None
        user.save_without_historical_record(update_fields=["password", "is_active", "last_login"])
    return {code: count for code, count in counts.items() if count}


@transaction.atomic
def erase_customer(customer_key: str, *, before: datetime) -> dict[str, int]:
    """Take the customer of this key out of everything that was known `before`; returns rows by class. Repeatable."""
    _announce()
    counts: dict[str, int] = {}
    for erase in personal.of_customers():
        counts |= erase(customer_key, before=before, dry_run=False)
    return counts


def _announce() -> None:
    """Tell the triggers of append-only tables that this transaction erases."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('outpost.erasing', 'on', true)")


def _about_copies(subject: Subject) -> models.Q:
    condition = models.Q(pk__in=[])
    if subject.agent is not None:
        condition |= models.Q(agent=subject.agent)
    if subject.user is not None:
        condition |= models.Q(user=subject.user)
    return condition


def _words(subject: Subject) -> list[str]:
    """What the person is called anywhere, now and before, longest first: for files and free texts."""
    found: set[str] = set()
    for each, columns in ((Agent, ("name", "number")), (User, ("username", "full_name", "email"))):
        row = subject.agent if each is Agent else subject.user
        if row is None:
            continue
        found |= {getattr(row, column) for column in columns}
        for version in each.history.filter(id=row.pk).values_list(*columns):
            found |= set(version)
    return sorted((word for word in found if is_telling(word)), key=len, reverse=True)


def is_telling(word: str) -> bool:
    """Whether a word is long enough to be looked for in texts without hitting everything."""
    return len(word) >= (SHORTEST_LATIN if word.isascii() else SHORTEST_WORD)


def _clear(each: DataClass, subject: Subject, pseudonym: str, counts: dict[str, int]) -> None:
    rows = each.about(subject)
    if each.is_deleted:
        counts[each.code] = rows.count()
        rows.delete()
    elif each.cleared:
        values = {column: pseudonym if to is PSEUDONYM else to for column, to in each.cleared}
        counts[each.code] = rows.update(**values)
    if each.earlier is not None and each.is_deleted:
        each.about_earlier(subject).delete()
    elif each.earlier is not None:
        values = {column: pseudonym if to is PSEUDONYM else to for column, to in each.cleared}
        each.about_earlier(subject).update(**values, history_change_reason="")


def _replace(text: personal.FreeText, words: list[str], pseudonym: str) -> None:
    """Put the pseudonym in place of every word in the columns of a table, set-based, JSON as its text."""
    for column in text.columns:
        is_json = isinstance(text.model._meta.get_field(column), models.JSONField)
        for word in words:
            looked_for = json.dumps(word, ensure_ascii=False)[1:-1] if is_json else word
            said = Cast(column, models.TextField())
            changed: Any = Replace(said, models.Value(looked_for), models.Value(pseudonym))
            rows = text.model._base_manager.annotate(said=said).filter(said__contains=looked_for)
            rows.update(**{column: Cast(changed, models.JSONField()) if is_json else changed})


# -- tombstones --------------------------------------------------------------------------------------------------------


def agent_digest(pk: int) -> str:
    """The keyed hash by which a tombstone knows an agent."""
    key = hashlib.sha256(b"outpost tombstones\0" + settings.SECRET_KEY.encode()).digest()
    return hmac.digest(key, f"agent:{pk}".encode(), "sha256").hex()[:32]


def replay_tombstones() -> int:
    """Erase again whoever a restored copy remembers although a tombstone says otherwise; returns how many.

    Reads the tombstones of the database and of the file kept beside the backups. Idempotent. For `restore`, before the copy
    serves anybody; afterwards the database holds every tombstone of the file.
    """
    stones = _all_tombstones()
    agents = {stone.digest: stone for stone in stones if stone.kind == "agent"}
    again = 0
    with transaction.atomic():
        for agent in Agent.objects.select_related("user").order_by("pk").iterator() if agents else ():
            found = agents.get(agent_digest(agent.pk))
            if found is not None and agent.number != found.pseudonym:
                erase_person(Subject.of_agent(agent), found.pseudonym)
                again += 1
        for stone in stones:
            if stone.kind == "customer" and any(erase_customer(stone.digest, before=stone.erased_at).values()):
                again += 1
        Tombstone.objects.bulk_create([stone for stone in stones if stone.pk is None], ignore_conflicts=True)
    if again:
        log.warning("tombstones replayed: %d erased again", again)
    return again


def keep_tombstones() -> int:
    """Bring the file of tombstones up to the database; returns how many it holds. Written whole, then moved into place."""
    stones = _all_tombstones()
    path = Path(settings.TOMBSTONES)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.new")
    with fresh.open("w", encoding="utf-8") as file:
        os.chmod(fresh, 0o600)
        for stone in stones:
            line = {name: getattr(stone, name) for name in ("kind", "digest", "pseudonym")}
            file.write(json.dumps(line | {"erased_at": stone.erased_at.isoformat()}) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return len(stones)


def _all_tombstones() -> list[Tombstone]:
    """Those of the database and those only the file has (not saved yet), oldest first."""
    known = {(stone.kind, stone.digest, stone.erased_at): stone for stone in Tombstone.objects.all()}
    for stone in _in_file(Path(settings.TOMBSTONES)):
        known.setdefault((stone.kind, stone.digest, stone.erased_at), stone)
    return sorted(known.values(), key=lambda stone: stone.erased_at)


def _in_file(path: Path) -> Iterator[Tombstone]:
    if not path.exists():
        return
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            told: dict[str, Any] = json.loads(line)
            yield Tombstone(
                kind=told["kind"], digest=told["digest"], pseudonym=told["pseudonym"],
                erased_at=datetime.fromisoformat(told["erased_at"]),
            )  # fmt: skip
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(
                "bad_tombstones",
                _("Line %(number)d of %(path)s is no tombstone. Take the file from beside an earlier backup.")
                % {"number": number, "path": path},
            ) from error
