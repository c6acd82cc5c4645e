"""Looking as somebody else: the operator's, read-only, on record, and never at wages or passwords."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from knox.models import AuthToken

from teams.errors import OutOfReach, Refused
from teams.models import AccessRecord, Compensation, Team, ViewAs
from teams.services import start_viewing
from tests import make


def begin(client, hub, person):
    client.force_login(hub.operator)
    return client.post(f"/admin/teams/user/{person.pk}/view-as/", {"reason": "ticket 12"}, follow=True)


def test_the_operator_sees_what_the_person_sees_and_can_change_nothing(client, hub, north, south):
    page = begin(client, hub, north.lead).content.decode()
    assert "You look as <strong>north-lead</strong>" in page
    teams = client.get("/admin/teams/team/").content.decode()
    assert "North" in teams and "South" not in teams and 'class="viewing-as"' in teams
    assert client.get(f"/admin/teams/agent/{south.agent.pk}/change/").status_code == 404
    assert client.get("/admin/teams/user/").status_code == 403
    posts = (
        f"/admin/teams/team/{north.team.pk}/rename/",
        "/admin/teams/teamusergrant/delegate/",
        "/account/",
        f"/api/v1/agents/{north.agent.pk}/move/",
        f"/admin/teams/user/{south.lead.pk}/view-as/",
    )
    for address in posts:
        refused = client.post(address, {"name": "Stolen", "zone": "UTC", "reason": "x"})
        assert refused.status_code == 403 and "may only read" in refused.content.decode(), address
    for method in (client.put, client.patch, client.delete):
        assert method("/api/v1/teams/", {}).status_code == 403
    assert client.get("/account/").status_code == client.get("/password/").status_code == 403
    assert Team.objects.get(pk=north.team.pk).name == "North"
    back = client.post("/viewing/stop/", follow=True)
    assert back.status_code == 200 and "viewing-as" not in back.content.decode()
    assert client.get("/admin/teams/user/").status_code == 200
    look = ViewAs.objects.get()
    assert (look.viewer, look.person, look.reason) == (hub.operator, north.lead, "ticket 12") and look.ended_at


def test_the_person_finds_it_on_the_own_record_and_looks_name_the_real_viewer(client, hub, north):
    begin(client, hub, north.lead)
    assert client.get(f"/admin/people/{north.agent.pk}/").status_code == 200
    assert {each.viewer for each in AccessRecord.objects.filter(agent=north.agent)} == {hub.operator}
    client.post("/viewing/stop/")
    begin(client, hub, north.agent.user)
    client.force_login(north.agent.user)
    page = client.get("/me/record/").content.decode()
    assert "ticket 12" in page and "operator" in page


def test_borrowed_eyes_name_nothing_foreign_to_the_api(client, hub, north, south):
    begin(client, hub, north.lead)
    for name, own, foreign in (("team", north.team, south.team), ("agent", north.agent, south.agent)):
        assert client.get(f"/api/v1/contacts/?{name}={own.pk}").status_code == 200
        refused = client.get(f"/api/v1/contacts/?{name}={foreign.pk}")
        assert refused.status_code == client.get(f"/api/v1/contacts/?{name}=987654").status_code == 400


def test_wages_stay_shut_and_tokens_know_nothing_of_it(client, hub, north):
    agent = north.agent
    Compensation.objects.create(agent=agent, amount="31337.31", currency="CNY", span=DateRange(make.LONG_AGO, None))
    begin(client, hub, agent.user)
    assert client.get("/api/v1/compensations/").json()["results"] == []
    assert client.get("/api/v1/me/").json()["username"] == agent.user.username
    _row, token = AuthToken.objects.create(user=hub.operator)
    other = client.__class__()
    answer = other.get("/api/v1/compensations/", headers={"Authorization": f"Token {token}"})
    assert "31337.31" in answer.content.decode()


def test_it_ends_by_itself_and_with_the_rights_of_either(client, hub, north):
    def looks():
        return "viewing-as" in client.get("/admin/").content.decode()

    begin(client, hub, north.lead)
    assert looks()
    ViewAs.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert not looks() and client.get("/admin/teams/user/").status_code == 200
    begin(client, hub, north.lead)
    type(north.lead).objects.filter(pk=north.lead.pk).update(is_superuser=True)
    assert not looks()


def test_not_as_oneself_another_operator_a_closed_account_and_not_by_others(hub, north):
    boss = make.user("boss", is_superuser=True, is_staff=True)
    gone = make.user("gone", is_active=False)
    for person, code in ((hub.operator, "own_account"), (boss, "another_operator"), (gone, "closed_account")):
        with pytest.raises(Refused) as refusal:
            start_viewing(person.pk, by=hub.operator, reason="x")
        assert refusal.value.code == code
    with pytest.raises(OutOfReach):
        start_viewing(north.agent.user.pk, by=hub.lead, reason="x")
    assert not ViewAs.objects.exists()
