"""A request in the browser: found in the list, read, decided from the keyboard; asked about and changed on the own pages."""

import pytest

from approvals.models import ApprovalRequest
from approvals.services import requests
from teams.models import Skill
from tests.approvals import kinds
from tests.browser.inspection import faults

pytestmark = pytest.mark.browser
WIDE = 1440


@pytest.fixture
def request_of(north):
    kinds.register()
    skill = Skill.objects.create(code="german", name="German")
    yield requests.ask("rename", kinds.wish(skill, north.team), by=north.agent.user, words="it is called so")
    kinds.forget()


def state(request):
    return ApprovalRequest.objects.get(pk=request.pk).state


def test_a_lead_finds_reads_and_approves_from_the_keyboard(visit, north, request_of):
    lead = visit()
    lead.log_in(north.lead.username)
    lead.page.get_by_role("link", name="Look at what waits").click()
    lead.look()
    lead.page.get_by_role("link", name="word").first.click()
    lead.look()
    page = lead.page
    assert not list(faults(page, WIDE, is_chinese=False))
    assert page.locator("del", has_text="German").is_visible() and page.locator("ins", has_text="Deutsch").is_visible()
    first = page.locator("#decide summary").first
    first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.name") == "words"
    page.keyboard.type("Right so.")
    assert state(request_of) == "in_review"
    page.locator(".ap-verb-approve button[type=submit]").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    lead.look()
    assert "You have approved this." in lead.text and state(request_of) == "applied"
    lead.look_both_ways()


def test_an_agent_changes_what_was_asked(visit, north, request_of):
    agent = visit(390)
    agent.log_in(north.agent.user.username)
    agent.go("/me/requests/")
    agent.page.get_by_role("link", name="word").click()
    agent.look()
    agent.page.get_by_role("button", name="Edit").click()
    agent.page.fill("input[name=name]", "Hochdeutsch")
    agent.page.get_by_role("button", name="Hand in the change").click()
    agent.look()
    assert "Hochdeutsch" in agent.text
    request_of.refresh_from_db()
    assert request_of.content["name"] == "Hochdeutsch" and request_of.revision == 2
    agent.look_both_ways()
