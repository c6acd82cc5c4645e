"""The second factor: who must have it, how it is set up, asked for, renewed, removed and reset; and what ends with it."""

import json
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from knox.models import AuthToken

from teams.entry import factor
from teams.errors import OutOfReach, Refused
from teams.models import Notice, User
from teams.scoping import Grant
from tests import make
from tests.entry import app
from tests.entry.app import PASSWORD, log_in


@pytest.fixture
def required(settings):
    settings.SECOND_FACTOR = True


def token(client, username, **more):
    body = json.dumps({"username": username, "password": PASSWORD} | more)
    return client.post("/api/v1/token/", body, content_type="application/json")


def test_who_must_have_one_follows_from_what_they_may_do(required, hub, north):
    observer = make.user("observer", is_staff=True)
    make.grant(observer, north.team, Grant.OBSERVE)
    needing = {user.username: factor.is_required(user) for user in (
        north.lead, hub.hr, hub.trainer, hub.payroll, hub.operator, hub.reviewer, observer, north.agent.user
    )}  # fmt: skip
    assert needing == {
        "north-lead": True, "hub-hr": True, "hub-trainer": True, "hub-payroll": True, "operator": True,
        "hub-reviewer": False, "observer": False, "north-agent-1": False,
    }  # fmt: skip


def test_where_it_is_not_demanded_nobody_is_held_up(north, settings):
    assert settings.SECOND_FACTOR is False
    client = Client()
    assert log_in(client, north.lead.username).headers["Location"] == "/"
    assert client.get("/admin/").status_code == 200


def test_whoever_must_have_one_is_led_there_before_any_other_door(required, north):
    client = Client()
    log_in(client, north.lead.username)
    for door in ("/", "/admin/", "/admin/teams/agent/", "/me/", "/account/", "/password/", "/account/sessions/"):
        assert client.get(door).headers["Location"] == reverse("second_factor"), door
    for door in ("/api/v1/me/", "/api/schema/"):
        answer = client.get(door)
        assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_needed"), door
    assert token(Client(), north.lead.username).json()["code"] == "second_factor_needed"
    assert not AuthToken.objects.exists()
    page = client.get(reverse("second_factor")).content.decode()
    assert "data:image/svg+xml;base64," in page and "needs a second factor" in page
    app.set_up(client)
    assert client.get("/admin/teams/agent/").status_code == 200
    assert client.get("/api/v1/me/").status_code == 200
    agents = Client()
    log_in(agents, north.agent.user.username)
    assert agents.get("/me/").status_code == 200


def test_a_new_right_asks_for_it_at_the_next_request(required, north):
    client = Client()
    client.force_login(north.agent.user)
    assert client.get("/me/").status_code == 200
    make.grant(north.agent.user, north.team, Grant.LEAD)
    assert client.get("/me/").headers["Location"] == reverse("second_factor")


def test_the_log_in_asks_for_the_code_and_each_code_counts_once(north):
    client = Client()
    log_in(client, north.lead.username)
    secret, codes = app.set_up(client)
    other = Client()
    asked = log_in(other, north.lead.username, next="/admin/teams/agent/")
    assert asked.headers["Location"] == reverse("login_code")
    assert "_auth_user_id" not in other.session
    assert other.get("/admin/").status_code == 302
    wrong = other.post(reverse("login_code"), {"code": "000000" if app.code(secret) != "000000" else "111111"})
    assert "does not fit" in wrong.content.decode()
    now = app.code(secret)
    assert other.post(reverse("login_code"), {"code": now}).headers["Location"] == "/admin/teams/agent/"
    assert other.get("/admin/teams/agent/").status_code == 200
    third = Client()
    log_in(third, north.lead.username)
    again = third.post(reverse("login_code"), {"code": now})
    assert "used already" in again.content.decode() and "_auth_user_id" not in third.session
    assert third.post(reverse("login_code"), {"code": codes[3]}).headers["Location"] == "/"
    fourth = Client()
    log_in(fourth, north.lead.username)
    assert "used already" in fourth.post(reverse("login_code"), {"code": codes[3]}).content.decode()
    assert factor.codes_left(north.lead) == 9


def test_a_password_changed_between_the_two_pages_ends_the_waiting(north):
    client = Client()
    log_in(client, north.lead.username)
    secret, _codes = app.set_up(client)
    other = Client()
    log_in(other, north.lead.username)
    north.lead.set_password("another long one")
    north.lead.save()
    assert other.post(reverse("login_code"), {"code": app.code(secret)}).headers["Location"] == reverse("login")
    assert other.get(reverse("login_code")).headers["Location"] == reverse("login")


def test_setting_up_asks_the_password_of_an_old_session_and_a_code_that_fits(north):
    client = Client()
    client.force_login(north.lead)
    client.get("/account/")
    session = client.session
    session["_entry"] = session["_entry"] | {"began": session["_entry"]["began"] - 3600}
    session.save()
    page = client.get(reverse("second_factor")).content.decode()
    assert 'name="password"' in page
    secret = page.partition("<code>")[2].partition("</code>")[0]
    refused = client.post(reverse("second_factor"), {"code": app.code(secret), "password": "no"})
    assert "not your password" in refused.content.decode()
    refused = client.post(reverse("second_factor"), {"code": "12", "password": PASSWORD})
    assert "does not fit" in refused.content.decode()
    assert not factor.has(north.lead)
    assert client.post(reverse("second_factor"), {"code": app.code(secret), "password": PASSWORD}).status_code == 302
    assert factor.has(north.lead)


def test_secrets_are_sealed_in_the_database(north):
    client = Client()
    log_in(client, north.lead.username)
    secret, codes = app.set_up(client)
    kept = json.dumps(list(Authenticator.objects.values_list("data", flat=True)))
    assert secret.replace(" ", "") not in kept
    assert not any(code in kept for code in codes)


def test_recovery_codes_are_seen_taken_along_put_away_and_made_anew(north):
    client = Client()
    log_in(client, north.lead.username)
    secret, codes = app.set_up(client)
    file = client.get(reverse("second_factor_codes"), {"file": "1"})
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert [line for line in file.content.decode().splitlines() if line.isdigit()] == codes
    client.post(reverse("second_factor_codes"), {"kept": "1"})
    for query in ({}, {"file": "1"}):
        page = client.get(reverse("second_factor_codes"), query).content.decode()
        assert not any(code in page for code in codes)
        assert "10 recovery codes are unused" in page
    assert "does not fit" in client.post(reverse("second_factor_codes"), {"code": "1"}).content.decode()
    renewed = client.post(reverse("second_factor_codes"), {"code": app.code(secret)}, follow=True).content.decode()
    assert renewed.count("<li><code>") == 10 and not any(code in renewed for code in codes)
    assert factor.accepts(north.lead, codes[0]) is False


def test_t47_removing_it_takes_password_and_code_and_ends_the_rest(required, north):
    client, other = Client(), Client()
    log_in(client, north.lead.username)
    secret, codes = app.set_up(client)
    log_in(other, north.lead.username)
    other.post(reverse("login_code"), {"code": app.code(secret)})
    made = token(Client(), north.lead.username, code=codes[1]).json()["token"]
    bearer = {"Authorization": f"Token {made}"}
    assert other.get("/admin/").status_code == Client().get("/api/v1/me/", headers=bearer).status_code == 200
    remove = reverse("second_factor_remove")
    assert "not your password" in client.post(remove, {"password": "x", "code": codes[0]}).content.decode()
    assert "does not fit" in client.post(remove, {"password": PASSWORD, "code": "x"}).content.decode()
    assert factor.has(north.lead)
    assert client.post(remove, {"password": PASSWORD, "code": codes[0]}).headers["Location"] == reverse("second_factor")
    assert not factor.has(north.lead)
    assert client.get("/admin/").headers["Location"] == reverse("second_factor")
    assert other.get("/admin/").headers["Location"].startswith("/admin/login/")
    assert Client().get("/api/v1/me/", headers=bearer).status_code in (401, 403)


def test_under_a_new_key_codes_go_on_once_everything_is_sealed_anew(north, settings):
    client = Client()
    log_in(client, north.lead.username)
    secret, codes = app.set_up(client)
    settings.SEAL_KEY, settings.SEAL_KEYS_BEFORE = "another key of the installation", [settings.SEAL_KEY]
    call_command("reseal")
    settings.SEAL_KEYS_BEFORE = []
    assert factor.accepts(north.lead, app.code(secret))
    assert factor.accepts(north.lead, codes[0])
    settings.SEAL_KEY = "a key that sealed nothing"
    with pytest.raises(Refused) as refusal:
        factor.accepts(north.lead, codes[1])
    assert refusal.value.code == "unreadable"


def test_a_token_asks_for_the_code(north):
    client = Client()
    log_in(client, north.lead.username)
    secret, _codes = app.set_up(client)
    assert token(Client(), north.lead.username).json()["code"] == "second_factor_needed"
    assert token(Client(), north.lead.username, code="1").status_code == 401
    assert token(Client(), north.lead.username, code=app.code(secret), name="roster").status_code == 201


def test_a_token_of_somebody_who_needs_a_factor_by_now_is_refused(required, north):
    user = north.agent.user
    made = token(Client(), user.username).json()["token"]
    bearer = {"Authorization": f"Token {made}"}
    assert Client().get("/api/v1/me/", headers=bearer).status_code == 200
    make.grant(user, north.team, Grant.LEAD)
    assert Client().get("/api/v1/me/", headers=bearer).status_code in (401, 403)


def test_the_operator_resets_it_with_a_reason_and_the_person_is_told(required, hub, north):
    client = Client()
    log_in(client, north.lead.username)
    app.set_up(client)
    operator = Client()
    log_in(operator, hub.operator.username)
    app.set_up(operator)
    address = reverse("admin:teams_user_factor", args=[north.lead.pk])
    assert operator.post(address, {"reason": ""}).status_code == 200
    assert factor.has(north.lead)
    assert operator.post(address, {"reason": "telephone lost"}).status_code == 302
    assert not factor.has(north.lead)
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")
    last = User.history.filter(id=north.lead.pk).first()
    assert last.history_user == hub.operator and "telephone lost" in last.history_change_reason
    notice = Notice.objects.get(recipient=north.lead, about="factor_reset")
    assert notice.details == {"reason": "telephone lost"}
    with pytest.raises(Refused) as refusal:
        factor.reset(hub.operator.pk, by=hub.operator, reason="x")
    assert refusal.value.code == "own_rights"
    with pytest.raises(OutOfReach):
        factor.reset(hub.operator.pk, by=north.lead, reason="x")


def test_no_page_of_the_package_is_reachable():
    for name in ("account_signup", "account_login", "account_email", "mfa_index", "mfa_activate_totp"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


def test_with_another_secret_it_is_refused_in_words_and_reset_by_command(north, settings):
    client = Client()
    log_in(client, north.lead.username)
    secret, _codes = app.set_up(client)
    settings.SEAL_KEY = "another" * 10
    other = Client()
    log_in(other, north.lead.username)
    answer = other.post(reverse("login_code"), {"code": app.code(secret)})
    assert answer.status_code == 409 and "another secret" in answer.content.decode()
    call_command("reset_factor", north.lead.username, reason="new secret", stdout=StringIO())
    assert not factor.has(north.lead)
    assert "new secret" in User.history.filter(id=north.lead.pk).first().history_change_reason
    with pytest.raises(CommandError, match="no second factor"):
        call_command("reset_factor", north.lead.username, reason="x", stdout=StringIO())
