"""T47, T89, T90: sessions and tokens end when they must, at the next request; and nothing changes without its own token."""

import json
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse
from django.utils import timezone
from knox.models import AuthToken

from teams import services as rights
from teams.entry import services
from teams.entry.models import Session, TokenUse
from teams.errors import OutOfReach
from teams.models import Agent, Notice
from tests.entry.app import PASSWORD, log_in
from tests.make import SOME_YEARS_ON

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def bearer(user):
    body = json.dumps({"username": user.username, "password": PASSWORD, "name": "roster"})
    made = Client().post("/api/v1/token/", body, content_type="application/json")
    assert made.status_code == 201, made.content
    return {"Authorization": f"Token {made.json()['token']}"}


def opens(client, headers):
    """Whether the session, and whether the token, still opens something."""
    return client.get("/api/v1/me/").status_code == 200, Client().get("/api/v1/me/", headers=headers).status_code == 200


def entered(user, **options):
    client = Client(**options)
    assert log_in(client, user.username).status_code == 302
    return client


def shifted(client, **seconds):
    """The session as if its moments lay further back."""
    session = client.session
    session["_entry"] = {
        name: value - seconds.get(name, 0) if name in seconds else value for name, value in session["_entry"].items()
    }
    session.save()


def test_thirty_idle_minutes_end_a_session_with_a_sentence_and_a_way_back(north):
    client = entered(north.lead)
    shifted(client, seen=29 * 60)
    assert client.get("/admin/teams/agent/").status_code == 200
    shifted(client, seen=30 * 60)
    answer = client.get("/admin/teams/agent/", follow=True)
    assert answer.redirect_chain[-1][0] == "/log-in/?next=/admin/teams/agent/"
    assert "nothing was done for 30 minutes" in answer.content.decode()
    assert not Session.entries.filter(user=north.lead).exists()
    back = client.post(
        "/log-in/", {"username": north.lead.username, "password": PASSWORD, "next": "/admin/teams/agent/"}
    )
    assert back.headers["Location"] == "/admin/teams/agent/"


def test_twelve_hours_end_a_session_however_busy(north):
    client = entered(north.agent.user)
    shifted(client, began=12 * 3600 - 60)
    assert client.get("/me/").status_code == 200
    shifted(client, began=60)
    answer = client.get("/me/", follow=True)
    assert "12 hours at most" in answer.content.decode()
    api = entered(north.agent.user)
    shifted(api, began=12 * 3600)
    assert api.get("/api/v1/me/").status_code == 403


def test_t47_leaving_suspension_and_closing_end_session_and_token_at_once(hub, north, south):
    cases = {
        north.agents[0]: lambda agent: rights.leave(agent.pk, timezone.now().date(), "goes", by=hub.hr),
        north.agents[1]: lambda agent: rights.set_status(
            agent.pk, Agent.Status.SUSPENDED, by=north.lead, reason="talk first"
        ),
        south.agents[0]: lambda agent: rights.deactivate(agent.user_id, by=hub.operator, reason="closed"),
    }
    for agent, end in cases.items():
        client, headers = entered(agent.user), bearer(agent.user)
        assert opens(client, headers) == (True, True)
        end(agent)
        assert opens(client, headers) == (False, False)
        assert log_in(Client(), agent.user.username).status_code == 200  # and the log-in page lets nobody in
    rights.set_status(north.agents[1].pk, Agent.Status.ACTIVE, by=north.lead, reason="talked")
    assert log_in(Client(), north.agents[1].user.username).status_code == 302


def test_an_account_follows_the_agent_it_is_linked_to(hub, north):
    agent, user = north.agent, north.agent.user
    rights.set_status(agent.pk, Agent.Status.SUSPENDED, by=north.lead)
    rights.link_account(agent.pk, None, by=hub.operator)
    user.refresh_from_db()
    assert user.is_suspended is False
    rights.link_account(agent.pk, user.pk, by=hub.operator)
    user.refresh_from_db()
    assert user.is_suspended is True


def test_t47_a_changed_password_ends_other_sessions_and_tokens_by_every_door(hub, north):
    def by_page(user, client):
        wish = {"old_password": PASSWORD, "new_password1": "a longer walk home", "new_password2": "a longer walk home"}
        assert client.post(reverse("password_change"), wish).status_code == 302

    def by_operator(user, client):
        rights.set_password(user.pk, "a longer walk home", by=hub.operator)

    def by_shell(user, client):
        user.set_password("a longer walk home")
        user.save(update_fields=["password"])

    people = (north.lead, north.agents[0].user, north.agents[1].user)
    for user, change in zip(people, (by_page, by_operator, by_shell), strict=True):
        client, other, headers = entered(user), entered(user), bearer(user)
        assert opens(other, headers) == (True, True)
        change(user, client)
        assert opens(other, headers) == (False, False), change.__name__
        assert (client.get("/api/v1/me/").status_code == 200) is (change is by_page)
    assert Notice.objects.filter(recipient=north.lead, about="password_changed").count() == 1
    assert Notice.objects.filter(recipient=north.agents[0].user, about="password_set").count() == 1


def test_demotion_closes_the_door_at_the_next_request(hub, north):
    client = entered(north.lead)
    assert client.get("/admin/").status_code == 200
    rights.set_access(north.lead.pk, is_staff=False, is_superuser=False, reason="moves on", by=hub.operator)
    assert client.get("/admin/").headers["Location"].startswith("/admin/login/")


def test_the_own_page_lists_and_ends_sessions_and_tokens(north, south):
    here = entered(north.agent.user)
    there = entered(north.agent.user, HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="203.0.113.4")
    headers = bearer(north.agent.user)
    Client().get("/api/v1/me/", headers=headers)
    page = here.get(reverse("my_entries")).content.decode()
    assert "Firefox, Windows" in page and "203.0.113.4" in page and "this session" in page and "roster" in page
    number = str(Session.entries.get(device="Firefox, Windows").number)
    stranger = entered(south.agent.user)
    assert stranger.post(reverse("end_entry"), {"number": number}).status_code == 404
    assert stranger.post(reverse("end_entry"), {"number": "nonsense"}).status_code == 404
    assert opens(there, headers) == (True, True)
    assert here.post(reverse("end_entry"), {"number": number}).status_code == 302
    assert opens(there, headers) == (False, True)
    assert TokenUse.objects.get().last_used_at is not None
    here.post(reverse("end_entry"), {"number": str(TokenUse.objects.get().number)})
    assert not AuthToken.objects.exists() and not TokenUse.objects.exists()
    again = entered(north.agent.user)
    here.post(reverse("end_entry"), {"others": "1"})
    assert again.get("/me/").status_code == 302 and here.get("/me/").status_code == 200


def test_the_operator_ends_everything_of_a_person(hub, north):
    client, headers = entered(north.lead), bearer(north.lead)
    operator = entered(hub.operator)
    address = reverse("admin:teams_user_sessions", args=[north.lead.pk])
    assert operator.post(address, {"reason": "laptop stolen"}).status_code == 302
    assert opens(client, headers) == (False, False)
    assert Notice.objects.get(recipient=north.lead).details == {"reason": "laptop stolen"}
    with pytest.raises(OutOfReach):
        services.end_all_of(hub.operator.pk, by=north.lead, reason="x")


def test_letters_about_the_account_are_written_in_its_language(hub, north, mailoutbox):
    from teams import outbox

    north.lead.email, north.lead.language = "lead@example.com", "zh-hans"
    north.lead.save()
    rights.set_password(north.lead.pk, "a longer walk home", by=hub.operator)
    outbox.deliver_due()
    assert "运维" in mailoutbox[0].body and "/account/sessions/" in mailoutbox[0].body


def test_what_is_over_is_swept(north):
    entered(north.agent.user)
    bearer(north.agent.user)
    services.sweep(timezone.now())
    assert Session.entries.count() == 1 and AuthToken.objects.count() == 1
    services.sweep(timezone.now() + timedelta(days=91))
    assert (Session.entries.count(), AuthToken.objects.count(), TokenUse.objects.count()) == (0, 0, 0)


# -- T89: nothing changes without the token of its own page -------------------------------------------------------------

EXEMPT: dict[str, str] = {}  # name of the route: why a call from anywhere may change something there


def _views(patterns=None, space=""):
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(entry, "url_patterns"):
            yield from _views(entry.url_patterns, f"{space}{entry.namespace}:" if entry.namespace else space)
        else:
            yield f"{space}{entry.name}", entry.callback


def test_t89_only_doors_that_ask_no_session_are_exempt_from_the_csrf_token():
    from rest_framework.authentication import SessionAuthentication
    from rest_framework.views import APIView

    exempt = {name: view for name, view in _views() if getattr(view, "csrf_exempt", False)}
    plain = {name for name, view in exempt.items() if not issubclass(getattr(view, "cls", object), APIView)}
    assert plain == set(EXEMPT)
    # Doors of the API are exempt from the middleware only to ask by themselves, as soon as a session is shown.
    own = {
        name
        for name, view in exempt.items()
        if name not in plain
        and not issubclass(
            view.cls.authentication_classes[0] if view.cls.authentication_classes else object, SessionAuthentication
        )
    }
    assert own == {"intake_deliver"}  # knows the token of a source alone


def test_t89_a_change_without_token_or_from_another_origin_is_refused(north):
    client = Client(enforce_csrf_checks=True)
    client.force_login(north.lead)
    forms = ("account", "end_entry", "second_factor", "password_change", "set_language", "logout")
    for address in [reverse(name) for name in forms] + [f"/admin/teams/agent/{north.agent.pk}/status/"]:
        assert client.post(address, {}).status_code == 403, address
        client.get(reverse("account"))
        token = client.cookies[configured.CSRF_COOKIE_NAME].value
        elsewhere = client.post(address, {"csrfmiddlewaretoken": token}, headers={"Origin": "https://evil.example"})
        assert elsewhere.status_code == 403, address
    body = json.dumps({"team": north.team.pk, "on": SOME_YEARS_ON, "reason": "x"})
    moved = client.post(f"/api/v1/agents/{north.agent.pk}/move/", body, content_type="application/json")
    assert moved.status_code == 403 and "CSRF" in moved.json()["detail"]


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_t90_a_next_off_site_leads_to_the_own_start_page(north, wanted):
    answer = log_in(Client(), north.agent.user.username, next=wanted)
    assert answer.headers["Location"] == "/"


# -- the policy of every answer -----------------------------------------------------------------------------------------


def test_every_answer_carries_a_strict_policy(north):
    client = entered(north.lead)
    for address in ("/log-in/", "/me/", "/account/", "/nowhere/", "/api/docs/", "/api/v1/me/", "/health/live"):
        headers = client.get(address).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy, address
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "same-origin"
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in headers["Permissions-Policy"]
    policy = client.get("/admin/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in policy and "style-src 'self' 'unsafe-inline'" in policy
    assert client.get("/me/", follow=True).headers["Cache-Control"] == "no-store, private"


def test_pages_hold_no_script_or_style_of_their_own_text():
    from pathlib import Path

    for template in Path("templates").rglob("*.html"):
        if "mail" in template.parts:
            continue
        text = template.read_text()
        for forbidden in ("<style", " style=", "onclick=", "onchange=", "onsubmit=", "javascript:", "<script>"):
            assert forbidden not in text, f"{template}: {forbidden}"


def test_a_log_in_is_noted_and_leaves_no_version_of_the_account(north):
    versions = north.lead.history.count()
    assert north.lead.last_login is None
    log_in(Client(), north.lead)
    north.lead.refresh_from_db()
    assert timezone.now() - north.lead.last_login < timedelta(minutes=1)
    assert north.lead.history.count() == versions


def test_a_token_that_ended_or_never_was_is_refused_in_one_question(north):
    headers = bearer(north.lead)
    assert Client().get("/api/v1/me/", headers=headers).status_code == 200
    AuthToken.objects.update(expiry=timezone.now())
    for text in (headers["Authorization"].removeprefix("Token "), "f" * 64):
        with CaptureQueriesContext(connection) as asked:
            assert Client().get("/api/v1/me/", headers={"Authorization": f"Token {text}"}).status_code in (401, 403)
        assert sum("knox_authtoken" in each["sql"] for each in asked) == 1
    for odd in ("abc", "é" * 64, "%00"):
        assert Client().get("/api/v1/me/", headers={"Authorization": f"Token {odd}"}).status_code in (401, 403)
    assert AuthToken.objects.exists()  # swept by the task, not by whoever asks
