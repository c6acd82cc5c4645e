"""Erasures of people and customers, with two persons; and who looked at which telephone number."""

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from performance.models import PhoneReveal
from performance.services import phones
from teams.edges.admin import ScopedAdmin, site
from teams.edges.empty import Step
from teams.edges.verbs import ReasonField, ReasonForm, Verb, VerbForm
from teams.models import Erasure
from teams.scoping import Grant
from teams.services import erasure

ONBOARD = (Grant.ONBOARD,)
OPEN = Erasure.State.ASKED


class CustomerForm(VerbForm):
    customer = forms.CharField(
        label=_("telephone number, mail address or customer's key"),
        max_length=120,
        help_text=_("As it came in from the source. Only its keyed hash is kept."),
    )
    reason = ReasonField()


class ConfirmForm(VerbForm):
    reason = ReasonField(required=False)
    is_sure = forms.BooleanField(label=_("I know that this cannot be undone."))

    def wish(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["reason"]}


@admin.register(Erasure, site=site)
class ErasureAdmin(ScopedAdmin):
    """What was asked for, what would go, and who confirmed it. Both deciders are named: that is what the record is for."""

    readers = writers = ONBOARD
    open_relations = ("asked_by", "settled_by")
    list_display = ("asked_at", "agent", "customer", "state", "asked_by", "settled_by", "done_at")
    empty_words = _("Nobody's data has been asked to be erased. For an agent it is asked for on the page of the agent.")
    empty_steps = (Step(_("Agents"), "admin:teams_agent_changelist"),)
    list_filter = ("state",)
    fields = readonly_fields = (
        "agent", "customer", "state", "reason", "asked_by", "asked_at", "settled_by", "settled_at", "done_at", "what_goes",
    )  # fmt: skip
    verbs = (
        Verb(
            "customer",
            _("Erase a customer"),
            phones.ask_erasure_of,
            CustomerForm,
            ONBOARD,
            _("The erasure waits for a second person."),
            on_row=False,
            goes_to_result=True,
        ),
        Verb(
            "confirm",
            _("Confirm erasure"),
            erasure.confirm_erasure,
            ConfirmForm,
            ONBOARD,
            _("Confirmed: the erasure is being done."),
            fits=lambda row: row.state == OPEN,
        ),
        Verb(
            "withdraw",
            _("Withdraw"),
            erasure.withdraw_erasure,
            ReasonForm,
            ONBOARD,
            _("The erasure has been withdrawn."),
            fits=lambda row: row.state == OPEN,
        ),
    )

    @admin.display(description=_("customer"), empty_value="–")
    def customer(self, row: Erasure) -> str | None:
        return f"{row.customer_key[:8]}…" if row.customer_key else None

    @admin.display(description=_("what goes and what stays"))
    def what_goes(self, row: Erasure) -> Any:
        """Before: rows that would go, be emptied, and stay under a pseudonym. After: what went."""
        if row.state != OPEN:
            return format_html_join("", "<div>{}: {}</div>", _counted(row)) or "–"
        page = erasure.preview(row)
        lines = [(_("goes"), words, count) for words, count in page.gone]
        lines += [(_("names are taken out"), words, count) for words, count in page.emptied]
        lines += [(_("stays under a pseudonym"), words, count) for words, count in page.kept]
        return format_html_join("", "<div>{}: {} ({})</div>", lines) or "–"


def _counted(row: Erasure) -> list[tuple[str, int]]:
    return [(str(apps.get_model(code)._meta.verbose_name_plural), count) for code, count in row.counts.items()]


@admin.register(PhoneReveal, site=site)
class PhoneRevealAdmin(ScopedAdmin):
    """Looks at customers' numbers, without the numbers. The viewer's name is what the record is for."""

    readers = (Grant.LEAD,)
    open_relations = ("viewer",)
    list_display = ("at", "viewer", "external_id", "team", "agent", "reason", "note", "address")
    empty_words = _("No customer's telephone number has been looked at in your teams.")
    empty_steps = (Step(_("Contacts"), "admin:performance_contact_changelist"),)
    list_filter = ("reason",)
    search_fields = ("=viewer__username",)
    search_help_text = _("User name of the viewer.")
    date_hierarchy = "at"
    fields = readonly_fields = (
        "at", "viewer", "external_id", "team", "agent", "reason", "note", "address",
    )  # fmt: skip
