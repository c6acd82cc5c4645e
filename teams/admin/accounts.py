"""Accounts: the operator's. What an account may see is a grant, given elsewhere."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin import display, register
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _

from teams import inviting, services
from teams.admin.tree import ZoneField
from teams.edges import viewing
from teams.edges.admin import OperatorOnlyAdmin, site
from teams.edges.empty import Step
from teams.edges.verbs import ReasonField, ReasonForm, Verb, VerbForm
from teams.entry import factor, tries
from teams.entry import services as entry
from teams.entry.models import EntryTry
from teams.models import User, ViewAs


class PasswordField(forms.CharField):
    widget = forms.PasswordInput

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("password"))
        super().__init__(strip=False, max_length=256, **kwargs)
        self.widget.attrs["autocomplete"] = "new-password"


class AddAccountForm(VerbForm):
    username = forms.CharField(label=_("user name"), max_length=150)
    full_name = forms.CharField(label=_("name"), max_length=120)
    email = forms.EmailField(label=_("mail address"), required=False)
    language = forms.ChoiceField(label=_("language"), choices=settings.LANGUAGES)
    zone = ZoneField()
    password = PasswordField()
    is_staff = forms.BooleanField(label=_("may enter the admin site"), required=False)


class PasswordForm(VerbForm):
    password = PasswordField(help_text=_("At least 10 characters. Sessions and tokens of the account end."))
    again = PasswordField(label=_("password again"))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password") != values.get("again"):
            raise forms.ValidationError(_("The two passwords differ."))
        return values

    def wish(self) -> dict[str, Any]:
        return {"password": self.cleaned_data["password"]}


class AccessForm(VerbForm):
    is_staff = forms.BooleanField(label=_("may enter the admin site"), required=False)
    is_superuser = forms.BooleanField(label=_("is an operator"), required=False)
    reason = ReasonField()


class GroupsForm(VerbForm):
    groups = forms.ModelMultipleChoiceField(Group.objects.order_by("name"), label=_("groups"), required=False)
    reason = ReasonField()

    def wish(self) -> dict[str, Any]:
        return {**super().wish(), "groups": [group.pk for group in self.cleaned_data["groups"]]}


@register(User, site=site)
class UserAdmin(OperatorOnlyAdmin):
    list_display = ("username", "full_name", "email", "is_staff", "is_superuser", "is_active", "last_login")
    more_columns = ("language", "zone", "date_joined")
    empty_words = _("Nobody can log in yet. An account says who somebody is; what it may see is a grant.")
    empty_steps = (Step(_("New account"), "admin:teams_user_create"),)
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("^username", "full_name", "email")
    fields = (
        "username", "full_name", "email", "language", "zone", "is_staff", "is_superuser", "is_active", "is_suspended",
        "has_factor", "group_names", "last_login", "date_joined",
    )  # fmt: skip
    readonly_fields = (
        "username", "is_staff", "is_superuser", "is_active", "is_suspended", "has_factor", "group_names", "last_login",
        "date_joined",
    )  # fmt: skip
    may_change = True
    verbs = (
        Verb(
            "create",
            _("New account"),
            services.add_account,
            AddAccountForm,
            done=_("The account has been made."),
            on_row=False,
            goes_to_result=True,
        ),
        Verb("password", _("Set password"), services.set_password, PasswordForm, done=_("The password is set.")),
        Verb(
            "access",
            _("Access"),
            services.set_access,
            AccessForm,
            initial=lambda user: {"is_staff": user.is_staff, "is_superuser": user.is_superuser},
        ),
        Verb(
            "groups",
            _("Groups"),
            services.set_groups,
            GroupsForm,
            initial=lambda user: {"groups": list(user.groups.all())},
        ),
        Verb(
            "view-as",
            _("Look as this person"),
            services.start_viewing,
            ReasonForm,
            enter=viewing.enter,
            fits=lambda user: user.is_active and not user.is_superuser,
        ),
        Verb(
            "invite",
            _("Invite"),
            inviting.invite,
            ReasonForm,
            done=_("The invitation is on its way."),
            fits=lambda user: user.is_active and not user.has_usable_password(),
        ),
        Verb(
            "factor",
            _("Reset second factor"),
            factor.reset,
            ReasonForm,
            done=_("The second factor is gone. The person has been told."),
            fits=factor.has,
        ),
        Verb(
            "sessions",
            _("End sessions"),
            entry.end_all_of,
            ReasonForm,
            done=_("All sessions and tokens have ended. The person has been told."),
        ),
        Verb("deactivate", _("Deactivate"), services.deactivate, ReasonForm, fits=lambda user: user.is_active),
        Verb("reactivate", _("Open again"), services.reactivate, ReasonForm, fits=lambda user: not user.is_active),
    )

    @display(description=_("groups"))
    def group_names(self, user: User) -> str:
        return ", ".join(sorted(user.groups.values_list("name", flat=True))) or "–"

    @display(description=_("second factor"), boolean=True)
    def has_factor(self, user: User) -> bool:
        return factor.has(user)


@register(ViewAs, site=site)
class ViewAsAdmin(OperatorOnlyAdmin):
    """Who looked as whom, and why. The person finds it on the own record."""

    list_display = ("viewer", "person", "reason", "started_at", "ended_at")
    empty_words = _("Nobody has looked at the suite as somebody else. It begins on the page of that person's account.")
    empty_steps = (Step(_("Accounts"), "admin:teams_user_changelist"),)
    search_fields = ("person__username", "person__full_name")
    fields = readonly_fields = ("viewer", "person", "reason", "started_at", "until", "ended_at")


@register(EntryTry, site=site)
class EntryTryAdmin(OperatorOnlyAdmin):
    """Who tries at the log-in, from where, and until when the next try waits. A name nobody has is not kept."""

    list_display = ("kind", "user", "address", "tries", "last_at", "locked_until")
    empty_words = _("Nobody has tried in vain to log in. Failed tries stand here for as long as they count.")
    empty_steps = (Step(_("Accounts"), "admin:teams_user_changelist"),)
    list_filter = ("kind",)
    search_fields = ("user__username",)
    fields = ("kind", "user", "address", "tries", "first_at", "last_at", "locked_until")
    open_relations = ("user",)
    verbs = (Verb("lift", _("Lift the lock"), tries.lift, ReasonForm, done=_("The next try may be made at once.")),)
