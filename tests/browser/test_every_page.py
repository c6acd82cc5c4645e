"""Every page the resolver knows, opened as somebody whom it is for: wide and narrow, in both languages, faultless.

Nobody writes a list of pages here: a route with its row in the access table is opened by whoever that row lets in. What
cannot be opened stands in NOT_OPENED with the reason.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from tests.access import actors, table
from tests.access.actors import ACTORS
from tests.access.test_census import _address, cases
from tests.approvals import kinds
from tests.browser.conftest import NARROW, WIDE, Visitor
from tests.browser.inspection import GRAVE, faults, left_in_english, violations

pytestmark = pytest.mark.browser

# Who opens a page that lets in several: whoever works with it most.
FIRST_CHOICE = ("agent", "lead", "hr", "operator", "payroll", "trainer", "above", "sibling", "anonymous")
SECOND_CHOICE = ("lead", "hr", "operator", "payroll", "trainer", "above", "sibling", "agent", "anonymous")

# Axe takes longer than all else. It looks at each page in both languages and at both widths, but not at all four pairs.
AXE_AT = {False: WIDE, True: NARROW}

# Pages of one test: so many that its world is worth building, so few that workers end at about the same time.
SHARE = 34

NOT_OPENED = {
    "admin:jsi18n": "a script",
    "admin:autocomplete": "rows for a field",
    "admin:search": "a piece of the search box",
    "health-live": "for machines",
    "health-ready": "for machines",
    "health-worker": "for machines",
    "metrics": "for machines",
    "progress": "a piece of the pages it stands on, which tests/browser/test_progress.py opens",
    "board_now": "a piece of the board, which tests/browser/test_breaks.py opens",
    "my_status_now": "a piece of one's own status, which tests/browser/test_breaks.py opens",
    "my_replies_suggest": "a piece of one's own replies, which tests/browser/test_replies.py opens",
    "my_reply_file": "a file",
    "my_statement_pdf": "a file",
    "incentives-today": "for programs",
    "cannedreply-suggest": "for programs",
    "cannedreply-versions": "for programs",
    "intake_errors": "a file",
    "intake_file": "a file",
    "start_example": "a file",
    "api-schema": "a file",
    "find": "answers of the palette, which tests/browser/test_lists.py opens",
    "api-docs": "another project's reader of the schema",
}


def opened_by(answers: str, name: str) -> str | None:
    """The actor who opens a page with these answers; None where it shows nobody a page."""
    order = FIRST_CHOICE if name.startswith("my_") else SECOND_CHOICE
    lets_in = {actor for actor, answer in zip(ACTORS, answers, strict=True) if table.ANSWERS[answer] == 200}
    return next((actor for actor in order if actor in lets_in), None)


def is_page(name: str) -> bool:
    return (
        name not in NOT_OPENED
        and not name.endswith(("_export", "_download", "-list", "-detail", "-below"))
        and name != "api-me"
    )


def pages(actor: str) -> Iterator[tuple[str, str]]:
    """Names and answers of the routes that `actor` opens."""
    for name, method, answers in cases():
        if method == "GET" and is_page(name) and opened_by(answers, name) == actor:
            yield name, answers


def shares() -> Iterator[Any]:
    """The walks: somebody who opens pages, in a language, and which of their pages, taken in turn."""
    for actor in ACTORS:
        parts = -(-sum(1 for _page in pages(actor)) // SHARE)
        for language, _name in settings.LANGUAGES:
            for part in range(parts):
                yield pytest.param(actor, language, slice(part, None, parts), id=f"{actor}-{language}-{part + 1}")


@pytest.fixture
def standing(live_server: Any, hub: Any, north: Any, south: Any) -> Iterator[Any]:
    kinds.register()
    yield actors.build(hub, north, south)
    kinds.forget()


def enter(visitor: Visitor, user: Any, language: str) -> None:
    """Let `user` in without the log-in page, which other tests pass through."""
    if user is None:
        return
    user.language = language
    user.save(update_fields=["language"])
    client = Client()
    client.force_login(user)
    cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
    cookies[settings.LANGUAGE_COOKIE_NAME] = language
    visitor.page.context.add_cookies(
        [{"name": name, "value": value, "url": visitor.home} for name, value in cookies.items()]
    )


def settle(page: Any, width: int) -> None:
    """Charts follow a changed window a moment later; what has not followed by then is a fault of the page."""
    for _moment in range(20):
        if page.evaluate("document.documentElement.scrollWidth") <= width:
            return
        page.wait_for_timeout(100)


@pytest.mark.parametrize(("actor", "language", "share"), list(shares()))
def test_every_page_is_faultless(visit: Any, standing: Any, actor: str, language: str, share: slice) -> None:
    visitor = visit(WIDE, language)
    enter(visitor, standing.user(actor), language)
    found = []
    for name, _answers in list(pages(actor))[share]:
        address = _address(name, standing)
        visitor.trouble.clear()
        visitor.page.set_viewport_size({"width": WIDE, "height": 900})
        answer = visitor.page.goto(visitor.home + address)
        if answer.status != 200:
            found.append(f"{name} {address}: answered {answer.status}")
            continue
        visitor.page.wait_for_load_state("load")
        for width in (WIDE, NARROW):
            if width != WIDE:
                visitor.page.set_viewport_size({"width": width, "height": 900})
            settle(visitor.page, width)
            is_chinese = language != "en"
            with_axe = width == AXE_AT[is_chinese]
            told = [*visitor.trouble, *faults(visitor.page, width, is_chinese=is_chinese, with_axe=with_axe)]
            found += [f"{name} {address} as {actor}, {language}, {width}: {fault}" for fault in told]
            visitor.trouble.clear()
    assert not found, "\n".join(found)


def test_the_shares_of_a_walk_are_all_its_pages() -> None:
    for actor in ACTORS:
        whole = [name for name, _answers in pages(actor)]
        for language, _name in settings.LANGUAGES:
            walks = [share.values for share in shares() if share.values[:2] == (actor, language)]
            assert sorted(name for *_who, part in walks for name in whole[part]) == sorted(whole)


def test_whoever_opens_nothing_is_nobody() -> None:
    """Or a role could drop out of the walk unseen."""
    assert {actor for actor in ACTORS if any(pages(actor))} >= {"anonymous", "agent", "lead", "hr", "operator"}


BAD_PAGE = """<!doctype html><html lang="zh-hans"><head><title>Bad</title></head><body><main>
<h1>%s</h1><p style="width: 2000px">wide</p><p>%%(count)s</p><input type="text">
<img src="http://127.0.0.1:9/else.png"><script>console.error("broken")</script></main></body></html>"""


def test_a_bad_page_is_caught_fault_by_fault(visit: Any, live_server: Any) -> None:
    """The harness against a page that does everything wrong."""
    sentence = "Contacts closed, last 30 days"
    assert left_in_english(sentence), "the sentence the bad page shows must be one of ours"
    visitor = visit(NARROW, "zh-CN")
    visitor.page.route("**/bad-page/", lambda route: route.fulfill(body=BAD_PAGE % sentence, content_type="text/html"))
    visitor.page.goto(f"{visitor.home}/bad-page/")
    visitor.page.wait_for_load_state("load")
    told = "\n".join([*visitor.trouble, *faults(visitor.page, NARROW, is_chinese=True)])
    for fault in (
        "console: broken",
        "asked another host: http://127.0.0.1:9/",
        "sideways: ",
        "raw: ",
        "English: ",
        "axe label",
    ):
        assert fault in told, (fault, told)


FAULTY_PAGE = """<!doctype html><html><head><meta name="viewport" content="width=device-width, user-scalable=no">
<meta http-equiv="refresh" content="99"></head><body><h1></h1><h3>No second</h3>
<p style="color: #bbb; background: #fff">Pale words</p><img src="data:,"><input type="text"><button></button><a href="/"></a>
<select><option>One</option></select><ul><p>No line</p></ul><li>Alone</li><dl><p>No pair</p></dl><dt>Alone</dt>
<div role="button"></div><div role="nobody">x</div><div role="checkbox">x</div><div aria-nothing="1">x</div>
<div role="list"><span>x</span></div><div role="option">x</div><span aria-labelledby="twice">x</span><i id="twice"></i>
<i id="twice"></i><p lang="xx-nothing">x</p><a href="/" tabindex="5">Five</a><button><a href="/">In a button</a></button>
<table><tr><th scope="nobody">x</th><td headers="else">x</td></tr></table><input autocomplete="nothing" aria-label="x">
<main>One</main><main>Two</main><header>a</header><header>b</header><div accesskey="s"></div><div accesskey="s"></div>
<div aria-hidden="true"><a href="/">Hidden</a></div><object data="data:,"></object><svg role="img"></svg><iframe></iframe>
<p>Words <a style="color: #111; text-decoration: none" href="/">linked</a></p><summary></summary><marquee>x</marquee>
</body></html>"""


def test_nothing_grave_hides_among_the_rules_that_are_not_asked(visit: Any, live_server: Any) -> None:
    visitor = visit(WIDE)
    visitor.page.route("**/faulty/", lambda route: route.fulfill(body=FAULTY_PAGE, content_type="text/html"))
    visitor.page.goto(f"{visitor.home}/faulty/")
    everything = violations(visitor.page, everything=True)
    grave = [finding for finding in everything if finding["impact"] in GRAVE]
    assert len(grave) > 20 and len(everything) > len(grave) + 5, "the page must have faults of all kinds"
    assert violations(visitor.page) == grave
