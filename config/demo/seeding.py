"""The verb: put the demo organisation into an empty database, all of it or nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection, transaction

from config.demo import blacklist, callbacks, incentives, logins, organisation, replies, requests, statuses, writer
from config.demo.cast import cast
from config.demo.facts import facts
from performance.models import Source
from performance.services import night
from teams import jobs
from teams.models import JobRun, Team, User

SEED = 20
LOCK = "demo_organisation"


def is_empty() -> bool:
    """Whether nobody has begun to use this database."""
    return not (User.objects.exists() or Team.objects.exists() or Source.objects.exists())


def seed(now: datetime, seed: int, *, say: Callable[[str], object]) -> None:
    """Create everything up to `now`. Two at once: the second waits and finds the work done."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
        if not is_empty():
            return
        people = cast(seed)
        organisation.build(people, organisation.Clock(now), logins.make(people))
        blacklist.build(now)
        requests.build(now)
        incentives.build(now)
        say(f"Demo organisation: {len(people.teams)} teams, {len(people.agents)} agents")
        counts = writer.take_in(facts(people, seed, now), now, callbacks.callers(people, seed, now))
        say(f"Demo organisation: {statuses.take_in(people, seed, now)} agents at work now")
        say(f"Demo organisation: {replies.fill(now, seed)} canned replies")
        say(f"Demo organisation: {counts.contacts:,} contacts of {counts.days} days")


def catch_up(now: datetime, *, say: Callable[[str], object]) -> None:
    """Do the nights that lie behind by the ledger's own way: every roll-up, the incentives of each month, then the reports of
    the last two days.

    Older reports are left to the worker. Killed half-way, the ledger goes on where this stopped.
    """
    jobs.scan(now)
    due = JobRun.objects.filter(state=JobRun.State.WAITING, due_at__lte=now).order_by("due_at", "pk")
    done = sum(jobs.work(pk, now) for pk in list(due.filter(job=night.ROLL_UP).values_list("pk", flat=True)))
    say(f"Demo organisation: {done} days of zones rolled up")
    say(f"Demo organisation: {incentives.settle(now)} months of plans calculated")
    recent = due.filter(job=night.REPORT, period__gte=(now.date() - timedelta(days=2)).isoformat())
    made = sum(jobs.work(pk, now) for pk in list(recent.values_list("pk", flat=True)))
    say(f"Demo organisation: {made} reports of the last nights")
