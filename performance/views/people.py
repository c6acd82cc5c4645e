"""A lead's page of one agent: the figures of the days the agent worked in a team within the lead's reach.

Who has moved on to a team out of reach is not named any more: the days stay readable, the person's today does not.
Every look is written down, and the agent reads it on the own record.
"""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from performance.models import AgentDay
from performance.querysets import FIGURE_READERS
from performance.reports import mine
from performance.views.mine import wished_day, wished_page
from teams import audit
from teams.acting import system_scope
from teams.clock import local_day
from teams.edges.admin import site
from teams.edges.scope import OUT_OF_REACH
from teams.models import AccessRecord, Agent, Team


@require_safe
def agent_figures(request: HttpRequest, pk: int) -> HttpResponse:
    with system_scope("days worked in a team in reach stay readable when the person has left it; the name is not told"):
        agent = Agent.objects.filter(pk=pk).select_related("team").first()
    rows = AgentDay.objects.visible_to(request.user)
    if agent is None or not may_read_figures(request.user, agent, rows):
        raise Http404
    is_known = Agent.objects.visible_to(request.user).filter(pk=pk).exists()
    if not is_known:
        agent.team = None  # in memory only: neither the team of today nor its targets are this reader's to know
    today = local_day(timezone.now(), agent.zone)
    day = wished_day(request, today) or today
    page = mine.agent_days(rows, agent, today, wished_page(request))
    audit.record_look(agent, request.user, AccessRecord.Door.FIGURES)  # type: ignore[arg-type]
    context = site.each_context(request) | {
        "title": agent.name if is_known else OUT_OF_REACH,
        "is_known": is_known,
        "subtitle": _("Figures"),
        "agent": agent,
        "page": page,
        "day": mine.agent_day(rows, agent, day, today),
    }
    return TemplateResponse(request, "admin/agent_figures.html", context)


def may_read_figures(user: Any, agent: Agent, rows: QuerySet[AgentDay]) -> bool:
    """Whether the agent's team of today is within reach, or any day of theirs was worked in a team that is."""
    in_reach = Team.objects.in_reach_of(user, *FIGURE_READERS)
    return in_reach.filter(agents=agent).exists() or rows.filter(agent=agent).exists()
