"""One's own months: a list, one month line by line, and the same as a file to print."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from incentives.printing import statement_file
from incentives.reports.months import month_page, own_months
from incentives.views.own import own_entries, own_lines, shows_money, wished_month
from performance.views.mine import own_page
from teams.clock import local_day
from teams.errors import Refused
from teams.models import Agent

MONTHS_PER_PAGE = 12


@own_page
def my_statements(request: HttpRequest, agent: Agent) -> HttpResponse:
    months = own_months(agent, own_entries(request), own_lines(request))
    found = Paginator(months, MONTHS_PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request, "me/incentives_months.html", {"months": found, "agent": agent, "shows_money": shows_money(request)}
    )


@own_page
def my_statement(request: HttpRequest, agent: Agent) -> HttpResponse:
    today = local_day(timezone.now(), agent.zone)
    month = wished_month(request, today)
    page = month_page(agent, month, own_entries(request), own_lines(request))
    return render(
        request,
        "me/incentives_month.html",
        {"page": page, "month": month, "today": today, "agent": agent, "shows_money": shows_money(request)},
    )


@own_page
def my_statement_pdf(request: HttpRequest, agent: Agent) -> HttpResponse:
    if not shows_money(request):
        raise Refused("not_yours", _("Statements are printed by the person they are about. Stop looking as them."))
    month = wished_month(request, local_day(timezone.now(), agent.zone))
    page = month_page(agent, month, own_entries(request), own_lines(request))
    answer = HttpResponse(statement_file(page, timezone.localtime()), content_type="application/pdf")
    answer.headers["Content-Disposition"] = f'inline; filename="{agent.number}-{month.first:%Y-%m}.pdf"'
    return answer
