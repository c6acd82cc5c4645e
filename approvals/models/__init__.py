"""Tables of approvals, by subject."""

from approvals.models.blacklist import BlockEntry, BlockHit
from approvals.models.replies import (
    CannedReply,
    CannedReplyVersion,
    Channel,
    Language,
    ReplyAttachment,
    ReplyCategory,
    ReplyHeat,
    ReplyRules,
    ReplySearch,
    ReplyTexts,
    ReplyUse,
)
from approvals.models.requests import (
    ApprovalAbsence,
    ApprovalEvent,
    ApprovalPolicy,
    ApprovalRequest,
    ApprovalSeat,
    ApprovalStep,
)
from approvals.models.statuses import Base, StatusReason, StatusSpan, TeamCover

__all__ = [
    "ApprovalAbsence",
    "ApprovalEvent",
    "ApprovalPolicy",
    "ApprovalRequest",
    "ApprovalSeat",
    "ApprovalStep",
    "Base",
    "BlockEntry",
    "BlockHit",
    "CannedReply",
    "CannedReplyVersion",
    "Channel",
    "Language",
    "ReplyAttachment",
    "ReplyCategory",
    "ReplyHeat",
    "ReplyRules",
    "ReplySearch",
    "ReplyTexts",
    "ReplyUse",
    "StatusReason",
    "StatusSpan",
    "TeamCover",
]
