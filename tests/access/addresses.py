"""What the canary crawl must know about routes: which rows a route is about, and which side doors lists have."""

import re

from django.apps import apps
from django.db import models

# Routes that hold nothing of ours: static files, the set-up of scripts and words; and the way out of the log-in.
SKIPPED = (
    r"^static/",
    r"^admin/jsi18n/",
    r"^admin/<url>",
    r"^admin/(\w+/)+<object_id>/$",
    r"^log-out/",
    r"^admin/logout/",
)

# Route arguments that are not primary keys: the attribute of the row that fills them, or all the values there are.
CODES = {"code": "code"}
VALUES = {
    "kind": ("csv", "xlsx"),
    "label": ("teams.agent",),
    "layout": ("contacts",),
    "app_label": ("teams", "performance", "approvals", "incentives"),
    "key": ("no-such-key",),
    "slug": ("approve", "comment"),
    "token": ("no-such-token",),
}

# Side doors of every admin list, beside the plain list and its filters; and those at which everybody else asks for a team.
AIMED = ("q=qz&o=-1.2", "q={}rosterqz&_facets=True", "q={}figureqz")
SIDE_DOORS = ("q=qz", "q=alpharosterqz&o=-1.2", "q=bravorosterqz&_facets=True", "q=alphafigureqz", "q=bravofigureqz")

# Those whose answer does not hang on who asks but on how: one lead tries them for all.
ODD_DOORS = (
    "all=1", "p=2", "_popup=1", "_to_field=id", "_to_field=token_digest", "e=1", "zone=UTC", "period=90", "period=x_y",
    "agent__name__startswith=a", "team__name__gte=a", "user__password__startswith=a", "compensations__amount__gte=1",
    "agent__compensations__amount__gte=1",
)  # fmt: skip

# Doors of single routes that the address alone does not open.
QUERIES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"^me/contacts/$", ("day={day}", "day={day}&figure=volume", "day={day}&figure=nothing")),
    (r"^me/$", ("day={day}",)),
    (r"^me/days/$", ("page=2",)),
    (r"^me/replies/(suggest/)?$", ("q=alphadetailqz", "q=bravodetailqz", "q=bravosystem&language=pt", "q=")),
    (r"^api/v1/canned-replies/suggest/$", ("q=alphadetailqz", "q=bravodetailqz", "q=bravosystem&limit=50")),
    (r"^admin/approvals/cannedreply/report/$", ("team=1", "team=x")),
    (r"^me/record/$", ("page=2",)),
    (r"^me/requests/$", ("show=all", "page=2")),
    (r"^admin/approvals/approvalrequest/(download/<kind>/)?$", ("show=all", "show=open", "show=all&q=qz")),
    (r"^admin/approvals/approvalpolicy/$", ("versions=all",)),
    (r"^admin/approvals/approvalpolicy/which/$", ("team=1&kind=x",)),
    (r"^api/v1/approval-requests/$", ("mine=true", "waits_for_me=true", "state=in_review")),
    (r"^admin/people/<pk>/$", ("day={day}", "page=2")),
    (r"^admin/search/$", ("s=qz", "s=a&extended=1")),
    (r"^api/v1/[\w-]+/$", ("page_size=500", "sort=-day", "sort=closed", "search=qz", "format=api")),
    (r"^me/status/line/$", ("day={day}",)),
    (r"^me/incentives/$", ("day={day}", "more=5")),
    (r"^me/incentives/month(/|\.pdf)$", ("month={day}", "month=2026-01")),
    (r"^api/v1/me/incentives/$", ("day={day}", "more=5")),
    (r"^admin/board/(now/)?$", ("page=2", "team=1")),
    (r"^find/$", ("q=qz", "q=alpharosterqz", "q=bravorosterqz", "q=bravofigureqz", "q=alphaagent&x=1")),
    (r"^admin/\w+/\w+/download/<kind>/$", ("q=bravorosterqz",)),
    (r"^admin/\w+/\w+/export/<kind>/$", ("q=qz", "q=alpharosterqz", "q=bravorosterqz")),
)

# Routes outside the admin that carry an id: a pattern and the model whose rows are tried.
ABOUT: tuple[tuple[str, str], ...] = (
    (r"me/contacts/", "performance.Contact"),
    (r"me/requests/", "approvals.ApprovalRequest"),
    (r"api/v1/approval-requests/", "approvals.ApprovalRequest"),
    (r"api/v1/approval-policies/", "approvals.ApprovalPolicy"),
    (r"api/v1/approval-absences/", "approvals.ApprovalAbsence"),
    (r"me/replies/files/", "approvals.ReplyAttachment"),
    (r"me/replies/", "approvals.CannedReply"),
    (r"api/v1/canned-replies/", "approvals.CannedReply"),
    (r"api/v1/reply-categories/", "approvals.ReplyCategory"),
    (r"account/notices/", "teams.NoticeChannel"),
    (r"admin/undo/", "teams.UndoOffer"),
    (r"progress/", "teams.JobProgress"),
    (r"account/data/", "teams.DataCopy"),
    (r"admin/people/", "teams.Agent"),
    (r"admin/intake/sources/", "performance.Source"),
    (r"admin/intake/", "performance.ImportRun"),
    (r"api/v1/sources/", "performance.Source"),
    (r"api/v1/teams/", "teams.Team"),
    (r"api/v1/agents/", "teams.Agent"),
    (r"api/v1/compensations/", "teams.Compensation"),
    (r"api/v1/agent-days/", "performance.AgentDay"),
    (r"api/v1/team-days/", "performance.TeamDay"),
    (r"api/v1/half-hours/", "performance.QueueHalfHour"),
    (r"api/v1/contacts/", "performance.Contact"),
    (r"api/v1/reports/", "performance.NightlyReport"),
    (r"api/v1/metrics/", "performance.Target"),
    (r"api/v1/status-spans/", "approvals.StatusSpan"),
    (r"api/v1/blacklist/", "approvals.BlockEntry"),
    (r"me/incentives/read/", "incentives.PlanVersion"),
    (r"me/incentives/lines/", "incentives.Attainment"),
    (r"api/v1/incentive-plans/", "incentives.Plan"),
    (r"api/v1/attainments/", "incentives.Attainment"),
    (r"api/v1/incentive-entries/", "incentives.Entry"),
    (r"api/v1/incentive-runs/", "incentives.Run"),
    (r"api/v1/payout-batches/", "incentives.Batch"),
    (r"api/v1/day-records/", "incentives.DayRecord"),
)

# Filters of the REST lists that take ids: each is asked with an own and a foreign one.
REST_FILTERS = {
    "team": "teams.Team",
    "agent": "teams.Agent",
    "queue": "performance.Queue",
    "category": "approvals.ReplyCategory",
}


def model_of(route: str) -> type[models.Model] | None:
    """The model whose rows a route is about; None if nobody has said."""
    for pattern, label in ABOUT:
        if re.match(pattern, route):
            return apps.get_model(label)
    found = re.match(r"admin/(\w+)/(\w+)/", route)
    if found:
        try:
            return apps.get_model(*found.groups())
        except LookupError:
            return None
    return None
