"""Setting a status: the agent the own, a lead those of the team, the system any. One verb for all doors, safe to repeat."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from approvals.models import ApprovalRequest, Base, StatusReason, StatusSpan
from approvals.plain.timeline import Piece
from approvals.services import requests
from approvals.services.statuses import breaks, covering, line, people, queue
from approvals.services.statuses.choosing import fitting
from teams.acting import system_scope
from teams.errors import Refused
from teams.models import Agent, User


@dataclass(frozen=True)
class Change:
    """What has become of a wish: the status that stands now, and the request where somebody or something decides it."""

    now: StatusSpan | None
    request: ApprovalRequest | None = None


@transaction.atomic
def set_status(
    agent: int,
    base: str,
    *,
    by: User | None,
    reason: str = "",
    minutes: int | None = None,
    note: str = "",
    source: str = "",
) -> Change:
    """Let the agent be in a status from now on; a reason that needs a word of somebody is asked for instead. `by` None: the
    system, which may set any, at once. The same status again changes nothing.

    Raises OutOfReach, or Refused: no_words (a lead's are needed), not_employed, no_team, those of `choosing.fitting`, and of
    `ask_break`.
    """
    person = people.whose(agent, by)
    known = fitting(base, reason, is_system=by is None)
    if by is not None and not people.is_own(person, by) and not note.strip():
        raise Refused("no_words", _("Say why: the agent reads who set the status, and the reason."))
    if by is not None and known is not None and (known.base == Base.BREAK or known.needs_approval):
        request = breaks.ask_break(agent, known.code, minutes, by=by, words=note)
        with system_scope(people.LINE):
            return Change(people.current(person), request)
    with system_scope(people.LINE):
        if base != Base.OFFLINE:
            people.refuse_absent(person)
        minutes = covering.length(known, minutes) if known is not None else None
        return Change(_set(person, base, known, minutes, by=by, note=note, source=source))


def come_back(agent: int, *, by: User, note: str = "") -> Change:
    """Ready again. Raises as `set_status`."""
    return set_status(agent, Base.READY, by=by, note=note)


def _set(
    agent: Agent,
    base: str,
    reason: StatusReason | None,
    minutes: int | None,
    *,
    by: User | None,
    note: str,
    source: str,
) -> StatusSpan:
    now = timezone.now()
    waits = list(breaks.open_about(agent).select_for_update(of=("self",)))
    team = people.team_now(agent, now)
    covering.hold(team)
    agent = people.hold(agent.pk)
    former = people.current(agent)
    if former is not None and (former.base, former.reason, former.team_id) == (base, reason, team):
        return former
    line.put(agent.pk, now, None, [_piece(agent, now, team, base, reason, minutes, by, note, source)])
    if base == Base.OFFLINE:
        for request in waits:
            requests.withdraw_by_rule(request.pk, gettext_noop("went offline meanwhile"))
    queue.serve(team, now)
    return StatusSpan.objects.open().select_related("reason").get(agent=agent)


def _piece(
    agent: Agent, now: datetime, team: int, base: str, reason: StatusReason | None, minutes: int | None,
    by: User | None, note: str, source: str,
) -> Piece:  # fmt: skip
    own = by is not None and people.is_own(agent, by)
    usual = StatusSpan.Source.SYSTEM if by is None else StatusSpan.Source.SELF if own else StatusSpan.Source.LEAD
    return Piece(
        since=now, until=None, team=team, base=base, reason=reason.pk if reason is not None else None,
        back_at=covering.back_at(now, minutes), source=source or usual,
        confidence=StatusSpan.Confidence.INFERRED if by is None else StatusSpan.Confidence.STATED,
        by=by.pk if by is not None else None, note=note.strip()[:200],
    )  # fmt: skip
