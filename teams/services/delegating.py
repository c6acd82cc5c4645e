"""Dated delegation: whoever holds a right on a team in their own name hands it to a named deputy for an absence.

A delegation is a grant row of the deputy with an end and the name of the one it stands for, so every scope works unchanged.
It never outlives the right it comes from: losing that right, by whatever verb, ends what was handed on.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import OutOfReach, Refused
from teams.grants import known_people
from teams.models import Notice, Team, TeamGroupGrant, TeamUserGrant, User
from teams.scoping import Grant

LONGEST = timedelta(days=90)
DELEGABLE = (Grant.OBSERVE, Grant.LEAD, Grant.ONBOARD, Grant.REVIEW)  # wages (SETTLE) are never handed on


def own_rights(user: User, grant: Grant, team: int) -> list[TeamUserGrant | TeamGroupGrant]:
    """The live grants that open `team` to `user` in their own name: what was delegated to them is left out."""
    wanted = {"permission__codename": grant.value, "content_object__descent__descendant": team}
    own = TeamUserGrant.objects.live().filter(user=user, on_behalf_of=None, **wanted)
    shared = TeamGroupGrant.objects.live().filter(group__user=user, **wanted)
    return [*own, *shared]


@transaction.atomic
@system_scope("a right of one person's becomes a row of another's")
def delegate(
    *, team: int, grant: str, deputy: int, since: datetime | None, until: datetime, reason: str, by: User
) -> TeamUserGrant:
    """Let `deputy` use the own `grant` of `by` on `team` and all below, from `since` (now if empty) to `until`.

    Both are told. Raises OutOfReach, or Refused: not_delegable, not_your_right, own_rights, cannot_log_in, end_has_passed,
    wrong_order, too_long, right_ends_before, already_holds.
    """
    list(User.objects.select_for_update().filter(pk__in=[by.pk, deputy]).order_by("pk"))  # one delegation at a time
    wanted = Grant(grant)
    if wanted not in DELEGABLE:
        raise Refused("not_delegable", _("SETTLE cannot be handed on. Ask the operator for a grant with an end."))
    place = Team.objects.visible_to(by).take(team)
    rights = own_rights(by, wanted, place.pk)
    if not rights:
        raise Refused(
            "not_your_right",
            _("You hold no %(grant)s of your own on %(team)s; what was delegated to you cannot be handed on.")
            % {"grant": wanted.label, "team": place},
        )
    holder = known_people(by).filter(pk=deputy).first()
    if holder is None:
        raise OutOfReach
    if holder == by:
        raise Refused("own_rights", _("Choose somebody else: you hold this right yourself."))
    if not (holder.is_active and holder.is_staff and holder.has_usable_password()):
        raise Refused(
            "cannot_log_in",
            _("%(who)s could not log in to the administration. Choose somebody else, or ask the operator.")
            % {"who": holder},
        )
    _check_dates(since, until, rights)
    if own_rights(holder, wanted, place.pk):
        raise Refused("already_holds", _("%(who)s holds this right already.") % {"who": holder})
    if _delegated(holder, wanted, place.pk):
        raise Refused(
            "already_holds",
            _("%(who)s stands in for somebody here already. End that delegation first.") % {"who": holder},
        )
    permission = rights[0].permission
    row = (
        TeamUserGrant.objects.select_for_update()
        .filter(user=holder, permission=permission, content_object=place)
        .first()
    )
    row = row or TeamUserGrant(user=holder, permission=permission, content_object=place)
    row.on_behalf_of, row.since, row.until, row.reason = by, since, until, reason
    save_with_history(row, by=by, reason=reason)
    _tell("delegation_given", row, by)
    return row


def _check_dates(since: datetime | None, until: datetime, rights: Iterable[TeamUserGrant | TeamGroupGrant]) -> None:
    now = timezone.now()
    if until <= now:
        raise Refused("end_has_passed", _("The end lies in the past."))
    if since is not None and since >= until:
        raise Refused("wrong_order", _("The end lies before the beginning."))
    if until - max(since or now, now) > LONGEST:
        raise Refused("too_long", _("A delegation lasts at most 90 days. Choose an earlier end."))
    last = _last_end(rights)
    if last is not None and until > last:
        raise Refused(
            "right_ends_before",
            _("Your own right ends at %(moment)s. Choose an end no later than that.")
            % {"moment": date_format(timezone.localtime(last), "DATETIME_FORMAT")},
        )


def _delegated(holder: User, grant: Grant, team: int) -> bool:
    """Whether a delegation on `team` itself runs or is to come."""
    rows = TeamUserGrant.objects.filter(Q(until=None) | Q(until__gt=timezone.now()), user=holder, content_object=team)
    return rows.filter(permission__codename=grant.value).exclude(on_behalf_of=None).exists()


@transaction.atomic
@system_scope("the row is the deputy's, and both are told")
def end_delegation(pk: int, *, by: User, reason: str) -> None:
    """End a delegation at once: by the one it stands for, the deputy, or the operator. Raises OutOfReach."""
    rows = TeamUserGrant.objects.select_for_update(of=("self",)).exclude(on_behalf_of=None)
    if not (by.is_active and by.is_superuser):
        rows = rows.filter(Q(on_behalf_of=by) | Q(user=by)) if by.is_active else rows.none()
    row = rows.filter(pk=pk).first()
    if row is None:
        raise OutOfReach
    _end(row, by=by, reason=reason)


@system_scope("what was handed on is another person's")
def end_unfounded(*, by: User | None, reason: str, givers: Iterable[int] | None = None) -> int:
    """End delegations whose giver no longer holds the right in their own name, and shorten those that would outlast it;
    returns how many ended. Within a transaction."""
    rows = TeamUserGrant.objects.select_for_update(of=("self",)).exclude(on_behalf_of=None).order_by("pk")
    if givers is not None:
        rows = rows.filter(on_behalf_of__in=list(givers))
    ended = 0
    for row in rows.select_related("on_behalf_of", "permission"):
        giver = row.on_behalf_of
        if giver is None:
            continue
        rights = own_rights(giver, Grant(row.permission.codename), row.content_object_id) if giver.is_active else []
        if not rights:
            _end(row, by=by, reason=reason)
            ended += 1
            continue
        last = _last_end(rights)
        if last is not None and (row.until is None or row.until > last):
            row.until = last
            save_with_history(row, "until", by=by, reason=reason)
    return ended


def _last_end(rights: Iterable[TeamUserGrant | TeamGroupGrant]) -> datetime | None:
    """When the last of `rights` ends; None if one has no end."""
    ends = [right.until for right in rights]
    return None if None in ends else max(end for end in ends if end is not None)


def _end(row: TeamUserGrant, *, by: User | None, reason: str) -> None:
    _tell("delegation_ended", row, by)
    delete_with_history(row, by=by, reason=reason)


def _tell(kind: str, row: TeamUserGrant, by: User | None) -> None:
    """A notice to both. The row may be gone when it leaves, so it carries what it says, by ids."""
    moment = timezone.now().isoformat()
    for person in filter(None, (row.user_id, row.on_behalf_of_id)):
        Notice.objects.create(
            kind=kind,
            recipient_id=person,
            about=str(row.pk),
            key=f"{kind}:{row.pk}:{moment}:{person}",
            details={
                "deputy": row.user_id,
                "giver": row.on_behalf_of_id,
                "team": row.content_object_id,
                "grant": row.permission.codename,
                "since": row.since.isoformat() if row.since else "",
                "until": row.until.isoformat() if row.until else "",
                "by": by.pk if by else None,
            },
        )
