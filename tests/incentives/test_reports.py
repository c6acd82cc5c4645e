"""Reports: what they cost, what they say in the recipient's language, and that a statement adds up by another way."""

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incentives import letters
from incentives.models import Attainment, Entry
from incentives.plain.periods import month_of
from incentives.reports.months import month_page
from incentives.reports.progress import progress, what_if
from incentives.reports.statements import detail, statement
from incentives.services import night, runs
from incentives.words import money
from teams import outbox
from teams.models import JobRun, Membership, Notice, NoticeDelivery
from tests import make
from tests.incentives import ground

NOW = datetime(2026, 4, 2, 12, tzinfo=UTC)
TODAY = NOW.date()
MARCH = month_of(date(2026, 3, 1))
FACTOR = {"of": "closure", "at_least": "0.9", "smallest": 5, "fallback": "fail", "effect": "factor", "factor": "0.5"}


@pytest.fixture
def plan(north, hub):
    with time_machine.travel(NOW, tick=False):
        ground.target(hub.team)
        ground.wage(north.agent)
        yield ground.plan(hub.team, hub.payroll)


# -- progress ------------------------------------------------------------------------------------------------------------


def test_progress_asks_at_most_five_queries(plan, north, django_assert_num_queries):
    ground.day(north.agent, TODAY, 90)
    ground.day(north.agent, TODAY - timedelta(days=1), 112)
    with django_assert_num_queries(4):
        found = progress(north.agent, TODAY)
    assert (found.done, found.target, found.to_go, found.amount) == (90, 100, 10, Decimal("0.00"))
    assert [(step.more, step.amount) for step in found.steps] == [(20, Decimal("60.00")), (30, Decimal("150.00"))]
    with django_assert_num_queries(5):
        assert progress(north.agent, TODAY - timedelta(days=1)).amount == Decimal("60.00")
    assert what_if(found, 20).amount == Decimal("60.00") and what_if(found, 0) == found.line


@pytest.mark.parametrize("period", ["week", "month"])
def test_progress_of_a_longer_span_adds_its_days(hub, north, period):
    with time_machine.travel(NOW, tick=False):
        ground.target(hub.team)
        ground.wage(north.agent)
        ground.plan(hub.team, hub.payroll, period=period)
        for day in (TODAY - timedelta(days=1), TODAY):
            ground.day(north.agent, day, 115)
        found = progress(north.agent, TODAY)
    assert (found.done, found.target, found.amount) == (230, 200, Decimal("120.00"))


def test_progress_equals_what_the_run_posts(plan, north):
    ground.day(north.agent, 2, 121)
    ground.recorded(north.agent, 2, "leave", 120, north.lead)
    runs.calculate(plan.pk, MARCH)
    found = progress(north.agent, date(2026, 3, 2))
    assert found.amount == Entry.objects.get().amount > 0
    assert found.line.reached == Attainment.objects.get().reached


def test_a_day_that_has_been_goes_by_the_team_of_that_day(plan, north, south, hub):
    ground.day(north.agent, 2, 121)
    own = ground.plan(north.team, hub.payroll, name="Of north")
    moved = date(2026, 4, 1)
    Membership.objects.filter(agent=north.agent).update(span=make.DateRange(make.LONG_AGO, moved))
    Membership.objects.create(agent=north.agent, team=south.team, span=make.DateRange(moved, None))
    north.agent.team = south.team
    north.agent.save()
    assert progress(north.agent, date(2026, 3, 2)).version.plan == own
    assert progress(north.agent, TODAY).version.plan == plan


def test_without_a_wage_no_amount_is_told_and_units_need_none(plan, north, south, hub):
    other = north.agents[1]
    ground.day(other, TODAY, 115)
    found = progress(other, TODAY)
    assert (found.amount, found.ahead_words, what_if(found, 5)) == (None, [], None)
    assert found.lack_words == "no wage is entered for a day of the line"
    ground.plan(
        south.team, hub.payroll, name="By the piece", kind="marginal", tiers=[{"from": "1", "to": None, "pays": "2"}]
    )
    ground.day(south.agent, TODAY, 110)
    assert progress(south.agent, TODAY).amount == Decimal("20.00")


def test_of_a_ratio_its_value_is_told(hub, north):
    ground.target(hub.team, metric="satisfaction", value=Decimal("0.9"))
    ground.wage(north.agent)
    ground.plan(
        hub.team, hub.payroll, measures=[{"metric": "satisfaction", "weight": "1", "is_ratio": True}], gates=[],
        exclude={"reopened": False}, tiers=[{"from": "1", "to": None, "pays": "0.2"}],
    )  # fmt: skip
    with time_machine.travel(NOW, tick=False):
        ground.day(north.agent, TODAY, 50, well=(95, 100))
        found = progress(north.agent, TODAY)
        assert found.words == "Satisfaction: 95 %" and found.target is None and what_if(found, 3) is None
        assert found.amount == Decimal("60.00")


# -- statements ----------------------------------------------------------------------------------------------------------


def by_hand(closed: int, closure: tuple[int, int], leave: int, wage: Decimal) -> Decimal:
    """A day of the plan below, worked out without any of the calculators: in whole contacts and minutes."""
    minutes = 480 - leave
    if closed * 480 * 10 >= 100 * minutes * 12:
        share = Fraction(1, 2)
    elif closed * 480 * 10 >= 100 * minutes * 11:
        share = Fraction(1, 5)
    else:
        return Decimal(0)
    if closure[0] * 10 < closure[1] * 9:
        share /= 2
    exact = Fraction(wage) * minutes / 480 * share
    return (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_the_sum_of_a_statement_is_that_of_the_rounded_lines_worked_out_by_hand(hub, north):
    wage = Decimal("233.37")
    with time_machine.travel(NOW, tick=False):
        ground.target(hub.team)
        ground.wage(north.agent, wage)
        plan = ground.plan(hub.team, hub.payroll, gates=[FACTOR])
        wanted = {}
        for day in range(1, 32):
            closed, good, leave = 84 + day * 17 % 60, 85 + day * 7 % 15, (0, 37, 240)[day % 3]
            ground.day(north.agent, day, closed, satisfied=99, rated=100, well=(good, 100))
            if leave:
                ground.recorded(north.agent, day, "leave", leave, hub.payroll)
            wanted[date(2026, 3, day)] = by_hand(closed, (good, 100), leave, wage)
        runs.calculate(plan.pk, MARCH)
        found = statement(north.agent, MARCH, Entry.objects.all(), Attainment.objects.all())
    assert (
        len({amount for amount in wanted.values() if amount}) > 6
    )  # many different amounts, halves of cents among them
    assert {row.begins: row.amount for row in found.rows} == wanted
    assert found.sums == {"CNY": sum(wanted.values())}


def test_a_statement_takes_two_queries_and_a_page_three(plan, north, django_assert_num_queries):
    for day in (2, 3, 4):
        ground.day(north.agent, day, 121)
    runs.calculate(plan.pk, MARCH)
    with django_assert_num_queries(2):
        statement(north.agent, MARCH, Entry.objects.all(), Attainment.objects.all())
    with django_assert_num_queries(3):
        page = month_page(north.agent, MARCH, Entry.objects.all(), Attainment.objects.all())
    assert page.plans == ("Bonus, version 1",) and len(page.rows) == 3


def test_a_difference_for_an_earlier_month_leads_to_its_line(plan, north):
    ground.day(north.agent, 2, 118)
    ground.day(north.agent, 3, 118)
    runs.calculate(plan.pk, MARCH)
    plan.runs.update(stage="locked")
    north.agent.days.filter(day=date(2026, 3, 2)).update(closed=120, closed_simple=120)
    runs.calculate(plan.pk, MARCH)
    april = month_of(date(2026, 4, 1))
    (row,) = statement(north.agent, april, Entry.objects.all(), Attainment.objects.all()).rows
    assert row.corrects and row.attainment == Attainment.objects.get(begins=date(2026, 3, 2))
    assert (row.amount, row.reached) == (Decimal(90), 2)


def test_every_state_of_a_line_is_proved(plan, north):
    ground.day(north.agent, 2, 118)
    runs.calculate(plan.pk, MARCH)
    for closed in (120, 95):
        north.agent.days.update(closed=closed, closed_simple=closed)
        runs.calculate(plan.pk, MARCH)
    found = detail(Attainment.objects.get(), Entry.objects.all())
    assert [state.line.amount for state in found.states] == [Decimal("60.00"), Decimal("150.00"), Decimal("0.00")]
    assert all(state.is_proved for state in found.states) and found.amount == 0


def test_without_money_no_step_names_an_amount(hub, north):
    with time_machine.travel(NOW, tick=False):
        ground.target(hub.team)
        plan = ground.plan(
            hub.team, hub.payroll, kind="marginal", tiers=[{"from": "1", "to": None, "pays": "7.77"}], gates=[]
        )
        ground.day(north.agent, 2, 110)
        runs.calculate(plan.pk, MARCH)
    line = Attainment.objects.get()
    with_money = detail(line, Entry.objects.all())
    assert any("77.7" in words for step in with_money.newest.steps for words in step.words)
    without = detail(line, Entry.objects.none(), with_money=False)
    assert [step.name for step in without.newest.steps] == ["Counted", "Target", "Attainment", "Tier"]


def test_amounts_are_written_with_two_places_at_least():
    assert [money(Decimal(each)) for each in ("60.0000", "1631.25", "-0.1250", "0", "1000000")] == [
        "60.00", "1,631.25", "-0.125", "0.00", "1,000,000.00",
    ]  # fmt: skip


# -- the evening letter --------------------------------------------------------------------------------------------------


def evening(day: date) -> None:
    night.tell_evening(JobRun(job=night.EVENING, subject="UTC", period=day.isoformat()))


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        ("en", ("115 done, 15 over target", "So far it earns 60.00 CNY on top.", "5 more and it is 150.00 CNY")),
        ("zh-hans", ("已完成 115，超出目标 15", "目前额外挣得 60.00 CNY", "再完成 5 个可得 150.00 CNY")),
    ],
)
def test_the_letter_of_the_evening_says_the_day_in_the_language_of_whoever_gets_it(
    plan, north, mailoutbox, language, wanted
):
    person = north.agent.user
    person.email, person.language = "agent@north.test", language
    person.save()
    ground.day(north.agent, TODAY, 115)
    ground.day(north.agents[1], TODAY, 0, contacts=0)
    evening(TODAY)
    evening(TODAY)
    assert Notice.objects.get(kind="day_line").recipient == person
    outbox.deliver_due(NOW + timedelta(minutes=1))
    NoticeDelivery.objects.get()
    (letter,) = mailoutbox
    for words in wanted:
        assert words in f"{letter.subject}\n{letter.body}"
    assert f"/me/incentives/?day={TODAY.isoformat()}" in letter.body


def test_no_letter_where_no_plan_holds_any_more(plan, north):
    ground.day(north.agent, TODAY, 115)
    evening(TODAY)
    notice = Notice.objects.get()
    plan.versions.update(state="withdrawn")
    assert letters.day_line(notice) is None
    north.agent.user = None
    north.agent.save()
    assert letters.day_line(notice) is None


def test_without_a_wage_the_letter_names_no_amount(plan, north):
    north.agent.compensations.update(currency="EUR")
    ground.day(north.agent, TODAY, 115)
    evening(TODAY)
    letter = letters.day_line(Notice.objects.get())
    assert "115 done" in letter.subject and "CNY" not in letter.text


def test_a_letter_costs_few_queries(plan, north):
    ground.day(north.agent, TODAY, 115)
    evening(TODAY)
    notice = Notice.objects.select_related("recipient").get()
    with CaptureQueriesContext(connection) as found:
        letters.day_line(notice)
    assert len(found) <= 6
