"""State intervals from what agents did: between two contacts they were ready, and before and after their shift offline."""

from config.demo.floor import Seat
from config.demo.rows import StateRow


def states_of(seats: list[Seat], source: str, until: int) -> list[StateRow]:
    """The intervals of a day up to `until`, without gaps and overlaps; one that still runs has no end."""
    rows: list[StateRow] = []
    for seat in seats:
        name, at = seat.agent.extension, seat.arrives
        for begins, ends, base, reason in sorted(seat.log):
            if begins > at:
                rows.append(StateRow(source, name, "ready", "", at, begins))
            begins = max(begins, at)
            if ends > begins:
                rows.append(StateRow(source, name, base, reason, begins, ends))
                at = ends
        if seat.leaves > at:
            rows.append(StateRow(source, name, "ready", "", at, seat.leaves))
            at = seat.leaves
        rows.append(StateRow(source, name, "offline", "", at, None))
    return [
        row._replace(ended_at=None) if row.ended_at is not None and row.ended_at > until else row
        for row in rows
        if row.started_at <= until
    ]
