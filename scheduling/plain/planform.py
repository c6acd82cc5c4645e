"""A time plan as JSON. Nothing is assumed: each choice is there, or the plan is refused.

`read` raises ValueError with a sentence for people that names the place and the remedy. The shape:

    {"zone": "Asia/Shanghai",
     "weeks": [{"from": null, "days": [[["09:00", "12:00"], ["13:00", "18:00"]], ..., []]},
               {"from": "2026-07-01", "days": [[["22:00", "06:00"]], ...]}],
     "workdays": [{"on": "2026-02-14", "name": "…", "kind": "own" | "make_up", "hours": [["09:00", "18:00"]]}],
     "holidays": [{"on": "2026-02-16", "name": "…", "kind": "own" | "statutory" | "swapped", "hours": []}],
     "closures": [{"from": "2026-03-05T14:00", "until": "2026-03-05T16:00", "name": "…"}],
     "emergencies": [{"from": "2026-03-05T06:00:00+00:00", "until": null, "name": "…"}],
     "both": "workday" | "holiday" | "law", "nights": "run_on" | "end_at_midnight"}

Weekly hours have seven days, Monday first, and hold from their date until the next ones do. A span whose end is not after its
beginning ends on the next day. A holiday without hours is closed all day. Closures are times of the plan's own wall clock,
emergencies are moments with their offset, and one without an end lasts until it is given one. What `both` and `nights` choose
is told in `timeplan`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from typing import Any, TypeVar

from django.utils.translation import gettext as _

from scheduling.plain.timeplan import Both, Closure, Emergency, Hours, Kind, Nights, Plan, Special, Week, clock
from scheduling.plain.wallclock import MINUTES_OF_DAY
from teams.clock import zone_names

CHOICES = {"zone", "weeks", "workdays", "holidays", "closures", "emergencies", "both", "nights"}
MOST_FRAMES, MOST_WEEKS, MOST_SPECIALS, LONGEST_NAME = 12, 50, 2000, 200
FIRST_YEAR, LAST_YEAR = 2000, 2099
WORKDAY_KINDS, HOLIDAY_KINDS = (Kind.OWN, Kind.MAKE_UP), (Kind.OWN, Kind.STATUTORY, Kind.SWAPPED)
CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|(24):(00)")
Made = TypeVar("Made")


def read(made: Any) -> Plan:
    """The plan as declared. Raises ValueError: a choice missing or unknown, hours that overlap, dates that stand twice."""
    where = _("the time plan")
    _all_chosen(made, CHOICES, where)
    if not isinstance(made["zone"], str) or made["zone"] not in zone_names():
        raise ValueError(
            _("%(name)s is not a time zone; write it as in Asia/Shanghai.") % {"name": _short(made["zone"])}
        )
    plan = Plan(
        zone=made["zone"],
        weeks=_weeks(made["weeks"]),
        workdays=_specials(made["workdays"], WORKDAY_KINDS, _("custom workday")),
        holidays=_specials(made["holidays"], HOLIDAY_KINDS, _("holiday")),
        closures=_each(made["closures"], 0, MOST_SPECIALS, _("closure"), _closure),
        emergencies=_each(made["emergencies"], 0, MOST_SPECIALS, _("emergency closure"), _emergency),
        both=Both(_one_of(made, "both", tuple(Both), where)),
        nights=Nights(_one_of(made, "nights", tuple(Nights), where)),
    )
    _fitting(plan)
    return plan


def as_json(plan: Plan) -> dict[str, Any]:
    """What `read` reads back as the same plan."""
    return {
        "zone": plan.zone,
        "weeks": [
            {"from": week.since and week.since.isoformat(), "days": [_frames_out(day) for day in week.days]}
            for week in plan.weeks
        ],
        "workdays": [_special_out(day) for day in plan.workdays],
        "holidays": [_special_out(day) for day in plan.holidays],
        "closures": [
            {
                "from": each.begins.isoformat(timespec="minutes"),
                "until": each.ends.isoformat(timespec="minutes"),
                "name": each.name,
            }
            for each in plan.closures
        ],
        "emergencies": [
            {"from": each.begins.isoformat(), "until": each.ends and each.ends.isoformat(), "name": each.name}
            for each in plan.emergencies
        ],
        "both": plan.both.value,
        "nights": plan.nights.value,
    }


def of_timetable(timetable: Mapping[str, Any]) -> dict[str, Any]:
    """The weekly timetable of an approvals clock as the JSON of a plan that says the same."""
    week = {"from": None, "days": timetable["week"]}
    empty: dict[str, Any] = {name: [] for name in ("workdays", "holidays", "closures", "emergencies")}
    return {"zone": timetable["zone"], "weeks": [week], **empty, "both": "law", "nights": "run_on"}


def with_year_copied(plan: Plan, year: int, to: int) -> Plan:
    """Own holidays and custom workdays of `year` also on the same dates of the year `to`, where nothing stands yet.

    Days by law are left out: they come with the notice for the year. So is the 29th of February where there is none.
    """

    def copied(days: tuple[Special, ...]) -> tuple[Special, ...]:
        there = {day.on for day in days}
        fresh = [
            replace(day, on=day.on.replace(year=to))
            for day in days
            if day.on.year == year and day.kind is Kind.OWN and _exists(day.on, to)
        ]
        return tuple(sorted((*days, *(day for day in fresh if day.on not in there)), key=lambda day: day.on))

    return replace(plan, workdays=copied(plan.workdays), holidays=copied(plan.holidays))


def _fitting(plan: Plan) -> None:
    """Choices that contradict each other."""
    weekly = [day for week in plan.weeks for day in week.days]
    if not any(weekly) and not any(day.hours for day in (*plan.workdays, *plan.holidays)):
        raise ValueError(_("The time plan is never open; enter hours on at least one day."))
    for day in plan.workdays:
        holiday = plan.holiday_on.get(day.on)
        if day.kind is Kind.MAKE_UP and holiday and holiday.kind is not Kind.OWN:
            told = {"day": day.on}
            raise ValueError(
                _("%(day)s is a make-up workday and a day off by law; the notice names one, take the other out.") % told
            )


# -- the parts -----------------------------------------------------------------------------------------------------------


def _weeks(made: Any) -> tuple[Week, ...]:
    weeks = _each(made, 1, MOST_WEEKS, _("weekly hours"), _week)
    for place, (earlier, later) in enumerate(pairwise(weeks), 2):
        if later.since is None:
            raise ValueError(
                _("Only the first weekly hours hold without a date; say from when weekly hours %(place)d hold.")
                % {"place": place}
            )
        if earlier.since and later.since <= earlier.since:
            raise ValueError(
                _("Weekly hours %(place)d do not begin after those before; sort them by date, one for each date.")
                % {"place": place}
            )
    return weeks


def _week(made: Any, where: str) -> Week:
    _all_chosen(made, {"from", "days"}, where)
    days = made["days"]
    if not isinstance(days, list) or len(days) != 7:
        raise ValueError(_("In %(where)s there have to be seven days, Monday first.") % {"where": where})
    since = None if made["from"] is None else _date(made["from"], where)
    told = [_("day %(place)d of %(where)s") % {"place": place, "where": where} for place in range(1, 8)]
    return Week(since, tuple(_hours(day, here) for day, here in zip(days, told, strict=True)))


def _specials(made: Any, kinds: tuple[Kind, ...], what: str) -> tuple[Special, ...]:
    def special(row: Any, where: str) -> Special:
        _all_chosen(row, {"on", "name", "kind", "hours"}, where)
        kind = Kind(_one_of(row, "kind", kinds, where))
        day = Special(_date(row["on"], where), _name(row["name"], where), kind, _hours(row["hours"], where))
        if kinds is WORKDAY_KINDS and not day.hours:
            raise ValueError(_("In %(where)s enter hours; for a closed day enter a holiday.") % {"where": where})
        return day

    days = sorted(_each(made, 0, MOST_SPECIALS, what, special), key=lambda day: day.on)
    for earlier, later in pairwise(days):
        if earlier.on == later.on:
            raise ValueError(
                _("%(day)s stands twice as a %(what)s; take one of them out.") % {"day": later.on, "what": what}
            )
    return tuple(days)


def _closure(made: Any, where: str) -> Closure:
    _all_chosen(made, {"from", "until", "name"}, where)
    begins, ends = _local(made["from"], where), _local(made["until"], where)
    if begins >= ends:
        raise ValueError(_("In %(where)s the end is not after the beginning; swap them.") % {"where": where})
    return Closure(begins, ends, _name(made["name"], where))


def _emergency(made: Any, where: str) -> Emergency:
    _all_chosen(made, {"from", "until", "name"}, where)
    begins = _moment(made["from"], where)
    ends = None if made["until"] is None else _moment(made["until"], where)
    if ends is not None and begins >= ends:
        raise ValueError(_("In %(where)s the end is not after the beginning; swap them.") % {"where": where})
    return Emergency(begins, ends, _name(made["name"], where))


def _hours(made: Any, where: str) -> Hours:
    if not isinstance(made, list) or len(made) > MOST_FRAMES:
        told = {"where": where, "most": MOST_FRAMES}
        raise ValueError(_("In %(where)s the hours are a list of at most %(most)d spans.") % told)
    frames = []
    for pair in made:
        if not isinstance(pair, list) or len(pair) != 2:
            raise ValueError(_("In %(where)s a span is a pair such as 09:00, 18:00.") % {"where": where})
        first, until = (_minute(text, where) for text in pair)
        if first in (until, MINUTES_OF_DAY):
            raise ValueError(
                _("In %(where)s a span has to last, and to begin before 24:00; for a whole day write 00:00, 24:00.")
                % {"where": where}
            )
        frames.append((first, until if until > first else until + MINUTES_OF_DAY))
    frames.sort()
    for earlier, later in pairwise(frames):
        if later[0] < earlier[1]:
            told = {"where": where, "end": clock(earlier[1]), "start": clock(later[0])}
            raise ValueError(
                _("In %(where)s the span to %(end)s overlaps the one from %(start)s; make one of them shorter.") % told
            )
    return tuple(frames)


# -- reading plain values --------------------------------------------------------------------------------------------------


def _each(made: Any, least: int, most: int, what: str, one: Callable[[Any, str], Made]) -> tuple[Made, ...]:
    if not isinstance(made, list) or not least <= len(made) <= most:
        told = {"what": what, "least": least, "most": most}
        raise ValueError(_("Of “%(what)s” there have to be %(least)d to %(most)d, in a list.") % told)
    places = (_("%(what)s %(place)d") % {"what": what, "place": place} for place in range(1, len(made) + 1))
    return tuple(one(row, where) for row, where in zip(made, places, strict=True))


def _all_chosen(made: Any, names: set[str], where: str) -> None:
    if not isinstance(made, Mapping):
        raise ValueError(_("In %(where)s the choices are missing.") % {"where": where})
    if missing := sorted(names - set(made)):
        raise ValueError(
            _("In %(where)s choose “%(name)s”: nothing is assumed.") % {"where": where, "name": missing[0]}
        )
    if unknown := sorted(map(str, set(made) - names)):
        told = {"where": where, "name": _short(unknown[0])}
        raise ValueError(_("In %(where)s there is no choice named “%(name)s”.") % told)


def _one_of(made: Mapping[str, Any], name: str, known: tuple[str, ...], where: str) -> str:
    if made[name] not in known:
        told = {"where": where, "name": name, "known": ", ".join(known)}
        raise ValueError(_("In %(where)s “%(name)s” has to be one of: %(known)s.") % told)
    return str(made[name])


def _name(made: Any, where: str) -> str:
    if not isinstance(made, str) or not made.strip() or len(made) > LONGEST_NAME:
        told = {"where": where, "most": LONGEST_NAME}
        raise ValueError(_("In %(where)s write a name of at most %(most)d characters.") % told)
    return made.strip()


def _date(made: Any, where: str) -> date:
    try:
        if isinstance(made, str) and len(made) == 10:
            day = date.fromisoformat(made)
            if FIRST_YEAR <= day.year <= LAST_YEAR:
                return day
    except ValueError:
        pass
    told = {"where": where, "first": FIRST_YEAR, "last": LAST_YEAR}
    raise ValueError(_("In %(where)s write dates as in 2026-10-01, from %(first)d to %(last)d.") % told)


def _local(made: Any, where: str) -> datetime:
    """A time of the wall clock, to the minute."""
    try:
        if isinstance(made, str) and len(made) == 16 and made[10] == "T":
            local = datetime.fromisoformat(made)
            if FIRST_YEAR <= local.year <= LAST_YEAR:
                return local
    except ValueError:
        pass
    raise ValueError(_("In %(where)s write local times as in 2026-10-01T14:00, without an offset.") % {"where": where})


def _moment(made: Any, where: str) -> datetime:
    try:
        if isinstance(made, str) and len(made) <= 40:
            moment = datetime.fromisoformat(made)
            if moment.utcoffset() is not None and FIRST_YEAR <= moment.year <= LAST_YEAR:
                return moment
    except ValueError:
        pass
    raise ValueError(
        _("In %(where)s write moments with their offset, as in 2026-10-01T14:00:00+08:00.") % {"where": where}
    )


def _minute(made: Any, where: str) -> int:
    """A minute of the day, 24:00 for its end."""
    if isinstance(made, str) and CLOCK.fullmatch(made):
        return int(made[:2]) * 60 + int(made[3:])
    raise ValueError(_("In %(where)s write times as in 09:00, up to 24:00.") % {"where": where})


def _exists(day: date, year: int) -> bool:
    try:
        day.replace(year=year)
    except ValueError:
        return False
    return True


def _short(made: Any) -> str:
    return str(made)[:60]


def _frames_out(hours: Hours) -> list[list[str]]:
    return [[clock(first), clock(until)] for first, until in hours]


def _special_out(day: Special) -> dict[str, Any]:
    return {"on": day.on.isoformat(), "name": day.name, "kind": day.kind.value, "hours": _frames_out(day.hours)}
