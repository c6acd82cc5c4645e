"""Verbs of agents' statuses: set, ask, correct; and what keeps them true by itself."""

from approvals.services.statuses.breaks import ask_break
from approvals.services.statuses.corrections import ask_correction
from approvals.services.statuses.needing import set_cover, set_needed
from approvals.services.statuses.overruns import sweep
from approvals.services.statuses.setting import Change, come_back, set_status

__all__ = [
    "Change",
    "ask_break",
    "ask_correction",
    "come_back",
    "set_cover",
    "set_needed",
    "set_status",
    "sweep",
]
