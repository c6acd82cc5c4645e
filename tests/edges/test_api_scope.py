"""The REST base against the cases of the reliability list."""

import json

import pytest
from knox.models import AuthToken

from teams import services
from teams.models import Agent, Membership
from tests import make
from tests.make import SOME_YEARS_ON


def post(client, address, **body):
    return client.post(address, json.dumps(body), content_type="application/json")


def test_t35_t43_a_foreign_related_id_is_not_found(client, north, south):
    client.force_login(north.lead)
    address = f"/api/v1/agents/{north.agent.pk}/move/"
    foreign = post(client, address, team=south.team.pk, on=SOME_YEARS_ON, reason="x")
    missing = post(client, address, team=987654, on=SOME_YEARS_ON, reason="x")
    assert foreign.status_code == missing.status_code == 400
    assert foreign.json() == missing.json() == {"team": ["not found"]}
    assert not Membership.objects.filter(team=south.team, agent=north.agent).exists()


def test_t35_a_verb_works_and_a_refusal_is_409(client, hub, north, south):
    client.force_login(hub.lead)
    address = f"/api/v1/agents/{north.agent.pk}/move/"
    assert post(client, address, team=south.team.pk, on=SOME_YEARS_ON, reason="x").status_code == 201
    refused = post(client, address, team=south.team.pk, on=SOME_YEARS_ON, reason="x")
    assert refused.status_code == 409 and refused.json()["code"] == "already_planned"


def test_t36_json_only(client, north):
    client.force_login(north.lead)
    answer = client.get("/api/v1/agents/", headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == "application/json"
    assert client.post(f"/api/v1/agents/{north.agent.pk}/move/", {"team": 1}).status_code == 415


def test_t37_options_and_schema_hold_no_data(client, north, south):
    make.agent(south.team, "Zanzibar", number="Zanzibar-1")
    client.force_login(north.lead)
    assert "Zanzibar" not in client.options("/api/v1/agents/").content.decode()
    schema = client.get("/api/schema/").content.decode()
    assert "Zanzibar" not in schema and "South" not in schema and "North Agent" not in schema


def test_t38_nested_rows_are_scoped(client, hub, north, south):
    from datetime import timedelta

    from teams.services.spans import today_in

    today = today_in("UTC")
    services.lend_agent(north.agent.pk, south.team.pk, today, today + timedelta(days=1), "rush", by=hub.lead)
    client.force_login(south.lead)
    borrowed = client.get(f"/api/v1/agents/{north.agent.pk}/").json()
    assert borrowed["name"] == "North Agent 1" and borrowed["team"] is None
    assert client.get(f"/api/v1/agents/{south.agent.pk}/").json()["team"]["parent"] is None
    own_team = client.get(f"/api/v1/teams/{south.team.pk}/").json()
    assert own_team["parent"] is None


def test_t39_lists_details_and_actions_are_scoped_alike(client, north, south):
    client.force_login(south.lead)
    assert {row["name"] for row in client.get("/api/v1/agents/").json()["results"]} == {
        "South Agent 1",
        "South Agent 2",
    }
    for address in ("agents/{0}/", "agents/{0}/move/", "agents/{0}/lend/"):
        path = "/api/v1/" + address.format(north.agent.pk)
        assert client.post(path).status_code in (404, 405)
        assert client.get(path).status_code in (404, 405)
    there = client.get(f"/api/v1/agents/{north.agent.pk}/")
    assert there.status_code == 404 and there.json() == client.get("/api/v1/agents/987654/").json()


def test_t40_unexpected_keys_set_nothing(client, hub, north, south):
    client.force_login(hub.lead)
    body = {"team": south.team.pk, "on": SOME_YEARS_ON, "reason": "x", "status": "left", "is_staff": True, "user": 1}
    post(client, f"/api/v1/agents/{north.agent.pk}/move/", **body)
    assert Agent.objects.get(pk=north.agent.pk).status == "active"


@pytest.mark.parametrize(
    "query",
    ["nonsense=1", "name=x", "user__password=x", "team__parent=1", "sort=user", "sort=user__password", "_connector=OR",
     "status=1)%20OR%201=1", "team=abc", "role=%00", "ordering=name"],
)  # fmt: skip
def test_t42_unknown_or_wrong_parameters_are_400(client, north, query):
    client.force_login(north.lead)
    assert client.get(f"/api/v1/agents/?{query}").status_code == 400


def test_t42_a_foreign_team_is_no_choice_of_a_filter(client, north, south):
    client.force_login(north.lead)
    assert client.get(f"/api/v1/agents/?team={south.team.pk}").status_code == 400
    assert client.get(f"/api/v1/agents/?team={north.team.pk}").json()["count"] == 2
    assert [row["number"] for row in client.get("/api/v1/agents/?sort=-number").json()["results"]] == sorted(
        (agent.number for agent in north.agents), reverse=True
    )


def test_pages_are_capped(client, north):
    client.force_login(north.lead)
    assert client.get("/api/v1/agents/?page_size=100000").status_code == 200
    assert client.get("/api/v1/agents/?page=99").status_code == 404
    assert len(client.get("/api/v1/agents/?page_size=1").json()["results"]) == 1


def test_one_sees_the_own_wage_and_nobody_elses(client, hub, north):
    for agent in north.agents:
        services.set_compensation(
            agent.pk, basis="daily", amount="300.00", currency="CNY", on=make.LONG_AGO, by=hub.payroll
        )
    client.force_login(north.agent.user)
    assert [row["agent"] for row in client.get("/api/v1/compensations/").json()["results"]] == [north.agent.number]
    client.force_login(north.lead)
    assert client.get("/api/v1/compensations/").json()["count"] == 0
    client.force_login(hub.payroll)
    assert client.get("/api/v1/compensations/").json()["count"] == 2


def test_tokens_are_made_with_a_password_expire_and_end(client, north):
    body = {"username": north.lead.username, "password": "correct horse battery"}
    assert post(client, "/api/v1/token/", **{**body, "password": "wrong"}).status_code == 401
    assert post(client, "/api/v1/token/", **{**body, "username": "nobody"}).status_code == 401
    assert post(client, "/api/v1/token/", days=91, **body).status_code == 400
    made = post(client, "/api/v1/token/", days=7, **body)
    assert made.status_code == 201
    bearer = {"Authorization": f"Token {made.json()['token']}"}
    assert client.get("/api/v1/me/", headers=bearer).json()["grants"] == ["LEAD"]
    assert client.delete("/api/v1/token/", headers=bearer).status_code == 204
    assert not AuthToken.objects.exists()
    assert client.get("/api/v1/me/", headers=bearer).status_code in (401, 403)


def test_t46_guessing_is_slowed_down_per_name(client, north):
    codes = [post(client, "/api/v1/token/", username="lead", password=str(n)).status_code for n in range(6)]
    assert codes == [401] * 5 + [429]
    body = {"username": north.lead.username, "password": "correct horse battery"}
    assert post(client, "/api/v1/token/", **body).status_code == 201


def test_t33_lists_take_the_same_queries_for_two_rows_and_four(
    client, hub, north, south, django_assert_max_num_queries
):
    counted = []
    for user in (north.lead, hub.lead):
        client.force_login(user)
        client.get("/api/v1/agents/")  # the first call of a session notes the session
        with django_assert_max_num_queries(
            14
        ) as queries:  # of these four open and close the scope, two of them savepoints
            rows = client.get("/api/v1/agents/").json()["count"]
        counted.append((rows, len(queries)))
    assert counted[0][0] == 2 and counted[1][0] == 4 and counted[0][1] == counted[1][1]
