"""Staffing points for each second of processor time, beside the package pyworkforce on the same points.

    python3.12 -m venv /tmp/pyworkforce && /tmp/pyworkforce/bin/pip install pyworkforce
    python -m benchmarks.erlang --python /tmp/pyworkforce/bin/python

pyworkforce is no part of Outpost and runs in its own interpreter, which is asked for its processor time; with that of an older
Python pip finds an older release, which has no Erlang A. Points are loads spread evenly, handle times of 1 to 10 minutes and
80 % in 20 seconds; for Erlang A patience is 3 minutes. Ours are answered in one call, theirs one by one, as either is meant
to be used. Where the numbers of agents differ, the smaller must be the one that does not reach the target, or ours is wrong.
"""

import argparse
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from scheduling.plain.erlang import erlang_a, erlang_c
from scheduling.plain.staffing import Target, fewest

GOAL, WITHIN, PATIENCE = 0.8, 20, 180
POINTS, REPEATS = 20_000, 5  # of ours, and how often they are timed: the median counts

THEIRS = """
import json, sys, time
wish = json.load(sys.stdin)
try:
    from pyworkforce import queuing
    model = getattr(queuing, wish["model"])
except (ImportError, AttributeError) as fault:
    print(json.dumps({"lacking": type(fault).__name__}))
    sys.exit()
more = {"patience": wish["patience"] / 60} if wish["model"] == "ErlangA" else {}
began, agents = time.process_time(), []
for contacts, handle in wish["points"]:
    asked = model(transactions=contacts, aht=handle / 60, asa=wish["within"] / 60, interval=30, **more)
    agents.append(asked.required_positions(wish["goal"])["raw_positions"])
print(json.dumps({"seconds": time.process_time() - began, "agents": agents}))
"""


@dataclass(frozen=True)
class Race:
    """`theirs`: how many points pyworkforce is given; it is timed for each point, so a few are enough."""

    model: str
    lowest: float
    highest: float
    theirs: int
    limit: float

    @property
    def name(self) -> str:
        return f"Erlang {self.model[-1]}, {self.lowest:g} to {self.highest:g} erlangs"


RACES = (
    Race("ErlangC", 0.5, 20, 2000, 10),
    Race("ErlangC", 5, 200, 500, 40),
    Race("ErlangC", 100, 3000, 50, 500),
    Race("ErlangA", 0.5, 20, 20, 1000),
)


def points_of(race: Race) -> tuple[Any, Any]:
    chance = np.random.default_rng(20_260_401)
    load, handle = chance.uniform(race.lowest, race.highest, POINTS), chance.uniform(60, 600, POINTS)
    return load * 1800 / handle, handle


def ours(race: Race, contacts: Any, handle: Any) -> tuple[float, Any]:
    """Seconds a point, and the agents."""
    patience = PATIENCE if race.model == "ErlangA" else None
    taken = []
    for _again in range(REPEATS):
        began = time.process_time()
        agents = fewest(contacts, handle, Target(GOAL, WITHIN), patience)
        taken.append(time.process_time() - began)
    return sorted(taken)[REPEATS // 2] / POINTS, agents


def theirs(race: Race, python: str, contacts: Any, handle: Any) -> dict[str, Any]:
    few = np.stack((contacts, handle), axis=1)[: race.theirs].tolist()
    wish = {"model": race.model, "points": few, "goal": GOAL, "within": WITHIN, "patience": PATIENCE}
    try:
        answer = subprocess.run(
            [python, "-c", THEIRS], input=json.dumps(wish), capture_output=True, text=True, check=True, timeout=600
        )
    except (OSError, subprocess.SubprocessError) as fault:
        return {"lacking": type(fault).__name__}
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


def disagreements(race: Race, agents: Any, others: Any, contacts: Any, handle: Any) -> tuple[int, int]:
    """How many points differ, and in how many of them the smaller number does reach the target though ours is the larger, or
    ours is the smaller and does not reach it."""
    differ = np.flatnonzero(agents != others)
    wrong = 0
    for place in differ:
        smaller = int(min(agents[place], others[place]))
        wrong += _reaches(race, smaller, contacts[place], handle[place]) != (smaller == agents[place])
    return differ.size, wrong


def _reaches(race: Race, agents: int, contacts: float, handle: float) -> bool:
    if race.model == "ErlangA":
        return float(erlang_a(contacts, handle, agents, PATIENCE, WITHIN).service_level) >= GOAL
    return agents > contacts * handle / 1800 and float(erlang_c(contacts, handle, agents, WITHIN).service_level) >= GOAL


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--python", default=sys.executable, help="the interpreter that has pyworkforce")
    wish = arguments.parse_args()
    is_met = True
    for race in RACES:
        contacts, handle = points_of(race)
        seconds, agents = ours(race, contacts, handle)
        print(f"{race.name}: {1 / seconds:,.0f} points a second of processor time", flush=True)
        told = theirs(race, wish.python, contacts, handle)
        if "lacking" in told:
            reason = "is not installed" if told["lacking"] != "AttributeError" else f"has no {race.model}: take 0.5.4"
            print(f"  not measured: pyworkforce {reason} (see --help) NOT MET", flush=True)
            is_met = False
            continue
        ratio = told["seconds"] / race.theirs / seconds
        few = slice(0, race.theirs)
        differ, wrong = disagreements(race, agents[few], np.array(told["agents"]), contacts[few], handle[few])
        good = ratio >= race.limit and not wrong
        is_met &= good
        print(
            f"  pyworkforce {race.theirs / told['seconds']:,.0f}; ratio {ratio:,.0f} (at least {race.limit:g});"
            f" {differ} of {race.theirs} points differ, ours is wrong in {wrong} {'PASS' if good else 'NOT MET'}",
            flush=True,
        )
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
