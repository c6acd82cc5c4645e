"""The admin's pages of requests: who finds them, what they show, that each verb is wired and each refusal is said."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.models import ApprovalRequest
from approvals.services import absences, deciding, requests
from teams.models import Skill, TeamUserGrant
from teams.scoping import Grant
from teams.services import delegate
from tests import make
from tests.approvals import kinds
from tests.approvals.kinds import lead, person, steps

LIST = "/admin/approvals/approvalrequest/"
State = ApprovalRequest.State


def page_of(request, verb="change"):
    return f"{LIST}{request.pk}/{verb}/"


def send(client, request, verb, **fields):
    fields.setdefault("version", ApprovalRequest.objects.get(pk=request.pk).version)
    return client.post(page_of(request, verb), fields)


def state(request):
    return ApprovalRequest.objects.get(pk=request.pk).state


def listed(client, query=""):
    return {row.pk for row in client.get(f"{LIST}{query}").context["cl"].result_list}


@pytest.fixture
def lead_in(client, case):
    client.force_login(case.north.lead)
    return client


# -- the list --------------------------------------------------------------------------------------------------------------


def test_the_list_opens_with_what_waits_for_whoever_looks(client, case):
    """Of three requests the lead is asked about one, has asked for one, and one is settled."""
    words = [Skill.objects.create(code=f"w{n}", name=f"W{n}") for n in range(2)]
    waits = case.ask()
    own = requests.ask("rename", kinds.wish(words[0], case.north.team), by=case.north.lead)
    over = requests.ask("rename", kinds.wish(words[1], case.north.team), by=case.agent)
    deciding.approve(over.pk, by=case.hub.lead)
    client.force_login(case.north.lead)
    assert listed(client) == {waits.pk}
    assert listed(client, "?show=open") == {waits.pk, own.pk}
    assert listed(client, "?show=settled") == {over.pk}
    assert listed(client, "?show=all") == {waits.pk, own.pk, over.pk}
    assert listed(client, "?show=all&state=applied") == {over.pk}
    assert listed(client, "?show=all&q=word") == {waits.pk, own.pk, over.pk}
    client.force_login(case.south.lead)
    assert listed(client, "?show=all") == set()


def test_the_badge_counts_what_the_list_shows(client, case):
    case.ask()
    for who, count in ((case.north.lead, 1), (case.hub.lead, 1), (case.south.lead, 0), (case.hub.hr, 0)):
        client.force_login(who)
        assert len(listed(client)) == count
        page = client.get("/admin/").content.decode()
        assert "Waits for me" in page
        assert ("request waits for your decision" in page) == bool(count)


def test_the_list_takes_the_same_queries_for_one_row_and_for_three(client, case):
    case.ask()
    client.force_login(case.north.lead)
    client.get(LIST)
    with CaptureQueriesContext(
        connection,
    ) as one:
        assert len(listed(client, "?show=all")) == 1
    for number in range(3):
        word = Skill.objects.create(code=f"w{number}", name=f"W{number}")
        requests.ask("rename", kinds.wish(word, case.north.team), by=case.north.agents[1].user)
    with CaptureQueriesContext(connection) as four:
        assert len(listed(client, "?show=all")) == 4
    assert len(one) == len(four)


# -- the page --------------------------------------------------------------------------------------------------------------


def test_the_page_shows_difference_steps_clock_and_trace(lead_in, case):
    case.kind.policy = steps(lead(), remind=60, expire=120)
    request = case.ask()
    page = lead_in.get(page_of(request)).content.decode()
    for words in (
        "<del>German</del>",
        "<ins>Deutsch</ins>",
        "it is called so",
        "north-lead",
        request.content_hash[:8],
    ):
        assert words in page or words in page.lower(), words
    assert "business minute" in page or "business hour" in page
    assert "step begun" in page and "not heard yet" in page


def test_opening_following_and_prefetching_decide_nothing(lead_in, case):
    request = case.ask()
    before = ApprovalRequest.objects.values().get(pk=request.pk)
    for verb in ("change", "approve", "reject", "send-back", "escalate", "comment", "undo", "retry"):
        for headers in ({}, {"HTTP_PURPOSE": "prefetch", "HTTP_SEC_PURPOSE": "prefetch"}):
            assert lead_in.get(page_of(request, verb), **headers).status_code == 200
        assert lead_in.head(page_of(request, verb)).status_code == 200
    assert lead_in.get(f"{page_of(request, 'approve')}?words=yes&version=1").status_code == 200
    assert lead_in.post(page_of(request), {"words": "yes"}).status_code == 403
    assert ApprovalRequest.objects.values().get(pk=request.pk) == before
    assert request.events.count() == 2


def test_foreign_missing_and_odd_are_one_answer(client, case):
    request = case.ask()
    for who in (case.south.lead, case.hub.hr, case.hub.trainer):
        client.force_login(who)
        for address in (page_of(request), page_of(request, "approve"), f"{LIST}999999/change/", f"{LIST}x/change/"):
            assert client.get(address).status_code == 404, address
        assert send(client, request, "approve").status_code == 404
    assert state(request) == State.IN_REVIEW


def test_whoever_is_asked_by_name_finds_the_request_without_any_grant(client, case):
    """A seat opens list, page and verb; nothing else of the team."""
    guest = make.user("guest", is_staff=True)
    case.kind.policy = steps(person(guest))
    request = case.ask()
    client.force_login(guest)
    assert listed(client) == {request.pk}
    assert "North" in client.get(page_of(request)).content.decode()
    assert send(client, request, "approve").status_code == 302
    assert state(request) == State.APPLIED and case.name() == "Deutsch"


# -- verbs -----------------------------------------------------------------------------------------------------------------


def test_each_verb_of_the_page_is_wired(client, case):
    case.kind.policy = steps(person(case.north.lead))
    second = Skill.objects.create(code="second", name="Second")
    request = case.ask()
    client.force_login(case.north.lead)
    send(client, request, "comment", words="Looks right.")
    send(client, request, "escalate", words="Not mine to say.")
    assert request.events.filter(kind="escalated", actor=case.north.lead).exists()
    client.force_login(case.hub.lead)
    send(client, request, "send-back", words="Say why.")
    assert state(request) == State.CHANGES_REQUESTED
    requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Hochdeutsch"), by=case.agent)
    client.force_login(case.north.lead)
    answer = client.post(page_of(request, "approve"), {
        "version": ApprovalRequest.objects.get(pk=request.pk).version, "words": "Good.", "condition": "for a year",
        "ends_at": (timezone.now() + timedelta(days=365)).strftime("%Y-%m-%dT%H:%M"),
    })  # fmt: skip
    assert answer.headers["Location"] == page_of(request)
    kept = ApprovalRequest.objects.get(pk=request.pk)
    assert (kept.state, kept.condition, case.name()) == (State.APPLIED, "for a year", "Hochdeutsch") and kept.ends_at
    send(client, request, "undo", words="Too long.")
    assert (state(request), case.name()) == (State.UNDONE, "German")
    other = requests.ask("rename", kinds.wish(second, case.north.team), by=case.agent)
    assert send(client, other, "reject", words="No.").status_code == 302
    assert state(other) == State.REJECTED
    failing = requests.ask("rename", kinds.wish(second, case.north.team, "impossible"), by=case.agent)
    send(client, failing, "approve")
    assert state(failing) == State.APPLY_FAILED
    assert "cannot be called that" in client.get(page_of(failing)).content.decode()
    send(client, failing, "retry")
    assert failing.events.filter(kind="failed").count() == 2


def test_a_lead_withdraws_and_hands_in_what_they_asked_for(client, case):
    draft = requests.ask("rename", kinds.wish(case.skill, case.north.team), by=case.north.lead, is_draft=True)
    client.force_login(case.north.lead)
    send(client, draft, "submit")
    assert state(draft) == State.IN_REVIEW
    send(client, draft, "withdraw", words="Not needed.")
    assert state(draft) == State.WITHDRAWN


def test_the_glass_is_broken_by_the_operator_alone_and_reviewed_by_another(client, case):
    request = case.ask()
    client.force_login(case.north.lead)
    assert send(client, request, "break-glass", words="now").status_code == 403
    client.force_login(case.hub.operator)
    send(client, request, "break-glass", words="The line is down.")
    assert state(request) == State.APPLIED
    assert "own" not in client.get(page_of(request)).context["page"].may
    assert "broke" in send(client, request, "review-glass", words="Fine.").content.decode()
    client.force_login(case.north.lead)
    assert listed(client, "?show=glass") == {request.pk}
    send(client, request, "review-glass", words="It had to be.")
    assert listed(client, "?show=glass") == set()


def test_t92_a_stale_decision_is_refused_and_shows_what_changed(client, case):
    request = case.ask()
    read = request.version
    requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Hochdeutsch"), by=case.agent)
    client.force_login(case.north.lead)
    answer = send(client, request, "approve", version=read, words="As I read it.")
    page = answer.content.decode()
    assert answer.status_code == 200 and case.name() == "German" and state(request) == State.IN_REVIEW
    assert "has changed since you opened it" in page and "<ins>Hochdeutsch</ins>" in page and "As I read it." in page
    form = next(form for verb, form, _address in answer.context["forms"] if verb.slug == "approve")
    now = ApprovalRequest.objects.get(pk=request.pk).version
    assert form["version"].value() == str(now)
    assert send(client, request, "approve", version=now).status_code == 302
    assert case.name() == "Hochdeutsch"


def test_without_a_reason_or_a_version_nothing_is_decided(lead_in, case):
    request = case.ask()
    for verb, fields in (("reject", {"words": "  "}), ("send-back", {}), ("approve", {"version": ""}), ("undo", {})):
        assert send(lead_in, request, verb, **fields).status_code == 200
    assert state(request) == State.IN_REVIEW and request.events.count() == 2


# -- four eyes at this door (T61, T64, T65, T88, T93) ------------------------------------------------------------------------


def test_t61_who_asked_finds_no_way_by_button_address_or_bulk(client, case):
    own = case.ask(by=case.north.lead)
    client.force_login(case.north.lead)
    page = client.get(page_of(own)).context["page"]
    assert (
        "approve" not in page.may
        and ("Approve, Reject, Send back", "You asked for this. Someone else has to decide it.") in page.refusals
    )
    assert "You asked for this" in send(client, own, "approve").content.decode()
    answer = client.post(f"{LIST}decide/", {"verdict": "approve", "pk": [own.pk]})
    assert "You asked for this" in answer.content.decode()
    assert state(own) == State.IN_REVIEW


def test_t61_nor_as_a_delegate_or_in_a_second_role(client, case):
    own = case.ask(by=case.north.lead)
    third = make.user("third", is_staff=True)
    make.grant(third, case.north.team, Grant.OBSERVE)
    delegate(
        team=case.north.team.pk, grant=Grant.LEAD.value, deputy=third.pk, since=None,
        until=timezone.now() + timedelta(days=2), reason="x", by=case.north.lead,
    )  # fmt: skip
    make.grant(case.north.lead, case.hub.team, Grant.LEAD)
    for who in (third, case.north.lead):
        client.force_login(who)
        assert send(client, own, "approve").status_code == 200
    assert state(own) == State.IN_REVIEW
    make.agent(case.north.team, "Also an agent", user=case.hub.lead)
    about = Skill.objects.create(code="x", name="X")
    agent = case.hub.lead.agent
    concerned = requests.ask("rename", kinds.wish(about, case.north.team, agent=agent.pk), by=case.agent)
    client.force_login(case.hub.lead)
    assert "This is about you" in send(client, concerned, "approve").content.decode()


def test_t64_a_later_step_is_not_taken_before_its_turn(client, case):
    case.kind.policy = steps(lead(), person(case.hub.lead))
    TeamUserGrant.objects.filter(user=case.hub.lead).delete()
    request = case.ask()
    client.force_login(case.hub.lead)
    assert client.get(page_of(request, "approve")).status_code == 403  # no grant, and nothing asked so far
    assert send(client, request, "approve").status_code == 403
    client.force_login(case.south.lead)
    assert send(client, request, "approve").status_code == 404
    client.force_login(case.north.lead)
    send(client, request, "approve")
    assert "You are not asked" in send(client, request, "approve").content.decode()
    assert state(request) == State.IN_REVIEW
    client.force_login(case.hub.lead)
    send(client, request, "approve")
    assert state(request) == State.APPLIED


def test_t65_a_lost_role_shuts_the_verb_of_a_page_that_is_still_open(client, case):
    request = case.ask()
    client.force_login(case.north.lead)
    assert client.get(page_of(request)).status_code == 200
    TeamUserGrant.objects.filter(user=case.north.lead).update(until=timezone.now() - timedelta(minutes=1))
    answer = send(client, request, "approve")
    assert "You are not asked" in answer.content.decode() and state(request) == State.IN_REVIEW


def test_a_deputy_decides_and_is_named_for_the_absent_one(client, case):
    case.kind.policy = steps(person(case.north.lead))
    request = case.ask()
    absences.announce(
        deputy=case.hub.lead.pk, since=None, until=timezone.now() + timedelta(days=1), reason="", by=case.north.lead
    )
    client.force_login(case.hub.lead)
    assert listed(client) == {request.pk}
    assert "hub-lead for north-lead" in client.get(page_of(request)).content.decode()
    send(client, request, "approve")
    assert "hub-lead for north-lead" in client.get(page_of(request)).content.decode()
    assert state(request) == State.APPLIED


# -- many at once ------------------------------------------------------------------------------------------------------------


def ticked(client, action, rows, query="?show=all"):
    return client.post(f"{LIST}{query}", {"action": action, "_selected_action": [row.pk for row in rows], "index": 0})


def test_many_are_asked_about_first_then_decided_each_by_itself(client, case):
    words = [Skill.objects.create(code=f"w{n}", name=f"W{n}") for n in range(2)]
    rows = [requests.ask("rename", kinds.wish(word, case.north.team), by=case.agent) for word in words]
    own = case.ask(by=case.north.lead)
    client.force_login(case.north.lead)
    page = ticked(client, "approve_many", [*rows, own])
    assert page.status_code == 200 and all(state(row) == State.IN_REVIEW for row in (*rows, own))
    answer = client.post(f"{LIST}decide/", {"verdict": "approve", "pk": [row.pk for row in (*rows, own)]})
    results = {result.pk: result.is_done for _row, result in answer.context["results"]}
    assert results == {rows[0].pk: True, rows[1].pk: True, own.pk: False}
    assert [state(row) for row in rows] == [State.APPLIED] * 2 and state(own) == State.IN_REVIEW


def test_one_of_many_that_moved_after_the_page_was_opened_is_left(client, case):
    request = case.ask()
    client.force_login(case.north.lead)
    page = ticked(client, "approve_many", [request])
    (shown,) = re.findall(rf'name="version-{request.pk}" value="(\d+)"', page.content.decode())
    requests.edit(request.pk, kinds.wish(case.skill, case.north.team, "Hochdeutsch"), by=case.agent)
    told = {"verdict": "approve", "pk": [request.pk], f"version-{request.pk}": shown}
    ((_row, result),) = client.post(f"{LIST}decide/", told).context["results"]
    assert (result.is_done, result.code, state(request)) == (False, "stale", State.IN_REVIEW)


def test_many_are_rejected_with_a_reason_only_and_foreign_ones_are_not_there(client, case):
    request = case.ask()
    client.force_login(case.north.lead)
    assert ticked(client, "reject_many", [request]).status_code == 200
    answer = client.post(f"{LIST}decide/", {"verdict": "reject", "pk": [request.pk], "words": " "})
    assert "Say why" in answer.content.decode() and state(request) == State.IN_REVIEW
    client.force_login(case.south.lead)
    answer = client.post(f"{LIST}decide/", {"verdict": "reject", "pk": [request.pk, "x", "9" * 30], "words": "no"})
    assert "There is no such request" in answer.content.decode() and state(request) == State.IN_REVIEW
    assert ticked(client, "reject_many", [request]).status_code == 404
    client.force_login(case.north.lead)
    client.post(f"{LIST}decide/", {"verdict": "reject", "pk": [request.pk], "words": "Not now."})
    assert state(request) == State.REJECTED
    assert client.post(f"{LIST}decide/", {}).status_code == 302
    assert client.get(f"{LIST}decide/").status_code == 405


def test_a_file_of_the_list_holds_what_the_list_shows(lead_in, case):
    case.ask()
    body = b"".join(lead_in.get(f"{LIST}download/csv/?show=all").streaming_content).decode("utf-8-sig")
    assert f"word {case.skill.pk}" in body and "in review" in body and "Rename a word" in body


# -- what a conflict and a kind of another release look like -----------------------------------------------------------------


def test_a_conflict_shows_both_versions(lead_in, case):
    request = case.ask()
    Skill.objects.filter(pk=case.skill.pk).update(name="Germanic")
    page = lead_in.get(page_of(request)).content.decode()
    assert "What stands has changed since this was handed in" in page and "<ins>Germanic</ins>" in page
    send(lead_in, request, "approve")
    told = lead_in.get(page_of(request)).context["page"]
    line = next(line for line in told.trace if line.kind == "conflict")
    assert [(each.old, each.new) for each in line.versions] == [("German", "Germanic")]
    assert state(request) == State.CHANGES_REQUESTED


def test_a_kind_of_another_release_is_shown_as_it_was_kept(lead_in, case):
    request = case.ask()
    kinds.forget()
    page = lead_in.get(page_of(request)).content.decode()
    assert "does not know this kind" in page and "Deutsch" in page
    assert lead_in.get(LIST).status_code == 200


def test_pages_stand_in_chinese(client, case):
    case.kind.policy = steps(lead(), remind=60, expire=600, at_expiry="approve")
    request = case.ask()
    client.force_login(case.north.lead)
    client.cookies["django_language"] = "zh-hans"
    for address in (page_of(request, "approve"), reverse("my_request", args=[request.pk])):
        page = client.get(address).content.decode()
        assert "可执行的操作" in page and "审批中" in page and "工作时间" in page
        for english in ("What you can do", "in review", "business", "it is approved", "Timeline", "Stands now"):
            assert english not in page, (address, english)
    assert "待我审批" in client.get(LIST).content.decode()
