"""The tables of this floor. The rest of the code imports them from here."""

from performance.models.facts import (
    BaseState,
    Contact,
    ContactKey,
    Dayed,
    DayTouch,
    HandleMethod,
    IntervalFact,
    Leg,
    StateInterval,
)
from performance.models.figures import AgentDay, Measures, NightlyReport, QueueHalfHour, Target, TeamDay
from performance.models.phones import ContactSecret, PhoneReveal
from performance.models.sources import (
    AgentAlias,
    Channel,
    Complexity,
    ImportRefusal,
    ImportRun,
    Queue,
    QueueAlias,
    Source,
    always,
)

__all__ = [
    "AgentAlias",
    "AgentDay",
    "BaseState",
    "Channel",
    "Complexity",
    "Contact",
    "ContactKey",
    "ContactSecret",
    "DayTouch",
    "Dayed",
    "HandleMethod",
    "ImportRefusal",
    "ImportRun",
    "IntervalFact",
    "Leg",
    "Measures",
    "NightlyReport",
    "PhoneReveal",
    "Queue",
    "QueueAlias",
    "QueueHalfHour",
    "Source",
    "StateInterval",
    "Target",
    "TeamDay",
    "always",
]
