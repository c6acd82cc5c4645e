"""The palette finds pages one may open and rows within reach, and confirms nothing else."""

from datetime import date

import pytest
from django.urls import reverse

from performance.models import ContactKey
from tests import make
from tests.performance.night.facts import contact

FIND = "/find/"


def found(client, wish=""):
    answer = client.get(FIND, {"q": wish})
    assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store, private"
    return {
        group["title"]: {item["title"]: item["link"] for item in group["items"]} for group in answer.json()["groups"]
    }


@pytest.mark.parametrize("role", ["lead", "hr", "trainer", "payroll", "reviewer", "operator"])
def test_every_page_it_offers_opens(client, hub, role):
    client.force_login(getattr(hub, role))
    pages = found(client)["Pages"]
    assert len(pages) > 3
    for title, link in pages.items():
        assert client.get(link).status_code == 200, (title, link)


def test_pages_are_found_by_words_of_either_language(client, hub):
    client.force_login(hub.lead)
    english = found(client, "nightly rep")["Pages"]
    client.cookies["django_language"] = "zh-hans"
    chinese = client.get(FIND, {"q": "Nightly"}).json()["groups"][0]["items"]
    assert [item["link"] for item in chinese] == list(english.values()) == ["/admin/performance/nightlyreport/"]
    assert chinese[0]["title"] != "Nightly reports"


def test_people_and_teams_in_reach_are_found_and_no_others(client, north, south, hub):
    client.force_login(north.lead)
    assert found(client, "North Agent 1")["People"] == {
        "North Agent 1": reverse("admin:teams_agent_change", args=[north.agent.pk])
    }
    assert found(client, north.agent.number)["People"].keys() == {"North Agent 1"}
    assert found(client, "North")["Teams"].keys() == {"North"}
    assert found(client, "South Agent 1") == found(client, "Nobody At All") == {}
    assert "People" not in found(client, "N")
    client.force_login(hub.payroll)
    assert "People" not in found(client, "North Agent")
    make.agent(hub.team, "North Wind")
    client.force_login(hub.lead)
    for n in range(8):
        make.agent(north.team, f"Many {n}")
    assert len(found(client, "Many")["People"]) == 6


def test_contacts_are_found_by_their_whole_id_in_reach(client, north, south, hub, partitions):
    source = make.source(hub.team, "Desk")
    row = contact(north.agent, date(2026, 5, 4), source=source, external_id="CASE-77")
    ContactKey.objects.create(
        pk=row.pk,
        source=source,
        external_id="CASE-77",
        opened_at=row.opened_at,
        version_at=row.opened_at,
        payload_hash="x",
    )
    client.force_login(north.lead)
    assert found(client, "CASE-77")["Contacts"] == {
        "CASE-77": reverse("admin:performance_contact_change", args=[row.pk])
    }
    assert found(client, "CASE-7") == {}
    client.force_login(north.agent.user)
    assert found(client, "CASE-77")["Contacts"] == {"CASE-77": reverse("my_contact", args=[row.pk])}
    for other in (south.lead, south.agent.user, north.agents[1].user, hub.hr):
        client.force_login(other)
        assert found(client, "CASE-77") == {}, other


def test_agents_find_their_own_pages_and_odd_wishes_find_nothing(client, north):
    client.force_login(north.agent.user)
    pages = found(client)["Pages"]
    assert set(pages) == {"My day", "30 days", "Contacts", "Incentives", "My record", "Time zone", "Change password"}
    for wish in ("\x00\x00", "%", "'; --", "x" * 5000, "🙂🙂", "\\", "a\tb"):
        assert found(client, wish).keys() <= {"Pages"}
    assert client.post(FIND).status_code == 405
