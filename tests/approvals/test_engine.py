"""Requests through their states: who may, what follows, what is told, what stays."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from approvals.models import ApprovalAbsence, ApprovalEvent, ApprovalRequest, ApprovalSeat
from approvals.services import absences, applying, clocks, deciding, policies, requests
from teams.errors import OutOfReach, Refused
from teams.models import Notice, Skill, TeamUserGrant
from teams.scoping import Grant
from teams.services import delegate
from tests import make
from tests.approvals import kinds
from tests.approvals.kinds import effects, lead, person, steps

State = ApprovalRequest.State


def refused(code, verb, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        verb(*args, **kwargs)
    assert refusal.value.code == code, refusal.value
    return refusal.value


def told(kind):
    return set(Notice.objects.filter(kind=kind).values_list("recipient__username", flat=True))


def trace(request):
    return list(request.events.values_list("kind", flat=True))


def test_asked_approved_carried_out_once_and_traced(case):
    request = case.ask()
    assert (request.state, case.name()) == (State.IN_REVIEW, "German")
    assert told("approval_waits") == {"north-lead", "hub-lead"}
    request = deciding.approve(request.pk, by=case.north.lead, words="right", condition="for a trial")
    assert (request.state, case.name(), effects(case.skill)) == (State.APPLIED, "Deutsch", 1)
    assert trace(request) == ["submitted", "step_begun", "approved", "applied"]
    line = request.events.get(kind="approved")
    assert (line.actor, line.content_hash, line.words, request.condition) == (
        case.north.lead, request.content_hash, "right", "for a trial"
    )  # fmt: skip
    assert told("approval_settled") == {case.agent.username}
    assert refused("settled", deciding.approve, request.pk, by=case.hub.lead)
    assert effects(case.skill) == 1


def test_bad_content_is_refused_by_field_and_nothing_is_kept(case):
    refusal = refused("bad_payload", case.ask, name="")
    assert "New name" in str(refusal)
    refused("bad_payload", requests.ask, "rename", {"skill": "x", "extra": 1}, by=case.agent)
    refused("nonsense", case.ask, name="nonsense")
    refused("unknown_kind", requests.ask, "no such kind", {}, by=case.agent)
    with pytest.raises(OutOfReach):
        case.ask(by=case.south.lead)
    assert not ApprovalRequest.objects.exists()


def test_a_request_of_a_kind_that_is_no_more_is_refused_with_a_sentence(case):
    """An app may leave a release while its requests stay."""
    request = case.ask()
    kinds.forget()
    refusal = refused("unknown_kind", deciding.approve, request.pk, by=case.north.lead)
    assert "“rename”" in str(refusal)
    (row,) = deciding.decide_many([request.pk], "approve", by=case.north.lead)
    assert (row.is_done, row.code) == (False, "unknown_kind")
    request.refresh_from_db()
    assert (request.state, effects(case.skill)) == (State.IN_REVIEW, 0)


def test_one_open_request_per_subject(case):
    first = case.ask()
    refused("already_open", case.ask, name="Other")
    requests.withdraw(first.pk, by=case.agent)
    assert case.ask(name="Other").state == State.IN_REVIEW
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalRequest.objects.filter(pk=first.pk).update(state=State.IN_REVIEW)


def test_a_draft_disturbs_nobody_until_it_is_handed_in(case):
    draft = requests.ask("rename", kinds.wish(case.skill, case.north.team), by=case.agent, is_draft=True)
    assert draft.state == State.DRAFT and not Notice.objects.exists()
    case.ask(name="Before")
    refused("already_open", requests.submit, draft.pk, by=case.agent)
    requests.withdraw(ApprovalRequest.objects.exclude(pk=draft.pk).get().pk, by=case.agent)
    assert requests.submit(draft.pk, by=case.agent).state == State.IN_REVIEW
    refused("not_draft", requests.submit, draft.pk, by=case.agent)


# -- four eyes ---------------------------------------------------------------------------------------------------------


def test_who_asked_is_concerned_or_edited_never_decides(case):
    case.kind.policy = steps(lead())
    request = case.ask(by=case.north.lead, agent=case.north.agents[1].pk)
    assert told("approval_waits") == {"hub-lead"}
    for who in (case.north.lead, case.north.agents[1].user):
        refused("own_request", deciding.approve, request.pk, by=who)
    requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Edited"), by=case.hub.lead)
    refused("own_request", deciding.approve, request.pk, by=case.hub.lead)
    assert case.name() == "German"


def test_not_even_the_operator_decides_the_own_or_unasked(case):
    request = case.ask(by=case.hub.operator)
    refused("own_request", deciding.approve, request.pk, by=case.hub.operator)
    refused("own_request", deciding.break_glass, request.pk, by=case.hub.operator, words="now")
    requests.withdraw(request.pk, by=case.hub.operator)
    other = case.ask()
    refused("not_asked", deciding.approve, other.pk, by=case.hub.operator)


def test_a_deputy_of_the_requester_is_refused_in_every_role(case):
    other = make.user("second-lead", is_staff=True)
    make.grant(other, case.north.team, Grant.LEAD)
    request = case.ask(by=case.north.lead)
    absences.announce(
        deputy=other.pk, since=None, until=timezone.now() + timedelta(days=2), reason="", by=case.north.lead
    )
    refused("own_request", deciding.approve, request.pk, by=other)
    third = make.user("third", is_staff=True, password="correct horse battery")
    make.grant(third, case.north.team, Grant.OBSERVE)
    delegate(
        team=case.north.team.pk, grant=Grant.LEAD.value, deputy=third.pk, since=None,
        until=timezone.now() + timedelta(days=2), reason="x", by=case.north.lead,
    )  # fmt: skip
    refused("own_request", deciding.approve, request.pk, by=third)


def test_foreign_and_missing_are_one_answer(case):
    request = case.ask()
    for who, pk in ((case.south.lead, request.pk), (case.hub.hr, request.pk), (case.north.lead, 10**9)):
        with pytest.raises(OutOfReach):
            deciding.approve(pk, by=who)
    refused("not_asked", deciding.approve, request.pk, by=case.hub.operator)


def test_whoever_lost_the_right_after_being_asked_is_refused(case):
    request = case.ask()
    TeamUserGrant.objects.filter(user=case.north.lead).delete()
    refused("not_asked", deciding.approve, request.pk, by=case.north.lead)
    assert deciding.approve(request.pk, by=case.hub.lead).state == State.APPLIED


def test_whoever_was_given_the_right_later_may_decide(case):
    request = case.ask()
    late = make.user("late", is_staff=True)
    make.grant(late, case.north.team, Grant.LEAD)
    assert deciding.approve(request.pk, by=late).state == State.APPLIED


# -- steps ---------------------------------------------------------------------------------------------------------------


def test_steps_come_one_after_the_other_and_no_person_takes_two(case):
    case.kind.policy = steps(lead(), lead())
    request = case.ask()
    request = deciding.approve(request.pk, by=case.north.lead)
    assert (request.state, case.name()) == (State.IN_REVIEW, "German")
    refused("already_decided", deciding.approve, request.pk, by=case.north.lead)
    assert deciding.approve(request.pk, by=case.hub.lead).state == State.APPLIED


def test_a_later_step_is_not_decided_before_its_turn(case):
    case.kind.policy = steps(person(case.hub.lead), person(case.hub.hr))
    request = case.ask()
    with pytest.raises(OutOfReach):
        deciding.approve(request.pk, by=case.hub.hr)
    deciding.approve(request.pk, by=case.hub.lead)
    assert deciding.approve(request.pk, by=case.hub.hr).state == State.APPLIED


def test_all_of_them_and_a_quorum(case):
    third = make.user("third", is_staff=True)
    make.grant(third, case.north.team, Grant.LEAD)
    case.kind.policy = steps(lead("all"))
    request = case.ask()
    for who in (case.north.lead, case.hub.lead):
        assert deciding.approve(request.pk, by=who).state == State.IN_REVIEW
    assert deciding.approve(request.pk, by=third).state == State.APPLIED
    case.kind.policy = steps(lead("quorum", needed=2))
    request = case.ask(name="Again")
    assert deciding.approve(request.pk, by=third).state == State.IN_REVIEW
    assert deciding.reject(request.pk, by=case.hub.lead, words="no").state == State.IN_REVIEW
    assert deciding.approve(request.pk, by=case.north.lead).state == State.APPLIED
    request = case.ask(name="Third")
    deciding.reject(request.pk, by=third, words="no")
    assert deciding.reject(request.pk, by=case.hub.lead, words="no").state == State.REJECTED


def test_a_step_may_let_the_same_person_agree_once(case):
    case.kind.policy = steps(lead(), lead(may_repeat=True))
    request = deciding.approve(case.ask().pk, by=case.north.lead)
    assert request.state == State.APPLIED
    assert trace(request) == ["submitted", "step_begun", "approved", "step_skipped", "applied"]


def test_a_source_that_is_nobody_falls_back_and_else_fails_closed(case):
    nobody = make.user("gone", is_active=False)
    case.kind.policy = steps(person(nobody))
    request = case.ask()
    assert told("approval_waits") == {"hub-lead"} and request.steps.get().uses_fallback
    requests.withdraw(request.pk, by=case.agent)
    case.kind.policy = steps(person(nobody, fallback={"is": "person", "user": nobody.pk}))
    request = case.ask()
    assert (request.state, told("approval_alarm")) == (State.SUBMITTED, {"operator"})
    clocks.sweep(timezone.now() + timedelta(minutes=6))
    assert case.name() == "German" and Notice.objects.filter(kind="approval_alarm").count() == 1
    nobody.is_active = True
    nobody.save()
    clocks.sweep(timezone.now() + timedelta(minutes=20))
    request.refresh_from_db()
    assert request.state == State.IN_REVIEW


# -- rules ---------------------------------------------------------------------------------------------------------------


def test_the_first_rule_that_matches_decides(case):
    case.kind.policy = {
        "rules": [
            {"name": "light", "when": [{"fact": "weight", "is": "at_most", "value": 3}], "outcome": "approve"},
            {"name": "rude", "when": [{"fact": "word", "is": "among", "value": ["Rude"]}], "outcome": "deny",
             "reason": "Rude words are not used here."},
        ],
        "otherwise": {"outcome": "steps", "steps": [lead()]},
    }  # fmt: skip
    assert case.ask(weight=3).state == State.APPLIED
    request = case.ask(name="Rude", weight=4)
    assert (request.state, request.plan["rule"], case.kind.let_go) == (State.REJECTED, "rude", [request.pk])
    assert "Rude words" in request.events.get(kind="auto_rejected").words
    assert case.ask(name="Other", weight=4).state == State.IN_REVIEW


def test_the_nearest_policy_wins_and_a_running_request_keeps_its_version(case):
    for team, outcome in ((case.hub.team, "deny"), (case.north.team, "steps")):
        last = {"outcome": outcome, "reason": "no"} if outcome == "deny" else {"outcome": "steps", "steps": [lead()]}
        policies.set_policy(team.pk, "rename", {"otherwise": last}, by=case.hub.operator, reason="r")
    request = case.ask()
    assert request.state == State.IN_REVIEW
    policies.set_policy(
        case.north.team.pk, "rename", {"otherwise": {"outcome": "approve"}}, by=case.hub.lead, reason="quicker"
    )
    requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Edited"), by=case.agent)
    request.refresh_from_db()
    assert (request.state, request.policy.number) == (State.IN_REVIEW, 1)
    requests.withdraw(request.pk, by=case.agent)
    assert case.ask().state == State.APPLIED


def test_nobody_writes_the_rules_for_the_own_team(case):
    made = {"otherwise": {"outcome": "approve"}}
    refused("not_yours", policies.set_policy, case.north.team.pk, "rename", made, by=case.north.lead, reason="r")
    with pytest.raises(OutOfReach):
        policies.set_policy(case.south.team.pk, "rename", made, by=case.north.lead, reason="r")
    refused("bad_policy", policies.set_policy, case.north.team.pk, "rename", {}, by=case.hub.lead, reason="r")
    row = policies.set_policy(case.north.team.pk, "rename", made, by=case.hub.lead, reason="r")
    policies.drop_policy(row.pk, by=case.hub.lead, reason="back")
    assert case.ask().state == State.IN_REVIEW


# -- edits, conflicts, failures --------------------------------------------------------------------------------------------


def test_an_edit_voids_what_was_decided(case):
    case.kind.policy = steps(lead("all"))
    request = case.ask()
    deciding.approve(request.pk, by=case.north.lead)
    former = request.content_hash
    request = requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Edited"), by=case.agent)
    assert (request.revision, request.content_hash == former) == (2, False)
    assert not ApprovalSeat.objects.filter(step__revision=2).exclude(verdict="").exists()
    deciding.approve(request.pk, by=case.hub.lead)
    assert case.name() == "German"
    assert deciding.approve(request.pk, by=case.north.lead).state == State.APPLIED
    assert case.name() == "Edited"


def test_a_stale_decision_is_refused(case):
    request = case.ask()
    seen = request.version
    requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Edited"), by=case.agent)
    refused("stale", deciding.approve, request.pk, by=case.north.lead, version=seen)
    assert case.name() == "German"


def test_what_has_moved_since_goes_back_with_both_versions(case):
    request = case.ask()
    Skill.objects.filter(pk=case.skill.pk).update(name="Moved")
    request = deciding.approve(request.pk, by=case.north.lead)
    assert (request.state, case.name()) == (State.CHANGES_REQUESTED, "Moved")
    line = request.events.get(kind="conflict")
    assert line.details == {"then": {"name": "German"}, "now": {"name": "Moved"}}
    assert told("approval_sent_back") == {case.agent.username}
    request = requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Deutsch"), by=case.agent)
    assert deciding.approve(request.pk, by=case.north.lead).state == State.APPLIED


def test_what_fails_says_why_and_can_be_tried_again(case, monkeypatch):
    request = deciding.approve(case.ask(name="impossible").pk, by=case.north.lead)
    assert (request.state, request.error) == (State.APPLY_FAILED, "It cannot be called that.")
    refused("already_open", case.ask)
    monkeypatch.setattr(case.kind, "apply", lambda request, wish, by: {"former": "x"})
    assert applying.apply_again(request.pk, by=case.agent).state == State.APPLIED
    refused("not_failed", applying.apply_again, request.pk, by=case.agent)


def test_a_deferred_kind_is_carried_out_by_the_ledger_once(case, monkeypatch):
    from teams import jobs

    monkeypatch.setattr(type(case.kind), "is_deferred", True)
    request = deciding.approve(case.ask().pk, by=case.north.lead)
    assert (request.state, case.name()) == (State.APPROVED, "German")
    for _turn in range(2):
        jobs.work_due(timezone.now())
    request.refresh_from_db()
    assert (request.state, case.name(), effects(case.skill)) == (State.APPLIED, "Deutsch", 1)


def test_undo_takes_it_back_once_and_not_after_something_else(case):
    request = deciding.approve(case.ask().pk, by=case.north.lead)
    refused("own_request", applying.undo, request.pk, by=case.agent, words="x")
    assert applying.undo(request.pk, by=case.hub.lead, words="wrong").state == State.UNDONE
    assert case.name() == "German"
    refused("not_applied", applying.undo, request.pk, by=case.hub.lead, words="x")
    request = deciding.approve(case.ask().pk, by=case.north.lead)
    Skill.objects.filter(pk=case.skill.pk).update(name="Later")
    refused("moved_on", applying.undo, request.pk, by=case.hub.lead, words="x")


def test_rejecting_and_sending_back_need_words(case):
    request = case.ask()
    refused("no_reason", deciding.reject, request.pk, by=case.north.lead, words=" ")
    refused("no_reason", deciding.send_back, request.pk, by=case.north.lead, words="")
    request = deciding.send_back(request.pk, by=case.north.lead, words="say which")
    assert request.state == State.CHANGES_REQUESTED and not request.seats.filter(is_open=True).exists()
    request = requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Better"), by=case.agent)
    request = deciding.reject(request.pk, by=case.north.lead, words="no")
    assert (request.state, case.kind.let_go) == (State.REJECTED, [request.pk])
    refused("over", requests.edit, request.pk, kinds.wish(case.skill, case.north.team), by=case.agent)
    refused("over", requests.withdraw, request.pk, by=case.agent)


# -- many, absences, glass -------------------------------------------------------------------------------------------------


def test_many_at_once_each_with_its_result(case):
    first = case.ask()
    own = requests.ask(
        "rename", kinds.wish(Skill.objects.create(code="own", name="own"), case.north.team), by=case.north.lead
    )
    results = deciding.decide_many([first.pk, own.pk, 10**9], "approve", by=case.north.lead)
    assert [(each.is_done, each.code) for each in results] == [(True, ""), (False, "own_request"), (False, "not_found")]
    refused("too_many", deciding.decide_many, range(101), "approve", by=case.north.lead)
    refused("no_reason", deciding.decide_many, [own.pk], "reject", by=case.hub.lead)


def test_of_many_one_that_moved_since_it_was_read_is_not_decided(case):
    request = case.ask()
    seen = {request.pk: request.version}
    requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Hochdeutsch"), by=case.agent)
    (result,) = deciding.decide_many([request.pk], "approve", by=case.north.lead, seen=seen)
    assert (result.is_done, result.code, case.name()) == (False, "stale", "German")


def test_a_deputy_decides_in_the_name_of_the_absent_and_hands_nothing_on(case):
    case.kind.policy = steps(person(case.hub.lead))
    until = timezone.now() + timedelta(days=2)
    absences.announce(deputy=case.north.lead.pk, since=None, until=until, reason="away", by=case.hub.lead)
    second = make.user("second", is_staff=True)
    make.grant(second, case.north.team, Grant.LEAD)
    ApprovalAbsence.objects.create(
        owner=case.north.lead, deputy=second, span=DateTimeTZRange(timezone.now() - timedelta(hours=1), until)
    )
    request = case.ask()
    assert told("approval_waits") == {"hub-lead", "north-lead"}
    refused("not_asked", deciding.approve, request.pk, by=second)
    request = deciding.approve(request.pk, by=case.north.lead)
    line = request.events.get(kind="approved")
    assert (request.state, line.actor, line.on_behalf_of) == (State.APPLIED, case.north.lead, case.hub.lead)


def test_absences_have_two_ends_a_fit_deputy_and_end_at_once(case):
    until = timezone.now() + timedelta(days=2)
    with pytest.raises(OutOfReach):
        absences.announce(deputy=case.south.lead.pk, since=None, until=until, reason="", by=case.north.lead)
    refused(
        "cannot_decide", absences.announce, deputy=case.north.agents[1].user.pk, since=None, until=until, reason="",
        by=case.north.lead,
    )  # fmt: skip
    refused(
        "yourself", absences.announce, deputy=case.hub.lead.pk, since=None, until=until, reason="", by=case.hub.lead
    )
    row = absences.announce(deputy=case.north.lead.pk, since=None, until=until, reason="", by=case.hub.lead)
    refused(
        "already_away",
        absences.announce,
        deputy=case.south.lead.pk,
        since=None,
        until=until,
        reason="",
        by=case.hub.lead,
    )
    refused(
        "deputy_away",
        absences.announce,
        deputy=case.hub.lead.pk,
        since=None,
        until=until,
        reason="",
        by=case.north.lead,
    )
    with pytest.raises(OutOfReach):
        absences.end(row.pk, by=case.north.lead)
    absences.end(row.pk, by=case.hub.lead)
    refused("already_ended", absences.end, row.pk, by=case.hub.lead)
    assert told("absence_ended") == {"hub-lead", "north-lead"}


def test_broken_glass_is_loud_and_reviewed_by_a_second_person(case):
    request = case.ask()
    with pytest.raises(OutOfReach):
        deciding.break_glass(request.pk, by=case.north.lead, words="now")
    refused("no_reason", deciding.break_glass, request.pk, by=case.hub.operator, words="")
    request = deciding.break_glass(request.pk, by=case.hub.operator, words="the customer waits")
    assert (request.state, case.name()) == (State.APPLIED, "Deutsch")
    assert told("approval_glass") == {"operator", "north-lead", "hub-lead", case.agent.username}
    refused("own_glass", deciding.review_glass, request.pk, by=case.hub.operator, words="fine")
    refused("own_request", deciding.review_glass, request.pk, by=case.agent, words="fine")
    deciding.review_glass(request.pk, by=case.hub.lead, words="was right")
    refused("reviewed", deciding.review_glass, request.pk, by=case.north.lead, words="again")


# -- clocks ----------------------------------------------------------------------------------------------------------------


def test_clocks_remind_hand_up_and_expire(case):
    case.kind.policy = steps(
        {"mode": "any", "source": {"is": "lead_above", "level": 0}} | {"source": {"is": "person", "user": case.north.lead.pk}},
        remind=30, escalate=60, expire=300, at_expiry="deny", on_escalation="keep",
    )  # fmt: skip
    request = case.ask()
    now = request.submitted_at
    assert clocks.sweep(now + timedelta(minutes=29)) == 0
    assert clocks.sweep(now + timedelta(minutes=31)) == 1
    assert clocks.sweep(now + timedelta(minutes=31)) == 0
    assert told("approval_reminder") == {"north-lead"}
    assert clocks.sweep(now + timedelta(minutes=61)) == 1
    refused("not_asked", deciding.approve, request.pk, by=case.north.lead)
    assert {seat.user.username for seat in request.seats.filter(is_open=True)} == {"hub-lead"}
    assert clocks.sweep(now + timedelta(minutes=301)) == 1
    request.refresh_from_db()
    assert (request.state, case.kind.let_go, request.next_due_at) == (State.EXPIRED, [request.pk], None)
    refused("settled", deciding.approve, request.pk, by=case.hub.lead)


@pytest.mark.parametrize(("outcome", "state"), [("approve", State.APPLIED), ("hold", State.IN_REVIEW)])
def test_what_happens_when_time_is_over_is_said_by_the_policy(case, outcome, state):
    case.kind.policy = steps(lead(), expire=10, at_expiry=outcome)
    request = case.ask()
    clocks.sweep(timezone.now() + timedelta(minutes=11))
    clocks.sweep(timezone.now() + timedelta(minutes=12))
    request.refresh_from_db()
    assert (request.state, effects(case.skill)) == (state, int(outcome == "approve"))
    assert request.events.filter(kind="expired").count() == 1


def test_at_the_top_the_operators_are_told(case):
    case.kind.policy = steps(person(case.hub.lead), escalate=10, most_escalations=3)
    request = case.ask()
    for turn in range(1, 5):
        clocks.sweep(timezone.now() + timedelta(minutes=11 * turn))
    request.refresh_from_db()
    assert request.state == State.IN_REVIEW
    assert {seat.user.username for seat in request.seats.filter(is_open=True)} == {"operator"}
    assert told("approval_alarm") == {"operator"}


# -- the trace ---------------------------------------------------------------------------------------------------------------


def test_the_trace_is_only_added_to(case):
    request = case.ask()
    for change in (
        lambda: request.events.all().delete(),
        lambda: ApprovalEvent.objects.filter(request=request).update(kind="approved"),
        lambda: ApprovalEvent.objects.filter(request=request).update(actor=case.hub.lead),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    requests.comment(request.pk, "a word", by=case.north.lead)
    assert request.events.last().words == "a word"


# -- the last net --------------------------------------------------------------------------------------------------------------


def test_the_database_knows_the_ways_of_states(case):
    """Not even a bulk update makes a rejected request an approved one."""
    request = deciding.reject(case.ask().pk, by=case.north.lead, words="no")
    for state in (State.APPROVED, State.APPLIED, State.IN_REVIEW, State.DRAFT):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApprovalRequest.objects.filter(pk=request.pk).update(state=state)
    waiting = case.ask(name="Other")
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalRequest.objects.filter(pk=waiting.pk).update(state=State.APPLIED)


def test_the_database_refuses_the_seat_of_one_who_asked(case):
    request = case.ask(by=case.north.lead)
    step = request.steps.get()
    for seat in (
        ApprovalSeat(user=case.north.lead, decided_by=case.hub.lead),
        ApprovalSeat(user=case.hub.hr, decided_by=case.north.lead),
    ):
        seat.step, seat.request, seat.team, seat.verdict = step, request, request.team, "approved"
        with pytest.raises(IntegrityError), transaction.atomic():
            seat.save()
