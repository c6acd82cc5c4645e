"""The blacklist in the admin: entries by their masks, their hits, and the verbs that ask for a change of them.

A customer is looked for by a form of its own, sent by POST: what is typed there stands in no address. The verbs that ask open
requests, and a request has a way back of its own, so none of them offers the one of ten minutes.
"""

from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from approvals.models import BlockEntry, BlockHit
from approvals.services import blacklist
from approvals.services.blacklist.kind import DEFAULT_TERM, TERMS, channel_words
from approvals.services.blacklist.places import READERS, teams_of
from teams.edges.admin import ScopedAdmin, site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.verbs import DayField, MomentField, Verb, VerbForm
from teams.models import Team
from teams.scoping import Grant

LEADS = (Grant.LEAD,)
COUNTRY_HELP = _("Two letters, for a number without +. Empty: where the team is.")
DECIDED = _("The request is on its way; you find it under requests.")


class SubjectField(forms.CharField):
    """What identifies a customer: typed once, kept by no browser."""

    def __init__(self) -> None:
        widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
        super().__init__(
            max_length=254, label=_("customer"), widget=widget, help_text=_("It is kept as a hash and a mask only.")
        )


class CountryField(forms.RegexField):
    def __init__(self) -> None:
        super().__init__(
            r"^[A-Za-z]{2}$", required=False, label=_("country"), help_text=COUNTRY_HELP, max_length=2,
            error_messages={"invalid": _("Write two letters, as in CN or GB.")},
        )  # fmt: skip


class TermForm(VerbForm):
    term = forms.ChoiceField(label=_("term"), choices=TERMS, initial=DEFAULT_TERM)
    until = MomentField(
        label=_("until"), required=False, help_text=_("Only for a moment of choice, in your time zone.")
    )
    review_on = DayField(
        label=_("review on"), required=False, help_text=_("A permanent entry is reviewed after 180 days.")
    )


class AskForm(TermForm):
    team = forms.ModelChoiceField(label=_("team"), queryset=Team.objects.all())
    subject_kind = forms.ChoiceField(label=_("kind of subject"), choices=BlockEntry.Kind.choices)
    subject = SubjectField()
    country = CountryField()
    reason_code = forms.ChoiceField(label=_("reason"), choices=BlockEntry.Reason.choices)
    evidence = forms.CharField(
        label=_("evidence"), max_length=1000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("A link or what happened. The customer in it is masked."),
    )  # fmt: skip
    effect = forms.ChoiceField(label=_("effect"), choices=BlockEntry.Effect.choices, initial=BlockEntry.Effect.BLOCK)
    channels = forms.MultipleChoiceField(
        label=_("channels"), choices=BlockEntry.Channel.choices, required=False, help_text=_("None chosen: all.")
    )
    severity = forms.TypedChoiceField(
        label=_("severity"), choices=BlockEntry.Severity.choices, initial=BlockEntry.Severity.MEDIUM, coerce=int
    )
    hold_now = forms.BooleanField(
        label=_("hold now, approve later"), required=False,
        help_text=_("Takes effect at once, for at most 24 hours, and ends by itself if nobody approves."),
    )  # fmt: skip
    field_order = (
        "team", "subject_kind", "subject", "country", "reason_code", "evidence", "effect", "channels", "severity", "term",
        "until", "review_on", "hold_now",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own: Any = self.fields["team"]
        own.queryset = teams_of(self.user).filter(is_closed=False).order_by("name")


class ExtendForm(TermForm):
    note = forms.CharField(label=_("review note"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class LiftForm(VerbForm):
    note = forms.CharField(
        label=_("appeal note"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("What the customer says, or why the entry is no longer needed."),
    )  # fmt: skip


class ReviewForm(VerbForm):
    on = DayField(label=_("review again on"))
    note = forms.CharField(label=_("review note"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class FindForm(VerbForm):
    subject_kind = forms.ChoiceField(label=_("kind of subject"), choices=BlockEntry.Kind.choices)
    subject = SubjectField()
    country = CountryField()


def _is_active(entry: BlockEntry) -> bool:
    return entry.state == BlockEntry.State.ACTIVE and (entry.span.upper is None or entry.span.upper > timezone.now())


def _ends(entry: BlockEntry) -> bool:
    return _is_active(entry) and entry.span.upper is not None


class WhenFilter(admin.SimpleListFilter):
    """What holds now, what soon does not, what waits for a look."""

    title, parameter_name = _("time"), "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("now", _("holds now")),
            ("soon", _("expires within 3 days")),
            ("review", _("review is due")),
            ("over", _("is over")),
        ]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        return {
            "now": lambda: queryset.live(now),
            "soon": lambda: queryset.expiring_soon(now),
            "review": lambda: queryset.to_review(now),
            "over": lambda: queryset.filter(span__endswith__lte=now),
        }.get(self.value() or "", lambda: queryset)()


@admin.register(BlockEntry, site=site)
class BlockEntryAdmin(ScopedAdmin):
    empty_words = _(
        "Nobody is on the blacklist of your teams. Who is added has been asked for and approved by two people."
    )
    empty_steps = (Step(_("Ask to block"), "admin:approvals_blockentry_ask"),)
    open_relations = ("requested_by", "approved_by")  # who asked and who agreed belongs to the entry
    list_display = ("mask", "subject_kind", "team", "effect", "reason_code", "state", "since", "until", "review_on")
    more_columns = ("severity", "channel_words", "requested_by", "approved_by", "made_at")
    raw_columns: ClassVar[dict[str, Raw]] = {
        "since": Raw(lambda entry: entry.span.lower),
        "until": Raw(lambda entry: entry.span.upper),
    }
    list_filter = (WhenFilter, "state", "subject_kind", "effect", "reason_code", "team")
    ordering = ("-made_at", "-pk")
    fields = readonly_fields = (
        "mask", "subject_kind", "team", "state", "term", "effect", "channel_words", "reason_code", "severity", "evidence",
        "requested_by", "approved_by", "request_link", "hits", "review_on", "review_note", "appeal_note",
    )  # fmt: skip
    verbs = (
        Verb("find", _("Find a customer"), blacklist.find, FindForm, READERS, _("This is the entry."), on_row=False,
             goes_to_result=True),
        Verb("ask", _("Ask to block"), blacklist.ask, AskForm, READERS, DECIDED, on_row=False),
        Verb("extend", _("Ask to extend"), blacklist.extend, ExtendForm, READERS, DECIDED, fits=_ends),
        Verb("lift", _("Ask to lift"), blacklist.lift, LiftForm, READERS, DECIDED, fits=_is_active),
        Verb("review", _("Note a review"), blacklist.review, ReviewForm, LEADS, _("The review has been noted."),
             initial=lambda entry: {"on": timezone.localdate() + timedelta(days=180)}, fits=_is_active),
    )  # fmt: skip

    @display(description=_("since"), ordering="span")
    def since(self, entry: BlockEntry) -> Any:
        return entry.span.lower

    @display(description=_("until"), ordering="span__endswith", empty_value=_("permanent"))
    def until(self, entry: BlockEntry) -> Any:
        return entry.span.upper

    @display(description=_("channels"))
    def channel_words(self, entry: BlockEntry) -> str:
        return channel_words(entry.channels)

    @display(description=_("request"))
    def request_link(self, entry: BlockEntry) -> Any:
        if entry.request_id is None:
            return None
        try:
            address = reverse("admin:approvals_approvalrequest_change", args=[entry.request_id])
        except NoReverseMatch:
            return entry.request_id
        return format_html('<a href="{}">{}</a>', address, entry.request_id)

    @display(description=_("hits"))
    def hits(self, entry: BlockEntry) -> Any:
        address = reverse("admin:approvals_blockhit_changelist")
        return format_html('<a href="{}?entry={}">{}</a>', address, entry.pk, entry.hits.count())


class EntryFilter(admin.SimpleListFilter):
    """Hits of one entry: named by a link from its page, never a list of all entries to choose from."""

    title, parameter_name = _("blacklist entry"), "entry"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        wish = request.GET.get("entry", "")
        return [(wish, str(self._entry(request, wish) or "–"))] if wish else []

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(entry=self._entry(request, self.value() or "")) if self.value() else queryset

    def _entry(self, request: HttpRequest, wish: str) -> BlockEntry | None:
        """The entry that an address names, if this person may see it: of any other there are no hits."""
        is_id = wish.isascii() and wish.isdigit() and len(wish) < 19
        return BlockEntry.objects.visible_to(request.user).filter(pk=int(wish)).first() if is_id else None


@admin.register(BlockHit, site=site)
class BlockHitAdmin(ScopedAdmin):
    empty_words = _("No blocked customer has come in. Each match of a check is noted here, and forgotten after a year.")
    empty_steps = (Step(_("Blacklist"), "admin:approvals_blockentry_changelist"),)
    open_relations = ("by",)  # who asked belongs to the hit
    list_display = ("at", "mask", "entry", "channel", "by")
    list_filter = (EntryFilter, "channel", "at")
    date_hierarchy = "at"
    ordering = ("-at", "-pk")
    fields = readonly_fields = ("at", "mask", "entry", "channel", "by")
