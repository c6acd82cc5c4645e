"""Who is asked: sources of a policy become people, and those who may not decide are known by name.

Asked when a step begins, and again at each decision: whoever lost the right in between is nobody's approver any more.
"""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from approvals.kinds import kind_of
from approvals.models import ApprovalAbsence, ApprovalRequest, ApprovalSeat
from approvals.plain.policy import Source, StepPlan
from approvals.services import on_duty
from teams.grants import seers
from teams.models import TeamGroupGrant, TeamLineage, TeamUserGrant, User
from teams.scoping import Grant

GRANTS = {grant.label: grant for grant in Grant}


def barred(request: ApprovalRequest) -> frozenset[int]:
    """Accounts that may not decide this: who asked, whom it is about, who edited last, whom the kind bars, and whoever acts
    for them now."""
    own = {request.requester_id, request.editor_id, *_barred_by_kind(request)}
    if request.subject_person_id is not None:
        own.add(request.subject_person_id)
    return frozenset(own | _acting_for(own))


def _barred_by_kind(request: ApprovalRequest) -> frozenset[int]:
    """Nobody where this release does not have the kind: nothing of it is decided then."""
    try:
        return kind_of(request.kind).barred(request)
    except LookupError:
        return frozenset()


def _acting_for(people: Iterable[int]) -> set[int]:
    deputies = ApprovalAbsence.objects.now().filter(owner__in=people).values_list("deputy", flat=True)
    delegates = TeamUserGrant.objects.live().filter(on_behalf_of__in=people).values_list("user", flat=True)
    return {*deputies, *delegates}


def resolved(source: Source, team: int) -> set[int]:
    """Accounts that a source names for a request of `team` at this moment: those that could log in and decide."""
    if source.kind == "grant":
        found = _holders(team, GRANTS[source.grant])
    elif source.kind == "lead_above":
        found = _leads_above(team, source.level)
    elif source.kind == "person":
        found = {source.user}
    elif source.kind == "group":
        found = set(User.objects.filter(groups=source.group).values_list("pk", flat=True))
    else:
        found = on_duty.leads(team, _holders(team, Grant.LEAD))
    able = User.objects.filter(pk__in=found, is_active=True, is_suspended=False)
    return set(able.values_list("pk", flat=True))


def operators() -> set[int]:
    able = User.objects.filter(is_superuser=True, is_active=True, is_suspended=False)
    return set(able.values_list("pk", flat=True))


def _holders(team: int, grant: Grant) -> set[int]:
    """Whoever holds `grant` on `team` or above, in person or by a group."""
    persons, groups = seers(team)
    wanted = Q(permission__codename=grant.value)
    own = set(persons.filter(wanted).values_list("user", flat=True))
    names = groups.filter(wanted).values_list("group", flat=True)
    return own | set(User.objects.filter(groups__in=list(names)).values_list("pk", flat=True))


def _leads_above(team: int, level: int) -> set[int]:
    """Whoever was given LEAD on the team `level` above, or on the next one above that where nobody was."""
    above = TeamLineage.objects.filter(descendant=team, depth__gte=level).order_by("depth")
    for ancestor in above.values_list("ancestor", flat=True):
        own = TeamUserGrant.objects.live().filter(content_object=ancestor, permission__codename=Grant.LEAD.value)
        found = set(own.values_list("user", flat=True))
        found |= _group_leads(ancestor)
        if found:
            return found
    return set()


def _group_leads(team: int) -> set[int]:
    groups = TeamGroupGrant.objects.live().filter(content_object=team, permission__codename=Grant.LEAD.value)
    return set(User.objects.filter(groups__in=groups.values("group")).values_list("pk", flat=True))


def asked(step: StepPlan, request: ApprovalRequest, without: Iterable[int] = ()) -> tuple[set[int], bool]:
    """Who is asked by a step, less the barred and `without`; and whether that is the fallback because the source is nobody,
    or too few for the quorum."""
    out = barred(request) | set(without)
    people = resolved(step.source, request.team_id) - out
    if len(people) >= step.needed:
        return people, False
    return (people | resolved(step.fallback, request.team_id)) - out, True


def seat_of(request: ApprovalRequest, seats: Iterable[ApprovalSeat], by: User) -> ApprovalSeat | None:
    """The open seat that `by` speaks from: the own one, else that of somebody whose deputy they are for this kind now."""
    open_seats = [seat for seat in seats if seat.is_open]
    own = next((seat for seat in open_seats if seat.user_id == by.pk), None)
    if own is not None:
        return own
    owners = absent_owners(by, request.kind)
    return next((seat for seat in open_seats if seat.user_id in owners), None)


def absent_owners(deputy: User, kind: str) -> set[int]:
    """For whom `deputy` decides requests of `kind` at this moment. The deputies of deputies are not among them."""
    rows = ApprovalAbsence.objects.now(timezone.now()).filter(deputy=deputy)
    rows = rows.filter(Q(kinds=[]) | Q(kinds__contains=[kind]))
    return set(rows.values_list("owner", flat=True))


def deputies_of(people: Iterable[int], kind: str) -> dict[int, int]:
    """The deputy of each of `people` who is absent now."""
    rows = ApprovalAbsence.objects.now().filter(owner__in=people).filter(Q(kinds=[]) | Q(kinds__contains=[kind]))
    return dict(rows.values_list("owner", "deputy"))
