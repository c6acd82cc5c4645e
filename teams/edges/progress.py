"""What a page shows of a long job: one fragment, the same for the page and for the script that asks again."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.formats import number_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from teams import jobs
from teams.edges.scope import labels
from teams.models import JobProgress, JobRun, User


@dataclass(frozen=True)
class Shown:
    """One run as its followers see it. `share` is 0 to 100, or None where nobody knows of how much."""

    pk: int
    words: str
    share: int | None
    is_over: bool
    is_cancelled: bool
    is_stopping: bool
    who: str
    reason: str
    at: datetime | None


def of_run(run: JobRun, viewer: User) -> Shown | None:
    """How far `run` is, for whoever may know; None where it is not followed, or not by `viewer`."""
    told = JobProgress.objects.visible_to(viewer).filter(pk=run.pk).first()
    if told is None:
        return None
    is_over = run.state not in jobs.OPEN
    who = labels(User, {told.cancelled_by_id}, viewer)[told.cancelled_by_id] if told.cancelled_by_id else ""
    return Shown(
        pk=run.pk,
        words=_words(run, told),
        share=None if not told.total or not told.done else min(100, told.done * 100 // told.total),
        is_over=is_over,
        is_cancelled=run.state == JobRun.State.CANCELLED,
        is_stopping=not is_over and told.cancelled_at is not None,
        who=who,
        reason=told.reason,
        at=told.cancelled_at,
    )


def _words(run: JobRun, told: JobProgress) -> str:
    if run.state == JobRun.State.WAITING:
        return str(capfirst(JobProgress.Step.WAITING.label))
    if run.state != JobRun.State.RUNNING:
        return capfirst(run.get_state_display())
    step = capfirst(told.get_step_display())
    if not told.done and not told.total:
        return step
    done, total = number_format(told.done, force_grouping=True), number_format(told.total or 0, force_grouping=True)
    if not told.total:
        return _("%(step)s: %(done)s") % {"step": step, "done": done}
    if not told.done:
        return _("%(step)s: %(total)s in all") % {"step": step, "total": total}
    return _("%(step)s: %(done)s of %(total)s") % {"step": step, "done": done, "total": total}
