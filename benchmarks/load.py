"""A day's load on a whole suite of its own: agents who poll, supervisors who work, a source that delivers.

    python -m benchmarks.load [--seconds 120] [--agents 200] [--supervisors 20] [--rows 200] [--poll 30] [--think 5]
    python -m benchmarks.load --short        20 seconds with a quarter of everything, to see that it runs

Starts `manage.py run` on a free port of the loopback with a home below the temporary folder, and removes it afterwards. Each
agent asks for the own day every `--poll` seconds, each supervisor reads the next of eight pages every `--think` seconds
(overview, lists, a nightly report, figures, notices), and the REST door gets `--rows` contacts a second in one batch. Times
are taken from sending to the last byte of the answer, on connections kept open; how late our own clock was is told as well:
later than a second, and the figures speak of this machine and not of Outpost.

Limits: 95 of 100 requests of agents within 150 ms, of supervisors within 250 ms, no error, every row taken in.
"""

import argparse
import heapq
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.runtime.outpost import Outpost

LIMITS = {"agent": 150, "supervisor": 250, "intake": 1000}  # milliseconds at the 95th percentile
MOST_LATE = 1.0
HANDS = 24  # requests at once, more than the web processes have threads
WORK = (
    "/admin/", "/admin/teams/agent/", "/admin/performance/agentday/", "/admin/performance/contact/",
    "/admin/performance/nightlyreport/", "{report}", "/api/v1/agent-days/?sort=-day", "/account/notices/",
)  # fmt: skip


@dataclass
class Tally:
    """What was seen, by kind of client."""

    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    late: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, seconds: float, status: int, what: str, late: float, rows: int = 0) -> None:
        with self.lock:
            self.times[kind].append(seconds * 1000)
            self.late = max(self.late, late)
            self.rows += rows
            if status != 200:
                self.errors[f"{kind} {what} {status}"] += 1


class Line:
    """One client's connection, kept open."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port, self.headers = port, headers
        self.line: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        for fresh in (self.line is None, True):
            if fresh or self.line is None:
                self.line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                self.line.request(method, path, body, self.headers)
                answer = self.line.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                self.line.close()
                self.line = None
                if fresh:
                    return 0, b""
        return 0, b""


Step = Callable[[float], None]


class Clock:
    """Calls each client when it is due, from a few threads; a client that is late is not called twice for it."""

    def __init__(self, ends: float) -> None:
        self.ends, self.due, self.count = ends, [], 0  # type: ignore[var-annotated]
        self.lock = threading.Lock()

    def add(self, at: float, every: float, step: Step) -> None:
        with self.lock:
            self.count += 1
            heapq.heappush(self.due, (at, self.count, every, step))

    def work(self) -> None:
        while True:
            with self.lock:
                if not self.due or self.due[0][0] >= self.ends:
                    return
                at, number, every, step = heapq.heappop(self.due)
            time.sleep(max(0.0, at - time.monotonic()))
            step(max(0.0, time.monotonic() - at))
            with self.lock:
                heapq.heappush(self.due, (max(at + every, time.monotonic()), number, every, step))


def batches(port: int, token: str, door: str, agents: int, rows: int, tally: Tally) -> Step:
    """The door of the source: one batch a call, every row new."""
    line = Line(port, {"Authorization": f"Token {token}", "Content-Type": "application/json"})
    count = 0

    def deliver(late: float) -> None:
        nonlocal count
        now = datetime.now(UTC)
        made = []
        for _ in range(rows):
            count += 1
            opened = now - timedelta(seconds=400 + count % 300)
            made.append(
                {
                    "external_id": f"load-{count}", "opened_at": opened.isoformat(), "agent": f"B{count % agents}",
                    "ended_at": (opened + timedelta(seconds=300)).isoformat(), "handle_seconds": 120 + count % 180,
                    "is_answered": True, "rating": 1 + count % 5,
                }
            )  # fmt: skip
        began = time.monotonic()
        status, body = line.ask("POST", door, json.dumps({"rows": made}).encode())
        taken = json.loads(body)["counts"].get("new", 0) if status == 200 else 0
        tally.note("intake", time.monotonic() - began, status, "batch", late, taken)

    return deliver


def reader(kind: str, port: int, session: str, pages: list[str], first: int, tally: Tally) -> Step:
    line, turn = Line(port, {"Cookie": f"sessionid={session}"}), first

    def read(late: float) -> None:
        nonlocal turn
        page = pages[turn % len(pages)]
        turn += 1
        began = time.monotonic()
        status, _body = line.ask("GET", page)
        tally.note(kind, time.monotonic() - began, status, page.partition("?")[0], late)

    return read


def drive(port: int, ground: dict, wish: argparse.Namespace) -> Tally:
    """Everybody at once for the stated time, each beginning at another moment. Each page was asked for before: what is
    measured is a suite at work, not one that has just started."""
    for _process in range(4):
        for session, pages in ((ground["agents"][0], ["/me/"]), (ground["supervisors"][0], list(WORK))):
            line = Line(port, {"Cookie": f"sessionid={session}", "Connection": "close"})
            for page in pages:
                line.ask("GET", page.format(report=ground["reports"][0]))
    tally, now = Tally(), time.monotonic()
    clock = Clock(now + wish.seconds)
    for number, session in enumerate(ground["agents"]):
        clock.add(now + wish.poll * number / wish.agents, wish.poll, reader("agent", port, session, ["/me/"], 0, tally))
    for number, session in enumerate(ground["supervisors"]):
        pages = [page.format(report=ground["reports"][number]) for page in WORK]
        start = now + wish.think * number / wish.supervisors
        clock.add(start, wish.think, reader("supervisor", port, session, pages, number, tally))
    clock.add(now, 1.0, batches(port, ground["token"], ground["door"], wish.agents, wish.rows, tally))
    hands = [threading.Thread(target=clock.work, daemon=True) for _ in range(HANDS)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(wish.seconds + 60)
    return tally


def share(times: list[float], part: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * part))]


def report(tally: Tally, wish: argparse.Namespace) -> bool:
    good = True
    for kind, limit in LIMITS.items():
        times = tally.times[kind] or [float("inf")]
        met = share(times, 0.95) <= limit
        good &= met
        print(
            f"{'PASS' if met else 'NOT MET'}  {kind}: {len(times)} requests, p50 {share(times, 0.5):.0f} ms, "
            f"p95 {share(times, 0.95):.0f} ms (at most {limit}), slowest {max(times):.0f} ms"
        )
    wanted = wish.rows * (len(tally.times["intake"]))
    expected = wish.rows * wish.seconds
    rows_met = tally.rows == wanted and wanted >= expected * 0.95
    print(f"{'PASS' if rows_met else 'NOT MET'}  {tally.rows:,} rows taken in of {expected:,} that were due")
    print(
        f"{'PASS' if not tally.errors else 'NOT MET'}  {sum(tally.errors.values())} errors {dict(tally.errors) or ''}"
    )
    load = os.getloadavg()[0]
    told = "" if tally.late <= MOST_LATE else ": the figures speak of this machine, it was too busy to ask in time"
    print(f"our clock was late by {tally.late:.2f} s at most{told}; load average {load:.1f} on {os.cpu_count()} cores")
    return good and rows_met and not tally.errors and tally.late <= MOST_LATE


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, amount, words in (
        ("seconds", 120, "how long"), ("agents", 200, "agents who poll"), ("supervisors", 20, "supervisors at work"),
        ("rows", 200, "contacts delivered each second"), ("poll", 30, "seconds between two polls of an agent"),
        ("think", 5, "seconds between two pages of a supervisor"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=amount, help=f"{words} ({amount})")
    parser.add_argument("--short", action="store_true", help="20 seconds, 50 agents, 5 supervisors, 50 rows")
    wish = parser.parse_args()
    if wish.short:
        wish.seconds, wish.agents, wish.supervisors, wish.rows = 20, 50, 5, 50
    home = Path(tempfile.mkdtemp(prefix="outpost-load-"))
    outpost = Outpost(home)
    try:
        took = outpost.start().wait_until_ready(180)
        made = subprocess.run(
            [sys.executable, "-m", "benchmarks.load_ground", str(wish.agents), str(wish.supervisors)],
            env=outpost.environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            print(made.stderr, file=sys.stderr)
            return 2
        ground = json.loads(made.stdout.splitlines()[-1])
        print(f"ready after {took:.0f} s; {ground['contacts']:,} contacts of 31 days, {wish.agents} agents in 20 teams")
        print(
            f"{wish.seconds} s: {wish.agents} agents every {wish.poll} s, {wish.supervisors} supervisors every "
            f"{wish.think} s, {wish.rows} rows a second",
            flush=True,
        )
        return 0 if report(drive(outpost.port, ground, wish), wish) else 1
    finally:
        outpost.stop()
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
