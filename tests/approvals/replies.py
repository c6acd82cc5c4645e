"""Canned replies for tests: texts as a form would hand them over, and rows as an approved request would leave them."""

from typing import Any

from approvals.models import CannedReply
from approvals.services import replies
from teams.models import Team, User


def texts(
    title: str = "Refund", code: str = "refund", body: str = "Hello {{customer_name}}.", **more: Any
) -> dict[str, Any]:
    return {
        "title": title, "short_code": code, "body": body, "channel": "any", "language": "en", "category": None, "tags": [],
        "valid_from": None, "valid_until": None, "review_on": None, **more,
    }  # fmt: skip


def live(
    title: str = "Refund", code: str = "refund", *, team: Team | None = None, owner: User | None = None, **more: Any
) -> CannedReply:
    """A reply in use: of `team`, of `owner`, or everybody's."""
    scope = "team" if team else "personal" if owner else "all"
    row = CannedReply(scope=scope, team=team, owner=owner, version=0)
    replies.put(row, texts(title, code, **more))
    return replies.write(row, by=owner)


def new(team: Team | None, **more: Any) -> dict[str, Any]:
    """The content of a request for a new reply."""
    place = {"scope": "team", "team": team.pk} if team else {"scope": "all"}
    return {"action": "create", **place, **texts(**more)}


def change(reply: CannedReply, **more: Any) -> dict[str, Any]:
    """The content of a request for other texts."""
    files = list(reply.attachments.values_list("pk", flat=True))
    return {"action": "edit", "reply": reply.pk, "attachments": files, **replies.texts_of(reply), **more}
