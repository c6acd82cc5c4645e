"""What a planner may ask of the arithmetic, and the sentence for what cannot be answered.

Numbers come one at a time or as arrays of half hours; whatever is wrong is told by name, with the value and its place.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from numpy.typing import ArrayLike, NDArray

from scheduling.plain.hills import Floats

Whole = NDArray[np.int64]

MOST_AGENTS = 5000
MOST_CHATS = 20
LEAST, MOST = 1e-9, 1e9  # of any number; beyond is a slip of the pen
CONTACTS = gettext_lazy("The number of contacts")
HANDLE = gettext_lazy("The handle time in seconds")
INTERVAL = gettext_lazy("The length of the interval in minutes")
PATIENCE = gettext_lazy("The patience in seconds")
WITHIN = gettext_lazy("The answer time in seconds")
AVERAGE_WAIT = gettext_lazy("The average wait in seconds")
ERLANGS = gettext_lazy("The load in erlangs")
AGENTS = gettext_lazy("The number of agents")
CONCURRENCY = gettext_lazy("The number of chats an agent has at once")
SERVICE_LEVEL = gettext_lazy("The service level")
OCCUPANCY = gettext_lazy("The highest occupancy")
ABANDONED = gettext_lazy("The share that may give up")
SHRINKAGE = gettext_lazy("The shrinkage")


_POSITIVE = gettext_lazy("a number above zero, at most 1,000,000,000")
_NOT_NEGATIVE = gettext_lazy("0 to 1,000,000,000")
_CHATS = gettext_lazy("1 to 20")
_SHARE = gettext_lazy("above 0 and below 1, such as 0.8 for 80 %")
_SHARE_OR_ALL = gettext_lazy("above 0 and at most 1")
_SHRINKAGE = gettext_lazy("0 or more and below 1")
_AGENTS = gettext_lazy("a whole number from 1 to 5,000")


def positive(what: Promise, values: ArrayLike) -> Floats:
    """`values` as floats, all of them above zero and finite."""
    return _checked(what, values, lambda found: (found >= LEAST) & (found <= MOST), _POSITIVE)


def not_negative(what: Promise, values: ArrayLike) -> Floats:
    return _checked(what, values, lambda found: (found >= 0) & (found <= MOST), _NOT_NEGATIVE)


def concurrency(values: ArrayLike) -> Floats:
    return _checked(CONCURRENCY, values, lambda found: (found >= 1) & (found <= MOST_CHATS), _CHATS)


def share(what: Promise, values: ArrayLike) -> Floats:
    """Above 0 and below 1."""
    return _checked(what, values, lambda found: (found > 0) & (found < 1), _SHARE)


def share_or_all(what: Promise, values: ArrayLike) -> Floats:
    """Above 0, at most 1."""
    return _checked(what, values, lambda found: (found > 0) & (found <= 1), _SHARE_OR_ALL)


def shrinkage(values: ArrayLike) -> Floats:
    return _checked(SHRINKAGE, values, lambda found: (found >= 0) & (found < 1), _SHRINKAGE)


def agents(values: ArrayLike) -> Floats:
    return _checked(
        AGENTS, values, lambda found: (found >= 1) & (found <= MOST_AGENTS) & (found == np.floor(found)), _AGENTS
    )


def erlangs(contacts: Floats, handle_seconds: Floats, interval_minutes: Floats) -> Floats:
    """The load that `contacts` an interval are: how many agents they would keep busy without a pause."""
    return contacts * handle_seconds / (interval_minutes * 60)


def overload(load: float, people: float) -> ValueError:
    """Callers who never give up, and too few agents for them: the queue has no average."""
    told = {"load": f"{load:.6g}", "agents": f"{people:.0f}", "least": f"{np.floor(load) + 1:.0f}"}
    return ValueError(
        _(
            "A load of %(load)s erlangs is too much for %(agents)s agents: the queue would grow without end. Plan at least"
            " %(least)s agents, or say how long people wait before they give up."
        )
        % told
    )


def out_of_range(place: str) -> ValueError:
    told = {"most": MOST_AGENTS, "place": place}
    return ValueError(
        _("Not even %(most)d agents reach the target%(place)s. Split the queue, shorten the interval or ask for less.")
        % told
    )


def where(flat: int, size: int) -> str:
    """Which of several half hours is meant, as part of a sentence."""
    return "" if size == 1 else _(" (half hour %(place)d of %(count)d)") % {"place": flat + 1, "count": size}


def whole_above(quotients: Floats, exact: Callable[[int], Fraction]) -> Whole:
    """The smallest whole numbers that are not below `quotients`. So near to a whole number that a float may have slipped over
    it, `exact` is asked for that place: 7 / (1 - 0.3) is 10, not 11."""
    near = np.rint(quotients)
    found = np.ceil(quotients).astype(np.int64)
    for place in np.flatnonzero(np.abs(quotients - near) <= 1e-9 * np.maximum(near, 1)):
        found[place] = -(-exact(int(place)) // 1)
    return found


def as_written(value: Any) -> Fraction:
    """The decimal number that a person wrote: 0.3 is three tenths."""
    return Fraction(repr(float(value)))


def _checked(what: Promise, values: ArrayLike, is_good: Callable[[Floats], Any], wanted: Promise) -> Floats:
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(_("%(what)s has to be %(wanted)s.") % {"what": what, "wanted": wanted}) from None
    if found.size == 0:
        raise ValueError(_("%(what)s is missing: give at least one half hour.") % {"what": what})
    good = is_good(found) & np.isfinite(found)
    if not good.all():
        place = int(np.flatnonzero(~good.ravel())[0])
        told = {"what": what, "wanted": wanted, "value": f"{found.ravel()[place]:g}", "place": where(place, found.size)}
        raise ValueError(_("%(what)s has to be %(wanted)s; it is %(value)s%(place)s.") % told)
    return found
