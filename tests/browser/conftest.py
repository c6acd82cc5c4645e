"""A browser at a live server with a small world; every page it stops at is looked over for what no page may do."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from performance.models import Contact, NightlyReport, Source
from performance.services.targets import set_target
from teams import jobs
from tests import make
from tests.conftest import Cast, Hub
from tests.performance.night.facts import contact, partitions

PASSWORD = "correct horse battery"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
)  # fmt: skip
WIDE, NARROW = 1440, 390


@dataclass
class Visitor:
    """Somebody at a browser. `look` is called wherever a page has come up."""

    page: Any
    home: str
    width: int
    trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: said.type == "error" and self.trouble.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.trouble.append(f"script: {error}"))
        self.page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((f"{self.home}/", "data:", "blob:")):
            self.trouble.append(f"asked another host: {request.url}")

    def log_in(self, username: str, password: str = PASSWORD, at: str = "/log-in/") -> None:
        self.page.goto(self.home + at)
        self.page.fill("input[name=username]", username)
        self.page.fill("input[name=password]", password)
        self.page.click("form:has(input[name=password]) button[type=submit]")
        self.look()

    def go(self, address: str) -> None:
        answer = self.page.goto(self.home + address)
        assert answer.status == 200, (address, answer.status)
        self.look()

    def look(self) -> None:
        """No trouble in the console, nobody else asked, nothing wider than the window."""
        self.page.wait_for_load_state("load")
        assert not self.trouble, (self.page.url, self.trouble)
        taken = self.page.evaluate("document.documentElement.scrollWidth")
        assert taken <= self.width, f"{self.page.url} is {taken} wide in a window of {self.width}"

    def look_both_ways(self) -> None:
        """The page as it stands, then as it follows to a narrow window, without asking for it again."""
        for self.width in (WIDE, NARROW):
            self.page.set_viewport_size({"width": self.width, "height": 900})
            for _moment in range(20):  # charts follow a moment later
                if self.page.evaluate("document.documentElement.scrollWidth") <= self.width:
                    break
                self.page.wait_for_timeout(100)
            self.look()

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.home)

    @property
    def text(self) -> str:
        return self.page.inner_text("body")


@dataclass(frozen=True)
class World:
    hub: Hub
    north: Cast
    south: Cast
    source: Source
    today: date
    reported: date
    contact: Contact


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    path = os.environ.get("OUTPOST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("no Chromium here: install chromium, or name it in OUTPOST_CHROMIUM")
    from playwright.sync_api import sync_playwright

    # Playwright's loop runs in this thread; the queries of the tests beside it are plain ones all the same.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def visit(chromium: Any, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    """Opens a fresh browser window of a width, in a language of the machine."""
    windows = []

    def opened(width: int = WIDE, language: str = "en-US") -> Visitor:
        window = chromium.new_context(viewport={"width": width, "height": 900}, locale=language)
        window.set_default_timeout(20_000)
        windows.append(window)
        return Visitor(window.new_page(), live_server.url, width)

    yield opened
    for window in windows:
        window.close()


@pytest.fixture
def world(live_server: Any, hub: Hub, north: Cast, south: Cast) -> World:
    """Two reported days, today so far, a target, a source; as the night leaves them."""
    now = timezone.now()
    today = now.date()
    partitions(today - timedelta(days=40), today + timedelta(days=2))
    make.user("groundless", is_staff=True)
    source = make.source(north.team, "Desk", code="desk")
    queue = make.queue(north.team, "Help line", code="help")
    for back in (2, 3):
        for n in range(3 + back):
            contact(
                north.agents[n % 2], today - timedelta(days=back), minute=480 + n, source=source, queue=queue,
                topic="Invoice", rating=Decimal(1) if n else Decimal("0.2"), is_resolved=n > 0,
            )  # fmt: skip
    for n in range(4):
        row = contact(north.agent, today, minute=n, source=source, queue=queue)
    set_target(north.team.pk, "volume", Decimal(10), since=today - timedelta(days=30), by=north.lead)
    for _round in range(3):
        jobs.scan(now)
        jobs.work_due(now, 2000)
    reported = today - timedelta(days=2)
    assert NightlyReport.objects.filter(team=north.team, day=reported).exists()
    return World(hub, north, south, source, today, reported, row)
