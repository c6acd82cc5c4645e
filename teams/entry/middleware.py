"""What every request of a session passes: it has not been idle too long, and has shown the second factor its rights need."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from teams.entry import factor, sessions

API = "/api/"
# What somebody may open who must have a second factor and has none yet.
OPEN_WITHOUT_FACTOR = frozenset(
    {
        "second_factor", "second_factor_codes", "logout", "admin_log_out", "set_language", "login", "login_code",
        "health-live", "health-ready", "health-worker",
    }
)  # fmt: skip


class EntryRules:
    """Ends sessions that are over with a sentence, and leads whoever lacks a second factor to where it is set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        had_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        reason = ""
        if request.user.is_authenticated:
            reason = sessions.over(request)
            if reason:
                logout(request)
        response = self.get_response(request)
        if had_session and not request.user.is_authenticated and _leads_to_log_in(response):
            messages.info(request, _why(reason))
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not request.user.is_authenticated or sessions.has_factor(request):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in OPEN_WITHOUT_FACTOR:
            return None
        has, is_required = factor.has_or_is_required(request.user)
        if has:  # set up elsewhere since, or not asked for at this log-in: ask now
            logout(request)
            return _refused(request, reverse("login"))
        if is_required:
            return _refused(request, reverse("second_factor"))
        return None


def _refused(request: HttpRequest, where: str) -> HttpResponse:
    if request.path.startswith(API):
        sentence = _("Your rights need a second factor. Log in on the pages and set it up.")
        return JsonResponse({"code": "second_factor_needed", "detail": sentence}, status=403)
    return redirect(where)


def _leads_to_log_in(response: HttpResponse) -> bool:
    where = response.headers.get("Location", "").partition("?")[0]
    return response.status_code == 302 and where in (reverse("login"), reverse("admin_log_in"))


def _why(reason: str) -> str:
    if reason == "idle":
        return _("You were logged out because nothing was done for 30 minutes. Log in again to go on where you were.")
    if reason == "long":
        return _("You were logged out because a session lasts 12 hours at most. Log in again to go on where you were.")
    return _("Your session has ended. Log in again to go on where you were.")
