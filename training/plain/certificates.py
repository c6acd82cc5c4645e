"""How long a signed training holds, when to renew it, and what ends with it.

`expires_on` is the first day on which a certificate no longer holds: one signed on 1 March for twelve months holds to the
end of the last day of February. Renewing early never makes it shorter. What lapses takes rights with it, from that day on
and without anybody doing anything; an exception gives them back for at most seven days.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from training.plain.workdays import DAY, Span

AFTER_LEAVE = 7  # days to renew after coming back from a leave that took the whole window
LONGEST_EXCEPTION = 7  # days, of one lapse all in all


class Basis(StrEnum):
    """What a period is counted from."""

    SIGNING = "signing"
    FORMER_EXPIRY = "former_expiry"  # where signed in the window before it, else the signing
    FIXED_DAY = "fixed_day"  # the same day each year for everybody


@dataclass(frozen=True)
class Rule:
    """`months`: how long it holds (of a fixed day, always to one of them). `window_days`: before expiry, in which to renew.
    `fixed`: month and day. `least_days`: a fixed day nearer than this is passed over for the one a year later."""

    basis: Basis
    months: int = 12
    window_days: int = 60
    fixed: tuple[int, int] | None = None
    least_days: int = 90
    remind_days: tuple[int, ...] = (30, 14, 7, 1)
    lead_at: int = 7
    hr_at: int = 0

    def __post_init__(self) -> None:
        if self.months < 1:
            raise ValueError(_("A certificate holds for at least one month."))
        if (self.fixed is not None) != (self.basis is Basis.FIXED_DAY):
            raise ValueError(_("Give the day of the year where certificates end on one, and only there."))
        if self.fixed is not None:
            _fixed_day(2027, self.fixed)


def expires_on(rule: Rule, signed_on: date, former: date | None = None) -> date:
    """The first day without, of a certificate signed on a day where the one before ended or ends on `former`."""
    if rule.basis is Basis.FIXED_DAY and rule.fixed is not None:
        found = _next_fixed(signed_on + DAY * max(rule.least_days, 1), rule.fixed)
    elif rule.basis is Basis.FORMER_EXPIRY and former is not None and opens_on(rule, former) <= signed_on < former:
        found = months_after(former, rule.months)
    else:
        found = months_after(signed_on, rule.months)
    return found if former is None else max(found, former)


def opens_on(rule: Rule, expiry: date) -> date:
    """The first day on which it can be renewed without losing a day of what is left."""
    return expiry - DAY * rule.window_days


def months_after(day: date, months: int) -> date:
    """The same day of a later month, or the last one where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 27, -1):
        try:
            return date(year, month + 1, number)
        except ValueError:
            continue
    return date(year, month + 1, min(day.day, 28))


def _next_fixed(first: date, fixed: tuple[int, int]) -> date:
    this_year = _fixed_day(first.year, fixed)
    return this_year if this_year >= first else _fixed_day(first.year + 1, fixed)


def _fixed_day(year: int, fixed: tuple[int, int]) -> date:
    try:
        return date(year, *fixed)
    except ValueError:
        if fixed == (2, 29):
            return date(year, 3, 1)
        raise ValueError(_("The day of the year is a month and a day of it, such as 1 September.")) from None


# -- what moves an expiry ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Publication:
    """A document whose major version asks everybody to sign anew: a new policy, or the lesson of an incident. What was signed
    before holds for `grace_days` more."""

    version: int
    published_on: date
    grace_days: int


def with_publications(expiry: date, signed_version: int, published: Iterable[Publication]) -> date:
    """The first day without, by all that has been published since: an older signature ends with the shortest grace."""
    ends = (each.published_on + DAY * each.grace_days for each in published if each.version > signed_version)
    return min((expiry, *ends))


def with_leave(rule: Rule, expiry: date, leaves: Iterable[Span], asked_on: date | None = None) -> date:
    """The first day without, for who could not renew: a leave over the whole window puts it off until seven days after coming
    back. `asked_on`: where the renewal was asked for later than the window opens, as by a publication. `leaves` follow each
    other without touching."""
    opens = opens_on(rule, expiry)
    window = Span(opens if asked_on is None else max(opens, asked_on), expiry - DAY)
    for leave in leaves:
        if window.first in leave and window.last in leave:
            return max(expiry, leave.last + DAY * (1 + AFTER_LEAVE))
    return expiry


# -- who is told when --------------------------------------------------------------------------------------------------------


class Told(StrEnum):
    AGENT = "agent"
    LEAD = "lead"
    HR = "hr"


def reminder(rule: Rule, expiry: date, today: date, sent: Collection[int] = ()) -> int | None:
    """Of the days before expiry on which to remind, the one that is due: the latest that has come and was not sent. Nights that
    were missed are not made up for one by one. None where nothing is due, or it has expired."""
    left = (expiry - today).days
    come = [days for days in rule.remind_days if left <= days]
    if left < 1 or not come or min(come) in sent:
        return None
    return min(come)


def escalation(rule: Rule, expiry: date, today: date) -> tuple[Told, ...]:
    """Who knows of a certificate that has not been renewed: the lead shortly before it ends, HR when it has ended."""
    left = (expiry - today).days
    told = [Told.AGENT] if left <= max((*rule.remind_days, rule.lead_at, rule.hr_at)) else []
    told += [Told.LEAD] if left <= rule.lead_at else []
    told += [Told.HR] if left <= rule.hr_at else []
    return tuple(told)


# -- what ends with it -------------------------------------------------------------------------------------------------------


class Right(StrEnum):
    SENSITIVE_QUEUES = "sensitive_queues"
    APPROVING = "approving"
    EXPORTING = "exporting"


RIGHT_NAMES: dict[Right, Promise] = {
    Right.SENSITIVE_QUEUES: gettext_lazy("contacts of sensitive queues"),
    Right.APPROVING: gettext_lazy("approving"),
    Right.EXPORTING: gettext_lazy("exporting"),
}


@dataclass(frozen=True)
class Lapse:
    """A right that ends, the first day without it, and the certificates it ends with. `ends_on` is None where one that is asked
    for was never signed: the right has not begun."""

    right: Right
    ends_on: date | None
    certificates: tuple[str, ...]

    def is_lapsed(self, today: date, exceptions: Iterable[Span] = ()) -> bool:
        if self.ends_on is not None and today < self.ends_on:
            return False
        return not any(today in span for span in exceptions)


def lapses(needs: Mapping[str, Collection[Right]], expiries: Mapping[str, date | None]) -> tuple[Lapse, ...]:
    """When each right ends: with the first to expire of the certificates that it needs. `needs`: the rights that hang on each
    certificate, by its name; `expiries`: the first day without it, with nothing where it was never signed."""
    found = []
    for right in Right:
        asked = sorted(name for name, rights in needs.items() if right in rights)
        never = tuple(name for name in asked if expiries.get(name) is None)
        if never:
            found.append(Lapse(right, None, never))
        elif asked:
            ends = {name: day for name in asked if (day := expiries[name]) is not None}
            first = min(ends.values())
            found.append(Lapse(right, first, tuple(name for name in asked if ends[name] == first)))
    return tuple(found)


def told(lapse: Lapse, today: date) -> str:
    """A sentence for the person: what ends or has ended, and what to do."""
    about = {"right": RIGHT_NAMES[lapse.right], "names": ", ".join(lapse.certificates)}
    if lapse.ends_on is None:
        return _("No %(right)s before this is signed: %(names)s.") % about
    about["day"] = lapse.ends_on.isoformat()
    if lapse.is_lapsed(today):
        return _("No %(right)s since %(day)s: renew %(names)s.") % about
    return _("No %(right)s from %(day)s on unless this is renewed before: %(names)s.") % about


def exception(lapsed_on: date, first: date, days: int, earlier: Iterable[Span] = ()) -> Span:
    """The days on which a right is given back though its certificate has lapsed. Raises ValueError for more than seven days of
    one lapse, all its exceptions together. Who asks and who approves is a matter of the request."""
    if days < 1:
        raise ValueError(_("An exception holds for at least one day."))
    if first < lapsed_on:
        raise ValueError(
            _("Nothing has lapsed by then; ask for an exception from %(day)s on.") % {"day": lapsed_on.isoformat()}
        )
    span = Span(first, first + DAY * (days - 1))
    used = {day for each in (*earlier, span) for day in each.days() if day >= lapsed_on}
    if len(used) > LONGEST_EXCEPTION:
        limits = {"most": LONGEST_EXCEPTION, "days": len(used)}
        raise ValueError(
            _(
                "That would be %(days)d days without a valid certificate, at most %(most)d are allowed; renew it instead."
            )
            % limits
        )
    return span
