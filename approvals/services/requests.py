"""Verbs of those who ask: draft, submit, edit, comment, withdraw."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.kinds import kind_of
from approvals.models import ApprovalRequest
from approvals.services import flow
from approvals.services.flow import Event, State, Step
from approvals.services.trace import note
from teams.acting import system_scope
from teams.errors import OutOfReach, Refused
from teams.models import User

ENGINE = "a request moves through people who each see a part of it"


def take(pk: Any, by: User) -> ApprovalRequest:
    """The request, locked, if `by` may see it. Raises OutOfReach."""
    with system_scope("the row is locked for all who may act on it, and written by the engine alone"):
        return ApprovalRequest.objects.visible_to(by).take(pk)


def refuse_stale(request: ApprovalRequest, version: int | None) -> None:
    """Whoever names the version they read is refused if the request has moved since."""
    if version is not None and version != request.version:
        raise Refused(
            "stale",
            _("This request has changed since you opened it. Look at it again, then decide."),
            version=request.version,
        )


@transaction.atomic
def ask(kind: str, content: Mapping[str, Any], *, by: User, words: str = "", is_draft: bool = False) -> ApprovalRequest:
    """Ask for something of `kind`. By its policy it is approved and carried out, refused, or put before people, at once;
    a draft is kept for later. Raises OutOfReach, or Refused: bad_payload, already_open, and what the kind refuses."""
    known = _kind(kind)
    frozen = known.checked(content)
    wish = known.wish(frozen)
    known.may_ask(wish, by)
    with system_scope(ENGINE):
        subject = known.subject(wish, by)
        now = timezone.now()
        request = ApprovalRequest(
            kind=kind, team_id=subject.team, subject_key=subject.key[:120], subject_label=subject.label[:200],
            subject_person_id=subject.person, requester=by, editor=by, words=words.strip()[:500], content=frozen,
            content_hash=flow.hash_of(kind, subject.key, frozen), policy=flow.policy_for(kind, subject.team),
            state=State.DRAFT, made_at=now,
        )  # fmt: skip
        if is_draft:
            request.save()
            note(request, Event.DRAFTED, by=by, words=words)
            return request
        _enter(request, by=by, words=words)
        return request


def _enter(request: ApprovalRequest, *, by: User, words: str) -> None:
    """Take the place of the one open request about this subject, and begin."""
    request.state = State.SUBMITTED
    try:
        with transaction.atomic():
            request.save()
    except IntegrityError as error:
        if "one_open_request_per_subject" not in str(error):
            raise
        raise Refused(
            "already_open",
            _("Another request about “%(subject)s” is still open. Wait for its end, or edit that one.")
            % {"subject": request.subject_label},
        ) from error
    note(request, Event.SUBMITTED, by=by, words=words)
    flow.begin(request, timezone.now(), by=by)


@transaction.atomic
def submit(pk: Any, *, by: User, version: int | None = None) -> ApprovalRequest:
    """Hand in a draft. Raises OutOfReach, or Refused: stale, not_draft, already_open, and what the kind refuses."""
    request = take(pk, by)
    may_submit(request, by)
    refuse_stale(request, version)
    known = _kind(request.kind)
    known.may_ask(known.wish(request.content), by)
    with system_scope(ENGINE):
        request.policy = flow.policy_for(request.kind, request.team_id)
        _enter(request, by=by, words=request.words)
    return request


@transaction.atomic
def edit(
    pk: Any, content: Mapping[str, Any], *, by: User, words: str = "", version: int | None = None
) -> ApprovalRequest:
    """Change what is asked. What was decided on the former content is void, and the review begins anew, by the version of the
    policy that the request began with. Raises OutOfReach, or Refused: stale, over, other_subject, bad_payload, already_open."""
    request = take(pk, by)
    may_edit(request, by)
    refuse_stale(request, version)
    known = _kind(request.kind)
    frozen = known.checked(content)
    wish = known.wish(frozen)
    known.may_ask(wish, by)
    with system_scope(ENGINE):
        subject = known.subject(wish, by)
        if subject.key != request.subject_key:
            raise Refused("other_subject", _("A request stays about what it was about. Withdraw it and ask anew."))
        former = request.content_hash
        flow.close_steps(request, Step.CANCELLED)
        request.revision += 1
        request.content, request.content_hash = frozen, flow.hash_of(request.kind, subject.key, frozen)
        request.editor, request.subject_label = by, subject.label[:200]
        if words.strip():
            request.words = words.strip()[:500]
        fields = ("revision", "content", "content_hash", "editor", "subject_label", "words")
        flow.save(request, *fields)
        note(request, Event.EDITED, by=by, words=words, former=former)
        if request.state != State.DRAFT:
            flow.begin(request, timezone.now(), by=by)
    return request


@transaction.atomic
def withdraw(pk: Any, *, by: User, words: str = "", version: int | None = None) -> ApprovalRequest:
    """Take back what one has asked for. Again: nothing changes. Raises OutOfReach, or Refused: stale, over."""
    with system_scope("the row is locked for all who may act on it, and written by the engine alone"):
        request = ApprovalRequest.objects.visible_to(by).filter(requester=by).take(pk)
    if request.state == State.WITHDRAWN:
        return request
    refuse_stale(request, version)
    may_withdraw(request, by)
    with system_scope(ENGINE):
        _take_back(request, by=by, words=words)
    return request


@transaction.atomic
def withdraw_by_rule(pk: int, words: str) -> ApprovalRequest | None:
    """The system takes back what has become void by itself, saying why; None where it is decided already."""
    with system_scope(ENGINE):
        request = ApprovalRequest.objects.select_for_update(of=("self",)).filter(pk=pk).first()
        if request is None or request.state not in (*flow.BEFORE_DECISION, State.APPLY_FAILED):
            return None
        _take_back(request, by=None, words=words)
        return request


def _take_back(request: ApprovalRequest, *, by: User | None, words: str) -> None:
    flow.close_steps(request, Step.CANCELLED)
    flow.stop_clocks(request)
    was_draft = request.state == State.DRAFT
    request.state = State.WITHDRAWN
    flow.save(request, "state", *flow.CLOCKS)
    note(request, Event.WITHDRAWN, by=by, words=words)
    if not was_draft:
        kind_of(request.kind).settled(request)


@transaction.atomic
def comment(pk: Any, words: str, *, by: User) -> ApprovalRequest:
    """A word on a request by whoever sees it. Raises OutOfReach, or Refused: no_words."""
    request = take(pk, by)
    if not words.strip():
        raise Refused("no_words", _("Write something first."))
    with system_scope(ENGINE):
        note(request, Event.COMMENT, by=by, words=words)
    return request


def may_submit(request: ApprovalRequest, by: User) -> None:
    """Raises OutOfReach for all but who asked and the leads of the team, or Refused."""
    _refuse_others(request, by)
    if request.state != State.DRAFT:
        raise Refused("not_draft", _("This request has been submitted already."))


def may_edit(request: ApprovalRequest, by: User) -> None:
    """Raises OutOfReach for all but who asked and the leads of the team, or Refused."""
    _refuse_others(request, by)
    if request.state not in flow.BEFORE_DECISION:
        raise Refused("over", _("This request has been decided; ask anew instead."))


def may_withdraw(request: ApprovalRequest, by: User) -> None:
    """Raises OutOfReach for all but who asked, or Refused."""
    if request.requester_id != by.pk:
        raise OutOfReach
    if request.state not in (*flow.BEFORE_DECISION, State.APPLY_FAILED):
        raise Refused("over", _("This request has been settled already; it cannot be withdrawn any more."))


def _refuse_others(request: ApprovalRequest, by: User) -> None:
    if request.requester_id != by.pk and not ApprovalRequest.objects.manageable_by(by).filter(pk=request.pk).exists():
        raise OutOfReach


def _kind(name: str) -> Any:
    try:
        return kind_of(name)
    except LookupError as error:
        raise Refused("unknown_kind", _("There is no such kind of request.")) from error
