"""The tree of teams, and who can see a team."""

from functools import partial
from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Count, OuterRef, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from teams import services, sight
from teams.clock import zone_names
from teams.edges.admin import ScopedAdmin, ScopedInline, site
from teams.edges.empty import Step
from teams.edges.filters import ScopedChangeList
from teams.edges.sight import SeersPage
from teams.edges.transfer import ScopedForeignKeyWidget, ScopedResource
from teams.edges.verbs import DayField, Preview, ReasonField, ReasonForm, Verb, VerbForm
from teams.models import Agent, Team, TeamLineage, TeamPlacement
from teams.scoping import AnyOf, Grant
from teams.services.spans import today_in

LEAD = (Grant.LEAD,)


class ZoneField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        choices = partial(lambda: [(name, name) for name in sorted(zone_names())])
        super().__init__(label=kwargs.pop("label", _("time zone")), choices=choices, **kwargs)


class TeamChoice(forms.ModelChoiceField):
    """An open team in reach, named with the way to it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Team.objects.filter(is_closed=False).order_by("name", "pk"), **kwargs)

    def label_from_instance(self, row: Team) -> str:
        return f"{row.name} ({row.code})"


class CreateTeamForm(VerbForm):
    name = forms.CharField(label=_("name"), max_length=120)
    code = forms.CharField(label=_("code"), max_length=40)
    zone = ZoneField()
    parent = TeamChoice(label=_("team above"), required=False, help_text=_("Only the operator leaves this empty."))
    reason = ReasonField(required=False)


class RenameTeamForm(VerbForm):
    name = forms.CharField(label=_("name"), max_length=120)
    zone = ZoneField()
    reason = ReasonField()


class MoveTeamForm(VerbForm):
    parent = TeamChoice(label=_("new team above"), required=False, help_text=_("Only the operator leaves this empty."))
    on = DayField(label=_("from"), help_text=_("A later day is a plan: the move happens when that day begins there."))
    reason = ReasonField()


class PlacementInline(ScopedInline):
    model = TeamPlacement
    fk_name = "team"
    fields = ("parent", "term", "reason")
    verbose_name_plural = _("places in the tree")


class TeamResource(ScopedResource):
    parent = Field(attribute="parent", column_name="parent", widget=ScopedForeignKeyWidget(Team, "code"))

    class Meta:
        model = Team
        fields = ("code", "name", "parent", "zone", "is_closed")
        export_order = fields


def _shifts(team: Team, user: Any, wish: dict[str, Any]) -> Preview | None:
    """Who would gain and lose sight of the team, if `user` could move it there at all: else the verb says why not."""
    if wish["parent"] is None and not user.is_superuser:
        return None
    gains, losses = sight.shifts(team, wish["parent"], user)
    told = {"gains": gains, "losses": losses, "team": team, "teams": Team.objects.below(team).count()}
    return Preview("admin/shifts.html", told)


class TreeChangeList(ScopedChangeList):
    """Each team below the one above: by the names on the way from the top."""

    def get_ordering(self, request: HttpRequest, queryset: Any) -> list[str]:
        return ["way", "pk"]


@register(Team, site=site)
class TeamAdmin(SeersPage, ScopedAdmin):
    """The list is the tree itself, each team below the one above, as far as one sees."""

    list_display = ("indented", "code", "parent", "zone", "agents_now", "is_closed")
    list_filter = ("is_closed",)
    search_fields = ("name", "code")
    sortable_by = ()
    empty_words = _("Everything in here belongs to a team: people, sources, targets. None is open to you yet.")
    empty_steps = (Step(_("New team"), "admin:teams_team_create"),)
    fields = readonly_fields = ("name", "code", "parent", "zone", "is_closed")
    inlines = (PlacementInline,)
    resource = TeamResource
    verbs = (
        Verb(
            "create",
            _("New team"),
            services.create_team,
            CreateTeamForm,
            LEAD,
            _("The team has been made."),
            on_row=False,
            goes_to_result=True,
        ),
        Verb(
            "rename",
            _("Rename"),
            services.rename_team,
            RenameTeamForm,
            LEAD,
            initial=lambda team: {"name": team.name, "zone": team.zone},
        ),
        Verb(
            "move",
            _("Move"),
            services.move_team,
            MoveTeamForm,
            LEAD,
            _("The move has been entered."),
            initial=lambda team: {"on": today_in(team.zone)},
            preview=_shifts,
        ),
        Verb("cancel-move", _("Cancel planned move"), services.cancel_planned_move, ReasonForm, LEAD),
        Verb("close", _("Close"), services.close_team, ReasonForm, LEAD, fits=lambda team: not team.is_closed),
        Verb("reopen", _("Reopen"), services.reopen_team, ReasonForm, LEAD, fits=lambda team: team.is_closed),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        seen = Team.objects.visible_to(request.user).values("pk")
        above = TeamLineage.objects.filter(descendant=OuterRef("pk"))
        ways = above.filter(AnyOf("ancestor", seen)).values("descendant").annotate(count=Count("pk")).values("count")
        at_work = Agent.objects.current().filter(team=OuterRef("pk")).order_by().values("team")
        people = at_work.annotate(count=Count("pk")).values("count")
        return (
            super()
            .get_queryset(request)
            .annotate(
                way=ArraySubquery(above.order_by("-depth").values("ancestor__name")),
                steps=Subquery(ways),
                people=Subquery(people),
            )
            .order_by("way", "pk")
        )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ScopedChangeList]:
        return TreeChangeList

    @display(description=_("team"))
    def indented(self, team: Any) -> Any:
        return format_html('<span style="padding-left:{}em">{}</span>', 1.5 * ((team.steps or 1) - 1), team.name)

    @display(description=_("agents"))
    def agents_now(self, team: Any) -> int:
        return team.people or 0
