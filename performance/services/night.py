"""The night: roll up each zone's day, make each team's report, tell whoever may read it. Every step is a run of the ledger.

A zone's day is due at its midnight plus the grace; facts that come later raise the version of their day and so ask for
the next revision. A report is expected for every day of an open team since its first facts (at most 35 days back), and
whenever a roll-up changes a figure of its subtree; it waits until no roll-up of its day is open.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from performance import rollups, tree
from performance.models import AgentDay, NightlyReport, QueueHalfHour
from performance.reports import nightly
from teams import jobs
from teams.clock import day_end
from teams.models import JobRun, Notice, Team, TeamGroupGrant, TeamUserGrant, User
from teams.scoping import Grant

ROLL_UP, TODAY, REPORT = "performance.roll_up", "performance.roll_up_today", "performance.report"
BACK_DAYS = 35
TODAY_EVERY = timedelta(minutes=5)
MAILED_WITHIN = timedelta(hours=36)  # after the day's end; a later report is caught up and not mailed as last night's
GATHER = timedelta(minutes=5)  # one mail per person, not one per team
READERS = (Grant.OBSERVE, Grant.LEAD)


def grace() -> timedelta:
    return timedelta(hours=settings.NIGHT_GRACE_HOURS)


# -- roll-ups ------------------------------------------------------------------------------------------------------------------


def expected_roll_ups(now: datetime) -> Iterator[jobs.Expectation]:
    """A run for each zone's day that is over, grace included, and whose version is not the one last rolled up."""
    for zone, day, version in _changed_days(ROLL_UP):
        due_at = day_end(day, zone) + grace()
        if due_at <= now:
            yield jobs.Expectation(zone, day.isoformat(), due_at, str(version))


def expected_today(now: datetime) -> Iterator[jobs.Expectation]:
    """A run for each zone's day that is not over, or in its grace, if facts came in: so that today's pages read rollups.

    At most one in five minutes per zone and day.
    """
    recent = set(JobRun.objects.filter(job=TODAY, due_at__gt=now - TODAY_EVERY).values_list("subject", "period"))
    for zone, day, version in _changed_days(TODAY):
        if day_end(day, zone) + grace() > now and (zone, day.isoformat()) not in recent:
            yield jobs.Expectation(zone, day.isoformat(), now, str(version))


def _changed_days(job: str) -> list[tuple[str, date, int]]:
    """Touched days whose version differs from that of the job's newest run."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT touch.zone, touch.day, touch.version FROM performance_daytouch touch
            LEFT JOIN LATERAL (
                SELECT run.input_hash FROM teams_jobrun run
                WHERE run.job = %s AND run.subject = touch.zone AND run.period = touch.day::text
                ORDER BY run.revision DESC LIMIT 1
            ) newest ON true
            WHERE newest.input_hash IS DISTINCT FROM touch.version::text
            ORDER BY touch.day, touch.zone
            """,
            [job],
        )
        return cursor.fetchall()


def roll_up(run: JobRun) -> str:
    """Roll up a zone's day that is over, and ask for the reports of all whose figures changed."""
    day = date.fromisoformat(run.period)
    changed = rollups.roll_up(day, run.subject)
    if run.revision == 1:  # what changed while the day went on has asked for no report yet
        changed |= _with_figures(day, run.subject)
    _ask_for_reports(changed, cause=str(run.pk))
    return str(len(changed))


def _with_figures(day: date, zone: str) -> set[rollups.Changed]:
    """All teams that have figures of this zone's day."""
    teams = set(AgentDay.objects.filter(day=day, zone=zone).values_list("team", flat=True))
    teams |= set(QueueHalfHour.objects.filter(day=day, queue__zone=zone).values_list("queue__team", flat=True))
    return {rollups.Changed(team, day) for team in teams}


def roll_up_today(run: JobRun) -> str:
    """Roll up a zone's day that goes on. Earlier runs of it leave the ledger: they would pile up and say nothing."""
    changed = rollups.roll_up(date.fromisoformat(run.period), run.subject)
    done = JobRun.objects.filter(job=TODAY, subject=run.subject, state=JobRun.State.DONE, revision__lt=run.revision)
    done.filter(period=run.period).delete()
    return str(len(changed))


def rebuild(first: date, last: date, tell: Callable[[date, bool], object] = lambda day, is_changed: None) -> int:
    """Rebuild the rollups of `first` to `last` from the facts, day by day; returns how many days changed anything.

    Reports of changed days get a new revision. Nothing waits for the ledger: this is the operator's command. Each day is whole
    by itself and told to `tell`, so a stop between two of them leaves nothing half done.
    """
    count = 0
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        with transaction.atomic():
            changed = rollups.roll_up(day)
            _ask_for_reports(changed, cause=f"rebuilt {timezone.now().isoformat()}")
        tell(day, bool(changed))
        count += bool(changed)
    return count


def _ask_for_reports(changed: Iterable[rollups.Changed], *, cause: str) -> None:
    """Expect the report of each changed team and of every team above it that day: a revision where there is one already."""
    by_day: dict[date, set[int]] = defaultdict(set)
    for each in changed:
        by_day[each.day].add(each.team_pk)
    if not by_day:
        return
    zones = _zones_below()
    for day, teams in sorted(by_day.items()):
        wishes = [
            jobs.Expectation(str(team), day.isoformat(), _report_due(day, zones.get(team, {"UTC"})), cause)
            for team in sorted(tree.with_those_above(teams, day))
        ]
        jobs.expect_all(REPORT, wishes)


# -- reports -------------------------------------------------------------------------------------------------------------------


def _zones_below() -> dict[int, set[str]]:
    """For each team, the zones of its subtree: of teams, of people at work, of queues. A report waits for the last of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT lineage.ancestor_id, array_agg(DISTINCT place.zone)
            FROM teams_teamlineage lineage
            JOIN (
                SELECT id AS team_id, zone FROM teams_team
                UNION SELECT team_id, zone FROM teams_agent WHERE team_id IS NOT NULL AND status <> 'left'
                UNION SELECT team_id, zone FROM performance_queue
            ) place ON place.team_id = lineage.descendant_id
            GROUP BY lineage.ancestor_id
            """
        )
        return {team: set(zones) for team, zones in cursor.fetchall()}


def _report_due(day: date, zones: Iterable[str]) -> datetime:
    return max(day_end(day, zone) for zone in zones) + grace()


def expected_reports(now: datetime) -> Iterator[jobs.Expectation]:
    """A run for every past day of every open team since the first figures of its subtree, at most 35 days back.

    Days with figures are asked for by their roll-up; this adds the quiet ones, and asks for no revision.
    """
    today = now.date()
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH first_days AS (
                SELECT lineage.ancestor_id AS team_id, min(figures.day) AS day
                FROM (
                    SELECT team_id, min(day) AS day FROM performance_teamday GROUP BY team_id
                    UNION ALL
                    SELECT queue.team_id, min(half.day)
                    FROM performance_queuehalfhour half JOIN performance_queue queue ON queue.id = half.queue_id
                    GROUP BY queue.team_id
                ) figures
                JOIN teams_teamlineage lineage ON lineage.descendant_id = figures.team_id
                GROUP BY lineage.ancestor_id
            )
            SELECT team.id, listed.moment::date
            FROM first_days JOIN teams_team team ON team.id = first_days.team_id AND NOT team.is_closed
            CROSS JOIN LATERAL generate_series(greatest(first_days.day, %(oldest)s), %(newest)s, interval '1 day')
                AS listed (moment)
            WHERE NOT EXISTS (
                SELECT FROM teams_jobrun run
                WHERE run.job = %(job)s AND run.subject = team.id::text AND run.period = listed.moment::date::text
            )
            ORDER BY 2, 1
            """,
            {"oldest": today - timedelta(days=BACK_DAYS), "newest": today + timedelta(days=1), "job": REPORT},
        )
        missing = cursor.fetchall()
    zones = _zones_below() if missing else {}
    for team, day in missing:
        due_at = _report_due(day, zones.get(team, {"UTC"}))
        if due_at <= now:
            yield jobs.Expectation(str(team), day.isoformat(), due_at, None)


def make_report(run: JobRun) -> str:
    """Make a team's report of a day, unless it says what the last one says; mail it if the day is only just over.

    Raises NotYet while a roll-up of its day is open, or given up: a report must not leave with figures missing.
    """
    team, day = Team.objects.get(pk=int(run.subject)), date.fromisoformat(run.period)
    zones = _zones_below().get(team.pk, {team.zone})
    teams = tree.below(team.pk, day)
    zones |= set(AgentDay.objects.filter(day=day, team__in=list(teams)).values_list("zone", flat=True))
    unfinished = JobRun.objects.filter(job=ROLL_UP, period=run.period, subject__in=zones)
    if unfinished.exclude(state=JobRun.State.DONE).exists():
        raise jobs.NotYet
    content = nightly.content(team, day)
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    last = NightlyReport.objects.filter(team=team, day=day).order_by("-revision").first()
    if last is None or last.payload != content:
        report = NightlyReport.objects.create(
            team=team, day=day, revision=last.revision + 1 if last else 1, payload=content
        )
        if last is None:
            _tell(report, ended_at=max(day_end(day, zone) for zone in zones), now=timezone.now())
    return digest


# -- mail ----------------------------------------------------------------------------------------------------------------------


def readers(team: Team) -> list[int]:
    """Everybody whose live grant lets them read the reports of `team`. The operator reads all, and is mailed none."""
    wanted = {
        "content_object__in": team.ascent.values("ancestor"),
        "permission__codename__in": [str(grant) for grant in READERS],
    }
    own = TeamUserGrant.objects.live().filter(**wanted).values("user")
    shared = TeamGroupGrant.objects.live().filter(**wanted).values("group")
    people = User.objects.filter(Q(pk__in=own) | Q(pk__in=User.objects.filter(groups__in=shared).values("pk")))
    return sorted(people.filter(is_active=True).values_list("pk", flat=True))


def _tell(report: NightlyReport, *, ended_at: datetime, now: datetime) -> None:
    """Add the report to the one mail each reader gets; whether they may still read it is asked again when it leaves."""
    if now - ended_at <= MAILED_WITHIN:
        kind, about = "report", report.day.isoformat()
    elif now - ended_at <= timedelta(days=BACK_DAYS):
        kind, about = "report_catch_up", ""
    else:
        return  # history taken in for the first time is no news
    people = readers(report.team)
    gathering = Notice.objects.select_for_update().filter(
        kind=kind, about=about, recipient__in=people, state=Notice.State.WAITING, attempts=0
    )
    met = set()
    for notice in gathering.order_by("pk"):
        if notice.recipient_id not in met:
            met.add(notice.recipient_id)
            notice.details["reports"].append(report.pk)
            notice.save(update_fields=["details"])
    Notice.objects.bulk_create(
        [
            Notice(
                kind=kind,
                recipient_id=person,
                about=about,
                key=f"{kind}:{report.pk}:{person}",
                details={"reports": [report.pk]},
                due_at=now + GATHER,
            )
            for person in people
            if person not in met
        ],
        ignore_conflicts=True,
    )
