"""One number from the proxy to the database: who may bring it, where it shows."""

import re
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from config import tracing
from config.celery import app

NUMBER = re.compile(r"[0-9a-f]{32}")


def test_a_number_is_made_for_each_request_and_a_strangers_is_not_taken(client: Client, db: None) -> None:
    first, second = (client.get("/log-in/", headers={"X-Request-ID": "chosen-by-a-client"}) for _ in range(2))
    assert NUMBER.fullmatch(first["X-Request-ID"]) and first["X-Request-ID"] != second["X-Request-ID"]


@pytest.mark.parametrize(
    "bad", ["short", "a b c d e f g h", "x*/; DROP TABLE teams_team; --", "line\x0bbreak", "x" * 65, "编号编号编号编号"]
)
def test_a_trusted_proxy_brings_the_number_if_it_is_one(client: Client, db: None, settings: Any, bad: str) -> None:
    settings.TRUST_PROXY = True
    assert client.get("/log-in/", headers={"X-Request-ID": "from-the-proxy-1"})["X-Request-ID"] == "from-the-proxy-1"
    assert NUMBER.fullmatch(client.get("/log-in/", headers={"X-Request-ID": bad})["X-Request-ID"])


def test_the_database_sees_the_number_in_each_statement(db: None) -> None:
    def view(request: Any) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            return HttpResponse(cursor.fetchone()[0])

    answer = tracing.RequestIds(view)(RequestFactory().get("/"))
    assert answer.content.decode().startswith(f"/* {answer['X-Request-ID']} */ SELECT query")
    assert tracing.current() == ""
    with CaptureQueriesContext(connection) as found, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert found[0]["sql"] == "SELECT 1"


def test_a_page_that_fails_names_the_number(settings: Any) -> None:
    from config import errors

    request = RequestFactory().get("/")
    request.request_id = "0123456789abcdef"  # type: ignore[attr-defined]
    answer = errors.server_error(request)
    assert answer.status_code == 500 and "0123456789abcdef" in answer.content.decode()


def test_a_task_carries_the_number_of_the_request_and_a_message_without_one_gets_its_own() -> None:
    """T86: a message of the release before has no number."""
    headers: dict[str, Any] = {}
    tracing.contextvars.bind_contextvars(request_id="0123456789abcdef")
    tracing.send_number(headers=headers)
    tracing.contextvars.clear_contextvars()
    assert headers == {"request_id": "0123456789abcdef"}
    app.loader.import_default_modules()
    for carried, expected in ((headers, "0123456789abcdef"), ({}, None)):
        seen = []
        task = app.tasks["teams.turn_day"]
        task.push_request(id="t1", is_eager=False, **carried)
        try:
            tracing.take_number(task_id="t1", task=task)
            seen.append(tracing.current())
            tracing.leave_number(task_id="t1", task=task, state="SUCCESS")
        finally:
            task.pop_request()
        assert seen[0] == expected if expected else NUMBER.fullmatch(seen[0])
        assert tracing.current() == "" and not tracing._open
