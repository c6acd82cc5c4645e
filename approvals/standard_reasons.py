"""The reasons that come with the suite: put into a database that has none, and the operator's from then on."""

from typing import Any

PLAIN: dict[str, Any] = {"base": "not_ready", "is_paid": True, "is_shrinkage": True, "is_productive": False}
REASONS: dict[str, dict[str, Any]] = {
    "rest": {"base": "break", "longest_minutes": 15, "longest_per_shift_minutes": 30},
    "meal": {"base": "break", "is_paid": False, "is_legal": True, "longest_minutes": 60},
    "personal": {"base": "break", "is_paid": False, "longest_minutes": 15, "longest_per_shift_minutes": 30},
    "meeting": {"longest_minutes": 60},
    "coaching": {"longest_minutes": 30},
    "training": {"is_productive": True, "needs_approval": True, "longest_minutes": 240},
    "project": {"is_productive": True, "needs_approval": True, "longest_minutes": 480},
    "technical": {"longest_minutes": 30},
    "warm_up": {"is_system": True, "longest_minutes": 10},
    "ring_timeout": {"is_system": True},
    "rejected": {"is_system": True},
    "heartbeat_lost": {"base": "offline", "is_system": True, "is_paid": False},
}


def make_first(**signal: Any) -> None:
    """The receiver of `post_migrate`: makes them where there is no reason at all; one that the operator took away stays away.
    The table is not there yet where only a part of the migrations has run."""
    from django.db import connection

    from approvals.models import StatusReason
    from teams.audit import create_many

    if StatusReason._meta.db_table not in connection.introspection.table_names() or StatusReason.objects.exists():
        return
    rows = [StatusReason(code=code, **{**PLAIN, **values}) for code, values in REASONS.items()]
    create_many(StatusReason, rows, by=None, reason="standard")
