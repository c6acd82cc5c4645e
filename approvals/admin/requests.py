"""Requests in the admin: what waits for whoever looks, one page for each request, and its verbs as forms on that page.

Who may open a row follows `visible_to`, not a grant: a request is also seen by whoever was asked by name, and by the deputies
of those. So the list is open to all who hold a grant or are named by a request, and shows each what they may see. GET and
HEAD of a verb's address open its form; only a POST decides.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from approvals import kinds, verbs
from approvals.models import ApprovalRequest
from approvals.querysets.requests import OPEN
from approvals.reports.requests import request_page
from approvals.services import deciding
from teams.edges.admin import POST_ONLY, ScopedAdmin, site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.scope import holds, person
from teams.edges.verbs import Verb, VerbForm
from teams.errors import OutOfReach, Refused
from teams.scoping import Grant

State = ApprovalRequest.State


class ShowFilter(admin.SimpleListFilter):
    """What waits for whoever looks, unless something wider is asked for."""

    title, parameter_name = _("show"), "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("me", _("Waits for me")),
            ("open", _("Open")),
            ("settled", _("Settled")),
            ("glass", _("Broken glass to review")),
            ("all", _("All")),
        ]

    def value(self) -> str:
        return super().value() or "me"

    def choices(self, changelist: Any) -> Any:
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.value() == value, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: Any) -> QuerySet:
        wish = self.value()
        if wish == "me":
            return queryset.waiting_for(request.user)
        if wish == "open":
            return queryset.open()
        if wish == "settled":
            return queryset.exclude(state__in=[*OPEN, State.DRAFT])
        if wish == "glass":
            return queryset.glass_to_review()
        return queryset


class KindFilter(admin.SimpleListFilter):
    title, parameter_name = _("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return kinds.titles()

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class ManyForm(forms.Form):
    verdict = forms.ChoiceField(choices=[("approve", ""), ("reject", "")])
    words = forms.CharField(max_length=verbs.LONGEST_WORDS, required=False)


def _seen(request: HttpRequest, ticked: Iterable[int]) -> dict[int, int]:
    """The versions that the page showed."""
    told = {pk: request.POST.get(f"version-{pk}", "") for pk in ticked}
    return {pk: int(text) for pk, text in told.items() if text.isascii() and text.isdigit() and len(text) < 10}


@admin.register(ApprovalRequest, site=site)
class ApprovalRequestAdmin(ScopedAdmin):
    empty_words = _("Nothing waits for you. What your teams ask for, and what you are asked by name, appears here.")
    wider: ClassVar[tuple[Step, ...]] = (
        Step(_("Open requests"), "", query="show=open"),
        Step(_("All requests"), "", query="show=all"),
    )
    list_display = ("subject_label", "kind_title", "team", "requester", "state", "since", "due")
    list_display_links = ("subject_label",)
    more_columns = ("subject_person", "decided_at", "applied_at", "revision", "condition", "ends_at", "glass_by")
    raw_columns: ClassVar[dict[str, Raw]] = {
        "since": Raw(lambda row: row.submitted_at or row.made_at),
        "due": Raw(lambda row: due_at(row)),
    }
    list_filter = (ShowFilter, KindFilter, "team", "state")
    search_fields = ("subject_label", "requester__full_name", "requester__username")
    search_help_text = _("What it is about, or who asked.")
    ordering = ("-made_at", "-pk")
    # Who asked, who is concerned and who broke the glass: that is what a request is about, and who sees it is told.
    open_relations = ("requester", "subject_person", "glass_by")
    actions = ("approve_many", "reject_many")
    verbs = verbs.VERBS

    # -- who ---------------------------------------------------------------------------------------------------------------

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever holds a grant may be asked, and whoever was asked by name, or has asked, has something to see here."""
        if not (request.user.is_active and getattr(request.user, "is_staff", False)):
            return False
        if holds(request, tuple(Grant)):
            return True
        if not hasattr(request, "_sees_requests"):
            seen = ApprovalRequest.objects.visible_to(request.user).exists()
            request._sees_requests = seen  # type: ignore[attr-defined]
        return request._sees_requests  # type: ignore[attr-defined]

    # -- the list ----------------------------------------------------------------------------------------------------------

    @display(description=_("kind"), ordering="kind")
    def kind_title(self, row: ApprovalRequest) -> str:
        return str(dict(kinds.titles()).get(row.kind, row.kind))

    @display(description=_("since"), ordering="submitted_at")
    def since(self, row: ApprovalRequest) -> datetime:
        return row.submitted_at or row.made_at

    @display(description=_("due"), ordering="next_due_at")
    def due(self, row: ApprovalRequest) -> datetime | None:
        return due_at(row)

    @admin.action(description=_("Approve selected requests"), permissions=["view"])
    def approve_many(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self.ask_many(request, queryset, "approve")

    @admin.action(description=_("Reject selected requests"), permissions=["view"])
    def reject_many(self, request: HttpRequest, queryset: Any) -> HttpResponse | None:
        return self.ask_many(request, queryset, "reject")

    def ask_many(self, request: HttpRequest, queryset: Any, verdict: str) -> HttpResponse | None:
        """The page that names what is about to be decided and asks for the words."""
        rows = list(queryset[: deciding.MOST_AT_ONCE + 1])
        if len(rows) > deciding.MOST_AT_ONCE:
            messages.error(
                request,
                _("At most %(most)d can be decided at once. Narrow the list.") % {"most": deciding.MOST_AT_ONCE},
            )
            return None
        return self._many_page(request, verdict, rows=rows)

    def decide_many(self, request: HttpRequest) -> HttpResponse:
        """Decide what was ticked, each by itself; the page says what became of each."""
        if request.method != "POST":
            return POST_ONLY()
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ManyForm(request.POST)
        ticked = [int(pk) for pk in request.POST.getlist("pk") if pk.isascii() and pk.isdigit() and len(pk) < 19]
        if not form.is_valid() or not ticked:
            messages.error(request, _("Choose requests in the list, then what to do with them."))
            return HttpResponseRedirect(reverse(self.route("changelist")))
        wish = form.cleaned_data
        rows = list(self.get_queryset(request).filter(pk__in=ticked[: deciding.MOST_AT_ONCE]))
        try:
            results = deciding.decide_many(
                ticked, wish["verdict"], by=person(request), words=wish["words"], seen=_seen(request, ticked)
            )
        except Refused as refusal:
            return self._many_page(request, wish["verdict"], rows=rows, words=wish["words"], error=str(refusal.message))
        names = {row.pk: row for row in rows}
        told = [(names.get(result.pk), result) for result in results]
        return self._many_page(request, wish["verdict"], results=told)

    def _many_page(self, request: HttpRequest, verdict: str, **context: Any) -> HttpResponse:
        titles = {"approve": _("Approve selected requests"), "reject": _("Reject selected requests")}
        return TemplateResponse(
            request,
            "admin/approvals/decide_many.html",
            {
                **self.admin_site.each_context(request),
                "title": titles[verdict],
                "opts": self.opts,
                "verdict": verdict,
                "back": reverse(self.route("changelist")),
                "action": reverse(self.route("decide")),
                **context,
            },
        )

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.decide_many)
        return [path("decide/", view, name=self.route("decide").partition(":")[2]), *super().get_urls()]

    # -- one request -------------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return self.page(request, row)

    def verb_view(self, request: HttpRequest, object_id: str | None = None, *, verb: Verb) -> HttpResponse:
        """The page of the request with this verb's form open; POST runs it. A refusal stands above the form, beside the
        request as it is by then, and what was typed is kept."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"})
        row = self.get_object(request, unquote(object_id or ""))
        if not verb.may(request, row):
            raise PermissionDenied
        if request.method != "POST":
            return self.page(request, row, opened=verb.slug)
        try:
            refused = verbs.tried(verb, row, request)
        except OutOfReach as error:
            raise Http404 from error
        if refused is None:
            messages.success(request, verb.done)
            return HttpResponseRedirect(self.after(request, row))
        row = self.get_object(request, unquote(object_id or ""))
        return self.page(request, row, opened=verb.slug, refused=refused)

    def after(self, request: HttpRequest, row: ApprovalRequest) -> str:
        """Back to the request; to the list if the verb took it out of sight."""
        if self.get_queryset(request).filter(pk=row.pk).exists():
            return reverse(self.route("change"), args=[row.pk])
        return reverse(self.route("changelist"))

    def page(
        self, request: HttpRequest, row: ApprovalRequest, opened: str = "", refused: VerbForm | None = None
    ) -> HttpResponse:
        told = request_page(row, person(request), timezone.now())
        context = {
            **self.admin_site.each_context(request),
            "title": f"{told.head.kind}: {told.head.about}",
            "opts": self.opts,
            "original": row,
            "page": told,
            "forms": [
                (verb, form, reverse(self.route(verb.slug), args=[row.pk]))
                for verb, form in verbs.forms_of(row, person(request), told.may, opened, refused)
            ],
            "opened": opened,
            "refused": refused,
        }
        return TemplateResponse(request, "admin/approvals/request.html", context)


def due_at(row: ApprovalRequest) -> datetime | None:
    """When the request is handed up or runs out, whichever comes first."""
    return min(filter(None, (row.escalate_at, row.expire_at)), default=None)
