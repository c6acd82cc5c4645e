"""A small organisation and six days of its contacts, made from a seed, and what must come of them, counted in plain Python.

The contacts come in many REST batches and one file that overlap: some contacts are told of several times, each time with a
version of its own, and not always in order; whole batches come twice. The newest version counts, once.
"""

import csv
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
TEAMS = ("north", "south")
AGENTS = {
    f"K{n:02d}": (TEAMS[n % 2], ZONES[n % 3]) for n in range(12)
}  # number, which is also the name at the source: team, zone
QUEUES = {"sales": ("north", "Asia/Shanghai"), "help": ("south", "Europe/Berlin")}
SOURCE, STRANGER = "drill", "nobody-knows-me"
FIELDS = (
    "external_id", "opened_at", "ended_at", "agent", "queue", "updated_at", "wait_seconds", "handle_seconds",
    "is_answered", "is_abandoned", "rating",
)  # fmt: skip
MAPPING = {
    "layout": "contacts",
    "fields": {name: {"column": name} for name in FIELDS} | {"rating": {"column": "rating", "scale": 5}},
}
DAYS, BATCHES, NEW_ROWS, FILE_ROWS = 6, 40, 90, 20_000
HALF_HOUR = timedelta(minutes=30)

Row = dict[str, Any]


@dataclass(frozen=True)
class Ground:
    """All input of a run."""

    first: date
    last: date  # after which no fact lies, in any zone
    batches: list[list[Row]]
    file_rows: list[Row]

    def write_file(self, place: Path) -> Path:
        with place.open("w", newline="") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(self.file_rows)
        return place

    def newest(self) -> dict[str, Row]:
        """What every contact is in the end."""
        held: dict[str, Row] = {}
        for row in [row for batch in self.batches for row in batch] + self.file_rows:
            known = held.get(row["external_id"])
            if known is None or row["updated_at"] >= known["updated_at"]:
                held[row["external_id"]] = row
        return held


def make(seed: int, today: date, many: int = BATCHES, file_contacts: int = FILE_ROWS) -> Ground:
    """The same input from the same seed and day. All days are over everywhere, their grace included."""
    dice = random.Random(seed)
    first = today - timedelta(days=DAYS + 3)
    start = datetime(first.year, first.month, first.day, 12, tzinfo=UTC)
    numbers = count(1)
    versions = iter(dice.sample(range(2, 10**6), many * 30 + 500))
    known: list[Row] = []
    batches: list[list[Row]] = []
    for _batch in range(many):
        new = [_contact(dice, f"c{next(numbers)}", start) for _ in range(NEW_ROWS)]
        told_again = [_changed(dice, row, next(versions)) for row in dice.sample(known, min(len(known), 30))]
        repeated = dice.sample(known, min(len(known), 10))
        batches.append([*new, *told_again, *repeated])
        known += new + told_again
    for _again in range(4):
        batches.insert(dice.randrange(len(batches)), dice.choice(batches))
    file_rows = [_contact(dice, f"f{n}", start) for n in range(file_contacts)]
    file_rows += [_changed(dice, row, next(versions)) for row in dice.sample(known, 500)]
    dice.shuffle(file_rows)
    return Ground(first, first + timedelta(days=DAYS + 1), batches, file_rows)


def _contact(dice: random.Random, external_id: str, start: datetime) -> Row:
    opened = start + timedelta(seconds=dice.randrange(DAYS * 86400 - 4 * 3600))
    is_answered = dice.random() < 0.9
    row = dict.fromkeys(FIELDS, "") | {
        "external_id": external_id,
        "opened_at": _iso(opened),
        "queue": dice.choice([*QUEUES, ""]),
        "updated_at": _iso(opened + timedelta(seconds=1)),
        "wait_seconds": str(dice.randrange(90)),
        "is_answered": str(is_answered).lower(),
        "is_abandoned": str(not is_answered).lower(),
    }
    if is_answered:
        handled = dice.randrange(30, 1500)
        row |= {
            "agent": dice.choice([*AGENTS, *AGENTS, STRANGER]),
            "handle_seconds": str(handled),
            "rating": dice.choice(["", "1", "2", "3", "4", "5"]),
            "ended_at": "" if dice.random() < 0.1 else _iso(opened + timedelta(seconds=handled)),
        }
    return row


def _changed(dice: random.Random, row: Row, version: int) -> Row:
    """Another version of the contact, so many seconds after it was opened; no other version of it has the same number."""
    later = datetime.fromisoformat(row["opened_at"]) + timedelta(seconds=version)
    changed = row | {"updated_at": _iso(later), "wait_seconds": str(dice.randrange(90))}
    if row["agent"]:
        changed |= {"agent": dice.choice([*AGENTS]), "rating": dice.choice(["", "1", "5"])}
    return changed


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# -- the count ---------------------------------------------------------------------------------------------------------------

MEASURES = ("contacts", "closed", "rated", "satisfied", "rating_sum", "timed", "handle_seconds")


@dataclass(frozen=True)
class Counted:
    """What the tables must say: agent-days by agent, team, zone, day; team-days by team, day; half hours by queue, start."""

    contacts: int
    agent_days: dict[tuple[str, ...], tuple[Fraction, ...]]
    team_days: dict[tuple[str, ...], tuple[Fraction, ...]]
    half_hours: dict[tuple[str, datetime], tuple[int, int, int]]


def counted(ground: Ground) -> Counted:
    agents: dict[Any, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * len(MEASURES))
    teams: dict[Any, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * len(MEASURES))
    halves: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0])
    rows = ground.newest()
    for row in rows.values():
        opened = datetime.fromisoformat(row["opened_at"])
        if row["queue"]:
            cell = halves[row["queue"], opened - (opened - datetime.min.replace(tzinfo=UTC)) % HALF_HOUR]
            cell[0] += 1
            cell[1] += row["is_answered"] == "true"
            cell[2] += row["is_abandoned"] == "true"
        if row["agent"] not in AGENTS:
            continue
        team, zone = AGENTS[row["agent"]]
        day = str(datetime.fromisoformat(row["ended_at"] or row["opened_at"]).astimezone(ZoneInfo(zone)).date())
        rating = Fraction(int(row["rating"]) - 1, 4) if row["rating"] else None
        values = (
            1, bool(row["ended_at"]), rating is not None, rating is not None and rating >= Fraction(3, 4), rating or 0,
            1, int(row["handle_seconds"]),
        )  # fmt: skip
        for cells in (agents[row["agent"], team, zone, day], teams[team, day]):
            for place, value in enumerate(values):
                cells[place] += value
    return Counted(
        len(rows),
        {key: tuple(cells) for key, cells in agents.items()},
        {key: tuple(cells) for key, cells in teams.items()},
        {key: (cells[0], cells[1], cells[2]) for key, cells in halves.items()},
    )
