"""How long each class of people's data is kept, and the job that lets go of what is older. Each app enters its classes.

The organisation's counts stand in `PrivacyRules.kept`; where it names none, the default here holds. A class is let go of
once a day or once a month, one run of the ledger each: set-based, repeatable, logged with its count.
"""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from teams.jobs import Expectation
from teams.models import JobRun, PrivacyRules
from teams.services.erasure import keep_tombstones

log = logging.getLogger(__name__)

JOB = "teams.retention"
NIGHT_HOUR = 2  # UTC: the hour after which a day's run is due
Work = Callable[[datetime], int]


@dataclass(frozen=True)
class RetentionClass:
    """`count(cutoff)` tells how many rows are older, `let_go(cutoff)` lets go of them and tells how many."""

    code: str
    label: Any
    outcome: Any  # what happens to the rows, in words
    unit: str  # "days" or "months"
    default: int
    count: Work
    let_go: Work

    def kept(self, rules: PrivacyRules) -> int:
        return int(rules.kept.get(self.code, self.default))

    def cutoff(self, rules: PrivacyRules, now: datetime) -> datetime:
        """The moment before which rows go: to the day, or to the first of a month in UTC."""
        start = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self.unit == "days":
            return start - timedelta(days=self.kept(rules))
        return months_before(start, self.kept(rules))

    def period(self, now: datetime) -> str:
        return f"{now:%Y-%m-%d}" if self.unit == "days" else f"{now:%Y-%m}"


_classes: dict[str, RetentionClass] = {}


def enter(*classes: RetentionClass) -> None:
    for each in classes:
        _classes[each.code] = each


def classes() -> list[RetentionClass]:
    return list(_classes.values())


def about() -> models.Expression:
    """What people call the class that a run of the ledger names."""
    return Case(*(When(subject=each.code, then=Value(str(each.label))) for each in classes()))


def months_before(moment: datetime, months: int) -> datetime:
    """The first of the month, `months` before that of `moment`."""
    place = moment.year * 12 + moment.month - 1 - months
    return moment.replace(year=place // 12, month=place % 12 + 1, day=1)


def expected(now: datetime) -> Iterator[Expectation]:
    """One run for each class and period: after 02:00 UTC, daily classes each day, monthly ones each month."""
    now = now.astimezone(UTC)
    due = now.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    if now < due:
        return
    for each in _classes.values():
        yield Expectation(each.code, each.period(now), due)


def work(run: JobRun) -> str:
    """The job: one class, by the rules of this moment. A run that comes late lets go of no more than it must."""
    each = _classes.get(run.subject)
    if each is None:
        return ""
    gone = let_go(each, timezone.now())
    keep_tombstones()
    log.info("retention of %s: %d rows", each.code, gone)
    return str(gone)


@transaction.atomic
def let_go(each: RetentionClass, now: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('outpost.erasing', 'on', true)")
        gone = each.let_go(each.cutoff(PrivacyRules.current(), now))
        cursor.execute("SELECT set_config('outpost.erasing', '', true)")
    return gone


@dataclass(frozen=True)
class Plan:
    """What a class of retention will do next."""

    each: RetentionClass
    kept: int
    cutoff: datetime
    next_at: datetime
    rows: int


def plan(now: datetime) -> list[Plan]:
    """What goes when, class by class, counted now."""
    rules = PrivacyRules.current()
    plans = []
    for each in _classes.values():
        due = now.astimezone(UTC).replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
        due = due + timedelta(days=1) if each.unit == "days" else months_before(due, -1)
        cutoff = each.cutoff(rules, due)
        plans.append(Plan(each, each.kept(rules), cutoff, due, each.count(cutoff)))
    return plans
