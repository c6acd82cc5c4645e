"""An agent's own pages. Whose page it is comes from the log-in; no address names a person."""

from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import prefetch_related_objects
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from performance.models import Contact, Leg
from performance.reports import behind, mine, record
from teams.acting import system_scope
from teams.clock import local_day
from teams.edges.scope import person
from teams.models import Agent

CONTACTS_PER_PAGE = 50
NAMES_BESIDE_ONES_OWN = (
    "one's own contact is told whole: its queue and source, and the parts others had, without their names"
)

OwnPage = Callable[..., HttpResponse]


def own_page(view: OwnPage) -> Callable[..., HttpResponse]:
    """Hand the view the agent who asks, with times in the agent's own zone; to everybody else say whose page it is."""

    @require_safe
    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        agent = Agent.objects.about(request.user).select_related("team").first()
        if agent is None:
            return render(request, "me/no_agent.html", status=403)
        agent.user = person(request)  # and so the account knows its agent: the menu asks for it
        with timezone.override(ZoneInfo(agent.zone)):
            return view(request, agent, *args, **kwargs)

    return page


@own_page
def my_day(request: HttpRequest, agent: Agent) -> HttpResponse:
    today = local_day(timezone.now(), agent.zone)
    day = wished_day(request, today) or today
    page = mine.agent_day(agent.days.all(), agent, day, today)
    return render(request, "me/day.html", {"page": page, "agent": agent})


@own_page
def my_days(request: HttpRequest, agent: Agent) -> HttpResponse:
    today = local_day(timezone.now(), agent.zone)
    page = mine.agent_days(agent.days.all(), agent, today, wished_page(request))
    return render(request, "me/days.html", {"page": page, "agent": agent})


@own_page
def my_contacts(request: HttpRequest, agent: Agent) -> HttpResponse:
    today = local_day(timezone.now(), agent.zone)
    day = wished_day(request, today) or today
    figure, part = request.GET.get("figure", ""), request.GET.get("part", "")
    rows = Contact.objects.about(request.user).filter(day=day).order_by("opened_at", "id")
    condition = behind.rows_of(figure, part) if figure else None
    if figure and condition is None:
        messages.error(
            request, _("No figure is called %(name)s; all contacts of the day are shown.") % {"name": figure[:40]}
        )
        figure = ""
    if condition is not None:
        rows = rows.filter(condition)
    contacts = Paginator(rows, CONTACTS_PER_PAGE).get_page(request.GET.get("page"))
    contacts.object_list = list(contacts.object_list)
    with system_scope(NAMES_BESIDE_ONES_OWN):
        prefetch_related_objects(contacts.object_list, "queue")
    return render(
        request,
        "me/contacts.html",
        {
            "contacts": contacts,
            "day": day,
            "today": today,
            "figure": figure,
            "part": part,
            "label": behind.label_of(figure, part),
            "agent": agent,
        },
    )


@own_page
def my_contact(request: HttpRequest, agent: Agent, pk: int) -> HttpResponse:
    contact = Contact.objects.about(request.user).filter(pk=pk).first()
    if contact is None:
        raise Http404
    with system_scope(NAMES_BESIDE_ONES_OWN):
        prefetch_related_objects([contact], "queue", "source")
        legs = list(Leg.objects.filter(source=contact.source_id, contact_external=contact.external_id))
    lines = [{"leg": leg, "is_own": leg.agent_id == agent.pk} for leg in legs]
    return render(request, "me/contact.html", {"contact": contact, "legs": lines, "agent": agent})


@own_page
def my_record(request: HttpRequest, agent: Agent) -> HttpResponse:
    page = record.own_record(agent, request.user, request.GET.get("page"))  # type: ignore[arg-type]
    return render(request, "me/record.html", {"page": page, "agent": agent})


def wished_day(request: HttpRequest, today: date) -> date | None:
    """The day named in the address, or None; what is no day, or not yet one, is said and passed over."""
    wish = request.GET.get("day", "")
    if not wish:
        return None
    try:
        day = datetime.strptime(wish, "%Y-%m-%d").date()  # noqa: DTZ007 - a civil date without a zone
    except ValueError:
        messages.error(request, _("%(wish)s is not a day; write it as in 2026-11-20.") % {"wish": wish[:40]})
        return None
    if day > today:
        messages.error(request, _("%(wish)s has not come yet; today is shown.") % {"wish": wish})
        return None
    return day


def wished_page(request: HttpRequest) -> int:
    """The page number in the address; anything else is the first."""
    wish = request.GET.get("page", "1")
    return int(wish) if wish.isascii() and wish.isdigit() and 1 <= int(wish) <= 1000 else 1
