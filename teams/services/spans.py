"""Spans of days and instants, cut and joined. A span includes its start and excludes its end; None is open."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange, DateTimeTZRange
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from teams.audit import delete_with_history, save_with_history
from teams.clock import local_day
from teams.errors import Refused
from teams.models import User

ONE_DAY = timedelta(days=1)
FARTHEST = timedelta(days=3660)  # nobody plans for longer, and the calendar ends in 9999


def days(start: date | None, end: date | None = None) -> DateRange:
    return DateRange(start, end)


def today_in(zone: str) -> date:
    return local_day(timezone.now(), zone)


def cut_off(rows: Any, moment: Any, *, by: User | None, reason: str) -> None:
    """Let each of `rows` end at `moment`; one that would begin then or later is removed."""
    for row in rows:
        if row.span.upper is not None and row.span.upper <= moment:
            continue
        if row.span.lower is not None and row.span.lower >= moment:
            delete_with_history(row, by=by, reason=reason)
            continue
        row.span = type(row.span)(row.span.lower, moment)
        save_with_history(row, "span", by=by, reason=reason)


def reopen_before(rows: Any, moment: Any, *, by: User | None, reason: str) -> None:
    """Undo of a cut: the one of `rows` that ends at `moment` is open again."""
    for row in rows:
        if row.span.upper == moment:
            row.span = type(row.span)(row.span.lower, None)
            save_with_history(row, "span", by=by, reason=reason)


def refuse_plans_after(rows: Any, on: date | datetime) -> None:
    """One plan at a time: a second one would silently undo the first."""
    for row in rows:
        if row.span.lower is not None and row.span.lower > on:
            raise Refused(
                "already_planned",
                _("A change is already planned for %(day)s. Cancel it first.")
                % {"day": date_format(row.span.lower, "Y-m-d")},
            )


def not_before(on: date, today: date) -> None:
    if on < today:
        raise Refused(
            "in_the_past",
            _("%(day)s has passed. Choose today (%(today)s there) or a later day: what has been reported stays.")
            % {"day": on.isoformat(), "today": today.isoformat()},
        )
    not_beyond(on, today)


def not_beyond(day: date, today: date) -> None:
    """A plan lies within ten years; beyond is a slip of the pen."""
    if day > today + FARTHEST:
        raise Refused(
            "too_far_ahead",
            _("%(day)s is more than ten years away. Look at the year.") % {"day": day.isoformat()},
        )


__all__ = [
    "ONE_DAY",
    "DateTimeTZRange",
    "cut_off",
    "days",
    "not_before",
    "not_beyond",
    "refuse_plans_after",
    "reopen_before",
    "today_in",
]
