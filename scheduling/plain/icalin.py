"""iCalendar in: days off, make-up workdays and closures out of files that anybody may have written.

Days without a time of day become holidays, spans with one become closures, in the wall clock of the plan. Make-up workdays are
known by our own mark, by Apple's, or by the words Chinese calendars use; hours for them are given by the caller. A file that is
no calendar is refused; an event that cannot be read is left out, and a remark says which and why. Whether a day is statutory or
swapped stands in no file but ours, so the days of others come in as own days.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from django.utils.translation import gettext as _
from icalendar import Calendar, Component

from scheduling.plain.ical import HOURS, KIND, OPEN, SHIFT, hours_in
from scheduling.plain.timeplan import Closure, Hours, Kind, Layer, Special

LARGEST_FILE, MOST_EVENTS, MOST_REPEATING, MOST_TIMES, MOST_REMARKS = 2_000_000, 5000, 100, 1000, 50
LONGEST_DAYS, LONGEST_NAME, EARLIEST_REPEAT = 366, 200, 1900
MAKE_UP_WORDS = re.compile(r"补班|补上班|调休上班|[(（]\s*班\s*[)）]")
BEGINNING = re.compile(r"^BEGIN:VCALENDAR\s*$", re.IGNORECASE | re.MULTILINE)
REPEATS = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYSETPOS", "WKST"}
DENSE = {"WEEKLY", "DAILY"}
OF_DAYS = {"BYMONTH", "BYMONTHDAY", "BYSETPOS"}  # with a dense repeat these can search long for a day that never comes


@dataclass(frozen=True)
class Found:
    """What a file says of a stretch of dates, as parts of a plan, and remarks on what was left out."""

    holidays: tuple[Special, ...]
    workdays: tuple[Special, ...]
    closures: tuple[Closure, ...]
    remarks: tuple[str, ...]


@dataclass
class _Sheet:
    """What has been found so far."""

    since: date
    until: date
    zone: ZoneInfo
    make_up_hours: Hours
    days: dict[tuple[Layer, date], Special] = field(default_factory=dict)
    closures: set[Closure] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)
    outside: int = 0
    repeating: int = 0

    def passed_over(self, event: Component) -> None:
        """Repeats reach beyond the dates asked for by their nature; what stands alone there is counted."""
        self.outside += event.get("rrule") is None

    def remark(self, title: str, why: str) -> None:
        self.remarks.append(_("“%(title)s” was left out: %(why)s") % {"title": title, "why": why})


class _Odd(ValueError):
    """An event that cannot be taken; the text completes a remark."""


def read(raw: bytes, *, zone: str, since: date, until: date, make_up_hours: Hours = ()) -> Found:
    """What the file says from `since` until `until`. Raises ValueError with a sentence where it is no calendar at all."""
    sheet = _Sheet(since, until, ZoneInfo(zone), make_up_hours)
    events = [event for calendar in _calendars(raw) for event in calendar.walk("VEVENT")]
    if len(events) > MOST_EVENTS:
        told = {"count": len(events), "most": MOST_EVENTS}
        raise ValueError(_("The file has %(count)d events, at most %(most)d are read; export fewer years.") % told)
    replaced = {_moved(event) for event in events if event.get("recurrence-id") is not None}
    for event in events:
        try:
            _take(event, sheet, replaced)
        except _Odd as odd:
            sheet.remark(_title(event), str(odd))
        except Exception:  # the library meets odd files with errors of many kinds; one event shall not cost the others
            sheet.remark(_title(event), _("it cannot be read; enter it by hand."))
    return _summed_up(sheet)


def _calendars(raw: bytes) -> list[Calendar]:
    if len(raw) > LARGEST_FILE:
        raise ValueError(
            _("The file is larger than %(most)d MB; export fewer years.") % {"most": LARGEST_FILE // 1_000_000}
        )
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace")  # what older Chinese programs write
    begun = len(BEGINNING.findall(text))
    if not begun:
        raise ValueError(_("This is not an iCalendar file; export the calendar again, as .ics."))
    try:
        found = [
            each for each in Calendar.from_ical(text.replace("\x00", ""), multiple=True) if each.name == "VCALENDAR"
        ]
    except Exception:  # as above: errors of many kinds
        found = []
    if len(found) < begun:  # the library passes over a calendar without its end
        raise ValueError(_("The iCalendar file is broken off or damaged; export the calendar again."))
    return found


def _take(event: Component, sheet: _Sheet, replaced: set[tuple[str, Any]]) -> None:
    """Put one event where it belongs. Raises _Odd."""
    kind = _text(event, KIND)
    if _text(event, "status").upper() == "CANCELLED" or kind in (OPEN, SHIFT):
        return
    begins, length = _when(event)
    for start in _starts(event, begins, sheet, replaced):
        if isinstance(begins, datetime):
            _close(event, start, start + length, sheet)
        else:
            _off(event, start, length.days, kind, sheet)


def _off(event: Component, first: date, days: int, kind: str, sheet: _Sheet) -> None:
    """Whole days: holidays, or make-up workdays."""
    if days > LONGEST_DAYS:
        raise _Odd(_("it lasts longer than a year; enter it as weekly hours instead."))
    layer, origin, hours = _kind_of(event, kind, sheet)
    for day in (first + timedelta(days=number) for number in range(days)):
        if not sheet.since <= day < sheet.until:
            sheet.passed_over(event)
            continue
        there = sheet.days.get((layer, day))
        if there is None:
            sheet.days[layer, day] = Special(day, _title(event), origin, hours)
        elif _title(event) not in there.name:
            name = f"{there.name} / {_title(event)}"[:LONGEST_NAME]
            sheet.days[layer, day] = Special(day, name, there.kind, there.hours)


def _close(event: Component, begins: datetime, ends: datetime, sheet: _Sheet) -> None:
    """A span of hours, on whole minutes of the plan's wall clock."""
    first, last = (_local(moment, sheet.zone) for moment in (begins, ends))
    if last.second or last.microsecond:
        last += timedelta(minutes=1)
    closure = Closure(first.replace(second=0, microsecond=0), last.replace(second=0, microsecond=0), _title(event))
    if closure.begins >= closure.ends:
        raise _Odd(_("it has no length; give it an end."))
    if closure.begins.date() >= sheet.until or closure.ends.date() < sheet.since:
        sheet.passed_over(event)
    else:
        sheet.closures.add(closure)


def _kind_of(event: Component, kind: str, sheet: _Sheet) -> tuple[Layer, Kind, Hours]:
    """Our own mark tells all; others tell at most that a day is worked."""
    layer, _dash, origin = kind.partition("-")
    if layer in (Layer.HOLIDAY, Layer.WORKDAY):
        try:
            return Layer(layer), Kind(origin), hours_in(_text(event, HOURS))
        except ValueError:
            raise _Odd(_("its mark was changed by hand; enter it by hand.")) from None
    if _text(event, "x-apple-special-day") == "ALTERNATE-WORKDAY" or MAKE_UP_WORDS.search(_title(event)):
        if not sheet.make_up_hours:
            raise _Odd(_("it is a make-up workday, and no hours were given for these; choose hours and read again."))
        return Layer.WORKDAY, Kind.MAKE_UP, sheet.make_up_hours
    return Layer.HOLIDAY, Kind.OWN, ()


# -- when ------------------------------------------------------------------------------------------------------------------


def _when(event: Component) -> tuple[Any, timedelta]:
    """The beginning, a date or a time, and the length. Raises _Odd."""
    begins = _time(event, "dtstart")
    if begins is None:
        raise _Odd(_("it has no beginning."))
    ends, whole = _time(event, "dtend"), not isinstance(begins, datetime)
    if ends is None:
        duration = _one(event, "duration")
        length = duration.dt if duration is not None else timedelta(days=1 if whole else 0)
    elif isinstance(ends, datetime) is whole or (not whole and (ends.tzinfo is None) is not (begins.tzinfo is None)):
        raise _Odd(_("its beginning and its end are written in different ways; write both as dates or both as times."))
    else:
        length = ends - begins if whole else _elapsed(begins, ends)
    if whole and length == timedelta():
        length = timedelta(days=1)  # written by programs that take the end of a day to be the day itself
    if length < timedelta():
        raise _Odd(_("it ends before it begins; swap beginning and end."))
    return begins, length


def _elapsed(begins: datetime, ends: datetime) -> timedelta:
    """By the wall clock where both ends show the same one, else by the time that passes."""
    if begins.tzinfo == ends.tzinfo:
        return ends.replace(tzinfo=None) - begins.replace(tzinfo=None)
    return ends - begins


def _time(event: Component, name: str) -> Any:
    """A date or a time. A zone that neither the file nor the machine knows is refused rather than guessed."""
    made = _one(event, name)
    if made is None:
        return None
    moment = made.dt
    if not isinstance(moment, date):
        raise _Odd(_("it has a time that is none."))
    if isinstance(moment, datetime) and moment.tzinfo is None and made.params.get("TZID"):
        told = {"zone": str(made.params["TZID"])[:60]}
        raise _Odd(_("its time zone “%(zone)s” is not known; write it as in Asia/Shanghai.") % told)
    return moment


def _starts(event: Component, begins: Any, sheet: _Sheet, replaced: set[tuple[str, Any]]) -> Iterator[Any]:
    """The beginnings of an event: one, or those of its repeats that reach into the dates asked for."""
    rule = _one(event, "rrule")
    if event.get("recurrence-id") is not None or (rule is None and event.get("rdate") is None):
        yield begins
        return
    sheet.repeating += 1
    if sheet.repeating > MOST_REPEATING:
        raise _Odd(_("the file repeats more than %(most)d events; enter this one by hand.") % {"most": MOST_REPEATING})
    uid, left_out = _text(event, "uid"), set(_listed(event, "exdate"))
    times = set(_repeats(rule, begins, sheet)) if rule is not None else {begins}
    for start in sorted(times | set(_listed(event, "rdate", like=begins)), key=_plainly):
        if start not in left_out and (uid, _key(start)) not in replaced:
            yield start


def _repeats(rule: Any, begins: Any, sheet: _Sheet) -> Iterator[Any]:
    """Repeats by the rule on the event's own wall clock. Rules that could search for ever are refused."""
    frequency = str(next(iter(rule.get("FREQ", [])), ""))
    if frequency not in REPEATS or set(rule) - PARTS or (frequency in DENSE and set(rule) & OF_DAYS):
        raise _Odd(_("its repeat is too unusual to follow; enter its days by hand."))
    if begins.year < EARLIEST_REPEAT:
        raise _Odd(_("it repeats since before %(year)d; let it begin later.") % {"year": EARLIEST_REPEAT})
    until = next(iter(rule.get("UNTIL", [])), None)
    parts = [part for part in rule.to_ical().decode().split(";") if not part.startswith("UNTIL=")]
    first = _plainly(begins)
    end = datetime.combine(sheet.until + timedelta(days=1), datetime.min.time())
    from_on = datetime.combine(sheet.since - timedelta(days=LONGEST_DAYS), datetime.min.time())
    if until is not None:
        same_clock = until.astimezone(begins.tzinfo) if getattr(until, "tzinfo", None) and _zoned(begins) else until
        last = _plainly(same_clock) if isinstance(until, datetime) else _plainly(until) + timedelta(days=1, seconds=-1)
        end = min(end, last)
    found = 0
    for start in rrulestr(";".join(parts), dtstart=first):
        if start > end:
            break
        if start < from_on:
            continue
        found += 1
        if found > MOST_TIMES:
            raise _Odd(
                _("it repeats more than %(most)d times; enter it as weekly hours instead.") % {"most": MOST_TIMES}
            )
        yield start.replace(tzinfo=begins.tzinfo) if isinstance(begins, datetime) else start.date()


def _listed(event: Component, name: str, like: Any = None) -> Iterator[Any]:
    """Dates or times of EXDATE and RDATE; a period counts by its beginning, a date among times is left out."""
    made = event.get(name)
    for each in made if isinstance(made, list) else [made] if made is not None else []:
        for entry in each.dts:
            start = entry.dt[0] if isinstance(entry.dt, tuple) else entry.dt
            if like is None or isinstance(start, datetime) is isinstance(like, datetime):
                yield start


def _moved(event: Component) -> tuple[str, Any]:
    """Which repeat an event takes the place of; none where that is not written rightly."""
    try:
        return _text(event, "uid"), _key(_one(event, "recurrence-id").dt)
    except ValueError:
        return "", None


def _key(start: Any) -> Any:
    return start.timestamp() if _zoned(start) else start


def _zoned(start: Any) -> bool:
    return isinstance(start, datetime) and start.tzinfo is not None


def _plainly(start: Any) -> datetime:
    """On the event's own wall clock; a date is its midnight."""
    if isinstance(start, datetime):
        return start.replace(tzinfo=None)
    return datetime.combine(start, datetime.min.time())


def _local(moment: datetime, zone: ZoneInfo) -> datetime:
    """On the plan's wall clock; a time without a zone is meant there already."""
    return (moment.astimezone(zone) if moment.tzinfo else moment).replace(tzinfo=None, fold=0)


# -- words -----------------------------------------------------------------------------------------------------------------


def _one(event: Component, name: str) -> Any:
    """A property, the first where a file names it twice."""
    made = event.get(name)
    return made[0] if isinstance(made, list) and made else made


def _text(event: Component, name: str) -> str:
    made = _one(event, name)
    return "" if made is None else str(made).strip()


def _title(event: Component) -> str:
    text = "".join(letter for letter in _text(event, "summary") if letter.isprintable()).strip()
    return text[:LONGEST_NAME] or _("Without a name")


def _summed_up(sheet: _Sheet) -> Found:
    remarks = sheet.remarks[:MOST_REMARKS]
    if len(sheet.remarks) > MOST_REMARKS:
        remarks.append(_("%(count)d more were left out.") % {"count": len(sheet.remarks) - MOST_REMARKS})
    if sheet.outside:
        told = {"count": sheet.outside, "since": sheet.since, "until": sheet.until - timedelta(days=1)}
        remarks.append(_("Outside %(since)s to %(until)s: %(count)d.") % told)
    days = sorted(sheet.days.items(), key=lambda item: item[0][1])
    return Found(
        holidays=tuple(day for (layer, _on), day in days if layer is Layer.HOLIDAY),
        workdays=tuple(day for (layer, _on), day in days if layer is Layer.WORKDAY),
        closures=tuple(sorted(sheet.closures, key=lambda each: (each.begins, each.ends, each.name))),
        remarks=tuple(remarks),
    )
