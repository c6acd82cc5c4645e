"""Verbs of people: ask to block, to extend and to lift; hold at once; find; note a review."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.models import ApprovalRequest, BlockEntry
from approvals.plain.normal import around, without
from approvals.services import requests
from approvals.services.blacklist import entries, subjects
from approvals.services.blacklist.kind import ADD, DEFAULT_TERM, EXTEND, LIFT, NAME, Blacklist
from approvals.services.blacklist.places import teams_of
from approvals.services.flow import FINAL
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Team, User
from teams.scoping import Grant


@transaction.atomic
def ask(
    *,
    team: int,
    subject_kind: str,
    subject: str,
    reason_code: str,
    evidence: str,
    by: User,
    country: str = "",
    effect: str = BlockEntry.Effect.BLOCK,
    channels: Sequence[str] = (),
    severity: int = BlockEntry.Severity.MEDIUM,
    term: str = DEFAULT_TERM,
    until: datetime | None = None,
    review_on: date | None = None,
    words: str = "",
    hold_now: bool = False,
) -> ApprovalRequest:
    """Ask to block a customer of `team`. With `hold_now` a lead has it take effect at once, for at most 24 hours, until it is
    decided.

    Raises OutOfReach, or Refused: bad_subject, bad_payload, already_open, already_listed, not_yours.
    """
    place = teams_of(by).filter(pk=team).first()
    if place is None:
        raise OutOfReach
    if hold_now and not reaches(by, place, Grant.LEAD):
        raise Refused(
            "not_yours",
            _("Only who leads the team holds a customer at once. Ask without the hold, and tell your lead."),
        )
    known = subjects.read(subject_kind, subject, country, place.zone)
    request = requests.ask(
        NAME,
        {
            "action": ADD, "team": team, "subject_kind": subject_kind, "subject": subject, "country": country,
            "reason_code": reason_code, "evidence": evidence, "effect": effect, "channels": list(channels),
            "severity": severity, "term": term, "until": until, "review_on": review_on,
        },
        by=by, words=without(words, known, subject),
    )  # fmt: skip
    if hold_now and request.state not in FINAL:
        with system_scope("a held entry is written by its request, as approved ones are"):
            entries.hold(request, Blacklist().wish(request.content), by=by)
    return request


@transaction.atomic
def extend(
    pk: Any,
    *,
    by: User,
    note: str,
    term: str = DEFAULT_TERM,
    until: datetime | None = None,
    review_on: date | None = None,
) -> ApprovalRequest:
    """Ask for a later end, counted from the present one; the note says what was looked at.

    Raises OutOfReach, or Refused: bad_payload, only_held, not_live, is_permanent, already_open.
    """
    entry = _seen(pk, by)
    note = subjects.masked(note, entry)
    wish = {
        "action": EXTEND,
        "entry": entry.pk,
        "note": note,
        "term": term,
        "until": until,
        "review_on": review_on,
    }
    return requests.ask(NAME, wish, by=by, words=note)


@transaction.atomic
def lift(pk: Any, *, by: User, note: str) -> ApprovalRequest:
    """Ask for the end of an entry; the note is the customer's appeal, or why it is no longer needed.

    Raises OutOfReach, or Refused: bad_payload, only_held, not_live, already_open.
    """
    entry = _seen(pk, by)
    note = subjects.masked(note, entry)
    return requests.ask(NAME, {"action": LIFT, "entry": entry.pk, "note": note}, by=by, words=note)


@transaction.atomic
def review(pk: Any, *, on: date, note: str, by: User) -> BlockEntry:
    """Note that somebody has looked at an entry, and when to look again. It stays as it is, so one person may.

    Raises OutOfReach, or Refused: not_live, day_has_passed, no_words.
    """
    entry: BlockEntry = BlockEntry.objects.manageable_by(by).take(pk)
    if not BlockEntry.objects.live().filter(pk=entry.pk).exists():
        raise Refused("not_live", _("This entry has ended by now."))
    if on <= timezone.localdate():
        raise Refused("day_has_passed", _("Choose a day ahead."))
    if not note.strip():
        raise Refused("no_words", _("Say what you looked at: the note is kept with the entry."))
    entry.review_on, entry.review_note = on, subjects.masked(note.strip(), entry)[:500]
    save_with_history(entry, "review_on", "review_note", by=by, reason="reviewed")
    return entry


def find(*, subject_kind: str, subject: str, by: User, country: str = "") -> BlockEntry:
    """The entry about this customer in the asker's sight: one that holds now before one that has ended, the newest first. For
    an address also that of a network around it.

    Raises Refused: bad_subject, not_listed.
    """
    home = Team.objects.filter(pk__in=teams_of(by).values("pk")).order_by("pk").first()
    known = subjects.read(subject_kind, subject, country, home.zone if home is not None else "")
    rows = BlockEntry.objects.visible_to(by)
    now = timezone.now()
    found = (
        rows.called(known).live(now).first()
        or _around(rows, known.value, known.kind, now)
        or rows.called(known).first()
    )
    if found is None:
        raise Refused("not_listed", _("This customer is not on the blacklist of your teams."))
    return found


def _around(rows: Any, value: str, kind: str, now: datetime) -> BlockEntry | None:
    if kind not in (BlockEntry.Kind.IP, BlockEntry.Kind.NETWORK):
        return None
    return rows.live(now).filter(network__in=around(value)).first()


def _seen(pk: Any, by: User) -> BlockEntry:
    try:
        entry = BlockEntry.objects.visible_to(by).filter(pk=pk).first()
    except (TypeError, ValueError, OverflowError):
        entry = None
    if entry is None:
        raise OutOfReach
    return entry
