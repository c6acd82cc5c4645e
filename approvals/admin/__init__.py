"""Doors in the admin, by subject."""

from approvals.admin import absences, blacklist, policies, replies, requests, statuses

__all__ = ["absences", "blacklist", "policies", "replies", "requests", "statuses"]
