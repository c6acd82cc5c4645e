"""Keys that no body has by right change nothing: the rows written are those of the same call without them, or none.

For each writing operation of the API a fitting body is sent once as it is, and then with keys drawn from a list that
would do harm. What both have written is compared row by row, over all tables.
"""

import json
import random
from collections import Counter
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client

from teams.models import User
from tests.access.world import ROLES
from tests.fuzz.doors import CASES, FORGED, SOURCE, Ground, Rows, api, operations
from tests.fuzz.seed import SEED
from tests.fuzz.writes import Body, Write, writes

pytestmark = pytest.mark.fuzz
NEW_EACH_TIME = {
    "id", "history_id", "history_date", "created_at", "finished_at", "source_updated_at", "seen_at", "run_id", "created",
    "digest", "token_key", "expiry", "at", "first_seen_at", "last_seen_at", "version_at", "due_at", "updated_at",
    "history_relation_id", "last_login", "key_id", "touched_at", "payload_hash",
    "span", "back_at", "made_at", "submitted_at", "decided_at", "applied_at", "next_due_at", "remind_at", "escalate_at",
    "expire_at", "kept", "request_id", "step_id", "glass_reviewed_at", "last_used_at", "used_at",
    "level", "key", "about", "message_id", "calculated_at", "posted_at", "paid_at", "batch_id",
}  # fmt: skip
# Those who may share the cases of an operation, and send this many at least; the others are refused before a body counts.
FEWEST, REFUSED = max(CASES // 5, 1), max(CASES // 16, 1)
SAID = ("reason", "words", "note")

# What every call leaves behind, whatever it asks for: that a token was shown, that somebody tried to come in.
NOTED = frozenset({"teams_tokenuse", "teams_entrytry", "teams_historicalentrytry", "teams_session"})


class Sender:
    """Sends a call, tells its answer and the rows it wrote, and takes all of it back."""

    def __init__(self, ground: Ground, caller: str) -> None:
        self.ground, self.caller, self.rows = ground, caller, Rows()
        self.client = Client(raise_request_exception=False)
        self.before = self.rows.counts()

    def send(self, write: Write, body: Body) -> tuple[int, list[str]]:
        headers = self.ground.headers(self.caller) if write.label != "POST /api/v1/token/" else {}
        cache.clear()  # the limit of tries has its own test
        with transaction.atomic():
            mark = self.rows.mark()
            content = json.dumps(body)
            call = getattr(self.client, write.method)
            answer = call(write.address, content, content_type="application/json", headers=headers)
            kept = self.rows.counts()
            touched = {table for table in kept if kept[table] != self.before.get(table)} - NOTED
            self.before = kept  # what is taken back stays counted
            rows = self.rows.since(mark, touched)
            fresh = {row["id"] for table, row in rows if table == "approvals_cannedreply" and row["version"] == 1}
            written = [plain(table, row, fresh) for table, row in rows]
            transaction.set_rollback(True)
        return answer.status_code, sorted([*written, f"tables: {sorted(touched)}"])


def plain(table: str, row: dict[str, Any], fresh: set[int]) -> str:
    """A row less what is new each time; a reply that the call itself has made is told by that alone."""
    told = {name: value for name, value in sorted(row.items()) if name not in NEW_EACH_TIME}
    if told.get("reply_id") in fresh:
        told["reply_id"] = "fresh"
    return table + json.dumps(told)


def forged(dice: random.Random, write: Write, body: Body, ids: dict[str, Any]) -> Body:
    """`body` with one to four keys that it has not by right, at the top or within its rows."""
    names = dice.sample(sorted(set(FORGED) - write.own), dice.randint(1, 4))
    more = {name: ids.get(str(FORGED[name]), FORGED[name]) for name in names}
    if "rows" in body and dice.random() < 0.7:
        return {"rows": [{**row, **more} for row in body["rows"]]}
    if "content" in body and dice.random() < 0.5:
        return {**body, "content": {**body["content"], **more}}
    return {**more, **body} if dice.random() < 0.5 else {**body, **more}


@pytest.mark.parametrize("caller", [*ROLES, SOURCE])
def test_forged_keys_change_nothing(db: None, caller: str) -> None:
    ground = Ground.build()
    every = list(writes(ground))  # with the rows that they are about
    sender, dice = Sender(ground, caller), random.Random(f"{SEED}/{caller}")
    ids = {
        "foreign": ground.world.bravo.agents[0].pk,
        "operator": User.objects.get(username="operator").pk,
    }
    told: Counter[int] = Counter()
    for write in every:
        body = write.body(caller)
        status, due = sender.send(write, body)
        may = caller in write.callers
        assert (status == write.success) is may, f"{caller}: {write.label} -> {status}, body {body}"
        if len(due) > 1 and (said := [name for name in SAID if name in body]):
            assert sender.send(write, {**body, said[0]: "another"})[1] != due, (
                f"the comparison sees nothing: {write.label}"
            )
        for _time in range(max(-(-CASES // len(write.callers)), FEWEST) if may else REFUSED):
            wish = forged(dice, write, write.body(caller), ids)
            status, found = sender.send(write, wish)
            told[status] += 1
            assert status < 500, f"seed {SEED}: {write.label} with {wish} -> {status}"
            if status == write.success:
                assert found == due, f"seed {SEED}: {write.label} with {wish} wrote\n{found}\ninstead of\n{due}"
            else:
                facts = [line for line in found if not line.startswith("tables: ")]
                assert not facts, f"seed {SEED}: {write.label} with {wish} was refused ({status}) and wrote {facts}"
    print(f"seed {SEED}, {caller}: answers to forged bodies {dict(told)}")


def test_every_writing_operation_is_among_them(db: None) -> None:
    writing = {each.label for each in operations(api()) if each.method.upper() not in ("GET", "HEAD", "OPTIONS")}
    assert {write.label for write in writes(Ground.build())} == writing
