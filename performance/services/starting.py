"""What the guided first start does with contacts: a source to upload to, names that match by themselves, reports at once."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from performance.models import NightlyReport, Source, TeamDay
from performance.services import night, tray
from teams import jobs
from teams.audit import save_with_history
from teams.models import Agent, JobRun, Team, User

MOST_RUNS = 200  # made while somebody waits; whatever is more follows with the next ring


@transaction.atomic
def first_source(team: int, name: str, zone: str, *, by: User) -> Source:
    """A source that serves `team`, to send the first files to; the code is made from its number. Raises OutOfReach."""
    place = Team.objects.manageable_by(by).take(team)
    number = Source.objects.count() + 1
    while Source.objects.filter(code=f"source-{number}").exists():
        number += 1
    source = Source(code=f"source-{number}", name=name, team=place, zone=zone)
    source.full_clean()
    save_with_history(source, by=by, reason=_("first start"))
    return source


@dataclass(frozen=True)
class Matched:
    names: int
    facts: int
    left: int


def match_names(*, by: User) -> Matched:
    """Map each waiting name that is the number, or the name, of exactly one agent; the others stay in the tray."""
    waiting = [each for each in tray.waiting(by, tray.AGENT) if not each.is_ignored]
    people = list(Agent.objects.manageable_by(by).values_list("pk", "number", "name"))
    by_word: dict[str, set[Any]] = {}
    for pk, number, name in people:
        for word in (number, name):
            by_word.setdefault(word.strip().casefold(), set()).add(pk)
    names = facts = 0
    for each in waiting:
        found = by_word.get(each.external.strip().casefold(), set())
        if len(found) == 1:
            facts += tray.map_agent(each.source.pk, each.external, next(iter(found)), by=by)
            names += 1
    return Matched(names, facts, len(waiting) - names)


def reports_now() -> NightlyReport | None:
    """Roll up the days taken in that are over, make their reports without waiting for the ring, and return the newest."""
    now = timezone.now()
    jobs.expect_all(night.ROLL_UP, night.expected_roll_ups(now))
    _work(night.ROLL_UP, "period", now)
    jobs.expect_all(night.REPORT, night.expected_reports(now))
    _work(night.REPORT, "-period", now)
    return newest_report()


def newest_report() -> NightlyReport | None:
    """The newest report of a day on which anybody closed anything, of the team highest in the tree. Today's figures stand
    before its report does."""
    reported = NightlyReport.objects.filter(day__in=TeamDay.objects.values("day"))
    day = reported.order_by("-day").values_list("day", flat=True).first()
    if day is None:
        return None
    reports = NightlyReport.objects.filter(day=day).annotate(depth=Max("team__ascent__depth"))
    return reports.order_by("depth", "team", "-revision").first()


def _work(job: str, order: str, now: Any) -> None:
    due = JobRun.objects.filter(job=job, state__in=jobs.OPEN, due_at__lte=now).order_by(order, "pk")
    for pk in list(due.values_list("pk", flat=True)[:MOST_RUNS]):
        jobs.work(pk, now)
