"""Time plans: when something is open, which rule says so, when that changes, and arithmetic on open time.

Five layers in a fixed order, the first that has something to say decides:

    emergency closure > one-off closure > custom workday > holiday > weekly hours

Whether a custom workday stands above a holiday on the same date is a choice of the plan (`Both`), because a make-up workday
within a holiday is decided by law, not by software. Hours belong to the day on which they begin: Monday's 22:00 to 06:00 is
Monday's night, and a custom workday or a holiday replaces only what begins on its own date. Whether the night before runs on
into a holiday is a choice, too (`Nights`). Moments come in with any zone and leave in UTC; spans include their start alone.
A plan is made by `planform.read`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from scheduling.plain.wallclock import aware, day_at, day_bounds, moment_at, moment_of

LONGEST_SEARCH = timedelta(days=400)
ROUND = timedelta(days=16)  # a week repeats well within this, even where a clock change swallows one of its frames
Frame = tuple[int, int]  # minutes from the beginning of the day; an end past 1440 lies on the day after
Hours = tuple[Frame, ...]


class Layer(StrEnum):
    """What can decide, the strongest first."""

    EMERGENCY = "emergency"
    CLOSURE = "closure"
    WORKDAY = "workday"
    HOLIDAY = "holiday"
    WEEKLY = "weekly"


class Kind(StrEnum):
    """Where a special day comes from. Pay differs by it, so it is kept with the day."""

    OWN = "own"
    STATUTORY = "statutory"
    SWAPPED = "swapped"
    MAKE_UP = "make_up"


BY_LAW = (Kind.STATUTORY, Kind.SWAPPED)


class Both(StrEnum):
    """What holds on a date that is a custom workday and a holiday."""

    WORKDAY = "workday"
    HOLIDAY = "holiday"
    LAW = "law"  # a statutory or swapped day is closed, a make-up workday open; where the law is silent, the workday


class Nights(StrEnum):
    """What becomes of a night that runs into a holiday."""

    RUN_ON = "run_on"
    END_AT_MIDNIGHT = "end_at_midnight"


@dataclass(frozen=True)
class Week:
    """Hours of the seven weekdays, Monday first, from a date on; without one, always before the next."""

    since: date | None
    days: tuple[Hours, ...]


@dataclass(frozen=True)
class Special:
    """One date with hours of its own. A holiday without hours is closed all day."""

    on: date
    name: str
    kind: Kind
    hours: Hours


@dataclass(frozen=True)
class Closure:
    """Closed between two times of the plan's own wall clock."""

    begins: datetime
    ends: datetime
    name: str


@dataclass(frozen=True)
class Emergency:
    """Closed from a moment on; without an end, until somebody lifts it."""

    begins: datetime
    ends: datetime | None
    name: str


@dataclass(frozen=True)
class Plan:
    zone: str
    weeks: tuple[Week, ...]
    workdays: tuple[Special, ...]
    holidays: tuple[Special, ...]
    closures: tuple[Closure, ...]
    emergencies: tuple[Emergency, ...]
    both: Both
    nights: Nights

    @cached_property
    def workday_on(self) -> dict[date, Special]:
        return {day.on: day for day in self.workdays}

    @cached_property
    def holiday_on(self) -> dict[date, Special]:
        return {day.on: day for day in self.holidays}

    @cached_property
    def shut(self) -> tuple["Segment", ...]:
        """One-off closures as moments, then emergencies: what comes later here is stronger."""
        closures = [
            Segment(
                moment_at(each.begins, self.zone),
                moment_at(each.ends, self.zone),
                False,
                Rule(Layer.CLOSURE, each.name),
            )
            for each in self.closures
        ]
        emergencies = [
            Segment(
                aware(each.begins), aware(each.ends) if each.ends else ENDLESS, False, Rule(Layer.EMERGENCY, each.name)
            )
            for each in self.emergencies
        ]
        return (*closures, *emergencies)

    @cached_property
    def last_date(self) -> datetime:
        """The moment after which nothing but the last week repeats itself."""
        days = [day.on for day in (*self.workdays, *self.holidays)] + [week.since for week in self.weeks if week.since]
        ends = [each.begins if each.ends == ENDLESS else each.ends for each in self.shut]
        return max([*(day_bounds(day, self.zone)[1] for day in days), *ends], default=NEVER)

    def week_on(self, day: date) -> Week | None:
        """The weekly hours in force on `day`, or None before the first."""
        return next((week for week in reversed(self.weeks) if week.since is None or week.since <= day), None)

    def holiday_wins(self, workday: Special, holiday: Special) -> bool:
        if self.both is Both.LAW:
            return holiday.kind in BY_LAW and workday.kind is not Kind.MAKE_UP
        return self.both is Both.HOLIDAY


NEVER, ENDLESS = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Rule:
    """What decides. `on` is the day whose hours are meant; closures have none."""

    layer: Layer
    name: str = ""
    on: date | None = None
    kind: Kind | None = None
    in_force: bool = True  # False before the first weekly hours of the plan


@dataclass(frozen=True)
class State:
    is_open: bool
    rule: Rule

    @property
    def words(self) -> str:
        return _sentence(self.is_open, self.rule)


@dataclass(frozen=True)
class Segment:
    """A stretch of time in which one rule decides."""

    begins: datetime
    ends: datetime
    is_open: bool
    rule: Rule


@dataclass(frozen=True)
class Change:
    at: datetime
    becomes: State


@dataclass(frozen=True)
class Impact:
    """A span that opens or closes when one plan takes the place of another, and the rules that decide before and after."""

    begins: datetime
    ends: datetime
    opens: bool
    was: Rule
    becomes: Rule


# -- what is asked ---------------------------------------------------------------------------------------------------------


def state_at(plan: Plan, moment: datetime) -> State:
    """Open or closed at `moment`, and the rule that says so."""
    moment = aware(moment)
    here = next(piece for piece in _day(plan, day_at(moment, plan.zone)) if piece.begins <= moment < piece.ends)
    return State(here.is_open, here.rule)


def next_change(plan: Plan, moment: datetime) -> Change | None:
    """When it next opens or closes after `moment`, or None where that never comes. A mere change of rule is none."""
    moment = aware(moment)
    now = state_at(plan, moment).is_open
    for piece in segments(plan, moment, max(moment, plan.last_date) + ROUND):
        if piece.is_open != now:
            return Change(piece.begins, State(piece.is_open, piece.rule))
    return None


def open_spans(plan: Plan, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Open spans from `since` until `until`, in order; those that touch are one, whichever rules opened them."""
    found: list[tuple[datetime, datetime]] = []
    for piece in segments(plan, since, until):
        if not piece.is_open:
            continue
        if found and found[-1][1] == piece.begins:
            found[-1] = (found[-1][0], piece.ends)
        else:
            found.append((piece.begins, piece.ends))
    return found


def after(plan: Plan, start: datetime, minutes: int) -> datetime:
    """The moment at which `minutes` of open time have passed since `start`; of none, the first open moment from `start` on.

    Raises ValueError for a negative number, and where 400 days are not enough, as under an emergency that has no end.
    """
    if minutes < 0:
        raise ValueError(f"open time runs forward, got {minutes} minutes")
    left = timedelta(minutes=minutes)
    for piece in segments(plan, start, aware(start) + LONGEST_SEARCH):
        if not piece.is_open:
            continue
        if piece.ends - piece.begins >= left:
            return piece.begins + left
        left -= piece.ends - piece.begins
    raise ValueError(f"{minutes} open minutes do not fit into {LONGEST_SEARCH.days} days")


def between(plan: Plan, first: datetime, last: datetime) -> int:
    """Whole seconds of open time from `first` until `last`; 0 where `last` is not later."""
    spans = open_spans(plan, first, last)
    return sum((ends - begins for begins, ends in spans), timedelta()) // timedelta(seconds=1)


def impact(old: Plan, new: Plan, since: datetime, until: datetime) -> list[Impact]:
    """What opens and what closes between `since` and `until` when `new` takes the place of `old`, in order."""
    found: list[Impact] = []
    before, behind = list(segments(old, since, until)), list(segments(new, since, until))
    at = [0, 0]
    while at[0] < len(before) and at[1] < len(behind):
        was, becomes = before[at[0]], behind[at[1]]
        begins, ends = max(was.begins, becomes.begins), min(was.ends, becomes.ends)
        if was.is_open != becomes.is_open:
            _joined(found, Impact(begins, ends, becomes.is_open, was.rule, becomes.rule))
        at = [at[0] + (was.ends == ends), at[1] + (becomes.ends == ends)]
    return found


def segments(plan: Plan, since: datetime, until: datetime) -> Iterator[Segment]:
    """All the time from `since` until `until`, cut where the state or the rule changes."""
    since, until = aware(since), aware(until)
    if since >= until:
        return
    day, last = day_at(since, plan.zone), day_at(until, plan.zone)
    kept: Segment | None = None
    while day <= last:
        for piece in _day(plan, day):
            begins, ends = max(piece.begins, since), min(piece.ends, until)
            if begins >= ends:
                continue
            if kept and (kept.is_open, kept.rule) == (piece.is_open, piece.rule):
                kept = Segment(kept.begins, ends, kept.is_open, kept.rule)
                continue
            if kept:
                yield kept
            kept = Segment(begins, ends, piece.is_open, piece.rule)
        day += timedelta(days=1)
    if kept:
        yield kept


# -- one day ---------------------------------------------------------------------------------------------------------------


def ruling(plan: Plan, day: date) -> tuple[Rule, Hours]:
    """The rule whose hours begin on `day`, and these hours."""
    workday, holiday = plan.workday_on.get(day), plan.holiday_on.get(day)
    if holiday and (not workday or plan.holiday_wins(workday, holiday)):
        return Rule(Layer.HOLIDAY, holiday.name, day, holiday.kind), holiday.hours
    if workday:
        return Rule(Layer.WORKDAY, workday.name, day, workday.kind), workday.hours
    week = plan.week_on(day)
    return Rule(Layer.WEEKLY, on=day, in_force=week is not None), week.days[day.weekday()] if week else ()


def _day(plan: Plan, day: date) -> Iterator[Segment]:
    """The pieces of one local day, without a gap; none where the zone left the day out."""
    begins, ends = day_bounds(day, plan.zone)
    layers = [layer for layer in _layers(plan, day) if layer.begins < ends and layer.ends > begins]
    marks = {begins, ends}
    for layer in layers:
        marks |= {max(layer.begins, begins), min(layer.ends, ends)}
    for mark, following in pairwise(sorted(marks)):
        top = next(layer for layer in reversed(layers) if layer.begins <= mark < layer.ends)
        yield Segment(mark, following, top.is_open, top.rule)


def _layers(plan: Plan, day: date) -> Iterator[Segment]:
    """What lies over a day, the weakest first: closed, last night's hours, today's hours, closures, emergencies."""
    rule, hours = ruling(plan, day)
    yield Segment(*day_bounds(day, plan.zone), False, rule)
    if rule.layer is not Layer.HOLIDAY or plan.nights is Nights.RUN_ON:
        yield from _opened(plan, *ruling(plan, day - timedelta(days=1)))
    yield from _opened(plan, rule, hours)
    yield from plan.shut


def _opened(plan: Plan, rule: Rule, hours: Hours) -> Iterator[Segment]:
    if rule.on:
        for first, until in hours:
            yield Segment(moment_of(rule.on, first, plan.zone), moment_of(rule.on, until, plan.zone), True, rule)


def _joined(found: list[Impact], piece: Impact) -> None:
    """Add a piece, or make the one before longer if it says the same."""
    last = found[-1] if found else None
    if last and (last.ends, last.opens, last.was, last.becomes) == (
        piece.begins,
        piece.opens,
        piece.was,
        piece.becomes,
    ):
        found[-1] = Impact(last.begins, piece.ends, piece.opens, piece.was, piece.becomes)
    else:
        found.append(piece)


# -- in words --------------------------------------------------------------------------------------------------------------


def hours_in_words(hours: Hours) -> str:
    """Such as “09:00–12:00, 22:00–06:00 (next day)”."""
    if not hours:
        return _("no hours")
    texts = []
    for first, until in hours:
        span = f"{clock(first)}–{clock(until)}"
        texts.append(_("%(span)s (next day)") % {"span": span} if until > 24 * 60 else span)
    return ", ".join(texts)


def clock(minute: int) -> str:
    """A minute of the day as 09:30; the end of the day is 24:00, and what lies beyond is told by the next day's clock."""
    minute = minute - 24 * 60 if minute > 24 * 60 else minute
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _sentence(is_open: bool, rule: Rule) -> str:
    told = {"name": rule.name, "day": rule.on, "weekday": WEEKDAYS[rule.on.weekday()] if rule.on else ""}
    match rule.layer, is_open:
        case Layer.EMERGENCY, _closed:
            return _("Closed by the emergency closure “%(name)s”.") % told
        case Layer.CLOSURE, _closed:
            return _("Closed by the one-off closure “%(name)s”.") % told
        case Layer.WORKDAY, True:
            if rule.kind is Kind.MAKE_UP:
                return _("Open by the make-up workday “%(name)s” of %(day)s.") % told
            return _("Open by the custom workday “%(name)s” of %(day)s.") % told
        case Layer.WORKDAY, False:
            return _("Closed: outside the hours of the custom workday “%(name)s” of %(day)s.") % told
        case Layer.HOLIDAY, True:
            return _("Open by the hours kept on the holiday “%(name)s” of %(day)s.") % told
        case Layer.HOLIDAY, False:
            return _("Closed by the holiday “%(name)s” of %(day)s.") % told
        case Layer.WEEKLY, True:
            return _("Open by the weekly hours of %(weekday)s.") % told
    if not rule.in_force:
        return _("Closed: the first weekly hours of this plan begin later.")
    return _("Closed: outside the weekly hours of %(weekday)s.") % told
