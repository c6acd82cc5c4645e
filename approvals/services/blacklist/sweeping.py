"""What time does by itself. An entry whose time is over matches nothing from that moment on; the sweep only says so. Whose
review falls due is told to the leads of the team, once for the day however many there are."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from approvals.models import BlockEntry
from approvals.services import approvers
from teams.audit import update_many
from teams.models import Notice

PORTION = 1000
MISSED = timedelta(days=2)  # for how long a day that no sweep has seen is still told of
REVIEW_DUE = "block_review_due"


def lapse(now: datetime) -> int:
    """Mark entries whose time is over, with history, portion by portion; returns how many. Twice: nothing."""
    done = 0
    while found := _portion(now):
        done += found
    return done


@transaction.atomic
def _portion(now: datetime) -> int:
    rows = list(
        BlockEntry.objects.lapsed(now).select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:PORTION]
    )
    for row in rows:
        row.state = BlockEntry.State.LAPSED
    update_many(BlockEntry, rows, "state", by=None, reason="its time is over")
    return len(rows)


@transaction.atomic
def tell_reviews(now: datetime) -> None:
    """A notice to those who lead nearest to each team with entries whose review falls due on this day (in UTC, as days of
    review are kept). Twice: nobody is told again."""
    due = BlockEntry.objects.live(now).filter(review_on__gt=now.date() - MISSED, review_on__lte=now.date())
    told = _told_since(now - 2 * MISSED)
    for team, day in due.values_list("team").annotate(day=Max("review_on")).order_by("team"):
        key = f"{REVIEW_DUE}:{team}:{day}"
        leads = set() if key in told else approvers.resolved(approvers.Source("lead_above", level=0), team)
        Notice.objects.bulk_create(
            [
                Notice(kind=REVIEW_DUE, recipient_id=lead, about=str(team), key=f"{key}:{lead}")
                for lead in sorted(leads)
            ],
            ignore_conflicts=True,
        )


def _told_since(moment: datetime) -> set[str]:
    """Teams with their days that somebody has been told of, as the keys of notices begin."""
    rows = Notice.objects.filter(key__startswith=f"{REVIEW_DUE}:", created_at__gt=moment)
    return {key.rpartition(":")[0] for key in rows.values_list("key", flat=True)}
