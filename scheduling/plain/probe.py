"""The probe: at any moment, all five layers of a time plan in their order, what each says and which one decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from scheduling.plain.timeplan import Layer, Plan, hours_in_words, state_at
from scheduling.plain.wallclock import aware, day_at


@dataclass(frozen=True)
class Line:
    """One layer of the fixed order: what it says at a moment, and whether it is the one that decides."""

    layer: Layer
    words: str
    decides: bool


def explain(plan: Plan, moment: datetime) -> list[Line]:
    """All five layers at `moment`, the strongest first: why it is open or closed, and what was overruled."""
    moment = aware(moment)
    state, day = state_at(plan, moment), day_at(moment, plan.zone)
    return [
        Line(layer, state.words if layer is state.rule.layer else words, layer is state.rule.layer)
        for layer, words in _said(plan, moment, day)
    ]


def _said(plan: Plan, moment: datetime, day: date) -> Sequence[tuple[Layer, str]]:
    shut = {each.rule.layer: each.rule.name for each in plan.shut if each.begins <= moment < each.ends}
    workday, holiday, week = plan.workday_on.get(day), plan.holiday_on.get(day), plan.week_on(day)
    overruled = _("“%(name)s”, overruled")
    return [
        (Layer.EMERGENCY, _("No emergency closure.")),
        (
            Layer.CLOSURE,
            overruled % {"name": shut[Layer.CLOSURE]} if Layer.CLOSURE in shut else _("No one-off closure."),
        ),
        (Layer.WORKDAY, overruled % {"name": workday.name} if workday else _("No custom workday.")),
        (Layer.HOLIDAY, overruled % {"name": holiday.name} if holiday else _("No holiday.")),
        (
            Layer.WEEKLY,
            _("Weekly hours of %(weekday)s: %(hours)s, overruled")
            % {"weekday": WEEKDAYS[day.weekday()], "hours": hours_in_words(week.days[day.weekday()] if week else ())},
        ),
    ]
