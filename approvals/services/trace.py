"""The trace of a request, and what people are told about it. Both are rows of the transaction that causes them."""

from collections.abc import Iterable
from typing import Any

from approvals.models import ApprovalEvent, ApprovalRequest
from teams.models import Notice, User


def note(
    request: ApprovalRequest,
    kind: str,
    *,
    by: User | None,
    words: str = "",
    on_behalf_of: int | None = None,
    step: int | None = None,
    **details: Any,
) -> ApprovalEvent:
    """One line: who, as whom, on which content, with what words."""
    return ApprovalEvent.objects.create(
        request=request, kind=kind, actor=by, on_behalf_of_id=on_behalf_of, revision=request.revision,
        content_hash=request.content_hash, step=step, words=words.strip()[:500], details=details,
    )  # fmt: skip


def tell(kind: str, request: ApprovalRequest, people: Iterable[int], occasion: object, **details: Any) -> None:
    """A notice to each of `people`; `occasion` makes it one of a kind, so that a repetition tells nobody twice."""
    Notice.objects.bulk_create(
        [
            Notice(
                kind=kind, recipient_id=person, about=str(request.pk), key=f"{kind}:{request.pk}:{occasion}:{person}",
                details=details,
            )
            for person in sorted(set(people))
        ],
        ignore_conflicts=True,
    )  # fmt: skip
