"""The lead's board: the page, its moving part, deciding on breaks, and saying how many have to stay ready."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from approvals.reports.board import SEES
from approvals.reports.board import board as board_of
from approvals.services import deciding, statuses
from teams.edges.admin import site
from teams.edges.scope import holds, person
from teams.errors import OutOfReach, Refused

MOST = 10**9


@never_cache
@require_safe
def board(request: HttpRequest) -> HttpResponse:
    told = _told(request)
    context = {**site.each_context(request), "title": _("Board"), **told}
    return TemplateResponse(request, "approvals/board.html", context)


@never_cache
@require_safe
def board_now(request: HttpRequest) -> HttpResponse:
    """The moving part, asked for every few seconds."""
    return TemplateResponse(request, "approvals/board_now.html", _told(request))


@require_POST
def board_decide(request: HttpRequest) -> HttpResponse:
    """One click on a request of the queue; the services decide whether it may."""
    pk, version = _number(request, "request"), _number(request, "version")
    words = request.POST.get("words", "").replace("\x00", "")[:500]
    try:
        if request.POST.get("verdict") == "reject":
            deciding.reject(pk, by=person(request), words=words, version=version)
            messages.success(request, _("Rejected. Who asked has been told."))
        else:
            deciding.approve(pk, by=person(request), words=words, version=version)
            messages.success(request, _("Approved. The break has begun."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return _back(request)


@require_POST
def board_needed(request: HttpRequest) -> HttpResponse:
    team, needed = _number(request, "team"), request.POST.get("needed", "")
    if team is None:
        raise OutOfReach
    try:
        if not (needed.isascii() and needed.isdigit() and len(needed) < 6):
            raise Refused("no_number", _("Write how many as a whole number, as in 4."))
        statuses.set_needed(team, int(needed), by=person(request), reason=str(_("board")))
        messages.success(request, _("From now on %(count)d have to stay ready.") % {"count": int(needed)})
    except Refused as refusal:
        messages.error(request, str(refusal))
    return _back(request)


def _told(request: HttpRequest) -> dict[str, Any]:
    if not holds(request, SEES):
        raise PermissionDenied
    team = request.GET.get("team", "")
    wished = int(team) if team.isascii() and team.isdigit() and len(team) < 10 else None
    page = request.GET.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 1
    told = board_of(person(request), timezone.now(), wished, number)
    if wished is not None and not told.teams:
        raise Http404
    return {"board": told, "team": wished, "narrowed": f"?team={wished}" if wished is not None else f"?page={number}"}


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.POST.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and int(text) < MOST else None


def _back(request: HttpRequest) -> HttpResponse:
    narrowed = request.POST.get("narrowed", "")
    is_ours = narrowed.startswith(("?team=", "?page=")) and narrowed.partition("=")[2].isdigit()
    return redirect(reverse("board") + (narrowed if is_ours else ""))


urlpatterns = [
    path("", site.admin_view(board), name="board"),
    path("now/", site.admin_view(board_now), name="board_now"),
    path("decide/", site.admin_view(board_decide), name="board_decide"),
    path("needed/", site.admin_view(board_needed), name="board_needed"),
]
