"""A canned reply from the box of an agent to the second person and back: typed, copied, warmed, changed, approved."""

import pytest
from django.urls import reverse

from approvals.models import ApprovalRequest, CannedReply, ReplyUse
from tests.approvals.replies import live
from tests.browser.conftest import NARROW, WIDE
from tests.browser.inspection import faults

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "language"), [(WIDE, "en-US"), (NARROW, "zh-CN")])
def test_typed_copied_changed_and_approved(visit, north, hub, width, language):
    first = live("Refund after a return", "refund-a", team=north.team, body="The money is back in seven days.")
    live("Refund is late", "refund-b", team=north.team, body="Banks take five days.")
    agent = visit(width, language)
    agent.log_in(north.agent.user.username)
    agent.go(reverse("my_replies"))
    first_is = "[data-reply]:first-child strong:text-is('{}')"
    agent.page.type("#id_q", "refund")
    agent.page.wait_for_selector(".reply-found :text('“refund”')")
    agent.page.wait_for_selector(first_is.format("refund-b"))  # as warm: the newer one first
    agent.page.fill("#id_contact", "c-1")
    agent.page.focus("#id_q")
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        agent.page.keyboard.press(key)
    agent.page.wait_for_selector("[data-said]:not(:empty)")
    assert ReplyUse.objects.get().contact == "c-1"
    agent.page.fill("#id_q", "refun")
    agent.page.wait_for_selector(first_is.format("refund-a"))  # it was used: it has risen
    assert list(faults(agent.page, width, is_chinese=False)) == []
    agent.look()

    agent.go(reverse("my_reply", args=[first.pk]))
    agent.page.fill("#id_body", "The money is back in five days.")
    agent.page.click("form.reply-form button[type=submit]")
    agent.page.wait_for_selector(".message.success")
    assert CannedReply.objects.get(pk=first.pk).body == "The money is back in seven days."
    request = ApprovalRequest.objects.get()

    lead = visit(width, language)
    lead.log_in(hub.lead.username)
    lead.go(reverse("admin:approvals_approvalrequest_change", args=[request.pk]))
    assert "seven" in lead.text and "five" in lead.text
    lead.go(reverse("admin:approvals_approvalrequest_approve", args=[request.pk]))
    lead.page.click("form[action$='/approve/'] button")
    lead.page.wait_for_load_state()
    assert CannedReply.objects.get(pk=first.pk).body == "The money is back in five days."
