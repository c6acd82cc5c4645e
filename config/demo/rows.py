"""Facts in normal form, as a source would deliver them: its own names of agents and queues, moments in seconds UTC."""

from typing import NamedTuple


class ContactRow(NamedTuple):
    """One contact; the fields are those of `performance.models.Contact`. `customer` is a telephone number or address."""

    source: str
    external_id: str
    channel: str
    queue: str
    agent: str
    topic: str
    complexity: str
    opened_at: int
    assigned_at: int | None
    first_reply_at: int | None
    ended_at: int | None
    wait_seconds: int | None
    first_reply_seconds: int | None
    handle_seconds: int | None
    handle_method: str
    reopen_count: int
    transfer_count: int
    reply_count: int | None
    is_answered: bool
    is_abandoned: bool
    is_resolved: bool | None
    is_bot_only: bool
    is_excluded: bool
    rating: int | None  # 1 to 5
    rating_comment: str
    customer: str
    updated_at: int

    def as_of(self, now: int) -> "ContactRow":
        """The contact as the source saw it at `now`: what has not happened yet is not there."""
        if self.updated_at <= now:
            return self
        row = self._replace(updated_at=now, reopen_count=0)
        if row.ended_at is not None and row.ended_at > now:
            row = row._replace(
                ended_at=None, handle_seconds=None, handle_method="none", is_abandoned=False, is_resolved=None,
                rating=None, rating_comment="", is_bot_only=False,
            )  # fmt: skip
        if row.first_reply_at is not None and row.first_reply_at > now:
            row = row._replace(first_reply_at=None, first_reply_seconds=None, reply_count=0)
        if row.assigned_at is not None and row.assigned_at > now:
            row = row._replace(assigned_at=None, agent="", is_answered=False, wait_seconds=None, transfer_count=0)
        return row


class LegRow(NamedTuple):
    """One agent's part in a contact that passed through several hands."""

    source: str
    contact: str
    agent: str
    started_at: int
    ended_at: int | None
    reply_count: int | None
    end_reason: str

    def as_of(self, now: int) -> "LegRow":
        """The leg as the source saw it at `now`."""
        if self.ended_at is None or self.ended_at <= now:
            return self
        return self._replace(ended_at=None, end_reason="")


class StateRow(NamedTuple):
    """What state the telephone system saw an agent in."""

    source: str
    agent: str
    base: str
    reason: str
    started_at: int
    ended_at: int | None
