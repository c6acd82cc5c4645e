"""Months of the partitioned facts: made ahead of time by a monthly verb, and by intake for the months a delivery needs."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from teams.doctor import Finding, doubtful, well, wrong

MONTHS_AHEAD = 3
TABLES = ("performance_contact", "performance_leg", "performance_stateinterval")


def ensure(first_day: date, last_day: date) -> int:
    """Make what is missing of the monthly partitions from `first_day` to `last_day`; returns how many tables were made.

    Where nothing is missing nothing is locked: only the making itself waits for others.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if not _missing(cursor, first_day, last_day):
            return 0
        cursor.execute("SELECT performance_make_partitions(%s, %s)", [first_day, last_day])
        return cursor.fetchone()[0]


def ensure_ahead(today: date) -> int:
    """Make this month and the next three; run monthly or oftener. Returns how many tables were made."""
    last = today.replace(day=1)
    for _month in range(MONTHS_AHEAD):
        last = (last + timedelta(days=32)).replace(day=1)
    return ensure(today.replace(day=1), last)


def _missing(cursor: Any, first_day: date, last_day: date) -> bool:
    cursor.execute(
        "SELECT EXISTS (SELECT FROM generate_series(date_trunc('month', %s::timestamp), %s, interval '1 month') month, "
        'unnest(%s::text[]) fact WHERE to_regclass(fact || to_char(month, \'"_"YYYY"_"MM\')) IS NULL)',
        [first_day, last_day, list(TABLES)],
    )
    return cursor.fetchone()[0]


def checked() -> Finding:
    """For `manage.py doctor`: whether the facts of the next month have a place."""
    today = timezone.now().date()
    next_month = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    with connection.cursor() as cursor:
        for last, judge in ((today, wrong), (next_month, doubtful)):
            if _missing(cursor, today.replace(day=1), last):
                return judge(
                    f"The months of the fact tables end before {last:%Y-%m}.",
                    "See whether the worker answers: it makes them ahead. Intake makes those it needs.",
                )
    return well(f"The months of the fact tables are there up to {next_month:%Y-%m} at least.")


def rows_written(now: datetime) -> float:
    """Contacts that intake has written or renewed since the counters of the database began: for `/metrics`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd), 0) FROM pg_stat_user_tables"
            " WHERE relname ~ '^performance_contact_[0-9]{4}_[0-9]{2}$'"
        )
        return float(cursor.fetchone()[0])


def months_before(cursor: Any, table: str, month: date) -> list[str]:
    """The partitions of `table` that end on or before the first of `month`."""
    cursor.execute(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = %s::regclass AND c.relname < %s ORDER BY 1",
        [table, f"{table}_{month:%Y_%m}"],
    )
    return [name for (name,) in cursor.fetchall() if name.startswith(f"{table}_")]


def count_before(cursor: Any, table: str, month: date) -> int:
    """How many rows lie in months before `month`."""
    cursor.execute(f"SELECT count(*) FROM {table} WHERE started_at < %s", [f"{month:%Y-%m-01} 00:00:00+00"])
    return cursor.fetchone()[0]


def drop_before(cursor: Any, table: str, month: date) -> int:
    """Drop the months of `table` before `month` as wholes; returns how many rows went with them."""
    gone = count_before(cursor, table, month)
    for name in months_before(cursor, table, month):
        cursor.execute(f'DROP TABLE "{name}"')
    return gone
