"""Admin lists of sources, queues, names at sources and deliveries. What has consequences has its page in `views.uploads`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from performance.intake.layouts import LAYOUTS
from performance.models import AgentAlias, ImportRun, Queue, QueueAlias, Source
from performance.services import phones
from teams.edges.admin import ScopedAdmin, site
from teams.edges.empty import Step
from teams.scoping import Grant

NAME_STEPS = (
    Step(_("Take a file in"), "intake_upload", (Grant.LEAD,)),
    Step(_("Tray of names"), "intake_tray", (Grant.LEAD,)),
)


@admin.register(Source, site=site)
class SourceAdmin(ScopedAdmin):
    may_add = may_change = True
    list_display = ("name", "code", "team", "zone", "channel", "is_active", "token")
    empty_words = _(
        "Contacts come from a source: the platform, telephone system or spreadsheet of a team. Name the first."
    )
    empty_steps = (Step(_("Add a source"), "admin:performance_source_add"),)
    list_filter = ("channel", "is_active")
    list_select_related = ("team",)
    search_fields = ("name", "code")
    fields = ("code", "name", "team", "zone", "channel", "is_active", "keeps_phones", "phones_reason")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if not obj.keeps_phones:
            phones.drop_of(obj)

    @admin.display(description=_("REST token"))
    def token(self, row: Source) -> str:
        words = _("ends in …%(hint)s") % {"hint": row.token_hint} if row.token_hint else _("issue")
        return format_html('<a href="{}">{}</a>', reverse("intake_token", args=[row.pk]), words)


@admin.register(Queue, site=site)
class QueueAdmin(ScopedAdmin):
    may_add = may_change = True
    list_display = ("name", "code", "team", "zone", "complexity", "answer_within_seconds")
    empty_words = _("A queue is a line that customers wait in. Add yours, then link the names that the sources use.")
    empty_steps = (
        Step(_("Add a queue"), "admin:performance_queue_add"),
        Step(_("Queues at sources"), "admin:performance_queuealias_changelist"),
    )
    list_filter = ("complexity",)
    list_select_related = ("team",)
    search_fields = ("name", "code")
    fields = ("code", "name", "team", "zone", "complexity", "answer_within_seconds")


class NameAdmin(ScopedAdmin):
    """Names are mapped in the tray, so that the facts that wait for them follow in the same change."""

    pages = ((_("Tray of names"), "intake_tray"),)

    list_filter = ("is_ignored",)
    search_fields = ("external",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


@admin.register(AgentAlias, site=site)
class AgentAliasAdmin(NameAdmin):
    list_display = ("external", "source", "agent", "term", "is_ignored")
    empty_words = _(
        "No source has named an agent yet. Names appear with the first contacts and are linked in the tray."
    )
    empty_steps = NAME_STEPS
    list_select_related = ("source", "agent")
    fields = readonly_fields = ("source", "external", "agent", "term", "is_ignored")


@admin.register(QueueAlias, site=site)
class QueueAliasAdmin(NameAdmin):
    list_display = ("external", "source", "queue", "is_ignored")
    empty_words = _("No source has named a queue yet. Names appear with the first contacts and are linked in the tray.")
    empty_steps = NAME_STEPS
    list_select_related = ("source", "queue")
    fields = readonly_fields = ("source", "external", "queue", "is_ignored")


@admin.register(ImportRun, site=site)
class ImportRunAdmin(ScopedAdmin):
    pages = ((_("Take a file in"), "intake_upload"),)
    more_columns = ("finished_at", "message")
    empty_words = _("Nothing has come in yet. Name the source first; then take a file in, and look at its dry run.")
    empty_steps = (
        Step(_("Take a file in"), "intake_upload", (Grant.LEAD,)),
        Step(_("Sources"), "admin:performance_source_changelist"),
    )
    list_display = ("created_at", "source", "name", "kind", "door", "state", "rows", "refused", "by")
    list_display_links = None
    list_filter = ("state", "door", "layout")
    list_select_related = ("source", "by")
    search_fields = ("file_name",)
    fields = readonly_fields = (
        "source", "door", "layout", "state", "file_name", "digest", "counts", "message", "by", "created_at", "finished_at",
    )  # fmt: skip

    @admin.display(description=_("delivery"))
    def name(self, row: ImportRun) -> str:
        return format_html('<a href="{}">{}</a>', reverse("intake_delivery", args=[row.pk]), str(row))

    @admin.display(description=_("kind of rows"), ordering="layout")
    def kind(self, row: ImportRun) -> str:
        return str(LAYOUTS[row.layout].label) if row.layout in LAYOUTS else row.layout

    @admin.display(description=_("rows"))
    def rows(self, row: ImportRun) -> int | None:
        return row.counts.get("rows")

    @admin.display(description=_("refused"))
    def refused(self, row: ImportRun) -> int | None:
        return row.counts.get("refused")
