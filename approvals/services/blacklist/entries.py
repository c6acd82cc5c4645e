"""What becomes of entries, once it is decided: each function is one change of one entry, in the system's scope and in the
transaction of the request that it follows from."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.models import ApprovalRequest, BlockEntry
from teams.audit import save_with_history
from teams.errors import Refused
from teams.models import User

State = BlockEntry.State
TERMS = {"1h": timedelta(hours=1), "8h": timedelta(hours=8), "1d": timedelta(days=1), "7d": timedelta(days=7)}
CUSTOM, PERMANENT = "custom", "permanent"
LONGEST_HOLD = timedelta(hours=24)
PERMANENT_REVIEW = timedelta(days=180)  # a permanent entry is looked at again, whether or not somebody named a day
COPIED = (
    "subject_kind",
    "digest",
    "key_name",
    "customer_keys",
    "mask",
    "reason_code",
    "evidence",
    "effect",
    "severity",
)


def end_of(wish: Mapping[str, Any], begins: datetime) -> datetime | None:
    """When the asked term that begins at `begins` is over; None: never."""
    if wish["term"] == PERMANENT:
        return None
    return wish["until"] if wish["term"] == CUSTOM else begins + TERMS[wish["term"]]


def same_subject(wish: Mapping[str, Any]) -> Any:
    """A chainable read of the entries about the subject of a request, in its team."""
    return BlockEntry.objects.filter(
        team=wish["team"], subject_kind=wish["subject_kind"], digest=wish["digest"]
    ).order_by("pk")


def hold(request: ApprovalRequest, wish: Mapping[str, Any], *, by: User) -> BlockEntry:
    """A live entry at once, until the request is decided, for as long as was asked but at most for 24 hours."""
    now = timezone.now()
    ends = min(filter(None, (end_of(wish, now), now + LONGEST_HOLD)))
    entry = _made(request, wish, State.HELD, DateTimeTZRange(now, ends))
    _insert(entry, by=by, reason=_("held until approved"))
    return entry


def begin(request: ApprovalRequest, wish: Mapping[str, Any], *, by: User | None) -> BlockEntry:
    """The approved entry. One that is held becomes it, from the beginning of the hold; else it begins now.

    Raises Refused: end_has_passed, already_listed.
    """
    now = timezone.now()
    held = request.block_entries.select_for_update().live(now).filter(state=State.HELD).first()
    begins = held.span.lower if held is not None else now
    ends = _sooner(end_of(wish, begins), request.ends_at)
    if ends is not None and ends <= now:
        raise Refused(
            "end_has_passed", _("The time that was asked for is over. Ask again, with an end that lies ahead.")
        )
    entry = _made(request, wish, State.ACTIVE, DateTimeTZRange(begins, ends))
    entry.approved_by_id = last_approver(request)
    if held is not None:
        entry.pk, entry.made_at = held.pk, held.made_at
        save_with_history(entry, by=by or entry.approved_by, reason=_reason(request))
        return entry
    _insert(entry, by=by or entry.approved_by, reason=_reason(request))
    return entry


def extend(request: ApprovalRequest, wish: Mapping[str, Any], *, by: User | None) -> BlockEntry:
    """The entry with a later end, counted from the present one. Raises Refused: not_live, end_has_passed."""
    entry = _take_live(wish["entry"])
    ends = _sooner(end_of(wish, entry.span.upper), request.ends_at)
    if ends is not None and ends <= entry.span.upper:
        raise Refused("end_has_passed", _("The entry lasts that long already. Ask again, with a later end."))
    entry.span = DateTimeTZRange(entry.span.lower, ends)
    entry.review_note, entry.review_on = wish["note"], _review_day(wish, ends) or entry.review_on
    entry.approved_by_id = last_approver(request) or entry.approved_by_id
    save_with_history(
        entry, "span", "review_note", "review_on", "approved_by", by=by or entry.approved_by, reason=_reason(request)
    )
    return entry


def lift(request: ApprovalRequest, wish: Mapping[str, Any], *, by: User | None) -> BlockEntry:
    """The entry ends now, before its time. Raises Refused: not_live."""
    entry = _take_live(wish["entry"])
    entry.appeal_note = wish["note"]
    _end(entry, State.LIFTED, by=by or _person(last_approver(request)), reason=_reason(request), also=("appeal_note",))
    return entry


def let_go(request: ApprovalRequest) -> None:
    """The request has come to nothing: what is held for it ends."""
    for entry in request.block_entries.select_for_update().filter(state=State.HELD):
        _end(entry, State.LAPSED, by=None, reason=_reason(request))


def take_back(entry_pk: int, kept: Mapping[str, Any], *, by: User, request: ApprovalRequest) -> None:
    """Undo what a request did to its entry. Raises Refused: moved_on, where something else has come on top of it."""
    entry = BlockEntry.objects.select_for_update().get(pk=entry_pk)
    if standing(entry) != kept["made"]:
        raise Refused("moved_on", _("The entry has changed since. Ask for the opposite instead."))
    former = kept["former"]
    if former is None:
        if entry.state in (State.HELD, State.ACTIVE) and not _is_over(entry):
            _end(entry, State.LIFTED, by=by, reason=_reason(request))
        return
    ends = datetime.fromisoformat(former["until"]) if former["until"] else None
    if ends is not None and ends <= timezone.now():
        raise Refused("moved_on", _("The entry would have ended by now. Ask to block the customer anew."))
    entry.state, entry.span = former["state"], DateTimeTZRange(entry.span.lower, ends)
    try:
        with transaction.atomic():
            save_with_history(entry, "state", "span", by=by, reason=_reason(request))
    except IntegrityError as error:
        raise _listed(error) from error


def standing(entry: BlockEntry) -> dict[str, Any]:
    """What stands of an entry and would be changed by a request, as plain JSON."""
    return {
        "entry": entry.pk,
        "state": entry.state,
        "effect": entry.effect,
        "until": entry.span.upper.isoformat() if entry.span.upper else None,
    }


def last_approver(request: ApprovalRequest) -> int | None:
    """Who said the last yes to the request as it is now; None where a rule did."""
    said = request.seats.filter(step__revision=request.revision, verdict="approved").order_by("-decided_at")
    found = said.values_list("decided_by", flat=True).first()
    return found if found is not None else request.glass_by_id


def approvers_of(entry: int) -> frozenset[int]:
    """Everybody who has agreed to this entry, or to its extension."""
    row = BlockEntry.objects.filter(pk=entry).only("approved_by", "request").first()
    if row is None:
        return frozenset()
    people = {row.approved_by_id}
    if row.request is not None:
        people |= set(row.request.seats.filter(verdict="approved").values_list("decided_by", flat=True))
        people.add(row.request.glass_by_id)
    return frozenset(person for person in people if person is not None)


# -- what they share -------------------------------------------------------------------------------------------------------


def _made(request: ApprovalRequest, wish: Mapping[str, Any], state: str, span: DateTimeTZRange) -> BlockEntry:
    return BlockEntry(
        team_id=wish["team"], network=wish["network"] or None, channels=sorted(set(wish["channels"])), state=state, span=span,
        review_on=_review_day(wish, span.upper), request=request, requested_by_id=request.requester_id,
        made_at=timezone.now(), **{name: wish[name] for name in COPIED},
    )  # fmt: skip


def _review_day(wish: Mapping[str, Any], ends: datetime | None) -> Any:
    if wish["review_on"] is None and ends is None:
        return (timezone.now() + PERMANENT_REVIEW).date()
    return wish["review_on"]


def _insert(entry: BlockEntry, *, by: User | None, reason: Any) -> None:
    try:
        with transaction.atomic():
            save_with_history(entry, by=by, reason=str(reason))
    except IntegrityError as error:
        raise _listed(error) from error


def _listed(error: IntegrityError) -> Exception:
    if "one_live_block_per_subject_and_team" not in str(error):
        return error
    return Refused("already_listed", _("This customer is on the blacklist already. Ask for an extension instead."))


def _take_live(pk: int) -> BlockEntry:
    entry = BlockEntry.objects.select_for_update().live().filter(pk=pk, state=State.ACTIVE).first()
    if entry is None:
        raise Refused("not_live", _("This entry has ended by now."))
    return entry


def _end(entry: BlockEntry, state: str, *, by: User | None, reason: str, also: tuple[str, ...] = ()) -> None:
    now = timezone.now()
    entry.state = state
    if not _is_over(entry):
        entry.span = DateTimeTZRange(entry.span.lower, max(now, entry.span.lower + timedelta(microseconds=1)))
    save_with_history(entry, "state", "span", *also, by=by, reason=reason)


def _is_over(entry: BlockEntry) -> bool:
    return entry.span.upper is not None and entry.span.upper <= timezone.now()


def _sooner(*ends: datetime | None) -> datetime | None:
    return min(filter(None, ends), default=None)


def _reason(request: ApprovalRequest) -> str:
    return f"request {request.pk}"


def _person(pk: int | None) -> User | None:
    return User.objects.filter(pk=pk).first()
