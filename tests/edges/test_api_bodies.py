"""What the API makes of bodies and addresses that no program in its right mind sends: 4xx, in JSON, and nothing written."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator

from teams.models import Loan, Membership

DEEP = "[" * 10_000 + "]" * 10_000
VERBS = {"move": ("on",), "lend": ("start", "last_day")}


@pytest.fixture
def door(hub, north):
    client = Client(raise_request_exception=False)
    client.force_login(hub.lead)
    return client, north.agent.pk


def post(door, verb, body):
    client, agent = door
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(f"/api/v1/agents/{agent}/{verb}/", content, content_type="application/json")


def wish(verb, south, **more):
    day = str(timezone.now().date() + timedelta(days=3))
    return {"team": south.team.pk, "reason": "asked for it", **dict.fromkeys(VERBS[verb], day), **more}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (DEEP, 400), ('{"a":' * 10_000, 400), (b" " * (20 << 20), 413), ('{"reason": "' + "x" * (20 << 20) + '"}', 413),
        ("", 400), ("[]", 400), ("null", 400), ("NaN", 400), ('{"team": NaN}', 400), ('{"team": 1e999}', 400),
        ('{"team": ' + "9" * 5000 + "}", 400), (b"\xff\xfe{", 400), (b"\x00", 400), ('"x"', 400),
    ],
)  # fmt: skip
def test_t55_a_body_that_cannot_be_read_is_refused(door, verb, body, status):
    answer = post(door, verb, body)
    assert answer.status_code == status, answer.content[:300]
    assert answer.json()


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "more",
    [
        {"reason": "a\0b"}, {"reason": "\ud800"}, {"reason": ["x"]}, {"reason": "x" * 5000}, {"team": {"id": 1}},
        {"team": -1}, {"team": 1 << 80}, {"team": "1e2"}, {"team": True}, {"team": "\0"},
    ],
)  # fmt: skip
def test_t55_a_field_that_cannot_be_right_is_refused(door, south, verb, more):
    answer = post(door, verb, wish(verb, south, **more))
    assert answer.status_code == 400, answer.content[:300]
    assert next(iter(more)) in answer.json()
    assert not Loan.objects.exists() and Membership.objects.count() == 4


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    "day", ["0001-01-01", "9999-12-31", "9999-12-30", "10000-01-01", "-1", "2026-02-30", "NaN", 20260101]
)
def test_t55_days_at_the_ends_of_the_calendar(door, south, verb, day):
    answer = post(door, verb, wish(verb, south, **dict.fromkeys(VERBS[verb], day)))
    assert answer.status_code in (400, 409), answer.content[:300]
    assert not Loan.objects.exists() and Membership.objects.count() == 4


@pytest.mark.parametrize(
    "address", ["/api/v1/agents/-1/", "/api/v1/agents/x/", "/api/v1/nothing/", f"/api/v1/agents/{10**30}/"]
)
def test_an_address_of_the_api_that_is_not_there_is_told_in_json(door, address):
    client, _agent = door
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert set(answer.json()) == {"detail"}
    assert client.get("/nothing/")["Content-Type"].startswith("text/html")


def test_the_form_of_an_answer_is_not_chosen_by_the_address(door):
    client, _agent = door
    assert client.get("/api/v1/agents/?format=nonsense").status_code == 400
    assert client.get(reverse("api-me"), {"format": "nonsense"}).status_code == 200


def test_the_schema_tells_what_may_come_back():
    paths = SchemaGenerator().get_schema(public=True)["paths"]
    told = {(path, method): set(each["responses"]) for path, each in paths.items() for method, each in each.items()}
    assert told["/api/v1/agents/", "get"] == {"200", "400", "403", "404", "406"}
    assert told["/api/v1/agents/{id}/move/", "post"] == {"201", "400", "403", "404", "406", "409", "413", "415"}
    assert told["/api/v1/token/", "post"] == {"201", "400", "401", "403", "406", "409", "413", "415", "429"}
    assert {"401", "413", "422"} <= told["/api/v1/sources/{code}/{layout}/", "post"]
