"""The verbs of a request as pages offer them, in the admin and among the own pages: forms, access keys, words.

Whoever sees a request may send any of them; the service judges. A form carries the version of the request that was read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from approvals import kinds
from approvals.models import ApprovalRequest
from approvals.services import applying, deciding, requests
from teams.edges.scope import person
from teams.edges.verbs import MomentField, Verb, VerbForm
from teams.errors import OutOfReach, Refused
from teams.models import User

LONGEST_WORDS = 500


class Words(forms.CharField):
    """What one says with a decision; kept with the request and told to who asked."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=LONGEST_WORDS, widget=forms.Textarea(attrs={"rows": 3}), **kwargs)


class RequestForm(VerbForm):
    """A wish about the request as the page showed it: whoever looks at an older one is told so first."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class ReasonedForm(RequestForm):
    words = Words(label=_("reason"))


class ApproveForm(RequestForm):
    words = Words(label=_("words"), required=False)
    condition = forms.CharField(
        label=_("on condition that"), max_length=LONGEST_WORDS, required=False,
        help_text=_("Kept with the request and shown on its page."),
    )  # fmt: skip
    ends_at = MomentField(
        label=_("holds until"), required=False, help_text=_("Empty: for as long as the request itself says.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = self.row is not None and self.row.kind in dict(kinds.titles())  # type: ignore[attr-defined]
        if not known or not kinds.kind_of(self.row.kind).allows_end:  # type: ignore[union-attr]
            del self.fields["ends_at"]


class SayForm(VerbForm):
    words = Words(label=_("words"))


class WithdrawForm(RequestForm):
    words = Words(label=_("words"), required=False)


class UndoForm(VerbForm):
    words = Words(label=_("reason"))


class NothingForm(VerbForm):
    """Nothing to fill in: the button is the whole wish."""


@dataclass(frozen=True)
class RequestVerb(Verb):
    """A verb of a request is open to whoever sees the row, for the service to judge; `key` is its access key."""

    key: str = ""
    is_operators: bool = False
    hint: Any = ""

    def may(self, request: HttpRequest, row: Any = None) -> bool:
        return bool(request.user.is_superuser) if self.is_operators else True


VERBS: tuple[RequestVerb, ...] = (
    RequestVerb("approve", _("Approve"), deciding.approve, ApproveForm, done=_("You have approved this."), key="a"),
    RequestVerb("reject", _("Reject"), deciding.reject, ReasonedForm, done=_("You have rejected this."), key="r"),
    RequestVerb(
        "send-back", _("Send back"), deciding.send_back, ReasonedForm, done=_("It went back to who asked."), key="b",
        hint=_("Who asked can change it and hand it in again; what was decided so far is void."),
    ),
    RequestVerb(
        "escalate", _("Hand up"), deciding.escalate, ReasonedForm, done=_("It went to the next lead above."), key="u",
        hint=_("The next lead above decides in the place of those who are asked now."),
    ),
    RequestVerb("comment", _("Comment"), requests.comment, SayForm, done=_("Your words stand on the request."), key="c"),
    RequestVerb("withdraw", _("Withdraw"), requests.withdraw, WithdrawForm, done=_("The request is withdrawn."), key="w"),
    RequestVerb("submit", _("Hand in"), requests.submit, RequestForm, done=_("The request is handed in."), key="h"),
    RequestVerb("retry", _("Try again"), applying.apply_again, NothingForm, done=_("It was tried once more."), key="t"),
    RequestVerb(
        "undo", _("Undo"), applying.undo, UndoForm, done=_("It is taken back."), key="z",
        hint=_("What was carried out is taken back; who asked is told why."),
    ),
    RequestVerb(
        "break-glass", _("Break the glass"), deciding.break_glass, ReasonedForm, done=_("It is approved past all steps."),
        key="g", is_operators=True,
        hint=_("Approves past all steps. Every lead of the team is told, and a second person reviews it afterwards."),
    ),
    RequestVerb(
        "review-glass", _("Review the broken glass"), deciding.review_glass, SayForm,
        done=_("Your review is kept with the request."), key="v",
    ),
)  # fmt: skip


def forms_of(
    row: ApprovalRequest, by: User, may: frozenset[str], opened: str = "", refused: VerbForm | None = None
) -> Iterator[tuple[RequestVerb, VerbForm]]:
    """Each verb that is open to `by`, with its form; a refused one keeps what was typed."""
    for verb in VERBS:
        if verb.slug not in may:
            continue
        if verb.slug == opened and refused is not None:
            yield verb, refused
        else:
            yield verb, verb.form(user=by, row=row, auto_id=_ids(verb), initial={"version": row.version})


def tried(verb: Verb, row: ApprovalRequest, request: HttpRequest) -> VerbForm | None:
    """Run a verb with what was sent. None: done. Else the form that says why not, now about the request as it stands by then,
    so that who looks again can decide on that. Raises OutOfReach."""
    form = verb.form(request.POST.copy(), user=person(request), row=row, auto_id=_ids(verb))
    if form.is_valid():
        try:
            verb.run(row.pk, by=person(request), **form.wish())
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
        else:
            return None
    try:
        row.refresh_from_db(fields=["version"])
    except ApprovalRequest.DoesNotExist as error:
        raise OutOfReach from error
    if "version" in form.fields:
        form.data["version"] = str(row.version)  # type: ignore[index]
    return form


def _ids(verb: Verb) -> str:
    return f"id_{verb.slug}_%s"
