"""What the own pages start from: one's own lines and amounts, and the month named in the address."""

from datetime import date, datetime

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from incentives.models import Attainment, Entry
from incentives.plain.periods import Span, month_of


def shows_money(request: HttpRequest) -> bool:
    """False for whoever looks as the person."""
    return getattr(request.user, "seen_by", None) is None


def own_entries(request: HttpRequest) -> QuerySet[Entry]:
    """About this person alone, and none where they are looked at through somebody else's eyes."""
    return Entry.objects.visible_to(request.user).about(request.user)


def own_lines(request: HttpRequest) -> QuerySet[Attainment]:
    return Attainment.objects.about(request.user)


def wished_month(request: HttpRequest, today: date) -> Span:
    """The month named in the address; what is no month, or has not begun, is said, and this month shown."""
    wish = request.GET.get("month", "")
    now = month_of(today)
    if not wish:
        return now
    try:
        month = month_of(datetime.strptime(wish, "%Y-%m").date())  # noqa: DTZ007 - a civil month without a zone
    except (ValueError, OverflowError):
        messages.error(request, _("%(wish)s is not a month; write it as in 2026-11.") % {"wish": wish[:40]})
        return now
    if month.first > today:
        messages.error(request, _("%(wish)s has not begun yet; this month is shown.") % {"wish": wish[:40]})
        return now
    return month
