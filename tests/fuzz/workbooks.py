"""Workbooks made up from a seed, written part by part, so that each part can be wrong by itself."""

import io
import random
import zipfile
from collections.abc import Callable
from xml.sax.saxutils import escape

from tests.fuzz.deliveries import HEADER, TEXTS, Delivery, Draft, draft, spoil_cells

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
BROKEN = frozenset({"broken_workbook", "too_large", "no_header"})


def cell(text: str, reference: str = "") -> str:
    at = f' r="{reference}"' if reference else ""
    return f'<c{at} t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def sheet(rows: list[list[str]], *, prolog: str = "", extra: str = "") -> str:
    """A sheet of the rows below the names; a cell that begins with `<c` is markup already."""
    lines = "".join(
        f'<row r="{number}">{"".join(each if each.startswith("<c") else cell(each) for each in row)}</row>'
        for number, row in enumerate([list(HEADER), *rows], start=1)
    )
    return f'<?xml version="1.0"?>{prolog}<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData>{extra}</worksheet>'


def parts(first_sheet: str, sheets: int = 1) -> dict[str, str | bytes]:
    """What a workbook is made of."""
    numbers = range(1, sheets + 1)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    made: dict[str, str | bytes] = {
        "[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/><Default Extension="rels" ContentType='
        '"application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" ContentType='
        f'"{kind}.sheet.main+xml"/>'
        + "".join(
            f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{kind}.worksheet+xml"/>'
            for number in numbers
        )
        + "</Types>",
        "_rels/.rels": f'<?xml version="1.0"?><Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" Type="{OFFICE}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<?xml version="1.0"?><workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>'
        + "".join(f'<sheet name="S{number}" sheetId="{number}" r:id="rId{number}"/>' for number in numbers)
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<?xml version="1.0"?><Relationships xmlns="{RELATIONS}">'
        + "".join(
            f'<Relationship Id="rId{number}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{number}.xml"/>'
            for number in numbers
        )
        + "</Relationships>",
        "xl/worksheets/sheet1.xml": first_sheet,
    }
    for number in numbers[1:]:
        made[f"xl/worksheets/sheet{number}.xml"] = f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'
    return made


def archive(made: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in made.items():
            packed.writestr(name, content)
    return file.getvalue()


def book(made: Draft, what: str, content: bytes | None = None, **more: object) -> Delivery:
    content = archive(parts(sheet(made.cells))) if content is None else content
    return made.delivery(what, content, name="delivery.xlsx", **more)


def good_book(dice: random.Random) -> Delivery:
    return book(draft(dice), "workbook with nothing wrong")


def odd_cells(dice: random.Random) -> Delivery:
    made = draft(dice)
    done = spoil_cells(dice, made, plain=True)
    return book(made, f"workbook cells: {'; '.join(done)}")


def formulas(dice: random.Random) -> Delivery:
    """A formula counts as its stored value; without one its row is refused, at that cell."""
    made = draft(dice)
    place = dice.randrange(len(made.cells))
    if dice.random() < 0.5:
        made.cells[place][5] = "<c><f>HYPERLINK(1)</f></c>"
        made.refused.add((place + 2, "handle_seconds", "formula"))
    else:
        made.cells[place][5] = "<c><f>10*6</f><v>60</v></c>"
    return book(made, "formula")


def typed_cells(dice: random.Random) -> Delivery:
    """Numbers, switches, errors and dates as a workbook keeps them, at and beyond their edges."""
    made = draft(dice)
    place = dice.randrange(len(made.cells))
    markup, verdict = dice.choice((
        ("<c><v>60</v></c>", None), ("<c><v>1e308</v></c>", "not_a_duration"), ("<c><v>-1</v></c>", "not_a_duration"),
        ('<c t="b"><v>1</v></c>', "not_a_duration"), ('<c t="e"><v>#N/A</v></c>', "not_a_duration"), ("<c/>", None),
        ('<c t="str"><v>120</v></c>', None), ("<c><v>2.5</v></c>", None), ("<c><v>9e99</v></c>", "not_a_duration"),
    ))  # fmt: skip
    made.cells[place][5] = markup
    if verdict:
        made.refused.add((place + 2, "handle_seconds", verdict))
    return book(made, f"typed cell {markup}")


def odd_values(dice: random.Random) -> Delivery:
    """Values that no spreadsheet writes."""
    made = draft(dice)
    place, column = dice.randrange(len(made.cells)), dice.randrange(len(HEADER))
    markup = dice.choice((
        "<c><v>NaN</v></c>", "<c><v>INF</v></c>", '<c t="s"><v>999999</v></c>', '<c t="s"><v>-1</v></c>',
        '<c t="b"><v>maybe</v></c>', '<c t="d"><v>0001-01-01T00:00:00</v></c>', '<c t="d"><v>99999-01-01</v></c>',
        '<c t="zz"><v>1</v></c>', '<c s="9999"><v>45000</v></c>', '<c r="ZZZZ1"><v>1</v></c>', '<c r="A1048577"><v>1</v></c>',
        "<c><v>" + "9" * 5000 + "</v></c>", '<c r="XFD2"><v>1</v></c>', '<c t="inlineStr"/>', "<c><v></v></c>",
    ))  # fmt: skip
    made.cells[place][column] = markup
    return book(made, f"odd value {markup[:40]}", is_foreseen=False)


def dates(dice: random.Random) -> Delivery:
    """Days of a workbook are numbers with a style: also before the first day and beyond the last."""
    made = draft(dice)
    number = dice.choice(("-1", "0", "1", "60", "2958465", "2958466", "1e10", "46024.5", "1e300", "-700000"))
    for row in made.cells:
        row[1], row[2] = f'<c s="1"><v>{number}</v></c>', ""
    with_style = parts(sheet(made.cells))
    fills = dice.choice(("<fills><fill><patternFill/></fill></fills>", "<fills><fill/></fills>", ""))
    with_style["xl/styles.xml"] = (
        f'<styleSheet xmlns="{MAIN}"><fonts><font/></fonts>{fills}<borders><border/></borders>'
        '<cellStyleXfs><xf/></cellStyleXfs><cellXfs><xf/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
    )
    types = str(with_style["[Content_Types].xml"])
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"
    with_style["[Content_Types].xml"] = types.replace(
        "</Types>", f'<Override PartName="/xl/styles.xml" ContentType="{kind}"/></Types>'
    )
    return book(made, f"day number {number}", archive(with_style), is_foreseen=False)


def hostile(dice: random.Random) -> Delivery:
    """Entities, links, macros, strange names of parts, thousands of sheets, bombs."""
    made = draft(dice)
    whole = parts(sheet(made.cells))
    match dice.randrange(10):
        case 0:
            whole["xl/worksheets/sheet1.xml"] = sheet(made.cells, prolog=ENTITY).replace("sales", "&a;")
            return book(made, "external entity", archive(whole), whole=BROKEN)
        case 1:
            whole["xl/worksheets/sheet1.xml"] = sheet(made.cells, prolog=LAUGHS).replace("</row>", "&c;</row>", 1)
            return book(made, "entities that grow", archive(whole), whole=BROKEN)
        case 2:
            whole["xl/vbaProject.bin"] = dice.randbytes(3000)
            return book(made, "macro", archive(whole))
        case 3:
            link = f'<hyperlinks><hyperlink xmlns:r="{OFFICE}" ref="A1" r:id="rId9"/></hyperlinks>'
            whole["xl/worksheets/sheet1.xml"] = sheet(made.cells, extra=link)
            whole["xl/worksheets/_rels/sheet1.xml.rels"] = (
                f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId9" Type="{OFFICE}/hyperlink" '
                'Target="http://127.0.0.1:9/" TargetMode="External"/></Relationships>'
            )
            return book(made, "link to the outside", archive(whole))
        case 4:
            whole["../../../../tmp/evil.xml"] = "x"
            return book(made, "part named as a path", archive(whole))
        case 5:
            return book(made, "3,000 sheets", archive(parts(sheet(made.cells), 3000)), whole=BROKEN)
        case 6:
            strings = f'<sst xmlns="{MAIN}"><si><t>{"0" * (50 << 20)}</t></si></sst>'
            return book(
                made, "shared strings of 50 MB", archive(whole | {"xl/sharedStrings.xml": strings}), whole=BROKEN
            )
        case 7:
            big = sheet(made.cells).encode() + b" " * (40 << 20)
            return book(made, "sheet that grows", archive(whole | {"xl/worksheets/sheet1.xml": big}), whole=BROKEN)
        case 8:
            made.cells[-1][8] = "x" * 1_200_000
            made.refused.add((len(made.cells) + 1, "rating_comment", "too_long"))
            return book(made, "cell of 1.2 MB")
        case _:
            last = f'<row r="9000">{cell("x")}</row>'
            whole["xl/worksheets/sheet1.xml"] = sheet(made.cells).replace("</sheetData>", last + "</sheetData>")
            made.refused.add((9000, "opened_at", "missing"))
            return book(made, "row far below the others", archive(whole), rows=len(made.cells) + 1)


def torn(dice: random.Random) -> Delivery:
    """An archive cut short, with a part missing, with bytes turned, or whose list lies about sizes."""
    made = draft(dice)
    content = archive(parts(sheet(made.cells)))
    match dice.randrange(4):
        case 0:
            return book(made, "cut short", content[: dice.randrange(30, len(content) - 30)], whole=BROKEN)
        case 1:
            whole = parts(sheet(made.cells))
            name = dice.choice([name for name in whole if name != "_rels/.rels"])
            del whole[name]
            return book(made, f"without {name}", archive(whole), whole=BROKEN)
        case 2:
            whole = parts(sheet(made.cells))
            name = dice.choice(list(whole))
            text = str(whole[name])
            at = dice.randrange(len(text))
            whole[name] = text[:at] + dice.choice(("<", ">", "&", "\x01", '"', "</x>", "")) + text[at + 1 :]
            return book(made, f"sign turned in {name}", archive(whole), is_foreseen=False)
        case _:
            turned = bytearray(content)
            for _time in range(dice.randint(1, 5)):
                turned[dice.randrange(4, len(turned))] = dice.randrange(256)
            return book(made, "bytes turned", bytes(turned), is_foreseen=False)


BOOKS: tuple[tuple[int, Callable[[random.Random], Delivery]], ...] = (
    (8, good_book), (20, odd_cells), (10, formulas), (14, typed_cells), (14, odd_values), (8, dates), (10, hostile),
    (16, torn),
)  # fmt: skip


def deal(dice: random.Random) -> Delivery:
    """One delivery: seven text files to three workbooks."""
    kinds = TEXTS if dice.random() < 0.7 else BOOKS
    weights = [weight for weight, _maker in kinds]
    return dice.choices([maker for _weight, maker in kinds], weights)[0](dice)
