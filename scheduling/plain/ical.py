"""Shifts and time plans as iCalendar, for the calendars people carry with them.

Times are written in the zone of the plan with its zone block, so that a phone shows them rightly on both sides of a clock
change. A time plan is written as its open spans and, marked as free time, its special days and closures; `icalin` reads these
back as they were. Text comes from people: control characters are left out, the library escapes the rest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vText

from scheduling.plain.timeplan import Closure, Frame, Hours, Layer, Plan, Special, clock, open_spans
from scheduling.plain.wallclock import aware, day_bounds, moment_at

MAKER = "-//Outpost//Schedule//EN"
OPEN, SHIFT, CLOSURE = "open", "shift", "closure"
KIND, HOURS = "X-OUTPOST-KIND", "X-OUTPOST-HOURS"


@dataclass(frozen=True)
class Shift:
    """One shift of one person. A higher `revision` takes the place of a lower one; a cancelled shift is struck out."""

    uid: str
    begins: datetime
    ends: datetime
    title: str
    changed_at: datetime
    note: str = ""
    place: str = ""
    revision: int = 0
    is_cancelled: bool = False


def of_shifts(shifts: Iterable[Shift], *, zone: str, name: str) -> bytes:
    """A calendar of shifts. Raises ValueError where one ends before it begins, or a moment has no zone."""
    events = []
    for shift in shifts:
        if aware(shift.begins) >= aware(shift.ends):
            raise ValueError(f"shift {shift.uid} ends before it begins")
        event = _event(shift.uid, shift.title, SHIFT, shift.changed_at)
        _spans(event, shift.begins, shift.ends, zone)
        event.add("last-modified", aware(shift.changed_at))
        event.add("sequence", shift.revision)
        event.add("status", "CANCELLED" if shift.is_cancelled else "CONFIRMED")
        if shift.note:
            event.add("description", _plain(shift.note))
        if shift.place:
            event.add("location", _line(shift.place))
        events.append(event)
    return _calendar(events, zone, name)


def of_plan(plan: Plan, since: date, until: date, *, uid: str, name: str, changed_at: datetime) -> bytes:
    """A time plan from one date until another: its open spans, special days and closures. `uid` tells plans apart.

    Emergencies are left out but for what they closed: they are over before a calendar asks again.
    """
    begins, ends = day_bounds(since, plan.zone)[0], day_bounds(until, plan.zone)[0]
    events = []
    for first, last in open_spans(plan, begins, ends):
        event = _event(f"{uid}-open-{first:%Y%m%dT%H%M%SZ}", name, OPEN, changed_at)
        _spans(event, first, last, plan.zone)
        events.append(event)
    for layer, day in _special_days(plan):
        if since <= day.on < until:
            event = _event(f"{uid}-{layer}-{day.on}", day.name, f"{layer}-{day.kind}", changed_at)
            event.add("dtstart", day.on)
            event.add("dtend", day.on + timedelta(days=1))
            event.add("transp", "TRANSPARENT")
            event.add(HOURS, hours_out(day.hours))
            events.append(event)
    for number, closure in enumerate(_closures_between(plan, begins, ends)):
        event = _event(f"{uid}-closure-{closure.begins:%Y%m%dT%H%M}-{number}", closure.name, CLOSURE, changed_at)
        _spans(event, moment_at(closure.begins, plan.zone), moment_at(closure.ends, plan.zone), plan.zone)
        event.add("transp", "TRANSPARENT")
        events.append(event)
    return _calendar(events, plan.zone, name)


def hours_out(hours: Hours) -> str:
    """Hours as one text, such as “09:00-12:00 22:00-06:00”; nothing where there are none."""
    return " ".join(f"{clock(first)}-{clock(until)}" for first, until in hours)


def hours_in(text: str) -> Hours:
    """Hours from their text. Raises ValueError where it is not one of ours."""
    return tuple(_frame(span) for span in text.split())


def _frame(span: str) -> Frame:
    first, until = (int(text[:-3]) * 60 + int(text[-2:]) for text in span.split("-"))
    frame = (first, until if until > first else until + 24 * 60)
    if hours_out((frame,)) != span or first >= 24 * 60:
        raise ValueError(f"not a span of hours: {span}")
    return frame


def _special_days(plan: Plan) -> Iterator[tuple[Layer, Special]]:
    yield from ((Layer.HOLIDAY, day) for day in plan.holidays)
    yield from ((Layer.WORKDAY, day) for day in plan.workdays)


def _closures_between(plan: Plan, begins: datetime, ends: datetime) -> Iterator[Closure]:
    for closure in plan.closures:
        if moment_at(closure.begins, plan.zone) < ends and moment_at(closure.ends, plan.zone) > begins:
            yield closure


def _event(uid: str, title: str, kind: str, changed_at: datetime) -> Event:
    event = Event()
    event.add("uid", f"{_line(uid)}@outpost")
    event.add("dtstamp", aware(changed_at))
    event.add("summary", _line(title))
    event.add(KIND, kind)
    return event


def _spans(event: Event, begins: datetime, ends: datetime, zone: str) -> None:
    """Both ends on the wall clock of `zone`; where that shows a time twice only UTC tells which is meant."""
    for name, moment in (("dtstart", begins), ("dtend", ends)):
        local = aware(moment).astimezone(ZoneInfo(zone))
        event.add(
            name, aware(moment) if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset() else local
        )


def _calendar(events: list[Event], zone: str, name: str) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", MAKER)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", vText(_line(name)))  # the library escapes names it does not know only when told
    calendar.add("x-wr-timezone", zone)
    for event in events:
        calendar.add_component(event)
    years = [_year(event) for event in events]
    if years:
        calendar.add_missing_timezones(first_date=date(min(years), 1, 1), last_date=date(max(years) + 2, 1, 1))
    return bytes(calendar.to_ical())


def _year(event: Event) -> int:
    begins = event.decoded("dtstart")
    return (begins.astimezone(UTC) if isinstance(begins, datetime) else begins).year


def _plain(text: str) -> str:
    """Without control characters: some calendars refuse the whole file for one of them."""
    return "".join(letter for letter in text if letter in "\n\t" or letter.isprintable())


def _line(text: str) -> str:
    return " ".join(_plain(text).split())
