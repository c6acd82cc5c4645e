"""Verbs of the team tree. A move is dated: today's takes effect at once, a later one is a plan that the day turns into fact."""

from datetime import date

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext_lazy as _

from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import OutOfReach, Refused
from teams.grants import reaches
from teams.models import Agent, Loan, Membership, Team, TeamLineage, TeamPlacement, User
from teams.scoping import Grant
from teams.services.delegating import end_unfounded
from teams.services.spans import cut_off, days, not_before, refuse_plans_after, reopen_before, today_in

CYCLE = Refused("cycle", _("A team cannot stand below itself. Choose a team that is not under it."))


@transaction.atomic
def create_team(*, name: str, code: str, zone: str, parent: int | None, by: User, reason: str = "") -> Team:
    """A new team below `parent`; a team at the top is the operator's to make. Raises OutOfReach, Refused."""
    lock_tree()
    above = _place(parent, by)
    with system_scope("a code is used once in the whole organisation"):
        is_taken = Team.objects.filter(code=code).exists()
    if is_taken:
        raise Refused("code_taken", _("The code %(code)s cannot be used here. Choose another.") % {"code": code})
    if above is not None and above.is_closed:
        raise Refused("closed", _("%(team)s is closed. Reopen it first.") % {"team": above})
    team = Team(name=name, code=code, zone=zone, parent=above)
    team.full_clean()
    with system_scope("a team that is not there yet is in nobody's reach"):
        save_with_history(team, by=by, reason=reason)
        placement = TeamPlacement(team=team, parent=above, span=days(today_in(zone)), reason=reason)
        save_with_history(placement, by=by, reason=reason)
    return team


@transaction.atomic
def rename_team(pk: int, *, name: str, zone: str, by: User, reason: str = "") -> Team:
    """Another name or zone for a team; its code stays. Raises OutOfReach."""
    team = Team.objects.manageable_by(by).take(pk)
    team.name, team.zone = name, zone
    team.full_clean()
    save_with_history(team, "name", "zone", by=by, reason=reason)
    return team


@transaction.atomic
def move_team(pk: int, parent: int | None, on: date, reason: str, *, by: User) -> TeamPlacement:
    """Put a team, with all below it, under another from `on` (the team's own date) on.

    Whoever moves must lead both ends: the place it leaves and the place it goes to; the top is the operator's.
    Raises OutOfReach, or Refused: cycle, in_the_past, already_planned, closed, same_place.
    """
    lock_tree()
    team = Team.objects.manageable_by(by).take(pk)
    if not by.is_superuser and (team.parent_id is None or not reaches(by, team.parent_id, Grant.LEAD)):
        raise Refused("not_yours", _("Only who leads the team above may do this."))
    above = _place(parent, by)
    today = today_in(team.zone)
    not_before(on, today)
    if above is not None and above.is_closed:
        raise Refused("closed", _("%(team)s is closed. Reopen it first.") % {"team": above})
    if team.parent_id == parent:
        raise Refused("same_place", _("The team already stands there."))
    if parent is not None and TeamLineage.objects.filter(ancestor=team, descendant_id=parent).exists():
        raise CYCLE
    past = list(TeamPlacement.objects.select_for_update().filter(team=team).order_by("span"))
    refuse_plans_after(past, today)
    if not past:
        first = TeamPlacement(team=team, parent_id=team.parent_id, span=days(None, on))
        save_with_history(first, by=by, reason=reason)
    cut_off(past, on, by=by, reason=reason)
    placement = TeamPlacement(team=team, parent=above, span=days(on), reason=reason)
    save_with_history(placement, by=by, reason=reason)
    if on == today:
        put_below(team, parent, by=by, reason=reason)
    return placement


@transaction.atomic
def cancel_planned_move(pk: int, *, by: User, reason: str = "") -> None:
    """Take back the move that is planned for team `pk`. Raises OutOfReach, or Refused: nothing_planned."""
    team = Team.objects.manageable_by(by).take(pk)
    rows = list(TeamPlacement.objects.select_for_update().filter(team=team).order_by("span"))
    today = today_in(team.zone)
    plan = next((row for row in rows if row.span.lower is not None and row.span.lower > today), None)
    if plan is None:
        raise Refused("nothing_planned", _("No move is planned for this team."))
    delete_with_history(plan, by=by, reason=reason)
    reopen_before(rows, plan.span.lower, by=by, reason=reason)


def lock_tree() -> None:
    """Put writers of the tree in line, before any row is locked, on the lock that the tree's trigger takes as well."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('teams_tree'))")


def put_below(team: Team, parent: int | None, *, by: User | None, reason: str) -> None:
    """Write the parent. Two writers who would close a circle together are told apart by the database."""
    team.parent_id = parent
    try:
        with transaction.atomic():
            save_with_history(team, "parent", by=by, reason=reason)
            end_unfounded(by=by, reason=reason)  # a right that came from above may be gone with the place
    except IntegrityError as error:
        if _is_cycle(error):
            raise CYCLE from error
        raise


def _is_cycle(error: IntegrityError) -> bool:
    """Whether the tree's own trigger or constraint refused."""
    diag = getattr(error.__cause__, "diag", None)
    return getattr(diag, "constraint_name", None) in {"team_tree_has_no_cycle", "team_is_not_its_own_parent"}


@transaction.atomic
def close_team(pk: int, *, by: User, reason: str = "") -> Team:
    """No new people or teams come in. Raises OutOfReach, or Refused while somebody belongs, or is to come."""
    team = Team.objects.manageable_by(by).take(pk)
    today = today_in(team.zone)
    if Team.objects.filter(parent=team, is_closed=False).exists():
        raise Refused("has_teams", _("Teams still stand below it. Move or close them first."))
    if (
        Agent.objects.filter(team=team).current().exists()
        or Membership.objects.filter(team=team, span__endswith__isnull=True).exclude(agent__status="left").exists()
        or Loan.objects.filter(team=team, span__endswith__gt=today).exists()
    ):
        raise Refused("has_people", _("People still belong to this team or are to come. Move them first."))
    team.is_closed = True
    save_with_history(team, "is_closed", by=by, reason=reason)
    return team


@transaction.atomic
def reopen_team(pk: int, *, by: User, reason: str = "") -> Team:
    """Undo of `close_team`. Raises OutOfReach, or Refused below a closed team."""
    team = Team.objects.manageable_by(by).take(pk)
    if team.parent is not None and team.parent.is_closed:
        raise Refused("closed", _("The team above is closed. Reopen it first."))
    team.is_closed = False
    save_with_history(team, "is_closed", by=by, reason=reason)
    return team


def _place(parent: int | None, by: User) -> Team | None:
    """The place below `parent`, locked, if `by` may change what stands there. The top is the operator's."""
    if parent is None:
        if not by.is_superuser:
            raise Refused("top_is_the_operators", _("Only the operator places teams at the top of the tree."))
        return None
    if not Team.objects.visible_to(by).filter(pk=parent).exists():
        raise OutOfReach
    led = Team.objects.manageable_by(by)
    if not led.filter(pk=parent).exists():
        raise Refused("not_yours", _("Only who leads the team above may do this."))
    return led.take(parent)
