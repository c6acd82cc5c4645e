"""The one writer of CSV and XLSX files: typed, neutral in a spreadsheet, and unchanged when it comes back.

A text that a spreadsheet would run (it begins with = + - @, their full-width twins, tab, CR or LF) gets an apostrophe in
front, and so does a text that begins with an apostrophe; `restore` takes exactly that apostrophe off again, and every
import calls it on every cell. Numbers, days and moments are written as such and never touched. Characters that no
spreadsheet can hold (NUL and the other control characters) are left out.

Rows are read in portions and written to a file that spills to disk; the answer starts when the last row is written.
So memory stays flat, a failure gives an error page and not half a file, and all rows are read in the transaction and
scope of the request.
"""

import csv
import io
import re
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.http import FileResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from teams.errors import Refused

TRIGGERS = frozenset("=+-@\t\r\n＝＋－＠")
UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
MOST_SHEET_ROWS = 1_048_575
IN_MEMORY = 2 * 1024 * 1024


def neutral(text: str) -> str:
    """`text` as it may stand in a cell; `restore` is its inverse but for unwritable characters."""
    text = UNWRITABLE.sub("", text)
    return f"'{text}" if text[:1] == "'" or text[:1] in TRIGGERS else text


def restore(cell: Any) -> Any:
    """What was exported as `cell`. A text that needed no apostrophe keeps the one it has."""
    if isinstance(cell, str) and cell[:1] == "'" and (cell[1:2] == "'" or cell[1:2] in TRIGGERS):
        return cell[1:]
    return cell


def typed(value: Any) -> Any:
    """`value` as a number, truth, day, moment, time or neutral text; nothing becomes an empty cell."""
    if value is None or isinstance(value, bool | int | Decimal):
        return value
    if isinstance(value, Fraction):
        return Decimal(value.numerator) / Decimal(value.denominator)
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, datetime):
        return timezone.localtime(value) if timezone.is_aware(value) else value
    if isinstance(value, date | time):
        return value
    return neutral(str(value))


def as_file(kind: str, name: str, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> FileResponse:
    """A download `name`.`kind` of `rows` below `header`. Raises Refused for a kind or a length that cannot be."""
    if kind not in KINDS:
        raise Refused("unknown_format", _("Files can be had as CSV or XLSX."))
    body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the response closes it
    {"csv": write_csv, "xlsx": write_xlsx}[kind](body, header, rows)
    body.seek(0)
    return FileResponse(body, as_attachment=True, filename=f"{name}.{kind}", content_type=KINDS[kind])


def write_csv(body: Any, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    """UTF-8 with a byte order mark, so that spreadsheets read Chinese; moments in ISO 8601 with their offset."""
    with_mark = io.TextIOWrapper(body, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(with_mark)
    writer.writerow([typed(str(title)) for title in header])
    for row in rows:
        writer.writerow([_plain(typed(value)) for value in row])
    with_mark.detach()


def write_xlsx(body: Any, header: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    """One sheet. Text cells are text by type as well; moments are local, as a sheet knows no zones."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_cell(sheet, typed(str(title))) for title in header])
    for count, row in enumerate(rows):
        if count >= MOST_SHEET_ROWS:
            raise Refused("too_many_rows", _("A sheet holds 1,048,575 rows. Choose CSV, or narrow the list."))
        sheet.append([_cell(sheet, typed(value)) for value in row])
    book.save(body)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return "" if value is None else value


def _cell(sheet: Any, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if not isinstance(value, str):
        return value
    cell = WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    return cell
