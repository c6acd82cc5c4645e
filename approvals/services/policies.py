"""Verbs of policies: who decides what is itself not decided by those it binds."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from approvals.kinds import kind_of
from approvals.models import ApprovalPolicy
from approvals.plain.policy import read
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Team, User
from teams.scoping import Grant

OWN = "the rules of a team are written by who leads the team above it"


def may_write(team: Team, by: User) -> bool:
    """Operators, and whoever leads the team above: nobody writes the rules for the own team."""
    if by.is_active and by.is_superuser:
        return True
    return team.parent_id is not None and reaches(by, team.parent_id, Grant.LEAD)


@transaction.atomic
def set_policy(team: int, kind: str, definition: Mapping[str, Any], *, by: User, reason: str) -> ApprovalPolicy:
    """Let a policy hold for a kind in a team and below, as its next version. Running requests keep theirs.

    Raises OutOfReach, or Refused: not_yours, unknown_kind, bad_policy, no_reason.
    """
    place = _take_team(team, by)
    try:
        known = kind_of(kind)
    except LookupError as error:
        raise Refused("unknown_kind", _("There is no such kind of request.")) from error
    try:
        read(definition, known.facts)
    except ValueError as error:
        raise Refused("bad_policy", str(error)) from error
    if not reason.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the version."))
    with system_scope(OWN):
        former = ApprovalPolicy.objects.filter(team=place, kind=kind).order_by("-number").first()
        _retire(place, kind, by=by, reason=reason)
        made = ApprovalPolicy(
            team=place, kind=kind, number=former.number + 1 if former else 1, definition=dict(definition), made_by=by,
            reason=reason.strip()[:300],
        )  # fmt: skip
        save_with_history(made, by=by, reason=reason)
    return made


@transaction.atomic
def drop_policy(pk: Any, *, by: User, reason: str) -> ApprovalPolicy:
    """A team goes by what the next one above says again. Raises OutOfReach, or Refused: not_yours, not_in_force."""
    row = ApprovalPolicy.objects.visible_to(by).filter(pk=pk).first()
    if row is None:
        raise OutOfReach
    place = _take_team(row.team_id, by)
    with system_scope(OWN):
        row = ApprovalPolicy.objects.take(pk)
        if not row.is_current:
            raise Refused("not_in_force", _("This version is not in force any more."))
        _retire(place, row.kind, by=by, reason=reason)
        row.refresh_from_db()
    return row


def _retire(team: Team, kind: str, *, by: User, reason: str) -> None:
    for row in ApprovalPolicy.objects.select_for_update().filter(team=team, kind=kind, is_current=True):
        row.is_current = False
        save_with_history(row, "is_current", by=by, reason=reason)


def _take_team(pk: int, by: User) -> Team:
    if not Team.objects.in_reach_of(by, Grant.LEAD).filter(pk=pk).exists():
        raise OutOfReach
    with system_scope(OWN):
        team: Team = Team.objects.all().take(pk)
    if not may_write(team, by):
        raise Refused(
            "not_yours", _("Who leads the team above writes the rules of this one. Ask them, or the operator.")
        )
    return team
