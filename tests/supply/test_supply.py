"""Locks, licences, bill of materials and audit; the audit's services are played by answers that pip-audit gives."""

import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from config.supply import audit, bom, licences, lock, vendored

PINS = lock.packages()


def locked(name: str, first_set: str = "run") -> lock.Locked:
    return lock.Locked(name, "1.0", "", ("a" * 64,), (), first_set)


def test_every_locked_package_is_pinned_with_hashes_and_the_smaller_sets_lie_in_the_larger() -> None:
    names = {
        called: {each.name for each in lock.read(lock.ROOT / "requirements" / f"{called}.txt", called)}
        for called in lock.SETS
    }
    assert names["run"] < names["test"] < names["dev"]
    assert {"django", "celery"} <= names["run"] and "pytest" not in names["run"]
    assert all(each.hashes and each.wanted_by for each in PINS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("django>=5\n", "not pinned"),
        ("django==5.2.19\n    # via x\n", "no hash"),
        ("django==5.2 \\\n    --hash=md5:00\n", "no hash"),
    ],
)
def test_a_line_without_version_or_hash_is_told(tmp_path: Any, text: str, words: str) -> None:
    (tmp_path / "run.txt").write_text(text)
    with pytest.raises(ValueError, match=words):
        lock.read(tmp_path / "run.txt", "run")


def test_the_list_of_licences_is_current() -> None:
    assert licences.problems() == []
    told = licences.listed()
    for each in PINS:
        here = licences.licence_of(each.name)
        assert here in (licences.UNKNOWN, told[each.name, each.version]), each.name  # unknown: not installed here


def test_a_stale_list_is_told(tmp_path: Any) -> None:
    text = licences.PLACE.read_text(encoding="utf-8")
    django = next(each for each in PINS if each.name == "django")
    place = tmp_path / "licences.md"
    place.write_text(text.replace(f"| django | {django.version} |", "| django | 1.0 |"), encoding="utf-8")
    assert any(f"django {django.version} is not in" in each for each in licences.problems(place))
    assert "django 1.0 is in licences.md and no longer locked" in licences.problems(place)


@pytest.mark.parametrize(
    ("expression", "may"),
    [
        ("MIT", True), ("Apache-2.0 OR BSD-3-Clause", True), ("GPL-3.0-only OR MIT", True), ("MIT AND GPL-3.0-only", False),
        ("AGPL-3.0-only", False), ("GPL-2.0-or-later", False), ("unknown", False), ("BSD AND unknown", False),
        ("MIT AND (Apache-2.0 OR GPL-2.0-only)", False), ("LGPL-3.0-only", True), ("SSPL-1.0", False), ("", False),
    ],
)  # fmt: skip
def test_what_may_be_shipped(expression: str, may: bool) -> None:
    assert licences.may_ship(expression) is may


def test_a_licence_that_may_not_be_shipped_is_refused_only_where_it_is_shipped() -> None:
    told = {"taken": "AGPL-3.0-only"}
    assert len(licences.refusals([locked("taken")], told)) == 1
    assert licences.refusals([locked("taken", "dev")], told) == []
    assert "unknown" in licences.refusals([locked("nobody-knows")], told)[0]


def test_the_bill_of_materials_is_whole_and_the_same_again() -> None:
    bill = bom.bill()
    assert bom.text() == bom.text() and json.loads(bom.text()) == bill
    components = {each["bom-ref"]: each for each in bill["components"]}
    assert len(components) == len(PINS) + len(vendored.VENDORED)
    assert all(each["hashes"] and each["licenses"] and each["version"] for each in components.values())
    needs = {each["ref"]: each["dependsOn"] for each in bill["dependencies"]}
    assert set(needs) >= {each.purl for each in PINS}
    assert all(ref in components for each in needs.values() for ref in each)
    celery, kombu = (next(each.purl for each in PINS if each.name == name) for name in ("celery", "kombu"))
    assert kombu in needs[celery] and celery in needs[bom.SELF]
    assert components["pkg:npm/chart.js@4.6.1"]["scope"] == "required"
    assert {each["scope"] for each in components.values()} == {"required", "excluded"}


def test_every_vendored_folder_is_told() -> None:
    assert vendored.unknown() == []
    for each in vendored.VENDORED:
        assert each.digests() and (lock.ROOT / each.folder / "LICENSE.md").exists()


CLEAN = {"dependencies": [{"name": "a", "version": "1.0", "vulns": []}]}
FLAW = {"id": "PYSEC-1", "fix_versions": ["1.1"]}
BAD = {"dependencies": [{"name": "a", "version": "1.0", "vulns": [FLAW]}]}
SKIPPED = {"dependencies": [{"name": "a", "skip_reason": "not found"}]}


@pytest.mark.parametrize(
    ("control", "answer", "code", "last"),
    [
        (BAD, CLEAN, 0, "1 packages audited, no known flaw"),
        (BAD, BAD, 1, "1 findings in 1 packages"),
        (BAD, SKIPPED, 1, "1 findings in 1 packages"),  # a version that nobody has heard of is no clean one
        (SKIPPED, SKIPPED, 0, audit.SILENT),  # "no known vulnerabilities", because nothing was looked up
        (CLEAN, CLEAN, 0, audit.SILENT),  # a service that knows no flaw of KNOWN_BAD is not believed
        ("Traceback", CLEAN, 0, audit.SILENT),
    ],
)
def test_an_audit_believes_only_a_service_that_knows_a_known_flaw(
    monkeypatch: pytest.MonkeyPatch, control: Any, answer: Any, code: int, last: str
) -> None:
    def pip_audit(command: list[str], **options: Any) -> SimpleNamespace:
        with open(command[command.index("--requirement") + 1]) as file:
            told = control if audit.KNOWN_BAD in file.read() else answer
        return SimpleNamespace(stdout=told if isinstance(told, str) else json.dumps(told))

    monkeypatch.setattr(subprocess, "run", pip_audit)
    found, lines = audit.run([locked("a")])
    assert (found, lines[-1]) == (code, last)
