"""The doors of the blacklist: the API, the admin, the agent's own page. What is typed at one of them comes back masked."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework.test import APIClient

from approvals.models import ApprovalRequest, BlockEntry, BlockHit
from approvals.services import blacklist, deciding
from tests.approvals.blocks import MASK, NUMBER, ask, check, entry

API, ADMIN = "/api/v1/blacklist/", "/admin/approvals/blockentry/"
DIGITS = "79460018"


@pytest.fixture
def case(north, south, hub):
    return SimpleNamespace(north=north, south=south, hub=hub, agent=north.agent.user)


@pytest.fixture
def api():
    def as_(user):
        client = APIClient()
        client.force_login(user)
        return client

    return as_


def wish(place, **more):
    return {
        "team": place.pk,
        "subject_kind": "phone",
        "subject": NUMBER,
        "reason_code": "abuse",
        "evidence": "x",
    } | more


# -- the API -----------------------------------------------------------------------------------------------------------


def test_asked_checked_extended_and_lifted_over_the_api(case, api):
    agent, lead = api(case.agent), api(case.north.lead)
    answer = agent.post(
        f"{API}ask/", wish(case.north.team, term="1d", channels=["phone"], words=f"again {NUMBER}"), format="json"
    )
    assert (answer.status_code, answer.json()["subject"], answer.json()["state"]) == (201, MASK, "in_review")
    assert ApprovalRequest.objects.get().words == f"again {MASK}"
    deciding.approve(answer.json()["id"], by=case.north.lead)
    asked = {"subjects": [{"kind": "phone", "value": NUMBER}, {"kind": "phone", "value": "x"}], "channel": "phone"}
    answers = agent.post(f"{API}check/", asked, format="json").json()["answers"]
    assert [(each["subject"], each["is_blocked"], each["effect"], bool(each["problem"])) for each in answers] == [
        (MASK, True, "block", False), ("", False, "", True)
    ]  # fmt: skip
    (row,) = lead.get(API, {"state": "active"}).json()["results"]
    assert (row["subject"], row["reason"], row["channels"], row["team"]) == (
        MASK,
        "abuse",
        ["phone"],
        case.north.team.pk,
    )
    assert agent.get(f"{API}{row['id']}/").json()["subject"] == MASK
    extended = lead.post(f"{API}{row['id']}/extend/", {"note": "calls on", "term": "1h"}, format="json")
    assert extended.status_code == 201
    again = lead.post(f"{API}{row['id']}/lift/", {"note": "x"}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "already_open")
    for door in (lead.get(API), lead.get(f"{API}{row['id']}/"), agent.post(f"{API}check/", asked, format="json")):
        assert DIGITS not in door.content.decode()


def test_a_hold_over_the_api_is_for_leads(case, api):
    refused = api(case.agent).post(f"{API}ask/", wish(case.north.team, hold_now=True), format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "not_yours")
    assert (
        api(case.north.lead).post(f"{API}ask/", wish(case.north.team, hold_now=True), format="json").status_code == 201
    )
    assert check(case.agent) == ["block"]


def test_foreign_rows_and_teams_are_not_there(case, api):
    row = entry(case.north.team, case.agent)
    stranger = api(case.south.lead)
    assert stranger.get(f"{API}{row.pk}/").status_code == 404
    assert stranger.post(f"{API}{row.pk}/lift/", {"note": "x"}, format="json").status_code == 404
    assert stranger.post(f"{API}ask/", wish(case.north.team), format="json").status_code == 400
    team = {"subjects": [{"kind": "phone", "value": NUMBER}], "team": case.north.team.pk}
    assert stranger.post(f"{API}check/", team, format="json").status_code == 400
    assert api(case.hub.trainer).post(f"{API}check/", {"subjects": team["subjects"]}, format="json").status_code == 404
    assert stranger.get(API).json()["results"] == []


@pytest.mark.parametrize(
    "change",
    [
        {"subject": "a\x00b"}, {"subject": 5.5e300}, {"subject": ["x"]}, {"subject_kind": None}, {"country": "GBR"},
        {"channels": "phone"}, {"channels": ["smoke"]}, {"severity": 10**30}, {"team": 10**30}, {"team": "x"}, {"term": "2h"},
        {"until": "soon"}, {"until": "9999-12-31T23:59:59+14:00", "term": "custom"}, {"term": "custom"}, {"review_on": "x"},
        {"evidence": ""}, {"evidence": "x" * 1001}, {"hold_now": "perhaps"}, {"subject": "x" * 300},
        {"subject_kind": "mail", "subject": "nobody"},
    ],
)  # fmt: skip
def test_bad_bodies_are_refused_with_a_sentence(case, api, change):
    answer = api(case.agent).post(f"{API}ask/", wish(case.north.team, **change), format="json")
    assert answer.status_code in (400, 409) and answer.content
    assert not ApprovalRequest.objects.exists()


def test_bad_checks_are_refused(case, api):
    client = api(case.agent)
    one = {"kind": "ip", "value": "1"}
    bodies: list = [[], {}, {"subjects": []}, {"subjects": "x"}, {"subjects": [1]}, {"subjects": [one] * 501}]
    bodies += [{"subjects": [{"kind": "x", "value": "1"}]}, {"subjects": [one], "channel": "x"}]
    for body in bodies:
        assert client.post(f"{API}check/", body, format="json").status_code == 400, body


# -- the admin ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def lead(case, client):
    client.force_login(case.north.lead)
    return client


def test_a_customer_is_found_by_post_and_nothing_typed_is_in_an_address(case, lead):
    row = entry(case.north.team, case.agent)
    answer = lead.post(f"{ADMIN}find/", {"subject_kind": "phone", "subject": "0044 20 7946 0018"})
    assert answer.headers["Location"] == f"{ADMIN}{row.pk}/change/"
    page = lead.get(answer.headers["Location"]).content.decode()
    assert MASK in page and DIGITS not in page
    missed = lead.post(f"{ADMIN}find/", {"subject_kind": "phone", "subject": "+44 20 7946 0019"})
    assert "is not on the blacklist of your teams" in missed.content.decode()


def test_the_list_narrows_by_time_and_goes_into_a_file_with_masks_only(case, lead):
    soon = entry(case.north.team, case.agent, ends=24)
    entry(case.north.team, case.agent, "+442079460019", ends=24 * 30)
    ended = entry(case.north.team, case.agent, "+442079460020", begins=-9, ends=-5)
    due = entry(
        case.north.team, case.agent, "+442079460021", ends=None, review_on=timezone.now().date() - timedelta(days=1)
    )

    def shown(when):
        return {row.pk for row in lead.get(f"{ADMIN}?when={when}").context["cl"].result_list}

    assert (shown("soon"), shown("over"), shown("review")) == ({soon.pk}, {ended.pk}, {due.pk})
    assert len(shown("now")) == 3
    file = b"".join(lead.get(f"{ADMIN}download/csv/?when=soon").streaming_content).decode()
    assert MASK in file.replace("'+", "+") and DIGITS not in file and len(file.strip().splitlines()) == 2


def test_asking_and_holding_in_the_admin(case, lead):
    form = {
        "team": case.north.team.pk, "subject_kind": "phone", "subject": "020 7946 0018", "country": "gb",
        "reason_code": "threat", "evidence": f"he called from {NUMBER}", "effect": "divert",
        "channels": ["phone", "chat"], "severity": "3", "term": "8h", "hold_now": "on",
    }  # fmt: skip
    answer = lead.post(f"{ADMIN}ask/", form)
    assert answer.status_code == 302, answer.context["form"].errors
    row = BlockEntry.objects.get()
    assert (row.state, row.effect, row.channels, row.severity, row.evidence) == (
        "held", "divert", ["chat", "phone"], 3, f"he called from {MASK}"
    )  # fmt: skip
    again = lead.post(f"{ADMIN}ask/", form).content.decode()
    assert "is still open" in again
    foreign = lead.post(f"{ADMIN}ask/", form | {"team": case.south.team.pk}).content.decode()
    assert "Select a valid choice" in foreign and BlockEntry.objects.count() == 1


def test_verbs_of_an_entry_in_the_admin(case, lead):
    row = entry(case.north.team, case.agent)
    assert lead.post(f"{ADMIN}{row.pk}/extend/", {"note": "calls on", "term": "1d"}).status_code == 302
    assert ApprovalRequest.objects.get().content["action"] == "extend"
    on = (timezone.localdate() + timedelta(days=20)).isoformat()
    assert lead.post(f"{ADMIN}{row.pk}/review/", {"on": on, "note": "seen"}).status_code == 302
    row.refresh_from_db()
    assert row.review_on.isoformat() == on
    history = lead.get(f"{ADMIN}{row.pk}/history/").content.decode()
    assert "reviewed" in history and row.digest not in history
    other = entry(case.north.team, case.agent, "+442079460019")
    assert lead.post(f"{ADMIN}{other.pk}/lift/", {"note": "appeal"}).status_code == 302


def test_hits_are_paged_beside_their_entry(case, lead):
    row, other = entry(case.north.team, case.agent), entry(case.south.team, case.south.lead)
    check(case.agent)
    check(case.south.agent.user)
    page = lead.get(f"{ADMIN}{row.pk}/change/").content.decode()
    assert f"/admin/approvals/blockhit/?entry={row.pk}" in page

    def hits(entry):
        return lead.get(f"/admin/approvals/blockhit/?entry={entry}").context["cl"].result_count

    assert (hits(row.pk), hits(other.pk), hits("x"), hits(10**18)) == (1, 0, 0, 0)
    assert BlockHit.objects.count() == 2


# -- the own page ------------------------------------------------------------------------------------------------------


def test_an_agent_asks_and_checks_on_the_own_page(case, client):
    client.force_login(case.agent)
    assert client.get(reverse("my_blacklist")).status_code == 200
    form = {
        "ask-team": case.north.team.pk, "ask-subject_kind": "phone", "ask-subject": NUMBER, "ask-country": "",
        "ask-effect": "block",
        "ask-reason_code": "abuse", "ask-evidence": "recording 88", "ask-term": "7d", "ask-severity": "2",
    }  # fmt: skip
    page = client.post(reverse("my_blacklist_ask"), form, follow=True)
    assert page.redirect_chain == [("/me/blacklist/", 302)]
    assert MASK in page.content.decode() and DIGITS not in page.content.decode()
    again = client.post(reverse("my_blacklist_ask"), form)
    assert again.status_code == 422 and "is still open" in again.content.decode()
    deciding.approve(ApprovalRequest.objects.get().pk, by=case.north.lead)
    asked = {"check-subject_kind": "phone", "check-subject": NUMBER}
    page = client.post(reverse("my_blacklist_check"), asked).content.decode()
    assert f"{MASK}: block" in page and "Reason: abuse." in page and DIGITS not in page
    other = client.post(reverse("my_blacklist_check"), asked | {"check-subject": "+44 20 7946 0019"})
    assert "is not blocked" in other.content.decode()
    bad = client.post(reverse("my_blacklist_check"), asked | {"check-subject": "12"})
    assert bad.status_code == 422 and "Write the number with +" in bad.content.decode()


def test_an_agent_sees_no_entry_of_others(case, client):
    entry(case.north.team, case.north.lead)
    client.force_login(case.agent)
    assert MASK not in client.get(reverse("my_blacklist")).content.decode()
    assert client.get(API).json()["results"] == []
    assert blacklist.check([], by=case.agent) == []
    ask(case.north.team, case.north.agents[1].user, "+44 20 7946 0019")
    assert "********19" not in client.get(reverse("my_blacklist")).content.decode()
