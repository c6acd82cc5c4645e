"""Runs: the pay-out months of plans, from open to locked. Figures may change up to the approval; what comes later is posted as
differences into the next month that is open.
"""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from incentives import cases, figures, posting
from incentives.models import Entry, Plan, PlanVersion, Run
from incentives.places import places
from incentives.plain.periods import DAY, TAKES_FIGURES, Span, Stage, may_follow, month_of, next_open, spans_of
from incentives.plain.terms import read
from incentives.services.caps import capped_by, settle_caps
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import OutOfReach, Refused
from teams.models import User

SYSTEM = "a run is calculated for everybody under the plan, whoever asked for it"
LATE = "late"


def hold(plan: Plan, month: Span) -> Run:
    """The run of a plan's month, made if there is none, locked until the transaction ends."""
    Run.objects.bulk_create([Run(plan=plan, month=month.first)], ignore_conflicts=True)
    return Run.objects.select_for_update(of=("self",)).select_related("plan").get(plan=plan, month=month.first)


@transaction.atomic
def calculate(
    plan_pk: int, month: Span, *, now: datetime | None = None, cause: str = LATE, agents: list[int] | None = None
) -> Run:
    """Bring the lines of a plan's month to what is known by `now`, for all or for some agents, and post what is missing.

    Twice the same changes nothing. Raises Mismatch where the two calculators differ: then nothing is posted.
    """
    now = now or timezone.now()
    with system_scope(SYSTEM):
        plan = Plan.objects.get(pk=plan_pk)
        run = hold(plan, month)
        into = _open_run(plan, run, month)
        added = 0
        every = places(month)
        for version in _concerned(plan, month):
            terms = read(version.terms)
            wanted = figures.Wanted(version.pk, terms, month, now, agents)
            figures.lay_out(wanted, every)
            cases.calculate(terms, version.terms)
            spans = spans_of(terms.period, month)
            whole = Span(spans[0].first, spans[-1].last)
            target = posting.Into(
                plan.pk, version.pk, month, month_of(into.month), whole, cause, terms.currency, agents
            )
            added += posting.post(target).entries
        for each in {run.pk: run, into.pk: into}.values():
            _sum_up(each, now, is_changed=bool(added))
        return run


def _concerned(plan: Plan, month: Span) -> list[PlanVersion]:
    """The versions that hold in the month, and those that were paid for it and hold no more."""
    rows = PlanVersion.objects.filter(plan=plan)
    held = rows.published().filter(span__overlap=DateRange(month.first, month.last + DAY))
    paid = Entry.objects.filter(plan=plan, ends__range=(month.first, month.last)).values("version").distinct()
    return list((held | rows.filter(pk__in=paid)).distinct().order_by("number"))


def _open_run(plan: Plan, run: Run | None, month: Span) -> Run:
    """The run of `month` while it takes figures, else of the next month that does; `run` where it is held already. Locked."""
    stages = {
        month_of(first): Stage(stage)
        for first, stage in Run.objects.filter(plan=plan, month__gte=month.first).values_list("month", "stage")
    }
    open_month = next_open(stages, month)
    return run if run is not None and open_month == month else hold(plan, open_month)


SUMS = """
SELECT (SELECT jsonb_object_agg(currency, amount::text) FROM (
            SELECT currency, trim_scale(sum(amount)) AS amount FROM incentives_entry
            WHERE plan_id = %(plan)s AND month = %(month)s GROUP BY currency) sums),
       count(*), count(DISTINCT agent_id), count(*) FILTER (WHERE lack <> ''),
       md5(concat(count(*), ':', sum(hashtextextended(digest, agent_id)::numeric * (begins - '2000-01-01'::date))))
FROM incentives_attainment
WHERE version_id = ANY (%(versions)s) AND ends BETWEEN %(month)s AND %(last)s
"""


def _sum_up(run: Run, now: datetime, *, is_changed: bool) -> None:
    """Totals of a run; new figures put one that is looked at back to be looked at anew."""
    with connection.cursor() as cursor:
        asked: dict[str, Any] = {"plan": run.plan_id, "month": run.month, "last": month_of(run.month).last}
        asked["versions"] = list(PlanVersion.objects.filter(plan=run.plan_id).values_list("pk", flat=True))
        cursor.execute(SUMS, asked)
        sums, lines, agents, lacking, digest = cursor.fetchone()
    sums = json.loads(sums) if isinstance(sums, str) else sums
    former = (run.sums, run.lines, run.agents, run.lacking, run.input_hash)
    run.sums, run.lines, run.agents, run.lacking, run.input_hash = sums or {}, lines, agents, lacking, digest
    fields = ["sums", "lines", "agents", "lacking", "input_hash", "calculated_at"]
    run.calculated_at = now
    stage = Stage(run.stage)
    moves = stage is Stage.OPEN or (is_changed and stage in (Stage.IN_REVIEW, Stage.APPROVED))
    if moves:
        run.stage, run.reviewed_by, run.approved_by = Run.Stage.CALCULATED, None, None
        save_with_history(run, *fields, "stage", "reviewed_by", "approved_by", by=None, reason=str(_("calculated")))
    elif former != (run.sums, run.lines, run.agents, run.lacking, run.input_hash):
        save_with_history(run, *fields, by=None, reason=str(_("calculated")))


# -- verbs ---------------------------------------------------------------------------------------------------------------


def take(pk: Any, by: User) -> Run:
    """The run, locked, if `by` may write it. Raises OutOfReach."""
    run: Run = Run.objects.manageable_by(by).take(pk)
    return run


def recalculate(pk: Any, *, by: User) -> Run:
    """Calculate a run now. Raises OutOfReach, or Refused: not_open, mismatch."""
    run = Run.objects.manageable_by(by).filter(pk=pk).select_related("plan").first()
    if run is None:
        raise OutOfReach
    if Stage(run.stage) not in TAKES_FIGURES:
        raise Refused(
            "not_open", _("This month is locked: what comes in for it is posted into the next open month by itself.")
        )
    try:
        return calculate(run.plan_id, month_of(run.month))
    except cases.Mismatch as error:
        raise Refused(
            "mismatch",
            _("The two calculators do not come to the same, so nothing was posted. Tell the operator; pay nothing."),
        ) from error


def _move(run: Run, stage: Stage, *fields: str, by: User, reason: str) -> None:
    if not may_follow(Stage(run.stage), stage):
        told = {"stage": run.get_stage_display(), "wanted": Run.Stage(stage).label}
        raise Refused("not_now", _("The run is %(stage)s, so it cannot become %(wanted)s. Look at it again.") % told)
    run.stage = Run.Stage(stage)
    save_with_history(run, "stage", *fields, by=by, reason=reason)


@transaction.atomic
def send_to_review(pk: Any, *, by: User, reason: str = "") -> Run:
    """Say that a run is complete: caps are settled, and somebody else looks.

    Raises OutOfReach, or Refused: not_over, lacking, not_now.
    """
    run = take(pk, by)
    month = month_of(run.month)
    with system_scope(SYSTEM):
        last_today = _last_today()
    if month.last >= last_today:
        raise Refused("not_over", _("The month is not over everywhere yet. Send it to review when it is."))
    if run.lacking:
        raise Refused(
            "lacking",
            ngettext(
                "%(count)d line has no daily wage in the plan's currency. Enter the wage, calculate again, then send it.",
                "%(count)d lines have no daily wage in the plan's currency. Enter the wages, calculate again, then send it.",
                run.lacking,
            )
            % {"count": run.lacking},
        )
    with system_scope(SYSTEM):
        _settle_caps(run, timezone.now())
    run.reviewed_by = by
    _move(run, Stage.IN_REVIEW, "reviewed_by", by=by, reason=reason)
    return run


def _settle_caps(run: Run, now: datetime) -> None:
    """What is carried goes into the next month that takes figures, which is looked at anew."""
    capped = capped_by(run)
    if capped is None:
        return
    version, terms = capped
    into = run
    if terms.cap.excess == "carried":
        into = _open_run(run.plan, None, month_of(month_of(run.month).last + DAY))
    if settle_caps(run, version, terms, into.month):
        _sum_up(run, now, is_changed=False)
        if into is not run:
            _sum_up(into, now, is_changed=True)


def _last_today() -> date:
    """The civil date where the day is earliest."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min((now() AT TIME ZONE zone)::date) FROM (SELECT DISTINCT zone FROM teams_agent) zones")
        (today,) = cursor.fetchone()
    return today or timezone.now().date()


@transaction.atomic
def approve(pk: Any, *, by: User, reason: str = "") -> Run:
    """Agree to a run: by somebody other than who sent it. Raises OutOfReach, or Refused: own_run, not_now."""
    run = take(pk, by)
    if run.reviewed_by_id == by.pk:
        raise Refused("own_run", _("You sent this run to review; somebody else has to approve it."))
    run.approved_by = by
    _move(run, Stage.APPROVED, "approved_by", by=by, reason=reason)
    return run


@transaction.atomic
def send_back(pk: Any, *, by: User, reason: str) -> Run:
    """Put a run that is in review, or approved, back to be put right. Raises OutOfReach, or Refused: no_reason, not_now."""
    run = take(pk, by)
    if not reason.strip():
        raise Refused("no_reason", _("Say what has to be put right."))
    if Stage(run.stage) not in (Stage.IN_REVIEW, Stage.APPROVED):
        raise Refused("not_now", _("Only a run that is in review or approved can be sent back."))
    run.reviewed_by = run.approved_by = None
    _move(run, Stage.CALCULATED, "reviewed_by", "approved_by", by=by, reason=reason)
    return run


def total(run: Run) -> dict[str, Decimal]:
    return {currency: Decimal(amount) for currency, amount in run.sums.items()}
