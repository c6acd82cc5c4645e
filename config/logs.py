"""How every process writes its log: one line an event, JSON or plain, with the number of the request and without people's data.

What goes into a log can be read by more people, and for longer, than the page it came from. So a line names rows by their
id and pages by their route; the words of an error stay out as well, because a database puts the refused value into them.
What is left to find a fault by: the kind of error, the lines of code, the constraint, the number of the request.
"""

import json
import re
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict

FORMS = ("json", "lines")
KEPT_OUT = "[kept out]"
# Extra fields of our own log calls. Whatever else rides on a record (Celery's hold the arguments of a task) stays behind.
FIELDS = ("route", "method", "status", "milliseconds", "user_id", "task", "outcome", "host")
PERSONAL = frozenset({
    "address", "amount", "args", "authorization", "body", "cookie", "customer", "customer_phone", "email", "full_name",
    "kwargs", "name", "password", "phone", "query", "query_string", "secret", "token", "username", "wage",
})  # fmt: skip
MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
QUERY = re.compile(r"(?<=[\w/])\?[^\s\"'>]+")
TELEPHONE = re.compile(
    r"\+\d[\d ()-]{6,}\d"  # with a country code
    r"|(?<![\w.-])1[3-9]\d{9}(?![\w-])"  # a Chinese mobile
    r"|(?<![\w.-])0\d{2,4}[ /-]?\d{6,8}(?![\w-])"  # with an area code
)
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]|\n|\t")
FRAMES = 12


def configuration(form: str, level: str) -> dict[str, Any]:
    """The value of LOGGING, and of gunicorn's own logging: everything to standard error, in `form` ("json" or "lines")."""
    before = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=FIELDS),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    after = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        without_values,
        without_people,
        as_json if form == "json" else as_line,
    ]
    formatter = {"()": structlog.stdlib.ProcessorFormatter, "foreign_pre_chain": before, "processors": after}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # These would write the address of a chat robot, and whoever has it can write to the group.
            "apprise": {"level": "CRITICAL", "propagate": False},
            "urllib3": {"level": "CRITICAL", "propagate": False},
            # Each task has its line from `outpost.task`; what fails is told by Celery all the same.
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "gunicorn.error": {"level": level, "propagate": True},
            "gunicorn.access": {"level": "CRITICAL", "propagate": False},  # `outpost.request` takes its place
        },
    }


def without_values(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put the kind and the place of an error where its words would stand; they may repeat what somebody has typed."""
    told = event.pop("exc_info", None)
    event.pop("stack_info", None)
    error = told[1] if isinstance(told, tuple) else told if isinstance(told, BaseException) else None
    if error is None:
        return event
    words = str(event.get("event", ""))
    for said in {repr(error), str(error)} - {""}:
        words = words.replace(said, type(error).__name__)
    event["event"] = words.partition("\nTraceback")[0]
    event["error"] = kind_of(error)
    event["at"] = places(error.__traceback__)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        event["cause"] = kind_of(cause)
    return event


def kind_of(error: BaseException) -> str:
    """The class of an error, with the state and constraint that PostgreSQL names; never its message."""
    diagnosis = getattr(error, "diag", None)
    more = [getattr(error, "sqlstate", None), getattr(diagnosis, "constraint_name", None)]
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return " ".join([name, *(str(each) for each in more if each)])


def places(trace: TracebackType | None) -> list[str]:
    """Where it happened, innermost last: file, line and function of the last frames."""
    found = []
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{'/'.join(code.co_filename.split('/')[-3:])}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found[-FRAMES:]


def without_people(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """The net below: known fields, mail addresses, telephone numbers and query strings do not pass, whoever wrote them."""
    if str(event.get("logger", "")).startswith("django."):
        event["event"] = str(event["event"]).partition(": /")[
            0
        ]  # a path can hold a code that is a name; the route is told
    for key, value in event.items():
        if key in PERSONAL:
            event[key] = KEPT_OUT
        elif isinstance(value, str) and key not in {"timestamp", "request_id", "task_id"}:
            event[key] = masked(value)
    return event


def masked(words: str) -> str:
    """`words` without mail addresses, telephone numbers and what follows the question mark of an address."""
    words = MAIL.sub("[mail]", QUERY.sub("?[query]", words))
    return TELEPHONE.sub("[telephone]", words)


def as_json(_logger: Any, _method: str, event: EventDict) -> str:
    """One object in one line; ASCII only, so that nothing in it can steer a terminal."""
    return json.dumps(event, default=str, sort_keys=False)


def as_line(_logger: Any, _method: str, event: EventDict) -> str:
    """The same for human eyes: moment, level, logger, words, then the fields."""
    lead = [str(event.pop(key, "")) for key in ("timestamp", "level", "logger", "event")]
    rest = [f"{key}={value}" for key, value in event.items()]
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), " ".join(lead + rest))
