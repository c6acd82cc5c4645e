"""The doors to statuses: one's own page, the lead's board, lists and verbs of the admin, REST."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from approvals.models import ApprovalRequest, StatusReason, StatusSpan, TeamCover
from approvals.reports.board import board as board_of
from approvals.services import deciding, statuses
from teams.models import Agent, UndoOffer
from tests import make
from tests.approvals.test_statuses import MINUTE, ask, floor, now_of, shift, third  # noqa: F401 - a fixture

API = "/api/v1/"


def at(user):
    client = Client()
    client.force_login(user)
    return client


def text(answer):
    return answer.content.decode()


# -- one's own page ----------------------------------------------------------------------------------------------------


def test_the_own_page_sets_asks_and_shows_the_place_in_the_queue(floor):  # noqa: F811
    first, second = at(floor.first.user), at(floor.second.user)
    page, do = reverse("my_status"), reverse("my_status_set")
    assert 'data-status="ready"' in text(first.get(page))
    assert first.post(do, {"base": "break", "reason": "rest", "minutes": "10"}).status_code == 302
    shown = text(first.get(page))
    assert 'data-status="break"' in shown and "Break: Rest" in shown and 'id="come-back"' in shown
    second.post(do, {"base": "break", "reason": "rest"})
    shown = text(second.get(reverse("my_status_now")))
    ends = timezone.localtime(StatusSpan.objects.open().get(agent=floor.first).back_at)
    assert 'data-queue-place="1"' in shown and f"{ends:%H:%M}" in shown and 'data-status="ready"' in shown
    first.post(do, {"base": "ready"})
    shown = text(second.get(reverse("my_status_now")))
    assert 'data-status="break"' in shown and "data-queue-place" not in shown


def test_a_refusal_stands_on_the_own_page_as_a_sentence_and_odd_input_harms_nothing(floor):  # noqa: F811
    client = at(floor.first.user)
    for wish in (
        {"base": "break", "reason": "rest", "minutes": "99"},
        {"base": "break", "reason": "rest", "minutes": "x"},
        {"base": "break", "reason": "a\x00b"},
        {"base": "break", "reason": "rest", "minutes": "９"},
        {"base": "ringing"},
        {},
    ):
        answer = client.post(reverse("my_status_set"), wish, follow=True)
        assert answer.status_code == 200 and 'class="message error"' in text(answer), wish
    assert now_of(floor.first) == ("ready", "")


def test_leaving_the_queue_and_a_get_that_changes_nothing(floor):  # noqa: F811
    ask(floor.first)
    request = ask(floor.second)
    client = at(floor.second.user)
    for name in ("my_status_set", "my_status_leave"):
        assert client.get(reverse(name)).status_code == 405
    client.post(reverse("my_status_leave"))
    request.refresh_from_db()
    assert request.state == ApprovalRequest.State.WITHDRAWN
    assert client.post(reverse("my_status_leave"), follow=True).status_code == 200


def test_a_request_that_was_turned_down_says_why_on_the_own_page(floor):  # noqa: F811
    ask(floor.first)
    request = ask(floor.second)
    deciding.reject(request.pk, by=floor.north.lead, words="in ten minutes, please")
    client = at(floor.second.user)
    assert "in ten minutes, please" in text(client.get(reverse("my_status_now")))
    ApprovalRequest.objects.update(decided_at=timezone.now() - timedelta(minutes=31))
    assert "in ten minutes, please" not in text(client.get(reverse("my_status_now")))


def test_over_its_end_the_own_page_says_so(floor):  # noqa: F811
    began = timezone.now() - 20 * MINUTE
    StatusSpan.objects.filter(agent=floor.first).delete()
    shift(floor.first, "break", 20, StatusReason.objects.get(code="rest"), back_at=began + 15 * MINUTE)
    shown = text(at(floor.first.user).get(reverse("my_status_now")))
    assert "data-overrun" in shown and "5 minutes over" in shown


def test_the_line_of_a_day_has_its_sums_and_its_pages(floor):  # noqa: F811
    noon = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)
    StatusSpan.objects.filter(agent=floor.first).delete()
    meal = StatusReason.objects.get(code="meal")
    for base, reason, since, until in (("ready", None, 0, 60), ("break", meal, 60, 90), ("offline", None, 90, None)):
        StatusSpan.objects.create(
            agent=floor.first, team=floor.north.team, base=base, reason=reason,
            span=(noon + since * MINUTE, noon + until * MINUTE if until else None),
        )  # fmt: skip
    client = at(floor.first.user)
    shown = text(client.get(reverse("my_status_line"), {"day": noon.date().isoformat()}))
    assert "12:00–13:00" in shown and "13:00–13:30" in shown and "Paid 1:00 h" in shown and "0:30 h" in shown
    assert f"day={noon.date() - timedelta(days=1)}" in shown
    for odd in ("x", "2999-01-01", "0001-01-01", "2026-13-45"):
        assert client.get(reverse("my_status_line"), {"day": odd}).status_code == 200
    assert "empty" in text(client.get(reverse("my_status_line"), {"day": "2020-01-01"}))


def test_a_correction_is_asked_on_the_own_page_in_the_zone_of_the_agent(floor):  # noqa: F811
    Agent.objects.filter(pk=floor.first.pk).update(zone="Asia/Shanghai")
    client = at(floor.first.user)
    now = timezone.now().replace(second=0, microsecond=0)
    ahead = timedelta(hours=8)
    wish = {
        "since": f"{now + ahead - 60 * MINUTE:%Y-%m-%dT%H:%M}", "until": f"{now + ahead - 30 * MINUTE:%Y-%m-%dT%H:%M}",
        "status": "not_ready:meeting", "words": "was in a meeting",
    }  # fmt: skip
    assert client.post(reverse("my_status_correct"), wish).status_code == 302
    request = ApprovalRequest.objects.get(kind="status_correction")
    assert request.content["since"] == (now - 60 * MINUTE).isoformat()
    answer = client.post(reverse("my_status_correct"), {**wish, "until": wish["since"]})
    assert answer.status_code == 200 and 'role="alert"' in text(answer)
    assert client.get(reverse("my_status_correct"), {"since": "x", "until": "2026-11-20T10:00"}).status_code == 200


def test_the_moving_part_takes_as_many_queries_with_a_long_queue_and_a_long_line(floor, django_assert_max_num_queries):  # noqa: F811
    client = at(floor.first.user)
    ask(floor.second)
    ask(floor.first)
    client.get(reverse("my_status_now"))
    with django_assert_max_num_queries(60) as few:
        client.get(reverse("my_status_now"))
    for number in range(6):
        agent = make.agent(floor.north.team, f"More {number}", user=make.user(f"more-{number}"))
        shift(agent)
        statuses.ask_break(agent.pk, "training", by=agent.user)
    TeamCover.objects.update(needed=99)
    for base in ("wrap_up", "on_contact", "ready", "wrap_up"):
        statuses.set_status(floor.first.pk, base, by=floor.first.user)
    with django_assert_max_num_queries(60) as many:
        client.get(reverse("my_status_now"))
    assert len(many) == len(few)


# -- the board -----------------------------------------------------------------------------------------------------------


def test_the_board_shows_the_team_its_cover_and_who_waits_and_nobody_else(floor):  # noqa: F811
    shift(floor.south.agent)
    ask(floor.first)
    request = ask(floor.second)
    shown = text(at(floor.north.lead).get(reverse("board")))
    assert f'data-board-row="{floor.first.number}" data-status="break"' in shown
    assert f'data-queue-request="{request.pk}"' in shown and f'id="approve-{request.pk}"' in shown
    assert floor.south.agent.name not in shown and floor.south.agent.number not in shown
    assert floor.second.name not in text(at(floor.south.lead).get(reverse("board_now")))
    both = text(at(floor.hub.lead).get(reverse("board_now")))
    assert floor.second.name in both and floor.south.agent.name in both
    narrowed = text(at(floor.hub.lead).get(reverse("board_now"), {"team": floor.south.team.pk}))
    assert floor.second.name not in narrowed
    for odd in (floor.south.team.pk, 10**8):
        assert at(floor.north.lead).get(reverse("board"), {"team": odd}).status_code == 404


def test_the_board_decides_with_a_reason_and_says_what_became_of_it(floor):  # noqa: F811
    ask(floor.first)
    request = ask(floor.second)
    lead, do = at(floor.north.lead), reverse("board_decide")
    assert lead.get(do).status_code == 405
    answer = lead.post(do, {"request": request.pk, "verdict": "reject", "words": " "}, follow=True)
    assert "Say why" in text(answer)
    answer = lead.post(do, {"request": request.pk, "verdict": "approve", "version": request.version - 1}, follow=True)
    assert "has changed since" in text(answer) and now_of(floor.second) == ("ready", "")
    lead.post(do, {"request": request.pk, "verdict": "approve", "version": request.version})
    assert now_of(floor.second) == ("break", "rest")
    assert at(floor.south.lead).post(do, {"request": request.pk, "verdict": "approve"}).status_code == 404
    for odd in ("", "x", "9" * 40):
        assert lead.post(do, {"request": odd}).status_code == 404


def test_who_asked_or_is_not_asked_gets_no_button(floor):  # noqa: F811
    ask(floor.first)
    request = statuses.ask_break(floor.second.pk, "rest", by=floor.north.lead, words="looks tired")
    shown = text(at(floor.north.lead).get(reverse("board_now")))
    assert f'data-queue-request="{request.pk}"' in shown and f'id="approve-{request.pk}"' not in shown
    assert f'id="approve-{request.pk}"' in text(at(floor.hub.lead).get(reverse("board_now")))
    assert "data-queue-request" not in text(at(floor.hub.trainer).get(reverse("board_now")))


def test_whoever_sees_the_board_sees_what_is_needed(floor):  # noqa: F811
    """Who onboards reads statuses, and so what they are compared with: not a zero for want of a right."""
    for who in (floor.north.lead, floor.hub.hr):
        assert "<strong>1</strong> needed" in text(at(who).get(reverse("board_now"))), who


def test_needed_is_set_from_the_board(floor):  # noqa: F811
    ask(floor.first)
    ask(floor.second)
    lead, do = at(floor.north.lead), reverse("board_needed")
    for odd in ("-1", "x", "", "999999"):
        lead.post(do, {"team": floor.north.team.pk, "needed": odd})
    assert TeamCover.objects.get().needed == 1
    assert at(floor.south.lead).post(do, {"team": floor.north.team.pk, "needed": "0"}).status_code == 404
    lead.post(do, {"team": floor.north.team.pk, "needed": "0"})
    assert TeamCover.objects.get().needed == 0 and now_of(floor.second) == ("break", "rest")
    assert TeamCover.objects.get().history.first().history_user == floor.north.lead


def test_the_board_takes_as_many_queries_for_thirty_teams_as_for_one(floor, django_assert_max_num_queries):  # noqa: F811
    ask(floor.first)
    ask(floor.second)
    now = timezone.now()
    with django_assert_max_num_queries(40) as few:
        board_of(floor.hub.lead, now)
    for number in range(30):
        team = make.team(f"Team {number:02d}", floor.hub.team)
        TeamCover.objects.create(team=team, needed=3)
        agents = [make.agent(team, f"Of {number}-{each}", user=make.user(f"of-{number}-{each}")) for each in range(2)]
        for agent in agents:
            shift(agent)
        statuses.ask_break(agents[0].pk, "rest", by=agents[0].user)
    with django_assert_max_num_queries(40) as many:
        told = board_of(floor.hub.lead, now)
    assert len(many) == len(few)
    assert len(told.teams) == 30 and told.page.paginator.count == 32 and told.waiting >= 28


# -- lists and verbs of the admin ------------------------------------------------------------------------------------------


def test_employment_is_asked_on_the_page_of_the_agent_and_says_why(floor):  # noqa: F811
    lead = at(floor.north.lead)
    page = reverse("admin:teams_agent_status", args=[floor.first.pk])
    assert "somebody else agrees" in text(lead.get(page))
    answer = lead.post(page, {"status": "on_leave", "reason": "parental leave"}, follow=True)
    assert "handed in" in text(answer)
    floor.first.refresh_from_db()
    request = ApprovalRequest.objects.get(kind="employment")
    assert (floor.first.status, request.words, request.requester) == ("active", "parental leave", floor.north.lead)
    assert not UndoOffer.objects.exists()


def test_a_lead_sets_a_status_of_the_day_on_the_page_of_the_agent(floor):  # noqa: F811
    lead = at(floor.north.lead)
    page = reverse("admin:teams_agent_state", args=[floor.first.pk])
    lead.post(page, {"base": "offline", "reason": "went home ill"})
    assert now_of(floor.first) == ("offline", "")
    answer = lead.post(page, {"base": "not_ready", "reason": "x"})
    assert "needs a reason" in text(answer)
    meeting = StatusReason.objects.get(code="meeting")
    lead.post(page, {"base": "not_ready", "status_reason": meeting.pk, "minutes": "20", "reason": "team meeting"})
    assert now_of(floor.first) == ("not_ready", "meeting")


def test_cover_is_set_by_its_verb_and_taken_back(floor):  # noqa: F811
    from teams import undoing

    lead = at(floor.north.lead)
    wish = {"needed": "2", "lead_told_after_minutes": "7", "grant_after_minutes": "", "reason": "busy"}
    lead.post(reverse("admin:approvals_teamcover_set"), {"team_pk": floor.north.team.pk, **wish})
    cover = TeamCover.objects.get()
    assert (cover.needed, cover.lead_told_after_minutes, cover.grant_after_minutes) == (2, 7, None)
    lead.post(reverse("admin:approvals_teamcover_change", args=[cover.pk]), {**wish, "needed": "5"})
    cover.refresh_from_db()
    assert cover.needed == 2, "the page of the row changes nothing"
    lead.post(f"/admin/approvals/teamcover/{cover.pk}/adjust/", {**wish, "needed": "5"})
    cover.refresh_from_db()
    assert cover.needed == 5
    undoing.undo(UndoOffer.objects.latest("pk").pk, by=floor.north.lead)
    cover.refresh_from_db()
    assert cover.needed == 2


def test_reasons_are_words_that_the_operator_writes(floor):  # noqa: F811
    page = reverse("admin:approvals_statusreason_add")
    assert at(floor.north.lead).get(page).status_code == 403
    wish = {"code": "prayer", "name": "Prayer", "base": "break", "longest_minutes": "10", "is_active": "on"}
    operator = at(floor.hub.operator)
    assert operator.post(page, wish).status_code == 302
    assert "Only a break can be required by law" in text(
        operator.post(page, {**wish, "code": "law", "base": "not_ready", "is_legal": "on"})
    )
    assert "People choose reasons of a break" in text(operator.post(page, {**wish, "code": "odd", "base": "ready"}))
    shown = text(at(floor.north.lead).get(reverse("admin:approvals_statusreason_changelist")))
    assert "Prayer" in shown and "Technical trouble" in shown


# -- REST ------------------------------------------------------------------------------------------------------------------


def test_rest_reads_sets_asks_and_leaves(floor):  # noqa: F811
    client = at(floor.second.user)
    told = client.get(f"{API}status/").json()
    assert (told["base"], told["waiting"], told["words"]) == ("ready", None, "Ready")
    told = client.post(f"{API}status/", {"base": "wrap_up"}, content_type="application/json").json()
    assert told["base"] == "wrap_up"
    client.post(f"{API}status/", {"base": "ready"}, content_type="application/json")
    ask(floor.first)
    answer = client.post(f"{API}status/ask/", {"reason": "rest"}, content_type="application/json")
    assert (answer.status_code, answer.json()["state"]) == (201, "in_review")
    assert client.get(f"{API}status/").json()["waiting"]["place"] == 1
    told = client.post(f"{API}status/leave-queue/").json()
    assert told["waiting"] is None
    answer = client.post(f"{API}status/ask/", {"reason": "rest", "minutes": 99}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "too_long")
    for odd in (
        {"base": "a\x00"},
        {"base": "ready", "minutes": 10**30},
        {"base": ["x"]},
        {"base": "ready", "minutes": "x"},
    ):
        assert client.post(f"{API}status/", odd, content_type="application/json").status_code == 400, odd
    now = timezone.now()
    wish = {"since": (now - 60 * MINUTE).isoformat(), "until": (now - 50 * MINUTE).isoformat(), "base": "wrap_up"}
    answer = client.post(f"{API}status/correct/", {**wish, "words": "x"}, content_type="application/json")
    assert (answer.status_code, answer.json()["kind"]) == (201, "status_correction")
    assert at(floor.north.lead).get(f"{API}status/").status_code == 404


def test_rest_lists_lines_in_reach_and_narrows_them(floor):  # noqa: F811
    shift(floor.south.agent)
    statuses.set_status(floor.first.pk, "wrap_up", by=floor.first.user)
    lead = at(floor.north.lead)
    rows = lead.get(f"{API}status-spans/").json()["results"]
    assert {row["agent"]["number"] for row in rows} == {agent.number for agent in floor.north.agents}
    assert len(lead.get(f"{API}status-spans/", {"is_open": "true"}).json()["results"]) == 2
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    assert len(lead.get(f"{API}status-spans/", {"since": soon}).json()["results"]) == 2
    assert lead.get(f"{API}status-spans/", {"until": "2020-01-01T00:00:00Z"}).json()["results"] == []
    assert lead.get(f"{API}status-spans/", {"since": "x"}).status_code == 400
    assert lead.get(f"{API}status-spans/", {"since": "0471-08-21T07:30:47-21:35"}).status_code == 200
    assert lead.get(f"{API}status-spans/", {"until": "0001-01-01T00:00:00+10:00"}).status_code == 400
    assert len(at(floor.first.user).get(f"{API}status-spans/").json()["results"]) == 2


def test_rest_tells_cover_and_queue_of_a_team_in_reach(floor):  # noqa: F811
    ask(floor.first)
    ask(floor.second)
    lead = at(floor.north.lead)
    told = lead.get(f"{API}breaks/", {"team": floor.north.team.pk}).json()
    assert (told["ready"], told["needed"], told["spare"], len(told["queue"])) == (1, 1, 0, 1)
    assert told["queue"][0]["may_decide"] is True and told["queue"][0]["place"] == 1
    assert lead.get(f"{API}breaks/", {"team": floor.south.team.pk}).status_code == 404
    for odd in ({}, {"team": "x"}, {"team": "9" * 40}, {"team": floor.north.team.pk, "more": 1}):
        assert lead.get(f"{API}breaks/", odd).status_code == 400


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_takes_as_many_queries_with_one_row_and_with_three(floor, rows, django_assert_max_num_queries):  # noqa: F811
    if rows == 3:
        third(floor)
    lead = at(floor.north.lead)
    lead.get(f"{API}status-spans/")
    with django_assert_max_num_queries(24):
        lead.get(f"{API}status-spans/")
