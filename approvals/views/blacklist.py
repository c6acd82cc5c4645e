"""An agent's page of the blacklist: ask to block somebody, see what became of it, ask whether a customer is blocked.

No list of entries stands here: an agent learns of one by asking about a customer who is in front of them. Both forms are
sent by POST, so that no address holds what was typed.
"""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from approvals.models import ApprovalRequest, BlockEntry
from approvals.services import blacklist
from approvals.services.blacklist.kind import ACTIONS, DEFAULT_TERM, NAME, TERMS
from approvals.services.blacklist.places import teams_of
from approvals.views.own import own
from teams.errors import Refused
from teams.models import Agent, Team

SHOWN = 20


class SubjectForm(forms.Form):
    subject_kind = forms.ChoiceField(label=_("kind of subject"), choices=BlockEntry.Kind.choices)
    subject = forms.CharField(
        label=_("customer"), max_length=254, help_text=_("It is kept as a hash and a mask only."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    country = forms.RegexField(
        r"^[A-Za-z]{2}$", label=_("country"), required=False, max_length=2,
        help_text=_("Two letters, for a number without +. Empty: where the team is."),
        error_messages={"invalid": _("Write two letters, as in CN or GB.")},
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.label = capfirst(field.label)


class CheckForm(SubjectForm):
    channel = forms.ChoiceField(
        label=_("channel"), required=False, choices=[("", _("all")), *BlockEntry.Channel.choices]
    )


class AskForm(SubjectForm):
    team = forms.ModelChoiceField(label=_("team"), queryset=Team.objects.none(), empty_label=None)
    reason_code = forms.ChoiceField(label=_("reason"), choices=BlockEntry.Reason.choices)
    evidence = forms.CharField(
        label=_("evidence"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A link or what happened. The customer in it is masked."),
    )  # fmt: skip
    effect = forms.ChoiceField(label=_("effect"), choices=BlockEntry.Effect.choices, initial=BlockEntry.Effect.BLOCK)
    term = forms.ChoiceField(
        label=_("term"), choices=[(name, title) for name, title in TERMS if name != "custom"], initial=DEFAULT_TERM
    )
    severity = forms.TypedChoiceField(
        label=_("severity"), choices=BlockEntry.Severity.choices, initial=BlockEntry.Severity.MEDIUM, coerce=int
    )
    field_order = (
        "team",
        "subject_kind",
        "subject",
        "country",
        "reason_code",
        "evidence",
        "severity",
        "effect",
        "term",
    )

    def __init__(self, *args: Any, agent: Agent, **kwargs: Any) -> None:
        super().__init__(*args, initial={"team": agent.team_id}, **kwargs)
        own: Any = self.fields["team"]
        own.queryset = teams_of(agent.user).filter(is_closed=False).order_by("name")


@never_cache
@require_safe
@own
def my_blacklist(request: HttpRequest, agent: Agent) -> HttpResponse:
    return _page(request, agent)


@never_cache
@require_POST
@own
def ask_to_block(request: HttpRequest, agent: Agent) -> HttpResponse:
    form = AskForm(request.POST, agent=agent, prefix="ask")
    if form.is_valid():
        wish = {**form.cleaned_data, "team": form.cleaned_data["team"].pk}
        try:
            asked = blacklist.ask(by=request.user, **wish)  # type: ignore[arg-type]
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("Asked: %(subject)s. Your lead decides.") % {"subject": asked.subject_label})
            return redirect("my_blacklist")
    return _page(request, agent, ask=form, status=422)


@never_cache
@require_POST
@own
def check_customer(request: HttpRequest, agent: Agent) -> HttpResponse:
    form = CheckForm(request.POST, prefix="check")
    if not form.is_valid():
        return _page(request, agent, check=form, status=422)
    wish = form.cleaned_data
    asked = blacklist.Asked(wish["subject_kind"], wish["subject"], wish["country"])
    (answer,) = blacklist.check([asked], by=request.user, channel=wish["channel"])  # type: ignore[arg-type]
    if answer.problem:
        form.add_error("subject", answer.problem)
        return _page(request, agent, check=form, status=422)
    return _page(request, agent, answer=answer)


def _page(request: HttpRequest, agent: Agent, *, status: int = 200, answer: Any = None, **forms_: Any) -> HttpResponse:
    rows = ApprovalRequest.objects.about(request.user).filter(kind=NAME).order_by("-made_at", "-pk")[:SHOWN]
    actions = dict(ACTIONS)
    context = {
        "agent": agent,
        "ask": forms_.get("ask") or AskForm(agent=agent, prefix="ask"),
        "check": forms_.get("check") or CheckForm(prefix="check"),
        "answer": answer,
        "effect": BlockEntry.Effect(answer.effect).label if answer and answer.effect else "",
        "reason": BlockEntry.Reason(answer.reason).label if answer and answer.reason else "",
        "requests": [(row, actions.get(row.content.get("action"), "")) for row in rows],
    }
    return render(request, "me/blacklist.html", context, status=status)


urlpatterns = [
    path("", my_blacklist, name="my_blacklist"),
    path("ask/", ask_to_block, name="my_blacklist_ask"),
    path("check/", check_customer, name="my_blacklist_check"),
]
