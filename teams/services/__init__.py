"""Verbs of teams, people and rights: each function is one change. Lock, look, write, record."""

from teams.services.delegating import delegate, end_delegation
from teams.services.pay import cancel_compensation, set_compensation
from teams.services.people import (
    add_agent,
    cancel_planned_transfer,
    change_zone,
    edit_agent,
    end_loan,
    leave,
    lend_agent,
    move_agent,
    return_agent,
    set_skills,
    set_status,
)
from teams.services.rights import (
    add_account,
    deactivate,
    give_grant,
    link_account,
    reactivate,
    set_access,
    set_groups,
    set_password,
    sweep_grants,
    take_grant,
)
from teams.services.tree import (
    cancel_planned_move,
    close_team,
    create_team,
    move_team,
    rename_team,
    reopen_team,
)
from teams.services.turning import Turned, turn_day
from teams.services.viewing import start_viewing, stop_viewing

__all__ = [
    "Turned",
    "add_account",
    "add_agent",
    "cancel_compensation",
    "cancel_planned_move",
    "cancel_planned_transfer",
    "change_zone",
    "close_team",
    "create_team",
    "deactivate",
    "delegate",
    "edit_agent",
    "end_delegation",
    "end_loan",
    "give_grant",
    "leave",
    "lend_agent",
    "link_account",
    "move_agent",
    "move_team",
    "reactivate",
    "rename_team",
    "reopen_team",
    "return_agent",
    "set_access",
    "set_compensation",
    "set_groups",
    "set_password",
    "set_skills",
    "set_status",
    "start_viewing",
    "stop_viewing",
    "sweep_grants",
    "take_grant",
    "turn_day",
]
