"""REST doors: each verb is wired, refusals are 409 with their code, foreign and missing are 404, bad bodies 400."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from approvals.models import ApprovalAbsence, ApprovalRequest
from approvals.services import policies, requests
from teams.models import Skill
from tests.approvals import kinds
from tests.approvals.kinds import lead, person, steps

LIST, POLICIES, ABSENCES = (f"/api/v1/approval-{name}/" for name in ("requests", "policies", "absences"))
State = ApprovalRequest.State


def as_(user):
    client = APIClient()
    client.force_login(user)
    return client


def send(user, request, verb, **body):
    if verb in VERSIONED:
        body.setdefault("version", ApprovalRequest.objects.get(pk=request.pk).version)
    return as_(user).post(f"{LIST}{request.pk}/{verb}/", body, format="json")


VERSIONED = {"approve", "reject", "send-back", "escalate", "withdraw", "edit", "submit", "break-glass"}


def ask(case, user, **more):
    body = {"kind": "rename", "content": kinds.wish(case.skill, case.north.team), "words": "it is called so"}
    return as_(user).post(LIST, {**body, **more}, format="json")


def test_ask_read_decide_undo(case):
    case.kind.policy = steps(person(case.north.lead))
    made = ask(case, case.agent)
    assert (made.status_code, made.json()["state"]) == (201, "in_review")
    request = ApprovalRequest.objects.get(pk=made.json()["id"])
    whole = as_(case.north.lead).get(f"{LIST}{request.pk}/").json()
    assert whole["page"]["lines"][0]["new"] == "Deutsch" and whole["content"]["name"] == "Deutsch"
    assert whole["page"]["steps"][0]["voices"][0] == {
        "who": "north-lead", "for_whom": "", "verdict": "", "at": None, "is_waiting": True
    }  # fmt: skip
    assert [line["kind"] for line in whole["page"]["trace"]] == ["submitted", "step_begun"]
    assert {offer["verb"] for offer in whole["page"]["offers"] if offer["is_open"]} >= {
        "approve",
        "reject",
        "send-back",
    }
    assert send(case.north.lead, request, "comment", words="hm").status_code == 200
    assert send(case.north.lead, request, "send-back", words="Say why.").json()["state"] == "changes_requested"
    edited = send(case.agent, request, "edit", content=kinds.wish(case.skill, case.north.team, "Hochdeutsch"))
    assert (edited.json()["state"], edited.json()["revision"]) == ("in_review", 2)
    assert send(case.north.lead, request, "escalate", words="Not mine.").status_code == 200
    done = send(case.hub.lead, request, "approve", words="Right.", condition="for now")
    assert (done.json()["state"], done.json()["condition"], case.name()) == ("applied", "for now", "Hochdeutsch")
    assert send(case.hub.lead, request, "undo", words="No.").json()["state"] == "undone"
    assert case.name() == "German"


def test_draft_submit_withdraw_retry_glass(case):
    draft = ask(case, case.agent, is_draft=True).json()
    request = ApprovalRequest.objects.get(pk=draft["id"])
    assert draft["state"] == "draft"
    assert send(case.agent, request, "submit").json()["state"] == "in_review"
    assert send(case.agent, request, "withdraw").json()["state"] == "withdrawn"
    failing = requests.ask("rename", kinds.wish(case.skill, case.north.team, "impossible"), by=case.agent)
    assert send(case.north.lead, failing, "approve").json()["state"] == "apply_failed"
    assert send(case.agent, failing, "retry").json()["error"] == "It cannot be called that."
    requests.withdraw(failing.pk, by=case.agent)
    other = case.ask()
    assert send(case.north.lead, other, "break-glass", words="x").status_code == 404
    assert send(case.hub.operator, other, "break-glass", words="The line is down.").json()["state"] == "applied"
    assert send(case.hub.operator, other, "review-glass", words="x").json()["code"] == "own_glass"
    assert send(case.north.lead, other, "review-glass", words="It had to be.").status_code == 200


def test_t61_the_requester_is_refused_here_too(case):
    own = case.ask(by=case.north.lead)
    answer = send(case.north.lead, own, "approve")
    assert (answer.status_code, answer.json()["code"]) == (409, "own_request")
    many = as_(case.north.lead).post(f"{LIST}decide-many/", {"ids": [own.pk], "verdict": "approve"}, format="json")
    assert (many.json()[0]["is_done"], many.json()[0]["code"]) == (False, "own_request")
    older = {"ids": [own.pk], "verdict": "approve", "versions": {str(own.pk): own.version + 1}}
    assert as_(case.hub.lead).post(f"{LIST}decide-many/", older, format="json").json()[0]["code"] == "stale"
    assert ApprovalRequest.objects.get(pk=own.pk).state == State.IN_REVIEW


def test_t92_a_stale_version_is_409_and_the_second_of_two_learns_of_the_first(case):
    request = case.ask()
    assert send(case.north.lead, request, "approve", version=1).json()["code"] == "stale"
    assert send(case.north.lead, request, "approve").status_code == 200
    now = ApprovalRequest.objects.get(pk=request.pk).version
    assert send(case.hub.lead, request, "reject", words="no", version=now).json()["code"] == "settled"


def test_lists_are_scoped_filtered_and_take_the_same_queries(case):
    word = Skill.objects.create(code="w", name="W")
    waits = case.ask()
    own = requests.ask("rename", kinds.wish(word, case.north.team), by=case.north.lead)

    def found(user, query=""):
        return {row["id"] for row in as_(user).get(f"{LIST}{query}").json()["results"]}

    assert found(case.north.lead) == {waits.pk, own.pk}
    assert found(case.north.lead, "?waits_for_me=true") == {waits.pk} == found(case.north.lead, "?mine=false")
    assert found(case.north.lead, "?mine=true") == {own.pk} == found(case.north.lead, "?waits_for_me=false")
    assert found(case.north.lead, "?state=applied") == set() and len(found(case.north.lead, "?kind=rename")) == 2
    assert found(case.agent) == {waits.pk} and found(case.south.lead) == set() == found(case.hub.hr)
    assert as_(case.north.lead).get(f"{LIST}?nonsense=1").status_code == 400
    client = as_(case.north.lead)
    client.get(LIST)  # the first call of a session also notes when it came
    with CaptureQueriesContext(connection) as two:
        client.get(LIST)
    for number in range(3):
        more = Skill.objects.create(code=f"w{number}", name=f"W{number}")
        requests.ask("rename", kinds.wish(more, case.north.team), by=case.north.agents[1].user)
    with CaptureQueriesContext(connection) as five:
        assert len(client.get(LIST).json()["results"]) == 5
    assert len(two) == len(five)


def test_foreign_and_missing_are_404_and_get_decides_nothing(case):
    request = case.ask()
    for user in (case.south.lead, case.hub.hr, case.north.agents[1].user):
        assert as_(user).get(f"{LIST}{request.pk}/").status_code == 404
        assert send(user, request, "comment", words="x").status_code == 404
        assert send(user, request, "approve", version=1).status_code == 404
    for verb in ("approve", "reject", "withdraw", "edit"):
        assert as_(case.north.lead).get(f"{LIST}{request.pk}/{verb}/").status_code == 405
    assert ApprovalRequest.objects.get(pk=request.pk).state == State.IN_REVIEW


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("approve", {"version": 0}),
        ("approve", {"version": 10**30}),
        ("approve", {"version": 1, "words": "a\x00b"}),
        ("approve", {"version": 1, "ends_at": "soon"}),
        ("reject", {"version": 1}),
        ("reject", {"version": 1, "words": "x" * 501}),
        ("comment", {"words": ["x"]}),
        ("edit", {"version": 1, "content": "x"}),
        ("comment", []),
    ],
)
def test_bad_bodies_are_400(case, verb, body):
    request = case.ask()
    answer = as_(case.north.lead).post(f"{LIST}{request.pk}/{verb}/", body, format="json")
    assert answer.status_code == 400
    assert request.events.count() == 2


def test_bad_wishes_are_refused_in_words(case):
    for content in ({}, {"skill": "x"}, {"name": "a\x00"}):
        answer = ask(case, case.agent, content=content)
        assert (answer.status_code, answer.json()["code"]) == (409, "bad_payload"), content
    assert ask(case, case.agent, kind="nothing").json()["code"] == "unknown_kind"
    assert ask(case, case.agent, content=[1]).status_code == 400
    far = {"ends_at": "9999-12-31T23:59:59Z"}
    assert send(case.north.lead, case.ask(), "approve", **far).json()["code"] == "end_too_far"
    for ids in ([], [0], ["x"], [10**20], list(range(1, 102))):
        body = {"ids": ids, "verdict": "approve"}
        assert as_(case.north.lead).post(f"{LIST}decide-many/", body, format="json").status_code == 400


def test_policies_are_read(case):
    made = policies.set_policy(case.north.team.pk, "rename", steps(lead()), by=case.hub.lead, reason="ours")
    row = as_(case.north.lead).get(f"{POLICIES}{made.pk}/").json()
    assert (row["number"], row["is_current"], row["made_by"]["username"]) == (1, True, "hub-lead")
    assert as_(case.south.lead).get(f"{POLICIES}{made.pk}/").status_code == 404
    assert as_(case.north.lead).post(POLICIES, {}, format="json").status_code == 405


def test_an_absence_is_announced_and_ended(case):
    until = (timezone.now() + timedelta(days=2)).isoformat()
    body = {"deputy": case.hub.lead.pk, "until": until, "reason": "away"}
    made = as_(case.north.lead).post(ABSENCES, body, format="json")
    assert (made.status_code, made.json()["deputy"]["username"]) == (201, "hub-lead")
    again = as_(case.north.lead).post(ABSENCES, body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "already_away")
    address = f"{ABSENCES}{made.json()['id']}/"
    assert as_(case.hub.lead).get(address).status_code == 200
    assert as_(case.south.lead).get(address).status_code == 404 == as_(case.hub.lead).post(f"{address}end/").status_code
    assert as_(case.north.lead).post(f"{address}end/", {}, format="json").status_code == 200
    assert not ApprovalAbsence.objects.now().exists()
    assert as_(case.north.lead).post(ABSENCES, {**body, "deputy": 10**12}, format="json").status_code == 400
    assert as_(case.north.lead).post(ABSENCES, {**body, "deputy": 99999}, format="json").status_code == 404
