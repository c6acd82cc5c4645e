"""Whatever kills the calculation of pay, and however often it is repeated or done twice at once: each line is paid once.

All is held against what the same changes of the same rows leave where nothing disturbs them, which is rolled back before.
Thirty-one processes are killed: eighteen of the ledger, at named statements; four of two that calculate at once; five that make
a batch, at named statements; and four while a month is calculated and its batch made at once.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from incentives.models import Attainment, Batch, Entry, KeptFacts, Plan, PlanVersion, Run
from incentives.services import batches, night, runs
from performance.models import AgentDay
from teams import jobs
from teams.errors import Refused
from teams.models import Compensation, JobRun
from tests.conftest import Cast, Hub
from tests.incentives import ground
from tests.incentives.months import MARCH, left_over
from tests.incentives.plans import terms
from tests.live.killing import AFTER, BEFORE, COMMIT, MOMENTS, WITHIN, Blow, beside, held, killed, until_waiting

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
MID_MARCH = date(2026, 3, 16)
WORDS = (  # of the statements of a run, in their order; the first COMMIT is that of the claim
    ("CREATE TEMP TABLE incentives_line", 2),
    ("CREATE TEMP TABLE incentives_alike", 1),
    ("INSERT INTO incentives_attainment", 2),
    ("INSERT INTO incentives_entry", 1),
    ("jsonb_object_agg", 1),
    (COMMIT, 2),
)
BLOWS = [Blow(words, moment, number) for words, number in WORDS for moment in MOMENTS]
BATCH_BLOWS = (
    Blow('INSERT INTO "incentives_batch"', AFTER),
    Blow('INSERT INTO "incentives_batchitem"', WITHIN),
    Blow('UPDATE "incentives_entry"', BEFORE),
    Blow('UPDATE "incentives_entry"', AFTER),
    Blow(COMMIT, WITHIN),
)


@dataclass(frozen=True)
class Pay:
    """A plan of two versions, the second from the middle of March, over four people with wages."""

    plan: Plan
    north: Cast
    south: Cast
    hub: Hub

    def change(self, number: int) -> None:
        """Something of every kind comes in: a new day, counts that are put right, wages that are, a day that was none."""
        people = (*self.north.agents, *self.south.agents)
        for place, agent in enumerate(people):
            ground.day(agent, number + 1, 95 + (number * 7 + place * 9) % 40)
        late = AgentDay.objects.filter(day=MARCH.first + timedelta(days=number // 2))
        late.update(closed=108 + number, closed_simple=108 + number)
        if number % 3 == 2:
            self.raise_wages(number)
        if number % 4 == 3:
            AgentDay.objects.filter(agent=self.south.agent, day=MARCH.first + timedelta(days=number - 2)).delete()

    def raise_wages(self, number: int) -> None:
        Compensation.objects.filter(agent=self.north.agent).update(amount=Decimal(300 + 3 * number))

    def calculate(self, **more: Any) -> Run:
        return runs.calculate(self.plan.pk, MARCH, **more)

    def ask(self, number: int) -> JobRun:
        """What the ledger of jobs would find to do after a change."""
        due_at, period = timezone.now(), MARCH.first.isoformat()
        return jobs.expect(night.CALCULATE, str(self.plan.pk), period, due_at=due_at, input_hash=str(number))


@pytest.fixture
def pay(north: Cast, south: Cast, hub: Hub) -> Pay:
    plan = ground.plan(hub.team, hub.payroll)
    first = ground.version(plan)
    first.span = DateRange(first.span.lower, MID_MARCH)
    first.save()
    PlanVersion.objects.create(
        plan=plan, number=2, terms=terms(measures=first.terms["measures"], kind="interpolated"), state="published",
        span=DateRange(MID_MARCH, None), made_by=hub.payroll,
    )  # fmt: skip
    ground.target(hub.team)
    for place, agent in enumerate((*north.agents, *south.agents)):
        ground.wage(agent, 300 + place * 17)
        ground.day(agent, 1, 112 + place)
    return Pay(plan, north, south, hub)


def work() -> None:
    """As the worker does."""
    jobs.work_due(timezone.now())


def ring(run: JobRun) -> None:
    """Ring until somebody has done the run: the database may be busy yet with what a dead process has sent."""
    later = timezone.now() + timedelta(minutes=3)
    for _bell in range(200):
        jobs.work_due(later)
        run.refresh_from_db()
        if run.state == JobRun.State.DONE:
            return
        time.sleep(0.02)
    raise AssertionError(f"{run} is {run.state} after attempt {run.attempt}: {run.error}")


@dataclass(frozen=True)
class Stands:
    """All that a month has left: entries by their key, lines as they are known now, counts that were kept, sums of runs."""

    entries: dict[tuple[Any, ...], tuple[Any, ...]]
    lines: list[tuple[Any, ...]]
    kept: set[str]
    sums: dict[Any, Any]

    @property
    def by_line(self) -> dict[tuple[Any, ...], list[Decimal]]:
        """The amounts of each line in their order of size, whatever caused them."""
        found = defaultdict(list)
        for (agent, version, begins, _kind, _cause), (amount, *_more) in self.entries.items():
            found[agent, version, begins].append(amount)
        return {line: sorted(amounts) for line, amounts in found.items()}


def standing() -> Stands:
    """Raises AssertionError where an entry or a line stands twice."""
    keys = Entry.objects.values_list("agent", "version", "begins", "kind", "cause")
    lines = Attainment.objects.values_list("agent", "version", "begins")
    for doubled in (keys, lines):
        assert [key for key, many in Counter(doubled).items() if many > 1] == []
    values = Entry.objects.values_list("amount", "withheld", "month", "currency", "digest")
    return Stands(
        dict(zip(keys.order_by("pk"), values.order_by("pk"), strict=True)),
        sorted(Attainment.objects.values_list("agent", "version", "begins", "digest", "reached", "team")),
        set(KeptFacts.objects.values_list("digest", flat=True)),
        {run.month: run.sums for run in Run.objects.all()},
    )


def undisturbed(many: int, one: Callable[[int], Any]) -> list[Stands]:
    """What stands after each of the steps where nothing disturbs them; all of it is rolled back."""
    before, found = standing(), []
    with transaction.atomic():
        for number in range(many):
            one(number)
            found.append(standing())
        transaction.set_rollback(True)
    assert standing() == before
    return found


def test_killed_anywhere_and_begun_again_it_posts_what_it_would_have_posted(pay):
    def one(number: int) -> None:
        pay.change(number + 1)
        pay.calculate()

    wanted = undisturbed(len(BLOWS), one)
    assert len({len(each.entries) for each in wanted}) == len(BLOWS), "each step has to post something"
    for number, blow in enumerate(BLOWS):
        pay.change(number + 1)
        run = pay.ask(number)
        killed(work, blow)
        ring(run)
        assert standing() == wanted[number], f"killed {blow}"
        assert run.attempt <= 2
        pay.calculate()
        assert standing() == wanted[number], f"repeated after it was killed {blow}"
    assert set(JobRun.objects.filter(job=night.CALCULATE).values_list("state", flat=True)) == {"done"}
    assert {kind for _agent, _version, _begins, kind, _cause in wanted[-1].entries} == {"line", "delta"}
    assert wanted[-1].kept

    batches.make_batch(approved(pay).pk, by=pay.hub.payroll)
    assert left_over(pay.plan) == {} and not Entry.objects.filter(batch=None).exists()


@pytest.mark.parametrize("victims", [(), (0,), (1,), (0, 1)], ids=["nobody", "the first", "the second", "both"])
def test_two_at_once_pay_a_line_once(pay, victims):
    """One as the ledger does, one for a dispute, so that their entries have different causes. Of changed wages the lines tell
    nothing: what keeps the two from paying both is the lock on the run alone."""
    pay.calculate()
    pay.raise_wages(9)
    (wanted,) = undisturbed(1, lambda _number: pay.calculate())
    run = pay.ask(1)
    with held("incentives_entry"):
        both = []
        for number, each in enumerate((work, lambda: pay.calculate(cause="dispute:1")), 1):
            both.append(beside(each))
            until_waiting(number)
        for number in victims:
            both[number].kill()
    told = [each.wait() for each in both]
    assert told == ["" if number in victims else "done" for number in range(2)]
    ring(run)
    pay.calculate(cause="dispute:1")
    found = standing()
    assert found.by_line == wanted.by_line and found.sums == wanted.sums and found.lines == wanted.lines


def approved(pay: Pay) -> Run:
    """The run of March, looked at and approved if it is not yet."""
    run = Run.objects.get(plan=pay.plan, month=MARCH.first)
    if run.stage == Run.Stage.CALCULATED:
        runs.send_to_review(run.pk, by=pay.hub.payroll)
        run = runs.approve(run.pk, by=pay.hub.hr)
    return run


def test_a_batch_that_is_killed_is_made_once(pay):
    for number in range(6):
        pay.change(number + 1)
    pay.calculate()
    run = approved(pay)
    before = standing()
    for blow in BATCH_BLOWS:
        killed(lambda: batches.make_batch(run.pk, by=pay.hub.payroll), blow)
    settle(pay)
    assert standing() == before
    assert left_over(pay.plan) == {} and not Entry.objects.filter(batch=None).exists()


def settle(pay: Pay) -> None:
    """As payroll goes on that finds a run approved, or calculated anew: in the end there is one batch, and it is whole."""
    with transaction.atomic():  # wait for what a dead process has sent
        Run.objects.select_for_update().get(plan=pay.plan, month=MARCH.first)
    run = approved(pay)
    if run.stage == Run.Stage.APPROVED:
        batches.make_batch(run.pk, by=pay.hub.payroll)
    made = Batch.objects.get()
    assert batches.recounted(made).checksum == made.checksum


@pytest.mark.parametrize("victim", [0, 1], ids=["the first is killed", "the second is killed"])
@pytest.mark.parametrize("is_batch_first", [True, False], ids=["the batch first", "the month first"])
def test_a_month_is_calculated_while_its_batch_is_made(pay, is_batch_first, victim):
    for number in range(4):
        pay.change(number + 1)
    pay.calculate()
    run = approved(pay)
    pay.raise_wages(9)
    (wanted,) = undisturbed(1, lambda _number: pay.calculate())
    job = pay.ask(1)

    def make() -> None:
        batches.make_batch(run.pk, by=pay.hub.payroll)

    with held("incentives_entry"):
        both = []
        for number, each in enumerate((make, work) if is_batch_first else (work, make), 1):
            both.append(beside(each))
            until_waiting(number)
        both[victim].kill()
    other = both[1 - victim].wait()
    assert other == "done" or (other.startswith(Refused.__name__) and not is_batch_first), other
    ring(job)
    settle(pay)
    assert standing().by_line == wanted.by_line and standing().lines == wanted.lines
    assert left_over(pay.plan) == {}
    assert set(Entry.objects.filter(batch=None).values_list("kind", flat=True)) <= {"delta"}
