"""`python3 -m config.supply`: see the package."""

import argparse
import sys
from pathlib import Path

from config.supply import audit, bom, licences, lock, vendored


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m config.supply", description="What Outpost is made of.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("licences").add_argument(
        "--check", action="store_true", help="fail where the sheet is not current"
    )
    verbs.add_parser("bom").add_argument("file", nargs="?", type=Path, help="where to write it; shown if not given")
    verbs.add_parser("audit")
    wish = parser.parse_args()
    match wish.verb:
        case "licences":
            code, lines = _licences(check=wish.check)
        case "bom":
            code, lines = _bom(wish.file)
        case _:
            code, lines = audit.run()
    sys.stdout.write("\n".join(lines) + "\n")
    return code


def _licences(*, check: bool) -> tuple[int, list[str]]:
    pins = lock.packages()
    text = licences.sheet(pins)
    if not check:
        licences.PLACE.write_text(text, encoding="utf-8")
    problems = licences.problems() + [f"static/vendor/{name} is not told" for name in vendored.unknown()]
    if text != licences.PLACE.read_text(encoding="utf-8"):
        problems.append("docs/licences.md is not current: run python3 -m config.supply licences")
    return (1, problems) if problems else (0, [f"{len(pins)} packages, every licence is known and may be shipped"])


def _bom(file: Path | None) -> tuple[int, list[str]]:
    text = bom.text()
    if file is None:
        return 0, [text.rstrip()]
    file.write_text(text, encoding="utf-8")
    return 0, [f"{text.count('bom-ref')} components in {file.name}"]


sys.exit(main())
