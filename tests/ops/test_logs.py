"""T95, T96: what a log line may say. The crawl reads every page as the operator, who sees all, and then reads the log."""

import io
import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from config import logs
from config.celery import app
from performance.services import intake
from teams import jobs, outbox
from teams.models import JobRun, Team
from tests.access import world as worlds
from tests.access.test_canary import addresses

PLACE = re.compile(r"/\d+/")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """All lines that the settings' own logging writes meanwhile, at the level that says most."""
    monkeypatch.setattr(app.loader, "import_default_modules", lambda: None)  # would lay the logging out anew
    stream = io.StringIO()
    configuration = logs.configuration("json", "DEBUG")
    formatter = configuration["formatters"]["event"]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        formatter["()"](foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"])
    )
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def line(record: logging.LogRecord, form: str = "json") -> str:
    formatter = logs.configuration(form, "INFO")["formatters"]["event"]
    return formatter["()"](foreign_pre_chain=formatter["foreign_pre_chain"], processors=formatter["processors"]).format(
        record
    )


def record(message: str, *args: Any, error: BaseException | None = None, **extra: Any) -> logging.LogRecord:
    told = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("a.logger", logging.ERROR, "file.py", 1, message, args, told)
    made.__dict__ |= extra
    return made


def test_the_log_of_a_crawl_by_the_one_who_sees_all_names_nobody(db: None, written: io.StringIO) -> None:
    """Every route once, with what people search for, then mails, a job that fails on data, and a refused delivery."""
    world = worlds.build()
    client = Client(raise_request_exception=False)
    client.force_login(world.actors["operator"])  # type: ignore[arg-type]
    asked = {PLACE.sub("/0/", address.partition("?")[0]): address for address in addresses(world)}
    shown: set[str] = set()
    for address in asked.values():
        mark = worlds.mark("alpha", "roster")
        with transaction.atomic():
            answer = client.get(f"{address}?q={mark}&s={mark}&phone=13912345678", headers={"User-Agent": mark})
            if not answer.streaming:
                shown |= worlds.marks_in(answer.content.decode(errors="replace"))
            transaction.set_rollback(True)
    client.post("/log-in/", {"username": worlds.mark("alpha", "roster"), "password": "+86 139 1234 5678"})
    outbox.deliver_due(worlds.soon())
    run = JobRun.objects.create(job="spoilt", due_at=timezone.now(), subject="1")

    def spoilt(run: JobRun) -> str:
        with transaction.atomic():
            Team.objects.create(code=world.alpha.team.code, name="again")
        return ""

    jobs.register("spoilt", spoilt)
    try:
        assert jobs.work(run.pk) is False
    finally:
        jobs._jobs.pop("spoilt")
    with pytest.raises(Exception):  # noqa: B017 - whatever it is that a broken delivery raises
        intake.work(JobRun(subject="not a number"))
    told = written.getvalue()
    lines = [json.loads(each) for each in told.splitlines()]
    assert len(shown) > 8 and len(asked) > 100, "the crawl saw nothing that could have leaked"
    assert sum(each["logger"] == "outpost.request" for each in lines) >= len(asked)
    assert any(each.get("cause", "").endswith("23505 teams_team_code_key") for each in lines), "the failed job is told"
    assert [each for each in told.splitlines() if worlds.marks_in(each)] == []
    assert "13912345678" not in told and "1234 5678" not in told and "?q=" not in told
    assert not re.search(r"@(hub|agent)\.test", told)


def test_an_error_tells_its_kind_and_place_and_not_its_words() -> None:
    try:
        try:
            raise KeyError("Zhang Wei")
        except KeyError as error:
            raise ValueError("wage of Zhang Wei is 300.00") from error
    except ValueError as error:
        told = json.loads(line(record("failed: %s", error, error=error)))
    assert (told["event"], told["error"], told["cause"]) == ("failed: ValueError", "ValueError", "KeyError")
    assert "test_logs.py" in told["at"][-1] and "Zhang" not in json.dumps(told)


def test_the_database_names_its_constraint(db: None) -> None:
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        Team.objects.create(code="x", name="a" * 3)
        Team.objects.create(code="x", name="secret name")
    told = line(record("no", error=refused.value.__cause__))
    assert "23505 teams_team_code_key" in told and "secret name" not in told


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("mail to li.na@example.com failed", "mail to [mail] failed"),
        ("Not Found: /admin/teams/agent/?q=Li", "Not Found: /admin/teams/agent/?[query]"),
        ("call +86 139 1234 5678 back", "call [telephone] back"),
        ("call 13912345678 back", "call [telephone] back"),
        ("run 3 of 2026-03-29 took 1.250 s at 17:40", "run 3 of 2026-03-29 took 1.250 s at 17:40"),
    ],
)
def test_the_net_below(said: str, kept: str) -> None:
    assert json.loads(line(record(said)))["event"] == kept


def test_known_fields_do_not_pass_and_unknown_ones_stay_behind() -> None:
    assert logs.without_people(None, "", {"event": "x", "phone": "1", "args": "(2,)"}) == {
        "event": "x", "phone": logs.KEPT_OUT, "args": logs.KEPT_OUT,
    }  # fmt: skip
    assert "13912345678" not in line(record("received", data={"args": "('13912345678',)"}))


@pytest.mark.parametrize("form", logs.FORMS)
def test_a_name_cannot_write_a_line_or_steer_a_terminal(form: str) -> None:
    """T96."""
    told = line(record("user %s", "a\nERROR forged\r\x1b[2J\x9b31m\u2028\u202eb"), form)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u202e]", told) and "forged" in told


def test_the_address_of_a_robot_is_not_logged_even_at_debug(written: io.StringIO) -> None:
    configured = logs.configuration("json", "DEBUG")["loggers"]
    for name in ("apprise", "urllib3", "gunicorn.access"):
        assert configured[name] == {"level": "CRITICAL", "propagate": False}
        assert not logging.getLogger(name).isEnabledFor(logging.ERROR), f"{name} is not silenced by the settings"
