"""Reading what somebody declared as plain JSON values: nothing is assumed, and what is wrong is told by its place.

Every refusal is a ValueError with a sentence that says where it stands and what to write instead.
"""

from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

LONGEST_KEY, LONGEST_TEXT, MOST_DIGITS = 40, 200, 12


def rows(made: Any, least: int, most: int, what: str) -> list[Any]:
    if not isinstance(made, list) or not least <= len(made) <= most:
        told = {"what": what, "least": least, "most": most}
        raise ValueError(_("Of %(what)s there have to be %(least)d to %(most)d.") % told)
    return made


def all_chosen(made: Any, names: Collection[str], where: str) -> None:
    """`made` is an object with exactly these names."""
    if not isinstance(made, Mapping):
        raise ValueError(_("In %(where)s the choices are missing.") % {"where": where})
    if missing := [name for name in names if name not in made]:
        raise ValueError(
            _("In %(where)s choose “%(name)s”: nothing is assumed.") % {"where": where, "name": missing[0]}
        )
    if unknown := sorted(map(str, set(made) - set(names))):
        raise ValueError(_("In %(where)s there is no choice named “%(name)s”.") % {"where": where, "name": unknown[0]})


def one_of(made: Mapping[str, Any], name: str, known: Collection[str], where: str) -> str:
    if not isinstance(made[name], str) or made[name] not in known:
        told = {"where": where, "name": name, "known": ", ".join(known)}
        raise ValueError(_("In %(where)s “%(name)s” has to be one of: %(known)s.") % told)
    return str(made[name])


def yes_or_no(made: Mapping[str, Any], name: str, where: str) -> bool:
    if not isinstance(made[name], bool):
        raise ValueError(_("In %(where)s “%(name)s” has to be yes or no.") % {"where": where, "name": name})
    return made[name]


def whole(made: Mapping[str, Any], name: str, least: int, most: int, where: str) -> int:
    value = made[name]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        told = {"where": where, "name": name, "least": least, "most": most}
        raise ValueError(_("In %(where)s “%(name)s” has to be a whole number from %(least)d to %(most)d.") % told)
    return value


def key(made: Mapping[str, Any], name: str, where: str) -> str:
    """A short name for programs, such as `network_test`."""
    value = made[name]
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= LONGEST_KEY
        or not value.isascii()
        or not value.replace("_", "a").isalnum()
        or value != value.lower()
    ):
        told = {"where": where, "name": name, "most": LONGEST_KEY}
        raise ValueError(
            _("In %(where)s write “%(name)s” in small letters, digits and underscores, %(most)d at most.") % told
        )
    return value


def words(made: Mapping[str, Any], name: str, where: str) -> str:
    """A line of text for people, with something in it."""
    value = made[name]
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or not value.isprintable():
        told = {"where": where, "name": name, "most": LONGEST_TEXT}
        raise ValueError(_("In %(where)s “%(name)s” has to be one line of text, %(most)d letters at most.") % told)
    return value.strip()


def names(made: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
    """A list of texts, each once; it may be empty."""
    value = made[name]
    if (
        not isinstance(value, list)
        or not all(isinstance(each, str) and each for each in value)
        or len(set(value)) < len(value)
    ):
        raise ValueError(
            _("In %(where)s “%(name)s” has to be a list of names, each once.") % {"where": where, "name": name}
        )
    return tuple(value)


def number(made: Mapping[str, Any], name: str, where: str) -> Fraction:
    """A number from its text. A float is refused: what it stands for is not what was typed."""
    value = made[name]
    try:
        if isinstance(value, str) and len(value) <= 30:
            found = Decimal(value)
            if found.is_finite() and -MOST_DIGITS < found.adjusted() < MOST_DIGITS:
                return Fraction(found)
    except InvalidOperation:
        pass
    told = {"where": where, "name": name}
    raise ValueError(_("In %(where)s write “%(name)s” as a number in text, such as “1.5”.") % told)


def share(made: Mapping[str, Any], name: str, where: str) -> Fraction:
    """From 0 to 1, both included."""
    found = number(made, name, where)
    if not 0 <= found <= 1:
        told = {"where": where, "name": name}
        raise ValueError(_("In %(where)s “%(name)s” is a share from 0 to 1, such as “0.85” for 85 %%.") % told)
    return found


def each_once(keys: Collection[str], what: str) -> None:
    seen: set[str] = set()
    for found in keys:
        if found in seen:
            raise ValueError(
                _("Of %(what)s “%(key)s” stands twice; rename one of them.") % {"what": what, "key": found}
            )
        seen.add(found)


# -- writing numbers -------------------------------------------------------------------------------------------------------


def shown(value: Fraction, places: int = 2) -> str:
    """A number for a sentence: as a decimal where it has an end within `places`, else cut off towards zero and ended by “…”, so
    that nothing is shown as reached that has not been reached."""
    scaled = abs(value) * 10**places
    cut = Decimal(scaled.numerator // scaled.denominator).scaleb(-places)
    sign = "-" if value < 0 else ""
    if scaled.denominator == 1:
        return f"{sign}{cut.normalize():f}"
    return f"{sign}{cut}…"


def percent(value: Fraction) -> str:
    return f"{shown(value * 100, 1)} %"
