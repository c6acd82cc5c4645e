"""The drill: intake and night while parts are killed with kill -9, compared with an unkilled run of the same input.

Both runs are real: `manage.py run` with a home of its own, batches over HTTP by a client that repeats until it hears 200, a
file through the job ledger, beat's bell every other second. The faults (`tests.live.faults`) are spread evenly over kinds,
in an order and with victims drawn from the seed; the supervisor itself is killed twice more. After each is measured when all of
it serves again. The reference run starts when the faults are over, while the killed one waits for its leases.
"""

import http.client
import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import psycopg

from tests.live import ground as grounds
from tests.live.faults import PERCENTILE, WORST_SECONDS, Disk, Killer, Resumption, Watch, share_at
from tests.live.ground import Counted, Ground
from tests.runtime.outpost import Outpost, copy_home, wait

SECRET = "the-secret-of-both-homes-so-that-customers-keys-are-the-same-0123456789"
QUIET_SECONDS = 600  # a limit for crowded machines; a quiet one needs a tenth
CLIENTS = 2
Tell = Callable[[str], None]

# Every row of every table that counts, without ids of this database and moments of this run. A report is kept as sent: what
# it says of the days before, and by them of what is unusual, is what was known when it was made, which may differ. What it
# says of its own day may not. The last day is a quiet one, of which a report says nothing; that it is there, its notice shows.
TABLES = {
    "contact": """
        SELECT to_jsonb(c) - '{id,run_id,source_id,agent_id,queue_id,team_id}'::text[] || jsonb_build_object(
            'source', s.code, 'agent', a.number, 'queue', q.code, 'team', t.code)
        FROM performance_contact c JOIN performance_source s ON s.id = c.source_id
        LEFT JOIN teams_agent a ON a.id = c.agent_id LEFT JOIN performance_queue q ON q.id = c.queue_id
        LEFT JOIN teams_team t ON t.id = c.team_id""",
    "agent_day": """
        SELECT to_jsonb(d) - '{id,agent_id,team_id}'::text[] || jsonb_build_object('agent', a.number, 'team', t.code)
        FROM performance_agentday d JOIN teams_agent a ON a.id = d.agent_id JOIN teams_team t ON t.id = d.team_id""",
    "team_day": """
        SELECT to_jsonb(d) - '{id,team_id}'::text[] || jsonb_build_object('team', t.code)
        FROM performance_teamday d JOIN teams_team t ON t.id = d.team_id""",
    "queue_half_hour": """
        SELECT to_jsonb(h) - '{id,queue_id}'::text[] || jsonb_build_object('queue', q.code)
        FROM performance_queuehalfhour h JOIN performance_queue q ON q.id = h.queue_id""",
    "report": """
        SELECT DISTINCT ON (r.team_id, r.day) jsonb_build_object(
            'team', t.code, 'day', r.day, 'own', r.payload - '{before,unusual,load}'::text[], 'load', (
                SELECT jsonb_agg(line - '{past,past_days}'::text[] ORDER BY line)
                FROM jsonb_array_elements(r.payload -> 'load') line
                WHERE EXISTS (SELECT FROM jsonb_array_elements(line -> 'day') slot WHERE slot <> '0')
            ))
        FROM performance_nightlyreport r JOIN teams_team t ON t.id = r.team_id
        WHERE r.day >= %(first)s AND r.day < %(last)s ORDER BY r.team_id, r.day, r.revision DESC""",
    "notice": """
        SELECT jsonb_build_object('to', u.username, 'team', t.code, 'day', r.day)
        FROM teams_notice n JOIN teams_user u ON u.id = n.recipient_id
        CROSS JOIN jsonb_array_elements_text(n.details -> 'reports') listed
        JOIN performance_nightlyreport r ON r.id = listed::bigint JOIN teams_team t ON t.id = r.team_id
        WHERE r.day BETWEEN %(first)s AND %(last)s""",
    "name in the tray": "SELECT jsonb_build_object('name', external) FROM performance_agentalias WHERE agent_id IS NULL",
}
OPEN = """
SELECT (SELECT count(*) FROM teams_jobrun WHERE state IN ('waiting', 'running') AND due_at <= now())
     + (SELECT count(*) FROM performance_daytouch touch WHERE NOT EXISTS (
            SELECT FROM teams_jobrun run
            WHERE run.job = 'performance.roll_up' AND run.subject = touch.zone AND run.period = touch.day::text
              AND run.state = 'done' AND run.input_hash = touch.version::text))
     + (SELECT count(*) FROM performance_importrun WHERE state = 'waiting')
"""
GIVEN_UP = "SELECT job, subject, period, revision, error FROM teams_jobrun WHERE state = 'parked'"


@dataclass
class Outcome:
    """What a drill showed. `faults` is empty if every row is as it must be."""

    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    repeated_calls: int = 0
    lost: int = 0
    doubled: int = 0
    rows: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    kill_seconds: float = 0
    quiet_seconds: float = 0
    undisturbed_seconds: float = 0
    resumed: list[Resumption] = field(default_factory=list)
    not_run: str = ""

    @property
    def seconds(self) -> list[float]:
        return [each.seconds for each in self.resumed]

    @property
    def is_in_time(self) -> bool:
        """Whether 95 of 100 faults were over within 2 minutes, and every one within 10; no fault is no answer."""
        return bool(self.resumed) and share_at(self.seconds, PERCENTILE) <= 120 and max(self.seconds) <= WORST_SECONDS

    @property
    def is_met(self) -> bool:
        return not (self.lost or self.doubled or self.faults) and self.is_in_time

    def lines(self) -> Iterator[str]:
        kills = ", ".join(f"{name} {times}" for name, times in sorted(self.killed.items()))
        yield f"seed {self.seed}; kills: {sum(self.killed.values())} ({kills}) in {self.kill_seconds:.0f} s"
        yield f"calls the client had to repeat: {self.repeated_calls}"
        yield f"rows compared: {', '.join(f'{name} {rows}' for name, rows in self.rows.items())}"
        yield f"lost: {self.lost}; doubled: {self.doubled}; other differences: {len(self.faults)}"
        yield (
            f"quiet {self.quiet_seconds:.0f} s after the last kill; the undisturbed run took "
            f"{self.undisturbed_seconds:.0f} s from the first batch to quiet"
        )
        if self.resumed:
            worst = max(self.resumed, key=lambda each: each.seconds)
            yield (
                f"resumed after a fault: median {share_at(self.seconds, 0.5):.1f} s, p95 "
                f"{share_at(self.seconds, PERCENTILE):.1f} s (limit 120), worst {worst.seconds:.1f} s, {worst.fault} "
                f"(limit {WORST_SECONDS})"
            )
        if self.not_run:
            yield f"NOT RUN: {self.not_run}"
        yield from self.faults[:20]


# -- a home and its client -----------------------------------------------------------------------------------------------


class Home:
    """An Outpost with the drill's organisation, and the client that feeds it."""

    def __init__(self, outpost: Outpost) -> None:
        self.outpost = outpost
        self.token = ""
        self.repeated = 0
        self.is_given_up = False

    def organise(self) -> None:
        """Make the organisation of `ground` in its database, which must be up."""
        self.token = self.inside("organise").communicate(timeout=60)[0].strip()
        if not self.token:
            raise AssertionError("the organisation could not be made")

    def inside(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "tests.live.inside", *arguments],
            cwd=self.outpost.checkout,
            env=self.outpost.environment() | {"DJANGO_SETTINGS_MODULE": "config.settings"},
            stdout=subprocess.PIPE,
            text=True,
        )

    def send(self, rows: list[dict[str, Any]]) -> None:
        """At least once: again and again until the answer is 200."""
        body = json.dumps({"rows": rows, "scale": 5}).encode()
        headers = {"Content-Type": "application/json", "Authorization": f"Token {self.token}"}
        while not self.is_given_up:
            line = http.client.HTTPConnection("127.0.0.1", self.outpost.port, timeout=30)
            try:
                line.request("POST", f"/api/v1/sources/{grounds.SOURCE}/contacts/", body, headers)
                answer = line.getresponse()
                status, said = answer.status, answer.read()
            except (OSError, http.client.HTTPException):
                status, said = 0, b""
            finally:
                line.close()
            if status == 200:
                refused = json.loads(said)["refused"]
                if refused:
                    raise AssertionError(f"good rows were refused: {refused[:3]}")
                return
            if 400 <= status < 500:
                raise AssertionError(f"a good batch was refused with {status}: {said[:500]!r}")
            self.repeated += 1
            time.sleep(0.3)

    def ask(self, statement: str, values: dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        with self.outpost.connect() as connection:
            return connection.execute(statement, values).fetchall()  # type: ignore[call-overload,no-any-return]

    def wait_until_quiet(self, seconds: float = QUIET_SECONDS) -> float:
        """Wait until nothing is open for three seconds of ringing; returns how long nothing but that was to be done."""
        began, quiet_since = time.monotonic(), 0.0
        while time.monotonic() - began < seconds:
            with suppress(psycopg.OperationalError, KeyError):
                given_up = self.ask(GIVEN_UP)
                if given_up:
                    raise AssertionError(f"given up: {given_up}")
                now = time.monotonic()
                quiet_since = 0.0 if self.ask(OPEN)[0][0] else quiet_since or now
                if quiet_since and now - quiet_since > 3:
                    return quiet_since - began
            time.sleep(0.5)
        raise AssertionError(f"not quiet after {seconds} s: {self.ask(OPEN)[0][0]} open")

    def rows(self, ground: Ground) -> dict[str, Counter[str]]:
        days = {"first": ground.first, "last": ground.last}
        return {
            name: Counter(json.dumps(row, sort_keys=True) for (row,) in self.ask(statement, days))
            for name, statement in TABLES.items()
        }


@contextmanager
def a_home(place: Path, **settings: str) -> Iterator[Home]:
    """A home that is gone, with its processes and sockets, when the drill is over."""
    outpost = Outpost(place, OUTPOST_SECRET_KEY=SECRET, **settings)
    sockets = ""
    try:
        home = Home(outpost)
        yield home
        sockets = str(outpost.record().get("sockets", ""))
    finally:
        if outpost.process is not None and outpost.process.poll() is None:
            sockets = sockets or str(outpost.record().get("sockets", ""))
            outpost.stop()
        wait(lambda: not outpost.alive(), 15, "processes left")
        if sockets:
            shutil.rmtree(sockets, ignore_errors=True)


def feed(home: Home, ground: Ground, file: Path, may_send: Callable[[int], bool] = lambda number: True) -> None:
    """Send all batches by two clients side by side, and the file after a fifth of them. `may_send` holds a batch back."""
    numbers = iter(range(len(ground.batches)))
    turn = threading.Lock()
    file_is_due = len(ground.batches) // 5

    def client() -> None:
        while True:
            with turn:
                number = next(numbers, None)
            if number is None:
                return
            while not may_send(number) and not home.is_given_up:
                time.sleep(0.1)
            if number == file_is_due:
                home.inside("deliver", str(file))
            home.send(ground.batches[number])

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(client) for _ in range(CLIENTS)]:
            done.result()


# -- the drill ---------------------------------------------------------------------------------------------------------------


def drill(kills: int, seed: int, place: Path, tell: Tell = print, made: Path | None = None) -> Outcome:
    """Do it all below `place` and compare. Both homes are copies of `made`, if there is one, else they make themselves.

    Raises AssertionError where a run does not come to rest.
    """
    ground = grounds.make(seed, datetime.now(UTC).date())
    file = ground.write_file(place / "drill.csv")
    outcome = Outcome(seed)
    with Disk(place / "killed") as disk, a_home(disk.place) as killed, a_home(place / "undisturbed") as undisturbed:
        outcome.not_run = disk.missing
        if made is not None:
            for home in (killed, undisturbed):
                copy_home(made, home.outpost.home)
        killed.outpost.start().wait_until_ready()
        killed.organise()
        watch = Watch(killed.outpost, lambda words: tell(f"  {words}"))
        killer = Killer(killed.outpost, random.Random(seed), kills, disk, watch)
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            client = pool.submit(
                feed, killed, ground, file, lambda number: killer.share >= number / len(ground.batches) * 0.9 - 0.1
            )
            try:
                killer.work()
            except BaseException:
                killed.is_given_up = True
                raise
            outcome.kill_seconds, last_kill = time.monotonic() - began, time.monotonic()
            client.result()
        tell(f"  all faults done after {outcome.kill_seconds:.0f} s; all batches are in")
        undisturbed.outpost.start().wait_until_ready()
        undisturbed.organise()
        began = time.monotonic()
        feed(undisturbed, ground, file)
        with ThreadPoolExecutor(2) as pool:
            waits = [pool.submit(_rest, home) for home in (killed, undisturbed)]
            ends = [each.result() for each in waits]
        outcome.quiet_seconds, outcome.undisturbed_seconds = ends[0] - last_kill, ends[1] - began
        outcome.killed, outcome.repeated_calls, outcome.resumed = killer.done, killed.repeated, watch.resumed
        _compare(killed.rows(ground), undisturbed.rows(ground), outcome)
        for name, home in (("killed", killed), ("undisturbed", undisturbed)):
            outcome.faults += [f"{name}: {fault}" for fault in against_count(home, grounds.counted(ground))]
    return outcome


def _rest(home: Home) -> float:
    """The moment from which on nothing was to be done any more."""
    began = time.monotonic()
    return began + home.wait_until_quiet()


def _compare(killed: dict[str, Counter[str]], undisturbed: dict[str, Counter[str]], outcome: Outcome) -> None:
    for name, rows in undisturbed.items():
        outcome.rows[name] = sum(rows.values())
        if not rows:
            outcome.faults.append(f"{name}: the undisturbed run left no row to compare with")
        outcome.lost += sum((rows - killed[name]).values())
        outcome.doubled += sum(times - 1 for times in killed[name].values() if times > 1)
        outcome.faults += [f"{name}, lost: {row[:300]}" for row in list(rows - killed[name])[:5]]
        outcome.faults += [f"{name}, too many: {row[:300]}" for row in list(killed[name] - rows)[:5]]


def against_count(home: Home, told: Counted) -> list[str]:
    """What in the tables is not as counted in plain Python."""
    columns = ", ".join(f"d.{measure}" for measure in grounds.MEASURES)
    held = home.ask("SELECT count(*), count(DISTINCT external_id) FROM performance_contact")[0]
    agents = home.ask(
        f"SELECT a.number, t.code, d.zone, d.day::text, {columns} FROM performance_agentday d "
        "JOIN teams_agent a ON a.id = d.agent_id JOIN teams_team t ON t.id = d.team_id"
    )
    teams = home.ask(
        f"SELECT t.code, d.day::text, {columns} FROM performance_teamday d JOIN teams_team t ON t.id = d.team_id"
    )
    halves = home.ask(
        "SELECT q.code, h.started_at, h.offered, h.answered, h.abandoned FROM performance_queuehalfhour h "
        "JOIN performance_queue q ON q.id = h.queue_id"
    )
    width = len(grounds.MEASURES)
    found = {
        "contacts": (held, (told.contacts, told.contacts)),
        "agent-days": ({row[:-width]: tuple(map(Fraction, row[-width:])) for row in agents}, told.agent_days),
        "team-days": ({row[:-width]: tuple(map(Fraction, row[-width:])) for row in teams}, told.team_days),
        "half hours": ({row[:2]: row[2:] for row in halves}, told.half_hours),
    }
    return [f"the {what} are not as counted in plain Python" for what, (has, must) in found.items() if has != must]


def in_a_place_of_its_own(kills: int, seed: int, tell: Tell = print, made: Path | None = None) -> Outcome:
    """The drill in a directory that is removed if all is well and kept, with its logs, if not."""
    place = Path(tempfile.mkdtemp(prefix="outpost-kills-"))
    try:
        outcome = drill(kills, seed, place, tell, made)
    except BaseException:
        tell(f"kept for a look: {place}")
        raise
    if outcome.faults:
        tell(f"kept for a look: {place}")
    else:
        shutil.rmtree(place, ignore_errors=True)
    return outcome
