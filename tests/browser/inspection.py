"""What no page may do, looked for on a page that is open: the faults of one page, each with its name."""

import importlib.util
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.look.test_catalogue import entries

GRAVE = frozenset({"serious", "critical"})
PLACEHOLDER = re.compile(r"%\(\w+\)\d*[ds]|%%|\{\w*\}|%[ds]")
RAW_KEY = re.compile(r"%\(\w+\)s|\{\{|\}\}|\{%|^None$|: None$|&(?:lt|gt|amp);", re.MULTILINE)

# Findings that are not ours to mend: rule -> selectors of the theme's own parts, with the reason.
NOT_OURS: dict[str, tuple[str, ...]] = {}


@cache
def english() -> tuple[re.Pattern[str], ...]:
    """Our own English sentences, as they would stand on a page that is not in Chinese although it should be."""
    found = []
    for sentence, chinese in entries().items():
        for form in sentence.split("\4")[-1].split("\0"):
            fixed = PLACEHOLDER.split(form)
            if form and form != chinese and max(len(part.strip()) for part in fixed) > 12:
                found.append(re.compile(r"[^\n]{1,60}?".join(re.escape(part) for part in fixed)))
    return tuple(found)


@cache
def telling() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Each sentence with its longest fixed part, which tells at once that a page does not hold it."""
    return tuple((max(PLACEHOLDER.split(_plain(each)), key=len).strip(), each) for each in english())


def _plain(pattern: re.Pattern[str]) -> str:
    return max(re.sub(r"\\(.)", r"\1", pattern.pattern).split(r"[^\n]{1,60}?"), key=len)


def left_in_english(text: str) -> list[str]:
    """Sentences of ours that stand in English in `text`."""
    return [each.pattern for part, each in telling() if part in text and each.search(text)]


def faults(page: Any, width: int, *, is_chinese: bool, with_axe: bool = True) -> Iterator[str]:
    """Faults of the page that `page` shows, in a window of `width`; those that axe finds only if asked for."""
    taken = page.evaluate("document.documentElement.scrollWidth")
    if taken > width:
        yield f"sideways: {taken} wide in a window of {width}"
    text = page.inner_text("body")
    if raw := RAW_KEY.search(text):
        yield f"raw: {text[max(0, raw.start() - 30) : raw.end() + 30]!r}"
    if is_chinese:
        yield from (f"English: {sentence}" for sentence in left_in_english(text))
    if with_axe:
        yield from grave_findings(page)


@cache
def axe() -> str:
    """The checker, as its package brings it. Only the development requirements have it."""
    found = importlib.util.find_spec("axe_playwright_python")
    assert found is not None and found.origin is not None
    return (Path(found.origin).parent / "axe.min.js").read_text(encoding="utf-8")


# A finding has the impact of its rule, where the rule has one of its own: what can never be grave need not be asked. Rules
# are only ever taken away here, so that those which axe leaves out by itself stay out.
ASK_THE_GRAVE = """
([grave, everything]) => {
    const spared = everything ? [] : axe._audit.rules.filter(rule => rule.impact && !grave.includes(rule.impact));
    const rules = Object.fromEntries(spared.map(rule => [rule.id, {enabled: false}]));
    return axe.run(document, {resultTypes: ["violations"], rules}).then(found => found.violations);
}
"""


def violations(page: Any, *, everything: bool = False) -> list[dict[str, Any]]:
    """What axe finds on the page that can be serious or critical; all that it finds if `everything` is asked."""
    page.evaluate(axe())
    found: list[dict[str, Any]] = page.evaluate(ASK_THE_GRAVE, [sorted(GRAVE), everything])
    return found


def grave_findings(page: Any) -> Iterator[str]:
    """What axe calls serious or critical."""
    for finding in violations(page):
        if finding["impact"] not in GRAVE:
            continue
        spared = NOT_OURS.get(finding["id"], ())
        places = [" ".join(map(str, node["target"])) for node in finding["nodes"]]
        places = [place for place in places if not any(theirs in place for theirs in spared)]
        if places:
            yield f"axe {finding['id']}: {', '.join(places[:4])}" + (
                f" and {len(places) - 4} more" if places[4:] else ""
            )
