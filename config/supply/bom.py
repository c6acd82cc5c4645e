"""The bill of materials as CycloneDX 1.6 JSON: without a clock and without chance, so that two runs give the same bytes."""

import hashlib
import json
import re
import tomllib
import uuid
from typing import Any

from config.supply.licences import UNKNOWN, listed
from config.supply.lock import ROOT, Locked, normal, packages
from config.supply.vendored import VENDORED, Vendored

SELF = "outpost"


def bill() -> dict[str, Any]:
    """Components with version, hashes and licence; who needs whom; what is needed only to test and check is `excluded`."""
    pins, licences = packages(), listed()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    components = [_package(each, licences.get((each.name, each.version), UNKNOWN)) for each in pins]
    components += [_vendored(each) for each in VENDORED]
    content = json.dumps([version, components], sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(hashlib.sha256(content.encode()).hexdigest()[:32], version=5)}",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": SELF, "name": SELF, "version": version}},
        "components": components,
        "dependencies": _dependencies(pins),
    }


def text() -> str:
    return json.dumps(bill(), indent=1, ensure_ascii=False) + "\n"


def _package(each: Locked, licence: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "type": "library",
        "bom-ref": each.purl,
        "name": each.name,
        "version": each.version,
        "scope": "required" if each.first_set == "run" else "excluded",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in each.hashes],
        "licenses": _licence(licence),
        "purl": each.purl,
        "properties": [{"name": "outpost:set", "value": each.first_set}],
    }
    if each.marker:
        made["properties"].append({"name": "outpost:marker", "value": each.marker})
    return made


def _licence(expression: str) -> list[dict[str, Any]]:
    if expression == UNKNOWN or re.search(r"\bBSD(?!-)", expression):  # no expression of SPDX: told by name
        return [{"license": {"name": expression}}]
    return [{"expression": expression}]


def _vendored(each: Vendored) -> dict[str, Any]:
    purl = f"pkg:npm/{each.purl_name}@{each.version_in()}"
    return {
        "type": "library",
        "bom-ref": purl,
        "name": each.name,
        "version": each.version_in(),
        "scope": "required",
        "hashes": [{"alg": "SHA-256", "content": digest} for digest in each.digests().values()],
        "licenses": _licence(each.licence),
        "purl": purl,
        "properties": [{"name": "outpost:file", "value": f"{each.folder}/{name}"} for name in each.digests()],
    }


def _dependencies(pins: list[Locked]) -> list[dict[str, Any]]:
    """Who needs whom, as the lock tells it; a package locked in two versions is needed in both."""
    refs: dict[str, list[str]] = {}
    for each in pins:
        refs.setdefault(each.name, []).append(each.purl)
    needs: dict[str, set[str]] = {SELF: set(), **{each.purl: set() for each in pins}}
    for each in pins:
        for wanting in each.wanted_by:
            if wanting.startswith("-r "):
                needs[SELF].add(each.purl)
            for ref in refs.get(normal(wanting), ()):
                needs[ref].add(each.purl)
    return [{"ref": ref, "dependsOn": sorted(needed)} for ref, needed in sorted(needs.items())]
