"""Agents' statuses: kinds of requests, notices, what the tables hold about people, how long, and who sees it."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from approvals import kinds
from approvals.letters import statuses as break_letters
from approvals.models import StatusSpan
from approvals.services.employment import Employment
from approvals.services.statuses.breaks import StatusChange
from approvals.services.statuses.corrections import StatusCorrection
from teams import outbox, sight
from teams.models import User
from teams.personal import DataClass, excuse
from teams.personal import enter as enter_classes
from teams.retention import RetentionClass
from teams.retention import enter as enter_retention


def _ended(cutoff: datetime) -> models.QuerySet[StatusSpan]:
    return StatusSpan.objects.filter(span__endswith__lt=cutoff)


RETENTION = RetentionClass(
    "statuses", _("Time lines of agents"), _("rows are deleted"),
    "months", 36, lambda cutoff: _ended(cutoff).count(), lambda cutoff: _ended(cutoff).delete()[0],
)  # fmt: skip


def _decides(person: User) -> bool:
    return person.is_staff


def _serves(person: User) -> bool:
    return hasattr(person, "agent")


def enter() -> None:
    for kind in (StatusChange(), StatusCorrection(), Employment()):
        kinds.register(kind)
    outbox.register("break_over", break_letters.over, title=_("Your break is over"), concerns=_serves)
    outbox.register(
        "break_long_over",
        break_letters.long_over,
        title=_("Somebody's break has been over for long"),
        concerns=_decides,
    )
    enter_classes(DataClass(StatusSpan, agent=("agent",), cleared=(("note", ""),), label=_("time line of statuses")))
    excuse("approvals.statusspan", "by", "who set a status belongs to the line of the agent")
    enter_retention(RETENTION)
    sight.register("statuses", _("status of the day, time line"), "approvals.StatusSpan", "teams.Team", "teams.Agent")
