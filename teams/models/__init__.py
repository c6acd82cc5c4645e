"""The tables of this floor. The rest of the code imports them from here."""

from teams.channels.models import NoticeChannel, NoticeDelivery, QuietHours
from teams.entry.models import EntryTry, Session, TokenUse
from teams.models.people import (
    Agent,
    AgentZone,
    Compensation,
    Loan,
    Membership,
    Skill,
    Team,
    TeamLineage,
    TeamPlacement,
    User,
)
from teams.models.privacy import DataCopy, Erasure, PrivacyRules, Tombstone
from teams.models.rights import AccessRecord, Invitation, TeamGroupGrant, TeamUserGrant, ViewAs
from teams.models.running import Backup, Heartbeat, JobProgress, JobRun, Notice, Organisation, StoredFile, StoredPart
from teams.models.screens import ColumnSet, SavedFilter, UndoOffer

__all__ = [
    "AccessRecord",
    "Agent",
    "AgentZone",
    "Backup",
    "ColumnSet",
    "Compensation",
    "DataCopy",
    "EntryTry",
    "Erasure",
    "Heartbeat",
    "Invitation",
    "JobProgress",
    "JobRun",
    "Loan",
    "Membership",
    "Notice",
    "NoticeChannel",
    "NoticeDelivery",
    "Organisation",
    "PrivacyRules",
    "QuietHours",
    "SavedFilter",
    "Session",
    "Skill",
    "StoredFile",
    "StoredPart",
    "Team",
    "TeamGroupGrant",
    "TeamLineage",
    "TeamPlacement",
    "TeamUserGrant",
    "TokenUse",
    "Tombstone",
    "UndoOffer",
    "User",
    "ViewAs",
]
