"""One's own requests: what one asked for, what is asked about one, and what waits for one's word.

For everybody with an account. An approver without staff rights, named by a policy, decides here; so the page of a request has
the same verbs as that of the admin.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from approvals import kinds, verbs
from approvals.forms.payloads import PayloadForm, initial, payload_form
from approvals.models import ApprovalRequest
from approvals.reports.requests import request_page
from approvals.services import requests
from teams.edges.scope import person
from teams.edges.verbs import VerbForm
from teams.errors import OutOfReach, Refused
from teams.models import Agent

PER_PAGE = 25
get_or_post = require_http_methods(["GET", "HEAD", "POST"])
View = Callable[..., HttpResponse]


def on_own_clock(view: View) -> View:
    """Times in the zone of the agent, where the reader is one; else as the account says."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        zone = Agent.objects.about(request.user).values_list("zone", flat=True).first()
        with timezone.override(ZoneInfo(zone) if zone else timezone.get_current_timezone()):
            return view(request, *args, **kwargs)

    return page


@require_safe
@on_own_clock
def my_requests(request: HttpRequest) -> HttpResponse:
    by = person(request)
    show = "all" if request.GET.get("show") == "all" else "open"
    rows = ApprovalRequest.objects.about(by)
    if show == "open":
        rows = rows.unsettled()
    rows = rows.select_related("requester").order_by("-made_at", "-pk")
    found = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    waiting = (
        ApprovalRequest.objects.visible_to(by)
        .waiting_for(by)
        .select_related("requester")
        .order_by("submitted_at", "pk")
    )
    titles = dict(kinds.titles())
    is_agent = Agent.objects.about(by).exists()  # the pages on which things are asked for are agents' own
    return render(
        request,
        "me/requests.html",
        {
            "found": found,
            "lines": [(row, titles.get(row.kind, row.kind)) for row in found],
            "waiting": [(row, titles.get(row.kind, row.kind)) for row in waiting[:PER_PAGE]],
            "show": show,
            "kinds": [
                (kind.title, reverse(kind.page) if kind.page and is_agent else "") for kind in kinds.registered()
            ],
        },
    )


@require_safe
@on_own_clock
def my_request(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _row(request, pk))


@get_or_post
@on_own_clock
def my_request_verb(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """The page with a verb's form open; POST runs it."""
    row = _row(request, pk)
    verb = next((each for each in verbs.VERBS if each.slug == slug and each.may(request, row)), None)
    if verb is None:
        raise Http404
    if request.method != "POST":
        return _page(request, row, opened=slug)
    try:
        refused = verbs.tried(verb, row, request)
    except OutOfReach as error:
        raise Http404 from error
    if refused is not None:
        return _page(request, _row(request, pk), opened=slug, refused=refused)
    messages.success(request, verb.done)
    is_seen = ApprovalRequest.objects.visible_to(request.user).filter(pk=pk).exists()
    return HttpResponseRedirect(reverse("my_request", args=[pk]) if is_seen else reverse("my_requests"))


@get_or_post
@on_own_clock
def my_request_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is asked, by a form made from the kind's payload. What was decided so far is void."""
    row, by = _row(request, pk), person(request)
    try:
        requests.may_edit(row, by)
        kind = kinds.kind_of(row.kind)
    except (OutOfReach, LookupError) as error:
        raise Http404 from error
    except Refused as refusal:
        messages.error(request, str(refusal.message))
        return HttpResponseRedirect(reverse("my_request", args=[pk]))
    form_class = payload_form(kind)
    if request.method == "POST":
        form: PayloadForm = form_class(request.POST.copy(), user=by, kind=kind, kept=row.content)
        if form.is_valid() and _edited(form, row, by):
            messages.success(
                request, _("Your change is handed in.") if row.state != "draft" else _("The draft is kept.")
            )
            return HttpResponseRedirect(reverse("my_request", args=[pk]))
        row = _row(request, pk)
        form.data["version"] = str(row.version)  # type: ignore[index]
    else:
        values = initial(kind, row.content) | {"version": row.version, "words": row.words}
        form = form_class(None, user=by, kind=kind, kept=row.content, initial=values)
    return render(
        request,
        "me/request_edit.html",
        {"form": form, "row": row, "kind": kind.title, "page": request_page(row, by, timezone.now())},
    )


def _edited(form: PayloadForm, row: ApprovalRequest, by: Any) -> bool:
    wish = form.cleaned_data
    try:
        requests.edit(row.pk, form.content(), by=by, words=wish["words"], version=wish["version"])
    except Refused as refusal:
        if not form.complain(refusal.details.get("fields")):
            form.add_error(None, str(refusal.message))
        return False
    except OutOfReach as error:
        raise Http404 from error
    return True


def _row(request: HttpRequest, pk: int) -> ApprovalRequest:
    row = ApprovalRequest.objects.visible_to(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    return cast(ApprovalRequest, row)


def _page(
    request: HttpRequest, row: ApprovalRequest, opened: str = "", refused: VerbForm | None = None
) -> HttpResponse:
    told = request_page(row, person(request), timezone.now())
    context = {
        "page": told,
        "row": row,
        "opened": opened,
        "refused": refused,
        "forms": [
            (verb, form, reverse("my_request_verb", args=[row.pk, verb.slug]))
            for verb, form in verbs.forms_of(row, person(request), told.may, opened, refused)
        ],
    }
    return render(request, "me/request.html", context)


urlpatterns = [
    path("requests/", my_requests, name="my_requests"),
    path("requests/<int:pk>/", my_request, name="my_request"),
    path("requests/<int:pk>/edit/", my_request_edit, name="my_request_edit"),
    path("requests/<int:pk>/<slug:slug>/", my_request_verb, name="my_request_verb"),
]
