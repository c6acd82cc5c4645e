"""Whose page it is comes from the log-in; no address names a person."""

from collections.abc import Callable
from functools import wraps
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from teams.models import Agent

Page = Callable[..., HttpResponse]


def own(view: Page) -> Page:
    """Hand the view the agent who asks, with times in the agent's own zone; to everybody else say whose pages these are."""

    @wraps(view)
    def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        agent = Agent.objects.about(request.user).select_related("team", "user").first()
        if agent is None:
            return render(request, "me/no_agent.html", status=403)
        with timezone.override(ZoneInfo(agent.zone)):
            return view(request, agent, *args, **kwargs)

    return page
