"""Every refused row says at which field it fails, also where the row cannot be read; and what cannot be read is told."""

import io
import zipfile

import pytest
from django.core.files.base import ContentFile
from openpyxl import Workbook

from performance.intake.decoding import open_table
from performance.models import ImportRun
from performance.services import intake
from teams.errors import Refused
from tests import make
from tests.performance.intake.build import SIMPLE, lines, refused, source, take
from tests.performance.intake.test_rest import ROW, door, post  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db
GOOD = "1,2026-01-02 03:04:05,,ann,sales,200,Y,4"


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ("2,2026-01-02 03:04:05,,a\0n,sales,200,Y,4", "agent", "nul"),
        ("2,2026-01-02 03:04:05,,ann,sales,200,Y,4,more,a\0nd", "column 10", "nul"),
        ("2,2026-01-02 03:04:05,,ann,sales", "handle_seconds", "columns"),
        ("2,2026-01-02 03:04:05,,ann,sales,200,Y,4,more,and more", "column 9", "columns"),
        ('2,2026-01-02 03:04:05,,ann,"sa"les,200,Y,4', "queue", "quotes"),
        ('2,"2026-01-02 03:04:05",,"a, ""b""",sales,"200"0,Y,4', "handle_seconds", "quotes"),
        ('"2"2,2026-01-02 03:04:05,,ann,sales,200,Y,4', "external_id", "quotes"),
        ('2,2026-01-02 03:04:05,,ann,sales,200,Y,4,"mo"re', "column 9", "quotes"),
    ],
)
def test_a_row_that_cannot_be_read_names_its_field(tmp_path, row, field, code):
    run = take(tmp_path, source(), lines(GOOD, row))
    assert refused(run) == [(3, field, code)]
    assert run.counts["new"] == 1
    assert field in "".join(intake.errors_file(run)) or code == "quotes"


def test_a_row_that_begins_on_an_earlier_line_is_refused_as_a_whole(tmp_path):
    run = take(
        tmp_path, source(), lines('1,2026-01-02 03:04:05,,"a\nb",sales,200,Y,4', '2,2026-01-02 03:04:05,,"x"y,s,1,Y,4')
    )
    assert refused(run) == [(3, "", "quotes")]


def test_a_formula_without_a_value_names_its_field(tmp_path):
    book = Workbook()
    book.active.append(["id", "opened", "ended", "agent", "queue", "handle", "answered", "rating"])
    book.active.append(["1", "2026-01-02 03:04:05", "", "ann", "sales", "=A1*2", "Y", "4"])
    file = io.BytesIO()
    book.save(file)
    assert refused(take(tmp_path, source(), file.getvalue())) == [(2, "handle_seconds", "formula")]


def test_the_rest_door_names_the_field_too(door):  # noqa: F811
    rows = [ROW, {**ROW, "agent": ["ann"]}, {**ROW, "queue": "\ud800"}, {**ROW, "external_id": "3\0"}, 7, {}]
    told = [(each["row"], each["field"], each["code"]) for each in post(*door, {"rows": rows}).json()["refused"]]
    assert told == [
        (2, "agent", "not_plain"), (3, "queue", "letters"), (4, "external_id", "nul"), (5, "", "not_flat"), (6, "", "empty"),
    ]  # fmt: skip


def changed(part: str, content: bytes) -> bytes:
    """A good workbook with one part exchanged."""
    book, file, made = Workbook(), io.BytesIO(), io.BytesIO()
    book.active.append(["id"])
    book.active.append(["1"])
    book.save(file)
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            new.writestr(name, content if name == part else old.read(name))
    return made.getvalue()


@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("xl/styles.xml", b"<styleSheet><fills><fill/></fills></styleSheet>"),
        ("xl/workbook.xml", b"<workbook><sheets/></workbook>"),
        ("xl/workbook.xml", b"<workbook/>"),
        ("xl/worksheets/sheet1.xml", b"<worksheet><sheetData><row r='x'><c r='1'/></row></sheetData></worksheet>"),
    ],
)
def test_a_workbook_with_a_wrong_part_is_refused(tmp_path, part, content):
    path = tmp_path / "book.xlsx"
    path.write_bytes(changed(part, content))
    with pytest.raises(Refused) as refusal:
        list(open_table(path).rows())
    assert refusal.value.code in ("broken_workbook", "no_header")


def test_an_archive_whose_bytes_do_not_unpack_is_refused(tmp_path):
    content = bytearray(changed("none", b""))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        part = archive.getinfo("xl/worksheets/sheet1.xml")
    content[part.header_offset + 60 : part.header_offset + 90] = b"\xff" * 30
    path = tmp_path / "book.xlsx"
    path.write_bytes(bytes(content))
    with pytest.raises(Refused) as refusal:
        list(open_table(path).rows())
    assert refusal.value.code == "broken_workbook"


def test_what_spoils_the_rest_of_a_file_is_told_by_the_delivery(north):
    """Neither the check nor the taking in leaves by an exception: the delivery has failed, and says at which row."""
    here = make.source(north.team)
    file = ContentFile(lines(GOOD, '2,"2026-01-02,,,,,,').encode(), "x.csv")
    run = intake.receive(here.pk, file, layout="contacts", by=north.lead)
    intake.map_columns(run.pk, SIMPLE, by=north.lead)
    for verb in (intake.check, intake.take_in):
        told = verb(run.pk, by=north.lead)
        assert told.state == ImportRun.State.FAILED
        assert "row 3 " in told.message
