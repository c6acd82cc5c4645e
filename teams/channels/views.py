"""The page of one's own channels. Each button is one verb; a refusal stands at the top of the same page."""

from collections.abc import Callable
from datetime import time
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_time
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from teams.channels import page
from teams.errors import Refused
from teams.services import channels

MOST_BOXES = 500


@require_http_methods(["GET", "POST"])
def notices(request: HttpRequest) -> HttpResponse:
    """Which notices come by which way, and the quiet hours."""
    if request.method == "POST":
        return _do(request, partial(_settle, request), _("Saved."))
    return _shown(request)


@require_POST
def add_robot(request: HttpRequest) -> HttpResponse:
    given = {name: request.POST.get(name, "") for name in ("kind", "address", "secret")}
    done = _("The robot has been added. Test it to see that a message arrives.")
    return _do(request, lambda by: channels.add_robot(**given, by=by), done)


@require_POST
def remove_robot(request: HttpRequest, pk: int) -> HttpResponse:
    return _do(request, lambda by: channels.remove_robot(pk, by=by), _("The robot has been removed."))


@require_POST
def try_channel(request: HttpRequest) -> HttpResponse:
    done = _("A test is on its way. Within two minutes this page shows what became of it.")
    return _do(request, lambda by: channels.try_channel(request.POST.get("way", "") or "mail", by=by), done)


def _do(request: HttpRequest, verb: Callable[[Any], Any], done: str) -> HttpResponse:
    try:
        verb(request.user)
    except Refused as refusal:
        return _shown(request, str(refusal))
    messages.success(request, done)
    return redirect("notices")


def _settle(request: HttpRequest, by: Any) -> None:
    wanted: dict[str, set[str]] = {}
    for box in request.POST.getlist("wanted")[:MOST_BOXES]:
        way, _mark, kind = box.partition("|")
        wanted.setdefault(way, set()).add(kind)
    channels.settle(wanted, _clock(request, "begins"), _clock(request, "ends"), by=by)


def _clock(request: HttpRequest, name: str) -> time | None:
    """A time of day as in 22:30, or None if left empty. Raises Refused."""
    text = request.POST.get(name, "").strip()
    try:
        found = parse_time(text) if text else None
    except ValueError:
        found = None
    if text and (found is None or found.tzinfo is not None):
        raise Refused("not_a_time", _("Write the quiet hours as in 22:30."))
    return found


def _shown(request: HttpRequest, error: str = "") -> HttpResponse:
    context = {
        "page": page.channels_of(request.user),  # type: ignore[arg-type]
        "error": error,
        "wish": request.POST,
    }
    return render(request, "registration/notices.html", context, status=400 if error else 200)
