"""What a file is, how it is encoded and split: right, or refused by name."""

import gzip
import io
import zipfile
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from performance.intake import customers, errors_file
from performance.intake.decoding import open_table
from performance.intake.spoilt import Spoilt
from teams.errors import Refused

TEXT = '编号,客服,备注\n1,张伟,"第一行\n第二行"\n2,李娜,他说""好""\n'
ROWS = [["1", "张伟", "第一行\n第二行"], ["2", "李娜", '他说""好""']]


def table(tmp_path, content: bytes, **options):
    path = tmp_path / "file"
    path.write_bytes(content)
    return open_table(path, **options)


@pytest.mark.parametrize(
    ("encoding", "told"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("gbk", "gb18030"), ("gb18030", "gb18030"),
    ],
)  # fmt: skip
def test_encodings_are_found_by_trial_and_named(tmp_path, encoding, told):
    ascii_first = TEXT.replace("编号,客服,备注", "id,agent,note")
    found = table(tmp_path, ascii_first.encode(encoding))
    assert (found.encoding, found.header) == (told, ("id", "agent", "note"))
    assert list(found.rows()) == ROWS


def test_western_letters_are_not_taken_for_chinese(tmp_path):
    text = "id;queue\n1;Téléphonie\n2;Médical\n3;Mécanicien\n".encode("cp1252")
    with pytest.raises(Refused) as refusal:
        table(tmp_path, text)
    assert refusal.value.code == "unknown_encoding"
    assert [row[1] for row in table(tmp_path, text, encoding="cp1252").rows()] == [
        "Téléphonie",
        "Médical",
        "Mécanicien",
    ]


def test_a_named_encoding_that_does_not_fit_is_refused(tmp_path):
    with pytest.raises(Refused) as refusal:
        table(tmp_path, TEXT.encode("gbk"), encoding="utf-8")
    assert refusal.value.code == "wrong_encoding"


@pytest.mark.parametrize(("name", "sign"), [("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("bar", "|")])
def test_delimiters_are_sniffed(tmp_path, name, sign):
    text = "\r\n".join(
        sign.join(row) for row in (["id", "opened at", "x"], ["1", "2026-01-02", "a, b"[:1]], ["2", "", ""])
    )
    found = table(tmp_path, text.encode())
    assert (found.delimiter, found.header) == (name, ("id", "opened at", "x"))
    assert list(found.rows()) == [["1", "2026-01-02", "a"], ["2", "", ""]]


def test_white_space_layout(tmp_path):
    found = table(tmp_path, b"id   agent  wait\n1    Ann      5\n2 \t Bob     12\n")
    assert found.delimiter == "space"
    assert list(found.rows()) == [["1", "Ann", "5"], ["2", "Bob", "12"]]


def test_header_cells_are_made_distinct(tmp_path):
    assert table(tmp_path, "\ufeffid, name ,name,,\n1,2,3,4,5\n".encode()).header == (
        "id",
        "name",
        "name (2)",
        "column 4",
        "column 5",
    )


def test_lines_that_are_longer_than_a_chunk_and_carriage_returns_alone(tmp_path):
    rows = "".join(f"{n},{'x' * 90}\r" for n in range(9000))
    found = table(tmp_path, ("id,text\r" + rows).encode())
    assert [int(row[0]) for row in found.rows()] == list(range(9000))


def test_nul_and_wrong_quotes_spoil_their_row_only(tmp_path):
    found = list(table(tmp_path, b'id,x\n1,a\n2,b\0c\n3,"d"e\n4,f\n').rows())
    assert [type(row) for row in found] == [list, Spoilt, Spoilt, list]
    assert [row.code for row in found if isinstance(row, Spoilt)] == ["nul", "quotes"]
    assert found[3] == ["4", "f"]


def test_a_quotation_mark_that_never_closes_is_refused_with_its_row(tmp_path):
    found = table(tmp_path, b'id,x\n1,a\n2,"b\n3,c\n')
    with pytest.raises(Refused) as refusal:
        list(found.rows())
    assert refusal.value.code == "open_quote" and "row 3" in str(refusal.value).lower()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"  \n ", "empty_file"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "not_a_table"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", "not_a_table"),
        (b"%PDF-1.7\n1,2\n", "not_a_table"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_excel"),
        (b"PK\x03\x04 but no archive", "broken_workbook"),
        (b"\x1f\x8b\x08\x00broken", "broken_archive"),
        (bytes(range(128, 256)) * 3, "unknown_encoding"),
    ],
)
def test_what_is_no_table_is_refused_by_its_content(tmp_path, content, code):
    with pytest.raises(Refused) as refusal:
        table(tmp_path, content)
    assert refusal.value.code == code


def test_gzip_is_read_and_a_gzip_bomb_is_not(tmp_path):
    assert list(table(tmp_path, gzip.compress(TEXT.encode())).rows()) == ROWS
    bomb = io.BytesIO()
    with gzip.open(bomb, "wb") as packed:
        packed.write(b"a,b\n")
        for _megabyte in range(80):
            packed.write(b"\0" * (1 << 20))
    with pytest.raises(Refused) as refusal:
        table(tmp_path, bomb.getvalue())
    assert refusal.value.code == "too_large"


def book(*rows) -> bytes:
    sheet = Workbook()
    for row in rows:
        sheet.active.append(row)
    file = io.BytesIO()
    sheet.save(file)
    return file.getvalue()


def test_workbook_cells_become_plain_text(tmp_path):
    content = book(
        ["id", "opened", "talk", "rating", "text"],
        [1, datetime(2026, 1, 2, 3, 4, 5), timedelta(hours=1, seconds=5), 4.5, "=x"[1:]],  # noqa: DTZ001
        [2.0, datetime(2026, 1, 2), None, True, None],  # noqa: DTZ001
    )
    found = table(tmp_path, content)
    assert found.kind == "xlsx"
    rows = list(found.rows())
    assert rows[0][0] == "1" and rows[0][1] == "2026-01-02 03:04:05" and rows[0][3] == "4.5"
    assert rows[0][2] in ("1:00:05", "01:00:05")
    assert rows[1] == ["2", "2026-01-02", "", "true", ""]


def test_a_formula_without_a_value_spoils_its_row(tmp_path):
    rows = list(table(tmp_path, book(["id", "n"], [1, 5], [2, "=A2*2"])).rows())
    assert rows[0] == ["1", "5"]
    assert isinstance(rows[1], Spoilt) and rows[1].code == "formula" and rows[1][1] == "=A2*2"


def test_a_workbook_bomb_is_weighed_before_it_is_unpacked(tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (40 << 20))
    with pytest.raises(Refused) as refusal:
        table(tmp_path, file.getvalue())
    assert refusal.value.code == "too_large"


@pytest.mark.parametrize(
    "cell", ["=1+1", "+x", "-x", "@x", "\tx", "\rx", "'=x", "''@x", "＝1", "plain", "'plain", "-5", "+3.5", ""]
)
def test_formula_cells_are_neutral_and_come_back(cell):
    safe = errors_file.neutral(cell)
    assert safe[:1] not in ("=", "@", "\t", "\r", "＝") and errors_file.original(safe) == cell
    assert safe[:1] not in ("+", "-") or safe.lstrip("+-").replace(".", "").isdigit()


@given(st.text(max_size=20))
def test_neutral_can_always_be_taken_back(cell):
    assert errors_file.original(errors_file.neutral(cell)) == cell


@pytest.mark.parametrize(
    ("number", "mask"),
    [("13812345678", "138******78"), ("+86 138-1234-5678", "861********78"), ("12345", "****5"),
     ("110", "***"), ("", ""), ("123456789", "123****89"), ("12345678", "******78")],
)  # fmt: skip
def test_phones_are_masked(number, mask):
    assert customers.mask_phone(number) == mask


def test_customers_are_keyed_alike_and_kept_when_keyed():
    customer, phone = customers.keyer(customers.derive_key("secret"), "chat")
    other, _phone = customers.keyer(customers.derive_key("secret"), "phone")
    assert customer(" Ann@Example.org ") == customer("ann@example.org") == other("ann@example.org")
    assert customer("17") != other("17")
    assert customer(customer("17")) == customer("17")
    assert phone("138 1234 5678") == phone("13812345678") != phone("13812345679")
    assert "12345" not in phone("13812345678") and phone(phone("13812345678")) == phone("13812345678")
    stranger, _phone = customers.keyer(customers.derive_key("another secret"), "chat")
    assert stranger("17") != customer("17")
