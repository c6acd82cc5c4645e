"""Rules of approval in the admin: those in force, each in sentences with its versions, and the page on which they are written.

Nobody writes the rules of the own team: the choice offers teams below those that one leads, and the service looks again.
"""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from approvals import kinds
from approvals.forms.policies import RulesForm, TooLarge, filled, rules_form
from approvals.models import ApprovalPolicy
from approvals.reports import policies as reports
from approvals.services import policies
from teams.edges.admin import ScopedAdmin, site
from teams.edges.empty import Step
from teams.edges.scope import holds, person
from teams.edges.verbs import ReasonForm, Verb, VerbForm
from teams.errors import OutOfReach, Refused
from teams.models import Team
from teams.scoping import Grant, reach

LEAD = (Grant.LEAD,)


class ForceFilter(admin.SimpleListFilter):
    title, parameter_name = _("versions"), "versions"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("current", _("In force")), ("all", _("All versions"))]

    def value(self) -> str:
        return super().value() or "current"

    def choices(self, changelist: Any) -> Any:
        for value, title in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.value() == value, "query_string": query, "display": title}

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset if self.value() == "all" else queryset.current()


class PolicyKindFilter(admin.SimpleListFilter):
    title, parameter_name = _("kind"), "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return kinds.titles()

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class TeamAndKind(VerbForm):
    """Whose rules of which kind."""

    team = forms.ModelChoiceField(Team.objects.filter(is_closed=False), label=_("team"))
    kind = forms.ChoiceField(label=_("kind"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"].choices = kinds.titles()  # type: ignore[attr-defined]


class WritableTeamAndKind(TeamAndKind):
    """Teams whose rules this person may write: those below a team they lead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams: Any = self.fields["team"]
        if not self.user.is_superuser:
            teams.queryset = teams.queryset.filter(parent__in=reach(self.user, LEAD))


@admin.register(ApprovalPolicy, site=site)
class ApprovalPolicyAdmin(ScopedAdmin):
    empty_words = _(
        "No team in your reach has rules of its own: each kind of request goes by its standard. Who leads the team above "
        "writes the rules of a team."
    )
    empty_steps = (
        Step(_("Which rules decide?"), "admin:approvals_approvalpolicy_which", LEAD),
        Step(_("Write rules"), "admin:approvals_approvalpolicy_write", LEAD),
    )
    pages: ClassVar[tuple[tuple[Any, str], ...]] = (
        (_("Write rules"), "admin:approvals_approvalpolicy_write"),
        (_("Which rules decide?"), "admin:approvals_approvalpolicy_which"),
    )
    list_display = ("kind_title", "team", "number", "is_current", "made_by", "made_at", "reason")
    list_display_links = ("kind_title",)
    list_filter = (ForceFilter, PolicyKindFilter, "team")
    ordering = ("kind", "team__name", "-number")
    open_relations = ("made_by",)  # who wrote a rule belongs to the rule
    verbs = (
        Verb(
            "drop", _("Drop rules"), policies.drop_policy, ReasonForm, LEAD,
            _("The team goes by the rules of the next team above again."), fits=lambda row: row.is_current,
        ),
    )  # fmt: skip

    @display(description=_("kind"), ordering="kind")
    def kind_title(self, row: ApprovalPolicy) -> str:
        return str(dict(kinds.titles()).get(row.kind, row.kind))

    def get_urls(self) -> list[Any]:
        own = [
            path("write/", self.admin_site.admin_view(self.write), name=self.route("write").partition(":")[2]),
            path("which/", self.admin_site.admin_view(self.which), name=self.route("which").partition(":")[2]),
        ]
        return own + super().get_urls()

    # -- one version -------------------------------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        team = Team.objects.filter(pk=row.team_id).first()
        may_write = team is not None and policies.may_write(team, person(request))
        write = f"{reverse(self.route('write'))}?{urlencode({'team': row.team_id, 'kind': row.kind})}"
        return self._page(
            request,
            "admin/approvals/policy.html",
            title=f"{self.kind_title(row)}: {row.team}",
            original=str(row.team),
            page=reports.policy_page(row, request.user),
            write=write if may_write else "",
            drop=reverse(self.route("drop"), args=[row.pk]) if may_write and row.is_current else "",
        )

    # -- which decides -----------------------------------------------------------------------------------------------------

    def which(self, request: HttpRequest) -> HttpResponse:
        """Which rules decide for a team, and the standard of each kind."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        if not holds(request, LEAD):
            raise PermissionDenied
        asked = request.GET if "team" in request.GET else None
        form = TeamAndKind(asked, user=request.user)
        found = None
        if asked is not None and form.is_valid():
            found = reports.deciding(form.cleaned_data["team"], kinds.kind_of(form.cleaned_data["kind"]))
        return self._page(
            request, "admin/approvals/which.html", title=_("Which rules decide?"), form=form, found=found,
            standards=reports.standards(),
        )  # fmt: skip

    # -- writing -----------------------------------------------------------------------------------------------------------

    def write(self, request: HttpRequest) -> HttpResponse:
        """Choose team and kind; fill in the rules; look at them in words and at a dry run; then let them hold."""
        if request.method not in ("GET", "HEAD", "POST"):
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD, POST"})
        if not holds(request, LEAD):
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else request.GET
        choice = WritableTeamAndKind(asked if "team" in asked else None, user=request.user)
        if not choice.is_bound or not choice.is_valid():
            return self._page(request, "admin/approvals/write_choice.html", title=_("Write rules"), form=choice)
        team, kind = choice.cleaned_data["team"], kinds.kind_of(choice.cleaned_data["kind"])
        form_class = rules_form(kind, request.user)
        if request.method != "POST":
            return self._editor(request, team, kind, self._begun(request, form_class, team, kind))
        form = form_class(request.POST, user=request.user)
        if not form.is_valid():
            return self._editor(request, team, kind, form)
        if request.POST.get("do") != "keep":
            return self._editor(request, team, kind, form, looked=True)
        reason = request.POST.get("reason", "").replace("\x00", "")[:300]
        try:
            made = policies.set_policy(team.pk, kind.name, form.definition, by=person(request), reason=reason)
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
            return self._editor(request, team, kind, form, looked=refusal.code == "no_reason")
        except OutOfReach as error:
            raise Http404 from error
        messages.success(request, _("The rules hold from now on. Running requests keep those they began with."))
        return HttpResponseRedirect(reverse(self.route("change"), args=[made.pk]))

    def _begun(self, request: HttpRequest, form_class: type[RulesForm], team: Team, kind: Any) -> RulesForm:
        """The form with the rules that decide now: the team's own, or those it would leave."""
        current = ApprovalPolicy.objects.visible_to(request.user).current().filter(team=team, kind=kind.name).first()
        definition = current.definition if current is not None else kind.standard()
        try:
            values = filled(definition)
        except TooLarge as sentence:
            messages.warning(request, str(sentence))
            values = filled(kind.standard())
        return form_class(None, user=request.user, initial=values)

    def _editor(
        self, request: HttpRequest, team: Team, kind: Any, form: RulesForm, *, looked: bool = False
    ) -> HttpResponse:
        preview = trials = None
        if looked:
            preview = reports.in_words(form.definition, kind)
            trials = reports.dry_run(kind, team, form.definition, request.user)
        return self._page(
            request, "admin/approvals/write.html", title=_("Write rules"), form=form, team=team, kind=kind, preview=preview,
            trials=trials, others=sum(trial.is_other for trial in trials or ()), reason=request.POST.get("reason", ""),
            facts=kind.facts,
        )  # fmt: skip

    def _page(self, request: HttpRequest, template: str, **context: Any) -> HttpResponse:
        context["title"] = capfirst(str(context["title"]))
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "back": reverse(self.route("changelist"))}
        return TemplateResponse(request, template, frame | context)
