"""Pages of the nightly reports, inside the admin: the report, two days side by side, the file."""

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from performance.models import NightlyReport
from performance.reports import nightly
from teams import audit
from teams.edges.admin import site
from teams.edges.exports import as_file
from teams.edges.scope import person
from teams.edges.sight import may_know
from teams.errors import OutOfReach, Refused
from teams.models import AccessRecord, Agent

COLUMNS = (
    gettext_lazy("Team"), gettext_lazy("Day"), gettext_lazy("Revision"), gettext_lazy("Figure"), gettext_lazy("Value"),
    gettext_lazy("Unit"), gettext_lazy("Numerator"), gettext_lazy("Denominator"), gettext_lazy("Target"),
    gettext_lazy("Attainment"),
)  # fmt: skip


def report(request: HttpRequest, pk: str) -> HttpResponse:
    """One report as it was sent. Where later facts revised it, what changed stands above, and the old one stays."""
    row = _readable(request, pk)
    page = nightly.page(row, person(request))
    revisions = list(_all(request).filter(team=row.team_id, day=row.day).order_by("revision"))
    earlier = next((each for each in reversed(revisions) if each.revision < row.revision), None)
    changed = (
        [each for each in nightly.differences(nightly.page(earlier, person(request)), page) if not each.is_same]
        if earlier
        else []
    )
    named = [each.agent_pk for each in (*page.good, *page.trouble) if each.agent_pk]
    for agent in Agent.objects.filter(pk__in=named):
        audit.record_look(agent, person(request), AccessRecord.Door.REPORT)
    near = _all(request).filter(team=row.team_id)
    return _render(
        request,
        "performance/nightly/report.html",
        title=_("%(team)s, %(day)s") % {"team": page.team, "day": row.day.isoformat()},
        page=page,
        revisions=revisions,
        earlier=earlier,
        changed=changed,
        is_latest=row.revision == revisions[-1].revision,
        before=near.filter(day__lt=row.day).order_by("-day", "-revision").first(),
        after=near.filter(day__gt=row.day).order_by("day", "-revision").first(),
        lines=_linked(request, page),
        may_know=may_know(request.user, row),
    )


def compare(request: HttpRequest) -> HttpResponse:
    """Two days of one team side by side, the newest revision of each. A day without a report says so."""
    team, left_day, right_day = (request.GET.get(name, "") for name in ("team", "left", "right"))
    left, right = (_of_day(request, team, day) for day in (left_day, right_day))
    both = nightly.pages([each for each in (left, right) if each], person(request))
    return _render(
        request,
        "performance/nightly/compare.html",
        title=_("Two days side by side"),
        left=left,
        right=right,
        left_day=left_day,
        right_day=right_day,
        team=team,
        teams=_all(request).order_by("team__name").values_list("team", "team__name").distinct(),
        rows=nightly.differences(*both) if left and right else [],
        pages=both,
    )


def export(request: HttpRequest, pk: str, kind: str) -> HttpResponseBase:
    row = _readable(request, pk)
    page = nightly.page(row, person(request))
    name = f"report-{row.team.code}-{row.day.isoformat()}-r{row.revision}"
    return as_file(kind, name, COLUMNS, nightly.table(page))


def _all(request: HttpRequest) -> Any:
    return NightlyReport.objects.visible_to(request.user).select_related("team")


def _readable(request: HttpRequest, pk: str) -> NightlyReport:
    row = _all(request).filter(pk=int(pk)).first() if pk.isascii() and pk.isdigit() and len(pk) < 19 else None
    if row is None:
        raise OutOfReach
    return row


def _of_day(request: HttpRequest, team: str, day: str) -> NightlyReport | None:
    """The newest revision, or None while nothing is chosen or there is none; another team's is out of reach."""
    if not team or not day:
        return None
    try:
        on = date.fromisoformat(day)
    except ValueError as error:
        raise Refused("not_a_day", _("This is not a day; write it as in 2026-03-31.")) from error
    reports = _all(request).filter(team=int(team)) if team.isascii() and team.isdigit() and len(team) < 19 else None
    if reports is None or not reports.exists():
        raise OutOfReach
    return reports.filter(day=on).order_by("-revision").first()


def _linked(request: HttpRequest, page: nightly.Page) -> list[tuple[nightly.Line, str]]:
    """The teams below with the way to their own report of that day, as far as there is one in reach."""
    own = _all(request).filter(team__in=[line.team_pk for line in page.lines], day=page.report.day)
    ways = {
        row.team_id: reverse("admin:performance_nightlyreport_change", args=[row.pk])
        for row in own.order_by("revision")
    }
    return [(line, ways.get(line.team_pk, "")) for line in page.lines]


def _render(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return render(request, template, {**site.each_context(request), **context})
