"""The nightly reports in the admin: a list to choose from; everything else is a page of its own."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.decorators import display

from performance.models import NightlyReport
from performance.views import nightly
from teams.edges.admin import ScopedAdmin, site
from teams.edges.empty import Step
from teams.edges.sight import SeersPage


@admin.register(NightlyReport, site=site)
class NightlyReportAdmin(SeersPage, ScopedAdmin):
    list_display = ("day", "team", "revision", "made_at")
    empty_words = _("The report of a day is made two hours after the midnight of its team; none has been made yet.")
    empty_steps = (
        Step(_("Team days"), "admin:performance_teamday_changelist"),
        Step(_("Contacts"), "admin:performance_contact_changelist"),
    )
    list_filter = ("team", "day")
    search_fields = ("team__name",)
    ordering = ("-day", "team__name", "-revision")
    date_hierarchy = "day"
    open_relations = ("team",)  # the report is the team's: its name says nothing more

    @display(description=_("team"), ordering="team__name")
    def team(self, report: NightlyReport) -> str:
        return report.team.name

    def get_urls(self) -> list[Any]:
        own = [
            path("compare/", self.for_readers(nightly.compare), name="performance_nightlyreport_compare"),
            path(
                "<str:pk>/export.<str:kind>", self.for_readers(nightly.export), name="performance_nightlyreport_export"
            ),
        ]
        return own + super().get_urls()

    def for_readers(self, view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        """Only for those who may read reports somewhere, like every other page of this admin; and to read only."""

        @require_safe
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not self.has_view_permission(request):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return self.admin_site.admin_view(guarded)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            self.get_object(request, unquote(object_id))  # foreign and missing are the one 404 here too
            raise PermissionDenied
        return nightly.report(request, object_id)
