"""Canned replies on an agent's own pages: search while typing, copy, one's own replies, and proposals about shared ones."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.forms.replies import TEXTS, TextsForm
from approvals.models import CannedReply, Channel, Language, ReplyAttachment, ReplyCategory
from approvals.plain import variables
from approvals.querysets.replies import near
from approvals.services import replies, reply_proposals, reply_uses, suggesting
from approvals.views.own import own
from teams.edges.scope import person
from teams.edges.verbs import DayInput
from teams.errors import OutOfReach, Refused
from teams.models import Agent, Team

OWN_SHOWN, PROPOSALS_SHOWN = 100, 20


# -- search and copy -----------------------------------------------------------------------------------------------------


@require_safe
@own
def my_replies(request: HttpRequest, agent: Agent) -> HttpResponse:
    user = person(request)
    mine = CannedReply.objects.manageable_by(user).select_related("search").order_by("status", "title", "pk")
    return render(
        request,
        "me/replies.html",
        {
            **_found(request, agent), "own": mine[:OWN_SHOWN], "proposals": reply_proposals.of(user)[:PROPOSALS_SHOWN],
            "channels": Channel.choices, "languages": Language.choices, "agent": agent,
        },
    )  # fmt: skip


@require_safe
@own
def my_replies_suggest(request: HttpRequest, agent: Agent) -> HttpResponse:
    """The list alone, for the script that asks while somebody types."""
    return render(request, "me/replies_found.html", _found(request, agent))


def _found(request: HttpRequest, agent: Agent) -> dict[str, Any]:
    wish = {name: request.GET.get(name, "") for name in ("q", "channel", "language")}
    channel = wish["channel"] if wish["channel"] in Channel.values else ""
    language = wish["language"] if wish["language"] in Language.values else ""
    found = suggesting.suggest(wish["q"], by=person(request), channel=channel, language=language)
    known = _known(agent)
    return {
        "found": [(each, variables.filled(each.reply.body, known)) for each in found], "typed": wish["q"][:80],
        "channel": channel, "language": language,
    }  # fmt: skip


def _known(agent: Agent) -> Mapping[str, object]:
    """The variables that are known here; the platform fills in the others."""
    return {
        "agent_name": agent.name, "team_name": agent.team.name if agent.team else "",
        "today": date_format(timezone.localdate()),
    }  # fmt: skip


@require_POST
@own
def my_reply_use(request: HttpRequest, agent: Agent, pk: int) -> HttpResponse:
    """Count that a reply was copied to be sent."""
    try:
        contact = request.POST.get("contact", "").replace("\x00", "").strip()
        counted = reply_uses.use(pk, contact, by=person(request))
        before = (
            _("Copied. This contact had been counted already.")
            if contact
            else _("Copied. It was counted a moment ago.")
        )
        words = _("Copied and counted.") if counted else before
    except OutOfReach as error:
        raise Http404 from error
    except Refused as refusal:
        words = str(refusal.message)
    if request.headers.get("Accept", "").startswith("application/json"):
        return JsonResponse({"words": words})
    messages.info(request, words)
    return redirect("my_replies")


@require_safe
def my_reply_file(request: HttpRequest, pk: int) -> FileResponse:
    """A file of a reply, for whoever sees the reply: always as a download, never shown as a page."""
    row = ReplyAttachment.objects.visible_to(request.user).filter(pk=pk).first()
    if row is None:
        raise Http404
    return FileResponse(row.file.open(), as_attachment=True, filename=row.name, content_type="application/octet-stream")


# -- writing ---------------------------------------------------------------------------------------------------------------


class ReplyPageForm(forms.Form):
    """The texts of a reply on an own page. What they may say is checked as at every door, by `TextsForm`."""

    title = forms.CharField(label=gettext_lazy("title"), max_length=120)
    short_code = forms.CharField(label=gettext_lazy("short code"), max_length=40)
    body = forms.CharField(label=gettext_lazy("text"), max_length=4000, widget=forms.Textarea(attrs={"rows": 7}))
    language = forms.ChoiceField(label=gettext_lazy("language"), choices=Language.choices)
    channel = forms.ChoiceField(label=gettext_lazy("channel"), choices=Channel.choices)
    category = forms.ModelChoiceField(ReplyCategory.objects.none(), label=gettext_lazy("category"), required=False)
    tags = forms.CharField(
        label=gettext_lazy("tags"), max_length=400, required=False, help_text=gettext_lazy("Separate them by commas.")
    )
    valid_from = forms.DateField(label=gettext_lazy("valid from"), required=False, widget=DayInput)
    valid_until = forms.DateField(
        label=gettext_lazy("valid until"), required=False, widget=DayInput, help_text=gettext_lazy("The last day.")
    )
    review_on = forms.DateField(label=gettext_lazy("look at again on"), required=False, widget=DayInput)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["category"].queryset = ReplyCategory.objects.visible_to(user)  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.label = capfirst(field.label)

    def clean(self) -> dict[str, Any]:
        made = super().clean() or {}
        self.texts: Mapping[str, Any] = {}
        if self.errors:
            return made
        tags = [tag.strip() for tag in made["tags"].replace("，", ",").split(",") if tag.strip()]
        category = made["category"].pk if made["category"] else None
        checked = TextsForm(data=replies.plain({**{n: made[n] for n in TEXTS}, "tags": tags, "category": category}))
        if checked.is_valid():
            self.texts = checked.validated_data
        else:
            for name, errors in checked.errors.items():
                self.add_error(name if name in self.fields else None, [str(each) for each in errors])
        return made


class OwnReplyForm(ReplyPageForm):
    is_draft = forms.BooleanField(label=gettext_lazy("keep as a draft: not suggested yet"), required=False)


class ProposalForm(ReplyPageForm):
    file = forms.FileField(
        label=gettext_lazy("attachment"), required=False,
        help_text=gettext_lazy("At most 5 MB. It joins the files that the reply has."),
    )  # fmt: skip
    words = forms.CharField(
        label=gettext_lazy("why"), max_length=500, required=False,
        help_text=gettext_lazy("Read by whoever decides on it."),
    )  # fmt: skip


class NewProposalForm(ProposalForm):
    team = forms.ModelChoiceField(
        Team.objects.none(), label=gettext_lazy("for whom"), required=False, empty_label=gettext_lazy("everybody")
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        self.fields["team"].queryset = Team.objects.filter(pk__in=near(user)).order_by("name")  # type: ignore[attr-defined]


def _form(kind: type[ReplyPageForm], request: HttpRequest, initial: Mapping[str, Any] | None = None) -> Any:
    given = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    return kind(*given, user=request.user, initial=initial)


def _done(request: HttpRequest, form: ReplyPageForm, verb: Callable[[], Any]) -> Any:
    """What the verb returns; None where it refused, with its words in the form."""
    try:
        with transaction.atomic():  # a refusal takes a file that was brought back with it
            return verb()
    except Refused as refusal:
        form.add_error(None, str(refusal.message))
        return None
    except OutOfReach as error:
        raise Http404 from error


def _page(request: HttpRequest, agent: Agent, form: Any, title: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, "agent": agent, "known": variables.KNOWN.items(), **more}
    return render(request, "me/reply_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def my_reply_new(request: HttpRequest, agent: Agent) -> HttpResponse:
    """A reply of one's own: live at once, for oneself alone."""
    form = _form(OwnReplyForm, request, {"language": _language(agent)})
    if request.method == "POST" and form.is_valid():
        is_draft = form.cleaned_data["is_draft"]
        saved = _done(request, form, lambda: replies.save_personal(form.texts, by=person(request), is_draft=is_draft))
        if saved is not None:
            messages.success(request, _("Saved. Only you see it."))
            return redirect("my_replies")
    return _page(request, agent, form, _("A reply of my own"), is_own=True)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def my_reply_propose(request: HttpRequest, agent: Agent) -> HttpResponse:
    """A new shared reply: a request for the leads of the team."""
    form = _form(NewProposalForm, request, {"team": agent.team_id, "language": _language(agent)})
    if request.method == "POST" and form.is_valid():
        team = form.cleaned_data["team"].pk if form.cleaned_data["team"] else None

        def propose() -> Any:
            files = _files(request, team)
            words = form.cleaned_data["words"]
            return reply_proposals.propose_new(form.texts, team=team, by=person(request), words=words, files=files)

        made = _done(request, form, propose)
        if made is not None:
            return _handed_in(request, made)
    return _page(request, agent, form, _("Propose a reply"), is_own=False)


@require_http_methods(["GET", "HEAD", "POST"])
@own
def my_reply(request: HttpRequest, agent: Agent, pk: int) -> HttpResponse:
    """One reply: to change if it is one's own, else to propose a change of."""
    user = person(request)
    reply = CannedReply.objects.visible_to(user).select_related("team", "category", "search").filter(pk=pk).first()
    if reply is None:
        raise Http404
    is_own = reply.owner_id == user.pk
    initial = {**replies.texts_of(reply), "tags": ", ".join(reply.tags), "is_draft": reply.status == "draft"}
    form = _form(OwnReplyForm if is_own else ProposalForm, request, initial)
    if request.method == "POST" and form.is_valid():
        version = _whole(request.POST.get("version", ""))
        made = _done(request, form, lambda: _save(request, reply, form, version))
        if made is not None and is_own:
            messages.success(request, _("Saved. Only you see it."))
            return redirect("my_replies")
        if made is not None:
            return _handed_in(request, made)
    return _page(
        request, agent, form, reply.title, is_own=is_own, reply=reply, version=reply.version,
        files=reply.attachments.order_by("name"), versions=reply.versions.order_by("-number")[:20],
        waiting=reply_proposals.open_about(reply, user),
        whose=replies.team_in_words(reply.team) if reply.is_shared else _("only you"),
    )  # fmt: skip


def _save(request: HttpRequest, reply: CannedReply, form: Any, version: int | None) -> Any:
    user = person(request)
    if reply.owner_id == user.pk:
        is_draft = form.cleaned_data["is_draft"]
        return replies.save_personal(form.texts, by=user, pk=reply.pk, version=version, is_draft=is_draft)
    if version is not None and version != reply.version:
        raise Refused("stale", _("This reply has changed since you opened it. Look at it again, then change it."))
    kept = list(reply.attachments.values_list("pk", flat=True))
    files = [*kept, *_files(request, reply.team_id)]
    return reply_proposals.propose_change(reply.pk, form.texts, by=user, words=form.cleaned_data["words"], files=files)


def _files(request: HttpRequest, team: int | None) -> list[int]:
    sent = request.FILES.get("file")
    return [replies.bring_file(sent, by=person(request), team=team).pk] if sent is not None else []


def _handed_in(request: HttpRequest, made: Any) -> HttpResponse:
    if made.state in ("submitted", "in_review"):
        messages.success(request, _("Handed in. What stands stays live until somebody else has approved."))
    else:
        messages.success(request, _("Handed in: it is %(state)s.") % {"state": made.get_state_display()})
    return redirect("my_replies")


@require_POST
@own
def my_reply_retire(request: HttpRequest, agent: Agent, pk: int) -> HttpResponse:
    """Take one's own out of use, or propose it of a shared one."""
    user = person(request)
    reply = CannedReply.objects.visible_to(user).filter(pk=pk).first()
    if reply is None:
        raise Http404
    try:
        if reply.owner_id != user.pk:
            words = request.POST.get("words", "").replace("\x00", "")
            return _handed_in(request, reply_proposals.propose_retirement(pk, by=user, words=words))
        replies.retire_personal(pk, by=user)
        messages.success(request, _("Out of use. Save it again to bring it back."))
    except Refused as refusal:
        messages.error(request, str(refusal.message))
    return redirect("my_replies")


def _language(agent: Agent) -> str:
    return agent.locale.lower() if agent.locale.lower() in Language.values else "en"


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


urlpatterns = [
    path("replies/", my_replies, name="my_replies"),
    path("replies/suggest/", my_replies_suggest, name="my_replies_suggest"),
    path("replies/new/", my_reply_new, name="my_reply_new"),
    path("replies/propose/", my_reply_propose, name="my_reply_propose"),
    path("replies/<int:pk>/", my_reply, name="my_reply"),
    path("replies/<int:pk>/use/", my_reply_use, name="my_reply_use"),
    path("replies/<int:pk>/retire/", my_reply_retire, name="my_reply_retire"),
    path("replies/files/<int:pk>/", my_reply_file, name="my_reply_file"),
]
