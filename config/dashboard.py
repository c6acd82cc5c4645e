"""Puts together the first page of the admin: each part only for those whose grants open it."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from config import menu
from performance.querysets import FIGURE_READERS
from performance.reports import dashboard
from teams.clock import local_day
from teams.edges.scope import holds
from teams.querysets import ROSTER_READERS
from teams.scoping import Grant


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The page for `request.user`: figures, people, the tray, the state of the installation."""
    user: Any = request.user
    now = timezone.now()
    if holds(request, FIGURE_READERS):
        context["performance"] = page = dashboard.performance(user, now)
        context["report_link"] = (
            menu.link("admin:performance_nightlyreport_change", page.report.pk) if page.report else ""
        )
    if holds(request, ROSTER_READERS):
        context["people"] = dashboard.people(user, local_day(now, user.zone))
    if holds(request, (Grant.LEAD,)):
        context["tray"] = dashboard.tray(user)
    context["requests_waiting"] = menu.waiting_requests(request)
    if user.is_superuser:
        context["running"] = dashboard.running(now)
    context["title"] = _("Overview")
    context["doors"] = menu.links(request)
    return context
