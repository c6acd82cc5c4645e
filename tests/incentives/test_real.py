"""Two months of real calls: who is paid what by plans on calls answered, resolved and rated, recomputed from the contacts."""

from collections import defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor

import pytest
from django.db import connection

from incentives.models import Attainment, Entry, Run
from incentives.plain.periods import month_of
from incentives.reports.statements import statement
from incentives.services import runs
from incentives.services.plans import checked
from performance import rollups
from performance.models import DayTouch
from tests import make
from tests.incentives import ground
from tests.incentives.plans import gate, terms
from tests.performance.intake import build
from tests.performance.intake.test_real import data, take

pytestmark = [pytest.mark.shared, pytest.mark.django_db]
NAMES = ("Becky", "Dan", "Diane", "Greg", "Jim", "Joe", "Martha", "Stewart")
NOW = datetime(2021, 4, 20, tzinfo=UTC)
SINCE = date(2021, 1, 1)
MONTHS = (month_of(SINCE), month_of(date(2021, 2, 1)))
CALLS, RESOLVED, LIKED = 6, Fraction(9, 10), Fraction(1, 2)  # of a day
WAGE = Fraction(300)
STEPS = ((Fraction("1.1"), Fraction("0.2")), (Fraction("1.2"), Fraction("0.5")))
COUNTED = """
SELECT agent_id, (ended_at AT TIME ZONE 'UTC')::date, count(*), count(*) FILTER (WHERE is_resolved),
       count(is_resolved), count(*) FILTER (WHERE rating >= 0.75), count(rating)
FROM performance_contact WHERE is_answered AND ended_at IS NOT NULL GROUP BY 1, 2
"""


@pytest.fixture
def agents(north):
    """The eight of the data, their calls through the CSV door, every day rolled up."""
    path = data("phonenow_calls/calls_2021_01_02.csv.gz")
    source = make.source(north.team, "phonenow")
    people = [make.agent(north.team, name) for name in NAMES]
    for agent in people:
        build.name(source, agent.name, agent)
        ground.wage(agent)
    take(source, "phonenow_calls", path)
    for metric, value in (("volume", CALLS), ("closure", "0.9"), ("satisfaction", "0.5")):
        ground.target(north.team, metric=metric, value=value)
    for touch in DayTouch.objects.order_by("day"):
        rollups.roll_up(touch.day, touch.zone)
    return people


def counted() -> dict[tuple[int, date], tuple[int, ...]]:
    """Calls answered, resolved of judged, liked of rated, of each agent and day, from the contacts."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTED)
        return {(agent, day): tuple(numbers) for agent, day, *numbers in cursor.fetchall()}


def rate(attained: Fraction) -> Fraction:
    return max((pays for edge, pays in STEPS if attained >= edge), default=Fraction(0))


def cents(amount: Fraction) -> Decimal:
    return Decimal(floor(amount * 100 + Fraction(1, 2))) / 100


def by_gates(calls: int, resolved: int, judged: int, liked: int, rated: int) -> Decimal:
    is_met = (judged < 1 or resolved * 10 >= judged * 8) and (rated < 1 or liked * 2 >= rated)
    return cents(WAGE * rate(Fraction(calls, CALLS))) if is_met else Decimal(0)


def by_weights(calls: int, resolved: int, judged: int, liked: int, rated: int) -> Decimal:
    closure = Fraction(resolved, judged) if judged else Fraction(0)
    satisfaction = Fraction(liked, rated) if rated else Fraction(0)
    attained = Fraction(calls, CALLS) / 2 + closure / RESOLVED * 3 / 10 + satisfaction / LIKED / 5
    return cents(WAGE * rate(attained))


GATES = [
    gate("closure", at_least="0.8", smallest=1, fallback="waive"),
    gate("satisfaction", at_least="0.5", smallest=1, fallback="waive"),
]
WEIGHTS = [
    {"metric": "volume", "weight": "0.5", "is_ratio": False},
    {"metric": "closure", "weight": "0.3", "is_ratio": True},
    {"metric": "satisfaction", "weight": "0.2", "is_ratio": True},
]
PLANS = {"gates": ({"gates": GATES}, by_gates), "weights": ({"gates": [], "measures": WEIGHTS}, by_weights)}


@pytest.mark.parametrize("plan", sorted(PLANS))
def test_statements_add_up_to_what_the_contacts_say(agents, north, hub, plan):
    declared, pays = PLANS[plan]
    made = ground.plan(north.team, hub.payroll, since=SINCE, **declared)
    facts = counted()
    assert sum(numbers[0] for numbers in facts.values()) == 2753  # of 3,388 calls those that were answered
    expected: dict[tuple[int, date], Decimal] = {line: pays(*numbers) for line, numbers in facts.items()}
    sums: dict[date, Decimal] = defaultdict(Decimal)
    for month in MONTHS:
        run = runs.calculate(made.pk, month, now=NOW)
        assert (run.stage, run.lacking, run.agents) == ("calculated", 0, len(agents))
        for agent in agents:
            own = statement(agent, month, Entry.objects.all(), Attainment.objects.all())
            lines = {row.begins: row.amount for row in own.rows}
            wanted = {day: paid for (who, day), paid in expected.items() if who == agent.pk and day in month}
            assert lines == wanted, agent
            assert own.sums.get("CNY", Decimal(0)) == sum(wanted.values())
            sums[month.first] += sum(wanted.values())
    assert {run.month: Decimal(run.sums["CNY"]) for run in Run.objects.all()} == dict(sums)
    reached = [paid for (_agent, day), paid in expected.items() if day < date(2021, 3, 1)]
    assert {Decimal(0), Decimal(60), Decimal(150)} == set(reached)  # each tier is reached, and missed


def test_the_plans_are_such_as_payroll_may_draft():
    for declared, _pays in PLANS.values():
        measures = declared.get("measures", [{"metric": "volume", "weight": "1", "is_ratio": False}])
        read = checked(terms(**{**declared, "measures": measures}), SINCE)
        assert tuple((tier.start, tier.pays) for tier in read.tiers) == STEPS
