"""The time line of an agent: read as pieces, written in one place.

`put` is the only writer. It replaces what stands in a window, leaves the rest, and joins neighbours that say the same, so that
taking a change back gives the line that was there before it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from approvals.models import StatusSpan
from approvals.plain.timeline import Piece, cut, joined


def piece_of(row: StatusSpan) -> Piece:
    return Piece(
        row.span.lower, row.span.upper, row.team_id, row.base, row.reason_id, row.back_at, row.source, row.confidence,
        row.request_id, row.by_id, row.note,
    )  # fmt: skip


def _row_of(piece: Piece, agent: int) -> StatusSpan:
    return StatusSpan(
        agent_id=agent, team_id=piece.team, base=piece.base, reason_id=piece.reason,
        span=DateTimeTZRange(piece.since, piece.until), back_at=piece.back_at, source=piece.source,
        confidence=piece.confidence, request_id=piece.request, by_id=piece.by, note=piece.note,
    )  # fmt: skip


def pieces(agent: int, since: datetime, until: datetime | None) -> list[Piece]:
    """What stands between two moments, cut to them, in order."""
    rows = StatusSpan.objects.filter(agent=agent).during(since, until)
    return cut((piece_of(row) for row in rows), since, until)


def put(agent: int, since: datetime, until: datetime | None, made: Sequence[Piece]) -> None:
    """Let the line be `made` between two moments. The caller holds the agent."""
    window = DateTimeTZRange(since, until)
    touched = Q(span__overlap=window) | Q(span__adjacent_to=window)
    rows = list(StatusSpan.objects.select_for_update().filter(touched, agent=agent).order_by("span"))
    wanted = list(made)
    for row in rows:
        whole = piece_of(row)
        if whole.since < since and (before := whole.within(whole.since, since)) is not None:
            wanted.append(before)
        if until is not None and (after := whole.within(until, None)) is not None:
            wanted.append(after)
    _write(agent, rows, joined(wanted))


def _write(agent: int, rows: Sequence[StatusSpan], wanted: Sequence[Piece]) -> None:
    """Bring the rows to what is wanted. A row that goes on saying the same stays; all first let go of the room of others, then
    take their own, so that on the way none overlaps."""
    kept: list[tuple[StatusSpan, Piece]] = []
    fresh: list[Piece] = []
    free = list(rows)
    for piece in wanted:
        row = next((each for each in free if _carries(each, piece)), None)
        if row is None:
            fresh.append(piece)
        else:
            free.remove(row)
            kept.append((row, piece))
    StatusSpan.objects.filter(pk__in=[row.pk for row in free]).delete()
    for row, piece in kept:
        shared = piece.within(row.span.lower, row.span.upper)
        if shared is not None:
            _stretch(row, shared)
    for row, piece in kept:
        _stretch(row, piece)
    StatusSpan.objects.bulk_create(_row_of(piece, agent) for piece in fresh)


def _carries(row: StatusSpan, piece: Piece) -> bool:
    own = piece_of(row)
    return own.says_as(piece) and piece.within(own.since, own.until) is not None


def _stretch(row: StatusSpan, piece: Piece) -> None:
    if (row.span.lower, row.span.upper) != (piece.since, piece.until):
        row.span = DateTimeTZRange(piece.since, piece.until)
        row.save(update_fields=["span"])
