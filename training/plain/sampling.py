"""Which contacts are reviewed: some of each agent at random, and all that were flagged.

Chance is a seed that is kept with the sample: the same seed draws the same contacts, in whatever order they come and on any
machine, so that anybody can see that nobody was picked on. It draws from all contacts of an agent, flagged or not, and what
it draws says how good the work is; flagged ones come on top and are marked as such. Nobody reviews the own work.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _


@dataclass(frozen=True)
class Contact:
    key: str
    agent: int


class Why(StrEnum):
    RANDOM = "random"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Pick:
    """`flags`: what was abnormal about it, also where chance drew it."""

    contact: Contact
    why: Why
    flags: tuple[str, ...] = ()


def draw(
    contacts: Iterable[Contact], per_agent: int, seed: str, flags: Mapping[str, Collection[str]] | None = None
) -> list[Pick]:
    """`per_agent` contacts of each agent at random, or all where there are fewer, and each one with a flag; by agent, in
    the order in which they were drawn. Raises ValueError without a seed, for a count below zero, or where a contact stands
    twice."""
    if per_agent < 0:
        raise ValueError(_("Draw no contacts or more for each agent."))
    if not seed:
        raise ValueError(_("Give the draw a seed, so that it can be repeated."))
    by_agent: dict[int, list[Contact]] = {}
    for contact in sorted(contacts, key=lambda each: _order(seed, each.key)):
        by_agent.setdefault(contact.agent, []).append(contact)
    _check_once(contact.key for rows in by_agent.values() for contact in rows)
    marked = {key: tuple(sorted(found)) for key, found in (flags or {}).items() if found}
    picks = []
    for agent in sorted(by_agent):
        for place, contact in enumerate(by_agent[agent]):
            if place < per_agent:
                picks.append(Pick(contact, Why.RANDOM, marked.get(contact.key, ())))
            elif contact.key in marked:
                picks.append(Pick(contact, Why.FLAGGED, marked[contact.key]))
    return picks


def assign(
    picks: Iterable[Pick], reviewers: Sequence[int], seed: str, linked: Collection[tuple[int, int]] = ()
) -> dict[str, int]:
    """A reviewer for each pick: the one with the least to do, by lot among equals. Never oneself, and never somebody of
    `linked` (reviewer, agent), such as one who is paid by the other's result. Raises ValueError where nobody is left."""
    load: Counter[int] = Counter(dict.fromkeys(reviewers, 0))
    found: dict[str, int] = {}
    for pick in picks:
        agent = pick.contact.agent
        free = [each for each in load if each != agent and (each, agent) not in linked]
        if not free:
            raise ValueError(
                _("Nobody may review this agent: add a reviewer who is neither the agent nor paid by the result.")
            )
        chosen = min(free, key=lambda each: (load[each], _order(seed, f"{pick.contact.key}\t{each}")))
        load[chosen] += 1
        found[pick.contact.key] = chosen
    return found


def _order(seed: str, key: str) -> str:
    """A place that nobody chose."""
    return hashlib.sha256(f"{seed}\t{key}".encode()).hexdigest()


def _check_once(keys: Iterable[str]) -> None:
    key, count = next(iter(Counter(keys).most_common(1)), ("", 0))
    if count > 1:
        raise ValueError(_("Contact %(key)s stands twice; give each once.") % {"key": key})
