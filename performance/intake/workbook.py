"""Rows of the first sheet of an Excel workbook, as text. Bombs, endless sheets and empty formulas are refused by name.

Nothing but the file is touched here, and the library that reads it raises nearly every error there is where a part is not
as it should be: whatever it raises means that the workbook cannot be read.
"""

import zipfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from performance.intake.spoilt import Spoilt
from teams.errors import Refused

MOST_UNPACKED = 600 << 20  # bytes of all parts together
MOST_STRINGS = 48 << 20  # bytes of the table of shared strings, which is held in memory
MOST_TIMES = 400  # how much a part above 16 MB may grow when unpacked
MOST_PARTS = 2000
MOST_ROWS = 1_048_576
MOST_COLUMNS = 200


@dataclass
class Sheet:
    path: Path
    header: list[str]
    has_formulas: bool

    def rows(self) -> Generator[list[str]]:
        """All rows, the header first, without trailing empty cells beyond the header's width. Raises Refused."""
        try:
            for number, row in enumerate(_cells(self.path, self.has_formulas), start=1):
                if number > MOST_ROWS:
                    raise Refused("too_many_rows", _("The sheet has more rows than Excel can hold."))
                width = len(self.header) or len(row)
                while len(row) > width and not row[-1]:
                    row.pop()
                row.extend([""] * (width - len(row)))
                yield row
        except Refused:
            raise
        except Exception as error:
            raise _broken() from error


def open_sheet(path: Path) -> Sheet:
    """The first sheet, after the archive has been weighed. Raises Refused."""
    try:
        has_formulas = _weigh(path)
        sheet = Sheet(path, [], has_formulas)
        first = next(sheet.rows(), None)
    except Refused:
        raise
    except Exception as error:
        raise _broken() from error
    if first is None or not any(first):
        raise Refused("no_header", _("The first row of the first sheet must name the columns, and it is empty."))
    while not first[-1]:
        first.pop()
    return Sheet(path, first, has_formulas)


def _broken() -> Refused:
    return Refused(
        "broken_workbook", _("This is not an Excel workbook that can be read. Save it again as .xlsx or CSV.")
    )


def _weigh(path: Path) -> bool:
    """Look at the archive's list before anything is unpacked; returns whether any sheet holds formulas."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        names = {part.filename for part in parts}
        if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
            raise _broken()
        bomb = (
            len(parts) > MOST_PARTS
            or sum(part.file_size for part in parts) > MOST_UNPACKED
            or any(part.file_size > (16 << 20) and part.file_size > MOST_TIMES * part.compress_size for part in parts)
            or any(part.file_size > MOST_STRINGS for part in parts if part.filename.endswith("sharedStrings.xml"))
        )
        if bomb:
            raise Refused("too_large", _("The workbook unpacks to more than is allowed. Send it in parts or as CSV."))
        return any(_holds(archive, part, b"<f") for part in parts if part.filename.startswith("xl/worksheets/"))


def _holds(archive: zipfile.ZipFile, part: zipfile.ZipInfo, mark: bytes) -> bool:
    tail = b""
    with archive.open(part) as file:
        while chunk := file.read(1 << 20):
            text = tail + chunk
            if any(mark + end in text for end in (b">", b" ")):
                return True
            tail = text[-4:]
    return False


def _cells(path: Path, has_formulas: bool) -> Generator[list[str]]:
    """Rows of text. The library is given an open file, for it judges a path by its ending."""
    with (
        path.open("rb") as file,
        closing(load_workbook(file, read_only=True, data_only=True, keep_links=False)) as book,
    ):
        rows = book.worksheets[0].iter_rows(max_col=MOST_COLUMNS + 1, values_only=True)
        if not has_formulas:
            for row in rows:
                yield [as_text(cell) for cell in row]
            return
        with path.open("rb") as again, closing(load_workbook(again, read_only=True, keep_links=False)) as formulas:
            told = formulas.worksheets[0].iter_rows(max_col=MOST_COLUMNS + 1)
            for row, cells in zip(rows, told, strict=True):
                texts = [as_text(cell) for cell in row]
                hollow = [place for place, cell in enumerate(cells) if cell.data_type == "f" and not texts[place]]
                for place in hollow:
                    texts[place] = str(cells[place].value)
                yield Spoilt("formula", texts, hollow[0]) if hollow else texts


def as_text(value: Any) -> str:
    """A cell as text that reads the same everywhere: ISO dates, whole numbers without a point, durations h:mm:ss."""
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case datetime() if value.time() == time():
            return value.date().isoformat()
        case datetime():
            return (value + timedelta(milliseconds=500)).replace(microsecond=0).isoformat(sep=" ")
        case date():
            return value.isoformat()
        case time():
            return value.replace(microsecond=0).isoformat()
        case timedelta():
            seconds = round(value.total_seconds())
            return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case _:
            return str(value)
