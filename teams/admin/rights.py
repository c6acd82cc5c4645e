"""Grants: given and taken by the operator, read by the leads of the teams they open."""

from typing import Any

from django import forms
from django.contrib.admin import display, register
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from teams import services
from teams.admin.tree import TeamChoice
from teams.edges.admin import OperatorOnlyAdmin, ScopedAdmin, site
from teams.edges.empty import Step
from teams.edges.verbs import MomentField, ReasonField, ReasonForm, Verb, VerbForm
from teams.grants import known_people
from teams.models import TeamGroupGrant, TeamUserGrant, User
from teams.querysets import EVERY_GRANT
from teams.scoping import Grant
from teams.services import undoable
from teams.services.delegating import DELEGABLE


class GiveForm(VerbForm):
    team = TeamChoice(label=_("team"), help_text=_("With all teams below it."))
    grant = forms.ChoiceField(label=_("grant"), choices=Grant.choices)
    until = MomentField(label=_("ends at"), required=False, help_text=_("Empty: until it is taken."))
    reason = ReasonField()


class GiveUserForm(GiveForm):
    user = forms.ModelChoiceField(User.objects.filter(is_active=True).order_by("username"), label=_("person"))
    field_order = ("user", "team", "grant", "until", "reason")


class GiveGroupForm(GiveForm):
    group = forms.ModelChoiceField(Group.objects.order_by("name"), label=_("group"))
    field_order = ("group", "team", "grant", "until", "reason")


class DelegateForm(VerbForm):
    """Own rights only: teams of own grants, grants one holds, and persons one may know who could use them."""

    team = TeamChoice(label=_("team"), help_text=_("With all teams below it."))
    grant = forms.ChoiceField(label=_("grant"), choices=[(each.value, each.label) for each in DELEGABLE])
    deputy = forms.ModelChoiceField(User.objects.filter(is_active=True, is_staff=True), label=_("deputy"))
    since = MomentField(label=_("from"), required=False, help_text=_("Empty: at once. Your own time."))
    until = MomentField(label=_("until"), help_text=_("At most 90 days. Your own time."))
    reason = ReasonField()

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, user=user, **kwargs)
        deputies: Any = self.fields["deputy"]
        known = known_people(user).filter(is_active=True, is_staff=True, is_superuser=False)
        deputies.queryset = known.exclude(pk=user.pk).order_by("full_name", "username")


def _take_group_grant(pk: int, **wish: Any) -> None:
    services.take_grant(pk, of_group=True, **wish)


class GrantAdmin(ScopedAdmin):
    """Who holds what on a team belongs to the team's lead to know: holder and grant are named with the row."""

    list_filter = ("content_object",)

    @display(description=_("grant"))
    def kind(self, row: Any) -> str:
        return Grant(row.permission.codename).label

    @display(description=_("holder"))
    def holder(self, row: Any) -> str:
        return str(getattr(row, "user", None) or row.group)


@register(TeamUserGrant, site=site)
class TeamUserGrantAdmin(GrantAdmin):
    """To the lead of the team, and to whoever holds the grant or has handed it on."""

    readers = EVERY_GRANT
    open_relations = ("user", "permission", "on_behalf_of")
    empty_words = _("No person holds a grant of their own on the teams you lead. Grants are given by the operator.")
    empty_steps = (
        Step(_("Give a grant"), "admin:teams_teamusergrant_give"),
        Step(_("Teams"), "admin:teams_team_changelist"),
    )
    list_display = ("holder", "kind", "content_object", "behalf", "since", "until", "reason", "given_at")
    search_fields = ("user__username", "user__full_name")
    fields = readonly_fields = (
        "holder", "kind", "content_object", "behalf", "since", "until", "reason", "given_at",
    )  # fmt: skip
    verbs = (
        Verb(
            "give",
            _("Give a grant"),
            services.give_grant,
            GiveUserForm,
            done=_("The grant is given."),
            on_row=False,
            undo=undoable.GIVE_USER,
        ),
        Verb("take", _("Take away"), services.take_grant, done=_("The grant is taken."), undo=undoable.TAKE_USER),
        Verb(
            "delegate",
            _("Delegate"),
            services.delegate,
            DelegateForm,
            DELEGABLE,
            done=_("The right is delegated; both of you are told."),
            on_row=False,
        ),
        Verb(
            "end",
            _("End delegation"),
            services.end_delegation,
            ReasonForm,
            EVERY_GRANT,
            done=_("The delegation has ended."),
            fits=lambda grant: grant.on_behalf_of_id is not None,
        ),
    )

    @display(description=_("on behalf of"))
    def behalf(self, row: TeamUserGrant) -> str:
        return str(row.on_behalf_of or "–")


@register(TeamGroupGrant, site=site)
class TeamGroupGrantAdmin(GrantAdmin):
    open_relations = ("group", "permission")
    empty_words = _("No group holds a grant on the teams you lead. Grants are given by the operator.")
    empty_steps = (
        Step(_("Give a grant"), "admin:teams_teamgroupgrant_give"),
        Step(_("Teams"), "admin:teams_team_changelist"),
    )
    list_display = ("holder", "kind", "content_object", "until", "reason", "given_at")
    fields = readonly_fields = ("holder", "kind", "content_object", "until", "reason", "given_at")
    verbs = (
        Verb(
            "give",
            _("Give a grant"),
            services.give_grant,
            GiveGroupForm,
            done=_("The grant is given."),
            on_row=False,
            undo=undoable.GIVE_GROUP,
        ),
        Verb("take", _("Take away"), _take_group_grant, done=_("The grant is taken."), undo=undoable.TAKE_GROUP),
    )


@register(Group, site=site)
class GroupAdmin(OperatorOnlyAdmin):
    """Groups only gather people; what they may is a grant on a team. Django's permissions of groups are not used."""

    may_add = may_change = True
    list_display = ("name",)
    empty_words = _("A group gathers people who shall hold the same grants. There is none yet.")
    empty_steps = (Step(_("Add a group"), "admin:auth_group_add"),)
    search_fields = ("name",)
    fields = ("name",)
