"""Public days of a year: who is off by law, who rests in exchange, and which rest day is worked.

The kept library knows the notices that were out when it was made, and beyond them it guesses by rule without a word. So a
year of a country that swaps days by decree is answered only where its notice is known: by the library, or by a `Notice` of our
own, entered from the paper and named with its source. Any other year is refused with `NotAnnounced`, unless a guess is asked
for by name, for a forecast or for a plan somebody confirms with a tick. A guess says that it is one.

A complete notice takes the place of the library's year. One that is not complete only amends it, day by day, for what is
decreed late; the kind `ordinary` takes a day out.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

import holidays
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from scheduling.plain.timeplan import Hours, Kind, Special

MOST_DAYS, LONGEST_NAME, LONGEST_SOURCE = 120, 200, 200
FIRST_YEAR, LAST_YEAR = 2000, 2099
NOTICE_MONTH = 11  # when the State Council has usually published the next year


class DayKind(StrEnum):
    """What a public day is. Pay differs: 300 % on a statutory day, 200 % on a swapped one, plain on a make-up workday."""

    STATUTORY = "statutory"
    SWAPPED = "swapped"
    MAKE_UP = "make_up"
    ORDINARY = "ordinary"  # of amendments alone: what the library says of this day does not hold


class NotAnnounced(ValueError):
    """The days of that year are decreed and the decree is not known. The text is a sentence for people."""


@dataclass(frozen=True)
class PublicDay:
    """`is_estimated`: the day follows the moon and may still move by one."""

    on: date
    name: str
    kind: DayKind
    is_estimated: bool = False


@dataclass(frozen=True)
class Notice:
    """What we entered ourselves. A complete one is the whole year; else only its days are amended."""

    country: str
    year: int
    source: str
    is_complete: bool
    days: tuple[PublicDay, ...]


@dataclass(frozen=True)
class Calendar:
    """The public days of one country and year, by date, with where they come from."""

    country: str
    year: int
    source: str
    is_guess: bool
    days: tuple[PublicDay, ...]
    weekend: frozenset[int]

    @cached_property
    def by_date(self) -> dict[date, PublicDay]:
        return {day.on: day for day in self.days}

    def is_working_day(self, day: date) -> bool:
        """By law: make-up workdays are, days off are not, all others by their weekday."""
        public = self.by_date.get(day)
        return public.kind is DayKind.MAKE_UP if public else day.weekday() not in self.weekend

    def specials(self, make_up_hours: Hours) -> tuple[tuple[Special, ...], tuple[Special, ...]]:
        """Holidays and custom workdays for a time plan; without hours for them, make-up workdays change nothing."""
        closed = [day for day in self.days if day.kind is not DayKind.MAKE_UP]
        worked = [day for day in self.days if day.kind is DayKind.MAKE_UP] if make_up_hours else []
        return (
            tuple(Special(day.on, day.name, Kind(day.kind), ()) for day in closed),
            tuple(Special(day.on, day.name, Kind.MAKE_UP, make_up_hours) for day in worked),
        )


def calendar_of(
    country: str,
    year: int,
    *,
    own: Sequence[Notice] = (),
    region: str | None = None,
    language: str | None = None,
    accept_guess: bool = False,
) -> Calendar:
    """The public days of `country` (two letters) in `year`.

    Raises NotAnnounced where the year is decreed and its notice is not known, unless `accept_guess`; ValueError with a sentence
    for a country, region or year the library does not have.
    """
    library = _library(country, year, region, language)
    ours = [each for each in own if each.country == country]
    complete = next((each for each in reversed(ours) if each.is_complete and each.year == year), None)
    is_guess = complete is None and not _knows(library, year)
    if is_guess and not accept_guess:
        raise NotAnnounced(_not_announced(country, year))
    days = {} if complete else _days_of(library, country, year)
    amendments = [each for each in ours if not each.is_complete or each.year != year]
    for notice in ([complete] if complete else []) + amendments:
        days |= {day.on: day for day in notice.days if day.on.year == year}
    source = complete.source if complete else _("holidays %(version)s") % {"version": holidays.__version__}
    amended = [each.source for each in amendments if any(day.on.year == year for day in each.days)]
    return Calendar(
        country=country,
        year=year,
        source="; ".join([source, *amended]),
        is_guess=is_guess,
        days=tuple(day for _on, day in sorted(days.items()) if day.kind is not DayKind.ORDINARY),
        weekend=frozenset(library.weekend),
    )


def is_announced(country: str, year: int, *, own: Sequence[Notice] = ()) -> bool:
    """Whether `calendar_of` answers without a guess."""
    ours = any(each.is_complete and (each.country, each.year) == (country, year) for each in own)
    return ours or _knows(_library(country, year, None, None), year)


def missing_notice(country: str, today: date, *, own: Sequence[Notice] = ()) -> str | None:
    """A warning for the dashboard: this year is not known, or from November on the next one; else None."""
    years = [today.year, today.year + 1] if today.month >= NOTICE_MONTH else [today.year]
    missing = next((year for year in years if not is_announced(country, year, own=own)), None)
    return _not_announced(country, missing) if missing else None


def _not_announced(country: str, year: int) -> str:
    told = {"country": country, "year": year}
    return (
        _("The public days of %(year)d in %(country)s are not announced yet; enter the notice when it is out.") % told
    )


# -- the kept library ------------------------------------------------------------------------------------------------------


def _library(country: str, year: int, region: str | None, language: str | None) -> Any:
    """The library's calendar of one year. Raises ValueError with a sentence."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(
            _("Public days are known for the years %(first)d to %(last)d.") % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )
    if country not in holidays.list_supported_countries():
        told = {"country": country[:20]}
        raise ValueError(
            _("No public days are known for “%(country)s”; write the country as two letters, such as CN.") % told
        )
    try:
        return holidays.country_holidays(country, subdiv=region, years=year, language=language)
    except NotImplementedError:
        told = {"country": country, "region": (region or "")[:20]}
        raise ValueError(
            _("%(country)s has no region “%(region)s” with days of its own; leave it out.") % told
        ) from None


def _knows(library: Any, year: int) -> bool:
    """Countries that swap days do it by decree, year by year: the last year with swaps is the last that is known."""
    if not library.has_substituted_holidays:
        return True
    return year <= max(library.special_public_holidays, default=0)


def _days_of(library: Any, country: str, year: int) -> dict[date, PublicDay]:
    in_exchange = _pattern(library, "substituted_label")
    in_place = [_pattern(library, "observed_label"), _pattern(library, "observed_estimated_label")]
    estimated = [_pattern(library, "estimated_label"), _pattern(library, "observed_estimated_label")]
    found, worked_for = {}, {}
    for day, name in library.items():
        swapped = in_exchange.fullmatch(name)
        if swapped:
            worked_for[_worked(library, swapped.group(1))] = day
        moved = country == "CN" and any(
            each.fullmatch(name) for each in in_place
        )  # elsewhere the substitute is the holiday
        kind = DayKind.SWAPPED if swapped or moved else DayKind.STATUTORY
        found[day] = PublicDay(day, name[:LONGEST_NAME], kind, any(each.fullmatch(name) for each in estimated))
    for day in library.weekend_workdays:
        if day.year == year:
            rest = worked_for.get(day)
            name = _("Workday in exchange for %(day)s") % {"day": rest} if rest else _("Make-up workday")
            found[day] = PublicDay(day, name, DayKind.MAKE_UP)
    return {day: public for day, public in found.items() if day.year == year}


def _pattern(library: Any, label: str) -> re.Pattern[str]:
    """What a name made from a label of the library looks like; nothing does where the country has no such label."""
    text = library.tr(getattr(library, label, "") or "") if getattr(library, label, "") else ""
    return re.compile("(.+)".join(map(re.escape, text.split("%s")))) if "%s" in text else re.compile(r"(?!)")


def _worked(library: Any, text: str) -> date | None:
    try:
        return datetime.strptime(text, library.tr(library.substituted_date_format)).date()  # noqa: DTZ007 (a date alone)
    except ValueError:
        return None


# -- our own notices -------------------------------------------------------------------------------------------------------


def read(made: Any) -> Notice:
    """A notice as entered. Raises ValueError with a sentence that names the day and the remedy. The shape:

    {"country": "CN", "year": 2027, "source": "…", "complete": true,
     "days": [{"on": "2027-01-01", "name": "…", "kind": "statutory" | "swapped" | "make_up" | "ordinary"}, ...]}
    """
    if not isinstance(made, Mapping) or set(made) != {"country", "year", "source", "complete", "days"}:
        raise ValueError(_("A notice has a country, a year, a source, whether it is complete, and days."))
    country, year, rows = made["country"], made["year"], made["days"]
    if not isinstance(country, str) or not isinstance(year, int) or isinstance(year, bool):
        raise ValueError(_("Write the country as two letters, such as CN, and the year as a number, such as 2027."))
    weekend = frozenset(_library(country, year, None, None).weekend)
    if not isinstance(made["complete"], bool):
        raise ValueError(_("Say yes or no: is the notice the whole year?"))
    if not isinstance(rows, list) or not 1 <= len(rows) <= MOST_DAYS:
        raise ValueError(_("A notice has 1 to %(most)d days, in a list.") % {"most": MOST_DAYS})
    source = _text(made["source"], LONGEST_SOURCE, _("the source"))
    days = [_day(row, place, year, weekend) for place, row in enumerate(rows, 1)]
    seen: set[date] = set()
    for day in days:
        if day.on in seen:
            raise ValueError(_("%(day)s stands twice in the notice; take one of them out.") % {"day": day.on})
        seen.add(day.on)
    if made["complete"] and any(day.kind is DayKind.ORDINARY for day in days):
        raise ValueError(_("A complete notice names no ordinary days; take them out."))
    return Notice(country, year, source, made["complete"], tuple(sorted(days, key=lambda day: day.on)))


def as_json(notice: Notice) -> dict[str, Any]:
    """What `read` reads back as the same notice."""
    return {
        "country": notice.country,
        "year": notice.year,
        "source": notice.source,
        "complete": notice.is_complete,
        "days": [{"on": day.on.isoformat(), "name": day.name, "kind": day.kind.value} for day in notice.days],
    }


def _day(made: Any, place: int, year: int, weekend: frozenset[int]) -> PublicDay:
    where = _("day %(place)d of the notice") % {"place": place}
    if not isinstance(made, Mapping) or set(made) != {"on", "name", "kind"}:
        raise ValueError(_("In %(where)s write a date, a name and a kind.") % {"where": where})
    if made["kind"] not in tuple(DayKind):
        told = {"where": where, "known": ", ".join(DayKind)}
        raise ValueError(_("In %(where)s the kind has to be one of: %(known)s.") % told)
    day = PublicDay(_date(made["on"], where, year), _text(made["name"], LONGEST_NAME, where), DayKind(made["kind"]))
    told = {"day": str(day.on), "weekday": WEEKDAYS[day.on.weekday()]}
    if day.kind is DayKind.MAKE_UP and day.on.weekday() not in weekend:
        raise ValueError(_("%(day)s is a %(weekday)s, worked anyway; a make-up workday lies on a weekend.") % told)
    if day.kind is DayKind.SWAPPED and day.on.weekday() in weekend:
        raise ValueError(_("%(day)s is a %(weekday)s, free anyway; a swapped rest day lies on a working day.") % told)
    return day


def _date(made: Any, where: str, year: int) -> date:
    """Within the year, or the December before: New Year is made up for on the days before it."""
    try:
        if isinstance(made, str) and len(made) == 10:
            day = date.fromisoformat(made)
            if date(year - 1, 12, 1) <= day <= date(year, 12, 31):
                return day
    except ValueError:
        pass
    raise ValueError(_("In %(where)s write a date of %(year)d, as in %(year)d-10-01.") % {"where": where, "year": year})


def _text(made: Any, longest: int, where: str) -> str:
    if not isinstance(made, str) or not made.strip() or len(made) > longest:
        raise ValueError(
            _("In %(where)s write a text of at most %(most)d characters.") % {"where": where, "most": longest}
        )
    return made.strip()
