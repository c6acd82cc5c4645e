"""A line for whoever may not see money: what was counted and reached, and never what a day is worth or paid."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from incentives.models import Attainment, Entry
from incentives.plain.statement import Step
from incentives.reports.amounts import sums_words
from incentives.reports.statements import Detail, detail


@dataclass(frozen=True)
class Told:
    """A line as its page shows it. Without money `states` is the newest alone, with the steps that know no amount; so it is too
    where nothing was posted, as a wage is kept with what it paid."""

    detail: Detail
    shows_money: bool
    is_posted: bool
    states: tuple[tuple[Any, tuple[Step, ...]], ...]

    @property
    def amount(self) -> str:
        return sums_words({self.detail.terms.currency: self.detail.amount})

    @property
    def withheld(self) -> str:
        return sums_words({self.detail.terms.currency: self.detail.withheld}) if self.detail.withheld else ""


def told(line: Attainment, *, entries: QuerySet[Entry] | None) -> Told:
    """`entries`: those whoever asks may see; None where they may see no amount."""
    shows_money = entries is not None
    found = detail(line, Entry.objects.none() if entries is None else entries, with_money=shows_money)
    if found.newest.entry is None and len(found.states) == 1:  # no entry keeps the wage of the day
        return Told(found, shows_money, False, ((found.newest, without_money(found.newest.steps)),))
    return Told(found, shows_money, True, tuple((state, state.steps) for state in found.states))


def without_money(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps that name neither a wage nor an amount. Named one by one: a step that is new to this list stays shut."""
    open_steps = {_("Counted"), _("Target"), _("Attainment"), _("Tier"), _("Gates")}
    return tuple(step for step in steps if step.name in open_steps)
