"""Bytes to rows of text: what a file is, how its letters are encoded, what parts its columns. Never silently wrong.

A file is judged by its content, never by its name: plain text, gzip of plain text, or an Excel workbook. The encoding is
found by trial over the whole file and is shown to whoever takes it in; where none fits, the file is refused by name.
"""

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from performance.intake import workbook
from performance.intake.errors_file import is_errors_file, original
from performance.intake.spoilt import Spoilt
from teams.errors import Refused

CHUNK = 1 << 18
MOST_BYTES = 4 << 30  # of text, after unpacking
MOST_UNPACKED_TIMES = 300  # a gzip file that grows more than this is a bomb, once it is past MOST_FREE
MOST_FREE = 64 << 20
MOST_COLUMNS = 200
MOST_CELL = 100_000  # letters
DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "bar": "|", "space": " "}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "latin-1", "cp1251")
MARKUP = ("<?xml", "<svg", "<html", "<!doctype", "<!--", "<script", "{\\rtf", "%pdf")
csv.field_size_limit(MOST_CELL)


@dataclass
class Table:
    """A readable file: its header, and its rows as lists of text, numbered from 2 as a spreadsheet does."""

    header: tuple[str, ...]
    kind: str  # "text" or "xlsx"
    encoding: str
    delimiter: str  # a key of DELIMITERS, or "" for a workbook
    path: Path
    is_errors_file: bool = False  # our own file of refused rows: it comes back as the rows once were
    _sheet: "workbook.Sheet | None" = field(default=None, repr=False)
    copy: object = field(default=None, repr=False)  # held so that `path` stays, where it is a copy of the stored file

    def rows(self) -> Generator[list[str]]:
        """All rows after the header. Raises Refused for what spoils the rest of the file."""
        rows = self._sheet.rows() if self._sheet else _split(self.path, self.encoding, self.delimiter)
        with closing(rows):
            next(rows, None)
            yield from _mended(rows, len(self.header)) if self.is_errors_file else rows

    def sample(self, count: int) -> list[list[str]]:
        """The first rows, for people to look at."""
        shown: list[list[str]] = []
        with closing(self.rows()) as rows:
            for row in rows:
                if any(row):
                    shown.append([cell[:200] for cell in row])
                if len(shown) == count:
                    break
        return shown


def open_table(path: Path, *, encoding: str = "", delimiter: str = "") -> Table:
    """Look at the file and say how it is to be read; `encoding` and `delimiter` overrule the trial. Raises Refused."""
    with path.open("rb") as file:
        head = file.read(4096)
    if not head.strip():
        raise Refused("empty_file", _("The file is empty."))
    if head.startswith(b"PK\x03\x04"):
        sheet = workbook.open_sheet(path)
        return _table(_names(sheet.header), "xlsx", "", "", path, sheet)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise Refused("old_excel", _("This is an old Excel file (.xls). Save it as .xlsx or CSV and send that."))
    encoding = _known_encoding(path, encoding)
    text = _first_text(path, encoding)
    if text.lstrip("\ufeff \t\r\n").lower().startswith(MARKUP):
        raise Refused("not_a_table", _("This is not a table: the file is a page, a drawing or a document."))
    delimiter = _known_delimiter(text, delimiter)
    with closing(_split(path, encoding, delimiter)) as rows:
        first = next(rows, None)
    if first is None or isinstance(first, Spoilt):
        raise Refused("no_header", _("The first line must name the columns, and it cannot be read."))
    return _table(_names(first), "text", encoding, delimiter, path, None)


def _table(
    header: tuple[str, ...], kind: str, encoding: str, delimiter: str, path: Path, sheet: workbook.Sheet | None
) -> Table:
    again = is_errors_file(header)
    if again:
        header = tuple(original(name) for name in header[:-2])
    return Table(header, kind, encoding, delimiter, path, again, sheet)


def _mended(rows: Iterator[list[str]], width: int) -> Generator[list[str]]:
    for row in rows:
        if len(row) == width + 2 and not isinstance(row, Spoilt):
            yield [original(cell) for cell in row[:-2]]
        else:
            yield row if isinstance(row, Spoilt) or not row else Spoilt("columns", row)


# -- letters -----------------------------------------------------------------------------------------------------------


def _bytes_of(path: Path) -> Generator[bytes]:
    """The file's bytes in chunks, unpacked if it is gzip. Raises Refused for a bomb or a broken archive."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        source: BinaryIO = gzip.GzipFile(fileobj=file) if packed else file  # type: ignore[assignment]
        size, limit = path.stat().st_size, MOST_BYTES
        if packed:
            limit = min(MOST_BYTES, max(MOST_FREE, size * MOST_UNPACKED_TIMES))
        total = 0
        try:
            while chunk := source.read(CHUNK):
                total += len(chunk)
                if total > limit:
                    raise Refused("too_large", _("The file unpacks to more than is allowed. Send it in parts."))
                yield chunk
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Refused("broken_archive", _("The gzip file is broken or cut short. Send it again.")) from error


def _letters(path: Path, encoding: str) -> Generator[str]:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    for chunk in _bytes_of(path):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def _fits(path: Path, encoding: str) -> bool:
    try:
        for _text in _letters(path, encoding):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _known_encoding(path: Path, wish: str) -> str:
    """The encoding in which the whole file can be read, and plausibly so."""
    if wish:
        if wish not in ENCODINGS:
            raise Refused("unknown_encoding", _("The encoding %(name)s is not known.") % {"name": wish})
        if not _fits(path, wish):
            raise Refused("wrong_encoding", _("The file is not in the encoding %(name)s.") % {"name": wish})
        return wish
    head = next(_bytes_of(path), b"")[:4096]
    if head.startswith(codecs.BOM_UTF8):
        candidates = ["utf-8-sig"]
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        candidates = ["utf-16"]
    elif _zeros(head, 1) > max(2, len(head) // 16, 4 * _zeros(head, 0)):
        candidates = ["utf-16-le"]
    elif _zeros(head, 0) > max(2, len(head) // 16, 4 * _zeros(head, 1)):
        candidates = ["utf-16-be"]
    else:
        candidates = ["utf-8", "gb18030"]
    for candidate in candidates:
        if _fits(path, candidate) and (candidate != "gb18030" or _reads_as_chinese(path)):
            return candidate
    raise Refused(
        "unknown_encoding",
        _("The letters fit neither UTF-8 nor UTF-16 nor GBK. Save the file as UTF-8, or name its encoding."),
    )


def _zeros(head: bytes, parity: int) -> int:
    """How many bytes at even (0) or odd (1) places are zero: UTF-16 without a mark shows itself so."""
    return head[parity::2].count(0)


def _reads_as_chinese(path: Path) -> bool:
    """Whether what GBK makes of the bytes is mostly everyday Chinese: Western accents decode too, but to rare signs."""
    common = strange = 0
    for text in _letters(path, "gb18030"):
        for sign in {sign for sign in text if sign > "\x7f"}:
            code = sign.encode("gb18030")
            everyday = len(code) == 2 and (0xA1 <= code[0] <= 0xA9 or 0xB0 <= code[0] <= 0xD7) and code[1] >= 0xA1
            common, strange = common + everyday, strange + (not everyday)
    return common >= 4 * strange


def _first_text(path: Path, encoding: str) -> str:
    with closing(_letters(path, encoding)) as letters:
        return next(letters, "")[:65536]


# -- columns -----------------------------------------------------------------------------------------------------------


def _known_delimiter(text: str, wish: str) -> str:
    if wish:
        if wish not in DELIMITERS:
            raise Refused(
                "unknown_delimiter",
                _("The delimiter must be one of %(names)s.") % {"names": ", ".join(DELIMITERS)},
            )
        return wish
    lines = text.splitlines(keepends=True)[:-1][:50] or text.splitlines()[:1]
    best, best_score = "comma", (0.0, 0)
    for name in ("comma", "semicolon", "tab", "bar"):
        widths = [len(row) for row in csv.reader(lines, delimiter=DELIMITERS[name]) if row]
        if widths and widths[0] > 1:
            score = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
            if score > best_score:
                best, best_score = name, score
    if best_score == (0.0, 0):
        widths = [len(line.split()) for line in lines if line.strip()]
        if len(widths) > 1 and widths[0] > 1 and set(widths) == {widths[0]}:
            return "space"
    return best


class _Lines:
    """The lines of a text file for the csv module, remembering the last one and whether a NUL has been met."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.last = ""
        self.has_nul = False
        self._letters = _letters(path, encoding)

    def __iter__(self) -> Iterator[str]:
        rest = ""
        for text in self._letters:
            if "\0" in text:
                self.has_nul = True
            lines = list(io.StringIO(rest + text, newline=""))  # parts at \n, \r and \r\n only, and keeps them
            rest = lines.pop() if lines else ""
            if len(rest) > 64 * MOST_CELL:
                raise Refused("long_line", _("A line of the file is too long to be a row of a table."))
            for self.last in lines:
                yield self.last
        if rest:
            self.last = rest
            yield rest


def _split(path: Path, encoding: str, delimiter: str) -> Generator[list[str]]:
    lines = _Lines(path, encoding)
    if delimiter == "space":
        for line in lines:
            yield _without_nul(line.split()) if lines.has_nul else line.split()
        return
    reader = csv.reader(lines, delimiter=DELIMITERS[delimiter], strict=True)
    number = 0
    while True:
        number += 1
        try:
            for row in reader:
                yield _without_nul(row) if lines.has_nul else row
                number += 1
            return
        except csv.Error as error:
            reason = str(error)
            if "field larger" in reason or "unexpected end" in reason:
                raise Refused(
                    "open_quote",
                    _(
                        "From row %(row)d on the file cannot be split: a quotation mark is not closed, or a cell is longer "
                        "than %(most)d letters. Mend that row and send the file again."
                    )
                    % {"row": number, "most": MOST_CELL},
                ) from error
            line = lines.last.rstrip("\r\n")
            place = _cell_at_fault(line, DELIMITERS[delimiter]) if reader.line_num == number else None
            yield Spoilt("quotes", [line.replace("\0", "\u2400")], place)


def _cell_at_fault(line: str, sign: str) -> int | None:
    """Which cell of a row that begins with this line has text after its closing quotation mark; None if none has."""
    place = at = 0
    while at < len(line):
        if line[at] == '"':
            closing = re.compile(r'(?:[^"]|"")*"').match(line, at + 1)
            at = closing.end() if closing else len(line)
            if at < len(line) and line[at] != sign:
                return place
        else:
            at = line.find(sign, at) if sign in line[at:] else len(line)
        place, at = place + 1, at + 1
    return None


def _without_nul(row: list[str]) -> list[str]:
    place = next((place for place, cell in enumerate(row) if "\0" in cell), None)
    return row if place is None else Spoilt("nul", [cell.replace("\0", "\u2400") for cell in row], place)


def _names(cells: list[str]) -> tuple[str, ...]:
    """Column names one can tell apart: trimmed, empty ones numbered, repeated ones counted. Raises Refused."""
    if len(cells) > MOST_COLUMNS:
        raise Refused("too_many_columns", _("The file has more than %(most)d columns.") % {"most": MOST_COLUMNS})
    names: list[str] = []
    for number, cell in enumerate(cells, start=1):
        name = wanted = " ".join(cell.replace("\ufeff", "").replace("\0", "").split())[:120] or f"column {number}"
        count = 1
        while name in names:
            count += 1
            name = f"{wanted} ({count})"
        names.append(name)
    return tuple(names)
