"""Admin doors of teams, people and rights."""

from teams.admin import accounts, machine, pay, people, rights, tree

__all__ = ["accounts", "machine", "pay", "people", "rights", "tree"]
