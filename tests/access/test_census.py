"""The census: what can be reached is written down, and answers as written. A missing or a stale row fails."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.template.backends.django import Template
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from config import health
from config.celery import app
from teams.edges.admin import ScopedAdmin, site
from tests.access import actors, table
from tests.access.actors import ACTORS, World
from tests.approvals import kinds


@pytest.fixture
def world(hub: Any, north: Any, south: Any) -> Iterator[World]:
    kinds.register()
    yield actors.build(hub, north, south)
    kinds.forget()


def _client(user: Any) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def routes(patterns: Any = None, space: str = "") -> Iterator[str]:
    """Names of all routes, with their namespace. A route without a name cannot be in the table: it is an error itself."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from routes(entry.url_patterns, inner)
        elif isinstance(entry, URLPattern) and entry.name:
            yield f"{space}{entry.name}"
        elif isinstance(entry, URLPattern) and not _harmless(entry):
            yield f"{space}<unnamed {entry.pattern}>"


def _harmless(entry: URLPattern) -> bool:
    """The site's catch-all, which is a 404, and its redirects of old addresses."""
    return str(entry.pattern) in {"(?P<url>.*)$", "<path:object_id>/"}


def admin_routes(label: str, row: dict[str, Any]) -> dict[str, str]:
    """The rows of one admin: name of the route -> answers to methods."""
    stem = f"admin:{label.replace('.', '_')}"
    nobody = {">": ">", "-": "x", ".": "x", "x": "x"}
    seen, one = (table.READERS[row["readers"]][kind] for kind in ("list", "row"))
    closed_list, closed_row = ("".join(nobody[answer] for answer in answers) for answers in (seen, one))
    closed_row = "".join("-" if was == "-" else now for was, now in zip(one, closed_row, strict=True))
    made = {
        f"{stem}_changelist": f"GET {seen}",
        f"{stem}_add": f"GET {row.get('add', closed_list)} | POST {row.get('add', closed_list)}",
        f"{stem}_change": f"GET {one} | POST {_changing(row, closed_row)}",
        f"{stem}_history": f"GET {one}",
        f"{stem}_download": f"GET {seen}",
        f"{stem}_delete": f"GET {row.get('delete', closed_row)}",
    }
    for verb, answers in row.get("verbs", {}).items():
        made[f"{stem}_{verb}"] = f"GET {answers} | POST {answers}"
    if "export" in row:
        made[f"{stem}_export"] = f"GET {row['export']}"
    if "import" in row:
        made[f"{stem}_import"] = f"GET {row['import']} | POST {row['import']}"
    return made


def _changing(row: dict[str, Any], closed: str) -> str:
    return row.get("change", closed)


def whole_table() -> dict[str, str]:
    rows = dict(table.ROUTES)
    for label, row in table.MODELS.items():
        rows |= admin_routes(label, row)
    return rows


def test_every_route_has_its_row_and_every_row_its_route():
    there, written = set(routes()), set(whole_table())
    missing = sorted(there - written)
    stale = sorted(written - there)
    assert not missing, "add to tests/access/table.py:\n" + "\n".join(
        f'    "{name}": "GET {"?" * len(ACTORS)}",' for name in missing
    )
    assert not stale, f"remove from tests/access/table.py: {stale}"


def test_every_registered_admin_derives_from_the_base_and_has_its_row():
    labels = {model._meta.label_lower for model in site._registry}
    assert labels == set(table.MODELS), (
        f"add to MODELS in tests/access/table.py: {sorted(labels - set(table.MODELS))}; "
        f"remove: {sorted(set(table.MODELS) - labels)}"
    )
    assert all(isinstance(admin, ScopedAdmin) for admin in site._registry.values())


def test_every_task_has_its_row():
    app.loader.import_default_modules()
    own = {name for name in app.tasks if not name.startswith("celery.")}
    assert own == set(table.TASKS), (
        f"add to TASKS: {sorted(own - set(table.TASKS))}; remove: {sorted(set(table.TASKS) - own)}"
    )


def test_every_operation_of_the_schema_is_a_route_of_the_table():
    from drf_spectacular.generators import SchemaGenerator

    schema = SchemaGenerator().get_schema(request=None, public=True)
    addresses = {_address(name, World(None, None, None, {})) for name in table.ROUTES if "-" in name or name in PLAIN}  # type: ignore[arg-type]
    wanted = {_filled(path) for path in schema["paths"]}
    assert wanted <= addresses, sorted(wanted - addresses)


def _filled(path: str) -> str:
    metric, source = PLAIN["metric-detail"], PLAIN["intake_deliver"]
    path = path.replace("/metrics/{id}/", f"/metrics/{metric[0]}/").replace("{code}/{layout}", "/".join(source))
    return path.replace("{id}", "1")


# Routes that name their row otherwise than an admin or the API does: the model, and what stands beside its id.
ABOUT: dict[str, tuple[str, list[Any]]] = {
    "agent_figures": ("teams.agent", []),
    "my_contact": ("performance.contact", []),
    "my_data_file": ("teams.datacopy", []),
    "my_request": ("approvals.approvalrequest", []),
    "my_request_edit": ("approvals.approvalrequest", []),
    "my_request_verb": ("approvals.approvalrequest", ["comment"]),
    "admin:performance_contact_phone": ("performance.contact", []),
    "admin:teams_agent_seers": ("teams.agent", []),
    "admin:teams_compensation_seers": ("teams.compensation", []),
    "admin:performance_contact_seers": ("performance.contact", []),
    "admin:performance_nightlyreport_seers": ("performance.nightlyreport", []),
    "admin:performance_nightlyreport_export": ("performance.nightlyreport", ["csv"]),
    "admin:incentives_planversion_preview": ("incentives.planversion", []),
    "admin:incentives_batch_file": ("incentives.batch", ["csv"]),
    "intake_delivery": ("performance.importrun", []),
    "intake_columns": ("performance.importrun", []),
    "intake_errors": ("performance.importrun", []),
    "intake_file": ("performance.importrun", []),
    "intake_token": ("performance.source", []),
    "my_reply": ("approvals.cannedreply", []),
    "my_reply_use": ("approvals.cannedreply", []),
    "my_reply_retire": ("approvals.cannedreply", []),
    "my_reply_file": ("approvals.replyattachment", []),
    "my_plan_read": ("incentives.planversion", []),
    "my_line": ("incentives.attainment", []),
    "my_line_dispute": ("incentives.attainment", []),
    "notices_remove": ("teams.noticechannel", []),
    "progress": ("teams.jobprogress", []),
    "progress_cancel": ("teams.jobprogress", []),
    "undo": ("teams.undooffer", []),
}
PLAIN: dict[str, list[Any]] = {
    "intake_deliver": ["north-desk", "contacts"],
    "metric-detail": ["volume"],
    "admin:app_list": ["teams"],
    "admin:list_columns": ["teams.agent"],
    "admin:list_filters": ["teams.agent"],
    "first_start": ["no-such-key"],
    "invited": ["no-such-token"],
    "start_example": ["teams"],
}
API_ROWS = {
    "cannedreply": "approvals.cannedreply",
    "replycategory": "approvals.replycategory",
    "agent-day": "performance.agentday",
    "team-day": "performance.teamday",
    "half-hour": "performance.queuehalfhour",
    "contact": "performance.contact",
    "report": "performance.nightlyreport",
    "approval-request": "approvals.approvalrequest",
    "approval-policy": "approvals.approvalpolicy",
    "approval-absence": "approvals.approvalabsence",
    "status-span": "approvals.statusspan",
    "blacklist": "approvals.blockentry",
    "incentive-plan": "incentives.plan",
    "attainment": "incentives.attainment",
    "incentive-entry": "incentives.entry",
    "incentive-run": "incentives.run",
    "payout-batch": "incentives.batch",
    "day-record": "incentives.dayrecord",
}


def _address(name: str, world: World) -> str:
    if name in PLAIN:
        return reverse(name, args=PLAIN[name])
    if name in ABOUT:
        label, rest = ABOUT[name]
        return reverse(name, args=[world.rows.get(label, 1), *rest])
    model, tail, label = name.removeprefix("admin:"), "", "teams.team"
    if name.startswith("admin:") and name not in table.ROUTES:
        label = next(label for label in table.MODELS if model.startswith(f"{label.replace('.', '_')}_"))
        tail = model.removeprefix(f"{label.replace('.', '_')}_")
    elif "-" in name:
        stem = name.rpartition("-")[0]
        label = next((label for start, label in API_ROWS.items() if name.startswith(f"{start}-")), f"teams.{stem}")
    pk = world.rows.get(label, 1)
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse(name, args=["csv" if tail in {"export", "download"} else pk])


def cases() -> list[tuple[str, str, str]]:
    return [(name, *part.strip().split(" ")) for name, row in sorted(whole_table().items()) for part in row.split("|")]


class _Unrendered(str):
    """Stands for a page that the census does not need to read: it asks for answers, the canary crawl for contents."""


@pytest.fixture
def _no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Template, "render", lambda template, context=None, request=None: _Unrendered())
    monkeypatch.setattr(
        health, "_broker", lambda celery: "ok"
    )  # whether a broker runs beside the tests is not asked here
    actors.frame_once(monkeypatch)


Ask = tuple[str, str, str]


def walk(world: World, rows: Callable[[int], Iterable[Ask]]) -> list[str]:
    """Where an answer is not as written. Each actor, by number, asks its rows; what a request writes is taken back."""
    wrong = []
    for number, actor in enumerate(ACTORS):
        cache.clear()  # what one actor has used up of a limit is not held against the next
        client = _client(world.user(actor))
        for name, method, answers in rows(number):
            address = _address(name, world)
            kwargs = {"content_type": "application/json"} if address.startswith("/api/") and method != "GET" else {}
            with transaction.atomic():
                got = getattr(client, method.lower())(address, **kwargs).status_code
                transaction.set_rollback(True)
            expected = table.ANSWERS[answers[number]]
            if got != expected:
                wrong.append(f"{actor}: {name} {method} {address}: written {expected}, answered {got}")
            if "_auth_user_id" not in client.session:
                client = _client(world.user(actor))  # the route was a way out
    return wrong


@pytest.mark.usefixtures("_no_words")
def test_routes_answer_as_written_to_some(world: World) -> None:
    """Each row is asked by a third of the actors, the next row by another third; all of them ask in the suite of the walls."""
    wrong = walk(world, lambda number: (row for place, row in enumerate(cases()) if place % 3 == number % 3))
    assert not wrong, "\n".join(wrong)


@pytest.mark.walls
@pytest.mark.usefixtures("_no_words")
def test_every_route_answers_everybody_as_written(world: World) -> None:
    wrong = walk(world, lambda number: cases())
    assert not wrong, "\n".join(wrong)


def test_every_row_of_the_table_has_nine_answers() -> None:
    assert [name for name, _method, answers in cases() if len(answers) != len(ACTORS)] == []
