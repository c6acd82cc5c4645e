"""The canary crawl: nine actors fetch every door; no foreign mark may come back. Here a lead and an agent ask about two
rows of each route; test_two_walls asks as everybody and by all side doors, and as the lead about every row.

Marks stand in every text of two sibling teams. What an actor types never holds a whole mark, so a page that repeats the
question is no leak. Pages are read without the frame of the admin; the frame is read once for each actor.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core import mail
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from teams import outbox
from teams.edges.admin import site
from tests.access import world as worlds
from tests.access.actors import frame_once
from tests.access.addresses import AIMED, CODES, QUERIES, REST_FILTERS, SIDE_DOORS, SKIPPED, VALUES, model_of
from tests.access.world import ROLES

THIN = Path(__file__).parent / "templates"
FRAMED = ("/admin/", "/admin/teams/team/", "/admin/performance/contact/")


def routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """All routes as templates such as `admin/teams/agent/<object_id>/change/`."""
    for entry in (resolver or get_resolver()).url_patterns:
        piece = re.sub(r"<(?:\w+:)?(\w+)>", r"<\1>", str(entry.pattern))
        piece = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", piece).replace("\\.", ".")
        route = prefix + piece.lstrip("^").rstrip("$").replace("\\Z", "").replace("/?", "/")
        if isinstance(entry, URLResolver):
            yield from routes(entry, route)
        elif isinstance(entry, URLPattern):
            yield route


def addresses(world: worlds.World) -> Iterator[str]:
    """Every route with every marked row that it could be about, own and foreign, and with each of its queries."""
    for route in dict.fromkeys(routes()):
        if any(re.match(skip, route) for skip in SKIPPED):
            continue
        queries = [
            query.format(day=worlds.day()) for path, asked in QUERIES if re.match(path, route) for query in asked
        ]
        for address in filled(route, world):
            yield address
            yield from (f"{address}?{query}" for query in queries)


def filled(route: str, world: worlds.World) -> Iterator[str]:
    names = re.findall(r"<(\w+)>", route)
    if not set(names) - set(VALUES):
        yield from spread("/" + route)
        return
    model = model_of(route)
    assert model is not None, f"tests/access/addresses.py does not say which rows {route} is about"
    rows = list(world.rows(model))
    assert rows, f"tests/access/world.py makes no {model.__name__} for {route}"
    for row in rows:
        address = "/" + route
        for name in set(names) - set(VALUES):
            value = getattr(row, CODES[name]) if name in CODES else row.pk
            address = address.replace(f"<{name}>", str(value))
        yield from spread(address)


def spread(address: str) -> Iterator[str]:
    name = next((name for name in VALUES if f"<{name}>" in address), None)
    if name is None:
        yield address
        return
    for value in VALUES[name]:
        yield from spread(address.replace(f"<{name}>", value))


def list_doors(world: worlds.World, role: str = "lead") -> Iterator[tuple[str, list[str]]]:
    """For each admin list its address, and its side doors: search, sorting, lookups, filters with ids. The lead tries all of
    them with own and foreign ids, the others what aims at the team that is foreign to them."""
    aimed = [world.alpha if role == "sibling lead" else world.bravo]
    for model in site._registry:
        queries = list(SIDE_DOORS) if role == "lead" else [door.format(aimed[0].name) for door in AIMED]
        for field in model._meta.concrete_fields:
            if field.is_relation:
                for side in (world.alpha, world.bravo) if role == "lead" else aimed:
                    row = next(iter(side.rows.get(field.related_model, ())), None)
                    queries += [f"{field.name}__id__exact={row.pk}"] if row else []
        yield f"/admin/{model._meta.app_label}/{model._meta.model_name}/", queries


def side_doors(world: worlds.World) -> Iterator[str]:
    """What answers beside the pages: autocomplete of each relation, two days side by side, filters of the REST lists."""
    for model in site._registry:
        asked = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}"
        for field in [*model._meta.concrete_fields, *model._meta.many_to_many]:
            if field.is_relation:
                yield f"/admin/autocomplete/?term=qz&{asked}&field_name={field.name}"
    for side in (world.alpha, world.bravo):
        yield f"/admin/performance/nightlyreport/compare/?team={side.team.pk}&left={worlds.day()}&right={worlds.day()}"
        for prefix in {route for route in routes() if re.fullmatch(r"api/v1/[\w-]+/", route)}:
            for name, label in REST_FILTERS.items():
                row = side.rows[apps.get_model(label)][0]
                yield f"/{prefix}?{name}={row.pk}"


def readable(response: HttpResponse) -> str:
    """Everything a response says: headers, body, and the inside of a spreadsheet or archive."""
    body = b"".join(response.streaming_content) if response.streaming else response.content  # type: ignore[attr-defined]
    text = "\n".join(f"{key}: {value}" for key, value in response.items()) + body.decode("utf-8", "replace")
    if body[:2] == b"PK":
        with zipfile.ZipFile(BytesIO(body)) as archive:
            text += "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
    return text


class Crawl:
    """One actor's walk: what it saw, what it must never have seen, and where the server failed."""

    def __init__(self, world: worlds.World, role: str) -> None:
        self.world, self.role, self.never = world, role, worlds.forbidden(role)
        self.client = Client(raise_request_exception=False)
        if world.actors[role] is not None:
            self.client.force_login(world.actors[role])
        self.leaks: list[str] = []
        self.errors: list[str] = []
        self.seen: set[str] = set()
        self.fetched = 0

    def get(self, address: str, method: str = "get") -> int:
        with transaction.atomic():
            response = getattr(self.client, method)(address)
            text = readable(response)
            transaction.set_rollback(True)
        self.fetched += 1
        self.note(address, text)
        if response.status_code >= 500 and not address.startswith("/health/"):
            self.errors.append(f"{self.role}: {address} -> {response.status_code}")
        return response.status_code

    def through(self, asked: Iterable[str]) -> dict[str, int]:
        """Fetch each address, those of the API with OPTIONS as well; what GET answered."""
        status = {address: self.get(address) for address in asked}
        for address in status:
            if address.startswith("/api/") and "?" not in address:
                self.get(address, "options")
        return status

    def note(self, where: str, text: str) -> None:
        found = worlds.marks_in(text)
        self.seen |= found
        self.leaks += [f"{self.role}: {where} -> {word}" for word in sorted(found & self.never)]


@pytest.fixture
def thin(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without the frame of the admin."""
    templates = settings.TEMPLATES[0]
    settings.TEMPLATES = [{**templates, "DIRS": [THIN, *templates["DIRS"]]}]
    frame_once(monkeypatch)


@pytest.fixture
def world(db: None) -> worlds.World:
    return worlds.build()


def ends(all_of_them: Iterator[str]) -> list[str]:
    """Of each route the first and the last address: a row of either team, or the one there is."""
    by_route: dict[str, list[str]] = {}
    for address in all_of_them:
        by_route.setdefault(re.sub(r"\d+", "#", address), []).append(address)
    return [address for asked in by_route.values() for address in dict.fromkeys((asked[0], asked[-1]))]


@pytest.mark.usefixtures("thin")
@pytest.mark.parametrize("role", ("lead", "agent"))
def test_no_foreign_mark_comes_back_about_a_row_of_either_team(world: worlds.World, role: str) -> None:
    crawl = Crawl(world, role)
    crawl.through(ends(addresses(world)))
    done(crawl)


def done(crawl: Crawl) -> None:
    judge([crawl])
    lacking = worlds.expected_sights(crawl.role) - crawl.seen
    assert not lacking, f"the crawl of {crawl.role} did not reach what it may see: {sorted(lacking)}"
    assert crawl.fetched > 400


def judge(crawls: list[Crawl]) -> None:
    leaks = [line for crawl in crawls for line in crawl.leaks]
    errors = [line for crawl in crawls for line in crawl.errors]
    assert not leaks, f"{len(leaks)} leaks:\n" + "\n".join(leaks[:200])
    assert not errors, f"{len(errors)} server errors:\n" + "\n".join(errors[:100])


def test_the_frame_of_the_admin_names_nobody_foreign(world: worlds.World) -> None:
    crawls = [Crawl(world, role) for role in ROLES]
    for crawl in crawls:
        for address in FRAMED:
            crawl.get(address)
    judge(crawls)


def test_mails_hold_no_foreign_mark(world: worlds.World) -> None:
    """The night's notices as they leave: each mail is read with the eyes of whoever gets it."""
    outbox.deliver_due(worlds.soon())
    crawls = {user.email: Crawl(world, role) for role, user in world.actors.items() if user is not None and user.email}
    assert mail.outbox
    for message in mail.outbox:
        parts = [
            message.subject,
            str(message.extra_headers),
            message.body,
            *(str(part[0]) for part in message.alternatives),
        ]
        for recipient in message.recipients():
            crawl = crawls.get(recipient)
            assert crawl is not None, f"{recipient} is nobody the night should write to"
            crawl.note(message.subject, "\n".join(map(str, parts)))
    judge(list(crawls.values()))
    for role in ("lead", "sibling lead", "lead above"):
        team = "bravo" if role == "sibling lead" else "alpha"
        user = world.actors[role]
        assert worlds.mark(team, "roster") in crawls[user.email].seen, role
