"""Rights in practice: what a user holds where, and the authentication backend that answers Django's permission questions."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import models
from django.db.models import Q

from teams.acting import system_scope
from teams.models import Team, TeamGroupGrant, TeamUserGrant, User
from teams.scoping import Grant, reach

ALL = frozenset(Grant)


def holds(user: Any, *grants: Grant) -> bool:
    """Whether one of `grants` opens any team at all to `user`."""
    return Team.objects.in_reach_of(user, *grants).exists()


def held(user: Any) -> frozenset[Grant]:
    """Every grant that opens some team to `user`, in one query; the operator holds all."""
    if not (user.is_authenticated and user.is_active):
        return frozenset()
    if user.is_superuser:
        return ALL
    own, shared = codenames(user)
    return frozenset(Grant(codename) for codename in own.union(shared) if codename in Grant.values)


def codenames(user: Any) -> tuple[Any, Any]:
    """The names of the grants `user` holds in person, and of those held through groups: two querysets of text to unite."""
    return (
        TeamUserGrant.objects.live().filter(user=user).values_list("permission__codename", flat=True),
        TeamGroupGrant.objects.live().filter(group__user=user).values_list("permission__codename", flat=True),
    )


def seers(team: Team | int) -> Any:
    """Live grants that open `team`: those given on it and on every team above. A pair of querysets: persons, groups."""
    above = Q(content_object__descent__descendant=team)
    return (
        TeamUserGrant.objects.live().filter(above, user__is_active=True).select_related("user", "permission"),
        TeamGroupGrant.objects.live().filter(above).select_related("group", "permission"),
    )


def known_people(user: Any) -> models.QuerySet[User]:
    """Accounts whose name may stand beside a change: visible ones, the operators, and whoever holds a grant on or
    above a team in reach; who may act on a team is no secret to those who see it."""
    if not (user.is_authenticated and user.is_active) or user.is_superuser:
        return User.objects.visible_to(user)
    own = Team.objects.filter(pk__in=reach(user, tuple(Grant)))
    above = Team.objects.filter(descent__descendant__in=own)
    with system_scope("grants above a team say whose names its readers know"):
        holders = set(TeamUserGrant.objects.filter(content_object__in=above).values_list("user", flat=True))
        groups = set(TeamGroupGrant.objects.filter(content_object__in=above).values_list("group", flat=True))
    return User.objects.filter(
        Q(pk__in=User.objects.visible_to(user).values("pk"))
        | Q(is_superuser=True)
        | Q(pk__in=holders)
        | Q(pk__in=User.objects.filter(groups__in=groups).values("pk"))
    )


def reaches(user: Any, team: Team | int, *grants: Grant) -> bool:
    """Whether one of `grants` opens `team` to `user`."""
    return Team.objects.in_reach_of(user, *grants).filter(pk=getattr(team, "pk", team)).exists()


class ReachBackend(ModelBackend):
    """Log-in by password; `has_perm` is answered from the reach of live grants, per object only.

    A model-wide permission never means all rows: without an object the answer is no, except for the superuser.
    """

    def user_can_authenticate(self, user: Any) -> bool:
        """Asked at the log-in and at each request of a session: whoever is suspended or has left is nobody."""
        return super().user_can_authenticate(user) and not getattr(user, "is_suspended", False)

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not user_obj.is_active:
            return False
        codename = perm.removeprefix("teams.")
        if obj is None or not isinstance(obj, Team) or codename not in Grant.values:
            return False
        return reaches(user_obj, obj, Grant(codename))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return False

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or not isinstance(obj, Team):
            return set()
        return {f"teams.{grant.value}" for grant in Grant if reaches(user_obj, obj, grant)}
