"""`manage.py doctor`: well, doubtful, wrong, and what it says to do."""

import json
import smtplib
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from config.checks import database, machine, work
from performance import partitions
from teams import doctor, jobs
from teams.models import JobRun, Notice, NoticeDelivery
from tests import make


def run(*names: str, **options: Any) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *names, stdout=out, stderr=out, no_color=True, **options)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_the_database_of_the_tests_is_well(db: None) -> None:
    code, told = run("database", "letters", "role", "migrations", "row security", "clock", "Chinese")
    assert code == 0, told
    assert "Chinese words can be searched" in told and "All migrations are applied" in told
    assert told.rstrip().splitlines()[-1] == "7 ok, 0 warnings, 0 wrong"


def test_every_check_has_a_remedy_where_it_is_not_well_and_never_raises(db: None) -> None:
    code, told = run(json=True)
    findings = json.loads(told)
    assert {"database", "worker", "months", "outbox", "mail", "secret"} <= set(findings)
    assert all(found["words"] and (found["state"] == "ok") != bool(found["remedy"]) for found in findings.values())
    assert code == int(any(found["state"] == "wrong" for found in findings.values()))


def test_a_check_that_fails_is_wrong_and_an_unknown_one_is_told(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_checks", {"broken": (1, lambda: 1 / 0)})  # type: ignore[dict-item]
    code, told = run()
    assert code == 1 and "ZeroDivisionError" in told
    assert run("nothing")[0] == 2


def test_letters_without_chinese_are_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_ask", lambda sql: ("UTF8", "C", 0))
    assert database.letters().state == "wrong"
    monkeypatch.setattr(database, "_ask", lambda sql: ("SQL_ASCII", "C", 4))
    assert database.letters().state == "wrong"


@pytest.mark.parametrize(
    ("check", "answer"),
    [(database.role, ("app", True, False)), (database.role, ("app", False, True)), (database.row_security, (5, 2)),
     (database.reachable, (140011, "14.11"))],
)  # fmt: skip
def test_a_database_with_too_many_rights_or_years(check: Any, answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_ask", lambda sql: answer)
    assert check().state == "wrong" and check().remedy


@pytest.mark.parametrize(("used", "state"), [(0.5, "ok"), (0.86, "warning"), (0.97, "wrong")])
def test_the_disk(used: float, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"total": 2**40, "free": int(2**40 * (1 - used))})
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: usage)
    assert machine.disk().state == state


def test_settings_that_are_not_well(settings: Any) -> None:
    settings.SECRET_KEY, settings.OUTPOST_URL, settings.DEBUG = "x" * 60, "http://outpost.example.com", True
    assert [check().state for check in (machine.secret, machine.https, machine.debugging)] == ["wrong"] * 3
    settings.SECRET_KEY = "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuv"
    settings.OUTPOST_URL, settings.TRUST_PROXY = "https://outpost.example.com", True
    settings.DEBUG, settings.METRICS_TOKEN = False, ""
    assert [check().state for check in (machine.secret, machine.https, machine.debugging)] == ["ok"] * 3
    assert machine.watching().state == "warning"


def test_a_mail_server_that_is_away_or_offers_no_encryption(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.EMAIL_HOST = ""
    assert machine.mail().state == "warning"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert machine.mail().state == "wrong"

    class Server:
        def __init__(self, *args: Any, **kwargs: Any) -> None: ...
        def __enter__(self) -> "Server":
            return self

        def __exit__(self, *args: Any) -> None: ...
        def ehlo(self) -> None: ...
        def has_extn(self, name: str) -> bool:
            return False

    monkeypatch.setattr(smtplib, "SMTP", Server)
    assert machine.mail().state == "ok"
    settings.EMAIL_USE_TLS = True
    assert machine.mail().state == "wrong"


def test_the_work(db: None) -> None:
    assert (work.worker().state, work.timetable().state, work.operator().state) == ("wrong", "wrong", "wrong")
    call_command("sync_timetable", stdout=StringIO())
    jobs.note_ring(timezone.now())
    jobs.note_answer(timezone.now())
    operator = make.user("op", is_superuser=True)
    assert (work.worker().state, work.timetable().state, work.operator().state) == ("ok", "ok", "warning")
    assert (work.ledger().state, work.outbox().state) == ("ok", "ok")
    operator.email = "op@example.org"
    operator.save()
    JobRun.objects.create(job="x", state="parked", due_at=timezone.now())
    row = Notice.objects.create(kind="x", recipient=operator, key="x", state="under_way")
    NoticeDelivery.objects.create(notice=row, way="mail", due_at=timezone.now() - timezone.timedelta(hours=1))
    assert (work.operator().state, work.ledger().state, work.outbox().state) == ("ok", "wrong", "wrong")


@time_machine.travel(datetime(2041, 5, 17, tzinfo=UTC))  # no other test has made months of that year
def test_the_months(db: None) -> None:
    today = timezone.now().date()
    assert partitions.checked().state == "wrong"
    partitions.ensure(today, today)
    assert partitions.checked().state == "warning"
    partitions.ensure_ahead(today)
    assert partitions.checked().state == "ok"
