"""Agents' statuses: setting, asking for breaks on live cover, the queue, overruns, corrections, employment."""

from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone, translation

from approvals.models import ApprovalRequest, StatusReason, StatusSpan, TeamCover
from approvals.plain.cover import Cover, expected_at
from approvals.plain.timeline import Piece, shift_began_at
from approvals.reports.requests import request_page
from approvals.services import applying, clocks, deciding, employment, on_duty, policies, requests, statuses
from approvals.services.statuses import line, queue
from teams import retention
from teams.errors import OutOfReach, Refused
from teams.models import Agent, Loan, Notice
from teams.scoping import Grant
from tests import make

State = ApprovalRequest.State
MINUTE = timedelta(minutes=1)


def refused(code, verb, *args, **kwargs):
    with pytest.raises(Refused) as refusal:
        verb(*args, **kwargs)
    assert refusal.value.code == code, refusal.value
    return refusal.value


def told(kind):
    return sorted(Notice.objects.filter(kind=kind).values_list("recipient__username", flat=True))


def now_of(agent):
    """Status and reason of the moment."""
    row = StatusSpan.objects.open().filter(agent=agent).first()
    return (row.base, row.reason.code if row.reason else "") if row else None


def shift(agent, base="ready", minutes=120, reason=None, **more):
    """The agent's line: this status since some minutes ago, and nothing before."""
    began = timezone.now() - minutes * MINUTE
    return StatusSpan.objects.create(
        agent=agent, team=agent.team, base=base, reason=reason, span=DateTimeTZRange(began, None), **more
    )


@pytest.fixture
def floor(hub, north, south):
    """North's two agents ready for two hours; one has to stay ready."""
    for agent in north.agents:
        shift(agent)
    TeamCover.objects.create(team=north.team, needed=1)
    reasons = {each.code: each for each in StatusReason.objects.all()}
    return SimpleNamespace(
        hub=hub, north=north, south=south, reasons=reasons, first=north.agents[0], second=north.agents[1]
    )


def ask(agent, reason="rest", minutes=None, by=None, words=""):
    return statuses.ask_break(agent.pk, reason, minutes, by=by or agent.user, words=words)


def test_what_the_engine_says_is_read_in_the_readers_language_whoever_asked(floor):
    with translation.override("zh-hans"):
        granted = ask(floor.first)
    waits = ask(floor.second)
    statuses.set_status(floor.second.pk, "offline", by=floor.second.user)
    told = {}
    for language in ("en", "zh-hans"):
        with translation.override(language):
            pages = [
                request_page(ApprovalRequest.objects.get(pk=each.pk), floor.hub.lead, timezone.now())
                for each in (granted, waits)
            ]
            told[language] = (pages[0].head.rule, pages[0].trace[1].words, pages[1].trace[-1].words)
    assert told["en"] == ("The cover allows it", "The cover allows it", "went offline meanwhile")
    assert told["zh-hans"] == ("保障允许", "保障允许", "期间已离线")


# -- setting -----------------------------------------------------------------------------------------------------------


def test_an_agent_sets_the_own_status_and_the_line_goes_on_without_gap(floor):
    began = StatusSpan.objects.get(agent=floor.first)
    made = statuses.set_status(floor.first.pk, "on_contact", by=floor.first.user).now
    began.refresh_from_db()
    assert (began.span.upper, made.span.upper) == (made.span.lower, None)
    assert (made.base, made.source, made.confidence, made.by, made.team) == (
        "on_contact", "self", "stated", floor.first.user, floor.north.team
    )  # fmt: skip


def test_the_same_status_again_changes_nothing(floor):
    first = statuses.set_status(floor.first.pk, "wrap_up", by=floor.first.user).now
    assert statuses.set_status(floor.first.pk, "wrap_up", by=floor.first.user).now == first
    assert StatusSpan.objects.filter(agent=floor.first).count() == 2


def test_a_lead_sets_those_of_the_own_team_and_says_why(floor):
    refused("no_words", statuses.set_status, floor.first.pk, "offline", by=floor.north.lead)
    made = statuses.set_status(floor.first.pk, "offline", by=floor.north.lead, note="went home ill").now
    assert (made.source, made.by, made.note) == ("lead", floor.north.lead, "went home ill")


@pytest.mark.parametrize("who", ["sibling lead", "colleague", "hr", "trainer"])
def test_whoever_neither_is_nor_leads_the_agent_finds_nobody(floor, who):
    by = {
        "sibling lead": floor.south.lead, "colleague": floor.second.user, "hr": floor.hub.hr, "trainer": floor.hub.trainer
    }[who]  # fmt: skip
    for verb in (statuses.set_status, statuses.ask_break):
        with pytest.raises(OutOfReach):
            verb(floor.first.pk, "ready" if verb is statuses.set_status else "rest", by=by)
    with pytest.raises(OutOfReach):
        statuses.set_status(10**9, "ready", by=by)
    assert StatusSpan.objects.filter(agent=floor.first).count() == 1


def test_a_reason_fits_its_status_and_what_the_system_notes_is_chosen_by_nobody(floor):
    own = {"by": floor.first.user}
    refused("no_reason", statuses.set_status, floor.first.pk, "not_ready", **own)
    refused("unknown_reason", statuses.set_status, floor.first.pk, "not_ready", reason="nothing", **own)
    refused("reason_of_another", statuses.set_status, floor.first.pk, "not_ready", reason="rest", **own)
    refused("system_only", statuses.set_status, floor.first.pk, "not_ready", reason="rejected", **own)
    refused("unknown_status", statuses.set_status, floor.first.pk, "ringing", **own)
    refused("unknown_status", statuses.set_status, floor.first.pk, "asleep", **own)
    assert statuses.set_status(floor.first.pk, "ringing", by=None).now.source == "system"
    assert statuses.set_status(floor.first.pk, "not_ready", reason="ring_timeout", by=None).now.confidence == "inferred"


def test_what_needs_nobody_is_set_and_knows_its_end(floor):
    made = statuses.set_status(floor.first.pk, "not_ready", reason="meeting", minutes=20, by=floor.first.user).now
    assert now_of(floor.first) == ("not_ready", "meeting")
    assert made.back_at - made.span.lower == 20 * MINUTE


def test_whoever_is_not_employed_to_work_has_no_status(floor):
    Agent.objects.filter(pk=floor.first.pk).update(status="suspended")
    refused("not_employed", statuses.set_status, floor.first.pk, "ready", by=floor.first.user)
    refused("not_employed", ask, floor.first)
    assert statuses.set_status(floor.first.pk, "offline", by=floor.first.user).now.base == "offline"


def test_on_loan_the_line_belongs_to_the_team_that_borrows(floor):
    today = timezone.now().date()
    Loan.objects.create(agent=floor.first, team=floor.south.team, span=make.DateRange(today, today + timedelta(days=1)))
    made = statuses.set_status(floor.first.pk, "wrap_up", by=floor.first.user).now
    assert made.team == floor.south.team
    statuses.set_status(floor.first.pk, "ready", by=floor.south.lead, note="go on")
    assert now_of(floor.first) == ("ready", "")


def test_the_database_keeps_two_statuses_apart(floor):
    began = timezone.now() - 30 * MINUTE
    for span in (DateTimeTZRange(began, None), DateTimeTZRange(began, began + MINUTE)):
        with pytest.raises(IntegrityError, match=r"one_.*status_per_agent"), transaction.atomic():
            StatusSpan.objects.create(agent=floor.first, team=floor.north.team, base="ready", span=span)


# -- breaks --------------------------------------------------------------------------------------------------------------


def test_with_cover_a_break_begins_at_once_and_nobody_is_written_to(floor):
    request = ask(floor.first, minutes=10)
    assert (request.state, now_of(floor.first)) == (State.APPLIED, ("break", "rest"))
    row = StatusSpan.objects.open().get(agent=floor.first)
    assert (row.source, row.request, row.back_at - row.span.lower) == ("request", request, 10 * MINUTE)
    assert not Notice.objects.exists()


def test_without_cover_it_waits_and_the_agent_stays_where_they_are(floor):
    ask(floor.first)
    request = ask(floor.second)
    assert (request.state, now_of(floor.second)) == (State.IN_REVIEW, ("ready", ""))
    assert request.plan["measured"] | {"cover": 0, "ready": 1, "needed": 1} == request.plan["measured"]
    assert list(queue.waiting().filter(team=floor.north.team)) == [request]


def test_where_no_cover_is_asked_nobody_waits(floor):
    TeamCover.objects.update(needed=0)
    assert [ask(agent).state for agent in floor.north.agents] == [State.APPLIED] * 2


def test_a_legal_break_is_granted_without_cover_and_over_all_limits(floor):
    TeamCover.objects.update(needed=9)
    meal = floor.reasons["meal"]
    meal.most_at_once = meal.longest_per_shift_minutes = 1
    meal.save()
    requests_made = [ask(floor.first, "meal", 600), ask(floor.second, "meal")]
    assert [each.state for each in requests_made] == [State.APPLIED] * 2
    row = StatusSpan.objects.open().get(agent=floor.first)
    assert row.back_at - row.span.lower == 60 * MINUTE


def test_what_needs_approval_is_decided_by_somebody_however_good_the_cover(floor):
    TeamCover.objects.update(needed=0)
    request = ask(floor.first, "training")
    assert (request.state, now_of(floor.first)) == (State.IN_REVIEW, ("ready", ""))
    statuses.sweep(timezone.now() + timedelta(hours=3))
    assert now_of(floor.first) == ("ready", "")
    deciding.approve(request.pk, by=floor.north.lead)
    assert now_of(floor.first) == ("not_ready", "training")


def test_setting_a_break_is_asking_for_it(floor):
    change = statuses.set_status(floor.first.pk, "break", reason="rest", by=floor.first.user)
    assert (change.request.kind, change.now.base) == ("status_change", "break")
    change = statuses.set_status(floor.second.pk, "break", reason="rest", by=floor.north.lead, note="looks tired")
    assert (change.request.state, change.now.base) == (State.IN_REVIEW, "ready")
    refused("own_request", deciding.approve, change.request.pk, by=floor.north.lead)


def test_limits_are_named_in_the_refusal(floor):
    refusal = refused("too_long", ask, floor.first, minutes=16)
    assert "15" in str(refusal)
    rest = floor.reasons["rest"]
    now = timezone.now()
    StatusSpan.objects.filter(agent=floor.first).update(span=DateTimeTZRange(now - 20 * MINUTE, None))
    StatusSpan.objects.create(
        agent=floor.first, team=floor.north.team, base="break", reason=rest,
        span=DateTimeTZRange(now - 45 * MINUTE, now - 20 * MINUTE),
    )  # fmt: skip
    refusal = refused("shift_limit", ask, floor.first, minutes=10)
    assert "30" in str(refusal) and "5" in str(refusal)
    assert ask(floor.first, minutes=5).state == State.APPLIED


def test_a_new_shift_begins_its_limits_anew(floor):
    now, rest = timezone.now(), floor.reasons["rest"]
    StatusSpan.objects.filter(agent=floor.first).delete()
    for base, reason, since, until in (
        ("break", rest, 200, 170),
        ("offline", None, 170, 30),
        ("ready", None, 30, None),
    ):
        StatusSpan.objects.create(
            agent=floor.first, team=floor.north.team, base=base, reason=reason,
            span=DateTimeTZRange(now - since * MINUTE, now - until * MINUTE if until else None),
        )  # fmt: skip
    assert shift_began_at(whole_line(floor.first), now) == now - 30 * MINUTE
    assert ask(floor.first).state == State.APPLIED


def test_at_most_so_many_at_once(floor):
    TeamCover.objects.update(needed=0)
    StatusReason.objects.filter(code="rest").update(most_at_once=1)
    ask(floor.first)
    refusal = refused("at_once_limit", ask, floor.second)
    assert "1" in str(refusal)
    statuses.come_back(floor.first.pk, by=floor.first.user)
    assert ask(floor.second).state == State.APPLIED


def test_nobody_asks_twice_and_the_same_click_twice_is_one(floor):
    ask(floor.first)
    request = ask(floor.second)
    assert ask(floor.second) == request
    refused("already_open", ask, floor.second, "personal")
    refused("already_there", ask, floor.first)


def test_from_offline_nobody_goes_on_a_break(floor):
    statuses.set_status(floor.first.pk, "offline", by=floor.first.user)
    refused("not_at_work", ask, floor.first)
    refused("not_at_work", ask, floor.first, "meal")


def test_a_policy_of_the_team_decides_instead_of_the_standard(floor):
    policies.set_policy(
        floor.north.team.pk, "status_change",
        {
            "rules": [
                {"name": "long", "when": [{"fact": "minutes", "is": "above", "value": 5}], "outcome": "deny",
                 "reason": "Five minutes are enough today."}
            ],
            "otherwise": {"outcome": "approve"},
        },
        by=floor.hub.lead, reason="a busy week",
    )  # fmt: skip
    assert ask(floor.first, minutes=10).state == State.REJECTED
    assert ask(floor.first, minutes=5).state == State.APPLIED


# -- the queue -----------------------------------------------------------------------------------------------------------


def third(floor, base="ready"):
    agent = make.agent(floor.north.team, "Third", user=make.user("north-agent-3"))
    shift(agent, base)
    return agent


def test_whoever_comes_back_lets_the_next_one_go(floor):
    agent = third(floor)
    TeamCover.objects.update(needed=2)
    ask(floor.first)
    second, last = ask(floor.second), ask(agent)
    assert [second.state, last.state] == [State.IN_REVIEW] * 2
    statuses.come_back(floor.first.pk, by=floor.first.user)
    assert (now_of(floor.second), now_of(agent)) == (("break", "rest"), ("ready", ""))
    second.refresh_from_db()
    assert second.state == State.APPLIED and told("approval_settled") == [floor.second.user.username]
    assert "auto_approved" in second.events.values_list("kind", flat=True)


def test_lowering_the_need_lets_them_go_and_raising_it_calls_nobody_back(floor):
    ask(floor.first)
    ask(floor.second)
    statuses.set_needed(floor.north.team.pk, 0, by=floor.north.lead, reason="quiet")
    assert now_of(floor.second) == ("break", "rest")
    statuses.set_needed(floor.north.team.pk, 2, by=floor.north.lead, reason="busy")
    assert now_of(floor.second) == ("break", "rest")
    with pytest.raises(OutOfReach):
        statuses.set_needed(floor.north.team.pk, 0, by=floor.south.lead)
    refused("out_of_range", statuses.set_needed, floor.north.team.pk, -1, by=floor.north.lead)


def test_after_the_time_that_the_team_sets_it_is_granted_whatever_the_cover(floor):
    TeamCover.objects.update(grant_after_minutes=10)
    ask(floor.first)
    request = ask(floor.second)
    statuses.sweep(timezone.now() + 9 * MINUTE)
    assert now_of(floor.second) == ("ready", "")
    statuses.sweep(timezone.now() + 10 * MINUTE)
    assert now_of(floor.second) == ("break", "rest")
    request.refresh_from_db()
    assert request.state == State.APPLIED


def test_without_that_time_it_waits_and_the_operators_are_told_after_half_an_hour(floor):
    ask(floor.first)
    request = ask(floor.second)
    clocks.sweep(timezone.now() + 31 * MINUTE)
    clocks.sweep(timezone.now() + 31 * MINUTE)
    request.refresh_from_db()
    assert request.state == State.IN_REVIEW
    statuses.come_back(floor.first.pk, by=floor.first.user)
    assert now_of(floor.second) == ("break", "rest")


def test_withdrawing_and_going_offline_leave_the_queue(floor):
    ask(floor.first)
    request = ask(floor.second)
    requests.withdraw(request.pk, by=floor.second.user)
    request = ask(floor.second)
    statuses.set_status(floor.second.pk, "offline", by=floor.second.user)
    request.refresh_from_db()
    assert request.state == State.WITHDRAWN
    assert not queue.waiting().exists()


def test_a_lead_approves_or_rejects_with_a_reason_out_of_turn(floor):
    ask(floor.first)
    request = ask(floor.second)
    refused("no_reason", deciding.reject, request.pk, by=floor.north.lead, words="")
    deciding.reject(request.pk, by=floor.north.lead, words="in ten minutes")
    assert now_of(floor.second) == ("ready", "")
    request = ask(floor.second)
    deciding.approve(request.pk, by=floor.north.lead)
    assert now_of(floor.second) == ("break", "rest")


def test_over_the_limit_the_queue_grants_nothing_and_lets_others_pass(floor):
    agent = third(floor)
    TeamCover.objects.update(needed=2)
    ask(floor.first)
    blocked, free = ask(floor.second), ask(agent, "personal")
    StatusReason.objects.filter(code="rest").update(longest_per_shift_minutes=1)
    statuses.come_back(floor.first.pk, by=floor.first.user)
    assert [now_of(floor.second), now_of(agent)] == [("ready", ""), ("break", "personal")]
    blocked.refresh_from_db()
    free.refresh_from_db()
    assert [blocked.state, free.state] == [State.IN_REVIEW, State.APPLIED]


def test_a_long_queue_without_cover_costs_nobody_anything(floor, django_assert_max_num_queries):
    ask(floor.first)
    ask(floor.second)
    counts = []
    for base in ("wrap_up", "on_contact"):
        with django_assert_max_num_queries(60) as taken:
            statuses.set_status(floor.second.pk, base, by=floor.second.user)
        counts.append(len(taken))
        for number in range(5):
            agent = make.agent(floor.north.team, f"{base} {number}", user=make.user(f"{base}-{number}"))
            shift(agent, "wrap_up")
            ask(agent)
    assert queue.waiting().count() == 11
    assert counts[0] == counts[1]


def test_a_reason_made_shorter_while_one_waits_holds_up_nobody(floor):
    ask(floor.first)
    ask(floor.second, minutes=15)
    StatusReason.objects.filter(code="rest").update(longest_minutes=5)
    statuses.come_back(floor.first.pk, by=floor.first.user)
    row = StatusSpan.objects.open().get(agent=floor.second)
    assert (row.base, row.back_at - row.span.lower) == ("break", 5 * MINUTE)


def test_leads_on_duty_are_asked_before_the_others(floor):
    boss = make.agent(floor.north.team, "Lead", user=floor.hub.lead)
    assert on_duty.leads(floor.north.team.pk, {floor.hub.lead.pk, floor.north.lead.pk}) == set()
    ask(floor.first)
    request = ask(floor.second)
    assert set(request.seats.values_list("user__username", flat=True)) == {"north-lead", "hub-lead"}
    requests.withdraw(request.pk, by=floor.second.user)
    shift(boss, "wrap_up")
    assert on_duty.leads(floor.north.team.pk, {floor.hub.lead.pk, floor.north.lead.pk}) == {floor.hub.lead.pk}
    request = ask(floor.second)
    assert list(request.seats.values_list("user__username", flat=True)) == ["hub-lead"]
    statuses.set_status(boss.pk, "offline", by=floor.hub.lead)
    assert on_duty.leads(floor.north.team.pk, {floor.hub.lead.pk}) == set()


@pytest.mark.parametrize(
    ("place", "ready", "needed", "ends", "latest", "minutes"),
    [
        (1, 1, 1, [5, 9], None, 5),
        (2, 1, 1, [5, 9], None, 9),
        (3, 1, 1, [5, 9], None, None),
        (1, 0, 1, [5, 9], None, 9),
        (1, 1, 1, [-3], None, None),
        (1, 1, 1, [], 12, 12),
        (2, 1, 1, [5, 9], 7, 7),
        (1, 3, 1, [5], None, 5),
    ],
)
def test_the_expected_time_comes_from_the_ends_of_running_breaks_or_is_unknown(
    place, ready, needed, ends, latest, minutes
):
    now = timezone.now()
    found = expected_at(
        place, Cover(ready, needed), [now + each * MINUTE for each in ends], now=now,
        at_the_latest=now + latest * MINUTE if latest else None,
    )  # fmt: skip
    assert found == (None if minutes is None else now + minutes * MINUTE)


# -- overruns --------------------------------------------------------------------------------------------------------------


def test_over_its_end_the_agent_is_told_first_then_the_lead_each_once(floor):
    ask(floor.first, minutes=10)
    began = timezone.now()
    statuses.sweep(began + 9 * MINUTE)
    assert told("break_over") == []
    for _turn in range(2):
        statuses.sweep(began + 11 * MINUTE)
    assert (told("break_over"), told("break_long_over")) == ([floor.first.user.username], [])
    for _turn in range(2):
        statuses.sweep(began + 16 * MINUTE)
    assert (told("break_over"), told("break_long_over")) == ([floor.first.user.username], [floor.north.lead.username])
    assert now_of(floor.first) == ("break", "rest")


def test_letters_of_a_break_name_it_and_are_dropped_once_the_agent_is_back(floor):
    from approvals.letters import statuses as break_letters

    ask(floor.first, minutes=10)
    statuses.sweep(timezone.now() + 30 * MINUTE)
    letters = {
        "break_over": (break_letters.over, "/me/status/"),
        "break_long_over": (break_letters.long_over, "/admin/board/"),
    }
    for kind, (render, page) in letters.items():
        mail = render(Notice.objects.get(kind=kind))
        assert "Rest" in mail.subject and page in mail.text
    statuses.come_back(floor.first.pk, by=floor.first.user)
    assert all(render(Notice.objects.get(kind=kind)) is None for kind, (render, _page) in letters.items())


def test_whoever_is_employed_no_more_is_offline_with_the_next_sweep(floor):
    Agent.objects.filter(pk=floor.first.pk).update(status="left")
    statuses.sweep(timezone.now())
    row = StatusSpan.objects.open().get(agent=floor.first)
    assert (row.base, row.source, row.confidence) == ("offline", "system", "inferred")


def test_lines_that_ended_three_years_ago_go_and_what_goes_on_stays(floor):
    kept = next(each for each in retention.classes() if each.code == "statuses")
    long_ago = timezone.now() - timedelta(days=37 * 31)
    StatusSpan.objects.create(
        agent=floor.first, team=floor.north.team, base="ready", span=DateTimeTZRange(long_ago - 60 * MINUTE, long_ago)
    )
    assert retention.let_go(kept, timezone.now()) == 1
    assert StatusSpan.objects.filter(agent=floor.first).count() == 1


# -- corrections -------------------------------------------------------------------------------------------------------------


def correct(floor, since, until, base="not_ready", reason="meeting", by=None, agent=None, words="was in a meeting"):
    now = timezone.now().replace(microsecond=0)
    return statuses.ask_correction(
        (agent or floor.first).pk, now - since * MINUTE, now - until * MINUTE, base, reason,
        by=by or (agent or floor.first).user, words=words,
    )  # fmt: skip


def whole_line(agent):
    return [line.piece_of(row) for row in StatusSpan.objects.filter(agent=agent).order_by("span")]


def test_a_correction_is_decided_by_somebody_else_and_rewrites_that_part(floor):
    before = whole_line(floor.first)
    request = correct(floor, 60, 30)
    assert (request.state, whole_line(floor.first)) == (State.IN_REVIEW, before)
    refused("own_request", deciding.approve, request.pk, by=floor.first.user)
    deciding.approve(request.pk, by=floor.north.lead)
    after = whole_line(floor.first)
    assert [(each.base, each.confidence) for each in after] == [
        ("ready", "stated"), ("not_ready", "corrected"), ("ready", "stated")
    ]  # fmt: skip
    assert all(first.until == second.since for first, second in pairwise(after))
    assert (after[1].request, after[1].source, after[2].until) == (request.pk, "request", None)


def test_undo_brings_the_very_line_back(floor):
    before = whole_line(floor.first)
    request = deciding.approve(correct(floor, 60, 30).pk, by=floor.north.lead)
    applying.undo(request.pk, by=floor.north.lead, words="it was another day")
    assert whole_line(floor.first) == before


def test_undo_is_refused_once_that_part_has_been_corrected_again(floor):
    first = deciding.approve(correct(floor, 60, 30).pk, by=floor.north.lead)
    second = deciding.approve(correct(floor, 45, 40, "break", "rest").pk, by=floor.north.lead)
    refused("moved_on", applying.undo, first.pk, by=floor.north.lead, words="x")
    applying.undo(second.pk, by=floor.north.lead, words="x")
    statuses.set_status(floor.first.pk, "wrap_up", by=floor.first.user)
    applying.undo(first.pk, by=floor.north.lead, words="x")
    assert [each.base for each in whole_line(floor.first)] == ["ready", "wrap_up"]


def test_a_line_that_has_moved_since_sends_it_back_with_both_versions(floor):
    now = timezone.now().replace(microsecond=0)
    request = correct(floor, 60, 30)
    other = StatusSpan.objects.get(agent=floor.first)
    with transaction.atomic():
        line.put(floor.first.pk, now - 50 * MINUTE, now - 40 * MINUTE, [
            Piece(now - 50 * MINUTE, now - 40 * MINUTE, other.team_id, "wrap_up")
        ])  # fmt: skip
    request = deciding.approve(request.pk, by=floor.north.lead)
    assert request.state == State.CHANGES_REQUESTED
    conflict = request.events.get(kind="conflict")
    assert (len(conflict.details["then"]["line"]), len(conflict.details["now"]["line"])) == (1, 3)


def test_what_may_be_corrected(floor):
    refused("no_words", correct, floor, 60, 30, words=" ")
    refused("wrong_order", correct, floor, 30, 60)
    refused("in_the_future", correct, floor, 30, -1)
    refused("too_old", correct, floor, 46 * 24 * 60, 46 * 24 * 60 - 5)
    refused("too_long", correct, floor, 25 * 60 + 60, 30)
    refused("no_change", correct, floor, 60, 30, "ready", "")
    refused("reason_of_another", correct, floor, 60, 30, "break", "meeting")
    with pytest.raises(OutOfReach):
        correct(floor, 60, 30, by=floor.second.user)
    first = correct(floor, 60, 30)
    refused("already_asked", correct, floor, 40, 20)
    assert correct(floor, 20, 10).state == State.IN_REVIEW
    edited = requests.edit(first.pk, {**first.content, "base": "wrap_up", "reason": ""}, by=floor.first.user)
    assert edited.revision == 2


def test_a_lead_asks_for_a_member_and_another_lead_decides(floor):
    request = correct(floor, 60, 30, by=floor.north.lead)
    refused("own_request", deciding.approve, request.pk, by=floor.north.lead)
    assert deciding.approve(request.pk, by=floor.hub.lead).state == State.APPLIED


def test_a_correction_before_the_first_status_fills_the_gap_and_undo_empties_it(floor):
    request = deciding.approve(correct(floor, 150, 110).pk, by=floor.north.lead)
    assert [each.base for each in whole_line(floor.first)] == ["not_ready", "ready"]
    applying.undo(request.pk, by=floor.north.lead, words="x")
    assert [each.base for each in whole_line(floor.first)] == ["ready"]


# -- employment ----------------------------------------------------------------------------------------------------------------


def test_employment_holds_when_somebody_above_has_agreed(floor):
    request = employment.ask_status(floor.first.pk, "suspended", by=floor.north.lead, reason="talk first")
    floor.first.refresh_from_db()
    assert (request.state, floor.first.status) == (State.IN_REVIEW, "active")
    refused("own_request", deciding.approve, request.pk, by=floor.north.lead)
    deciding.approve(request.pk, by=floor.hub.lead)
    floor.first.refresh_from_db()
    floor.first.user.refresh_from_db()
    assert (floor.first.status, floor.first.user.is_suspended) == ("suspended", True)
    assert now_of(floor.first) == ("offline", "")
    version = floor.first.history.first()
    assert version.history_user == floor.hub.lead and "talk first" in version.history_change_reason


def test_employment_asked_from_the_top_is_decided_by_whoever_onboards(floor):
    request = employment.ask_status(floor.first.pk, "probation", by=floor.hub.lead)
    assert set(request.seats.values_list("user__username", flat=True)) == {"hub-hr", "hub-trainer"}
    deciding.approve(request.pk, by=floor.hub.hr)
    floor.first.refresh_from_db()
    assert floor.first.status == "probation"
    applying.undo(request.pk, by=floor.north.lead, words="not yet")
    floor.first.refresh_from_db()
    assert floor.first.status == "active"


def test_undo_of_employment_is_refused_after_a_later_change(floor):
    request = deciding.approve(
        employment.ask_status(floor.first.pk, "on_leave", by=floor.north.lead).pk, by=floor.hub.lead
    )
    deciding.approve(employment.ask_status(floor.first.pk, "onboarding", by=floor.north.lead).pk, by=floor.hub.lead)
    refused("moved_on", applying.undo, request.pk, by=floor.hub.lead, words="x")


def test_who_may_ask_for_which_employment(floor):
    with pytest.raises(OutOfReach):
        employment.ask_status(floor.first.pk, "on_leave", by=floor.first.user)
    with pytest.raises(OutOfReach):
        employment.ask_employment(floor.first.pk, "role", "senior", by=floor.second.user)
    with pytest.raises(OutOfReach):
        employment.ask_status(10**9, "on_leave", by=floor.hub.operator)
    refused("unknown_value", employment.ask_status, floor.first.pk, "left", by=floor.north.lead)
    refused("unknown_value", employment.ask_status, floor.first.pk, "king", by=floor.north.lead)
    refused("no_change", employment.ask_status, floor.first.pk, "active", by=floor.north.lead)
    refused("unknown_value", employment.ask_employment, floor.first.pk, "move", "south", by=floor.first.user)
    request = employment.ask_employment(floor.first.pk, "role", "senior", by=floor.first.user)
    deciding.approve(request.pk, by=floor.hub.lead)
    floor.first.refresh_from_db()
    assert floor.first.role == "senior"


def test_a_move_is_planned_when_it_is_approved_and_can_be_taken_back_before_its_day(floor):
    on = timezone.now().date() + timedelta(days=5)
    request = employment.ask_employment(floor.first.pk, "move", "south", on, by=floor.hub.hr)
    request = deciding.approve(request.pk, by=floor.hub.lead)
    assert list(floor.first.memberships.order_by("span").values_list("team__code", flat=True)) == ["north", "south"]
    applying.undo(request.pk, by=floor.hub.lead, words="x")
    assert list(floor.first.memberships.values_list("team__code", flat=True)) == ["north"]


def test_whoever_decides_without_the_reach_to_carry_it_out_is_told_on_the_request(floor):
    middle = make.team("Middle", floor.hub.team)
    lead = make.user("middle-lead", is_staff=True)
    make.grant(lead, middle, Grant.LEAD)
    agent = make.agent(make.team("Low", middle), "Low agent", user=make.user("low"))
    request = employment.ask_employment(agent.pk, "move", "south", by=floor.hub.lead)
    request = deciding.approve(request.pk, by=lead)
    assert request.state == State.APPLY_FAILED and request.error
    agent.refresh_from_db()
    assert agent.team.code == "low"


def test_a_move_asked_by_somebody_who_may_not_enter_there_is_not_known(floor):
    refused("unknown_value", employment.ask_employment, floor.first.pk, "move", "south", by=floor.north.lead)
    assert not ApprovalRequest.objects.filter(kind="employment").exists()
