"""The statement of a month as a PDF: A4, every line, sums at the end, page numbers. Letters are those every reader of PDF has:
Helvetica, and the built-in STSong-Light as soon as a word of the file needs more than Helvetica knows.
"""

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from incentives.models import Entry
from incentives.reports.months import MonthPage, Told
from incentives.words import money

LATIN, CHINESE = "Helvetica", "STSong-Light"
MARGIN = 16 * mm
WIDTHS = tuple(share * (A4[0] - 2 * MARGIN) for share in (0.2, 0.11, 0.11, 0.13, 0.07, 0.16, 0.22))
NUMBERS_FROM, NUMBERS_TO = 1, 5  # columns that are set to the right
INK, RULE, SHADE = colors.HexColor("#1c2733"), colors.HexColor("#c6ced6"), colors.HexColor("#eef2f4")
Cells = list[str]


def statement_file(page: MonthPage, made_at: datetime) -> bytes:
    """The file, in the language of whoever asks. `made_at` is on the reader's clock."""
    agent, month = page.statement.agent, page.statement.month.first
    title = _("Statement of incentives, %(month)s") % {"month": date_format(month, "YEAR_MONTH_FORMAT")}
    head = [f"{agent.name} · {agent.number}", *page.plans]
    made = _("Made on %(moment)s") % {"moment": date_format(made_at, "DATETIME_FORMAT")}
    tables = list(_tables(page))
    font = _font(title, made, *head, *(cell for _name, rows in tables for row in rows for cell in row))
    styles = {
        name: ParagraphStyle(name, fontName=font, fontSize=size, leading=size * 1.35, textColor=INK, wordWrap="CJK")
        for name, size in (("title", 16), ("part", 11), ("text", 9), ("cell", 8))
    }
    story: list[Flowable] = [Paragraph(escape(title), styles["title"]), Spacer(1, 2 * mm)]
    story += [Paragraph(escape(words), styles["text"]) for words in (*head, made)]
    if page.is_empty:
        story += [Spacer(1, 6 * mm), Paragraph(escape(_("Nothing is counted for this month.")), styles["text"])]
    for name, rows in tables:
        story += [Spacer(1, 5 * mm), Paragraph(escape(name), styles["part"]), Spacer(1, 1.5 * mm)]
        story.append(_table(rows, styles["cell"], font))
    body = io.BytesIO()
    SimpleDocTemplate(
        body, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=MARGIN, bottomMargin=18 * mm, title=title,
        author="Outpost", subject=head[0],
    ).build(story, canvasmaker=_numbered(font))  # fmt: skip
    return body.getvalue()


def _font(*texts: str) -> str:
    try:
        "".join(texts).encode("cp1252")
    except UnicodeEncodeError:
        pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
        return CHINESE
    return LATIN


def _tables(page: MonthPage) -> Iterable[tuple[str, list[Cells]]]:
    """Each part of the statement by its name; the first row of a part is its head."""
    header = [_("Day"), _("Done"), _("Target"), _("Attainment"), _("Tier"), _("Amount"), _("Note")]
    if page.rows:
        yield _("Lines"), [header, *(_line(told) for told in page.rows)]
    if page.corrections:
        yield _("Differences for earlier months"), [header, *(_line(told) for told in page.corrections)]
    if page.statement.caps:
        yield _("Cap"), [_short(_cap_words(cap), cap.amount, cap.currency) for cap in page.statement.caps]
    sums = [_short(_("Sum"), amount, currency) for currency, amount in page.statement.sums.items()]
    held = [
        _short(_("Waits until the data is final"), amount, currency)
        for currency, amount in page.statement.withheld.items()
    ]
    if sums or held:
        yield _("Sums"), [*sums, *held]


def _line(told: Told) -> Cells:
    row = told.row
    days = date_format(row.begins, "SHORT_DATE_FORMAT")
    if row.ends != row.begins:
        days += f" – {date_format(row.ends, 'SHORT_DATE_FORMAT')}"
    amount = "–" if row.lack else f"{money(row.amount)} {told.currency}"
    return [days, told.done, told.target, row.attained, str(row.reached or "–"), amount, "; ".join(_notes(told))]


def _notes(told: Told) -> Iterable[str]:
    if told.row.lack:
        yield told.row.lack
    if told.missed:
        yield _("not met: %(gates)s") % {"gates": told.missed}
    if told.row.withheld:
        yield _("%(amount)s waits") % {"amount": money(told.row.withheld)}
    if told.is_put_right:
        yield _("put right since it was first posted")


def _cap_words(cap: Entry) -> str:
    if cap.kind == Entry.Kind.CARRIED:
        return _("Carried over from %(month)s") % {"month": date_format(cap.begins, "YEAR_MONTH_FORMAT")}
    return _("Over the cap")


def _short(words: str, amount: Decimal, currency: str) -> Cells:
    return [words, "", "", "", "", f"{money(amount)} {currency}", ""]


def _table(rows: Sequence[Cells], style: ParagraphStyle, font: str) -> Table:
    """Words wrap; amounts and counts stand to the right; the head comes again on each page."""
    last = len(WIDTHS) - 1
    has_head = bool(rows[0][1])
    cells = [
        [
            Paragraph(escape(text), style) if place in (0, last) and text and not (has_head and number == 0) else text
            for place, text in enumerate(row)
        ]
        for number, row in enumerate(rows)
    ]
    look: list[Any] = [
        ("FONT", (0, 0), (-1, -1), font, style.fontSize),
        ("TEXTCOLOR", (0, 0), (-1, -1), INK),
        ("ALIGN", (NUMBERS_FROM, 0), (NUMBERS_TO, -1), "RIGHT"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
    ]
    if has_head:
        look.append(("BACKGROUND", (0, 0), (-1, 0), SHADE))
    else:
        look.append(("SPAN", (0, 0), (NUMBERS_TO - 1, 0)))
        look += [("SPAN", (0, number), (NUMBERS_TO - 1, number)) for number in range(1, len(rows))]
    return Table(cells, colWidths=WIDTHS, repeatRows=1 if has_head else 0, style=TableStyle(look))


def _numbered(font: str) -> type[Canvas]:
    """A canvas that writes "Page 1 of 3" once it knows how many there are."""

    class Numbered(Canvas):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._done: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._done.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, state in enumerate(self._done, 1):
                self.__dict__.update(state)
                self.setFont(font, 8)
                words = pgettext("paper", "Page %(number)d of %(pages)d") % {
                    "number": number,
                    "pages": len(self._done),
                }
                self.drawRightString(A4[0] - MARGIN, 9 * mm, words)
                super().showPage()
            super().save()

    return Numbered
