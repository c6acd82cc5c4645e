"""Removes each line that keeps rows apart, one at a time, and sees whether a test notices.

    python -m benchmarks.mutants --list                 the lines, numbered, found in the source
    python -m benchmarks.mutants --only 3 17            these
    python -m benchmarks.mutants --sample 10 --seed 1   some, chosen by the seed
    python -m benchmarks.mutants --touches kept.jsonl   all, and what the tests touch is kept in the file, or taken from it
    python -m benchmarks.mutants --touches kept.jsonl --from 120   to go on

A line of the filter (`visible_to`, `manageable_by`, `about`, `in_reach_of`, `at_home_in`, `shown`, `in_reach`, a call of
`only_visible_relations`, or a condition of a scoped queryset) is tried with row security off, or the second wall would hide
the hole; a policy is tried as it stands, by tests that ask the tables without a filter.

First the tests run once on the unchanged tree, and it is noted which of them touch which line; of the crawl of all doors
each door by itself. A mutant is then given to the tests that touch it, the quickest first, then to the doors that do
(`tests/access/doors.py`), and the first that fails ends it (`benchmarks.mutating`). Two lanes work side by side, each a run
with servers and a database of its own. In the end the tests that noticed run once more without any change, so that none of
them noticed something else. Prints killed or SURVIVED by line, then the count.
"""

import argparse
import ast
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from config.runtime.processes import spawn

ROOT = Path(__file__).resolve().parent.parent
PLACES = ("teams", "performance", "config")
METHODS = {"visible_to", "manageable_by", "about", "in_reach_of", "at_home_in"}
FUNCTIONS = {"shown", "only_visible_relations", "in_reach"}
SCOPED_VERBS = {"visible_to", "manageable_by", "about", "in_reach_of", "_within", "at_home_in"}
MANAGERS = (".objects", ".entries", "._default_manager")
DOORS = "tests/access/doors.py"
MOST_DOORS = 400  # of a line that nearly all doors touch, evenly chosen
# Of tests for one line: who has not noticed by then is not likely to, and a survivor is looked at anyway.
MOST_SECONDS = 300
WALL_TESTS = ("tests/access/test_walls.py", "tests/access/test_web_process.py")
# What may touch a line, in two parts of about the same length. Doors stand for the crawl and the census, which take minutes.
PARTS = (
    [DOORS, "tests/performance", "tests/look"],
    ["tests/teams", "tests/edges", "tests/entry", "tests/privacy", "tests/access"],
)
LEFT_OUT = ["tests/access/test_canary.py", "tests/access/test_census.py", "tests/access/test_two_walls.py"]


@dataclass(frozen=True)
class Mutant:
    """One change of the source: what stands from `start` to `end` (offsets in bytes) becomes `instead`."""

    path: str
    line: int
    was: str
    start: int
    end: int
    instead: str
    is_policy: bool = False

    @property
    def key(self) -> str:
        return f"{self.path}:{self.start}"

    def changed(self) -> bytes:
        """The source of the file with the change, line by line where it was."""
        source = (ROOT / self.path).read_bytes()
        instead = f"({self.instead}{chr(10) * (self.was.count(chr(10)) - self.instead.count(chr(10)))})"
        return source[: self.start] + instead.encode() + source[self.end :]

    def __str__(self) -> str:
        return f"{self.path}:{self.line}  {' '.join(self.was.split())[:90]}  ->  {' '.join(self.instead.split())[:40]}"


def mutants() -> list[Mutant]:
    found: list[Mutant] = []
    for place in PLACES:
        for path in sorted((ROOT / place).rglob("*.py")):
            if "migrations" not in path.parts and "demo" not in path.parts:
                found += _in_file(path)
    return sorted(set(found), key=lambda mutant: (mutant.path, mutant.start))


def _in_file(path: Path) -> Iterator[Mutant]:
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: ast.AST) -> tuple[int, int]:
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def change(node: ast.AST, instead: str, *, is_policy: bool = False) -> Mutant:
        start, end = span(node)
        name = path.relative_to(ROOT).as_posix()
        return Mutant(name, node.lineno, source[start:end].decode(), start, end, instead, is_policy)  # type: ignore[attr-defined]

    def text(node: ast.AST) -> str:
        start, end = span(node)
        return source[start:end].decode()

    def rows(node: ast.AST) -> str:
        """All rows of a queryset or a manager: a manager alone would be noticed by its being no queryset."""
        return text(node) + (".all()" if text(node).endswith(MANAGERS) else "")

    tree = ast.parse(source)
    imported = {
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("teams.")
        for alias in node.names
    }
    functions = FUNCTIONS & (imported | {node.name for node in tree.body if isinstance(node, ast.FunctionDef)})
    querysets = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name.endswith("QuerySet")]
    methods = {method for each in querysets for method in each.body}
    for node in _looked_at(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS:
            # `super()` stands in a return that is tried as a whole; `about(subject)` is a data class's word, not a queryset's
            if text(node.func.value) != "super()" and not any(text(each) == "subject" for each in node.args):
                yield change(node, rows(node.func.value))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions and node.args:
            yield change(node, rows(node.args[0]))
        elif (
            isinstance(node, ast.FunctionDef)
            and (path.name == "scoping.py" or node in methods)
            and node.name in SCOPED_VERBS
        ):
            for each in ast.walk(node):
                if isinstance(each, ast.Return) and each.value is not None and text(each.value) != "self":
                    yield change(each.value, "self")
        elif isinstance(node, ast.FunctionDef) and node.name in {"wall", "scoped", "_of_a_follower"}:
            for each in ast.walk(node):
                if (
                    isinstance(each, ast.Call)
                    and isinstance(each.func, ast.Name | ast.Attribute)
                    and _name(each) == "either"
                ):
                    yield change(each, '"true"', is_policy=True)


def _looked_at(tree: ast.Module) -> Iterator[ast.AST]:
    """All but what is the operator's alone, as the code says: pages kept `for_operators`, verbs that begin `_operator_only`.

    The filter lets the operator see everything, so there it changes nothing.
    """
    wrapped = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node) == "for_operators"]
    names = {each.id for node in wrapped for each in node.args if isinstance(each, ast.Name)}
    for part in tree.body:
        calls = [_name(node) for node in ast.walk(part) if isinstance(node, ast.Call)]
        if not (isinstance(part, ast.FunctionDef) and (part.name in names or "_operator_only" in calls)):
            yield from ast.walk(part)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "attr", "") or getattr(call.func, "id", "")


# -- which tests to ask ------------------------------------------------------------------------------------------------


@dataclass
class Touches:
    """What `benchmarks.mutating` wrote down: for each mutant the tests and the doors that touch it.

    Tests that are quick and touch little else come first.
    """

    tests: dict[str, list[str]]
    doors: dict[str, list[str]]

    @classmethod
    def read(cls, file: Path) -> "Touches":
        found = cls({}, {})
        spent: dict[str, float] = {}
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        for line in sorted(lines, key=lambda line: line["seconds"] * len(line["touches"])):
            kept = found.tests if "::" in line["test"] else found.doors
            for key in line["touches"] if not line["test"].startswith(DOORS) else ():
                spent[key] = spent.get(key, 0) + line["seconds"]
                if spent[key] < MOST_SECONDS:
                    kept.setdefault(key, []).append(line["test"])
        return found


# -- the runs ----------------------------------------------------------------------------------------------------------


def test_run(place: Path, tests: list[str], touches: Path, numbers: list[int], *, is_policy: bool) -> Iterator[str]:
    """The lines of a run of tests with `benchmarks.mutating`, as they come. Ends everything if it cannot go on."""
    place.mkdir(parents=True)
    order = place / "order.json"
    order.write_text(json.dumps({"touches": str(touches), "numbers": numbers}))
    environment = os.environ | {
        "OUTPOST_HOME": str(place / "home"),
        "OUTPOST_ENVIRONMENT": "given",
        "OUTPOST_MUTANTS": str(order),
        "PYTHONHASHSEED": "0",  # the numbers of doors hang on it
        "OUTPOST_TEST_WALL": "" if is_policy else "off",
    }
    left_out = [f"--ignore={file}" for file in LEFT_OUT + ([] if is_policy else list(WALL_TESTS[:1]))]
    command = [sys.executable, "manage.py", "test", "-p", "benchmarks.mutating", "-p", "no:cacheprovider", "--tb=line"]
    command += ["-o", "python_files=test_*.py doors.py"]
    with spawn([*command, *tests, *left_out], log=subprocess.PIPE, environment=environment, own_session=False) as run:
        told = []
        for line in run.stdout or ():
            told.append(line.decode())
            yield told[-1]
    if run.returncode > 1:
        raise SystemExit(f"The tests do not run (code {run.returncode}):\n{''.join(told[-40:])}")


def note_touches(place: Path, tests: list[str], touches: Path) -> None:
    for line in test_run(place, tests, touches, [], is_policy=False):
        if line.startswith(("FAILED", "ERROR")):
            print(f"fails without any change, and is not asked: {line.strip()[:150]}", flush=True)


def try_out(place: Path, share: list[tuple[int, Mutant]], touches: Path) -> list[Mutant]:
    """The mutants of a share that nobody notices. Prints each as it is known."""
    survivors = []
    by_number = dict(share)
    for is_policy in (False, True):
        numbers = [number for number, mutant in share if mutant.is_policy is is_policy]
        tests = [WALL_TESTS[0], WALL_TESTS[1], "tests/teams/test_tree.py"] if is_policy else PARTS[0] + PARTS[1]
        lines = test_run(place / str(is_policy), tests, touches, numbers, is_policy=is_policy) if numbers else ()
        for line in lines:
            if not line.startswith("mutant "):
                continue
            number, words, seconds = json.loads(line.removeprefix("mutant "))
            survivors += [] if words else [by_number[number]]
            verdict = "killed  " if words else "SURVIVED"
            print(f"{number:4} {verdict} {seconds:5.1f} s  {by_number[number]}\n     {words[:200]}", flush=True)
    return survivors


def main() -> int:
    options = argparse.ArgumentParser()
    options.add_argument("--list", action="store_true")
    options.add_argument("--only", type=int, nargs="+", default=[])
    options.add_argument("--from", type=int, default=1, dest="first")
    options.add_argument("--sample", type=int, default=0)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--lanes", type=int, default=2)
    options.add_argument("--touches", type=Path, help="the file of what tests touch: made if missing, else believed")
    wish = options.parse_args()
    every = [(number, mutant) for number, mutant in enumerate(mutants(), start=1) if number >= wish.first]
    if wish.only:
        every = [(number, mutant) for number, mutant in every if number in wish.only]
    if wish.sample:
        every = sorted(random.Random(wish.seed).sample(every, min(wish.sample, len(every))))
    if wish.list:
        for number, mutant in every:
            print(f"{number:4} {'policy' if mutant.is_policy else 'filter'} {mutant}")
        return 0
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as place, ThreadPoolExecutor(wish.lanes) as lanes:
        touches = wish.touches or Path(place) / "touches"
        if not touches.exists():
            draft = touches.with_suffix(".draft")
            draft.unlink(missing_ok=True)
            list(lanes.map(lambda n: note_touches(Path(place) / f"note{n}", PARTS[n], draft), range(len(PARTS))))
            draft.rename(touches)
            print(f"what tests touch is known after {(time.monotonic() - begun) / 60:.1f} min", flush=True)
        shares = [every[lane :: wish.lanes] for lane in range(wish.lanes)]
        found = lanes.map(lambda n: try_out(Path(place) / f"lane{n}", shares[n], touches), range(wish.lanes))
        survivors = [mutant for share in found for mutant in share]
    verdict, killed = "NOT MET" if survivors else "PASS   ", len(every) - len(survivors)
    print(f"{verdict} {killed} of {len(every)} mutants killed (limit: all), {(time.monotonic() - begun) / 60:.1f} min")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
