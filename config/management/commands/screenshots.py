"""`manage.py screenshots`: pictures of every kind of page of the running demo organisation, as each role sees it.

Each role logs in as a person would and goes wherever links lead, one page of each kind. For developers: needs Chromium
and the development requirements, and a suite that runs (`manage.py run`).
"""

import html
import importlib
import os
import re
import shutil
from argparse import ArgumentParser
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import Resolver404, resolve

from config.demo import logins

WIDTHS, HEIGHT, MOST_PAGES = (1440, 390), 900, 80
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
LEFT_OUT = re.compile(r"log-?out|export|errors|_file$|jsi18n|api-|health")
CARD = '<figure><a href="{name}"><img src="{name}" loading="lazy" width="320"></a><figcaption>{words}</figcaption></figure>'
SHEET = """<!doctype html><meta charset="utf-8"><title>Outpost</title>
<style>body{{font:14px sans-serif;display:flex;flex-wrap:wrap;gap:1rem;align-items:flex-start}}
figure{{margin:0;max-width:320px}}img{{border:1px solid #ccc}}figcaption{{overflow-wrap:anywhere}}</style>
{cards}
"""


class Command(BaseCommand):
    help = "Write pictures of the running demo organisation's pages, by role, language and width, with a contact sheet."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--to", type=Path, default=Path("screenshots"), help="folder for the pictures")
        parser.add_argument("--url", default=f"http://127.0.0.1:{settings.OUTPOST_PORT}", help="where the suite runs")
        parser.add_argument("--language", action="append", choices=[code for code, _name in settings.LANGUAGES])
        parser.add_argument("--role", action="append", help="only of this log-in, such as agent; may be repeated")
        parser.add_argument("--width", action="append", type=int)
        parser.add_argument("--only", default="", help="a pattern for names of routes, such as nightlyreport")

    def handle(self, *args: Any, **options: Any) -> None:
        people = logins.still_valid()
        if not people:
            raise CommandError("There is no demo organisation here, or its passwords have been changed.")
        roles = [person["role"] for person in people]
        if unknown := sorted(set(options["role"] or []) - set(roles)):
            raise CommandError(f"No log-in has the role {unknown[0]}; there are {', '.join(roles)}.")
        people = [person for person in people if person["role"] in (options["role"] or roles)]
        place: Path = options["to"]
        place.mkdir(parents=True, exist_ok=True)
        languages = options["language"] or [code for code, _name in settings.LANGUAGES]
        names = []
        with chromium() as browser:
            for person in people:
                for language in languages:
                    for name in tour(browser, person, language, options, place):
                        self.stdout.write(name)
                        names.append(name)
        cards = "\n".join(
            CARD.format(name=html.escape(name), words=html.escape(name.removesuffix(".png"))) for name in names
        )
        (place / "index.html").write_text(SHEET.format(cards=cards), encoding="utf-8")
        self.stdout.write(f"{len(names)} pictures in {place}, index.html shows them all.")


class chromium:
    """A headless browser for the length of a block. Raises CommandError with the remedy where there is none."""

    def __enter__(self) -> Any:
        path = os.environ.get("OUTPOST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
        if not path:
            raise CommandError(
                "There is no Chromium here: install the package chromium, or name it in OUTPOST_CHROMIUM."
            )
        try:
            driver = importlib.import_module("playwright.sync_api")
        except ImportError as error:
            raise CommandError("Playwright is not installed: it belongs to requirements/dev.txt.") from error
        self.playwright = driver.sync_playwright().start()
        self.browser = self.playwright.chromium.launch(executable_path=path, args=FLAGS)
        return self.browser

    def __exit__(self, *error: object) -> None:
        self.browser.close()
        self.playwright.stop()


def tour(browser: Any, person: dict[str, Any], language: str, wish: dict[str, Any], place: Path) -> Iterator[str]:
    """Log in as `person`, follow the links, and write each page once; yields the names of the pictures."""
    window = browser.new_context(viewport={"width": WIDTHS[0], "height": HEIGHT}, locale=language)
    page = window.new_page()
    page.goto(f"{wish['url']}/log-in/")
    page.fill("input[name=username]", person["username"])
    page.fill("input[name=password]", person["password"])
    page.click("form:has(input[name=password]) button[type=submit]")
    page.wait_for_load_state("load")
    window.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": language, "url": wish["url"]}])
    waiting, met = deque([urlsplit(page.url).path]), {_route(urlsplit(page.url).path)}
    while waiting and len(met) < MOST_PAGES:
        address = waiting.popleft()
        if not shows_a_page(page, wish["url"] + address):
            continue
        for link in page.eval_on_selector_all("a[href^='/']", "links => links.map(link => link.getAttribute('href'))"):
            path = urlsplit(link).path
            route = _route(path)
            if route and route not in met and not LEFT_OUT.search(route):
                met.add(route)
                waiting.append(path)
        route = _route(address) or "page"
        if not re.search(wish["only"], route):
            continue
        for width in wish["width"] or WIDTHS:
            page.set_viewport_size({"width": width, "height": HEIGHT})
            page.wait_for_timeout(300)
            name = f"{person['role'].replace(' ', '-')}-{language}-{width}-{route.replace(':', '.')}.png"
            page.screenshot(path=place / name, full_page=True)
            yield name
        page.set_viewport_size({"width": WIDTHS[0], "height": HEIGHT})
    window.close()


def shows_a_page(page: Any, address: str) -> bool:
    """Go there; False where a file or a refusal answers."""
    try:
        answer = page.goto(address)
    except importlib.import_module("playwright.sync_api").Error:
        return False  # a download ends the going
    return answer is not None and answer.status < 400 and "html" in answer.headers.get("content-type", "")


def _route(path: str) -> str:
    """The name of the page at `path`; empty if there is none."""
    try:
        return resolve(path).view_name
    except Resolver404:
        return ""
