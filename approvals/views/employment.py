"""An agent's own page to ask for another role or another home team. Employment itself is asked for by leads and HR."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from approvals.services import employment
from approvals.services.employment import MOVE, ROLE
from approvals.views.own import own
from teams.edges.scope import person
from teams.errors import Refused
from teams.models import Agent

WISHES = ((ROLE, gettext_lazy("Another role")), (MOVE, gettext_lazy("Another home team")))


class ChangeForm(forms.Form):
    """One of two wishes; the field that belongs to the other one is passed over."""

    action = forms.ChoiceField(label=gettext_lazy("What"), choices=WISHES)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=[("", "—"), *Agent.Role.choices], required=False)
    team = forms.CharField(
        label=gettext_lazy("Team"), max_length=40, required=False,
        help_text=gettext_lazy("For another home team: its code. Your lead knows it."),
    )  # fmt: skip
    on = forms.DateField(
        label=gettext_lazy("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("For another home team, on your own calendar. Empty: from the day it is decided."),
    )  # fmt: skip
    words = forms.CharField(label=gettext_lazy("Why"), max_length=300, widget=forms.Textarea(attrs={"rows": 3}))

    def clean(self) -> dict[str, Any]:
        wish = super().clean() or self.cleaned_data
        needed = {ROLE: "role", MOVE: "team"}.get(wish.get("action", ""), "")
        if needed and needed not in self.errors and not wish.get(needed, "").strip():
            self.add_error(needed, _("This is needed here."))
        return wish

    def wish(self) -> dict[str, Any]:
        """What is asked, as `employment.ask_employment` takes it."""
        told = self.cleaned_data
        is_move = told["action"] == MOVE
        value = told["team"].strip() if is_move else told["role"]
        return {"action": told["action"], "value": value, "on": told["on"] if is_move else None, "words": told["words"]}


@require_http_methods(["GET", "HEAD", "POST"])
@own
def my_employment(request: HttpRequest, agent: Agent) -> HttpResponse:
    form = ChangeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            asked = employment.ask_employment(agent.pk, by=person(request), **form.wish())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Your wish has been handed in. Somebody else decides it."))
            return redirect("my_request", asked.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "me/employment.html", {"form": form, "agent": agent}, status=status)


urlpatterns = [path("employment/", my_employment, name="my_employment")]
