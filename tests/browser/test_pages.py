"""Every kind of page, wide and narrow, in both languages: no trouble, nothing sideways, nothing of ours left in English."""

import pytest
from django.urls import reverse

from performance.models import AgentAlias, NightlyReport
from tests.browser.conftest import NARROW, WIDE, Visitor, World
from tests.browser.inspection import left_in_english

pytestmark = pytest.mark.browser

LISTS = {
    "lead": (
        "teams_agent", "teams_team", "teams_loan", "teams_skill", "teams_accessrecord", "performance_nightlyreport",
        "performance_contact", "performance_agentday", "performance_teamday", "performance_queuehalfhour",
        "performance_target", "performance_importrun", "performance_agentalias", "performance_queuealias",
        "performance_queue", "performance_source",
    ),
    "operator": (
        "teams_user", "auth_group", "teams_teamusergrant", "teams_teamgroupgrant", "teams_jobrun", "teams_notice",
        "teams_compensation", "django_celery_beat_periodictask",
    ),
    "hr": ("teams_agent", "teams_compensation", "teams_skill"),
    "payroll": ("teams_compensation", "teams_team"),
}  # fmt: skip


def assert_chinese(visitor: Visitor) -> None:
    left = left_in_english(visitor.text)
    assert not left, (visitor.path, left)


def pages(world: World, role: str) -> list[str]:
    found = [reverse("admin:index"), reverse("account"), reverse("password_change")]
    found += [reverse(f"admin:{name}_changelist") for name in LISTS[role]]
    if role == "lead":
        agent, report = world.north.agent, NightlyReport.objects.get(team=world.north.team, day=world.reported)
        found += [
            reverse("admin:teams_agent_change", args=[agent.pk]),
            reverse("admin:teams_agent_history", args=[agent.pk]),
            reverse("admin:teams_agent_move", args=[agent.pk]),
            reverse("admin:teams_agent_import"),
            reverse("admin:performance_nightlyreport_change", args=[report.pk]),
            reverse("admin:performance_nightlyreport_compare"),
            reverse("admin:performance_contact_change", args=[world.contact.pk]),
            reverse("agent_figures", args=[agent.pk]),
            reverse("intake_upload"), reverse("intake_tray"), reverse("intake_token", args=[world.source.pk]),
        ]  # fmt: skip
    return found


@pytest.mark.parametrize("language", ["", "zh-hans"], ids=["by_the_machine", "zh-hans"])
@pytest.mark.parametrize("role", ["lead", "operator", "hr", "payroll"])
def test_the_pages_of_the_administration(visit, world, role, language):
    user = world.north.lead if role == "lead" else getattr(world.hub, role)
    user.language = language
    user.save(update_fields=["language"])
    AgentAlias.objects.create(source=world.source, external="Nobody yet")
    visitor = visit()
    visitor.log_in(user.username)
    for address in pages(world, role):
        visitor.go(address)
        visitor.look_both_ways()
        if language:
            assert_chinese(visitor)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_own_pages(visit, world, width):
    agent = visit(width)
    agent.log_in(world.north.agent.user.username)
    addresses = [
        reverse(name) for name in ("my_day", "my_days", "my_contacts", "my_record", "account", "password_change")
    ]
    addresses += [f"/me/?day={world.reported}", f"/me/contacts/{world.contact.pk}/"]
    for address in addresses:
        agent.go(address)
    agent.page.click("button[name=language][value=zh-hans]")
    for address in addresses:
        agent.go(address)
        assert_chinese(agent)


def test_the_search_for_english_finds_it(visit, world):
    """Or the walks above would prove nothing."""
    agent = visit()
    agent.log_in(world.north.agent.user.username)
    with pytest.raises(AssertionError):
        assert_chinese(agent)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_today_is_told_in_words_and_as_a_bar_and_leads_to_the_contacts(visit, world, width):
    agent = visit(width)
    agent.log_in(world.north.agent.user.username)
    assert "4 done, 6 to go" in agent.text
    bar = agent.page.locator("progress")
    assert (bar.get_attribute("value"), bar.get_attribute("max")) == ("4", "10")
    assert bar.bounding_box()["width"] > 200
    agent.page.click("text=See the 4 contacts")
    agent.look()
    assert agent.page.locator("a[href^='/me/contacts/']:not([href*='?'])").count() >= 4
    assert world.contact.external_id in agent.text


def test_the_nightly_report_is_read_compared_and_taken_along(visit, world):
    lead = visit()
    lead.log_in(world.north.lead.username)
    lead.page.click("#nav-sidebar >> text=Nightly reports")
    lead.look()
    report = NightlyReport.objects.get(team=world.north.team, day=world.reported)
    lead.page.click(f"#result_list a[href^='/admin/performance/nightlyreport/{report.pk}/']")
    lead.look()
    assert "Contacts closed" in lead.text
    row = lead.page.locator("tr", has_text="Contacts closed").first.inner_text().split()
    assert "5" in row
    with lead.page.expect_download() as taken:
        lead.page.click(".night-ways >> text=CSV")
    lines = taken.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) > 5
    lead.page.click("text=Compare days")
    lead.look()
    row = lead.page.locator("tr", has_text="Contacts closed").first.inner_text().split()
    assert {"6", "5"} <= set(row)


def test_a_figure_of_the_overview_leads_to_exactly_its_contacts(visit, world):
    lead = visit()
    lead.log_in(world.north.lead.username)
    card = lead.page.locator(".op-card", has=lead.page.get_by_role("heading", name="Satisfaction", exact=True)).first
    assert "9 of 11" in card.inner_text()
    card.get_by_role("link").click()
    lead.look()
    assert lead.page.locator("#result_list tbody tr").count() == 11
