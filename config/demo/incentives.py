"""What the demo organisation earns on top: the plan of the brief in each currency, records of days, and how far each month is.

Plans are drafted by payroll and agreed to by HR, by the verbs and with all they leave behind. The months are calculated by
the ledger's own runs once the nights that lie behind are done.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from approvals.services import deciding
from config.demo.cast import COMPANY, DAYS, EAST, KATHMANDU, LISBON, SAO_PAULO, SHANGHAI, WAGES
from incentives.kinds.publication import ask_publication
from incentives.kinds.releases import ask_release
from incentives.models import Plan, Run
from incentives.plain.periods import month_of
from incentives.plain.terms import CAUSES
from incentives.services import batches, night, plans, records, runs
from teams import jobs
from teams.clock import local_day
from teams.errors import Refused
from teams.models import Agent, JobRun, Team, User

PAYROLL, HR, LEAD = "nora.vidal", "victoria.lane", "helen.marsh"
# The nearest plan first, so that none takes over days that were worked under another. The last one is that of the top team.
PLANS = (
    ("kathmandu-tech", KATHMANDU, "Kathmandu bonus", "KTM-BONUS"),
    ("saopaulo-sales", SAO_PAULO, "São Paulo bonus", "SP-BONUS"),
    (EAST, SHANGHAI, "绩效奖金", "CN-BONUS"),
    (COMPANY, LISBON, "Harbour bonus", "BONUS"),
)
# Days from today of one agent of Lisbon each: what was recorded, how much, and why.
RECORDS = (
    (1, -12, "training", "120", "Security training"),
    (2, -12, "training", "120", "Security training"),
    (3, -23, "outage", "180", "The help desk was down from ten to one"),
    (4, -23, "outage", "180", "The help desk was down from ten to one"),
    (1, -6, "coaching", "15", "One-to-one"),
    (5, -4, "leave", "240", "Half a day off, agreed to"),
    (2, -3, "overtime", "60", "Stayed for the evening peak"),
)


def terms(currency: str, **more: Any) -> dict[str, Any]:
    """Over target by 10 % pays 20 % of the daily wage, by 20 % pays 50 % where customers are content."""
    gate = {"smallest": 10, "fallback": "rolling", "effect": "zero", "factor": None}
    return {
        "measures": [{"metric": "volume", "weight": "1", "is_ratio": False}], "period": "shift_day", "kind": "step",
        "edges": "attainment", "boundary": "reached", "stacked": False,
        "tiers": [{"from": "1.1", "to": "1.2", "pays": "0.2"}, {"from": "1.2", "to": None, "pays": "0.5"}],
        "gates": [{"of": "satisfaction", "at_least": "0.9", **gate}, {"of": "closure", "at_least": "0.85", **gate}],
        "proration": dict.fromkeys(CAUSES, True), "cap": {"of": "monthly_base", "value": "0.25", "excess": "lost"},
        "rounding": {"unit": "0.01", "mode": "half_up"}, "currency": currency, "monthly_by": "statutory", "late_days": 7,
        "dispute_days": 10, "complexity": {"simple": "1", "complex": "1"}, "exclude": {"reopened": True},
        "day_minutes": 480, **more,
    }  # fmt: skip


def build(now: datetime) -> None:
    """Plans that hold since the first day of the demo, a draft of what might come next, and records of some days."""
    people = {user.username: user for user in User.objects.filter(username__in=(PAYROLL, HR, LEAD))}
    payroll, hr = people[PAYROLL], people[HR]
    for code, zone, name, earning_code in PLANS:
        plan = plans.make_plan(Team.objects.get(code=code).pk, name, by=payroll, earning_code=earning_code)
        since = local_day(now, zone) - timedelta(days=DAYS)
        draft = plans.draft_version(plan.pk, terms(WAGES[zone][0]), since, by=payroll, reason="The plan of the brief")
        deciding.approve(ask_publication(draft.pk, by=payroll, reason="Holds from today's records on").pk, by=hr)
    tiers = [
        {"from": "1.05", "to": "1.1", "pays": "0.1"},
        {"from": "1.1", "to": "1.2", "pays": "0.2"},
        {"from": "1.2", "to": None, "pays": "0.5"},
    ]
    following = month_of(local_day(now, LISBON)).last + timedelta(days=1)
    plans.draft_version(
        plan.pk,
        terms(WAGES[LISBON][0], tiers=tiers),
        following,
        by=payroll,
        reason="A first step at 5 %: what would it cost?",
    )
    _record(now, by=people[LEAD])


def _record(now: datetime, *, by: User) -> None:
    agents = list(Agent.objects.filter(team__code="lisbon-care", status=Agent.Status.ACTIVE).order_by("number")[:6])
    for place, offset, what, amount, why in RECORDS:
        agent = agents[place]
        day = local_day(now, agent.zone) + timedelta(days=offset)
        records.record_day(agent.pk, day, what, Decimal(amount), by=by, reason=why)


def settle(now: datetime) -> int:
    """Calculate the months of the two large plans by the ledger, and bring those of the top team as far as payroll would be by
    now: the last one that is over is in review, the ones before it are paid. Returns how many months were calculated.

    The smaller plans are left to the worker. Again: nothing new.
    """
    people = {user.username: user for user in User.objects.filter(username__in=(PAYROLL, HR))}
    large = {
        plan.team.code: plan for plan in Plan.objects.filter(team__code__in=(COMPANY, EAST)).select_related("team")
    }
    jobs.expect_all(night.CALCULATE, night.expected_months(now))
    done = 0
    for plan in large.values():
        newest = JobRun.objects.filter(job=night.CALCULATE, subject=str(plan.pk), due_at__lte=now)
        newest = newest.order_by("period", "-revision").distinct("period")
        done += sum(jobs.work(run.pk, now) for run in list(newest))
    this_month = month_of(local_day(now, SAO_PAULO)).first  # where the month ends last
    months = Run.objects.filter(plan=large[COMPANY], month__lt=this_month, stage=Run.Stage.CALCULATED)
    over = list(months.order_by("month"))
    for run in over:
        _go_through(run, people[PAYROLL], people[HR], is_last=run is over[-1])
    return done


def _go_through(run: Run, payroll: User, hr: User, *, is_last: bool) -> None:
    try:
        runs.send_to_review(run.pk, by=payroll, reason="All wages are in")
    except Refused:  # a wage is missing, or the month goes on somewhere: payroll has something to do
        return
    if is_last or not run.sums:
        return
    runs.approve(run.pk, by=hr, reason="Looked at the ten highest")
    batch = batches.make_batch(run.pk, by=payroll, pay_on=(run.month + timedelta(days=31)).replace(day=10))
    deciding.approve(ask_release(batch.pk, by=payroll).pk, by=hr)
    batches.download(batch.pk, "csv", by=payroll)
    batches.mark_paid(batch.pk, by=payroll)
