"""An agent's own status: the page, its moving part, the buttons, the line of a day, and asking for a correction."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.models import Base, StatusReason
from approvals.models.statuses import words_of
from approvals.reports import statuses as reports
from approvals.services import requests, statuses
from approvals.services.statuses.choosing import BY_PEOPLE
from approvals.views.own import own
from teams.clock import local_day
from teams.edges.scope import person
from teams.errors import Refused
from teams.models import Agent

WRITTEN = "%Y-%m-%dT%H:%M"


@never_cache
@require_safe
@own
def my_status(request: HttpRequest, agent: Agent) -> HttpResponse:
    return render(request, "me/status.html", {"page": reports.my_status(agent, timezone.now()), "agent": agent})


@never_cache
@require_safe
@own
def my_status_now(request: HttpRequest, agent: Agent) -> HttpResponse:
    """The moving part, asked for every few seconds."""
    return render(request, "me/status_now.html", {"page": reports.my_status(agent, timezone.now()), "agent": agent})


@require_POST
@own
def my_status_set(request: HttpRequest, agent: Agent) -> HttpResponse:
    minutes = request.POST.get("minutes", "").strip()
    try:
        if minutes and not (minutes.isascii() and minutes.isdigit() and 1 <= len(minutes) <= 4):
            raise Refused("no_minutes", _("Write the minutes as a whole number, as in 15."))
        statuses.set_status(
            agent.pk, request.POST.get("base", ""), by=person(request),
            reason=request.POST.get("reason", "")[:40].replace("\x00", ""), minutes=int(minutes) if minutes else None,
        )  # fmt: skip
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("my_status")


@require_POST
@own
def my_status_leave(request: HttpRequest, agent: Agent) -> HttpResponse:
    """Out of the queue: for whoever asked."""
    waiting = reports.waiting_of(agent, timezone.now())
    try:
        if waiting is not None:
            requests.withdraw(waiting.pk, by=person(request))
            messages.success(request, _("You have left the queue."))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("my_status")


@require_safe
@own
def my_status_line(request: HttpRequest, agent: Agent) -> HttpResponse:
    now = timezone.now()
    today = local_day(now, agent.zone)
    day = _wished_day(request, today) or today
    return render(
        request, "me/status_line.html", {"page": reports.my_line(agent, day, now), "today": today, "agent": agent}
    )


def _wished_day(request: HttpRequest, today: date) -> date | None:
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
    return day if day.year >= 2000 else None


# -- corrections -----------------------------------------------------------------------------------------------------------


class MomentInput(forms.DateTimeInput):
    input_type = "datetime-local"


def status_choices() -> list[tuple[str, str]]:
    """Every status that a correction may name, with its reason: “break:rest” and its words."""
    plain = [(f"{base}:", str(base.label)) for base in BY_PEOPLE if base not in (Base.BREAK, Base.NOT_READY)]
    reasons = StatusReason.objects.filter(is_active=True, is_system=False).order_by("base", "code")
    return plain + [(f"{each.base}:{each.code}", words_of(each.base, each)) for each in reasons]


class CorrectionForm(forms.Form):
    since = forms.DateTimeField(
        label=gettext_lazy("From"), input_formats=[WRITTEN, f"{WRITTEN}:%S"], widget=MomentInput(format=WRITTEN)
    )
    until = forms.DateTimeField(
        label=gettext_lazy("Until"), input_formats=[WRITTEN, f"{WRITTEN}:%S"], widget=MomentInput(format=WRITTEN)
    )
    status = forms.ChoiceField(label=gettext_lazy("What you did"))
    words = forms.CharField(
        label=gettext_lazy("Why"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Whoever decides it was not there. Say what happened."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["status"].choices = status_choices()  # type: ignore[attr-defined]


@require_http_methods(["GET", "HEAD", "POST"])
@own
def my_status_correct(request: HttpRequest, agent: Agent) -> HttpResponse:
    form = CorrectionForm(request.POST or None, initial=_initial(request))
    if request.method == "POST":
        form = CorrectionForm(request.POST)
        if form.is_valid():
            told = form.cleaned_data
            base, _colon, reason = told["status"].partition(":")
            try:
                statuses.ask_correction(
                    agent.pk, told["since"], told["until"], base, reason, by=person(request), words=told["words"]
                )
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Your correction has been handed in. Somebody else decides it."))
                return redirect("my_status")
    return render(request, "me/status_correct.html", {"form": form, "agent": agent})


def _initial(request: HttpRequest) -> dict[str, str]:
    """Times named in the address, as the fields write them; anything else is left out."""
    found = {}
    for name in ("since", "until"):
        wish = request.GET.get(name, "")
        try:
            found[name] = datetime.strptime(wish, WRITTEN).strftime(WRITTEN)  # noqa: DTZ007 - the agent's own clock
        except ValueError:
            continue
    return found


urlpatterns = [
    path("status/", my_status, name="my_status"),
    path("status/now/", my_status_now, name="my_status_now"),
    path("status/set/", my_status_set, name="my_status_set"),
    path("status/leave-queue/", my_status_leave, name="my_status_leave"),
    path("status/line/", my_status_line, name="my_status_line"),
    path("status/correct/", my_status_correct, name="my_status_correct"),
]
