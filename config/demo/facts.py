"""All facts of the demo organisation in the normal form of a delivery, team by team and day by day, as a stream."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from config.demo import traffic
from config.demo.cast import DAYS, KATHMANDU, LISBON, SAO_PAULO, SHANGHAI, Cast, DemoTeam
from config.demo.floor import Floor, Seat, Work
from config.demo.rota import on_duty
from config.demo.rows import ContactRow, LegRow, StateRow
from config.demo.states import states_of
from teams.clock import day_start, local_day

STATE_DAYS = 14  # a telephone system keeps its agents' states for a fortnight
STRANGER_DAYS = 3  # since when somebody unknown, and a line nobody has named, appear in the telephone system
ZONES = (SHANGHAI, KATHMANDU, LISBON, SAO_PAULO)


@dataclass(frozen=True)
class Batch:
    """What one team's day brought."""

    team: str
    day: date
    contacts: list[ContactRow]
    legs: list[LegRow]
    states: list[StateRow]


def facts(cast: Cast, seed: int, now: datetime) -> Iterator[Batch]:
    """Every fact up to `now`: DAYS complete local days of each team and today so far, oldest first within a team."""
    for team in cast.floors:
        backlog: list[Work] = []
        for day in range(-DAYS, 1):
            yield _team_day(cast, seed, team, day, now, backlog)


def _team_day(cast: Cast, seed: int, team: DemoTeam, day: int, now: datetime, backlog: list[Work]) -> Batch:
    """One day of a team. `backlog` holds the mails nobody has answered yet; what is left of it waits for tomorrow."""
    on = local_day(now, team.zone) + timedelta(days=day)
    starts_at = int(day_start(on, team.zone).timestamp())
    rng = random.Random(f"{seed}/floor/{team.code}/{day}")
    turns = on_duty(cast, seed, team.code, day, on.weekday(), on.toordinal() // 7)
    seats = [Seat(turn, day, starts_at, rng) for turn in turns]
    crew = [agent for agent in cast.agents if agent.works_for(-DAYS) == team.code and agent.role != "lead"]
    nominal = len(crew) * 5 / 7 * 0.92
    expected = team.demand * nominal * traffic.WEEKDAYS[on.weekday()] * traffic.day_factor(seed, team.code, day)
    arrivals = traffic.arrivals(rng, expected, starts_at, starts_at + traffic.OPENS * 3600, _outage(now))
    floor = Floor(cast, team, on, rng, has_strangers=team.code == "lisbon-care" and day >= -STRANGER_DAYS)
    floor.serve(seats, arrivals, backlog)
    until = int(now.timestamp())
    states = states_of(seats, cast.phone_source(team.code), until) if day >= -STATE_DAYS else []
    contacts = floor.contacts
    if day >= -3:  # only the last days can reach past this moment
        contacts = [row.as_of(until) for row in contacts if row.opened_at <= until]
        floor.legs = [leg.as_of(until) for leg in floor.legs if leg.started_at <= until]
    return Batch(team.code, on, contacts, floor.legs, states)


def _outage(now: datetime) -> tuple[int, int]:
    """From when to when the helpdesk was down, the same moment for all teams."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    day = int((midnight + timedelta(days=traffic.OUTAGE_DAY)).timestamp())
    begins, ends = traffic.OUTAGE_HOURS_UTC
    return day + begins * 3600, day + ends * 3600
