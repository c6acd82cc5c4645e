"""Every operation of the API, called by everybody with calls made up from its own description.

`FUZZ_SEED` repeats a run; `FUZZ_CASES` (50) is how many calls are made up for each operation; everybody makes each of them.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.access import world as worlds
from tests.fuzz.doors import CALLERS, CASES, SOURCE, Ground, api, calls, operations, text_of
from tests.fuzz.seed import SEED

pytestmark = pytest.mark.fuzz
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
PARTS = 8  # of the operations, so that the workers of a run share them
OPEN_TO_ALL = {"POST /api/v1/token/"}
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"}
AT_ONCE = settings(
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


class Calls:
    """Made-up calls, each made as all of `names`: how often each operation was called, what came back, what was wrong."""

    def __init__(self, ground: Ground, names: Sequence[str]) -> None:
        self.ground, self.names = ground, names
        self.never = {name: ground.forbidden(name) for name in names}
        self.called: Counter[str] = Counter()
        self.answers: dict[str, Counter[int]] = {name: Counter() for name in names}
        self.problems: dict[str, str] = {}

    def run(self, operation: Any, cases: int) -> None:
        """Call until there are as many calls as wanted; Hypothesis stops early where it has drawn all it knows."""
        for attempt in range(20):
            left = cases - self.called[operation.label]
            if left <= 0:
                return
            drawn = given(calls(operation, self.ground))(self.call_as_each)
            seed(f"{SEED}/{operation.label}/{attempt}")(settings(AT_ONCE, max_examples=left)(drawn))()

    def call_as_each(self, case: Any) -> None:
        self.called[case.operation.label] += 1
        for name in self.names:
            self.call(case, name)

    def call(self, case: Any, name: str) -> None:
        try:
            with transaction.atomic():
                response = case.call(headers=self.ground.headers(name))
                transaction.set_rollback(True)
            self.answers[name][response.status_code] += 1
            self.judge(case, name, response)
        except (Exception, FailureGroup) as error:
            self.problems.setdefault(f"{name}: {case.operation.label}: {type(error).__name__}", str(error)[:1500])

    def judge(self, case: Any, name: str, response: Any) -> None:
        leaks = worlds.marks_in(text_of(response)) & self.never[name]
        assert not leaks, f"foreign marks {sorted(leaks)} for {case.as_curl_command()}"
        if name == "anonymous" and case.operation.label not in OPEN_TO_ALL:
            assert response.status_code in (401, 403, 404), f"{response.status_code} without a log-in"
        case.validate_response(response, checks=CHECKS)


@pytest.fixture(autouse=True)
def _one_connection() -> Iterator[None]:
    """The end of a request leaves the connection of the test alone, as Django's own test client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_call_fails_or_tells_what_it_must_not(db: None, part: int) -> None:
    """A part of the operations: each as often as wanted, and each call as everybody."""
    ground = Ground.build()
    made = Calls(ground, CALLERS)
    mine = operations(api())[part::PARTS]
    for operation in mine:
        made.run(operation, CASES)
    print(f"seed {SEED}: {sum(made.called.values())} calls of {len(mine)} operations; answers {made.answers}")
    shown = "\n\n".join(f"{where}\n{what}" for where, what in made.problems.items())
    assert not made.problems, f"seed {SEED}, {len(made.problems)} kinds of failure:\n{shown}"
    assert {operation.label for operation in mine} == set(made.called)
    assert min(made.called.values()) >= CASES
    for name in CALLERS:
        is_let_in = made.answers[name][200] > len(mine)
        assert is_let_in or name in ("anonymous", SOURCE), f"{name}: next to nothing was answered"


def test_the_check_for_foreign_marks_can_fail(db: None) -> None:
    """The lead's own rows, judged as if they were read by the lead of the sibling."""
    ground = Ground.build()
    made = Calls(ground, ["lead"])
    made.never["lead"] = ground.forbidden("sibling lead")
    made.run(next(each for each in operations(api()) if each.label == "GET /api/v1/agents/"), 20)
    assert any("foreign marks" in what for what in made.problems.values())


def test_an_ended_token_opens_nothing_and_untold_methods_do_nothing(db: None) -> None:
    """Use after free, and methods the description does not name: neither an answer nor an error of the server."""
    ground = Ground.build()
    known = operations(api())
    told = {(each.full_path, each.method.upper()) for each in known}
    client, headers = Client(raise_request_exception=False), ground.headers("lead")
    filled = {
        path: path.replace("{id}", str(ground.about(path)[0]))
        .replace("{code}", ground.code)
        .replace("{layout}", "contacts")
        for path, _method in told
    }
    for path, address in filled.items():
        for method in sorted(METHODS - {method for where, method in told if where == path}):
            status = client.generic(method, address, "{}", content_type="application/json", headers=headers).status_code
            assert status in (401, 403, 404, 405), f"{method} {address} -> {status}"
    assert client.delete("/api/v1/token/", headers=headers).status_code == 204
    for path, method in told - {("/api/v1/token/", "POST")}:
        status = client.generic(
            method, filled[path], "{}", content_type="application/json", headers=headers
        ).status_code
        assert status in (401, 403), f"{method} {filled[path]} with an ended token -> {status}"
