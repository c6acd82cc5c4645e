"""Runs: the worked examples through the database, what late facts leave, and who is paid by which plan."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from incentives import cases
from incentives.models import Attainment, Entry, KeptFacts, Run
from incentives.plain import reference
from incentives.plain.periods import month_of
from incentives.services import runs
from tests.incentives import ground

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
MARCH, APRIL = month_of(date(2026, 3, 1)), month_of(date(2026, 4, 1))


def run(plan, month=MARCH, **more):
    return runs.calculate(plan.pk, month, now=more.pop("now", NOW), **more)


def paid(agent=None, **more) -> list[str]:
    rows = Entry.objects.filter(**({"agent": agent} if agent else {}), **more).order_by("begins", "pk")
    return [f"{amount:.2f}" for amount in rows.values_list("amount", flat=True)]


@pytest.fixture
def march(north, hub):
    ground.target(hub.team)
    ground.wage(north.agent)
    return ground.plan(hub.team, hub.payroll)


def test_the_days_of_the_brief_pay_by_their_tiers(march, north):
    for day, closed in enumerate((95, 112, 121, 90, 110), 1):
        ground.day(north.agent, day, closed)
    run(march)
    assert paid(north.agent) == ["60.00", "150.00", "60.00"]  # what pays nothing is no entry
    assert [row.reached for row in Attainment.objects.order_by("begins")] == [0, 1, 2, 0, 1]
    made = Run.objects.get()
    assert (made.stage, made.lines, made.agents, made.sums) == ("calculated", 5, 1, {"CNY": "270"})


@pytest.mark.parametrize(
    ("closed", "records", "wanted"),
    [
        (109, [], []),
        (110, [], ["60.00"]),
        (119, [], ["60.00"]),
        (120, [], ["150.00"]),
        (135, [], ["150.00"]),
        (58, [("leave", 240)], ["30.00"]),
        (84, [("training", 120)], ["60.00"]),
        (84, [("coaching", 60), ("outage", 60)], ["60.00"]),
        (110, [("overtime", 120)], []),
        (150, [("overtime", 120)], ["150.00"]),
        (66, [("ramp", "0.6")], ["60.00"]),
        (50, [("leave", 480)], []),  # nothing was asked: not eligible
    ],
)
def test_worked_examples_with_recorded_minutes(march, north, hub, closed, records, wanted):
    ground.day(north.agent, 2, closed)
    for what, amount in records:
        ground.recorded(north.agent, 2, what, amount, hub.payroll)
    run(march)
    assert paid(north.agent) == wanted


@pytest.mark.parametrize(("good", "wanted"), [(449, []), (450, ["150.00"])])
def test_a_gate_is_compared_exactly(march, north, good, wanted):
    ground.day(north.agent, 2, 120, satisfied=good, rated=499, well=(95, 100))
    run(march)
    assert paid(north.agent) == wanted
    facts = Attainment.objects.get().facts
    assert facts["gates"]["satisfaction"] == {"own": [good, 499]}


def test_a_small_sample_goes_by_28_days(march, north):
    ground.day(north.agent, date(2026, 2, 20), 50, satisfied=90, rated=97)
    ground.day(north.agent, 2, 112, satisfied=2, rated=3)
    run(march)
    assert paid(north.agent) == ["60.00"]
    assert Attainment.objects.get().facts["gates"]["satisfaction"] == {"own": [2, 3], "rolling": [92, 100]}


def test_merged_and_reopened_contacts_are_left_out(march, north):
    ground.day(north.agent, 2, 124, reopened=5)
    run(march)
    assert paid(north.agent) == ["60.00"]
    assert Attainment.objects.get().facts["excluded"] == {"reopened": "5"}


def test_a_monthly_wage_by_the_days_of_the_statute(march, north, south):
    ground.wage(north.agents[1], "6525", basis="monthly")
    ground.day(north.agents[1], 3, 120)
    run(march)
    assert paid(north.agents[1]) == ["150.00"]
    assert Entry.objects.get().wages == ["300"]


def test_half_a_cent_is_rounded_once(march, north):
    ground.wage(north.agents[1], "200.25")
    ground.day(north.agents[1], 3, 120)
    run(march)
    assert paid(north.agents[1]) == ["100.13"]


def test_again_changes_nothing(march, north):
    ground.day(north.agent, 2, 112)
    first = run(march)
    before = (list(Entry.objects.values()), list(Attainment.objects.values()), Run.history.count())
    again = run(march)
    assert (list(Entry.objects.values()), list(Attainment.objects.values()), Run.history.count()) == before
    assert again.input_hash == first.input_hash != ""


def test_late_facts_of_an_open_month_are_differences_within_it(march, north):
    row = ground.day(north.agent, 2, 118)
    run(march)
    row.closed_simple = row.closed = 120
    row.save()
    run(march)
    entries = list(Entry.objects.order_by("pk").values_list("kind", "cause", "amount", "month"))
    assert entries == [
        ("line", "line", Decimal("60"), MARCH.first),
        ("delta", "late:2", Decimal("90"), MARCH.first),
    ]
    assert KeptFacts.objects.get().facts["volumes"] == ["118"]
    row.closed_simple = row.closed = 118
    row.save()
    run(march)
    assert paid() == ["60.00", "90.00", "-90.00"]


def test_late_facts_of_a_locked_month_go_into_the_next_open_one_and_the_line_stays(march, north):
    row = ground.day(north.agent, 2, 118)
    run(march)
    Run.objects.update(stage="locked")
    row.closed_simple = row.closed = 120
    row.save()
    run(march)
    run(march)
    first, delta = Entry.objects.order_by("pk")
    assert (first.amount, first.month) == (Decimal("60"), MARCH.first)
    assert (delta.kind, delta.amount, delta.month, delta.begins) == (
        "delta",
        Decimal("90"),
        APRIL.first,
        date(2026, 3, 2),
    )
    assert Run.objects.get(month=APRIL.first).sums == {"CNY": "90"}
    assert Run.objects.get(month=MARCH.first).sums == {"CNY": "60"}


def test_a_line_that_is_no_more_is_taken_back(march, north):
    row = ground.day(north.agent, 2, 118)
    run(march)
    row.delete()
    run(march)
    assert paid() == ["60.00", "-60.00"]
    assert not Attainment.objects.exists()


def test_what_is_found_new_in_an_approved_run_is_looked_at_anew(march, north):
    ground.day(north.agent, 2, 118)
    run(march)
    Run.objects.update(stage="approved")
    run(march)
    assert Run.objects.get().stage == "approved"
    ground.day(north.agent, 3, 118)
    run(march)
    assert Run.objects.get().stage == "calculated"


def test_a_day_that_is_not_over_where_the_agent_is_waits(march, north):
    ground.day(north.agent, 2, 118)
    run(march, now=datetime(2026, 3, 2, 23, 59, tzinfo=UTC))
    assert not Entry.objects.exists() and not Attainment.objects.exists()
    run(march, now=datetime(2026, 3, 3, 0, 1, tzinfo=UTC))
    assert paid() == ["60.00"]


def test_the_nearest_plan_holds_and_a_role_beats_everybody(march, north, south, hub):
    for agent in (*north.agents, *south.agents):
        if agent != north.agent:
            ground.wage(agent)
        ground.day(agent, 2, 120)
    own = ground.plan(north.team, hub.payroll, name="North")
    ground.plan(hub.team, hub.payroll, name="Mentors", roles=["mentor"])
    south.agents[0].role = "mentor"
    south.agents[0].save()
    for each in (march, own):
        run(each)
    by_plan = {entry.agent_id: entry.plan.name for entry in Entry.objects.select_related("plan")}
    assert by_plan == {
        north.agents[0].pk: "North", north.agents[1].pk: "North", south.agents[1].pk: "Bonus",
    }  # fmt: skip


def test_a_line_without_a_wage_waits_for_it(march, north):
    ground.day(north.agents[1], 2, 120)
    assert run(march).lacking == 1
    assert not Entry.objects.exists()
    ground.wage(north.agents[1], currency="EUR")
    assert run(march).lacking == 1
    assert Attainment.objects.get().lack == "other_currency"
    north.agents[1].compensations.update(currency="CNY")
    assert run(march).lacking == 0
    assert paid() == ["150.00"]


@pytest.mark.parametrize(("period", "wanted"), [("week", []), ("month", [])])
def test_weeks_and_months_measure_the_whole(north, hub, period, wanted):
    """105.6 % over the week: nothing, though two of its days by themselves would pay."""
    ground.target(hub.team)
    ground.wage(north.agent)
    plan = ground.plan(hub.team, hub.payroll, period=period)
    for day, closed in enumerate((95, 112, 121, 90, 110), 2):
        ground.day(north.agent, day, closed)
    run(plan)
    assert paid() == wanted
    line = Attainment.objects.get(begins__lte=date(2026, 3, 2), ends__gte=date(2026, 3, 6))
    assert line.attained == Decimal("1.056") and len(line.facts["days"]) == 5


def test_a_week_pays_a_share_of_all_its_days(north, hub):
    ground.target(hub.team)
    ground.wage(north.agent)
    plan = ground.plan(hub.team, hub.payroll, period="week")
    for day in range(2, 7):
        ground.day(north.agent, day, 50 if day == 3 else 112)
    ground.recorded(north.agent, 3, "leave", 240, hub.payroll)
    run(plan)
    assert paid() == ["270.00"]  # 20 % of four days and a half
    assert Entry.objects.get().wages == ["300"] * 5


def test_money_is_only_added(march, north):
    ground.day(north.agent, 2, 120)
    run(march)
    for statement in ("UPDATE incentives_entry SET amount = 1", "DELETE FROM incentives_entry"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert paid() == ["150.00"]


def test_a_mismatch_of_the_calculators_stops_the_run(march, north, monkeypatch):
    ground.day(north.agent, 2, 120)
    monkeypatch.setattr(reference, "amount", lambda *_given: (Decimal(0), Decimal(0)))
    with pytest.raises(cases.Mismatch):
        run(march)
    assert not Entry.objects.exists() and not Attainment.objects.exists()
