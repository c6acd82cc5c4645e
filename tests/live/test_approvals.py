"""The worker is killed at any point of handing up, carrying out and telling: whoever comes next does it, once.

Each time a process of its own begins the work and ends itself by SIGKILL at a statement that is drawn; another then goes on as
the next bell would. Twenty-four kills, eight of each kind, the last ones after all is done and before anybody is told so.
"""

import os
import random
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from approvals.models import ApprovalRequest
from approvals.services import clocks, deciding
from teams import jobs, outbox
from teams.models import Notice, NoticeDelivery
from tests.approvals.conftest import case, rename
from tests.approvals.kinds import effects, person, steps

__all__ = ["case", "rename"]
pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
KILLS = 8
State = ApprovalRequest.State


class Killer:
    """Counts statements and ends the process before the one it is told."""

    def __init__(self, at: int) -> None:
        self.at, self.seen = at, 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)


def in_a_child(work: Callable[[], Any], at: int) -> int:
    """Do `work` in a process that kills itself before statement `at`, or when all is done if it has fewer. Returns the
    statements it came to, as far as it lived to tell."""
    connections.close_all()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:  # nothing of pytest may run in here
        try:
            killer = Killer(at)
            with connection.execute_wrapper(killer):
                work()
            os.write(tell, str(killer.seen).encode())
        finally:
            os.kill(os.getpid(), signal.SIGKILL)
    os.close(tell)
    with os.fdopen(told, "rb") as pipe:
        seen = pipe.read()
    _pid, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return int(seen or 0)


def points(whole: int) -> list[int]:
    """Where to kill: spread over all statements and drawn within each part, and once after the last."""
    drawn = random.Random(os.environ.get("FUZZ_SEED", "784859630"))
    parts = KILLS - 1
    return [1 + (part * whole + drawn.randrange(max(whole, 1))) // parts for part in range(parts)] + [whole + 1]


def test_handing_up(case):
    """Escalated once: one line of the trace, one step more, the lead above asked and told once."""

    def hand_up() -> None:
        clocks.sweep(timezone.now() + timedelta(minutes=11))

    def asked() -> ApprovalRequest:
        case.kind.policy = steps(person(case.north.lead), escalate=10)
        return case.ask()

    first = asked()
    whole = in_a_child(hand_up, at=10**6)
    assert whole > 10
    close(first)
    for at in points(whole):
        request = asked()
        in_a_child(hand_up, at)
        for _bell in range(2):
            hand_up()
        steps_now = list(request.steps.order_by("number").values_list("number", "state"))
        assert steps_now == [(10, "escalated"), (11, "active")], f"killed before statement {at}"
        assert request.events.filter(kind="escalated").count() == 1
        assert list(request.seats.filter(is_open=True).values_list("user__username", flat=True)) == ["hub-lead"]
        told = Notice.objects.filter(kind="approval_waits", about=str(request.pk), recipient=case.hub.lead)
        assert told.count() == 1
        close(request)


def test_carrying_out(case, monkeypatch):
    """Carried out once by the ledger, however often its worker dies."""
    monkeypatch.setattr(type(case.kind), "is_deferred", True)
    later = timezone.now() + timedelta(minutes=3)

    def approved(number: int) -> ApprovalRequest:
        return deciding.approve(case.ask(name=f"Name {number}").pk, by=case.north.lead)

    approved(0)
    whole = in_a_child(lambda: jobs.work_due(timezone.now()), at=10**6)
    assert whole > 5 and effects(case.skill) == 1
    for number, at in enumerate(points(whole), 1):
        request = approved(number)
        in_a_child(lambda: jobs.work_due(timezone.now()), at)
        for _bell in range(2):
            jobs.work_due(later)
        request.refresh_from_db()
        assert (request.state, case.name()) == (State.APPLIED, f"Name {number}"), f"killed before statement {at}"
        assert effects(case.skill) == number + 1
        assert request.events.filter(kind="applied").count() == 1
        assert Notice.objects.filter(kind="approval_settled", about=str(request.pk)).count() == 1


def test_telling(case, settings, tmp_path):
    """Each person is told by one letter: a second copy of it goes out only where the process died between sending and writing
    down that it was sent, and it is the same letter, by its id."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path)
    for who in (case.north.lead, case.hub.lead, case.agent):
        who.email = f"{who.username}@example.org"
        who.save()
    case.ask()
    whole = in_a_child(outbox.deliver_due, at=10**6)
    assert whole > 10 and len(letters(tmp_path)) == 2
    for at in points(whole):
        for request in ApprovalRequest.objects.open():
            close(request)
        outbox.deliver_due()
        NoticeDelivery.objects.all().delete()
        Notice.objects.all().delete()
        for path in tmp_path.iterdir():
            path.unlink()
        case.ask()
        in_a_child(outbox.deliver_due, at)
        sent_before = len(letters(tmp_path))
        closed_before = NoticeDelivery.objects.filter(state="sent").count()
        for minutes in (1, 30, 300):
            outbox.deliver_due(timezone.now() + timedelta(minutes=minutes))
        ids = letters(tmp_path)
        assert set(NoticeDelivery.objects.values_list("state", flat=True)) == {"sent"}, f"killed before statement {at}"
        assert len(set(ids)) == 2
        assert len(ids) - 2 == sent_before - closed_before <= 1


def close(request: ApprovalRequest) -> None:
    ApprovalRequest.objects.filter(pk=request.pk).update(state=State.WITHDRAWN, next_due_at=None)
    request.seats.update(is_open=False)


def letters(folder: Path) -> list[str]:
    """The ids of all letters that were sent."""
    lines = [line for path in folder.iterdir() for line in path.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.startswith("Message-ID:")]


def test_no_timetable_entry_is_missing():
    """The bell of the clocks stands in the database's timetable once it has been synced."""
    call_command("sync_timetable", verbosity=0)
    from django_celery_beat.models import PeriodicTask

    assert PeriodicTask.objects.filter(task="approvals.ring_clocks", enabled=True).count() == 1
