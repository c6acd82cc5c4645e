"""Amounts in templates."""

from decimal import Decimal

from django import template

from incentives import words

register = template.Library()


@register.filter
def money(amount: Decimal) -> str:
    return words.money(amount)
