"""Requests made as somebody else: who is looked as, what stays shut, and the way back.

The session stays the operator's; for each request the person takes the place of `request.user`, and carries the operator as
`seen_by`, so that records of looks name the one who really looked. Only reading passes. Tokens know no session, so the API
by token is not touched.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from teams import services
from teams.acting import become, system_scope
from teams.models import User, ViewAs

KEY = "viewing_as"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PASSING = frozenset(
    {"stop_viewing", "logout", "admin_log_out", "set_language"}
)  # done by the operator, as the operator
PERSONAL = frozenset({"account", "password_change", "admin_password", "password_change_done"})
PERSONAL_PREFIXES = ("account_", "mfa_", "socialaccount_", "usersessions_")

Answer = Callable[[HttpRequest], HttpResponse]


class ViewingAs:
    """Puts the person in the operator's place for one request. Stands right behind the authentication."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if KEY in request.session:
            with system_scope("whose eyes are borrowed is asked before the reach of anybody is open"):
                look = _running(request)
            if look is None:
                del request.session[KEY]
            else:
                request.viewing = look  # type: ignore[attr-defined]
                look.person.seen_by = request.user  # type: ignore[attr-defined]
                request.operator = request.user  # type: ignore[attr-defined]
                request.user = look.person
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        look: ViewAs | None = getattr(request, "viewing", None)
        if look is None:
            return None
        match = request.resolver_match
        name = (match.url_name if match else "") or ""
        if name in PASSING:
            request.user = request.operator  # type: ignore[attr-defined]
            become(request.user)
            return None
        if request.method not in SAFE:
            return _refuse(request, _("You look as somebody else, and may only read. Stop first to change anything."))
        if name in PERSONAL or name.startswith(PERSONAL_PREFIXES):
            return _refuse(request, _("Passwords and settings of an account are shown to nobody but its owner."))
        return None


def _running(request: HttpRequest) -> ViewAs | None:
    """The look of this session, as long as it runs and both may: the viewer is still an operator, the person is none."""
    viewer = request.user
    if not (isinstance(viewer, User) and viewer.is_active and viewer.is_superuser):
        return None
    looks = ViewAs.objects.select_related("person").filter(
        pk=request.session[KEY],
        viewer=viewer,
        ended_at=None,
        until__gt=timezone.now(),
        person__is_active=True,
        person__is_superuser=False,
    )
    return looks.first()


def _refuse(request: HttpRequest, sentence: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"code": "only_reading", "detail": sentence}, status=403)
    return render(request, "viewing_refused.html", {"sentence": sentence}, status=403)


def enter(request: HttpRequest, look: ViewAs) -> HttpResponse:
    """From here on this session looks as the person of `look`."""
    request.session[KEY] = look.pk
    return redirect("home")


@login_not_required
@require_POST
def stop(request: HttpRequest) -> HttpResponse:
    """Back to one's own eyes, and to the account one looked as."""
    pk = request.session.pop(KEY, None)
    if pk is None or not isinstance(request.user, User):
        return redirect("home")
    look = ViewAs.objects.filter(pk=pk, viewer=request.user).first()
    if look is None:
        return redirect("home")
    services.stop_viewing(look.pk, by=request.user)
    return redirect(reverse("admin:teams_user_change", args=[look.person_id]))
