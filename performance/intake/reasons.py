"""Why a row was refused, in a sentence that names row, field and remedy."""

from datetime import date

from django.utils.translation import gettext as _

from performance.intake.layouts import LAYOUTS
from performance.intake.rules import FIRST_YEAR


def sentence(field: str, code: str, value: str, today: date) -> str:
    """The reason in the reader's language. `value` is what stood in the row."""
    told = {"field": field or _("the whole row"), "value": value, "first": FIRST_YEAR, "last": today.year + 1}
    return _words(code) % told


def field_words(layout: str, field: str) -> str:
    """What the pages call `field` of `layout`; a name that is no field of it stays as it is, none is the whole row."""
    if not field:
        return _("the whole row")
    known = LAYOUTS.get(layout)
    return next((str(each.label) for each in known.fields if each.name == field), field) if known else field


def _words(code: str) -> str:
    words = {
        "missing": _("%(field)s: it is empty, and every row needs it."),
        "too_long": _("%(field)s: “%(value)s” is too long; shorten it."),
        "sign": _("%(field)s: “%(value)s” holds a line break or another sign that cannot be part of an id."),
        "unknown_choice": _("%(field)s: “%(value)s” is not one of the words that are known; translate it in the mapping."),
        "not_yes_or_no": _("%(field)s: “%(value)s” is neither yes nor no; translate it in the mapping."),
        "not_a_count": _("%(field)s: “%(value)s” is not a whole number in its range."),
        "not_a_duration": _("%(field)s: “%(value)s” is not a duration; write seconds or h:mm:ss."),
        "not_a_rating": _("%(field)s: “%(value)s” is not a rating on the scale of the mapping."),
        "not_a_moment": _("%(field)s: “%(value)s” is not a date and time in the format of the mapping."),
        "two_digit_year": _("%(field)s: “%(value)s” has a year of two digits; say in the mapping from which year they count."),
        "year": _("%(field)s: the year of “%(value)s” is outside %(first)d to %(last)d."),
        "no_such_day": _("%(field)s: there is no such day as “%(value)s”; is the order of day and month right?"),
        "no_such_time": _("%(field)s: “%(value)s” does not exist: clocks were put forward. Correct it or give the offset."),
        "ends_before_opening": _("%(field)s: “%(value)s” lies before the beginning."),
        "not_a_half_hour": _("%(field)s: “%(value)s” is not the beginning of a half hour."),
        "case_has_bad_row": _("Another event of the case “%(value)s” was refused; send the whole case again."),
        "columns": _(
            "%(field)s: from here on the row has more or fewer cells than the header; look for a delimiter inside a cell."
        ),
        "quotes": _("The quotation marks of the row do not fit; double those inside a cell."),
        "nul": _("%(field)s: the cell holds a NUL sign; take it out."),
        "formula": _("%(field)s: the cell holds a formula without a stored value; open the file in a spreadsheet and save it."),
        "not_flat": _("The row is not an object of plain values."),
        "not_plain": _("%(field)s: a plain value is expected, no list and no object."),
        "empty": _("The row is empty."),
        "letters": _("%(field)s: the cell holds signs that are no letters (half of a surrogate pair); take them out."),
    }  # fmt: skip
    return words.get(code) or code.replace("%", "%%")
