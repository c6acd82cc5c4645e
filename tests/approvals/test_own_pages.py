"""One's own requests, for agents and for everybody else who asks or is asked."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from approvals.models import ApprovalRequest
from approvals.services import deciding, requests
from teams.models import Skill
from tests import make
from tests.approvals import kinds
from tests.approvals.kinds import person, steps

LIST = "/me/requests/"
State = ApprovalRequest.State


def page_of(request, verb=""):
    return f"{LIST}{request.pk}/{verb}/" if verb else f"{LIST}{request.pk}/"


def version(request):
    return ApprovalRequest.objects.get(pk=request.pk).version


def state(request):
    return ApprovalRequest.objects.get(pk=request.pk).state


@pytest.fixture
def agent_in(client, case):
    client.force_login(case.agent)
    return client


def test_the_list_shows_ones_own_and_those_about_one(client, case):
    word = Skill.objects.create(code="w", name="W")
    mine = case.ask()
    about = requests.ask(
        "rename", kinds.wish(word, case.north.team, agent=case.north.agent.pk), by=case.north.agents[1].user
    )
    client.force_login(case.agent)
    assert {row.pk for row, _kind in client.get(LIST).context["lines"]} == {mine.pk, about.pk}
    client.force_login(case.north.agents[1].user)
    assert {row.pk for row, _kind in client.get(LIST).context["lines"]} == {about.pk}
    deciding.reject(about.pk, by=case.north.lead, words="no")
    assert not client.get(LIST).context["lines"]
    assert {row.pk for row, _kind in client.get(f"{LIST}?show=all").context["lines"]} == {about.pk}
    client.force_login(case.south.agent.user)
    page = client.get(f"{LIST}?show=all").content.decode()
    assert "You have not asked for anything yet" in page and "Rename a word" in page


def test_staff_who_are_no_agents_have_the_pages_too(client, case):
    request = case.ask(by=case.north.lead)
    client.force_login(case.north.lead)
    assert {row.pk for row, _kind in client.get(LIST).context["lines"]} == {request.pk}
    assert client.get(page_of(request)).status_code == 200
    assert "My day" not in client.get(LIST).content.decode()


def test_the_list_is_paged_and_takes_the_same_queries(agent_in, case):
    case.ask()
    agent_in.get(LIST)
    with CaptureQueriesContext(connection) as one:
        agent_in.get(LIST)
    for number in range(30):
        word = Skill.objects.create(code=f"w{number}", name=f"W{number}")
        requests.ask("rename", kinds.wish(word, case.north.team), by=case.agent)
    with CaptureQueriesContext(connection) as many:
        assert len(agent_in.get(LIST).context["lines"]) == 25
    assert len(agent_in.get(f"{LIST}?page=2").context["lines"]) == 6
    assert len(one) == len(many)


def test_the_page_names_whom_it_waits_for(agent_in, case):
    page = agent_in.get(page_of(case.ask())).content.decode()
    for words in ("<ins>Deutsch</ins>", "north-lead", "not heard yet", "it is called so"):
        assert words in page


def test_edit_by_a_form_of_the_payload(agent_in, case):
    request = case.ask()
    form = agent_in.get(page_of(request, "edit")).context["form"]
    assert [form[name].value() for name in ("name", "weight", "version")] == ["Deutsch", 0, request.version]
    fields = {
        "skill": case.skill.pk,
        "team": case.north.team.pk,
        "name": "Hochdeutsch",
        "weight": "3",
        "words": "Better.",
    }
    bad = agent_in.post(page_of(request, "edit"), {**fields, "name": "nonsense", "version": request.version})
    assert "That is no name" in bad.content.decode()
    long = agent_in.post(page_of(request, "edit"), {**fields, "weight": "-1", "version": request.version})
    assert long.status_code == 200 and "weight" in long.context["form"].errors
    stale = agent_in.post(page_of(request, "edit"), {**fields, "version": 1})
    assert "has changed since" in stale.content.decode() and version(request) == request.version
    agent_in.post(page_of(request, "edit"), {**fields, "version": request.version})
    kept = ApprovalRequest.objects.get(pk=request.pk)
    assert (kept.content["name"], kept.content["weight"], kept.revision, kept.words) == ("Hochdeutsch", 3, 2, "Better.")


def test_fields_that_say_what_it_is_about_are_not_offered(agent_in, case, monkeypatch):
    monkeypatch.setattr(type(case.kind), "fixed", frozenset({"skill", "team"}), raising=False)
    request = case.ask()
    assert "skill" not in agent_in.get(page_of(request, "edit")).context["form"].fields
    agent_in.post(
        page_of(request, "edit"), {"name": "Hochdeutsch", "weight": 0, "skill": 999, "version": request.version}
    )
    assert ApprovalRequest.objects.get(pk=request.pk).content["skill"] == case.skill.pk


def test_withdraw_comment_hand_in_and_try_again(agent_in, case):
    request = case.ask()
    agent_in.post(page_of(request, "comment"), {"words": "Any news?"})
    assert request.events.filter(kind="comment", words="Any news?").exists()
    agent_in.post(page_of(request, "withdraw"), {"version": version(request)})
    assert state(request) == State.WITHDRAWN
    draft = requests.ask("rename", kinds.wish(case.skill, case.north.team, "impossible"), by=case.agent, is_draft=True)
    agent_in.post(page_of(draft, "submit"), {"version": draft.version})
    deciding.approve(draft.pk, by=case.north.lead)
    assert state(draft) == State.APPLY_FAILED
    agent_in.post(page_of(draft, "retry"))
    assert draft.events.filter(kind="failed").count() == 2


def test_t61_who_asked_decides_nothing_here_either(agent_in, case):
    request = case.ask()
    for verb in ("approve", "reject", "send-back"):
        answer = agent_in.post(page_of(request, verb), {"version": request.version, "words": "yes"})
        assert "You asked for this" in answer.content.decode()
    assert agent_in.post(page_of(request, "break-glass"), {"version": 1, "words": "x"}).status_code == 404
    assert state(request) == State.IN_REVIEW


def test_an_approver_without_staff_rights_decides_here(client, case):
    senior = make.agent(case.north.team, "Senior", user=make.user("senior")).user
    case.kind.policy = steps(person(senior))
    request = case.ask()
    client.force_login(senior)
    assert [row.pk for row, _kind in client.get(LIST).context["waiting"]] == [request.pk]
    client.post(page_of(request, "approve"), {"version": request.version})
    assert state(request) == State.APPLIED


def test_foreign_and_missing_are_one_answer_and_get_writes_nothing(client, case):
    request = case.ask()
    for who in (case.south.agent.user, case.north.agents[1].user, case.south.lead):
        client.force_login(who)
        for address in (page_of(request), page_of(request, "edit"), page_of(request, "comment"), f"{LIST}99999999/"):
            assert client.get(address).status_code == 404
        assert client.post(page_of(request, "comment"), {"words": "x"}).status_code == 404
    client.force_login(case.agent)
    before = ApprovalRequest.objects.values().get(pk=request.pk)
    for verb in ("", "edit", "withdraw", "comment", "submit"):
        assert client.get(page_of(request, verb)).status_code == 200
    assert client.get(page_of(request, "no-such-verb")).status_code == 404
    assert ApprovalRequest.objects.values().get(pk=request.pk) == before and request.events.count() == 2
    assert reverse("my_request", args=[request.pk]) == page_of(request)


def test_an_agent_asks_for_another_role_or_team_and_somebody_above_decides(agent_in, case):
    page, words = "/me/employment/", "ready for more"
    assert f'href="{page}"' in agent_in.get(LIST).content.decode()
    assert agent_in.post(page, {"action": "role", "words": words}).context["form"].errors == {
        "role": ["This is needed here."]
    }
    foreign = {"action": "move", "team": case.south.team.code, "words": words}
    answers = [agent_in.post(page, {**foreign, "team": code}) for code in (case.south.team.code, "nowhere")]
    assert {(each.status_code, str(each.context["form"].non_field_errors())) for each in answers} == {
        (422, str(answers[0].context["form"].non_field_errors()))
    }, "a team out of sight and none at all are the same"
    answer = agent_in.post(page, {"action": "role", "role": "senior", "team": "passed over", "words": words})
    request = ApprovalRequest.objects.get()
    assert (answer.status_code, answer.url, request.state) == (302, page_of(request), State.IN_REVIEW)
    deciding.approve(request.pk, by=case.hub.lead)
    case.north.agent.refresh_from_db()
    assert (case.north.agent.role, state(request)) == ("senior", State.APPLIED)
