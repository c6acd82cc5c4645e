"""An empty list says why, in words of its own, and leads on to a page that the one who asks may open."""

import re
from html import unescape

import pytest
from django.urls import get_resolver

from teams.edges.admin import ScopedAdmin, site
from teams.models import Team, User
from tests import make

ROLES = ("lead", "hr", "trainer", "payroll", "reviewer", "operator")
LINK = re.compile(r'<a href="([^"]+)"')


def said(page: str) -> tuple[str, list[str]]:
    """The text of the empty block, and where its links go."""
    block = page.partition("data-empty>")[2].partition("</div>")[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", block)).strip(), LINK.findall(block)


@pytest.fixture
def nothing(monkeypatch):
    """No list has a row, whatever the database holds."""
    get_resolver().url_patterns  # noqa: B018 - the admins register themselves with the addresses
    for admin in site._registry.values():
        original = type(admin).scope
        monkeypatch.setattr(
            admin, "scope", lambda rows, request, was=original, own=admin: was(own, rows, request).none()
        )


@pytest.mark.parametrize("role", ROLES)
def test_every_list_says_why_it_is_empty_and_leads_on(client, hub, nothing, role):
    client.force_login(getattr(hub, role))
    opened = {}
    for admin in site._registry.values():
        address = f"/admin/{admin.opts.app_label}/{admin.opts.model_name}/"
        page = client.get(address)
        if page.status_code == 403:
            continue
        text, links = said(page.content.decode())
        assert admin.empty_words and str(admin.empty_words)[:60] in unescape(text), admin
        assert links, admin
        for link in links:
            target = address + link if link.startswith("?") else link
            opened.setdefault(target, client.get(target).status_code)
            assert opened[target] == 200, (role, admin, target)
        if role != "operator" and admin.read_grants():
            reads_a_team = Team.objects.in_reach_of(getattr(hub, role), *admin.read_grants()).exists()
            assert "operator" in text and ("Hub" in text) is reads_a_team, text
    assert len(opened) > 1


def test_a_list_without_words_of_its_own_would_be_seen_above(nothing, client, hub, monkeypatch):
    admin = next(each for each in site._registry.values() if each.listed == "teams.loan")
    own = str(admin.empty_words)
    monkeypatch.setattr(type(admin), "empty_words", "")
    client.force_login(hub.lead)
    text, links = said(client.get("/admin/teams/loan/").content.decode())
    assert "There are no loans yet." in text and own[:60] not in text
    assert links == ["/admin/teams/agent/"]


def test_what_matches_nothing_can_be_cleared(client, north):
    client.force_login(north.lead)
    text, links = said(client.get("/admin/teams/agent/?q=nobody").content.decode())
    assert "No agents match" in text and links == ["?"]
    assert client.get("/admin/teams/agent/").context["cl"].result_count == 2


def test_no_sentence_hints_at_rows_out_of_reach(client, hub, north, south):
    """The same words whether foreign rows exist or not."""
    quiet = make.user("quiet", is_staff=True)
    make.grant(quiet, make.team("Quiet"), *ScopedAdmin.read_grants(site.get_model_admin(type(north.agent))))
    client.force_login(quiet)
    before, _links = said(client.get("/admin/teams/agent/").content.decode())
    type(north.agent).objects.all().update(status="left")
    User.objects.filter(pk=hub.operator.pk).update(full_name="Olga Operator")
    after, _links = said(client.get("/admin/teams/agent/").content.decode())
    assert "You see: Quiet." in before and "ask operator" in before
    assert "ask Olga Operator" in after and "North" not in after


@pytest.mark.parametrize("address", ["/me/", "/me/days/", "/me/contacts/", "/me/contacts/?figure=volume"])
def test_own_pages_without_contacts_say_what_to_do(client, north, address):
    client.force_login(north.agent.user)
    block = client.get(address).content.decode().partition('class="empty"')[2].partition("</div>")[0]
    links = LINK.findall(block)
    assert links
    for link in links:
        target = "/me/contacts/" + link if link.startswith("?") else link
        assert client.get(target).status_code == 200
