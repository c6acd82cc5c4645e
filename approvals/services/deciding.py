"""Verbs of those who decide: approve, reject, send back, escalate; many at once; and the glass that an operator may break.

Four eyes stand here and nowhere else: whoever asked, whom it is about, who edited last, and whoever acts for one of them is
refused by every door alike, operators too. The right to decide is looked up again under the lock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.kinds import kind_of
from approvals.models import ApprovalRequest, ApprovalSeat, ApprovalStep
from approvals.services import approvers, flow
from approvals.services.flow import Event, State, Step
from approvals.services.requests import ENGINE, refuse_stale, take
from approvals.services.trace import note, tell
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import User
from teams.scoping import Grant

MOST_AT_ONCE = 100
LATEST_END = timedelta(days=3653)


@transaction.atomic
def approve(
    pk: Any,
    *,
    by: User,
    words: str = "",
    condition: str = "",
    ends_at: datetime | None = None,
    version: int | None = None,
) -> ApprovalRequest:
    """Say yes from one's seat. The last one needed carries it out. `condition` and `ends_at` are kept with the request.

    Raises OutOfReach, or Refused: stale, settled, own_request, not_asked, already_decided, no_end, end_has_passed, end_too_far.
    """
    request = take(pk, by)
    refuse_stale(request, version)
    with system_scope(ENGINE):
        if ends_at is not None:
            _check_end(request, ends_at)
        step, seat = _seat(request, by)
        _say(seat, ApprovalSeat.Verdict.APPROVED, by, request)
        fields = []
        if condition.strip():
            request.condition = condition.strip()[:500]
            fields.append("condition")
        if ends_at is not None:
            request.ends_at = min(filter(None, (request.ends_at, ends_at)))
            fields.append("ends_at")
        note(
            request, Event.APPROVED, by=by, words=words, on_behalf_of=_for(seat, by), step=step.number,
            condition=condition.strip(), ends_at=ends_at.isoformat() if ends_at else None,
        )  # fmt: skip
        flow.save(request, *fields)
        if step.seats.filter(verdict=ApprovalSeat.Verdict.APPROVED).count() >= step.needed:
            _close(step, Step.APPROVED)
            flow.next_step(request, timezone.now())
    return request


@transaction.atomic
def reject(pk: Any, *, by: User, words: str, version: int | None = None) -> ApprovalRequest:
    """Say no, with a reason. In a quorum the request goes on for as long as the others can still reach it.

    Raises OutOfReach, or Refused: no_reason, stale, settled, own_request, not_asked, already_decided.
    """
    request = take(pk, by)
    refuse_stale(request, version)
    _need(words)
    with system_scope(ENGINE):
        step, seat = _seat(request, by)
        _say(seat, ApprovalSeat.Verdict.REJECTED, by, request)
        note(request, Event.REJECTED, by=by, words=words, on_behalf_of=_for(seat, by), step=step.number)
        still = step.seats.exclude(verdict=ApprovalSeat.Verdict.REJECTED).count()
        if step.mode == ApprovalStep.Mode.QUORUM and still >= step.needed:
            flow.save(request)
            return request
        flow.close_steps(request, Step.REJECTED)
        flow.stop_clocks(request)
        request.state, request.decided_at = State.REJECTED, timezone.now()
        flow.save(request, "state", "decided_at", *flow.CLOCKS)
        flow.end(request)
    return request


@transaction.atomic
def send_back(pk: Any, *, by: User, words: str, version: int | None = None) -> ApprovalRequest:
    """Ask the requester for changes, saying which. What was decided so far is void.

    Raises OutOfReach, or Refused: no_reason, stale, settled, own_request, not_asked, already_decided.
    """
    request = take(pk, by)
    refuse_stale(request, version)
    _need(words)
    with system_scope(ENGINE):
        step, seat = _seat(request, by)
        flow.close_steps(request, Step.CANCELLED)
        flow.stop_clocks(request)
        request.state = State.CHANGES_REQUESTED
        flow.save(request, "state", *flow.CLOCKS)
        note(request, Event.SENT_BACK, by=by, words=words, on_behalf_of=_for(seat, by), step=step.number)
        tell("approval_sent_back", request, [request.requester_id], f"{request.revision}/{request.version}")
    return request


@transaction.atomic
def escalate(pk: Any, *, by: User, words: str, version: int | None = None) -> ApprovalRequest:
    """Hand the step under way to the next lead above: by who was asked, or who asked.

    Raises OutOfReach, or Refused: no_reason, stale, settled, not_asked, nobody_above.
    """
    request = take(pk, by)
    refuse_stale(request, version)
    _need(words)
    with system_scope(ENGINE):
        may_escalate(request, by)
        if not hand_up(request, timezone.now(), by=by, words=words):
            raise Refused("nobody_above", _("Nobody above could decide this. It stays where it is."))
    return request


def hand_up(request: ApprovalRequest, now: datetime, *, by: User | None, words: str = "") -> bool:
    """Give the step under way to the leads above those who were asked; past the top to the operators. False: nobody is left."""
    step = flow.active_step(request)
    if step is None:
        return False
    asked = {seat.user_id for seat in request.seats.filter(step__revision=request.revision)}
    barred = approvers.barred(request)
    planned = flow.step_plan(step)
    level = max(planned.source.level if planned.source.kind == "lead_above" else 0, 0) + 1
    source = approvers.Source("lead_above", level=level)
    people = approvers.resolved(source, request.team_id) - asked - barred
    while not people and level < 50 and approvers.resolved(source, request.team_id):
        level += 1
        source = approvers.Source("lead_above", level=level)
        people = approvers.resolved(source, request.team_id) - asked - barred
    if not people:
        people = approvers.operators() - asked - barred
    if not people:
        return False
    _close(step, Step.ESCALATED)
    following = ApprovalStep.objects.create(
        request=request, revision=request.revision, number=step.number + 1, mode=ApprovalStep.Mode.ANY, needed=1,
        plan={**step.plan, "mode": "any", "needed": 1, "source": {**step.plan["source"], **ABOVE, "level": level}},
    )  # fmt: skip
    request.escalations += 1
    flow.save(request, "escalations")
    note(request, Event.ESCALATED, by=by, words=words, step=step.number, asked=sorted(people))
    flow.open_step(request, following, people, is_fallback=False)
    tell("approval_escalated", request, [request.requester_id], f"{following.pk}")
    return True


ABOVE = {"kind": "lead_above", "grant": "", "user": 0, "group": 0}


# -- many at once ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What became of one of many: `code` and `words` say why it was refused."""

    pk: int
    is_done: bool
    code: str = ""
    words: str = ""


def decide_many(
    pks: Sequence[int], verdict: str, *, by: User, words: str = "", seen: Mapping[int, int] = MappingProxyType({})
) -> list[Result]:
    """Approve or reject up to 100, each by itself and with all its checks; one result for each, in the order asked. `seen`:
    the versions that were read, by request; one that has moved since is told so instead of decided.

    Raises Refused: too_many, no_reason, unknown_verdict.
    """
    if len(pks) > MOST_AT_ONCE:
        raise Refused("too_many", _("At most %(most)d can be decided at once.") % {"most": MOST_AT_ONCE})
    if verdict not in ("approve", "reject"):
        raise Refused("unknown_verdict", _("Choose to approve or to reject."))
    verb: Callable[..., Any] = partial(approve, by=by, words=words)
    if verdict == "reject":
        _need(words)
        verb = partial(reject, by=by, words=words)
    results = []
    for pk in dict.fromkeys(pks):
        try:
            with transaction.atomic():
                verb(pk, version=seen.get(pk))
            results.append(Result(pk, True))
        except Refused as refusal:
            results.append(Result(pk, False, refusal.code, str(refusal.message)))
        except OutOfReach:
            results.append(Result(pk, False, "not_found", str(_("There is no such request."))))
    return results


# -- by rule ---------------------------------------------------------------------------------------------------------------


@transaction.atomic
def approve_by_rule(pk: int, words: str) -> ApprovalRequest | None:
    """The system agrees, for a reason that its policy names; None where somebody has decided meanwhile."""
    with system_scope(ENGINE):
        request = ApprovalRequest.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if request is None or request.state not in (State.SUBMITTED, State.IN_REVIEW):
            return None
        flow.close_steps(request, Step.CANCELLED)
        note(request, Event.AUTO_APPROVED, by=None, words=words)
        flow.approve(request, timezone.now())
        return request


# -- the glass ---------------------------------------------------------------------------------------------------------------


@transaction.atomic
def break_glass(pk: Any, *, by: User, words: str, version: int | None = None) -> ApprovalRequest:
    """The operator approves past all steps, for a reason, and everybody hears of it; a second person reviews it afterwards.

    Never the own request. Raises OutOfReach for all but operators, or Refused: no_reason, stale, settled, own_request.
    """
    if not (by.is_active and by.is_superuser):
        raise OutOfReach
    request = take(pk, by)
    refuse_stale(request, version)
    _need(words)
    with system_scope(ENGINE):
        may_break_glass(request, by)
        flow.close_steps(request, Step.CANCELLED)
        request.glass_by, request.glass_reason = by, words.strip()[:500]
        flow.save(request, "glass_by", "glass_reason")
        note(request, Event.GLASS, by=by, words=words)
        loud = approvers.operators() | approvers.resolved(approvers.Source("grant", grant="LEAD"), request.team_id)
        tell("approval_glass", request, loud | {request.requester_id}, f"{request.revision}")
        flow.approve(request, timezone.now(), by=by)
    return request


@transaction.atomic
def review_glass(pk: Any, *, by: User, words: str) -> ApprovalRequest:
    """A second person has looked at a broken glass: another operator, or a lead of the team who has no part in the request.

    Raises OutOfReach, or Refused: no_reason, no_glass, own_glass, own_request, reviewed.
    """
    request = take(pk, by)
    _need(words)
    with system_scope(ENGINE):
        may_review_glass(request, by)
        request.glass_reviewed_by, request.glass_reviewed_at = by, timezone.now()
        flow.save(request, "glass_reviewed_by", "glass_reviewed_at")
        note(request, Event.GLASS_REVIEWED, by=by, words=words)
    return request


# -- what all decisions ask ----------------------------------------------------------------------------------------------------


def may_decide(request: ApprovalRequest, by: User) -> tuple[ApprovalStep, ApprovalSeat | None]:
    """The step under way and the seat from which `by` may speak now; no seat: one is made for them when they do. Asked by
    every decision under the lock, and by pages for their buttons. Raises Refused."""
    _refuse_barred(request, by)
    step = flow.active_step(request) if request.state == State.IN_REVIEW else None
    if step is None and request.state == State.SUBMITTED:
        raise Refused("not_asked", _("Nobody is asked about this yet. The operators have been told."))
    if step is None:
        raise settled(request)
    seats = list(step.seats.all())
    entitled = _entitled(request, step)
    seat = approvers.seat_of(request, [seat for seat in seats if seat.user_id in entitled], by)
    if seat is None:
        _refuse_unasked(seats, by, entitled)
    _refuse_second_step(request, step, by)
    return step, seat


def may_escalate(request: ApprovalRequest, by: User) -> None:
    """By who was asked, or who asked. Raises Refused."""
    if request.state != State.IN_REVIEW:
        raise settled(request)
    if request.requester_id != by.pk:
        may_decide(request, by)


def may_break_glass(request: ApprovalRequest, by: User) -> None:
    """Raises OutOfReach for all but operators, or Refused."""
    if not (by.is_active and by.is_superuser):
        raise OutOfReach
    if request.state not in (State.SUBMITTED, State.IN_REVIEW):
        raise settled(request)
    _refuse_barred(request, by)


def may_review_glass(request: ApprovalRequest, by: User) -> None:
    """A broken glass is reviewed once, by another operator or a lead without a part in it. Raises Refused."""
    if request.glass_by_id is None:
        raise Refused("no_glass", _("Nobody has broken the glass on this request."))
    if request.glass_by_id == by.pk:
        raise Refused("own_glass", _("Somebody else has to review the glass that you broke."))
    _refuse_barred(request, by)
    leads = approvers.resolved(approvers.Source("grant", grant=Grant.LEAD.label), request.team_id)
    if not by.is_superuser and by.pk not in leads:
        raise Refused("not_asked", _("Another operator or a lead of the team reviews this."))
    if request.glass_reviewed_by_id is not None:
        raise Refused("reviewed", _("This has been reviewed already."))


def _seat(request: ApprovalRequest, by: User) -> tuple[ApprovalStep, ApprovalSeat]:
    """The step under way and the seat from which `by` speaks now. Raises Refused."""
    step, seat = may_decide(request, by)
    if seat is None:
        seat = ApprovalSeat.objects.create(step=step, request=request, team_id=request.team_id, user=by)
    return step, seat


def _entitled(request: ApprovalRequest, step: ApprovalStep) -> set[int]:
    """Who could be asked by this step at this moment: whoever lost the right since is not among them."""
    planned = flow.step_plan(step)
    people = approvers.resolved(planned.source, request.team_id)
    if step.uses_fallback:
        people |= approvers.resolved(planned.fallback, request.team_id)
    if step.number % 10:
        people |= approvers.operators()
    return people


def _refuse_unasked(seats: list[ApprovalSeat], by: User, entitled: set[int]) -> None:
    """Whoever was given the right after the step began may still speak; nobody else without a seat, and nobody twice."""
    if any(seat.user_id == by.pk and seat.verdict for seat in seats) or any(
        seat.decided_by_id == by.pk for seat in seats
    ):
        raise Refused("already_decided", _("You have decided on this already."))
    if by.pk not in entitled or any(seat.user_id == by.pk for seat in seats):
        raise Refused("not_asked", _("You are not asked to decide this. Look at its steps to see who is."))


def _refuse_second_step(request: ApprovalRequest, step: ApprovalStep, by: User) -> None:
    """One person does not satisfy two steps, unless the step says so."""
    others = request.seats.filter(step__revision=request.revision).exclude(verdict="").exclude(step=step)
    spoke = others.filter(decided_by=by) | others.filter(user=by)
    if spoke.exists() and not flow.step_plan(step).may_repeat:
        raise Refused("already_decided", _("You have decided an earlier step of this. Somebody else decides this one."))


def _refuse_barred(request: ApprovalRequest, by: User) -> None:
    if by.pk in approvers.barred(request):
        raise Refused("own_request", _part_in(request, by))


def _part_in(request: ApprovalRequest, by: User) -> Any:
    """What bars this person, in words."""
    if by.pk == request.requester_id:
        return _("You asked for this. Someone else has to decide it.")
    if by.pk == request.subject_person_id:
        return _("This is about you. Someone else has to decide it.")
    if by.pk == request.editor_id:
        return _("You edited this last. Someone else has to decide it.")
    return _("You act for somebody who asked for this, edited it or is concerned by it. Someone else has to decide it.")


def _say(seat: ApprovalSeat, verdict: str, by: User, request: ApprovalRequest) -> None:
    seat.verdict, seat.decided_by, seat.decided_at, seat.is_open = verdict, by, timezone.now(), False
    seat.content_hash = request.content_hash
    seat.save(update_fields=["verdict", "decided_by", "decided_at", "is_open", "content_hash"])


def _for(seat: ApprovalSeat, by: User) -> int | None:
    return seat.user_id if seat.user_id != by.pk else None


def _close(step: ApprovalStep, state: str) -> None:
    step.state = state
    step.save(update_fields=["state"])
    step.seats.filter(is_open=True).update(is_open=False)


def _check_end(request: ApprovalRequest, ends_at: datetime) -> None:
    if not kind_of(request.kind).allows_end:
        raise Refused("no_end", _("What is asked here cannot end by itself. Approve it without an end."))
    if ends_at <= timezone.now():
        raise Refused("end_has_passed", _("The end lies in the past."))
    if ends_at > timezone.now() + LATEST_END:
        raise Refused("end_too_far", _("The end lies more than ten years ahead. Choose an earlier one, or none."))


def _need(words: str) -> None:
    if not words.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the request and told to who asked."))


def settled(request: ApprovalRequest) -> Refused:
    """The loser of two who decide at once is told what has become of it."""
    return Refused(
        "settled",
        _("This request is “%(state)s” by now; your decision was not needed and changed nothing.")
        % {"state": request.get_state_display()},
        state=request.state,
    )
