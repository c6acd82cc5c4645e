"""Agents: the roster, and the pages of the verbs that change where somebody belongs."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import display, register
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field
from import_export.widgets import DateWidget

from teams import services
from teams.admin.tree import TeamChoice, ZoneField
from teams.edges import networks
from teams.edges.admin import ScopedAdmin, ScopedInline, site
from teams.edges.empty import Step
from teams.edges.sight import SeersPage
from teams.edges.transfer import ScopedForeignKeyWidget, ScopedResource
from teams.edges.verbs import DayField, MomentField, ReasonField, ReasonForm, Verb, VerbForm
from teams.errors import Refused
from teams.models import AccessRecord, Agent, AgentZone, Loan, Membership, Skill, Team, User
from teams.querysets import EVERY_GRANT
from teams.scoping import Grant
from teams.services import copies, erasure, undoable
from teams.services.people import KEEPERS
from teams.services.spans import today_in


class AddAgentForm(VerbForm):
    number = forms.CharField(label=_("number"), max_length=40)
    name = forms.CharField(label=_("name"), max_length=120)
    team = TeamChoice(label=_("team"))
    zone = ZoneField()
    on = DayField(label=_("first day"))
    role = forms.ChoiceField(label=_("role"), choices=Agent.Role.choices, initial=Agent.Role.AGENT)
    locale = forms.ChoiceField(label=_("language"), choices=settings.LANGUAGES)
    reason = ReasonField(required=False)


class EditAgentForm(VerbForm):
    name = forms.CharField(label=_("name"), max_length=120)
    locale = forms.ChoiceField(label=_("language"), choices=settings.LANGUAGES)
    role = forms.ChoiceField(label=_("role"), choices=Agent.Role.choices)
    reason = ReasonField()


class MoveAgentForm(VerbForm):
    team = TeamChoice(label=_("new team"))
    on = DayField(label=_("from"), help_text=_("On the agent's own calendar. Earlier facts keep their team."))
    reason = ReasonField()


class LendForm(VerbForm):
    team = TeamChoice(label=_("borrowing team"))
    start = DayField(label=_("first day"))
    last_day = DayField(label=_("last day"))
    reason = ReasonField()


class ZoneForm(VerbForm):
    zone = ZoneField()
    since = MomentField(label=_("from"), required=False, help_text=_("Empty: at once. Your own time."))
    reason = ReasonField()


class LeaveForm(VerbForm):
    last_day = DayField(label=_("last day"))
    reason = ReasonField()


class SkillsForm(VerbForm):
    skills = forms.ModelMultipleChoiceField(Skill.objects.order_by("name"), label=_("skills"), required=False)
    reason = ReasonField()

    def wish(self) -> dict[str, Any]:
        return {**super().wish(), "skills": [skill.pk for skill in self.cleaned_data["skills"]]}


class AccountForm(VerbForm):
    user = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("username"), label=_("account"), required=False
    )
    reason = ReasonField()


class EraseForm(VerbForm):
    reason = ReasonField(
        help_text=_(
            "When a second person has confirmed it, an erasure cannot be undone: name, account, notes and traces go; figures "
            "and wages stay under a pseudonym."
        )
    )


class MembershipInline(ScopedInline):
    model = Membership
    fields = ("team", "term", "reason")


class LoanInline(ScopedInline):
    model = Loan
    fields = ("team", "term", "reason")


class ZoneInline(ScopedInline):
    model = AgentZone
    fields = ("zone", "term")


class AgentResource(ScopedResource):
    """One line per agent, known by number. Known numbers change name, language and role; new ones become agents."""

    team = Field(attribute="team", column_name="team", widget=ScopedForeignKeyWidget(Team, "code"))
    started_on = Field(attribute="started_on", column_name="started_on", widget=DateWidget(format="%Y-%m-%d"))

    class Meta:
        model = Agent
        fields: tuple[str, ...] = (
            "number",
            "name",
            "team",
            "zone",
            "role",
            "locale",
            "status",
            "started_on",
            "left_on",
        )
        export_order: tuple[str, ...] = fields
        import_id_fields = ("number",)
        skip_unchanged = True
        skip_diff = True


class AgentImport(AgentResource):
    class Meta(AgentResource.Meta):
        fields = ("number", "name", "team", "zone", "role", "locale", "started_on")
        export_order = fields

    def skip_row(self, instance: Any, original: Any, row: Any, import_validation_errors: Any = None) -> bool:
        return False

    def import_instance(self, instance: Any, row: Any, **kwargs: Any) -> None:
        """Nothing is put on the instance: the verbs below take the values, and decide."""

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        try:
            saved = self._add(row) if is_create else self._edit(instance, row)
        except ValidationError as error:
            raise Refused("invalid", "; ".join(error.messages)) from error
        instance.pk, instance.name, instance.number = saved.pk, saved.name, saved.number

    def _value(self, row: Any, name: str) -> Any:
        return self.fields[name].clean(row) if name in row else None

    def _add(self, row: Any) -> Agent:
        missing = [name for name in ("number", "name", "team", "zone", "started_on") if not row.get(name)]
        if missing:
            raise Refused("missing", _("“%(name)s” is empty.") % {"name": missing[0]})
        return services.add_agent(
            number=str(row["number"]).strip(),
            name=str(row["name"]).strip(),
            team=self._value(row, "team").pk,
            zone=str(row["zone"]).strip(),
            on=self._value(row, "started_on"),
            role=row.get("role") or Agent.Role.AGENT,
            locale=row.get("locale") or "en",
            by=self.user,
            reason=str(_("import")),
        )

    def _edit(self, agent: Agent, row: Any) -> Agent:
        return services.edit_agent(
            agent.pk,
            name=str(row.get("name") or agent.name).strip(),
            locale=row.get("locale") or agent.locale,
            role=row.get("role") or agent.role,
            by=self.user,
            reason=str(_("import")),
        )


def _today(agent: Agent) -> dict[str, Any]:
    return {"on": today_in(agent.zone)}


def _works(agent: Agent) -> bool:
    return agent.status != Agent.Status.LEFT


@register(Agent, site=site)
class AgentAdmin(SeersPage, ScopedAdmin):
    list_display = ("number", "name", "team", "role", "status", "zone")
    more_columns = ("locale", "started_on", "left_on")
    empty_words = _("Nobody is on the roster of your teams yet. Add people one by one, or all at once from a file.")
    empty_steps = (
        Step(_("New agent"), "admin:teams_agent_create"),
        Step(_("Import"), "admin:teams_agent_import"),
        Step(_("Teams"), "admin:teams_team_changelist"),
    )
    list_filter = ("team", "status", "role")
    search_fields = ("^number", "name")
    search_help_text = _("Number or name")
    ordering = ("number",)
    fields = readonly_fields = (
        "number", "name", "user", "team", "zone", "locale", "role", "skill_names", "status", "started_on", "left_on",
    )  # fmt: skip
    inlines = (MembershipInline, LoanInline, ZoneInline)
    resource = AgentResource
    import_resource = AgentImport
    verbs = (
        Verb(
            "create",
            _("New agent"),
            services.add_agent,
            AddAgentForm,
            KEEPERS,
            _("The agent has been added."),
            on_row=False,
            goes_to_result=True,
        ),
        Verb(
            "edit",
            _("Edit"),
            services.edit_agent,
            EditAgentForm,
            KEEPERS,
            initial=lambda agent: {"name": agent.name, "locale": agent.locale, "role": agent.role},
        ),
        Verb(
            "move",
            _("Move"),
            services.move_agent,
            MoveAgentForm,
            KEEPERS,
            _("The move has been entered."),
            initial=_today,
            fits=_works,
            undo=undoable.MOVE,
        ),
        Verb(
            "cancel-move",
            _("Cancel planned move"),
            services.cancel_planned_transfer,
            ReasonForm,
            KEEPERS,
            undo=undoable.CANCEL_MOVE,
        ),
        Verb(
            "lend",
            _("Lend"),
            services.lend_agent,
            LendForm,
            KEEPERS,
            _("The loan has been entered."),
            initial=lambda agent: {"start": today_in(agent.zone)},
            fits=_works,
            undo=undoable.LEND,
        ),
        Verb(
            "zone",
            _("Change time zone"),
            services.change_zone,
            ZoneForm,
            KEEPERS,
            initial=lambda agent: {"zone": agent.zone},
        ),
        Verb(
            "skills",
            _("Skills"),
            services.set_skills,
            SkillsForm,
            KEEPERS,
            initial=lambda agent: {"skills": list(agent.skills.all())},
            undo=undoable.SKILLS,
        ),
        Verb(
            "leave",
            _("Leave"),
            services.leave,
            LeaveForm,
            KEEPERS,
            _("The leaving has been entered."),
            initial=lambda agent: {"last_day": today_in(agent.zone)},
            fits=_works,
        ),
        Verb(
            "return",
            _("Return"),
            services.return_agent,
            MoveAgentForm,
            KEEPERS,
            _("Welcome back."),
            initial=_today,
            fits=lambda agent: agent.left_on is not None,
        ),
        Verb(
            "copy",
            _("Copy of data"),
            copies.ask_copy,
            ReasonForm,
            (Grant.ONBOARD,),
            _("The copy is being made. You find it under “My data” in your account's menu; only you can download it."),
        ),
        Verb(
            "erase",
            _("Erase"),
            erasure.ask_erasure,
            EraseForm,
            (Grant.ONBOARD,),
            _("The erasure waits for a second person, under “Erasures”."),
            fits=lambda agent: agent.status == Agent.Status.LEFT,
        ),
        Verb("account", _("Account"), services.link_account, AccountForm, initial=lambda agent: {"user": agent.user}),
    )

    def export_view(self, request: Any, kind: str) -> Any:
        networks.require(request)
        return super().export_view(request, kind)

    def verb_view(self, request: Any, object_id: str | None = None, *, verb: Verb) -> Any:
        if verb.slug == "copy" and verb.may(request):
            networks.require(request)
        return super().verb_view(request, object_id, verb=verb)

    @display(description=_("skills"))
    def skill_names(self, agent: Agent) -> str:
        return ", ".join(str(skill) for skill in agent.skills.all()) or "–"


@register(Loan, site=site)
class LoanAdmin(ScopedAdmin):
    """Loans, running and past, to those who see the borrowing team; they may end them."""

    list_display = ("agent", "team", "term", "reason")
    empty_words = _("Nobody is lent to or by your teams. A loan is entered on the page of the agent, under “Lend”.")
    empty_steps = (Step(_("Agents"), "admin:teams_agent_changelist"),)
    list_filter = ("team",)
    fields = readonly_fields = ("agent", "team", "term", "reason")
    verbs = (Verb("end", _("End loan"), services.end_loan, ReasonForm, KEEPERS, _("The loan has been ended.")),)


@register(Skill, site=site)
class SkillAdmin(ScopedAdmin):
    """The shared vocabulary: read by whoever holds a grant, written by the operator."""

    readers, writers = EVERY_GRANT, ()
    may_add = may_change = True
    list_display = ("code", "name")
    empty_words = _("Skills are the shared words for what somebody can do. The operator names them; none is named yet.")
    empty_steps = (
        Step(_("Add a skill"), "admin:teams_skill_add"),
        Step(_("Agents"), "admin:teams_agent_changelist"),
        Step(_("Teams"), "admin:teams_team_changelist"),
    )
    search_fields = ("code", "name")


@register(AccessRecord, site=site)
class AccessRecordAdmin(ScopedAdmin):
    """Who looked at whom. The viewer's name is what the record is for, so it is shown whoever it is."""

    readers = (Grant.LEAD,)
    open_relations = ("viewer",)
    list_display = ("agent", "viewer", "door", "seen_on", "times", "last_at")
    empty_words = _("Nobody has opened the figures of your people yet. Each look is written down here, with its day.")
    empty_steps = (Step(_("Agents"), "admin:teams_agent_changelist"),)
    list_filter = ("door",)
    date_hierarchy = "seen_on"
    fields = readonly_fields = ("agent", "viewer", "door", "seen_on", "times", "last_at")
