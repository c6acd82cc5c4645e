"""Refused rows as a CSV to mend and send again: each row as it came, and after it where it was and why it was refused.

A cell that a spreadsheet would take for a formula gets an apostrophe before it, and so does one that begins with
apostrophes before such a sign; sending the file again takes exactly one off. The two columns at the end are told by
their names and left out on the way back.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

FORMULA = re.compile(r"'*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
PLAIN_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
ROW_COLUMN = "outpost: row"
REASON_COLUMN = "outpost: refused because"


def neutral(cell: str) -> str:
    """The cell as text that no spreadsheet evaluates. `original` takes it back."""
    return "'" + cell if FORMULA.match(cell) and not PLAIN_NUMBER.fullmatch(cell) else cell


def original(cell: str) -> str:
    """What `neutral` was given."""
    return (
        cell[1:] if cell.startswith("'") and FORMULA.match(cell[1:]) and not PLAIN_NUMBER.fullmatch(cell[1:]) else cell
    )


def lines(header: Sequence[str], refused: Iterable[tuple[int, Sequence[str], str]]) -> Iterator[str]:
    """The file as lines of CSV: (row number, cells, sentence) for each refused row."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)

    def written(cells: Sequence[object]) -> str:
        writer.writerow(cells)
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text

    yield written([*(neutral(name) for name in header), ROW_COLUMN, REASON_COLUMN])
    for number, cells, reason in refused:
        filled = [*cells, *[""] * (len(header) - len(cells))][: len(header)]
        yield written([*(neutral(cell) for cell in filled), number, neutral(reason)])


def is_errors_file(header: Sequence[str]) -> bool:
    return len(header) > 2 and tuple(header[-2:]) == (ROW_COLUMN, REASON_COLUMN)
