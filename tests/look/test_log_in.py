"""One log-in for all; the language is remembered on the machine and on the account."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from teams.models import User
from tests import make

PASSWORD = "correct horse battery"


def log_in(client: Client, username: str, **more: str):
    return client.post(reverse("login"), {"username": username, "password": PASSWORD} | more)


def test_home_sends_staff_to_the_admin_and_agents_to_their_day(client, north):
    for user, page in ((north.lead, "admin:index"), (north.agent.user, "my_day")):
        client.force_login(user)
        assert client.get("/").headers["Location"] == reverse(page)


def test_the_admin_has_no_log_in_of_its_own(client, north):
    first = client.get("/admin/")
    assert first.headers["Location"] == "/admin/login/?next=/admin/"
    assert client.get(first.headers["Location"]).headers["Location"] == "/log-in/?next=%2Fadmin%2F"
    assert log_in(client, north.lead.username, next="/admin/").headers["Location"] == "/admin/"


def test_an_agent_at_the_admin_is_told_why_not_and_not_sent_in_circles(client, north):
    client.force_login(north.agent.user)
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "for leads and staff" in answer.content.decode()


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example/x", "http:evil", "javascript:alert(1)"])
def test_next_leads_to_our_own_site_only(client, north, address):
    assert log_in(client, north.agent.user.username, next=address).headers["Location"] == "/"
    assert client.post(reverse("set_language"), {"language": "en", "next": address}).headers["Location"] == "/"


def test_a_wrong_password_is_said_once_and_nobody_is_let_in(client, north):
    answer = client.post(reverse("login"), {"username": north.lead.username, "password": "wrong"})
    assert answer.status_code == 200
    assert 'role="alert"' in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_log_out_is_by_post_only(client, north):
    client.force_login(north.agent.user)
    assert client.get(reverse("logout")).status_code == 405
    assert "_auth_user_id" in client.session
    assert client.post(reverse("logout")).headers["Location"] == reverse("login")
    assert "_auth_user_id" not in client.session


def test_the_language_is_kept_on_the_machine_and_on_the_account(client, north):
    user = north.agent.user
    client.force_login(user)
    client.post(reverse("set_language"), {"language": "zh-hans", "next": "/me/"})
    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "zh-hans"
    assert "我的一天" in client.get("/me/").content.decode()
    user.refresh_from_db()
    assert user.language == "zh-hans"
    assert user.history.first().history_user == user

    elsewhere = Client()
    assert "Log in" in elsewhere.get(reverse("login")).content.decode()
    log_in(elsewhere, user.username)
    assert "我的一天" in elsewhere.get("/me/").content.decode()


def test_before_log_in_only_the_machine_remembers(client, db):
    client.post(reverse("set_language"), {"language": "zh-hans", "next": reverse("login")})
    assert "登录" in client.get(reverse("login")).content.decode()
    assert not User.objects.exists()


def test_an_unknown_language_changes_nothing(client, north):
    client.force_login(north.agent.user)
    client.post(reverse("set_language"), {"language": "xx", "next": "/me/"})
    assert User.objects.get(pk=north.agent.user.pk).language == ""


def test_the_switch_is_by_post_only(client, db):
    assert client.get(reverse("set_language")).status_code == 405


def test_every_kind_of_page_has_the_switch(client, north):
    assert reverse("set_language") in client.get(reverse("login")).content.decode()
    client.force_login(north.agent.user)
    for page in ("my_day", "my_days", "my_contacts", "my_record", "account", "password_change"):
        assert f'action="{reverse("set_language")}"' in client.get(reverse(page)).content.decode(), page
    client.force_login(north.lead)
    assert f'action="{reverse("set_language")}"' in client.get("/admin/").content.decode()


def test_times_are_shown_in_the_zone_of_the_account(client, north):
    client.force_login(north.agent.user)
    assert client.post(reverse("account"), {"zone": "Asia/Shanghai"}).headers["Location"] == reverse("account")
    assert User.objects.get(pk=north.agent.user.pk).zone == "Asia/Shanghai"
    refused = client.post(reverse("account"), {"zone": "Middle/Earth"})
    assert refused.status_code == 400
    assert "Middle/Earth is not a time zone" in refused.content.decode()
    assert User.objects.get(pk=north.agent.user.pk).zone == "Asia/Shanghai"


def test_people_change_their_own_password(client, north):
    client.force_login(north.agent.user)
    wish = {"old_password": PASSWORD, "new_password1": "a longer walk home", "new_password2": "a longer walk home"}
    assert client.post(reverse("password_change"), wish | {"old_password": "no"}).status_code == 200
    assert User.objects.get(pk=north.agent.user.pk).check_password(PASSWORD)
    assert client.post(reverse("password_change"), wish).status_code == 302
    assert User.objects.get(pk=north.agent.user.pk).check_password("a longer walk home")


def test_a_page_that_is_not_there_is_a_page_of_ours(client, north):
    client.force_login(north.agent.user)
    answer = client.get("/nowhere/")
    assert answer.status_code == 404
    assert "not yours to see" in answer.content.decode()


def test_nothing_is_fetched_from_another_host(client, north):
    client.force_login(north.lead)
    for page in (client.get("/admin/"), client.get(reverse("account")), Client().get(reverse("login"))):
        body = page.content.decode()
        assert 'src="http' not in body
        assert 'rel="stylesheet" href="http' not in body
        assert "//cdn" not in body


def test_an_account_without_agent_and_without_grant_is_helped(client, db):
    client.force_login(make.user("lone"))
    answer = client.get("/me/")
    assert answer.status_code == 403
    assert "Ask your lead or the operator to link it" in answer.content.decode()
    client.force_login(make.user("lone-staff", is_staff=True))
    assert "holds no grant on any team" in client.get("/admin/").content.decode()
