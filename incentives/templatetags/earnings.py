"""What a day earns, for pages of lower floors that may not know of incentives; and amounts in templates."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import template
from django.template import Context

from incentives import words
from incentives.reports.progress import progress
from incentives.views.own import shows_money
from teams.models import Agent

register = template.Library()


@register.inclusion_tag("me/incentives_today.html", takes_context=True)
def earned(context: Context, agent: Agent, day: date) -> dict[str, Any]:
    """One line for the page of a day: nothing where no plan holds for the agent, or where somebody looks as them."""
    found = progress(agent, day) if shows_money(context["request"]) else None
    return {"found": found, "day": day}


@register.filter
def money(amount: Decimal) -> str:
    return words.money(amount)
