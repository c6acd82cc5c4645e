"""The writer of files: typed, neutral, and unchanged on the way back."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from teams.edges.exports import MOST_SHEET_ROWS, as_file, neutral, restore, write_csv, write_xlsx
from teams.edges.transfer import read_table
from teams.errors import Refused

ROW = ["=1+1", "+86 138", "-5", "@x", "\tx", "\rx", "'=a", "'plain", "a\x00b", "中文", 5, Decimal("-2.50"), None]


def as_csv(rows, header=("a",)):
    body = io.BytesIO()
    write_csv(body, header, rows)
    return body.getvalue()


def as_xlsx(rows, header=("a",)):
    body = io.BytesIO()
    write_xlsx(body, header, rows)
    return body.getvalue()


def test_t59_cells_are_neutral_and_come_back_unchanged():
    cells = next(iter(list(csv.reader(io.StringIO(as_csv([ROW]).decode("utf-8-sig"), newline="")))[1:]))
    assert not [cell for cell in cells[:10] if cell[:1] in "=+-@\t\r"]
    assert [restore(cell) for cell in cells[:10]] == [str(cell).replace("\x00", "") for cell in ROW[:10]]
    assert cells[10:] == ["5", "-2.50", ""]


def test_t59_a_sheet_holds_numbers_as_numbers_and_no_formula():
    sheet = load_workbook(io.BytesIO(as_xlsx([ROW]))).active
    cells = next(sheet.iter_rows(min_row=2))
    assert [cell.data_type for cell in cells[:10]] == ["s"] * 10
    assert cells[10].value == 5 and Decimal(str(cells[11].value)) == Decimal("-2.50")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20))
def test_t59_restore_undoes_neutral_for_any_text(text):
    text = text.replace("\ufffe", "").replace("\uffff", "")
    assert restore(neutral(text)) == text


@pytest.mark.parametrize("kind, write", [("csv", as_csv), ("xlsx", as_xlsx)])
def test_what_is_written_is_read_again(kind, write):
    data = write([["=SUM(A1)", "'quoted", "王小明"]], header=("x", "y", "z"))
    table = read_table(f"list.{kind}", data)
    assert table.headers == ["x", "y", "z"]
    assert list(table[0]) == ["=SUM(A1)", "'quoted", "王小明"]


def test_moments_and_days_are_written_as_such():
    text = as_csv([[datetime(2026, 3, 29, 1, 30, tzinfo=UTC), date(2026, 3, 29), True]]).decode("utf-8-sig")
    assert text.splitlines()[1] == "2026-03-29T01:30:00+00:00,2026-03-29,true"


def test_too_much_or_unknown_is_refused():
    with pytest.raises(Refused):
        as_file("pdf", "x", ["a"], [])
    assert MOST_SHEET_ROWS == 2**20 - 1


@pytest.mark.parametrize(
    "name, data, code",
    [("a.csv", b"", "empty"), ("a.csv", b"a,b\n", "empty"), ("a.xlsx", b"PK nonsense", "unreadable"),
     ("a.csv", b"x" * (2 * 1024 * 1024 + 1), "too_large"), ("a.csv", b"\xff\xfe\xff\x81", "unreadable")],
)  # fmt: skip
def test_t55_t58_files_that_cannot_be_read_are_refused(name, data, code):
    with pytest.raises(Refused) as refusal:
        read_table(name, data)
    assert refusal.value.code == code


def test_t58_gbk_is_read():
    assert read_table("a.csv", "姓名\n王小明\n".encode("gbk")).headers == ["姓名"]
