"""Deliveries made up from a seed: good files with one thing wrong, and what has to come of each.

Every file starts from good rows. What is then done to it is told beside it: which rows must be refused at which field, or
with which codes the file may be refused as a whole. Where nobody can foresee it (bytes turned at random), that is said.
"""

import csv
import gzip
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

HEADER = ("id", "opened", "ended", "agent", "queue", "handle", "answered", "rating", "remark", "phone")
MAPPING = {
    "layout": "contacts",
    "fields": {
        "external_id": "id", "opened_at": "opened", "ended_at": "ended", "agent": "agent", "queue": "queue",
        "handle_seconds": "handle", "is_answered": "answered", "rating": {"column": "rating", "scale": 5},
        "rating_comment": "remark", "phone": "phone",
    },
}  # fmt: skip
PHONE = "139777"  # the numbers begin so; what is kept of one has stars from the fourth digit on

# What a cell may hold instead, by column: the cell, and the field and code of its refusal (None: it is taken).
Verdict = tuple[str, str] | None
CELLS: dict[str, tuple[tuple[str, Verdict], ...]] = {
    "id": (
        ("", ("external_id", "missing")), (" \t ", ("external_id", "missing")), ("x" * 121, ("external_id", "too_long")),
        ("a\nb", ("external_id", "sign")), ("a\x07b", ("external_id", "sign")),
        ("=1+1", None), ("@SUM(A1)", None), ("+1-1", None), ("'; DROP TABLE teams_team; --", None), ("😀", None),
    ),
    "opened": (
        ("", ("opened_at", "missing")), ("noon", ("opened_at", "not_a_moment")), ("NaN", ("opened_at", "not_a_moment")),
        ("0001-01-01 00:00:00", ("opened_at", "year")), ("9999-12-31 23:59:59", ("opened_at", "year")),
        ("2026-02-30 10:00:00", ("opened_at", "no_such_day")), ("=NOW()", ("opened_at", "not_a_moment")),
        ("٢٠٢٦-01-02 03:04:05", ("opened_at", "not_a_moment")), ("2026-01-02T03:04:05Z", None),
        ("-infinity", ("opened_at", "not_a_moment")), ("2026-01-02 25:00:00", ("opened_at", "not_a_moment")),
    ),
    "ended": (
        ("1991-01-01 00:00:00", ("ended_at", "ends_before_opening")), ("infinity", ("ended_at", "not_a_moment")),
        ("", None), ("2026-01-02 03:04:60", ("ended_at", "not_a_moment")), ("10000-01-01", ("ended_at", "not_a_moment")),
    ),
    "agent": (
        ("x" * 201, ("agent", "too_long")), ("=cmd|' /C calc'!A0", None), ("@x", None), ("", None), ("\u202egnirts", None),
        ("Robert\\N\\.", None), ("x" * 200, None),
    ),
    "queue": (("x" * 201, ("queue", "too_long")), ("-2+3", None), ("热线\\t", None)),
    "handle": (
        ("NaN", ("handle_seconds", "not_a_duration")), ("-5", ("handle_seconds", "not_a_duration")),
        ("1e9", ("handle_seconds", "not_a_duration")), ("99999999999", ("handle_seconds", "not_a_duration")),
        ("2147483648", ("handle_seconds", "not_a_duration")), ("Infinity", ("handle_seconds", "not_a_duration")),
        ("1:02:03", None), ("12,5", None), ("", None), ("１２", ("handle_seconds", "not_a_duration")),
    ),
    "answered": (("perhaps", ("is_answered", "not_yes_or_no")), ("否", None), ("", None), ("TRUE", None)),
    "rating": (
        ("6", ("rating", "not_a_rating")), ("-1", ("rating", "not_a_rating")), ("nan", ("rating", "not_a_rating")),
        ("4,5", None), ("0", ("rating", "not_a_rating")), ("", None),
    ),
    "remark": (
        ("x" * 4001, ("rating_comment", "too_long")), ("x" * 60_000, ("rating_comment", "too_long")),
        ("first\nsecond", None), ('he said ""', None), ("<script>alert(1)</script>", None), ("\\\\.\\n", None), ("'=x", None),
    ),
    "phone": (("", None), ("unknown", None), ("+86 138-0000", None), ("keyed:zz", None)),
}  # fmt: skip


@dataclass(frozen=True)
class Delivery:
    """A file and what has to come of it.

    `refused` are (row, field, code); `whole` the codes with which the file may be refused as a whole, at `at_row` if that
    has to be named. `is_foreseen` is False where only the general promises can be checked.
    """

    what: str
    content: bytes
    name: str = "delivery.csv"
    rows: int = 0
    refused: frozenset[tuple[int, str, str]] = frozenset()
    repeated: int = 0
    whole: frozenset[str] = frozenset()
    at_row: int = 0
    is_foreseen: bool = True


@dataclass
class Draft:
    """Rows on their way to a file; row numbers are those of a spreadsheet."""

    cells: list[list[str]]
    refused: set[tuple[int, str, str]] = field(default_factory=set)

    def delivery(self, what: str, content: bytes, **more: object) -> Delivery:
        made = Delivery(what, content, rows=len(self.cells), refused=frozenset(self.refused))
        return replace(made, **more)  # type: ignore[arg-type]


def draft(dice: random.Random, least: int = 4, most: int = 16) -> Draft:
    """Good rows, each with an id of its own."""
    rows = []
    for number in range(dice.randint(least, most)):
        opened = datetime(2026, 1, 2, 8) + timedelta(minutes=dice.randint(0, 40_000))  # noqa: DTZ001 (text of a source)
        seconds = dice.randint(10, 3000)
        rows.append([
            f"{dice.randint(1, 9)}-{number}", f"{opened:%Y-%m-%d %H:%M:%S}",
            f"{opened + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}", dice.choice(("ann", "bob", "张伟")),
            dice.choice(("sales", "售后热线")), str(seconds), dice.choice("YN"), str(dice.randint(1, 5)),
            dice.choice(("", "很好，谢谢", "thank you")), f"{PHONE}{dice.randint(0, 99999):05}",
        ])  # fmt: skip
    return Draft(rows)


def text_of(rows: list[list[str]], *, sign: str = ",", end: str = "\n", quoting: int = csv.QUOTE_MINIMAL) -> str:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=sign, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([list(HEADER), *rows])
    return file.getvalue()


def written(dice: random.Random, rows: list[list[str]]) -> bytes:
    """The rows in one of the ways that are read without asking."""
    sign, end = dice.choice(",,,;\t|"), dice.choice(("\n", "\r\n"))
    text = text_of(rows, sign=sign, end=end, quoting=dice.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)))
    content = text.encode(dice.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16")))
    return gzip.compress(content) if dice.random() < 0.1 else content


def spoil_cells(dice: random.Random, made: Draft, *, plain: bool = False) -> list[str]:
    """Put cells from the list above into some rows, one into each, so that what follows is known.

    `plain` leaves out signs that no workbook holds.
    """
    done = []
    for place in dice.sample(range(len(made.cells)), dice.randint(1, 3)):
        column = dice.choice(HEADER)
        cell, verdict = dice.choice([each for each in CELLS[column] if not (plain and "\x07" in each[0])])
        made.cells[place][HEADER.index(column)] = cell
        if column == "id" and verdict is None:
            made.cells[place][0] = f"{cell}{place}"
        if column == "opened" and verdict is None:
            made.cells[place][2] = ""
        if verdict:
            made.refused.add((place + 2, *verdict))
        done.append(f"{column} {cell[:20]!r}")
    return done


# -- text files --------------------------------------------------------------------------------------------------------


def odd_cells(dice: random.Random) -> Delivery:
    made = draft(dice)
    done = spoil_cells(dice, made)
    return made.delivery(f"cells: {'; '.join(done)}", written(dice, made.cells))


def good(dice: random.Random) -> Delivery:
    made = draft(dice)
    return made.delivery("nothing wrong", written(dice, made.cells))


def ragged(dice: random.Random) -> Delivery:
    made = draft(dice)
    place = dice.randrange(len(made.cells))
    if dice.random() < 0.5:
        made.cells[place] = made.cells[place][: dice.randint(1, len(HEADER) - 1)]
        names = dict(zip(HEADER, _fields(), strict=True))
        told = names[HEADER[len(made.cells[place])]]
    else:
        made.cells[place] += ["more"] * dice.randint(1, 5)
        told = f"column {len(HEADER) + 1}"
    made.refused.add((place + 2, told, "columns"))
    return made.delivery("ragged row", text_of(made.cells).encode())


def _fields() -> list[str]:
    fields: dict[str, object] = MAPPING["fields"]  # type: ignore[assignment]
    names = {(rule["column"] if isinstance(rule, dict) else rule): name for name, rule in fields.items()}
    return [names[column] for column in HEADER]


def nul(dice: random.Random) -> Delivery:
    made = draft(dice)
    place, column = dice.randrange(len(made.cells)), dice.randrange(len(HEADER))
    cell = made.cells[place][column]
    at = dice.randint(0, len(cell))
    made.cells[place][column] = cell[:at] + "\0" + cell[at:]
    made.refused.add((place + 2, _fields()[column], "nul"))
    return made.delivery("NUL", text_of(made.cells).encode())


def quotes(dice: random.Random) -> Delivery:
    """Text after a closing quotation mark spoils its row; one that never closes spoils the rest of the file."""
    made = draft(dice)
    place, column = dice.randrange(len(made.cells)), dice.randrange(len(HEADER))
    lines = text_of(made.cells).split("\n")
    cells = lines[place + 1].split(",")
    if dice.random() < 0.5:
        cells[column] = '"d"e'
        lines[place + 1] = ",".join(cells)
        made.refused.add((place + 2, _fields()[column], "quotes"))
        return made.delivery("text after a quotation mark", "\n".join(lines).encode())
    cells[column] = '"' + cells[column]
    lines[place + 1] = ",".join(cells)
    codes = frozenset({"open_quote"})
    return made.delivery("open quotation mark", "\n".join(lines).encode(), whole=codes, at_row=place + 2)


def huge_cell(dice: random.Random) -> Delivery:
    """A cell beyond all measure, which looks like a quotation mark that was never closed."""
    made = draft(dice)
    place, column = dice.randrange(len(made.cells)), dice.randrange(len(HEADER))
    made.cells[place][column] = dice.choice("x数 ") * dice.choice((120_000, 1_100_000))
    codes = frozenset({"open_quote", "long_line"})
    return made.delivery("huge cell", text_of(made.cells).encode(), whole=codes, at_row=place + 2)


def blanks_and_repeats(dice: random.Random) -> Delivery:
    """Blank lines count as rows of the sheet but hold nothing; a row that comes twice counts once."""
    made = draft(dice)
    lines = text_of(made.cells).rstrip("\n").split("\n")
    again = dice.randint(1, 3)
    lines += [dice.choice(lines[1:]) for _time in range(again)]
    lines.insert(dice.randint(1, len(lines)), "")
    return made.delivery(
        "blank and repeated rows", ("\n".join(lines) + "\n").encode(), rows=len(made.cells) + again, repeated=again
    )


def encodings(dice: random.Random) -> Delivery:
    """Every way to write Chinese that is promised; Western accents are refused by name, never read as something else."""
    made = draft(dice)
    made.cells[0][3], made.cells[0][8] = "王芳", "服务态度非常好，问题很快得到解决"
    text = text_of(made.cells)
    name = dice.choice(
        ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gbk", "gb18030", "cp1252", "latin-1")
    )
    if name not in ("cp1252", "latin-1"):
        return made.delivery(f"encoding {name}", text.encode(name))
    for row in made.cells:
        row[3], row[4], row[8] = dice.choice(("Zoë", "Mélanie", "Jürgen")), "Téléphonie", "très bien, déjà réglé"
    return made.delivery(f"encoding {name}", text_of(made.cells).encode(name), whole=frozenset({"unknown_encoding"}))


def mixed_encodings(dice: random.Random) -> Delivery:
    """Parts in different encodings, halves of letters, half surrogates: nothing of it may be guessed."""
    made = draft(dice)
    content = text_of(made.cells).encode()
    odd = dice.choice((
        "服务".encode("gbk") + "é".encode("cp1252"), b"\xed\xa0\x80", b"\xff\xfe\xfa", b"\xc3", b"\xf5\x80\x80\x80",
        "服务".encode("utf-16-le"), b"\xc0\xaf", bytes([0x80 + dice.randrange(128)]),
    ))  # fmt: skip
    at = dice.randrange(content.index(b"\n") + 1, len(content))
    return made.delivery(f"bytes {odd!r} within", content[:at] + odd + content[at:], is_foreseen=False)


def headers(dice: random.Random) -> Delivery:
    """The line of names: lacking, repeated, empty, far too many, in another order."""
    made = draft(dice)
    lines = text_of(made.cells).split("\n")
    match dice.randrange(6):
        case 0:
            column = dice.choice(HEADER)
            lines[0] = lines[0].replace(column, f"{column}x", 1)
            return made.delivery("a column is missing", "\n".join(lines).encode(), whole=frozenset({"missing_column"}))
        case 1:
            lines = [f"{line},{line.split(',')[0]}" if line else line for line in lines]  # the id a second time
            return made.delivery("a column stands there twice", "\n".join(lines).encode())
        case 2:
            codes = frozenset({"no_header", "missing_column"})
            return made.delivery("no line of names", "\n".join(lines[1:]).encode(), whole=codes)
        case 3:
            wide = ",".join([lines[0], *(f"c{number}" for number in range(300))])
            return made.delivery("300 columns", wide.encode(), whole=frozenset({"too_many_columns"}))
        case 4:
            return Delivery("names and no rows", lines[0].encode())
        case _:
            names = lines[0].replace("opened", "\0opened")
            return made.delivery("NUL in the names", "\n".join([names, *lines[1:]]).encode(), is_foreseen=False)


def no_table(dice: random.Random) -> Delivery:
    content, codes = dice.choice((
        (b"", {"empty_file"}), (b" \n\t ", {"empty_file"}), (b"\xef\xbb\xbf", {"no_header"}), (b"\xff\xfe", {"no_header"}),
        (b"<?xml version='1.0'?><svg onload='x'/>", {"not_a_table"}), (b"<!DOCTYPE html><p>", {"not_a_table"}),
        (b"%PDF-1.7\n1", {"not_a_table"}), (b"{\\rtf1 x}", {"not_a_table"}), (b"\0" * 5000, set()),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, {"old_excel"}), (b"PK\x05\x06" + b"\0" * 18, set()),
        (b"\x1f\x8b", {"broken_archive"}), (b"GIF89a\x01\0\x01\0;<script>", set()), (b"\x7fELF" + bytes(range(256)), set()),
    ))  # fmt: skip
    return Delivery(f"no table: {content[:12]!r}", content, whole=frozenset(codes), is_foreseen=bool(codes))


def packed(dice: random.Random) -> Delivery:
    """Gzip: cut short, broken, packed twice, or a bomb."""
    made = draft(dice)
    content = gzip.compress(text_of(made.cells).encode())
    match dice.randrange(4):
        case 0:
            cut = content[: dice.randrange(12, len(content) - 9)]
            return made.delivery("gzip cut short", cut, whole=frozenset({"broken_archive"}))
        case 1:
            at = dice.randrange(len(content))
            content = content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]
            return made.delivery("a bit of the gzip turned", content, is_foreseen=False)
        case 2:
            return made.delivery("gzip of gzip", gzip.compress(content), is_foreseen=False)
        case _:
            bomb = gzip.compress(text_of(made.cells).encode() + b"0" * (70 << 20), compresslevel=1)
            return made.delivery("gzip bomb", bomb, whole=frozenset({"too_large", "long_line"}))


def turned_bytes(dice: random.Random) -> Delivery:
    """A good file with bytes turned, cut out, doubled or moved."""
    made = draft(dice)
    content = bytearray(text_of(made.cells).encode(dice.choice(("utf-8", "utf-16", "gb18030"))))
    for _time in range(dice.randint(1, 6)):
        at, to = sorted((dice.randrange(len(content)), dice.randrange(len(content))))
        match dice.randrange(4):
            case 0:
                content[at] = dice.randrange(256)
            case 1 if to - at < len(content) // 2:
                del content[at:to]
            case 2:
                content[at:at] = content[at : min(to, at + 200)]
            case _:
                content[at:at] = dice.randbytes(dice.randint(1, 4))
        if not content:
            break
    return made.delivery("bytes turned", bytes(content), is_foreseen=False)


TEXTS: tuple[tuple[int, Callable[[random.Random], Delivery]], ...] = (
    (24, odd_cells), (5, good), (9, ragged), (9, nul), (9, quotes), (3, huge_cell), (5, blanks_and_repeats),
    (10, encodings), (10, mixed_encodings), (8, headers), (5, no_table), (3, packed), (14, turned_bytes),
)  # fmt: skip
