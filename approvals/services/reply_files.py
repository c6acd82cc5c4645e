"""Files that were brought for replies and belong to none: of proposals that were refused, withdrawn or never made."""

from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from approvals.models import ApprovalRequest, CannedReply, CannedReplyVersion, ReplyAttachment
from approvals.services import replies
from approvals.services.reply_proposals import KIND


def unused(cutoff: datetime) -> QuerySet[ReplyAttachment]:
    """Files brought before `cutoff` that no reply, no version and no unsettled request names."""
    waiting = ApprovalRequest.objects.unsettled().filter(kind=KIND).values_list("content__attachments", flat=True)
    named = {pk for files in waiting for pk in files or ()}
    rows = ReplyAttachment.objects.filter(brought_at__lt=cutoff).exclude(pk__in=named)
    for model in (CannedReply, CannedReplyVersion):
        rows = rows.exclude(Exists(model.attachments.through.objects.filter(replyattachment=OuterRef("pk"))))
    return rows


def drop_unused(cutoff: datetime) -> int:
    """Delete them, rows first and what is stored once that is certain; returns how many. Called within a transaction."""
    replies.hold_files(for_removal=True)
    rows = list(unused(cutoff).select_for_update(of=("self",)))
    for row in rows:
        transaction.on_commit(partial(row.file.storage.delete, str(row.file.name)))
    ReplyAttachment.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)
