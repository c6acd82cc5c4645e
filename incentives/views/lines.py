"""One of one's own lines: how it came about, the contacts behind it, and the way to dispute it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from approvals import kinds
from approvals.forms.payloads import PayloadForm, payload_form
from approvals.models import ApprovalRequest
from approvals.querysets.requests import OPEN
from approvals.views.own import own
from incentives.kinds.disputes import COUNTS, NAME, closes_on, dispute
from incentives.models import Attainment, Correction
from incentives.reports.behind import behind, corrected
from incentives.reports.statements import Detail, detail
from incentives.views.own import own_entries, own_lines, shows_money
from incentives.words import LACKS
from performance.views.mine import own_page
from teams.clock import local_day
from teams.edges.scope import person
from teams.errors import Refused
from teams.models import Agent

MOST_DISPUTES = 20


@own_page
def my_line(request: HttpRequest, agent: Agent, pk: int) -> HttpResponse:
    line = _own_line(request, pk)
    found = detail(line, own_entries(request), with_money=shows_money(request))
    disputes = ApprovalRequest.objects.about(request.user).filter(kind=NAME, subject_key=f"line:{line.pk}")
    rows = list(disputes.order_by("-made_at", "-pk")[:MOST_DISPUTES])
    return render(
        request,
        "me/incentives_line.html",
        {
            "agent": agent,
            "found": found,
            "line": line,
            "month": line.ends,
            "shows_money": shows_money(request),
            "behind": behind(line, agent.days.all()),
            "lack": str(LACKS[line.lack]) if line.lack else "",
            "corrected": corrected(line, Correction.objects.about(request.user)),
            "disputes": rows,
            "open": next((row for row in rows if row.state in OPEN), None),
            **_until(found, agent),
        },
    )


def _until(found: Detail, agent: Agent) -> dict[str, Any]:
    """Until when the line may be disputed, and whether that is still so."""
    found.attainment.version = found.version
    last = closes_on(found.attainment)
    return {"disputable_until": last, "is_disputable": local_day(timezone.now(), agent.zone) <= last}


def _own_line(request: HttpRequest, pk: int) -> Attainment:
    line = own_lines(request).filter(pk=pk).first()
    if line is None:
        raise Http404
    return line


@require_http_methods(["GET", "HEAD", "POST"])
@own
def my_line_dispute(request: HttpRequest, agent: Agent, pk: int) -> HttpResponse:
    """Say which counts are wrong. Who decides, and in which order, is the policy's."""
    line = _own_line(request, pk)
    form = _form(request, line)
    if form.is_valid():
        wish = {name: value for name, value in form.content().items() if value is not None}
        try:
            asked = dispute(wish.pop("attainment"), by=person(request), **wish)
        except Refused as refusal:
            if not form.complain(refusal.details.get("fields")):
                form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("Your dispute is handed in. Your lead looks at it first, then payroll."))
            return redirect("my_request", asked.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "me/incentives_dispute.html", {"form": form, "line": line, "agent": agent}, status=status)


def _form(request: HttpRequest, line: Attainment) -> PayloadForm:
    """The kind's own fields; a request that is not there yet has no version, and the evidence says why."""
    kind = kinds.kind_of(NAME)
    typed = request.POST if request.method == "POST" else None
    start: dict[str, Any] = {"on": line.begins, **dict.fromkeys(COUNTS, 0)}
    form: PayloadForm = payload_form(kind)(
        typed, user=person(request), kind=kind, kept={"attainment": line.pk}, initial=start
    )
    for name in ("version", "words"):
        del form.fields[name]
    return form
