"""A file on its way in through the pages: columns, check, taking in, refused rows mended and sent again, the tray."""

import pytest

from performance.models import Contact, ImportRun
from tests.browser.conftest import NARROW, WIDE

pytestmark = pytest.mark.browser

CHOSEN = {"external_id": "Ref", "opened_at": "Begun", "ended_at": "Finished", "agent": "Who", "handle_seconds": "Took"}


def sheet(day) -> str:
    rows = [
        f"U-{n},{day} 09:0{n}:00,{day} 09:1{n}:00,{'North Agent 2' if n % 2 else 'Somebody new'},{120 + n}"
        for n in range(5)
    ]
    rows[1] = rows[1].replace(f"{day} 09:01:00", "last Tuesday")
    rows[3] = rows[3].replace("123", "quite long")
    return "\n".join(["Ref,Begun,Finished,Who,Took", *rows]) + "\n"


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_a_file_comes_in_its_refused_rows_are_mended_and_its_names_mapped(visit, world, tmp_path, width):
    lead = visit(width)
    lead.log_in(world.north.lead.username)
    lead.go("/admin/performance/importrun/")
    if width == NARROW:
        lead.page.click(".op-more summary")  # where there is no room, buttons wait behind three dots
    lead.page.click("text=Take a file in")
    lead.look()

    def send(name: str, content: str) -> None:
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        lead.page.select_option("select[name=source]", label=str(world.source))
        lead.page.select_option("select[name=layout]", "contacts")
        lead.page.set_input_files("input[type=file]", path)
        lead.page.click("text=Send and look at the columns")
        lead.look()

    send("week.csv", sheet(world.reported))
    assert "last Tuesday" in lead.text
    for name, column in CHOSEN.items():
        lead.page.select_option(f"#column_{name}", column)
    lead.page.click("text=Check without storing")
    lead.look()
    assert "What would come of it" in lead.text
    refused = lead.page.locator("section", has_text="First refused rows").locator("tbody tr").all_inner_texts()
    assert [row.split()[0] for row in refused] == ["3", "5"]
    assert "last Tuesday" in refused[0]
    assert "quite long" in refused[1]
    assert not Contact.objects.filter(external_id__startswith="U-").exists()

    lead.page.click("button:text-is('Take in')")
    lead.look()
    assert "What came of it" in lead.text
    assert Contact.objects.filter(external_id__startswith="U-").count() == 3
    with lead.page.expect_download() as taken:
        lead.page.click("text=Download them as CSV")
    errors = taken.value.path().read_text(encoding="utf-8-sig")
    assert "last Tuesday" in errors

    lead.page.click("text=Take a file in")
    lead.look()
    mended = errors.replace("last Tuesday", f"{world.reported} 09:01:00", 1).replace("quite long", "123", 1)
    send("mended.csv", mended)
    assert lead.page.input_value("#column_external_id") == "Ref"
    lead.page.click("text=Check without storing")
    lead.look()
    assert "No row was refused." in lead.text
    lead.page.click("button:text-is('Take in')")
    lead.look()
    assert sorted(Contact.objects.filter(external_id__startswith="U-").values_list("external_id", flat=True)) == [
        f"U-{n}" for n in range(5)
    ]
    assert ImportRun.objects.filter(state=ImportRun.State.DONE, by=world.north.lead).count() == 2

    lead.page.click("text=Map the names in the tray")
    lead.look()
    line = lead.page.locator("tr", has_text="Somebody new").first
    line.locator("[name=agent]").fill(str(world.north.agents[1]))
    line.get_by_role("button", name="Map", exact=True).click()
    lead.look()
    placed = Contact.objects.filter(external_id__in=["U-0", "U-2", "U-4"], agent=world.north.agents[1])
    assert placed.count() == 3


def test_a_file_that_is_no_table_is_refused_in_words(visit, world, tmp_path):
    lead = visit()
    lead.log_in(world.north.lead.username)
    lead.go("/admin/performance/importrun/")
    lead.page.click("text=Take a file in")
    path = tmp_path / "page.csv"
    path.write_bytes(b"%PDF-1.7 \x00\x01\x02")
    lead.page.select_option("select[name=source]", label=str(world.source))
    lead.page.select_option("select[name=layout]", "contacts")
    lead.page.set_input_files("input[type=file]", path)
    lead.page.click("text=Send and look at the columns")
    lead.page.wait_for_load_state("load")
    assert "This is not a table" in lead.text
    assert not Contact.objects.filter(external_id__startswith="U-").exists()
