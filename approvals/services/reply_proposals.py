"""Proposals about shared replies, as doors hand them in: each is one request of the kind `canned_reply`."""

from collections.abc import Mapping
from typing import Any

from approvals.forms.replies import content
from approvals.models import ApprovalRequest, CannedReply
from approvals.services import replies, requests
from teams.models import User

KIND = "canned_reply"


def propose_new(
    texts: Mapping[str, Any], *, team: int | None, by: User, words: str = "", files: Any = ()
) -> ApprovalRequest:
    """A new reply of `team` and all below it; without a team, of everybody. Raises OutOfReach, or Refused as the kind says."""
    place = {"scope": "team", "team": team} if team is not None else {"scope": "all"}
    return _ask(content("create", replies.plain(texts), attachments=list(files), **place), by, words)


def propose_change(
    reply: Any, texts: Mapping[str, Any], *, by: User, words: str = "", files: Any = None
) -> ApprovalRequest:
    """Other texts for a reply; `files` None: those it has. Raises OutOfReach, or Refused as the kind says."""
    row = replies.reachable(reply, by)
    kept = row.attachments.order_by("pk").values_list("pk", flat=True) if files is None else files
    return _ask(content("edit", replies.plain(texts), reply=row.pk, attachments=list(kept)), by, words)


def propose_retirement(reply: Any, *, by: User, words: str = "") -> ApprovalRequest:
    """That a reply is suggested no more. Raises OutOfReach, or Refused as the kind says."""
    return _ask({"action": "retire", "reply": replies.reachable(reply, by).pk}, by, words)


def propose_version(reply: Any, number: int, *, by: User, words: str = "") -> ApprovalRequest:
    """That an earlier version stands again. Raises OutOfReach, or Refused as the kind says."""
    return _ask({"action": "roll_back", "reply": replies.reachable(reply, by).pk, "number": number}, by, words)


def open_about(reply: CannedReply, by: User) -> ApprovalRequest | None:
    """The open request about a reply, if `by` sees it."""
    rows = ApprovalRequest.objects.visible_to(by).open().filter(kind=KIND)
    return rows.filter(subject_key=f"reply:{reply.pk}").first()


def of(by: User) -> Any:
    """What this person has proposed, the newest first."""
    return ApprovalRequest.objects.about(by).filter(kind=KIND, requester=by).order_by("-made_at", "-pk")


def _ask(wish: dict[str, Any], by: User, words: str) -> ApprovalRequest:
    return requests.ask(KIND, wish, by=by, words=words)
