"""Plans tried on months that have been: amounts of everybody who would be under them, so under SETTLE alone."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from incentives.admin.shared import MoneyAdmin, month_words, named
from incentives.models import Simulation
from incentives.reports.amounts import sums_words
from incentives.reports.trials import Trial, trial
from incentives.services.simulating import JOB
from teams.edges import progress
from teams.edges.admin import site
from teams.edges.empty import Step
from teams.edges.scope import person
from teams.models import JobRun


@admin.register(Simulation, site=site)
class SimulationAdmin(MoneyAdmin):
    empty_words = _(
        "No version has been tried on a month that has been. On the page of a version choose “Try on a month”: it tells what "
        "the version would cost, who gains and who loses."
    )
    empty_steps = (Step(_("Versions of incentive plans"), "admin:incentives_planversion_changelist"),)
    open_relations = (
        "version",
        "version__plan",
        "made_by",
    )  # the plan has the same readers; who tried it belongs to it
    list_display = ("version_name", "month_name", "state", "cost", "made_by", "made_at")
    list_filter = ("state", "made_at")
    search_fields = ("version__plan__name",)
    ordering = ("-made_at", "-pk")
    fields = readonly_fields = ("version_link", "month_name", "state", "made_by", "made_at")
    change_form_outer_after_template = "admin/incentives/trial.html"

    def called(self, row: Simulation) -> str:
        return f"{named(row.version)}, {month_words(row.month)}"

    @display(description=_("version"))
    def version_name(self, row: Simulation) -> str:
        return named(row.version)

    @display(description=_("version"))
    def version_link(self, row: Simulation) -> Any:
        address = reverse("admin:incentives_planversion_change", args=[row.version_id])
        return format_html('<a href="{}">{}</a>', address, named(row.version))

    @display(description=_("month"), ordering="month")
    def month_name(self, row: Simulation) -> str:
        return month_words(row.month)

    @display(description=_("would cost"), empty_value="–")
    def cost(self, row: Simulation) -> str | None:
        return sums_words({row.result["currency"]: row.result["after"]}) if row.result else None

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "trial": partial(self._trial, request, object_id), "progress": partial(self._progress, request, object_id),
            **(extra_context or {}),
        }  # fmt: skip
        return super().change_view(request, object_id, form_url, context)

    def _trial(self, request: HttpRequest, object_id: str) -> Trial | None:
        row = self.get_object(request, unquote(object_id))
        return trial(row) if row.state == Simulation.State.DONE else None

    def _progress(self, request: HttpRequest, object_id: str) -> progress.Shown | None:
        """How far the ledger is, for whoever asked for it."""
        row = self.get_object(request, unquote(object_id))
        run = JobRun.objects.filter(job=JOB, subject=str(row.pk)).order_by("-revision").first()
        return progress.of_run(run, person(request)) if run is not None else None
