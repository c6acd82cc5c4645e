"""Pay-out batches: control totals, items, release by a second person, and files that are noted when they are taken."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incentives import services
from incentives.admin.shared import ASKED, SETTLE, MoneyAdmin, MonthFilter, month_words, request_link
from incentives.kinds.releases import ask_release
from incentives.models import Batch, BatchDownload, BatchItem
from incentives.reports import payouts
from incentives.reports.amounts import sums_words
from teams.edges import networks
from teams.edges.addresses import client_address
from teams.edges.admin import ScopedInline, site
from teams.edges.empty import Step
from teams.edges.exports import KINDS, as_file
from teams.edges.scope import holds, person
from teams.edges.verbs import ReasonForm, Verb
from teams.errors import OutOfReach, Refused


class OfRun(MonthFilter):
    column = "run__month"


class DownloadInline(ScopedInline):
    model = BatchDownload
    open_relations = ("by",)  # who took a file is what the note is for
    ordering = ("-at", "-pk")
    verbose_name_plural = _("downloads")
    fields = ("at", "by", "format", "address")


@admin.register(Batch, site=site)
class BatchAdmin(MoneyAdmin):
    empty_words = _(
        "Nothing has been made ready to pay. A batch is made on the page of a run that two people have agreed to."
    )
    empty_steps = (Step(_("Incentive runs"), "admin:incentives_run_changelist"),)
    open_relations = (
        "run",
        "run__plan",
        "made_by",
        "released_by",
    )  # the plan has the same readers; who acted belongs to it
    list_display = ("batch_name", "state", "is_correction", "count", "sums_told", "pay_on", "made_at", "released_at")
    more_columns = ("made_by", "released_by", "paid_at", "checksum")
    list_filter = (OfRun, "state", "is_correction")
    search_fields = ("run__plan__name", "^checksum")
    ordering = ("-made_at", "-pk")
    fields = readonly_fields = (
        "run_link", "number", "is_correction", "state", "count", "sums_told", "checksum", "format_version", "pay_on",
        "request_link", "made_by", "made_at", "released_by", "released_at", "paid_at",
    )  # fmt: skip
    inlines = (DownloadInline,)
    change_form_outer_after_template = "admin/incentives/batch.html"
    verbs = (
        Verb("release", _("Ask for release"), ask_release, ReasonForm, SETTLE, ASKED,
             fits=lambda batch: batch.state == Batch.State.MADE),
        Verb("paid", _("Mark as paid"), services.mark_paid, ReasonForm, SETTLE, _("The batch is noted as paid."),
             fits=lambda batch: batch.state == Batch.State.EXPORTED),
    )  # fmt: skip

    def called(self, row: Batch) -> str:
        return self.batch_name(row)

    @display(description=_("pay-out batch"), ordering="run")
    def batch_name(self, batch: Batch) -> str:
        return f"{batch.run.plan}, {month_words(batch.run.month)} #{batch.number}"

    @display(description=_("incentive run"))
    def run_link(self, batch: Batch) -> Any:
        address = reverse("admin:incentives_run_change", args=[batch.run_id])
        return format_html('<a href="{}">{}, {}</a>', address, batch.run.plan, month_words(batch.run.month))

    @display(description=_("sums"))
    def sums_told(self, batch: Batch) -> str:
        return sums_words(batch.sums)

    @display(description=_("request"))
    def request_link(self, batch: Batch) -> Any:
        return request_link(batch.request_id)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {"items": partial(self._items, request, object_id), **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def _items(self, request: HttpRequest, object_id: str) -> tuple[Page, list[tuple[BatchItem, str]]]:
        batch = self.get_object(request, unquote(object_id))
        return payouts.items(batch, request.GET.get("page"))

    # -- the file ------------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.file)
        name = self.route("file").partition(":")[2]
        return [path("<path:object_id>/file/<slug:kind>/", view, name=name), *super().get_urls()]

    def file(self, request: HttpRequest, object_id: str, kind: str) -> HttpResponseBase:
        """The file of a released batch. To take it is noted and moves the batch on, so it is asked for by POST."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not holds(request, SETTLE):
            raise PermissionDenied
        networks.require(request)
        row = self.get_object(request, unquote(object_id))
        if kind not in KINDS:
            raise Http404
        came_from = client_address(request)
        try:
            batch = services.download(
                row.pk, kind, by=person(request), address=None if came_from is None else str(came_from)
            )
        except Refused as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse(self.route("change"), args=[row.pk]))
        except OutOfReach as error:
            raise Http404 from error
        return as_file(kind, payouts.file_name(batch), payouts.COLUMNS, payouts.rows(batch))
