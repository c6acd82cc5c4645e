"""One request, told whole: what is asked, what would follow, who has said what, what comes next, and what the reader may do.

Who sees a request is told who takes part in it by name: whom it waits for is the first thing people ask. Teams, policies and
rows that the effect is about are looked up in the system's scope, as the engine does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ObjectDoesNotExist
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext as _

from approvals import sentences
from approvals.kinds import Kind, Line, kind_of
from approvals.models import ApprovalEvent, ApprovalRequest, ApprovalSeat, ApprovalStep
from approvals.plain.differences import Piece, compared
from approvals.plain.policy import Plan, Source
from approvals.reports.offers import Offer, offers
from approvals.services import approvers
from approvals.services.flow import step_plan
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import Team, User

WHOLE = "whoever sees a request is told whom it waits for, what it would change and which rule it follows"
State, Event = ApprovalRequest.State, ApprovalEvent.Kind
OVER = (State.APPLIED, State.UNDONE, State.REJECTED, State.WITHDRAWN, State.EXPIRED)


@dataclass(frozen=True)
class DiffLine:
    """One difference. A text comes in `pieces`, everything else as an old and a new value."""

    label: str
    old: str
    new: str
    pieces: tuple[Piece, ...] = ()

    @property
    def is_changed(self) -> bool:
        return self.old != self.new


@dataclass(frozen=True)
class Voice:
    """A person asked by a step. `for_whom` is filled where a deputy speaks or would speak: "deputy for whom"."""

    who: str
    for_whom: str
    verdict: str
    at: datetime | None
    is_waiting: bool

    def __str__(self) -> str:
        return (
            _("%(deputy)s for %(owner)s") % {"deputy": self.who, "owner": self.for_whom} if self.for_whom else self.who
        )


@dataclass(frozen=True)
class StepLine:
    number: int
    state: str
    is_active: bool
    asks: str
    note: str
    voices: tuple[Voice, ...]


@dataclass(frozen=True)
class ClockLine:
    title: str
    at: datetime
    in_words: str


@dataclass(frozen=True)
class TraceLine:
    """One event: when, who and as whom, what, on which content (the first signs of its hash), with what words."""

    pk: int
    at: datetime
    who: str
    for_whom: str
    what: str
    kind: str
    hash: str
    revision: int
    step: int | None
    words: str
    notes: tuple[str, ...] = ()
    versions: tuple[DiffLine, ...] = ()  # of a conflict: what stood when it was asked, and what stands instead

    @property
    def signed(self) -> str:
        if not self.who:
            return _("by itself")
        return (
            _("%(deputy)s for %(owner)s") % {"deputy": self.who, "owner": self.for_whom} if self.for_whom else self.who
        )


@dataclass(frozen=True)
class Measure:
    title: str
    value: str


@dataclass(frozen=True)
class Head:
    pk: int
    kind: str
    kind_name: str
    about: str
    team: str
    requester: str
    editor: str
    concerned: str
    state: str
    state_name: str
    words: str
    revision: int
    version: int
    hash: str
    made_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    applied_at: datetime | None
    policy: str
    rule: str
    measured: tuple[Measure, ...]
    condition: str
    ends_at: datetime | None
    error: str
    glass: str
    allows_end: bool
    is_over: bool


@dataclass(frozen=True)
class Page:
    head: Head
    lines: tuple[DiffLine, ...]
    moved: tuple[DiffLine, ...]  # what stands otherwise by now than when it was submitted
    effects: tuple[str, ...]
    steps: tuple[StepLine, ...]
    clocks: tuple[ClockLine, ...]
    trace: tuple[TraceLine, ...]
    offers: tuple[Offer, ...] = field(default=())

    @property
    def may(self) -> frozenset[str]:
        """The verbs that are open to the reader."""
        return frozenset(offer.slug for offer in self.offers if offer.is_open)

    @property
    def refusals(self) -> list[tuple[str, str]]:
        """Which verbs are shut, in one line for each reason."""
        shut = [offer for offer in self.offers if not offer.is_open]
        comma = pgettext("between names in a row", ", ")
        return [
            (comma.join(str(each.title) for each in shut if each.refusal == why), why)
            for why in dict.fromkeys(offer.refusal for offer in shut)
        ]


def request_page(request: ApprovalRequest, person: User, now: datetime) -> Page:
    """All of a request that `person` may see, and what they may do with it at `now`."""
    with system_scope(WHOLE):
        events = list(request.events.order_by("pk"))
        steps = list(request.steps.filter(revision=request.revision).order_by("number").prefetch_related("seats"))
        deputies = _deputies(request, steps)
        names = _names(request, events, steps, deputies)
        kind = _kind(request)
        lines, moved, effects = _content(request, kind, now)
        page = Page(
            head=_head(request, kind, names),
            lines=tuple(lines),
            moved=tuple(moved),
            effects=tuple(effects),
            steps=tuple(_step(place, step, names, deputies) for place, step in enumerate(steps, 1)),
            clocks=tuple(_clocks(request, now)),
            trace=tuple(_event(event, kind, request, names) for event in events),
            offers=tuple(offers(request, person)),
        )
    return page


# -- the content -----------------------------------------------------------------------------------------------------------


def _kind(request: ApprovalRequest) -> Kind | None:
    try:
        return kind_of(request.kind)
    except LookupError:
        return None


def _content(
    request: ApprovalRequest, kind: Kind | None, now: datetime
) -> tuple[list[DiffLine], list[DiffLine], list[str]]:
    """The difference, what has moved since, and the effects. Where the row itself is gone, as much as was kept."""
    if kind is None:
        note = _("This release does not know this kind of request; its content is shown as it was kept.")
        return [DiffLine(name, "", str(value)) for name, value in request.content.items()], [], [note]
    wish = kind.wish(request.content)
    stands = None
    if request.state not in OVER:
        try:
            stands = kind.stands(wish)
        except (ObjectDoesNotExist, OutOfReach, Refused):
            stands = None
    is_draft = request.state == State.DRAFT
    base = stands if is_draft and stands is not None else request.stood
    try:
        lines = told(kind.difference(wish, base))
        moved = (
            [] if is_draft or stands is None or stands == request.stood else _between(kind, wish, request.stood, stands)
        )
        effects = [str(line) for line in kind.effects(wish, stands, now)] if stands is not None else []
    except (ObjectDoesNotExist, KeyError):
        return [], [], [_("What this is about is no longer there.")]
    return lines, moved, effects


def told(lines: Iterable[Line]) -> list[DiffLine]:
    """Lines of a kind for people; long texts in pieces."""
    return [
        DiffLine(
            capfirst(str(line.label)), line.old, line.new,
            tuple(compared(line.old, line.new)) if line.is_text else (),
        )
        for line in lines
    ]  # fmt: skip


def _between(kind: Kind, wish: Mapping[str, Any], then: Mapping[str, Any], now: Mapping[str, Any]) -> list[DiffLine]:
    """How two states of the subject differ, in the words of the kind: the old side of its difference, twice."""
    before, after = kind.difference(wish, dict(then)), kind.difference(wish, dict(now))
    old = {str(line.label): line for line in before}
    return [
        line
        for line in told(
            Line(each.label, old[str(each.label)].old if str(each.label) in old else "", each.old, each.is_text)
            for each in after
        )
        if line.is_changed
    ]


# -- people ----------------------------------------------------------------------------------------------------------------


def _deputies(request: ApprovalRequest, steps: Sequence[ApprovalStep]) -> dict[int, int]:
    waiting = [seat.user_id for step in steps for seat in step.seats.all() if seat.is_open]
    return approvers.deputies_of(waiting, request.kind) if waiting else {}


def _names(
    request: ApprovalRequest,
    events: Sequence[ApprovalEvent],
    steps: Sequence[ApprovalStep],
    deputies: Mapping[int, int],
) -> dict[int, str]:
    """Everybody who takes part, by id; one query."""
    people: set[Any] = {request.requester_id, request.editor_id, request.subject_person_id, request.glass_by_id}
    people |= {request.glass_reviewed_by_id, *deputies.values()}
    for event in events:
        asked = event.details.get("asked", [])
        people |= {event.actor_id, event.on_behalf_of_id, *(asked if isinstance(asked, list) else [])}
    for step in steps:
        for seat in step.seats.all():
            people |= {seat.user_id, seat.decided_by_id}
        planned = step_plan(step)
        people |= {planned.source.user, planned.fallback.user}
    return {user.pk: str(user) for user in User.objects.filter(pk__in=people - {None, 0})}


def called(names: Mapping[int, str], pk: int | None) -> str:
    return names.get(pk, _("somebody who is no longer there")) if pk is not None else ""


# -- head ------------------------------------------------------------------------------------------------------------------


def _head(request: ApprovalRequest, kind: Kind | None, names: Mapping[int, str]) -> Head:
    plan = Plan.from_json(request.plan) if request.plan else None
    team = Team.objects.get(pk=request.team_id)  # a door may have left it out, as out of the reader's reach
    glass = ""
    if request.glass_by_id is not None:
        glass = _("%(who)s broke the glass: %(why)s") % {
            "who": called(names, request.glass_by_id), "why": request.glass_reason,
        }  # fmt: skip
    return Head(
        pk=request.pk, kind=str(kind.title) if kind else request.kind, kind_name=request.kind, about=request.subject_label,
        team=team.name, requester=called(names, request.requester_id), editor=called(names, request.editor_id),
        concerned=called(names, request.subject_person_id), state=str(request.get_state_display()),
        state_name=request.state, words=request.words, revision=request.revision, version=request.version,
        hash=request.content_hash[:8], made_at=request.made_at, submitted_at=request.submitted_at,
        decided_at=request.decided_at, applied_at=request.applied_at, policy=_policy(request),
        rule=_rule(plan), measured=tuple(_measured(plan, kind)), condition=request.condition, ends_at=request.ends_at,
        error=request.error, glass=glass, allows_end=bool(kind and kind.allows_end), is_over=request.state in OVER,
    )  # fmt: skip


def _policy(request: ApprovalRequest) -> str:
    if request.policy is None:
        return _("The standard of this kind: no team above has rules of its own.")
    return _("Rules of %(team)s, version %(number)d") % {
        "team": request.policy.team.name, "number": request.policy.number,
    }  # fmt: skip


def _rule(plan: Plan | None) -> str:
    if plan is None:
        return ""
    return gettext(plan.rule) if plan.rule else _("the last word, as no rule held")


def _measured(plan: Plan | None, kind: Kind | None) -> Iterable[Measure]:
    if plan is None or kind is None:
        return
    for fact in kind.facts:
        if fact.name in plan.measured:
            yield Measure(capfirst(str(fact.title)), sentences.value_words(plan.measured[fact.name], fact))


# -- steps and clocks ------------------------------------------------------------------------------------------------------


def _step(place: int, step: ApprovalStep, names: Mapping[int, str], deputies: Mapping[int, int]) -> StepLine:
    planned = step_plan(step)
    groups = _groups([planned.source, planned.fallback])
    used = planned.fallback if step.uses_fallback else planned.source
    seats = list(step.seats.all())
    asked = sentences.source(used, sentences.Names(names, groups))
    needed = ngettext("one has to agree", "%(needed)d have to agree", step.needed) % {"needed": step.needed}
    if step.mode == ApprovalStep.Mode.ALL:
        needed = _("all have to agree")
    return StepLine(
        place, str(step.get_state_display()), step.state == ApprovalStep.State.ACTIVE, f"{capfirst(asked)}; {needed}",
        gettext(step.note) if step.note else "", tuple(_voice(seat, names, deputies) for seat in seats),
    )  # fmt: skip


def _groups(sources: Iterable[Source]) -> dict[int, str]:
    wanted = {source.group for source in sources if source.group}
    return dict(Group.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def _voice(seat: ApprovalSeat, names: Mapping[int, str], deputies: Mapping[int, int]) -> Voice:
    spoke = seat.decided_by_id if seat.decided_by_id is not None else None
    acting = spoke if spoke is not None else deputies.get(seat.user_id) if seat.is_open else None
    is_other = acting is not None and acting != seat.user_id
    return Voice(
        called(names, acting if is_other else seat.user_id),
        called(names, seat.user_id) if is_other else "",
        str(seat.get_verdict_display()) if seat.verdict else "",
        seat.decided_at,
        seat.is_open,
    )


def _clocks(request: ApprovalRequest, now: datetime) -> Iterable[ClockLine]:
    if not request.plan:
        return
    plan = Plan.from_json(request.plan)
    titles = (
        (request.remind_at, _("Reminds those who have not decided")),
        (request.escalate_at, _("Goes to the next lead above")),
        (request.expire_at, _("Runs out: %(outcome)s") % {"outcome": sentences.AT_EXPIRY[plan.clock.at_expiry]}),
    )
    for at, title in titles:
        if at is None:
            continue
        left = _("now") if at <= now else _("in %(time)s") % {"time": sentences.minutes(plan.hours.between(now, at))}
        yield ClockLine(title, at, left)


# -- the trace -------------------------------------------------------------------------------------------------------------


def _event(event: ApprovalEvent, kind: Kind | None, request: ApprovalRequest, names: Mapping[int, str]) -> TraceLine:
    return TraceLine(
        pk=event.pk, at=event.at, who=called(names, event.actor_id), for_whom=called(names, event.on_behalf_of_id),
        what=str(event.get_kind_display()), kind=event.kind, hash=event.content_hash[:8], revision=event.revision,
        step=event.step, words=event.said, notes=tuple(_notes(event, names)),
        versions=tuple(_versions(event, kind, request)),
    )  # fmt: skip


def _notes(event: ApprovalEvent, names: Mapping[int, str]) -> Iterable[str]:
    details = event.details
    asked = details.get("asked")
    if isinstance(asked, list) and asked:
        who = pgettext("between names in a row", ", ").join(called(names, pk) for pk in asked)
        yield _("asked: %(who)s") % {"who": who}
    if details.get("fallback"):
        yield _("the fallback, as the source was nobody or too few")
    if event.kind == Event.ALARM and "needed" in details:
        yield _("needed: %(needed)d, found: %(found)d") % {
            "needed": details["needed"],
            "found": details.get("found", 0),
        }
    if details.get("rule"):
        yield _("rule: %(name)s") % {"name": gettext(details["rule"])}
    if details.get("condition"):
        yield _("on condition: %(condition)s") % {"condition": details["condition"]}
    if details.get("ends_at"):
        moment = timezone.localtime(datetime.fromisoformat(details["ends_at"]))
        yield _("holds until %(moment)s") % {"moment": date_format(moment, "DATETIME_FORMAT")}
    if details.get("outcome") in sentences.AT_EXPIRY:
        yield str(sentences.AT_EXPIRY[details["outcome"]])


def _versions(event: ApprovalEvent, kind: Kind | None, request: ApprovalRequest) -> Iterable[DiffLine]:
    """Both versions of a conflict; of a kind that cannot tell them any more, as they were kept."""
    if event.kind != Event.CONFLICT:
        return []
    then, now = event.details.get("then", {}), event.details.get("now", {})
    if kind is not None:
        try:
            return _between(kind, kind.wish(request.content), then, now)
        except (ObjectDoesNotExist, KeyError):
            pass
    names = dict.fromkeys([*then, *now])
    return [
        DiffLine(name, _plain(then.get(name)), _plain(now.get(name)))
        for name in names
        if then.get(name) != now.get(name)
    ]


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
