"""Absences in the admin: who decides for whom, until when, and what waits. The business of the two they name."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from approvals import kinds
from approvals.models import ApprovalAbsence, ApprovalRequest
from approvals.services import absences
from teams.edges.admin import ScopedAdmin, site
from teams.edges.empty import Step
from teams.edges.verbs import MomentField, ReasonField, ReasonForm, Verb, VerbForm
from teams.grants import known_people
from teams.models import User
from teams.querysets import EVERY_GRANT

SHOWN = 50  # of what waits


class AnnounceForm(VerbForm):
    deputy = forms.ModelChoiceField(
        User.objects.all(),
        label=_("deputy"),
        help_text=_("Somebody who holds one of your grants. They cannot hand it on."),
    )
    since = MomentField(label=_("from"), required=False, help_text=_("Empty: at once. Your own time."))
    until = MomentField(label=_("until"), help_text=_("At most 90 days. Your own time."))
    kinds = forms.MultipleChoiceField(
        label=_("only for"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None ticked: all kinds."),
    )
    reason = ReasonField(required=False)

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        deputies: Any = self.fields["deputy"]
        known = known_people(user).filter(is_active=True, is_staff=True)
        deputies.queryset = known.exclude(pk=user.pk).order_by("full_name", "username")
        self.fields["kinds"].choices = kinds.titles()  # type: ignore[attr-defined]


@dataclass(frozen=True)
class OwnVerb(Verb):
    """For everybody on the list, for the owner on a row."""

    def may(self, request: HttpRequest, row: Any = None) -> bool:
        return row is None or row.owner_id == request.user.pk


@admin.register(ApprovalAbsence, site=site)
class ApprovalAbsenceAdmin(ScopedAdmin):
    readers = writers = EVERY_GRANT
    open_relations = ("owner", "deputy")  # the two it is about
    empty_words = _("Nobody decides in your place, and you decide for nobody. Announce an absence before you are away.")
    empty_steps = (Step(_("Announce an absence"), "admin:approvals_approvalabsence_announce"),)
    list_display = ("in_words", "kinds_in_words", "term", "reason")
    list_display_links = ("in_words",)
    more_columns = ("owner", "deputy")
    ordering = ("-span", "pk")
    fields = readonly_fields = ("owner", "deputy", "kinds_in_words", "term", "reason", "waits")
    verbs = (
        OwnVerb(
            "announce", _("Announce an absence"), absences.announce, AnnounceForm,
            done=_("Your deputy decides in your place then; both of you are told."), on_row=False, goes_to_result=True,
        ),
        OwnVerb(
            "end", _("End the absence now"), absences.end, ReasonForm,
            done=_("You decide yourself again. What waits stands in your list."),
        ),
    )  # fmt: skip

    @display(description=_("who for whom"), ordering="owner__full_name")
    def in_words(self, row: ApprovalAbsence) -> str:
        return _("%(deputy)s for %(owner)s") % {"deputy": row.deputy, "owner": row.owner}

    @display(description=_("kinds"))
    def kinds_in_words(self, row: ApprovalAbsence) -> str:
        titles = dict(kinds.titles())
        comma = pgettext("between names in a row", ", ")
        return comma.join(str(titles.get(name, name)) for name in row.kinds) or str(_("all"))

    @display(description=_("waits for the absent one"))
    def waits(self, row: ApprovalAbsence) -> Any:
        """What the two of them can see of it: the deputy sees it while the absence lasts."""
        rows = ApprovalRequest.objects.in_review().filter(seats__user=row.owner_id, seats__is_open=True)
        route = "admin:approvals_approvalrequest_change"
        links = ((reverse(route, args=[each.pk]), each) for each in rows.order_by("submitted_at", "pk")[:SHOWN])
        return format_html_join("", '<p><a href="{}">{}</a></p>', links) or "–"
