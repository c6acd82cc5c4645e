"""Months of plans and their entries, for payroll."""

from functools import partial
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from incentives import services
from incentives.admin.shared import SETTLE, MoneyAdmin, MonthFilter, OfVersion, month_words
from incentives.models import Batch, Entry, Run
from incentives.plain.periods import TAKES_FIGURES, Stage
from incentives.reports.amounts import amount_words, sums_words, trimmed
from incentives.reports.runs import Lacking, lacking
from teams.edges.admin import site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.scope import person
from teams.edges.verbs import DayField, ReasonField, ReasonForm, Verb, VerbForm

STEPS = (Step(_("Incentive plans"), "admin:incentives_plan_changelist"),)
LOCKED = (Run.Stage.LOCKED, Run.Stage.EXPORTED, Run.Stage.PAID)


class NothingForm(VerbForm):
    """A verb that needs no word beside it."""


class NoteForm(VerbForm):
    reason = ReasonField(label=_("note"), required=False)


class PayOutForm(VerbForm):
    pay_on = DayField(label=_("pay date"), required=False, help_text=_("Stands in the file, for the payroll."))
    reason = ReasonField()


def _in(*stages: str) -> Any:
    return lambda run: run.stage in stages


def _to_batch(request: HttpRequest, made: Batch) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:incentives_batch_change", args=[made.pk]))


@admin.register(Run, site=site)
class RunAdmin(MoneyAdmin):
    empty_words = _(
        "No month of a plan has been calculated yet. Each night makes those whose figures came in, for plans that hold."
    )
    empty_steps = STEPS
    open_relations = (
        "plan",
        "reviewed_by",
        "approved_by",
    )  # the plan has the same readers; who agreed belongs to the run
    list_display = ("month_name", "plan", "stage", "sums_told", "agents", "lines", "lacking", "calculated_at")
    more_columns = ("reviewed_by", "approved_by")
    list_filter = (MonthFilter, "stage", "plan")
    search_fields = ("plan__name",)
    ordering = ("-month", "plan__name", "pk")
    fields = readonly_fields = (
        "plan", "month_name", "stage", "sums_told", "agents", "lines", "lacking", "entries_link", "batches_links",
        "calculated_at", "reviewed_by", "approved_by",
    )  # fmt: skip
    change_form_outer_after_template = "admin/incentives/lacking.html"
    verbs = (
        Verb("calculate", _("Calculate now"), services.recalculate, NothingForm, SETTLE,
             _("The month is brought to what is known now."), fits=lambda run: Stage(run.stage) in TAKES_FIGURES),
        Verb("review", _("Send to review"), services.send_to_review, NoteForm, SETTLE,
             _("Somebody else has to look at it and approve it."), fits=_in(Run.Stage.CALCULATED)),
        Verb("approve", _("Approve"), services.approve, NoteForm, SETTLE, _("The run is approved: its batch can be made."),
             fits=_in(Run.Stage.IN_REVIEW)),
        Verb("send-back", _("Send back"), services.send_back, ReasonForm, SETTLE, _("The run is back to be put right."),
             fits=_in(Run.Stage.IN_REVIEW, Run.Stage.APPROVED)),
        Verb("pay", _("Make pay-out batch"), services.make_batch, PayOutForm, SETTLE,
             _("The month is locked and the batch is made. Ask somebody else to release it."),
             fits=_in(Run.Stage.APPROVED), enter=_to_batch),
        Verb("correct", _("Make correction batch"), services.make_correction, PayOutForm, SETTLE,
             _("The differences are in a batch of their own. Ask somebody else to release it."), fits=_in(*LOCKED),
             enter=_to_batch),
    )  # fmt: skip

    def called(self, row: Run) -> str:
        return f"{row.plan}, {month_words(row.month)}"

    @display(description=_("month"), ordering="month")
    def month_name(self, run: Run) -> str:
        return month_words(run.month)

    @display(description=_("sums"))
    def sums_told(self, run: Run) -> str:
        return sums_words(run.sums)

    @display(description=_("entries"))
    def entries_link(self, run: Run) -> Any:
        address = reverse("admin:incentives_entry_changelist")
        count = Entry.objects.filter(plan=run.plan_id).of_month(run.month).count()
        words = ngettext("%(count)d entry", "%(count)d entries", count) % {"count": count}
        query = urlencode({"month": f"{run.month:%Y-%m}", "plan__id__exact": str(run.plan_id)})
        return format_html('<a href="{}?{}">{}</a>', address, query, words)

    @display(description=_("pay-out batches"))
    def batches_links(self, run: Run) -> Any:
        rows = [
            (reverse("admin:incentives_batch_change", args=[batch.pk]), f"#{batch.number}", batch.get_state_display())
            for batch in run.batches.order_by("number")
        ]
        return format_html_join(", ", '<a href="{}">{}</a> ({})', rows) or None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"lacking": partial(self._lacking, request, object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _lacking(self, request: HttpRequest, object_id: str) -> list[Lacking]:
        return lacking(self.get_object(request, unquote(object_id)), person(request))


@admin.register(Entry, site=site)
class EntryAdmin(OfVersion, MoneyAdmin):
    empty_words = _(
        "Nothing has been earned yet. Entries are posted when a month of a plan is calculated, and only added."
    )
    empty_steps = (Step(_("Incentive runs"), "admin:incentives_run_changelist"), *STEPS)
    open_relations = ("agent",)  # without the name payroll could not tell whose it is
    list_display = ("begins", "agent", "team", "plan", "kind", "amount_told", "currency", "month_name", "batch_link")
    more_columns = ("ends", "withheld_told", "cause", "plan_version", "posted_at")
    raw_columns: ClassVar[dict[str, Raw]] = {
        "amount_told": Raw(lambda entry: trimmed(entry.amount)),
        "withheld_told": Raw(lambda entry: trimmed(entry.withheld)),
        "month_name": Raw(lambda entry: f"{entry.month:%Y-%m}"),
        "batch_link": Raw(lambda entry: entry.batch_id),
    }
    list_filter = (MonthFilter, "kind", "currency", "plan", "team")
    search_fields = ("^agent__number", "agent__name")
    ordering = ("-month", "-begins", "-pk")
    fields = readonly_fields = (
        "agent", "team", "plan_version", "begins", "ends", "month_name", "kind", "cause", "amount_told", "withheld_told",
        "currency", "wages_words", "batch_link", "posted_at",
    )  # fmt: skip

    def called(self, row: Entry) -> str:
        return f"{row.agent}, {row.begins:%Y-%m-%d}: {row.get_kind_display()}"

    @display(description=_("amount"), ordering="amount")
    def amount_told(self, entry: Entry) -> str:
        return amount_words(entry.amount)

    @display(description=_("withheld"), ordering="withheld")
    def withheld_told(self, entry: Entry) -> str:
        return amount_words(entry.withheld)

    @display(description=_("pay-out month"), ordering="month")
    def month_name(self, entry: Entry) -> str:
        return month_words(entry.month)

    @display(description=_("daily wages"), empty_value="–")
    def wages_words(self, entry: Entry) -> str | None:
        return ", ".join(map(str, entry.wages)) or None

    @display(description=_("pay-out batch"), empty_value=_("not yet"))
    def batch_link(self, entry: Entry) -> Any:
        if entry.batch_id is None:
            return None
        address = reverse("admin:incentives_batch_change", args=[entry.batch_id])
        return format_html('<a href="{}">{}</a>', address, entry.batch_id)
