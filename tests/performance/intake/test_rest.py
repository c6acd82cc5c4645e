"""The REST door of a source."""

import json
import threading
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from performance.models import AgentAlias, Contact, ContactKey, ImportRun, Leg, Source
from performance.services import intake
from teams.errors import OutOfReach
from tests import make
from tests.performance.intake.build import contact

ROW = {
    "external_id": "1",
    "opened_at": "2026-01-02T03:04:05Z",
    "agent": "ann",
    "handle_seconds": 60,
    "is_answered": True,
    "rating": 4,
}


@pytest.fixture
def door(north):
    source = make.source(north.team, "chat")
    return source, intake.rotate_token(source.pk, by=north.lead)


def post(source, token, body, layout="contacts", **headers):
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    if token:
        headers["HTTP_AUTHORIZATION"] = f"Token {token}"
    address = reverse("intake_deliver", args=[getattr(source, "code", source), layout])
    return Client().post(address, content, content_type="application/json", **headers)


def test_rows_come_in_once_and_newer_ones_win(door):
    source, token = door
    rows = [{**ROW, "updated_at": "2026-01-02T04:00:00Z"}, {**ROW, "external_id": "2"}]
    answer = post(source, token, {"rows": rows})
    assert answer.status_code == 200, answer.content
    assert answer.json()["counts"]["new"] == 2 and answer.json()["refused"] == []
    assert post(source, token, {"rows": rows}).json()["counts"]["same"] == 2
    older = {**rows[0], "handle_seconds": 5, "updated_at": "2026-01-02T03:00:00Z"}
    newer = {**rows[0], "handle_seconds": 9, "updated_at": "2026-01-02T05:00:00Z"}
    assert post(source, token, {"rows": [newer]}).json()["counts"]["newer"] == 1
    assert post(source, token, {"rows": [older]}).json()["counts"]["older"] == 1
    assert contact().handle_seconds == 9 and contact().rating == 0.75


def test_the_scale_of_ratings_may_be_told(door):
    post(*door, {"rows": [{**ROW, "rating": 8}], "scale": 10, "lowest": 0})
    assert (contact().rating, contact().rating_scale) == (Decimal("0.8"), 10)


def test_other_layouts_have_their_doors(door):
    leg = {"contact": "1", "agent": "ann", "started_at": "2026-01-02T03:04:05Z"}
    assert post(*door, [leg], "legs").json()["counts"]["new"] == 1
    state = {"agent": "ann", "state": "ready", "started_at": "2026-01-02T03:04:05Z"}
    assert post(*door, [state], "states").json()["counts"]["new"] == 1
    half = {"queue": "q", "started_at": "2026-01-02T03:30:00Z", "offered": 3}
    assert post(*door, [half], "intervals").json()["counts"]["new"] == 1
    assert post(*door, [half], "events").status_code == 404
    assert Leg.objects.count() == 1


def test_who_may_send(door, north, south):
    source, token = door
    other = make.source(south.team, "other")
    other_token = intake.rotate_token(other.pk, by=south.lead)
    assert post(source, "", [ROW]).status_code == 401
    assert post(source, token[:-1], [ROW]).status_code == 401
    assert post(source, token + "x", [ROW]).status_code == 401
    assert post(source, "", [ROW], HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401
    assert post(source, "", [ROW], HTTP_AUTHORIZATION="Token").status_code == 401
    assert post(source, other_token, [ROW]).status_code == 404
    assert post("nobody", token, [ROW]).status_code == 404
    renewed = intake.rotate_token(source.pk, by=north.lead)
    assert post(source, token, [ROW]).status_code == 401
    assert post(source, renewed, [ROW]).status_code == 200
    Source.objects.filter(pk=source.pk).update(is_active=False)
    assert post(source, renewed, [ROW]).status_code == 401
    assert token not in str(Source.objects.values_list("token_digest", "token_hint"))
    assert Contact.objects.count() == 1
    with pytest.raises(OutOfReach):
        intake.rotate_token(source.pk, by=south.lead)


def test_a_revoked_token_opens_nothing(door, north):
    source, token = door
    intake.revoke_token(source.pk, by=north.lead)
    assert post(source, token, [ROW]).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("[", 400),
        ('{"rows": 5}', 400),
        ('{"rows": [], "team": 1}', 400),
        ("[" * 10_000 + "]" * 10_000, 400),
        ('{"rows":' + "[" * 100_000, 400),
        ('[{"external_id": "1", "opened_at": "2026-01-02", "handle_seconds": NaN}]', 400),
        ('[{"external_id": "1", "opened_at": "2026-01-02", "handle_seconds": Infinity}]', 400),
        ('[{"external_id": "1", "opened_at": "2026-01-02", "handle_seconds": ' + "9" * 5000 + "}]", 400),
        ('[{"external_id": "1", "opened_at": "2026-01-02", "handle_seconds": 1e999}]', 422),
        ('[{"external_id": "1", "opened_at": "0001-01-01T00:00:00Z"}]', 422),
        ('[{"external_id": "1", "opened_at": "9999-12-31T23:59:59Z"}]', 422),
        (r'[{"external_id": "1\u0000", "opened_at": "2026-01-02"}]', 422),
        (r'[{"external_id": "\ud800", "opened_at": "2026-01-02"}]', 422),
        ('[{"external_id": {"a": 1}, "opened_at": "2026-01-02"}]', 422),
        ('[{"external_id": "1", "opened_at": ["2026-01-02"]}]', 422),
        ("[5]", 422),
        ("[{}]", 422),
        ('[{"external_id": "1"}]', 422),
        (b"\xff\xfe\x00", 400),
        ('[{"external_id": "1", "opened_at": "2026-01-02", "is_staff": true}]', 400),
        ('{"rows": [{"external_id": "1", "opened_at": "2026-01-02", "rating": 1}], "scale": "x"}', 422),
    ],
)  # fmt: skip
def test_what_cannot_be_right_is_refused_and_stores_nothing(door, body, status):
    answer = post(*door, body)
    assert answer.status_code == status, answer.content
    assert answer.json()
    assert not Contact.objects.exists() and not ContactKey.objects.exists() and not AgentAlias.objects.exists()


def test_a_large_body_and_too_many_rows(door):
    assert post(*door, b" " * (20 << 20)).status_code == 413
    assert post(*door, [ROW] * 5001).status_code == 413
    assert not ImportRun.objects.exists()


def test_bad_rows_do_not_hold_up_good_ones(door):
    rows = [ROW, {**ROW, "external_id": "2", "opened_at": "soon"}, {**ROW, "external_id": "3", "agent": "a\0b"}]
    answer = post(*door, {"rows": rows})
    assert answer.status_code == 200
    assert [(r["row"], r["field"], r["code"]) for r in answer.json()["refused"]] == [
        (2, "opened_at", "not_a_moment"),
        (3, "agent", "nul"),
    ]
    assert "soon" in answer.json()["refused"][0]["detail"]
    assert Contact.objects.count() == 1


def test_other_methods_are_not_allowed(door):
    source, token = door
    address = reverse("intake_deliver", args=[source.code, "contacts"])
    for method in ("get", "put", "patch", "delete"):
        assert getattr(Client(), method)(address, HTTP_AUTHORIZATION=f"Token {token}").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_twenty_at_once_with_the_same_rows_count_once():
    team = make.team("Crowd")
    boss = make.user("boss", is_superuser=True, is_staff=True)
    source = make.source(team, "crowd")
    token = intake.rotate_token(source.pk, by=boss)
    rows = [{**ROW, "external_id": str(n), "agent": f"a{n % 5}", "queue": f"q{n % 3}"} for n in range(50)]
    answers = []

    def send() -> None:
        try:
            answers.append(post(source, token, {"rows": rows}))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 20
    counts = [answer.json()["counts"] for answer in answers]
    assert sum(c["new"] for c in counts) == 50 and sum(c["same"] for c in counts) == 950
    assert Contact.objects.count() == ContactKey.objects.count() == 50
    assert AgentAlias.objects.count() == 5
