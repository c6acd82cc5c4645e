"""Amounts as people read them: grouped, with their cents, never rounded."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.formats import number_format


def sums_words(sums: Mapping[str, Decimal | str]) -> str:
    """Sums by currency; nothing is "–"."""
    return ", ".join(f"{amount_words(amount)} {currency}" for currency, amount in sorted(sums.items())) or "–"


def amount_words(amount: Decimal | str) -> str:
    """At least two places, and no more than the amount has."""
    shown = trimmed(amount)
    places = -int(shown.as_tuple().exponent)
    return number_format(shown, decimal_pos=places, use_l10n=True, force_grouping=True)


def trimmed(amount: Decimal | str) -> Decimal:
    """The same amount without zeros at its end beyond the second place."""
    whole, _dot, part = f"{Decimal(amount):f}".partition(".")
    return Decimal(f"{whole}.{part.rstrip('0').ljust(2, '0')}")
