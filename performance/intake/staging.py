"""Rows of text to PostgreSQL: one COPY into a temporary table of text columns, numbered as in the file."""

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from performance.intake.spoilt import Spoilt

ROWS_A_WRITE = 2000
ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


def stage(
    cursor: Any,
    names: Sequence[str],
    rows: Iterable[list[str]],
    secrets: Sequence[tuple[int, Callable[[str], str]]],
    *,
    first: int = 2,
    sealing: Callable[[list[str]], str] | None = None,
) -> int:
    """Fill `intake_staged` (c0 .., n, spoilt, raw) and return how many rows came, blank lines not counted.

    With `sealing` there is a further column `sealed`: what it makes of the row's cells before they are replaced.

    `names` are what refusals call the columns, `first` is the number of the first row. Cells named in `secrets` are
    replaced on the way. A row that cannot be read keeps field and code in `spoilt` and its cells, as JSON, in `raw`.
    Empty cells are NULL.
    """
    width = len(names)
    columns = ", ".join(f"c{number} text" for number in range(width))
    cursor.execute(f"CREATE TEMPORARY TABLE intake_staged ({columns}, n integer, spoilt text, raw text) ON COMMIT DROP")
    wide = width + 3
    if sealing is not None:
        cursor.execute("ALTER TABLE intake_staged ADD sealed text")
        wide += 1
    count = 0
    batch: list[list[str]] = []
    with cursor.copy("COPY intake_staged FROM STDIN WITH (FORMAT text, NULL '')") as copy:
        for number, row in enumerate(rows, start=first):
            if row.__class__ is list and len(row) == width:
                if not row[0] and not any(row):
                    continue
                sealed = sealing(row) if sealing is not None else ""
                for place, keyed in secrets:
                    if row[place]:
                        row[place] = keyed(row[place])
                row += (str(number), "", "") if sealing is None else (str(number), "", "", sealed)
                batch.append(row)
            elif row:
                batch.append(_unreadable(number, row, names, secrets) + [""] * (wide - width - 3))
            if len(batch) == ROWS_A_WRITE:
                count += len(batch)
                copy.write(_block(batch, wide))
                batch.clear()
        count += len(batch)
        copy.write(_block(batch, wide))
    return count


def _block(batch: list[list[str]], width: int) -> str:
    """The rows as COPY wants them. Most need no escaping, and that is seen by counting."""
    block = "\n".join(map("\t".join, batch))
    rows = len(batch)
    is_plain = block.count("\t") == rows * (width - 1) and block.count("\n") == max(0, rows - 1)
    if not is_plain or "\\" in block or "\r" in block:
        block = "\n".join("\t".join([cell.translate(ESCAPES) for cell in row]) for row in batch)
    return block + "\n" if batch else ""


def _unreadable(
    number: int, row: list[str], names: Sequence[str], secrets: Sequence[tuple[int, Callable[[str], str]]]
) -> list[str]:
    """A row of the wrong width or one that cannot be read. All its long digits may be secret, so they are keyed or hidden."""
    width, code = len(names), "columns"
    field = _called(names, min(len(row), width))
    if isinstance(row, Spoilt) and row.code != "columns":
        code, field = row.code, "" if row.place is None else _called(names, row.place)
    cells = list(row)
    if secrets and len(cells) != width:
        cells = ["…"] if isinstance(row, Spoilt) else _shifted(cells, secrets)
    else:
        for place, keyed in secrets:
            cells[place] = keyed(cells[place])
    cells = [cell.encode(errors="replace").decode() for cell in cells]
    return [*[""] * width, str(number), f"{field}\x1f{code}", json.dumps(cells, ensure_ascii=False)]


def _called(names: Sequence[str], place: int) -> str:
    """What a refusal calls the column at `place`, also beyond the line of names."""
    return names[place] if place < len(names) else f"column {place + 1}"


def _shifted(cells: list[str], secrets: Sequence[tuple[int, Callable[[str], str]]]) -> list[str]:
    """With a cell too many or too few nobody knows which one is the secret: every cell from the first secret on is hidden."""
    first = min(place for place, _keyed in secrets) - 1
    return [cell if place < first else "…" for place, cell in enumerate(cells)]
