"""An agent reads what today earns and a month down to a contact, and disputes a line; the lead and payroll agree, and the
difference stands in the month that is open, while the paid one stays as it was."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from approvals.models import ApprovalRequest
from incentives.kinds.disputes import NAME
from incentives.models import Attainment, Run
from incentives.plain.periods import Span, month_of
from incentives.services import batches, runs
from performance.services.targets import set_target
from teams import jobs
from tests import make
from tests.browser.conftest import NARROW, WIDE
from tests.browser.inspection import faults
from tests.conftest import Cast, Hub
from tests.incentives import ground
from tests.performance.night.facts import contact, partitions

pytestmark = pytest.mark.browser


@pytest.fixture
def paid(live_server: object, hub: Hub, north: Cast) -> Span:
    """Nine of ten contacts today, and eleven on a day of the month before, which is locked and paid by a batch; as the jobs of
    the ledger leave them. A line may be disputed for so long that the day on which this runs makes no difference."""
    now = timezone.now()
    today = now.date()
    before = month_of(today.replace(day=1) - timedelta(days=1))
    partitions(before.first - timedelta(days=40), today + timedelta(days=2))
    source = make.source(north.team, "Desk", code="desk")
    set_target(north.team.pk, "volume", Decimal(10), since=before.first, by=north.lead)
    ground.wage(north.agent)
    plan = ground.plan(north.team, hub.payroll, since=before.first, dispute_days=40)
    for day, many in ((before.first + timedelta(days=14), 11), (today, 9)):
        for n in range(many):
            contact(north.agent, day, minute=n, source=source, topic="Invoice", rating=Decimal(1), is_resolved=True)
    for _round in range(3):
        jobs.scan(now)
        jobs.work_due(now, 2000)
    run = Run.objects.get(plan=plan, month=before.first)
    runs.send_to_review(run.pk, by=hub.payroll)
    runs.approve(run.pk, by=hub.hr)
    batches.make_batch(run.pk, by=hub.payroll)
    return before


def month_page(month: date) -> str:
    return f"{reverse('my_statement')}?month={month:%Y-%m}"


def agree(visitor, username: str, request: ApprovalRequest) -> None:
    """Find the request among what waits, read it without any amount, and approve it."""
    visitor.log_in(username)
    page = visitor.page
    visitor.go(reverse("admin:approvals_approvalrequest_changelist"))
    page.locator(f"a[href*='/{request.pk}/change/']").first.click()
    visitor.look()
    assert "Closed, simple" in visitor.text and "+1" in visitor.text
    assert not [word for word in ("CNY", "60.00", "90.00", "150.00", "300") if word in visitor.text]
    assert list(faults(page, WIDE, is_chinese=False)) == []
    page.locator(".ap-verb-approve summary").click()
    with page.expect_navigation():
        page.locator(".ap-verb-approve button[type=submit]").click()
    visitor.look()
    assert "You have approved this." in visitor.text


def test_a_line_is_read_disputed_and_put_right(visit, paid, north, hub):
    agent = visit(WIDE)
    page = agent.page
    agent.log_in(north.agent.user.username)
    agent.go(reverse("my_incentives"))
    assert "9 done, 1 to go" in agent.text and "0.00 CNY" in agent.text
    assert "2 more and it is 60.00 CNY" in agent.text and "3 more and it is 150.00 CNY" in agent.text
    agent.look_both_ways()

    agent.page.set_viewport_size({"width": WIDE, "height": 900})
    agent.width = WIDE
    page.get_by_role("button", name="My months").click()
    page.get_by_role("link", name=f"{paid.first:%Y-%m}").click()
    agent.look()
    assert "60.00 CNY" in page.locator("#month-sum").inner_text()
    page.locator(".in-table tbody a").click()
    agent.look()
    assert agent.path == reverse("my_line", args=[line().pk]) and "Reached: 110" in agent.text
    page.get_by_role("link", name="11 closed, simple").click()
    agent.look()
    assert "11 contacts" in agent.text
    page.get_by_role("link", name="Invoice").first.click()
    agent.look()
    assert agent.path.startswith("/me/contacts/") and "Invoice" in agent.text

    agent.go(reverse("my_line", args=[line().pk]))
    page.get_by_role("button", name="Dispute this line").click()
    page.select_option("select[name=reason]", "missing")
    page.fill("input[name=closed_simple]", "1")
    page.fill("textarea[name=evidence]", "The call at noon is missing.")
    with page.expect_navigation():
        page.get_by_role("button", name="Hand in").click()
    agent.look()
    assert "Your dispute is handed in." in agent.text

    request = ApprovalRequest.objects.get(kind=NAME)
    agree(visit(WIDE), north.lead.username, request)
    request.refresh_from_db()
    assert request.state == ApprovalRequest.State.IN_REVIEW
    agree(visit(WIDE), hub.payroll.username, request)
    request.refresh_from_db()
    assert request.state == ApprovalRequest.State.APPLIED

    agent.go(month_page(timezone.now().date()))
    assert "Differences for earlier months" in agent.text and "90.00 CNY" in page.locator("#month-sum").inner_text()
    agent.look_both_ways()
    agent.go(month_page(paid.first))
    assert "60.00 CNY" in page.locator("#month-sum").inner_text() and "90.00" not in agent.text
    agent.go(reverse("my_line", args=[line().pk]))
    assert "150.00 CNY" in agent.text and "+1 closed, simple" in agent.text


def line() -> Attainment:
    """That of the paid month."""
    return Attainment.objects.earliest("begins")


def test_everything_is_said_in_chinese_on_a_phone(visit, paid, north):
    """And amount and attainment of a line are seen without scrolling sideways."""
    north.agent.user.language = "zh-hans"
    north.agent.user.save(update_fields=["language"])
    agent = visit(NARROW, "zh-CN")
    agent.log_in(north.agent.user.username)
    for address in (
        reverse("my_incentives"),
        reverse("my_statements"),
        reverse("my_line", args=[line().pk]),
        reverse("my_line_dispute", args=[line().pk]),
        month_page(paid.first),
    ):
        agent.go(address)
        assert list(faults(agent.page, NARROW, is_chinese=True)) == [], address
    for figure in ("60.00", "110.0"):
        box = agent.page.locator(".in-table td", has_text=figure).bounding_box()
        assert box["x"] + box["width"] <= NARROW, figure
