"""Verbs of compensation, under SETTLE."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import Refused
from teams.models import Agent, Compensation, User
from teams.scoping import Grant, reach
from teams.services.spans import cut_off, days, refuse_plans_after, reopen_before, today_in


@transaction.atomic
def set_compensation(
    agent: int, *, basis: str, amount: Decimal, currency: str, on: date, by: User, reason: str = ""
) -> Compensation:
    """What an agent earns from `on` on; earlier spans end there. The same first day again corrects the amount.

    Raises OutOfReach without SETTLE on the home team, Refused (own_pay, already_planned), ValidationError for an amount
    or currency that cannot be.
    """
    people = Agent.objects.all() if by.is_superuser else Agent.objects.at_home_in(reach(by, [Grant.SETTLE]))
    with system_scope("payroll holds the person's row while it sets the pay, and changes nothing in it"):
        person = people.take(agent)
    if person.user_id == by.pk:
        raise Refused("own_pay", _("Somebody else has to set your own pay."))
    rows = list(Compensation.objects.select_for_update().filter(agent=person).order_by("span"))
    refuse_plans_after(rows, max(on, today_in(person.zone)))
    same = next((row for row in rows if row.span.lower == on), None)
    if same is None:
        cut_off(rows, on, by=by, reason=reason)
        same = Compensation(agent=person, span=days(on))
    same.basis, same.amount, same.currency = basis, amount, currency
    same.full_clean(exclude=["agent", "span"], validate_constraints=False)
    save_with_history(same, by=by, reason=reason)
    return same


@transaction.atomic
def cancel_compensation(pk: int, *, by: User, reason: str = "") -> None:
    """Take back a change of pay that has not begun. Raises OutOfReach, or Refused: own_pay, has_begun."""
    row = Compensation.objects.manageable_by(by).take(pk)
    if row.agent.user_id == by.pk:
        raise Refused("own_pay", _("Somebody else has to set your own pay."))
    if row.span.lower is None or row.span.lower <= today_in(row.agent.zone):
        raise Refused("has_begun", _("This pay already counts. Set a new one from a later day."))
    rows = Compensation.objects.select_for_update(of=("self",)).filter(
        agent=row.agent_id
    )  # not the person's row beside it
    others = list(rows.exclude(pk=row.pk))
    start = row.span.lower
    delete_with_history(row, by=by, reason=reason)
    reopen_before(others, start, by=by, reason=reason)
