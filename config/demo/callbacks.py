"""A spreadsheet as a team keeps one: the call-back list of yesterday, with a few rows that cannot be taken in."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.demo.cast import LISBON, Cast
from config.demo.rota import on_duty
from teams.clock import local_day

HEADER = (
    "external_id",
    "opened_at",
    "agent",
    "queue",
    "ended_at",
    "handle_seconds",
    "is_answered",
    "is_resolved",
    "phone",
)
FILE_NAME = "call-backs.csv"
TEAM = "lisbon-care"
CALLERS = 4


class Spoilt(NamedTuple):
    """A cell that cannot be read: its place in the row, what stands there, and the reason of the refusal."""

    place: int
    text: str
    code: str


SPOILT = {
    5: Spoilt(1, "yesterday, after lunch", "not_a_moment"),
    9: Spoilt(5, "about five minutes", "not_a_duration"),
    14: Spoilt(0, "", "missing"),
}


def callers(cast: Cast, seed: int, now: datetime) -> list[str]:
    """Names of some who were at work yesterday and have no story of their own, so that nobody seems to idle on a day off."""
    on = local_day(now, LISBON) - timedelta(days=1)
    turns = on_duty(cast, seed, TEAM, -1, on.weekday(), on.toordinal() // 7)
    return [turn.agent.name for turn in turns if not turn.agent.story][:CALLERS]


def rows(now: datetime, callers: Sequence[str]) -> list[list[str]]:
    """The header and 20 rows, of which three are spoilt, made by `callers` in turn."""
    morning = (now.astimezone(ZoneInfo(LISBON)) - timedelta(days=1)).replace(hour=14, minute=5, second=0)
    lines = [list(HEADER)]
    for number in range(20):
        begins = morning + timedelta(minutes=11 * number)
        seconds = 150 + 37 * number % 260
        line = [
            f"CB-{begins:%y%m%d}-{number + 1:02d}", f"{begins:%Y-%m-%d %H:%M:%S}", callers[number % len(callers)], "care",
            f"{begins + timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S}", str(seconds), "yes", "no" if number % 7 == 3 else "yes",
            f"+35191{2000000 + 31337 * number}",
        ]  # fmt: skip
        if number + 1 in SPOILT:
            line[SPOILT[number + 1].place] = SPOILT[number + 1].text
        lines.append(line)
    return lines


def seconds(cell: str) -> int:
    """Seconds UTC of a local time in the list."""
    return int(datetime.strptime(cell, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZoneInfo(LISBON)).timestamp())
