"""Dated absences: who decides in one's place. One step only: a deputy hands nothing on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals import kinds as registry
from approvals.models import ApprovalAbsence, ApprovalRequest
from approvals.services.approvers import GRANTS
from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import OutOfReach, Refused
from teams.grants import held, known_people
from teams.models import Notice, User

LONGEST = timedelta(days=90)
TWO = "an absence is the business of two people"


@transaction.atomic
def announce(
    *, deputy: int, since: datetime | None, until: datetime, reason: str, by: User, kinds: Sequence[str] = ()
) -> ApprovalAbsence:
    """Let `deputy` decide in one's place from `since` (now if empty) to `until`, requests of `kinds` or of all. Both are told.

    Raises OutOfReach, or Refused: yourself, end_has_passed, wrong_order, too_long, unknown_kind, cannot_decide, deputy_away,
    already_away.
    """
    now = timezone.now()
    begins = max(since or now, now)
    if deputy == by.pk:
        raise Refused("yourself", _("Choose somebody else: you decide for yourself already."))
    if until <= now:
        raise Refused("end_has_passed", _("The end lies in the past."))
    if until <= begins:
        raise Refused("wrong_order", _("The end lies before the beginning."))
    if until - begins > LONGEST:
        raise Refused("too_long", _("An absence lasts at most 90 days. Choose an earlier end."))
    if unknown := sorted(set(kinds) - {kind.name for kind in registry.registered()}):
        raise Refused("unknown_kind", _("There is no kind of request called %(name)s.") % {"name": unknown[0]})
    holder = known_people(by).filter(pk=deputy).first()
    if holder is None:
        raise OutOfReach
    with system_scope(TWO):
        list(User.objects.select_for_update().filter(pk__in=[by.pk, deputy]).order_by("pk"))
        if not (holder.is_active and holder.is_staff and held(holder) & held(by) & set(GRANTS.values())):
            raise Refused(
                "cannot_decide",
                _("%(who)s holds none of your rights and could not decide. Choose somebody who leads as you do.")
                % {"who": holder},
            )
        span = DateTimeTZRange(begins, until)
        if ApprovalAbsence.objects.filter(owner=holder, span__overlap=span).exists():
            raise Refused(
                "deputy_away", _("%(who)s is away in this time too. Choose somebody who is there.") % {"who": holder}
            )
        row = ApprovalAbsence(owner=by, deputy=holder, kinds=sorted(set(kinds)), span=span, reason=reason.strip()[:300])
        try:
            with transaction.atomic():
                save_with_history(row, by=by, reason=reason)
        except IntegrityError as error:
            raise Refused(
                "already_away", _("You have a deputy on some of these days already. End that first.")
            ) from error
        _tell("absence_given", row)
    return row


@transaction.atomic
def end(pk: Any, *, by: User, reason: str = "") -> ApprovalAbsence:
    """End an absence at once; one that has not begun is taken back. The owner gets the list of what waits.

    Raises OutOfReach for all but the owner, or Refused: already_ended.
    """
    row: ApprovalAbsence = ApprovalAbsence.objects.manageable_by(by).take(pk)
    now = timezone.now()
    if row.span.upper <= now:
        raise Refused("already_ended", _("This absence has ended already."))
    with system_scope(TWO):
        _tell("absence_ended", row)
        if row.span.lower >= now:
            delete_with_history(row, by=by, reason=reason)
            return row
        row.span = DateTimeTZRange(row.span.lower, now)
        save_with_history(row, "span", by=by, reason=reason)
    return row


def tell_ended(now: datetime) -> int:
    """Send the list of open items for absences that ended by themselves in the last two days; each once."""
    ended = ApprovalAbsence.objects.filter(span__endswith__lte=now, span__endswith__gt=now - timedelta(days=2))
    rows = list(ended)
    for row in rows:
        _tell("absence_ended", row)
    return len(rows)


def _tell(kind: str, row: ApprovalAbsence) -> None:
    waiting = list(
        ApprovalRequest.objects.in_review()
        .filter(seats__user=row.owner_id, seats__is_open=True)
        .values_list("pk", flat=True)
    )
    ends = row.span.upper.isoformat()
    Notice.objects.bulk_create(
        [
            Notice(
                kind=kind, recipient_id=person, about=str(row.pk), key=f"{kind}:{row.pk}:{person}",
                details={"owner": row.owner_id, "deputy": row.deputy_id, "until": ends, "waiting": waiting[:100]},
            )
            for person in (row.owner_id, row.deputy_id)
        ],
        ignore_conflicts=True,
    )  # fmt: skip
