"""The night of incentives: months of plans are calculated as their figures change, and agents get the day's line.

A month is looked at again whenever a roll-up of its days has run, and the two newest once a day besides, so that changed wages,
roles and records are found as well. Runs of the ledger, so downtime and kills lose none.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from incentives.models import PlanVersion
from incentives.places import places
from incentives.plain.periods import Span, month_of
from incentives.services.runs import calculate
from performance.services import night
from teams import jobs
from teams.acting import system_scope
from teams.clock import local_day
from teams.models import Agent, JobRun, Notice

CALCULATE, EVENING = "incentives.calculate", "incentives.evening"
BACK_MONTHS = 6
EVENING_AT = time(21, 30)  # of each agent's zone: after the second peak of the day
TOLD_WITHIN = timedelta(hours=3)


# -- months --------------------------------------------------------------------------------------------------------------


def expected_months(now: datetime) -> Iterator[jobs.Expectation]:
    """A run for each plan and month whose figures may have changed."""
    today = now.astimezone(UTC).date()
    versions = PlanVersion.objects.exclude(state=PlanVersion.State.DRAFT).values_list("plan", "span")
    covered: dict[int, list[Span]] = {}
    for plan, span in versions:
        covered.setdefault(plan, []).append(Span(span.lower, (span.upper or date.max) - timedelta(days=1)))
    months = _months(today)
    rolled = {month: _rolled(month) for month in months} if covered else {}
    for plan, spans in sorted(covered.items()):
        for place, month in enumerate(months):
            if any(span.first <= month.last and month.first <= span.last for span in spans):
                since = f"{rolled[month]}:{today}" if place < 2 else str(rolled[month])
                yield jobs.Expectation(str(plan), month.first.isoformat(), now, since)


def _months(today: date) -> list[Span]:
    """This month and those before it, the newest first."""
    found = [month_of(today)]
    while len(found) < BACK_MONTHS:
        found.append(month_of(found[-1].first - timedelta(days=1)))
    return found


def _rolled(month: Span) -> int:
    """The newest roll-up of a day that may count for the month; a week may begin in the month before."""
    days = (month.first - timedelta(days=6)).isoformat(), month.last.isoformat()
    rows = JobRun.objects.filter(job=night.ROLL_UP, state=JobRun.State.DONE, period__range=days)
    return rows.order_by("-pk").values_list("pk", flat=True).first() or 0


def calculate_month(run: JobRun) -> str:
    return calculate(int(run.subject), month_of(date.fromisoformat(run.period))).input_hash


# -- the day's line ------------------------------------------------------------------------------------------------------


def expected_evenings(now: datetime) -> Iterator[jobs.Expectation]:
    """A run for each zone in which it has become evening; one that was missed for hours is no news any more."""
    if not PlanVersion.objects.published().exists():
        return
    zones = Agent.objects.current().exclude(user=None).order_by().values_list("zone", flat=True).distinct()
    for zone in zones:
        day = local_day(now, zone)
        due_at = datetime.combine(day, EVENING_AT, ZoneInfo(zone)).astimezone(UTC)
        if due_at <= now <= due_at + TOLD_WITHIN:
            yield jobs.Expectation(zone, day.isoformat(), due_at, None)


def tell_evening(run: JobRun) -> str:
    """One notice for everybody of the zone who is under a plan and has worked today. What it says is asked when it leaves."""
    day = date.fromisoformat(run.period)
    with system_scope("everybody of a zone is told of the own day alone"):
        under = {(place.team, place.role) for place in places(Span(day, day))}
        worked = _worked(run.subject, day)
        told = {"kind": "day_line", "about": run.period, "due_at": timezone.now(), "details": {"day": run.period}}
        made = [
            Notice(recipient_id=user, key=f"day_line:{run.period}:{user}", **told)
            for user, team, role in worked
            if (team, role) in under
        ]
        Notice.objects.bulk_create(made, ignore_conflicts=True, batch_size=1000)
        return str(len(made))


def _worked(zone: str, day: date) -> list[tuple[int, int, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT agent.user_id, agent.team_id, agent.role
            FROM performance_agentday day JOIN teams_agent agent ON agent.id = day.agent_id
            WHERE day.day = %s AND agent.zone = %s AND day.contacts > 0 AND agent.user_id IS NOT NULL
            """,
            [day, zone],
        )
        return cursor.fetchall()
