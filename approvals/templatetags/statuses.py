"""Lengths of time in templates."""

from datetime import datetime

from django import template
from django.utils import timezone

register = template.Library()


@register.filter
def clock(minutes: int | None) -> str:
    """Minutes as hours and minutes: 65 is 1:05."""
    return "–" if minutes is None else f"{minutes // 60}:{minutes % 60:02d}"


@register.filter
def minutes_since(moment: datetime | None) -> int | None:
    """Whole minutes that have passed since a moment."""
    return None if moment is None else max(int((timezone.now() - moment).total_seconds() // 60), 0)
