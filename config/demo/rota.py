"""Who works when: shifts 07-15 and 15-23 by the team's clock, two days off a week, now and then an absence."""

import random
from dataclasses import dataclass

from config.demo.cast import Cast, DemoAgent

EARLY, LATE = (7, 15), (15, 23)
# Days off (Monday is 0), dealt out in turn to pairs of agents, one of whom is early and one late.
DAYS_OFF = ((5, 6), (1, 2), (6, 0), (3, 4), (5, 6), (2, 3), (0, 4))
STORY_DAYS = range(-1, 1)


@dataclass(frozen=True)
class Turn:
    """An agent's shift: hours by the team's clock."""

    agent: DemoAgent
    begins: int
    ends: int


def on_duty(cast: Cast, seed: int, team: str, day: int, weekday: int, week: int) -> list[Turn]:
    """Who serves for `team` on `day` (days from today); `week` counts calendar weeks, in which shifts alternate."""
    turns = []
    for place, agent in enumerate(cast.agents):
        if agent.works_for(day) != team or day < agent.since or (agent.left is not None and day > agent.left):
            continue
        has_story = bool(agent.story) and day in STORY_DAYS
        if not has_story and (weekday in DAYS_OFF[place // 2 % len(DAYS_OFF)] or _is_absent(seed, agent, day, week)):
            continue
        begins, ends = EARLY if (place + week) % 2 else LATE
        if agent.role == "lead":
            begins, ends = 9, 17
        turns.append(Turn(agent, begins, ends))
    return turns


def _is_absent(seed: int, agent: DemoAgent, day: int, week: int) -> bool:
    """A week's holiday now and then, and single days of illness."""
    if random.Random(f"{seed}/leave/{agent.number}/{week}").random() < 0.04:
        return True
    return random.Random(f"{seed}/ill/{agent.number}/{day}").random() < 0.02
