"""A break while cover is short: the agent asks, the lead sees it on the board and approves from the keyboard, the agent sees
it begin. Neither of them reloads a page."""

import pytest
from django.urls import reverse

from approvals.models import StatusSpan
from approvals.services import statuses
from tests.browser.conftest import NARROW, WIDE
from tests.browser.inspection import faults

pytestmark = pytest.mark.browser
AT_MOST_MS = 5_000  # how late a page may be; the wait below allows the machine a little more


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_a_break_is_asked_for_seen_approved_and_seen(visit, north, language):
    is_chinese = language == "zh-CN"
    for who in (north.lead, north.agent.user):
        who.language = "zh-hans" if is_chinese else "en"
        who.save(update_fields=["language"])
    for each in north.agents:
        statuses.set_status(each.pk, "ready", by=each.user)
    statuses.set_needed(north.team.pk, 2, by=north.lead)

    lead, agent = visit(WIDE, language), visit(NARROW, language)
    lead.log_in(north.lead.username)
    lead.go(reverse("board"))
    assert not lead.page.locator("[data-queue-request]").count()
    agent.log_in(north.agent.user.username)
    agent.go(reverse("my_status"))
    agent.page.select_option("#break-reason", "rest")
    with agent.page.expect_navigation():
        agent.page.click("#ask-break")
    agent.look()
    assert agent.page.locator("[data-queue-place='1']").is_visible()
    assert agent.page.locator("[data-status='ready']").is_visible()

    board = lead.page
    board.wait_for_selector("[data-queue-request]", timeout=2 * AT_MOST_MS)
    assert list(faults(board, WIDE, is_chinese=is_chinese)) == []
    board.evaluate("window.sameAsBefore = true")
    agent.page.evaluate("window.sameAsBefore = true")
    board.locator(".op-yes").focus()
    with board.expect_navigation():
        board.keyboard.press("Enter")
    lead.look()

    agent.page.wait_for_selector(".status-card[data-status='break']", timeout=2 * AT_MOST_MS)
    assert agent.page.evaluate("window.sameAsBefore") is True
    assert list(faults(agent.page, NARROW, is_chinese=is_chinese)) == []
    row = board.locator(f"[data-board-row='{north.agent.number}'][data-status='break']")
    row.wait_for(timeout=2 * AT_MOST_MS)
    assert StatusSpan.objects.open().get(agent=north.agent).base == "break"
    with agent.page.expect_navigation():
        agent.page.click("#come-back")
    assert agent.page.locator(".status-card[data-status='ready']").is_visible()
    agent.look()
    board.wait_for_selector(f"[data-board-row='{north.agent.number}'][data-status='ready']", timeout=2 * AT_MOST_MS)
    lead.look_both_ways()
