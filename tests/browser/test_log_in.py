"""Who logs in where, and the language that follows a person."""

import pytest

from tests.browser.conftest import NARROW, WIDE
from tests.browser.test_pages import assert_chinese

pytestmark = pytest.mark.browser


def test_each_role_lands_on_its_first_page_and_sees_its_own_menu(visit, world):
    seen = {}
    for role, user in {
        "lead": world.north.lead, "HR": world.hub.hr, "trainer": world.hub.trainer, "payroll": world.hub.payroll,
        "operator": world.hub.operator,
    }.items():  # fmt: skip
        visitor = visit()
        visitor.log_in(user.username)
        assert visitor.path == "/admin/", role
        seen[role] = set(visitor.page.locator("#nav-sidebar a").all_inner_texts())
        seen[role] = {word.strip().split("\n")[-1] for word in seen[role]}
    assert {"Nightly reports", "Deliveries", "Tray of names"} <= seen["lead"]
    assert "Compensation" not in seen["lead"] | seen["trainer"]
    assert {"Agents", "Compensation"} <= seen["HR"]
    assert "Agents" in seen["trainer"]
    assert "Compensation" in seen["payroll"]
    assert not {"Nightly reports", "Contacts", "Deliveries"} & (seen["payroll"] | seen["HR"] | seen["trainer"])
    assert {"Accounts", "Job runs", "Notices", "Timetable", "Compensation", "Nightly reports"} <= seen["operator"]
    assert not {"Accounts", "Job runs"} & (seen["lead"] | seen["HR"] | seen["payroll"])


def test_an_agent_lands_on_the_own_day_and_stays_out_of_the_admin(visit, world):
    agent = visit(NARROW)
    agent.log_in(world.north.agent.user.username)
    assert agent.path == "/me/"
    answer = agent.page.goto(agent.home + "/admin/")
    assert answer.status == 403
    assert "for leads and staff" in agent.text
    assert all("403" in each for each in agent.trouble)


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_wrong_password_is_said_and_asks_again(visit, world, width):
    visitor = visit(width)
    visitor.log_in(world.north.lead.username, "not the password")
    assert visitor.path == "/log-in/"
    assert visitor.page.locator("[role=alert]").is_visible()
    assert visitor.page.input_value("input[name=username]") == world.north.lead.username
    assert visitor.page.input_value("input[name=password]") == ""


def test_next_never_leads_away(visit, world):
    visitor = visit()
    visitor.log_in(world.north.lead.username, at="/log-in/?next=https://elsewhere.example/")
    assert visitor.path == "/admin/"
    other = visit()
    other.log_in(world.north.lead.username, at="/log-in/?next=/admin/teams/agent/")
    assert other.path == "/admin/teams/agent/"


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_language_turns_and_is_remembered(visit, world, width):
    visitor = visit(width)
    visitor.log_in(world.north.agent.user.username)
    assert "4 done, 6 to go" in visitor.text
    visitor.page.click("button[name=language][value=zh-hans]")
    visitor.look()
    assert visitor.path == "/me/"
    assert visitor.page.get_attribute("html", "lang") == "zh-hans"
    assert_chinese(visitor)
    visitor.page.click("details.dropdown summary")
    visitor.page.click("form[action='/log-out/'] button")
    visitor.look()
    assert "登录" in visitor.text

    elsewhere = visit(width)  # another machine, which speaks English until it knows who it is
    elsewhere.page.goto(elsewhere.home + "/log-in/")
    assert "Log in" in elsewhere.text
    elsewhere.log_in(world.north.agent.user.username)
    assert elsewhere.page.get_attribute("html", "lang") == "zh-hans"
    assert_chinese(elsewhere)
