"""Canned replies: their kind of request, what the tables hold about people, how long uses are kept, who can see them."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from approvals import kinds
from approvals.models import (
    CannedReply,
    CannedReplyVersion,
    ReplyAttachment,
    ReplyCategory,
    ReplyHeat,
    ReplyUse,
)
from approvals.services import reply_files
from approvals.services.reply_kind import CannedReplyKind
from teams import retention, sight
from teams.personal import DataClass, FreeText, enter_texts, excuse
from teams.personal import enter as enter_classes

CLASSES = (
    DataClass(
        CannedReply, user=("owner",), is_deleted=True, hidden=frozenset({"code_sounds", "title_sounds"}),
        label=_("canned replies of one's own"),
    ),
    DataClass(ReplyUse, agent=("agent",), hidden=frozenset({"once"}), cleared=(("contact", ""),)),
    DataClass(ReplyHeat, agent=("agent",), is_deleted=True),
)  # fmt: skip
TEXTS = (
    FreeText(CannedReply, ("title", "body")),
    FreeText(CannedReplyVersion, ("title", "body")),
    FreeText(ReplyCategory, ("name",)),
    FreeText(ReplyAttachment, ("name",)),
)


def _uses(cutoff: datetime) -> models.QuerySet[ReplyUse]:
    return ReplyUse.objects.filter(used_at__lt=cutoff)


RETENTION = (
    retention.RetentionClass(
        "reply_uses", _("Single uses of canned replies"), _("rows are deleted, the counts stay"),
        "months", 24, lambda cutoff: _uses(cutoff).count(), lambda cutoff: _uses(cutoff).delete()[0],
    ),
    retention.RetentionClass(
        "reply_files", _("Files brought for canned replies that none has"), _("files are deleted"),
        "days", 30, lambda cutoff: reply_files.unused(cutoff).count(), reply_files.drop_unused,
    ),
)  # fmt: skip


def enter() -> None:
    kinds.register(CannedReplyKind())
    enter_classes(*CLASSES)
    enter_texts(*TEXTS)
    excuse("approvals.cannedreplyversion", "made_by", "who asked for a version belongs to the version")
    excuse("approvals.replyattachment", "brought_by", "who brought a file belongs to the file")
    retention.enter(*RETENTION)
    sight.register("reply_uses", _("uses of canned replies"), "approvals.ReplyUse", "teams.Agent", "teams.Team")
