"""The locked packages of `requirements/*.txt`, with their hashes and who wants them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SETS = ("run", "test", "dev")  # each holds the one before
PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?"
)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Locked:
    """One pinned version. `wanted_by` are names of packages, or `-r requirements/….in` for what we ask for ourselves."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]
    wanted_by: tuple[str, ...]
    first_set: str  # the smallest of SETS that holds it

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def read(path: Path, called: str) -> list[Locked]:
    """The pins of one lock file. Raises ValueError for a line without exact version or without hashes."""
    found = []
    for block in _blocks(path.read_text(encoding="utf-8")):
        pin = PIN.fullmatch(block[0].rstrip())
        if pin is None:
            raise ValueError(f"{path.name}: {block[0].strip()!r} is not pinned to one version")
        hashes = tuple(HASH.findall("\n".join(block)))
        if not hashes:
            raise ValueError(f"{path.name}: {pin['name']} has no hash")
        wanted = tuple(
            line.strip().removeprefix("#").strip().removeprefix("via").strip()
            for line in block
            if line.strip().startswith("#")
        )
        found.append(
            Locked(
                normal(pin["name"]), pin["version"], (pin["marker"] or "").strip(), hashes,
                tuple(name for name in wanted if name), called,
            )
        )  # fmt: skip
    return found


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of each package: its pin, which begins in the first column, and what is indented below."""
    block: list[str] = []
    for line in text.splitlines():
        if not line.strip() or line.startswith(("#", "--")):
            continue
        if not line.startswith(" ") and block:
            yield block
            block = []
        block.append(line)
    if block:
        yield block


def packages(root: Path = ROOT) -> list[Locked]:
    """All pins, each told by the smallest set that holds it, in the order of their names."""
    found: dict[tuple[str, str], Locked] = {}
    for called in SETS:
        for each in read(root / "requirements" / f"{called}.txt", called):
            found.setdefault((each.name, each.version), each)
    return [found[key] for key in sorted(found)]
