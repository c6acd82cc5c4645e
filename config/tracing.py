"""One number for everything that one request causes: log lines, tasks, and statements as the database sees them.

The number is made here. Only a trusted proxy may bring one, as it could otherwise be used to write into logs or to blur
whose request was whose. It names nobody, and it is gone with the request.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from uuid import uuid4

from celery.signals import before_task_publish, setup_logging, task_postrun, task_prerun
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from structlog import contextvars

log = logging.getLogger("outpost.request")
tasks_log = logging.getLogger("outpost.task")

PLAIN = re.compile(r"[A-Za-z0-9_.-]{8,64}")  # nothing that could end a comment in SQL or a line in a log
QUIET = frozenset({"health-live", "health-ready", "health-worker", "metrics", "static"})  # asked all the time: at DEBUG


def current() -> str:
    """The number of the request or task at work, or nothing."""
    return str(contextvars.get_contextvars().get("request_id", ""))


class RequestIds:
    """The outermost middleware: gives the number, answers with it in `X-Request-ID`, and writes the one line of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        brought = request.headers.get("X-Request-ID", "") if settings.TRUST_PROXY else ""
        number = brought if PLAIN.fullmatch(brought) else uuid4().hex
        request.request_id = number  # type: ignore[attr-defined]
        began = time.perf_counter()
        contextvars.clear_contextvars()
        contextvars.bind_contextvars(request_id=number)
        try:
            with marked_statements(number):
                response = self.get_response(request)
            response.headers["X-Request-ID"] = number
            _tell(request, response, began)
            return response
        finally:
            contextvars.clear_contextvars()


def _tell(request: HttpRequest, response: HttpResponse, began: float) -> None:
    """Route, status and time; the account by its id. Addresses can hold what people search for, so they are not told."""
    route = route_of(request)
    session = getattr(request, "session", None)
    facts = {
        "route": route,
        "method": request.method,
        "status": response.status_code,
        "milliseconds": round((time.perf_counter() - began) * 1000),
        "user_id": session.get("_auth_user_id") if session is not None and session.accessed else None,
    }
    level = logging.ERROR if response.status_code >= 500 and route not in QUIET else logging.INFO
    log.log(logging.DEBUG if route in QUIET else level, "answered", extra=facts)


def route_of(request: HttpRequest) -> str:
    """The name of the route, which is one of a known set, or "none"."""
    if request.path_info.startswith(settings.STATIC_URL):
        return "static"
    match = request.resolver_match
    return (match.view_name or "none") if match is not None else "none"


@contextmanager
def marked_statements(number: str) -> Iterator[None]:
    """Every statement begins with the number as a comment: pg_stat_activity and the log of slow statements show it."""
    with connection.execute_wrapper(_marker(number)):
        yield


def _marker(number: str) -> Callable[..., Any]:
    def execute(run: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        return run(f"/* {number} */ {sql}" if isinstance(sql, str) else sql, params, many, context)

    return execute


# -- the worker --------------------------------------------------------------------------------------------------------


@setup_logging.connect
def our_logging(**_: Any) -> None:
    """Celery would lay its own lines over ours; with this it leaves the logs as the settings made them."""
    import logging.config

    logging.config.dictConfig(settings.LOGGING)


@before_task_publish.connect
def send_number(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """A task carries the number of whoever asked for it; one that beat rings gets its own."""
    if headers is not None:
        headers["request_id"] = current() or uuid4().hex


_open: dict[str, tuple[ExitStack, float]] = {}


@task_prerun.connect
def take_number(task_id: str, task: Any, **_: Any) -> None:
    """A message of an earlier release carries none, and gets one here."""
    brought = str(getattr(task.request, "request_id", None) or "")
    number = brought if PLAIN.fullmatch(brought) else uuid4().hex
    if task.request.is_eager:
        return
    contextvars.clear_contextvars()
    contextvars.bind_contextvars(request_id=number, task_id=task_id)
    stack = ExitStack()
    stack.enter_context(marked_statements(number))
    _open[task_id] = (stack, time.perf_counter())


@task_postrun.connect
def leave_number(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    stack, began = _open.pop(task_id, (None, 0.0))
    if stack is None:
        return
    facts = {"task": task.name, "outcome": state, "milliseconds": round((time.perf_counter() - began) * 1000)}
    tasks_log.info("done", extra=facts)
    stack.close()
    contextvars.clear_contextvars()
