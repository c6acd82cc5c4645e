"""Columns, saved filters and the palette as people use them: by keyboard, by hand, wide and narrow."""

import pytest

from teams.models import ColumnSet, SavedFilter
from tests.browser.conftest import NARROW, WIDE
from tests.browser.inspection import faults

pytestmark = pytest.mark.browser

AGENTS = "/admin/teams/agent/"


def heads(visitor):
    return [text.strip() for text in visitor.page.locator("#result_list thead th .text").all_inner_texts()]


def labels(visitor):
    """The columns as a narrow screen tells them: before each value of the first row."""
    cells = visitor.page.locator("#result_list tr.data-row").first.locator("[data-label]")
    return [cell.get_attribute("data-label") for cell in cells.all()]


def test_columns_by_keyboard_and_by_hand(visit, world):
    lead = visit()
    lead.log_in(world.north.lead.username)
    lead.go(AGENTS)
    page, usual = lead.page, heads(lead)
    page.get_by_role("button", name="Columns").focus()
    page.keyboard.press("Enter")
    assert not list(faults(page, WIDE, is_chinese=False))
    page.get_by_label("Move Name forward").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.closest('li').dataset.column") == "name"  # the focus goes along
    page.get_by_label("Role", exact=True).uncheck()
    page.get_by_label("Width of Name in pixels").fill("260")
    page.get_by_role("button", name="Show these columns").click()
    lead.look()
    changed = ["Name", "Number", *[each for each in usual if each not in {"Name", "Number", "Role"}]]
    assert heads(lead) == changed
    name = page.locator("#result_list thead th.column-name")
    assert abs(name.bounding_box()["width"] - 260) < 3

    place = name.locator(".op-edge").bounding_box()  # the edge of a head is dragged, and kept without loading the page
    page.mouse.move(place["x"] + 3, place["y"] + 10)
    page.mouse.down()
    page.mouse.move(place["x"] + 63, place["y"] + 10)
    with page.expect_response("**/columns/"):
        page.mouse.up()
    again = visit()  # another machine
    again.log_in(world.north.lead.username)
    again.go(AGENTS)
    assert heads(again) == changed
    assert abs(again.page.locator("#result_list thead th.column-name").bounding_box()["width"] - 320) < 6

    page.reload()
    page.get_by_role("button", name="Columns").click()
    grip = page.locator("li[data-column=team] .op-grip").bounding_box()
    top = page.locator("li[data-column=name]").bounding_box()
    page.mouse.move(grip["x"] + 5, grip["y"] + 8)
    page.mouse.down()
    page.mouse.move(top["x"] + 20, top["y"] + 2, steps=6)
    page.mouse.up()
    page.get_by_label("Keep the columns above as a set called").fill("Teams first")
    page.get_by_role("button", name="Keep", exact=True).click()
    lead.look()
    assert heads(lead)[0] == "Team" and ColumnSet.objects.get(name="Teams first").is_used
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("button", name="Usual columns").click()
    lead.look()
    assert heads(lead) == usual


def test_columns_and_filters_on_a_narrow_screen_in_chinese(visit, world):
    world.north.lead.language = "zh-hans"
    world.north.lead.save(update_fields=["language"])
    lead = visit(NARROW)
    lead.log_in(world.north.lead.username)
    lead.go(f"{AGENTS}?q=North")
    page = lead.page
    page.get_by_role("button", name="列", exact=True).click()
    assert not list(faults(page, NARROW, is_chinese=True))
    page.locator("li[data-column=zone] [data-moves='-1']").click()
    page.locator("li[data-column=role] input[type=checkbox]").uncheck()
    page.locator("#columns button[value=use]").click()
    lead.look()
    assert len(labels(lead)) == 5 and page.url.endswith("?q=North")
    page.locator("summary", has_text="保存此筛选").click()
    assert not list(faults(page, NARROW, is_chinese=True))
    page.locator("input[name=name]:visible").fill("北方")
    page.locator("button[value=save]").click()
    lead.look()
    assert SavedFilter.objects.get().query == {"q": ["North"]}
    assert page.locator(".op-chip[aria-current]").inner_text() == "北方"


def test_a_filter_is_saved_and_opens_the_list(visit, world):
    lead = visit()
    lead.log_in(world.north.lead.username)
    lead.go(f"{AGENTS}?q=Agent+2")
    lead.page.locator("summary", has_text="Save this filter").click()
    lead.page.get_by_label("Keep this search").fill("The second")
    lead.page.get_by_label("open the list with it").check()
    lead.page.get_by_role("button", name="Save", exact=True).click()
    lead.look()
    lead.page.click("#nav-sidebar >> text=Agents")
    lead.look()
    assert lead.page.locator("#result_list tr.data-row").count() == 1
    lead.page.get_by_role("link", name="Clear search and filters").click()
    lead.look()
    assert lead.page.locator("#result_list tr.data-row").count() == 2
    lead.page.locator("summary", has_text="Manage filters").click()
    lead.page.keyboard.press("Escape")
    assert not lead.page.get_by_role("button", name="Rename").is_visible()


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_the_palette_goes_to_pages_and_people(visit, world, width):
    lead = visit(width)
    lead.log_in(world.north.lead.username)
    lead.go(AGENTS)
    page = lead.page
    page.locator("[data-opens-palette]:visible").click()
    box = page.get_by_role("combobox")
    assert box.evaluate("node => node === document.activeElement")
    page.wait_for_selector("[role=option]:has-text('Nightly reports')")
    assert "On this page" in page.locator("#palette-found").inner_text()
    assert not list(faults(page, width, is_chinese=False))
    page.keyboard.press("Escape")
    assert not page.locator("#palette").is_visible()
    page.keyboard.press("Control+k")
    page.keyboard.type("South Agent")
    page.wait_for_function("document.querySelector('.op-palette-said').textContent.startsWith('Nothing found')")
    box.fill("north agent")
    page.wait_for_selector("[role=option]:has-text('North Agent 2')")
    first = box.get_attribute("aria-activedescendant")
    page.keyboard.press("ArrowDown")
    second = box.get_attribute("aria-activedescendant")
    assert first != second and page.locator(f"#{second}").get_attribute("aria-selected") == "true"
    for _press in range(3):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('#palette')")
    box.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/admin/teams/agent/{world.north.agents[1].pk}/change/")
    lead.look()
    page.keyboard.press("Control+k")
    page.wait_for_selector("[role=option]:has-text('Move')")
    assert "Visited last" in page.locator("#palette-found").inner_text()


def test_the_palette_of_the_own_pages(visit, world):
    agent = visit(NARROW)
    agent.log_in(world.north.agent.user.username)
    agent.page.keyboard.press("Control+k")
    agent.page.keyboard.type("record")
    agent.page.wait_for_selector("[role=option]:has-text('My record')")
    assert not list(faults(agent.page, NARROW, is_chinese=False))
    agent.page.keyboard.press("Enter")
    agent.page.wait_for_url("**/me/record/")
    agent.look()
