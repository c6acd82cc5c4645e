"""Minutes and findings of a day that people record, until another part of Outpost tells of them."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from incentives.models import DayRecord
from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import Refused
from teams.models import Agent, User
from teams.scoping import reach
from teams.services.spans import today_in

BACK = timedelta(days=92)
AHEAD = timedelta(days=366)
HOLDS = "the person's row is held while something of their day is recorded, and nothing in it changes"


@transaction.atomic
def record_day(agent: Any, day: date, what: str, amount: Decimal, *, by: User, reason: str) -> DayRecord:
    """Record minutes, a learner's share, failures or a certificate of one day; again for the same day puts it right.

    Raises OutOfReach without LEAD or SETTLE on the home team, or Refused: own_day, unknown_record, bad_amount, too_far,
    no_reason.
    """
    people = (
        Agent.objects.all()
        if by.is_superuser
        else Agent.objects.at_home_in(reach(by, DayRecord.objects.all().write_grants))
    )
    with system_scope(HOLDS):
        person: Agent = people.take(agent)
    if person.user_id == by.pk:
        raise Refused("own_day", _("Somebody else has to record what counts for your own pay."))
    _check(what, amount, day, today_in(person.zone))
    if not reason.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the record and shown to the agent."))
    row = DayRecord.objects.select_for_update(of=("self",)).filter(agent=person, day=day, what=what).first()
    if row is None:
        row = DayRecord(agent=person, day=day, what=what)
    row.amount, row.reason, row.made_by = amount, reason.strip()[:300], by
    save_with_history(row, by=by, reason=reason)
    return row


def _check(what: str, amount: Decimal, day: date, today: date) -> None:
    if what not in DayRecord.What.values:
        raise Refused("unknown_record", _("There is nothing of that name to record."))
    if not amount.is_finite() or amount < 0 or amount > 1440:
        raise Refused("bad_amount", _("Write minutes from 0 to 1440."))
    if what == DayRecord.What.RAMP and amount > 1:
        raise Refused("bad_amount", _("The share of the target lies between 0 and 1: write 0.6 for 60 %."))
    if not today - BACK <= day <= today + AHEAD:
        raise Refused("too_far", _("A record lies at most 92 days back and a year ahead. Look at the date."))


@transaction.atomic
def remove_record(pk: Any, *, by: User, reason: str) -> None:
    """Take a record back. Raises OutOfReach, or Refused: own_day, no_reason."""
    row: DayRecord = DayRecord.objects.manageable_by(by).select_related("agent").take(pk)
    if row.agent.user_id == by.pk:
        raise Refused("own_day", _("Somebody else has to record what counts for your own pay."))
    if not reason.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the record and shown to the agent."))
    delete_with_history(row, by=by, reason=reason)
