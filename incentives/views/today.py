"""What today earns, as far as it is, and the terms by which; and that one has read them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from approvals.views.own import own
from incentives import services
from incentives.models import Acknowledgement
from incentives.reports.progress import MOST_MORE, Progress, progress, what_if
from incentives.views.own import own_lines, shows_money
from incentives.words import in_words, money
from performance.views.mine import own_page, wished_day
from teams.clock import local_day
from teams.edges.scope import person
from teams.models import Agent


@own_page
def my_incentives(request: HttpRequest, agent: Agent) -> HttpResponse:
    today = local_day(timezone.now(), agent.zone)
    day = wished_day(request, today) or today
    found = progress(agent, day)
    context = {"agent": agent, "day": day, "today": today, "found": found, "shows_money": shows_money(request)}
    if found is not None:
        context |= {
            "terms": in_words(found.terms),
            "is_read": Acknowledgement.objects.about(request.user).filter(version=found.version).exists(),
            "line": own_lines(request).filter(version=found.version, begins=found.span.first).first(),
            "more": request.GET.get("more", ""),
            "what_if": _what_if(request, found) if shows_money(request) else "",
        }
    return render(request, "me/incentives.html", context)


def _what_if(request: HttpRequest, found: Progress) -> str:
    """The answer to "how much with so many more?"; nothing where nobody asked, or nothing can be told."""
    wish = request.GET.get("more", "").strip()
    if not wish:
        return ""
    if not (wish.isascii() and wish.isdigit() and int(wish[:6]) <= MOST_MORE):
        messages.error(request, _("Write how many more as a whole number, up to 10,000."))
        return ""
    then = what_if(found, int(wish[:6]))
    if then is None:
        return ""
    told = {"more": int(wish[:6]), "amount": money(then.amount), "currency": found.terms.currency}
    if then.withheld:
        return _("With %(more)d more it is %(amount)s %(currency)s, and %(withheld)s more once the data is final.") % {
            **told, "withheld": money(then.withheld),
        }  # fmt: skip
    return _("With %(more)d more it is %(amount)s %(currency)s.") % told


@require_POST
@own
def my_plan_read(request: HttpRequest, agent: Agent, pk: int) -> HttpResponse:
    services.acknowledge(pk, by=person(request))
    messages.success(request, _("Noted: you have read the plan."))
    return redirect("my_incentives")
