"""Erlang B, C and A by the definitions alone: chains of states in exact fractions, slow and independent of what is tested."""

from fractions import Fraction
from math import exp


def blocked(load: Fraction, agents: int) -> Fraction:
    """p_n of the states 0 to n."""
    state, states = Fraction(1), [Fraction(1)]
    for busy in range(1, agents + 1):
        state = state * load / busy
        states.append(state)
    return states[-1] / sum(states)


def p_wait(load: Fraction, agents: int) -> Fraction:
    """The states from n on are a geometric series."""
    lost = blocked(load, agents)
    return lost / (1 - load / agents * (1 - lost))


def service_level(load: Fraction, agents: int, handle: float, within: float) -> float:
    return 1 - float(p_wait(load, agents)) * exp(-float(agents - load) * within / handle)


def fewest(load: Fraction, handle: float, within: float, goal: float, cap: Fraction = Fraction(1)) -> int:
    agents = int(load) + 1
    while load / agents > cap or service_level(load, agents, handle, within) < goal:
        agents += 1
    return agents


def with_patience(
    load: Fraction, agents: int, handle: Fraction, patience: Fraction, most: int = 120
) -> tuple[Fraction, ...]:
    """P(wait), P(abandon) and the mean queue, of the chain cut at `most` waiting; rates are by the mean handle time."""
    states = [Fraction(1)]
    for number in range(1, agents + most + 1):
        leave = min(number, agents) + max(number - agents, 0) * handle / patience
        states.append((states[-1] * load / leave).limit_denominator(10**60))
    total = sum(states)
    queue = sum((place * state for place, state in enumerate(states[agents:])), Fraction(0)) / total
    return sum(states[agents:]) / total, queue * handle / patience / load, queue
