"""Known flaws of the locked versions, asked of an advisory service by pip-audit.

A service that does not answer looks like one that knows no flaw: pip-audit then skips each package and says that nothing was
found. So a version whose flaws everybody knows is asked for first. Only a service that names them is believed.
"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.supply.lock import Locked, packages

SERVICES = ("pypi", "osv")
KNOWN_BAD = "django==2.0.1"
SECONDS = 240
SILENT = "not audited: the advisory service does not answer"


@dataclass(frozen=True)
class Findings:
    asked: int
    flaws: list[str]
    skipped: list[str]


def run(pins: list[Locked] | None = None) -> tuple[int, list[str]]:
    """Exit code and lines to print: 0 if clean or if no service answers, 1 for flaws or versions a service does not know."""
    pins = packages() if pins is None else pins
    service = next((each for each in SERVICES if _answers(each)), None)
    if service is None:
        return 0, [SILENT]
    found = [_ask(service, group) for group in _without_doubles(pins)]
    if any(each is None for each in found):
        return 0, [SILENT]
    findings = [each for each in found if each is not None]
    lines = [line for each in findings for line in (*each.flaws, *each.skipped)]
    if lines:
        return 1, [*lines, f"{len(lines)} findings in {len(pins)} packages"]
    return 0, [f"{sum(each.asked for each in findings)} packages audited, no known flaw"]


def _answers(service: str) -> bool:
    findings = _ask(service, [KNOWN_BAD])
    return findings is not None and bool(findings.flaws)


def _without_doubles(pins: list[Locked]) -> list[list[str]]:
    """Requirement lines in as few groups as hold each name once, without markers, so that every platform is audited."""
    groups: list[dict[str, str]] = []
    for each in pins:
        group = next((group for group in groups if each.name not in group), None)
        if group is None:
            group = {}
            groups.append(group)
        group[each.name] = f"{each.name}=={each.version}"
    return [list(group.values()) for group in groups]


def _ask(service: str, lines: list[str]) -> Findings | None:
    """What the service says of the lines; None if it cannot be asked."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "asked.txt"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [
            sys.executable, "-m", "pip_audit", "--requirement", str(file), "--disable-pip", "--no-deps",
            "--vulnerability-service", service, "--format", "json", "--progress-spinner", "off", "--timeout", "15",
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            return read(json.loads(done.stdout))
        except (subprocess.TimeoutExpired, ValueError):
            return None


def read(answer: dict[str, Any]) -> Findings:
    """pip-audit's JSON as findings."""
    flaws, skipped = [], []
    for each in answer["dependencies"]:
        if "skip_reason" in each:
            skipped.append(f"{each['name']}: {each['skip_reason']}")
        for flaw in each.get("vulns", ()):
            mended = ", ".join(flaw.get("fix_versions", ())) or "no version yet"
            flaws.append(f"{each['name']} {each['version']}: {flaw['id']}, mended in {mended}")
    return Findings(len(answer["dependencies"]), flaws, skipped)
