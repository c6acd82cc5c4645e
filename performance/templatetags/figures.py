"""Figures in templates, in the words of `performance.words`."""

from decimal import Decimal

from django import template

from performance import words

register = template.Library()


@register.filter
def duration(seconds: int | None) -> str:
    return words.NOTHING if seconds is None else words.duration(seconds)


@register.filter
def percent(share: Decimal | None) -> str:
    return words.NOTHING if share is None else words.percent(share)
