"""Verbs of rights and accounts: the operator's, recorded, and never so that nobody is left who may."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams.audit import delete_with_history, save_with_history
from teams.entry import ending
from teams.errors import OutOfReach, Refused
from teams.models import Agent, Team, TeamGroupGrant, TeamUserGrant, User
from teams.scoping import Grant
from teams.services.delegating import end_unfounded


def _operator_only(by: User) -> None:
    if not (by.is_active and by.is_superuser):
        raise OutOfReach


def _grant_row(user: int | None, group: int | None, team: int, grant: Grant) -> Any:
    """The grant's row under lock, or a new one, unsaved."""
    permission = Permission.objects.get(codename=grant.value, content_type__app_label="teams")
    model: Any = TeamUserGrant if user is not None else TeamGroupGrant
    keys = {"content_object_id": team, "permission": permission}
    keys |= {"user_id": user} if user is not None else {"group_id": group}
    return model.objects.select_for_update().filter(**keys).first() or model(**keys)


@transaction.atomic
def give_grant(
    *,
    team: int,
    grant: str,
    reason: str,
    by: User,
    user: int | None = None,
    group: int | None = None,
    until: datetime | None = None,
) -> TeamUserGrant | TeamGroupGrant:
    """Let a person or a group use `grant` on `team` and all below, until a moment if given. Again: the new end counts.

    Raises OutOfReach unless `by` is the operator, or Refused: one_holder, own_rights, closed_account, end_has_passed.
    """
    _operator_only(by)
    if (user is None) == (group is None):
        raise Refused("one_holder", _("Choose either a person or a group."))
    Team.objects.visible_to(by).take(team)
    if user is not None:
        holder = User.objects.select_for_update().filter(pk=user).first()
        if holder is None:
            raise OutOfReach
        if holder == by:
            raise Refused("own_rights", _("Nobody gives rights to themselves."))
        if not holder.is_active:
            raise Refused("closed_account", _("This account is closed. Open it first."))
    elif group is None or not Group.objects.filter(pk=group).exists():
        raise OutOfReach
    if until is not None and until <= timezone.now():
        raise Refused("end_has_passed", _("The end lies in the past."))
    row = _grant_row(user, group, team, Grant(grant))
    row.until, row.reason, row.since = until, reason, None
    if user is not None:
        row.on_behalf_of = None
    save_with_history(row, by=by, reason=reason)
    end_unfounded(by=by, reason=reason)  # a shorter end may leave a delegation without ground
    return row


@transaction.atomic
def take_grant(pk: int, *, by: User, reason: str, of_group: bool = False) -> None:
    """End a grant at once. Raises OutOfReach unless `by` is the operator and the grant is there."""
    _operator_only(by)
    model = TeamGroupGrant if of_group else TeamUserGrant
    row = model.objects.select_for_update().filter(pk=pk).first()
    if row is None:
        raise OutOfReach
    delete_with_history(row, by=by, reason=reason)
    end_unfounded(by=by, reason=reason)


@transaction.atomic
def sweep_grants() -> int:
    """Remove grants whose end has passed, with their history; how many. They opened nothing any more. Repeatable."""
    swept = 0
    for model in (TeamUserGrant, TeamGroupGrant):
        for row in model.objects.lapsed().select_for_update(skip_locked=True, of=("self",)).order_by("pk"):
            delete_with_history(row, by=None, reason=str(_("lapsed")))
            swept += 1
    end_unfounded(by=None, reason=str(_("the right behind it has ended")))
    return swept


@transaction.atomic
def add_account(
    *, username: str, full_name: str, email: str, language: str, zone: str, password: str, is_staff: bool, by: User
) -> User:
    """A new account without any right. Raises OutOfReach, or Refused: name_taken, weak_password."""
    _operator_only(by)
    if User.objects.filter(username__iexact=username).exists():
        raise Refused("name_taken", _("An account of this name exists already."))
    user = User(username=username, full_name=full_name, email=email, language=language, zone=zone, is_staff=is_staff)
    _set_password(user, password)
    user.full_clean()
    save_with_history(user, by=by, reason=str(_("new account")))
    return user


@transaction.atomic
def set_password(pk: int, password: str, *, by: User) -> None:
    """A new password for an account; its sessions and tokens end, the person is told. Raises OutOfReach, Refused."""
    _operator_only(by)
    user = _take_account(pk)
    _set_password(user, password)
    save_with_history(user, "password", by=by, reason=str(_("password set by the operator")))
    ending.end_sessions(user)
    ending.end_tokens(user)
    ending.tell(user, "password_set")


@transaction.atomic
def set_access(pk: int, *, is_staff: bool, is_superuser: bool, reason: str, by: User) -> User:
    """Whether an account may enter the admin site, and whether it is an operator's.

    Raises OutOfReach, or Refused: own_rights, last_operator.
    """
    _operator_only(by)
    operators = _lock_operators()
    user = _take_account(pk)
    if user == by:
        raise Refused("own_rights", _("Somebody else has to change your own rights."))
    if user.is_superuser and not is_superuser:
        _refuse_last(operators, user)
    user.is_staff, user.is_superuser = is_staff or is_superuser, is_superuser
    save_with_history(user, "is_staff", "is_superuser", by=by, reason=reason)
    return user


@transaction.atomic
def set_groups(pk: int, groups: list[int], *, by: User, reason: str) -> None:
    """The groups of an account, all at once; the change stands in its history by name. Raises OutOfReach, or Refused."""
    _operator_only(by)
    user = _take_account(pk)
    if user == by:
        raise Refused("own_rights", _("Somebody else has to change your own rights."))
    user.groups.set(groups)
    end_unfounded(by=by, reason=reason, givers=[user.pk])
    names = ", ".join(Group.objects.filter(pk__in=groups).order_by("name").values_list("name", flat=True)) or "–"
    save_with_history(user, "is_staff", by=by, reason=f"{reason} [{names}]")


@transaction.atomic
def deactivate(pk: int, *, by: User, reason: str) -> None:
    """Close an account: no log-in, no token, no grant. Raises OutOfReach, or Refused: own_rights, last_operator."""
    _operator_only(by)
    if pk == by.pk:
        raise Refused("own_rights", _("Somebody else has to change your own rights."))
    _take_account(pk)
    close_account(pk, by=by, reason=reason)


@transaction.atomic
def reactivate(pk: int, *, by: User, reason: str) -> None:
    """Open a closed account again, without its former rights. Raises OutOfReach."""
    _operator_only(by)
    user = _take_account(pk)
    user.is_active = True
    save_with_history(user, "is_active", by=by, reason=reason)


def close_account(pk: int, *, by: User | None, reason: str) -> None:
    """The effect of deactivating, also of leaving: rights end first. Raises Refused: last_operator. Within a transaction."""
    operators = _lock_operators()
    user = User.objects.select_for_update().get(pk=pk)
    if user.is_superuser and user.is_active:
        _refuse_last(operators, user)
    for row in TeamUserGrant.objects.select_for_update().filter(user=user).order_by("pk"):
        delete_with_history(row, by=by, reason=reason)
    user.groups.clear()
    end_unfounded(by=by, reason=reason, givers=[user.pk])
    user.is_active = user.is_superuser = user.is_suspended = False
    save_with_history(user, "is_active", "is_superuser", "is_suspended", by=by, reason=reason)
    ending.end_sessions(user)
    ending.end_tokens(user)


def keep_out(pk: int, is_suspended: bool, *, by: User, reason: str) -> None:
    """The account follows its agent: suspended, its sessions and tokens end at once; its rights wait. Within a transaction.

    Raises Refused: last_operator.
    """
    operators = _lock_operators()
    user = User.objects.select_for_update().get(pk=pk)
    if user.is_suspended == is_suspended:
        return
    if is_suspended and user.is_superuser and user.is_active:
        _refuse_last(operators, user)
    user.is_suspended = is_suspended
    save_with_history(user, "is_suspended", by=by, reason=reason)
    if is_suspended:
        ending.end_sessions(user)
        ending.end_tokens(user)


@transaction.atomic
def link_account(pk: int, user: int | None, *, by: User, reason: str = "") -> Agent:
    """Say which account is an agent's, or that none is. Raises OutOfReach, or Refused: account_taken."""
    _operator_only(by)
    agent = Agent.objects.visible_to(by).take(pk)
    if user is not None and Agent.objects.filter(user=user).exclude(pk=pk).exists():
        raise Refused("account_taken", _("This account already belongs to another agent."))
    before, agent.user_id = agent.user_id, user
    save_with_history(agent, "user", by=by, reason=reason)
    if before is not None and before != user:
        keep_out(before, False, by=by, reason=reason)
    if user is not None:
        keep_out(user, agent.status == Agent.Status.SUSPENDED, by=by, reason=reason)
    return agent


def _take_account(pk: int) -> User:
    user = User.objects.select_for_update().filter(pk=pk).first()
    if user is None:
        raise OutOfReach
    return user


def _lock_operators() -> list[User]:
    """All operators who can log in, locked in order, so that two cannot remove each other at once."""
    there = User.objects.select_for_update().filter(is_superuser=True, is_active=True, is_suspended=False)
    return list(there.order_by("pk"))


def _refuse_last(operators: list[User], user: User) -> None:
    if [other for other in operators if other != user] == []:
        raise Refused("last_operator", _("This is the last operator. Make another one first."))


def _set_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Refused("weak_password", " ".join(error.messages)) from error
    user.set_password(password)
