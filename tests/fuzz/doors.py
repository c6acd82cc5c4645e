"""The API by its own description: who calls, what is drawn for a call, and which rows a call has changed."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from django.db import connection, models, transaction
from django.utils import timezone
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from hypothesis import strategies as st
from knox.models import AuthToken
from schemathesis.generation import GenerationMode

from approvals.models import ApprovalRequest, CannedReply
from performance.models import Queue
from performance.services import intake
from teams.entry.models import TokenUse
from teams.models import Agent, Team
from tests.access import world as worlds
from tests.access.world import ROLES
from tests.fuzz import asked

CASES = int(os.environ.get("FUZZ_CASES") or 50)
SOURCE = "source"
# Another team's lead and a lead above run what the lead runs, about other rows; who sees which is asked of every route in
# tests/access and of every operation in test_forged.
CALLERS = (*(role for role in ROLES if role not in ("sibling lead", "lead above")), SOURCE)
ROWS_OF = {"team": Team, "agent": Agent, "queue": Queue, "parent": Team}

# Keys no body of a call has by right, with a value that would do harm; an id stands for a row of the other team.
FORGED: dict[str, Any] = {
    "id": 1, "pk": 1, "approved": True, "is_approved": True, "state": "done", "status": "left", "is_staff": True,
    "is_superuser": True, "is_active": False, "amount": "987654.32", "currency": "XAU", "agent": "foreign",
    "agent_id": "foreign", "user": "operator", "user_id": "operator", "by": "operator", "raised_by": "operator",
    "source": "foreign", "team_id": "foreign", "ended_at": "1999-09-09T00:00:00Z", "created_at": "1999-09-09T00:00:00Z",
    "span": {"lower": "1999-09-09", "upper": None}, "since": "1999-09-09", "until": "1999-09-09", "role": "lead",
    "grants": ["teams.lead_team"], "permission": "teams.settle_team", "history_user": "operator", "token_digest": "f" * 64,
    "expiry": None, "digest": "forged", "__proto__": {"is_staff": True}, "agent__user__is_staff": True, "_state": {},
}  # fmt: skip
# Headers with which a proxy would tell who it is: a client's word for it counts for nothing.
IDENTITY = (
    "X-Forwarded-User", "Remote-User", "Remote_User", "X-Remote-User", "X-Original-Url", "X-Http-Method-Override",
    "X-Forwarded-For", "X-Forwarded-Host", "X-User-Id", "X_Forwarded_User",
)  # fmt: skip


def description() -> dict[str, Any]:
    """The schema as the address of the schema gives it."""
    return json.loads(OpenApiJsonRenderer().render(SchemaGenerator().get_schema(public=True)))


def api() -> Any:
    schema = schemathesis.openapi.from_dict(description())
    schema.app = get_wsgi_application()
    return schema


def operations(schema: Any) -> list[Any]:
    return [each.ok() for each in schema.get_all_operations()]


@dataclass(frozen=True)
class Ground:
    """The marked world, a token for each caller, and the ids that are worth trying."""

    world: worlds.World
    tokens: dict[str, str]
    ids: dict[type[models.Model], list[int]]
    code: str
    asked: asked.Asked

    @classmethod
    def build(cls) -> "Ground":
        world = worlds.build()
        tokens = {
            role: AuthToken.objects.create(user, expiry=timedelta(days=1))[1]
            for role, user in world.actors.items()
            if user is not None
        }
        TokenUse.objects.bulk_create(
            TokenUse(token=token, last_used_at=timezone.now()) for token in AuthToken.objects.filter(use=None)
        )
        source = next(row for kind, rows in world.alpha.rows.items() if kind.__name__ == "Source" for row in rows)
        tokens[SOURCE] = intake.rotate_token(source.pk, by=world.alpha.lead)
        ids = {
            model: [row.pk for side in (world.alpha, world.bravo) for row in side.rows.get(model, ())][:6]
            for model in {*world.alpha.rows, *world.bravo.rows}
        }
        own, foreign = asked.build(world, world.alpha), asked.build(world, world.bravo)
        ids[ApprovalRequest] = [row.pk for row in (*own.all, *foreign.all)]
        return cls(world, tokens, ids, source.code, own)

    def headers(self, caller: str) -> dict[str, str]:
        return {"Authorization": f"Token {self.tokens[caller]}"} if caller in self.tokens else {}

    def forbidden(self, caller: str) -> frozenset[str]:
        return worlds.ALL_MARKS if caller == SOURCE else worlds.forbidden(caller)

    def about(self, path: str) -> list[Any]:
        """Ids of the rows a path with `{id}` may be about."""
        if path.startswith("/api/v1/metrics/"):
            return ["volume", "nothing"]
        for prefix, name in PREFIXES.items():
            if path.startswith(f"/api/v1/{prefix}/"):
                return next(ids for model, ids in self.ids.items() if model.__name__ == name)
        return [1]


PREFIXES = {
    "teams": "Team", "agents": "Agent", "compensations": "Compensation", "agent-days": "AgentDay", "team-days": "TeamDay",
    "half-hours": "QueueHalfHour", "contacts": "Contact", "reports": "NightlyReport", "canned-replies": "CannedReply",
    "reply-categories": "ReplyCategory", "approval-requests": "ApprovalRequest", "approval-policies": "ApprovalPolicy",
    "approval-absences": "ApprovalAbsence", "blacklist": "BlockEntry", "status-spans": "StatusSpan",
}  # fmt: skip


@st.composite
def calls(draw: Any, operation: Any, ground: Ground) -> Any:
    """A call of `operation`: fitting or unfitting, often about rows that exist, with forged keys, headers, parameters."""
    has_input = bool(list(operation.iter_parameters()) or operation.body)
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE] if has_input else [GenerationMode.POSITIVE]
    case = draw(operation.as_strategy(generation_mode=draw(st.sampled_from(modes))))
    if "{id}" in operation.path and draw(st.integers(0, 3)):
        case.path_parameters = {**case.path_parameters, "id": draw(st.sampled_from(ground.about(operation.path)))}
    if "{code}" in operation.path and draw(st.integers(0, 3)):
        layouts = st.sampled_from(intake_layouts())
        case.path_parameters = {**case.path_parameters, "code": ground.code, "layout": draw(layouts)}
    if isinstance(case.body, dict) and draw(st.booleans()):
        names = draw(st.lists(st.sampled_from(sorted(FORGED)), max_size=4, unique=True))
        case.body = {**case.body, **{name: FORGED[name] for name in names}}
        for name, values in fitting(operation, ground).items():
            if name in case.body and draw(st.integers(0, 2)):
                case.body[name] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        case.query = {**(case.query or {}), **draw(parameters(ground))}
    name = draw(st.sampled_from(IDENTITY))
    case.headers = {**(case.headers or {}), name: draw(st.sampled_from(("operator", "1", "127.0.0.1", "DELETE")))}
    return case


def fitting(operation: Any, ground: Ground) -> dict[str, list[Any]]:
    """Values with which a body gets further than the check of its form."""
    teams, requests = ground.ids[Team], ground.ids[ApprovalRequest]
    content = {**ground.asked.waits.content, "name": "Hochdeutsch"}
    return {
        "team": teams, "version": [1, 2, 3], "kind": ["rename", "canned_reply"],
        "content": [content, {**content, "team": teams[-1]}],
        "ids": [requests[:1], requests], "deputy": [ground.asked.second.pk, ground.world.bravo.lead.pk],
        "reply": ground.ids[CannedReply],
    }  # fmt: skip


def intake_layouts() -> tuple[str, ...]:
    return ("contacts", "legs", "states", "intervals")


def parameters(ground: Ground) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of lists: known ones with ids of either team, odd values, and ones that try to get at SQL or at secrets."""
    related = [st.tuples(st.just(name), st.sampled_from(ground.ids[model])) for name, model in ROWS_OF.items()]
    odd = st.tuples(
        st.sampled_from((
            "sort", "page", "page_size", "format", "day", "team", "agent", "zone", "status", "_connector", "user__password",
            "agent__compensations__amount__gte", "expand", "fields", "include", "search", "day__gte", "team__name\x00",
        )),
        st.sampled_from((
            "", "0", "-1", "9" * 30, "1) OR 1=1 --", "\x00", "OR", "-day", "id;", "0001-01-01", "9999-12-31", "NaN", "1e400",
            "\U0010ffff", "٣", "json", "api", "../..", "%s", "user__password",
        )),
    )  # fmt: skip
    return st.lists(st.one_of(*related, odd), min_size=1, max_size=3).map(dict)


# -- what a call has changed -------------------------------------------------------------------------------------------


class Rows:
    """Which rows have been written since a moment: told by the number of the transaction each row version carries. Within one
    transaction, which it leaves a table in that goes with it."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE IF NOT EXISTS fuzz_mark AS SELECT 0 AS times")

    def mark(self) -> int:
        """A number below that of every row version written from here on, and above those before."""
        with connection.cursor() as cursor, transaction.atomic():
            cursor.execute("UPDATE fuzz_mark SET times = times + 1 RETURNING xmin::text::bigint")
            (number,) = cursor.fetchone()
        return number

    def since(self, mark: int, tables: Iterable[str]) -> list[tuple[str, dict[str, Any]]]:
        """The rows of `tables` written since, as they stand."""
        sql = " UNION ALL ".join(
            f"SELECT '{name}', to_jsonb(t) FROM {name} t WHERE t.xmin::text::bigint > %(since)s"
            for name in sorted(tables)
        )
        if not sql:
            return []
        with connection.cursor() as cursor:
            cursor.execute(sql, {"since": mark})
            return [(table, row if isinstance(row, dict) else json.loads(row)) for table, row in cursor.fetchall()]

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Rows inserted, updated and deleted in each table by this transaction so far, also by what was taken back."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_user_tables "
                "WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 AND schemaname = 'public'"
            )
            return {name: tuple(numbers) for name, *numbers in cursor.fetchall()}


def text_of(response: Any) -> str:
    """Headers and body of an answer."""
    return f"{dict(response.headers)}\n{response.content.decode('utf-8', 'replace')}"


def values(row: Any) -> Iterator[Any]:
    """All plain values within a row."""
    if isinstance(row, dict):
        for each in row.values():
            yield from values(each)
    elif isinstance(row, list):
        for each in row:
            yield from values(each)
    else:
        yield row
