"""How a figure reads: the same words for the same value on every page, mail and export that shows it to people."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from performance.metrics import Unit

NOTHING = "–"


def rounded(value: Fraction | Decimal | int, places: int = 0) -> Decimal:
    """`value` rounded once, half up, to `places` decimals."""
    exact = Fraction(value)
    scaled = exact * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole).scaleb(-places) if places else Decimal(whole)


def percent(share: Fraction | Decimal) -> str:
    """A share of 0 to 1 as a percentage with one decimal, none where it is whole."""
    value = rounded(Fraction(share) * 100, 1)
    shown = value.quantize(Decimal(1), ROUND_HALF_UP) if value == value.to_integral_value() else value
    return _("%(number)s %%") % {"number": number_format(shown)}


def duration(seconds: Fraction | Decimal | int) -> str:
    """A span of time in hours and minutes, minutes and seconds, or seconds, rounded to what is shown."""
    whole = int(rounded(seconds))
    if whole >= 3600:
        whole = 60 * int(rounded(Fraction(seconds) / 60))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    if hours and not minutes:
        return _("%(hours)d h") % {"hours": hours}
    if hours:
        return _("%(hours)d h %(minutes)02d min") % {"hours": hours, "minutes": minutes}
    if minutes and not left:
        return _("%(minutes)d min") % {"minutes": minutes}
    if minutes:
        return _("%(minutes)d min %(seconds)02d s") % {"minutes": minutes, "seconds": left}
    return _("%(seconds)d s") % {"seconds": left}


def shown(value: Fraction | Decimal | int | None, unit: Unit) -> str:
    """The value of a figure in its unit; a dash where there is none."""
    if value is None:
        return NOTHING
    if unit is Unit.SHARE:
        return percent(Fraction(value))
    if unit is Unit.SECONDS:
        return duration(value)
    return number_format(rounded(value), force_grouping=True)
