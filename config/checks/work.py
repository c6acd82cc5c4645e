"""Whether the work gets done: broker, worker and beat, the timetable, the ledger, the outbox, an operator who is told."""

from datetime import timedelta

from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from config.celery import TIMETABLE, app
from teams import jobs
from teams.doctor import Check, Finding, doubtful, well, wrong
from teams.models import Notice, NoticeDelivery, User

BROKER_SECONDS = 2
LATE = timedelta(minutes=15)


def broker() -> Finding:
    try:
        with app.connection_for_write(connect_timeout=BROKER_SECONDS) as line:
            line.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=BROKER_SECONDS)
    except Exception:
        return wrong("The broker does not answer.", "Start `manage.py run`, or correct CELERY_BROKER_URL.")
    return well("The broker answers.")


def worker() -> Finding:
    state = jobs.ears(timezone.now())
    told = {
        "ok": well("A worker answers the bell of beat."),
        "never_rung": wrong("Nobody has ever rung for the worker.", "Start `manage.py run`, or `manage.py run beat`."),
        "not_answered": wrong(
            "Beat rings, and no worker answers.", "Start `manage.py run worker`, or look into worker.log."
        ),
        "silent": wrong(
            "Beat does not ring any more.", "Start `manage.py run beat` on one machine, or look into beat.log."
        ),
    }
    return told[state]


def timetable() -> Finding:
    there = set(PeriodicTask.objects.filter(enabled=True).values_list("task", flat=True))
    missing = sorted({str(entry["task"]) for entry in TIMETABLE.values()} - there)
    if missing:
        return wrong(
            f"The timetable lacks {', '.join(missing)}.",
            "Run `manage.py sync_timetable`; an entry that was switched off is switched on in the admin site.",
        )
    return well(f"The timetable has all {len(TIMETABLE)} entries.")


def ledger() -> Finding:
    behind = jobs.backlog(timezone.now())
    if behind.parked:
        return wrong(
            f"Runs that were given up: {behind.parked}.",
            "Look at them under Job runs in the admin site, and try again.",
        )
    if behind.overdue:
        return doubtful(
            f"Runs that are overdue: {behind.overdue}, the oldest since {behind.oldest_due_at:%Y-%m-%d %H:%M} UTC.",
            "See whether the worker answers; more workers help where it is only busy.",
        )
    return well("No run is overdue or given up.")


def outbox() -> Finding:
    parked = Notice.objects.filter(state=Notice.State.PARKED).count()
    late = NoticeDelivery.objects.filter(state="waiting", due_at__lt=timezone.now() - LATE).count()
    if late:
        return wrong(
            f"Notices that should have left a quarter of an hour ago: {late}.", "See whether the worker answers."
        )
    if parked:
        return doubtful(
            f"Notices that were given up: {parked}.", "Their reasons stand under Notices in the admin site."
        )
    return well("No notice is late or given up.")


def operator() -> Finding:
    operators = User.objects.filter(is_superuser=True, is_active=True)
    if not operators.exists():
        return wrong("There is no operator.", "Run `manage.py createsuperuser`.")
    if not operators.exclude(email="").exists() and not operators.filter(channels__isnull=False).exists():
        return doubtful(
            "No alarm reaches an operator: none has a mail address or a robot.", "Enter one under Accounts."
        )
    return well(f"Operators who can be told: {operators.count()}.")


CHECKS: tuple[tuple[str, Check], ...] = (
    ("broker", broker),
    ("worker", worker),
    ("timetable", timetable),
    ("ledger", ledger),
    ("outbox", outbox),
    ("operator", operator),
)
