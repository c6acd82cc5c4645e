"""The job ledger: what the calendar expects, compared with what is done. The broker is only a bell.

A run is one row per (job, subject, period, revision). `scan` inserts what is missing; whoever hears the bell claims a run,
does it and marks it done in one transaction. So a lost message, a second scheduler, a killed worker and a night of
downtime have one answer: the row is still open, and the next bell finds it.

The attempt is counted and committed before the work, so a job that kills its process is given up after three claims as
well. The row stays locked for as long as the work lasts: that lock, not the lease, keeps others off, whatever the work
takes; the lease of 60 s only covers the moment between claim and lock, and tells people what is being worked on.

A run that somebody waits for is followed (`follow`): it tells how far it is and can be stopped (`teams.progress`). A stop is
an end of its own, "cancelled": no failure, no alarm, not tried again; asking for the work once more makes a new revision.
"""

import logging
import traceback
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Case, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from teams import progress
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import Refused
from teams.models import Heartbeat, JobProgress, JobRun, Notice, Team, User
from teams.scoping import TeamScopedQuerySet

log = logging.getLogger(__name__)

ATTEMPTS = 3
LEASE = timedelta(seconds=60)
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5))  # after the first failure, after every later one
LATE_AFTER = timedelta(minutes=15)  # a run due this long ago and not done means that the night is behind
DEAF_AFTER = timedelta(minutes=2)  # a ring this old without an answer means that no worker listens
SILENT_AFTER = timedelta(minutes=5)  # no ring for this long means that the scheduler does not run
OPEN = (JobRun.State.WAITING, JobRun.State.RUNNING)
BELL = "worker"
CHUNK = 5000


@dataclass(frozen=True)
class Expectation:
    """One run that should exist. A changed `input_hash` asks for the next revision; None only asks that there is a run."""

    subject: str
    period: str
    due_at: datetime
    input_hash: str | None = ""


class NotYet(Exception):
    """Raised by a job whose ground is not ready: the run waits again, and no attempt is counted."""


Run = Callable[[JobRun], str]
About = Callable[[], Any]  # an expression
Expected = Callable[[datetime], Iterable[Expectation]]
Cancelled = Callable[[JobRun, User | None, str], None]


@dataclass(frozen=True)
class Job:
    name: str
    run: Run
    expected: Expected | None
    cancelled: Cancelled | None
    words: Any = ""
    about: About | None = None


_jobs: dict[str, Job] = {}


def register(
    name: str,
    run: Run,
    expected: Expected | None = None,
    cancelled: Cancelled | None = None,
    words: Any = "",
    about: About | None = None,
) -> None:
    """Make a job known, in `AppConfig.ready()`; `words` (lazy) is what people read, `about` makes an expression on a run that
    says what people call its subject, where that is a code or an id (`called`).

    `run` works inside the transaction that marks the run done and returns a hash of what it made, or nothing; `expected` names
    what should have been done by a moment; `cancelled` (run, by, reason) puts what the run was about back to where the work
    can be asked for again, in the transaction that ends the run.
    """
    _jobs[name] = Job(name, run, expected, cancelled, words, about)


def registered() -> list[str]:
    return sorted(_jobs)


def words_of(name: str) -> str:
    """What people read for a job; its code, if this release has no such job any more."""
    job = _jobs.get(name)
    return str(job.words or name) if job is not None else name


def called(model: type[models.Model], column: str) -> About:
    """For jobs whose subject is the id of a row of `model`: what stands in `column` of it."""

    def about() -> Any:
        rows = model._base_manager.annotate(as_text=Cast("pk", models.CharField()))
        return Subquery(rows.filter(as_text=OuterRef("subject")).values(column)[:1])

    return about


def with_subjects(runs: models.QuerySet[JobRun]) -> models.QuerySet[JobRun]:
    """`runs`, each with `about`: its subject in words, or as it stands where there are none."""
    known = [When(job=job.name, then=job.about()) for job in _jobs.values() if job.about is not None]
    words = Case(*known, output_field=models.CharField()) if known else Value(None, models.CharField())
    return runs.annotate(about=Coalesce(words, "subject", output_field=models.CharField()))


# -- what is expected --------------------------------------------------------------------------------------------------

INSERT_MISSING = """
INSERT INTO teams_jobrun (job, subject, period, revision, state, attempt, due_at, input_hash, output_hash, error)
SELECT %(job)s, wish.subject, wish.period, coalesce(newest.revision, 0) + 1, 'waiting', 0, wish.due_at,
       coalesce(wish.input_hash, ''), '', ''
FROM unnest(%(subjects)s::text[], %(periods)s::text[], %(dues)s::timestamptz[], %(inputs)s::text[])
    AS wish (subject, period, due_at, input_hash)
LEFT JOIN LATERAL (
    SELECT run.revision, run.input_hash FROM teams_jobrun run
    WHERE run.job = %(job)s AND run.subject = wish.subject AND run.period = wish.period
    ORDER BY run.revision DESC LIMIT 1
) newest ON true
WHERE newest.revision IS NULL OR newest.input_hash <> wish.input_hash
ON CONFLICT DO NOTHING
"""


def expect(name: str, subject: str = "", period: str = "", *, due_at: datetime, input_hash: str = "") -> JobRun:
    """The newest run for this job, subject and period: inserted if missing, and a new revision if the input has changed."""
    expect_all(name, [Expectation(subject, period, due_at, input_hash)])
    return JobRun.objects.filter(job=name, subject=subject, period=period).order_by("-revision")[0]


def expect_all(name: str, wishes: Iterable[Expectation]) -> int:
    """Insert the runs that are missing among `wishes`, set-based; returns how many. Two at once insert each run once."""
    rows = list(wishes)
    made = 0
    with connection.cursor() as cursor:
        for first in range(0, len(rows), CHUNK):
            part = rows[first : first + CHUNK]
            cursor.execute(
                INSERT_MISSING,
                {
                    "job": name,
                    "subjects": [wish.subject for wish in part],
                    "periods": [wish.period for wish in part],
                    "dues": [wish.due_at for wish in part],
                    "inputs": [wish.input_hash for wish in part],
                },
            )
            made += cursor.rowcount
    return made


def scan(now: datetime) -> int:
    """Compare what every job expects by `now` with the ledger and insert what is missing; returns how many runs.

    A job whose expectation fails must not silence the others: it is logged, and the rest goes on.
    """
    made = 0
    for job in list(_jobs.values()):
        if job.expected is None:
            continue
        try:
            with transaction.atomic():
                made += expect_all(job.name, job.expected(now))
        except Exception:
            log.exception("job %s could not say what it expects", job.name)
    return made


# -- claim, work, mark done ----------------------------------------------------------------------------------------------


def due(now: datetime, limit: int) -> list[int]:
    """Runs that somebody should take now, oldest first."""
    return list(_claimable(now).values_list("pk", flat=True)[:limit])


def work_due(now: datetime, limit: int = 100) -> int:
    """Claim and do what is due, oldest first, at most `limit` runs; returns how many were done."""
    done = 0
    for _turn in range(limit):
        claimed = claim(now)
        if claimed is None:
            break
        done += _do(claimed, now)
    return done


def work(pk: int, now: datetime | None = None) -> bool:
    """Claim and do one run. False if it is not due, done, given up, or in other hands; that is no error."""
    now = now or timezone.now()
    claimed = claim(now, pk)
    return claimed is not None and _do(claimed, now)


@transaction.atomic
def claim(now: datetime, pk: int | None = None) -> JobRun | None:
    """Take the oldest due run, or the one named, and count the attempt. A run claimed three times in vain is parked."""
    rows = _claimable(now)
    if pk is not None:
        rows = rows.filter(pk=pk)
    while run := rows.select_for_update(skip_locked=True).first():
        if wish := _wish_to_stop(run):
            _end_cancelled(run, wish)  # its process was killed before it heard
            continue
        if run.attempt >= ATTEMPTS:
            _park(run, now, f"given up: attempt {run.attempt} ended without a word, its process was killed")
            continue
        run.attempt += 1
        run.state, run.started_at, run.lease_until = JobRun.State.RUNNING, now, now + LEASE
        run.save(update_fields=["attempt", "state", "started_at", "lease_until"])
        return run
    return None


def _claimable(now: datetime) -> models.QuerySet[JobRun]:
    return JobRun.objects.claimable(now).order_by("due_at", "pk")


def _do(claimed: JobRun, now: datetime) -> bool:
    """Do a claimed run: effect and "done" commit together, or neither."""
    try:
        with progress.following(claimed.pk), transaction.atomic():
            run = _hold(claimed)
            if run is None:
                return False
            progress.safe_point()
            run.output_hash = "" if _is_superseded(run) else _run(run)
            progress.safe_point()
            run.state, run.finished_at, run.lease_until = JobRun.State.DONE, timezone.now(), None
            run.save(update_fields=["state", "finished_at", "lease_until", "output_hash"])
            return True
    except NotYet:
        _put_back(claimed, now)
    except progress.Cancelled:
        _stop(claimed)
    except Exception:
        log.exception("job %s failed at attempt %d", claimed, claimed.attempt)
        _record_failure(claimed, now, traceback.format_exc(limit=-5))
    return False


def _run(run: JobRun) -> str:
    job = _jobs.get(run.job)
    if job is None:
        raise LookupError(f"no job is called {run.job!r} in this release")
    return job.run(run) or ""


def _hold(claimed: JobRun) -> JobRun | None:
    """The claimed row, locked for the length of the work; None if somebody else has taken it since.

    Waits for the lock: another claim may hold the row for a moment while it finds that it is taken already.
    """
    return (
        JobRun.objects.select_for_update()
        .filter(pk=claimed.pk, state=JobRun.State.RUNNING, attempt=claimed.attempt)
        .first()
    )


def _is_superseded(run: JobRun) -> bool:
    """Whether a later revision stands in the ledger: it will see all that this one would have seen."""
    return JobRun.objects.filter(
        job=run.job, subject=run.subject, period=run.period, revision__gt=run.revision
    ).exists()


@transaction.atomic
def _put_back(claimed: JobRun, now: datetime) -> None:
    run = _hold(claimed)
    if run is not None:
        run.state, run.attempt, run.lease_until = JobRun.State.WAITING, run.attempt - 1, now + LEASE
        run.save(update_fields=["state", "attempt", "lease_until"])


@transaction.atomic
def _record_failure(claimed: JobRun, now: datetime, error: str) -> None:
    run = _hold(claimed)
    if run is None:
        return
    if run.attempt >= ATTEMPTS:
        _park(run, now, error)
        return
    run.state, run.error = JobRun.State.WAITING, error
    run.lease_until = now + BACK_OFF[min(run.attempt, len(BACK_OFF)) - 1]
    run.save(update_fields=["state", "error", "lease_until"])


def _park(run: JobRun, now: datetime, error: str) -> None:
    """Give up, and alarm every operator through the outbox."""
    run.state, run.error, run.finished_at, run.lease_until = JobRun.State.PARKED, error, now, None
    run.save(update_fields=["state", "error", "finished_at", "lease_until"])
    Notice.objects.bulk_create(
        [
            Notice(
                kind="job_parked",
                recipient=operator,
                about=str(run.pk),
                key=f"job_parked:{run.pk}:{now.isoformat()}:{operator.pk}",
                details={"job": run.job, "subject": run.subject, "period": run.period, "revision": run.revision},
            )
            for operator in User.objects.filter(is_superuser=True, is_active=True)
        ],
        ignore_conflicts=True,
    )


@transaction.atomic
def retry(pk: int, *, by: User, reason: str = "") -> JobRun:
    """Give a parked run three new attempts. Raises OutOfReach, or Refused if it is not parked."""
    run: JobRun = TeamScopedQuerySet.take(JobRun.objects.manageable_by(by), pk)  # type: ignore[arg-type]
    if run.state != JobRun.State.PARKED:
        raise Refused("not_parked", _("Only a parked run can be tried again; this one is open or done."))
    run.state, run.attempt, run.lease_until, run.finished_at = JobRun.State.WAITING, 0, None, None
    run.error = (
        f"{run.error}\n[{timezone.now():%Y-%m-%d %H:%M} UTC] tried again by {by.get_username()}: {reason}".strip()
    )
    save_with_history(run, "state", "attempt", "lease_until", "finished_at", "error", by=by, reason=reason)
    return run


# -- followed and stopped ------------------------------------------------------------------------------------------------


def follow(run: JobRun, *, by: User | None, team: Team | None = None) -> None:
    """Let `by`, the leads of `team` and the operator see how far `run` is, and stop it. In the transaction that asks for it."""
    JobProgress.objects.get_or_create(pk=run.pk, defaults={"asked_by": by, "team": team})


@transaction.atomic
def cancel(pk: int, reason: str, *, by: User) -> JobRun:
    """Stop a followed run: at once where no process works on it, else at its next safe point, where all it did rolls back.

    Asked twice, or of a run that has been stopped, it changes nothing. Raises OutOfReach, or Refused: no_reason, job_over.
    """
    followed: JobProgress = JobProgress.objects.manageable_by(by).take(pk)
    run = JobRun.objects.get(pk=pk)
    if run.state == JobRun.State.CANCELLED:
        return run
    if run.state not in OPEN:
        raise Refused("job_over", _("This work has ended already; there is nothing left to cancel."))
    if not reason.strip():
        raise Refused("no_reason", _("Say why: the reason is kept with the cancelled work."))
    if followed.cancelled_at is None:
        followed.cancelled_by, followed.cancelled_at, followed.reason = by, timezone.now(), reason.strip()[:100]
        save_with_history(followed, "cancelled_by", "cancelled_at", "reason", by=by, reason=reason)
    idle = JobRun.objects.select_for_update(skip_locked=True).filter(pk=pk, state__in=OPEN).first()
    if idle is not None:  # nobody holds it: it has not begun, or its process was killed
        _end_cancelled(idle, followed)
    return idle or run


def _wish_to_stop(run: JobRun) -> JobProgress | None:
    return JobProgress.objects.filter(pk=run.pk).exclude(cancelled_at=None).select_related("cancelled_by").first()


@transaction.atomic
def _stop(claimed: JobRun) -> None:
    """The work has rolled back; write down that it was stopped."""
    run, wish = _hold(claimed), _wish_to_stop(claimed)
    if run is not None and wish is not None:
        _end_cancelled(run, wish)


@system_scope("who asked for work may stop it, also without the right to begin it again")
def _end_cancelled(run: JobRun, wish: JobProgress) -> None:
    run.state, run.finished_at, run.lease_until = JobRun.State.CANCELLED, timezone.now(), None
    run.save(update_fields=["state", "finished_at", "lease_until"])
    job = _jobs.get(run.job)
    if job is not None and job.cancelled is not None:
        job.cancelled(run, wish.cancelled_by, wish.reason)


# -- is anybody listening ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Backlog:
    """How far the ledger is behind: runs overdue by more than a quarter of an hour, runs given up, the oldest due moment."""

    overdue: int
    parked: int
    oldest_due_at: datetime | None

    @property
    def is_behind(self) -> bool:
        return bool(self.overdue or self.parked)


def backlog(now: datetime) -> Backlog:
    late = JobRun.objects.filter(state__in=OPEN, due_at__lt=now - LATE_AFTER).order_by("due_at")
    dues: Sequence[datetime] = list(late.values_list("due_at", flat=True))
    return Backlog(len(dues), JobRun.objects.filter(state=JobRun.State.PARKED).count(), dues[0] if dues else None)


def note_ring(now: datetime) -> None:
    """The bell is being rung. Keeps the first ring that nobody has answered: only so does a deaf worker show."""
    _beat, is_new = Heartbeat.objects.get_or_create(name=BELL, defaults={"rung_at": now})
    if not is_new:
        was_answered = Q(rung_at=None) | Q(answered_at__gte=F("rung_at"))
        Heartbeat.objects.filter(was_answered, name=BELL).update(rung_at=now)


def note_answer(now: datetime) -> None:
    """A worker has heard the bell."""
    Heartbeat.objects.update_or_create(name=BELL, defaults={"answered_at": now})


def ears(now: datetime) -> str:
    """ "ok", or what is wrong: "never_rung", "not_answered" (no worker listens), "silent" (the scheduler does not ring)."""
    beat = Heartbeat.objects.filter(name=BELL).first()
    if beat is None or beat.rung_at is None:
        return "never_rung"
    if beat.answered_at is None or beat.answered_at < beat.rung_at:
        return "not_answered" if now - beat.rung_at > DEAF_AFTER else "ok"
    return "silent" if now - beat.answered_at > SILENT_AFTER else "ok"
