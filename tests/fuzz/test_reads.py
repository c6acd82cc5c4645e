"""Reading writes nothing: every route, by everybody, with GET, HEAD and OPTIONS; rows are counted by PostgreSQL itself."""

import re
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import Client

from tests.access import world as worlds
from tests.access.test_canary import THIN, addresses, ends
from tests.access.world import ROLES
from tests.fuzz.doors import Rows

pytestmark = pytest.mark.fuzz

# What a GET may write, and why.
WRITTEN_BY_READING = {
    "teams_session": "a session is part of being logged in, and notes when it was last used",
    "teams_tokenuse": "when a token was last used is noted for its owner to read",
    "teams_accessrecord": "who has looked at the figures of an agent is written down for the agent to read",
}


@pytest.fixture
def thin(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.access.actors import frame_once

    templates = settings.TEMPLATES[0]  # type: ignore[attr-defined]
    settings.TEMPLATES = [{**templates, "DIRS": [THIN, *templates["DIRS"]]}]  # type: ignore[attr-defined]
    frame_once(monkeypatch)


class Reader:
    """Asks as one actor and notes what each question has written."""

    def __init__(self, world: worlds.World, role: str) -> None:
        self.client = Client(raise_request_exception=False)
        if world.actors[role] is not None:
            self.client.force_login(world.actors[role])
        self.rows = Rows()
        self.before = self.rows.counts()
        self.wrote: list[str] = []
        self.excepted: set[str] = set()
        self.asked = 0

    def ask(self, method: str, address: str) -> int:
        with transaction.atomic():
            answer = getattr(self.client, method)(address)
            if answer.streaming:
                b"".join(answer.streaming_content)
            after = self.rows.counts()
            transaction.set_rollback(True)
        self.asked += 1
        for table in after:
            if after[table] != self.before.get(table):
                if table in WRITTEN_BY_READING:
                    self.excepted.add(table)
                else:
                    self.wrote.append(f"{method.upper()} {address} ({answer.status_code}) wrote {table}")
        self.before = after
        return answer.status_code


def some(all_of_them: Iterator[str], role: str) -> list[str]:
    """Of each route one address: about a row of the actor's own team. The lead asks about one of the sibling's as well."""
    asked = ends(address for address in all_of_them if "?" not in address)
    if role == "lead":
        return asked
    by_route = {re.sub(r"\d+", "#", address): address for address in (asked if role == "sibling lead" else asked[::-1])}
    return list(by_route.values())


@pytest.mark.usefixtures("thin")
@pytest.mark.parametrize("role", ROLES)
def test_reading_writes_nothing(db: None, role: str) -> None:
    """Those who see least and most also ask with HEAD and OPTIONS, where GET lets them in."""
    world = worlds.build()
    reader = Reader(world, role)
    for address in some(addresses(world), role):
        if reader.ask("get", address) < 400 and role in ("agent", "operator"):
            reader.ask("head", address)
            reader.ask("options", address)
    print(f"{role}: {reader.asked} questions, excepted {sorted(reader.excepted)}")
    assert not reader.wrote, f"{len(reader.wrote)} reads that write:\n" + "\n".join(reader.wrote[:100])
    assert reader.asked > 200


def test_a_read_that_writes_is_caught(db: None) -> None:
    """The counting sees a row that is written and taken back within one question."""
    world = worlds.build()
    reader = Reader(world, "operator")

    class Writing:
        def get(self, address: str) -> object:
            with connection.cursor() as cursor:
                cursor.execute("UPDATE teams_team SET name = name")
            return Client().get("/health/live")

    reader.client = Writing()  # type: ignore[assignment]
    reader.ask("get", "/anywhere")
    assert reader.wrote == ["GET /anywhere (200) wrote teams_team"]
