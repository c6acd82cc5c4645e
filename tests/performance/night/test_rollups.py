"""Rollups say what the facts say: once, whatever the order, in every zone."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from math import ceil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from performance import rollups
from performance.models import AgentDay, Contact, ImportRun, IntervalFact, QueueHalfHour, Source, TeamDay
from performance.services import night
from teams import jobs
from teams.clock import day_start, local_day
from teams.models import JobRun
from tests import make
from tests.performance.night.facts import DAY, at, contact, partitions

pytestmark = pytest.mark.usefixtures("partitions")
MEASURES = rollups.MEASURES


def rows(model) -> list[tuple]:
    names = [field.attname for field in model._meta.concrete_fields if field.name != "id"]
    return sorted(model.objects.values_list(*names), key=repr)


def everything() -> list[list[tuple]]:
    return [rows(model) for model in (AgentDay, TeamDay, QueueHalfHour)]


def test_every_measure_equals_a_count_in_plain_python(north):
    agent, other = north.agents
    for n in range(12):
        contact(
            agent if n % 3 else other,
            minute=600 + n,
            complexity="complex" if n % 4 == 0 else "simple",
            handle_seconds=None if n == 5 else 100 + 37 * n,
            handle_method="gap" if n == 6 else "measured",
            is_resolved=[None, True, False][n % 3],
            rating=[None, "1.0", "0.75", "0.5"][n % 4],
            first_reply_seconds=None if n % 2 else 10 + n,
            reopen_count=n % 2,
            transfer_count=n // 6,
            **({"ended_at": None} if n == 7 else {}),
        )
    contact(agent, is_excluded=True)
    contact(agent, is_bot_only=True)
    contact(agent, is_answered=False, is_abandoned=True)
    contact(None, team=north.team)
    rollups.roll_up(DAY)
    expected = recomputed(Contact.objects.all())
    held = {(row.agent_id, row.day): row for row in AgentDay.objects.all()}
    assert held.keys() == expected.keys()
    for key, measures in expected.items():
        assert {name: getattr(held[key], name) for name in MEASURES} == measures
    team = TeamDay.objects.get()
    assert (team.agents, team.contacts, team.closed) == (2, 12, 11)
    assert team.handle_p90_seconds == p90([100 + 37 * n for n in range(12) if n != 5])


def p90(values: list[int]) -> int | None:
    return sorted(values)[ceil(0.9 * len(values)) - 1] if values else None


def recomputed(contacts) -> dict[tuple[int, date], dict]:
    """The definition of each measure in plain Python, independent of the SQL."""
    groups = defaultdict(list)
    for row in contacts:
        if row.agent_id and row.team_id and row.is_answered and not row.is_excluded and not row.is_bot_only:
            groups[row.agent_id, row.day].append(row)
    found = {}
    for key, many in groups.items():
        ended = [row for row in many if row.ended_at]
        timed = [row for row in many if row.handle_seconds is not None]
        simple = [row for row in timed if row.complexity == "simple"]
        hard = [row for row in timed if row.complexity == "complex"]
        rated = [row for row in many if row.rating is not None]
        replied = [row.first_reply_seconds for row in many if row.first_reply_seconds is not None]
        found[key] = {
            "contacts": len(many),
            "closed": len(ended),
            "closed_simple": sum(row.complexity == "simple" for row in ended),
            "closed_complex": sum(row.complexity == "complex" for row in ended),
            "judged": sum(row.is_resolved is not None for row in many),
            "resolved": sum(row.is_resolved is True for row in many),
            "rated": len(rated),
            "satisfied": sum(row.rating * 4 >= 3 for row in rated),
            "rating_sum": sum(row.rating for row in rated),
            "timed": len(timed),
            "timed_estimated": sum(row.handle_method == "gap" for row in timed),
            "handle_seconds": sum(row.handle_seconds for row in timed),
            "timed_simple": len(simple),
            "handle_seconds_simple": sum(row.handle_seconds for row in simple),
            "timed_complex": len(hard),
            "handle_seconds_complex": sum(row.handle_seconds for row in hard),
            "handle_p90_seconds": p90([row.handle_seconds for row in timed]),
            "replied_first": len(replied),
            "first_reply_seconds": sum(replied),
            "reopened": sum(row.reopen_count > 0 for row in ended),
            "transferred": sum(row.transfer_count > 0 for row in many),
        }
    return found


def test_the_same_rows_whatever_the_order_and_however_often(north, south):
    abroad = make.agent(north.team, "Abroad", zone="Asia/Kathmandu")
    queue = make.queue(north.team, zone="Asia/Kathmandu")
    for n in range(6):
        contact(north.agent, minute=500 + n)
        contact(abroad, minute=500 + n, queue=queue)
        contact(south.agent, minute=500 + n, queue=queue)
    first = rollups.roll_up(DAY, "UTC") | rollups.roll_up(DAY, "Asia/Kathmandu")
    assert {each.team_pk for each in first} == {north.team.pk, south.team.pk}
    once = everything()
    assert rollups.roll_up(DAY, "UTC") == rollups.roll_up(DAY, "Asia/Kathmandu") == rollups.roll_up(DAY) == set()
    assert everything() == once
    for model in (AgentDay, TeamDay, QueueHalfHour):
        model.objects.all().delete()
    rollups.roll_up(DAY, "Asia/Kathmandu")
    assert TeamDay.objects.get(team=north.team).contacts == 12  # a team with people in two zones is rebuilt whole
    rollups.roll_up(DAY, "UTC")
    assert everything() == once


def test_what_vanishes_from_the_facts_vanishes_from_the_rollups(north):
    row = contact(north.agent, queue=make.queue(north.team))
    rollups.roll_up(DAY)
    assert [len(each) for each in everything()] == [1, 1, 1]
    Contact.objects.filter(pk=row.pk).delete()
    assert {each.team_pk for each in rollups.roll_up(DAY, "UTC")} == {north.team.pk}
    assert everything() == [[], [], []]


def test_half_hours_lie_in_the_zone_of_the_queue_and_the_source_s_own_count_wins(north):
    queue = make.queue(north.team, zone="Asia/Kathmandu", answer_within_seconds=20)
    contact(north.agent, opened_at=at("2026-03-10T04:20"), queue=queue, wait_seconds=20)  # 10:05 there
    contact(north.agent, opened_at=at("2026-03-10T04:44:59"), queue=queue, wait_seconds=21)  # 10:29:59
    contact(None, team=north.team, opened_at=at("2026-03-10T04:45"), queue=queue, is_answered=False, is_abandoned=True)
    rollups.roll_up(DAY, "UTC")
    assert not QueueHalfHour.objects.exists()  # the queue's zone has a run of its own
    rollups.roll_up(DAY, "Asia/Kathmandu")
    counts = {row.started_at: row for row in QueueHalfHour.objects.all()}
    early, late = counts[at("2026-03-10T04:15")], counts[at("2026-03-10T04:45")]
    assert (early.offered, early.answered, early.answered_in_time, early.wait_seconds) == (2, 2, 1, 41)
    assert (late.offered, late.answered, late.abandoned, late.is_reported) == (1, 0, 1, False)
    source = Source.objects.get()
    IntervalFact.objects.create(
        source=source, run=ImportRun.objects.get(), queue_external="q", queue=queue,
        started_at=at("2026-03-10T04:45"), offered=9, answered=7, handle_seconds=100,
    )  # fmt: skip
    rollups.roll_up(DAY, "Asia/Kathmandu")
    late = QueueHalfHour.objects.get(started_at=at("2026-03-10T04:45"))
    assert (late.offered, late.answered, late.abandoned, late.handle_seconds, late.is_reported) == (9, 7, 2, 700, True)


def test_a_half_hour_of_another_day_and_zone_than_its_contact_is_rolled_up_by_the_run_of_its_own(north):
    queue = make.queue(north.team, zone="Asia/Kathmandu")
    abroad = make.agent(north.team, zone="America/New_York")
    late = contact(abroad, DAY, opened_at=at("2026-03-10T20:00"), ended_at=at("2026-03-11T01:00"), queue=queue)
    open_long = contact(
        north.agent, DAY, opened_at=at("2026-03-02T08:00"), ended_at=at("2026-03-10T08:00"), queue=queue
    )
    night_time = at("2026-03-11T12:00")
    jobs.scan(night_time)
    jobs.work_due(night_time)
    held = set(QueueHalfHour.objects.values_list("day", "started_at", "offered"))
    assert held == {
        (date(2026, 3, 11), at("2026-03-10T19:45"), 1),
        (date(2026, 3, 2), at("2026-03-02T07:45"), 1),
    }
    assert set(AgentDay.objects.values_list("zone", "day")) == {("America/New_York", DAY), ("UTC", DAY)}
    assert not rollups.roll_up(late.day) and not rollups.roll_up(local_day(open_long.opened_at, queue.zone))


def test_contacts_of_a_queue_that_moved_to_another_zone_are_counted_once(north):
    queue = make.queue(north.team, zone="UTC")
    contact(north.agent, opened_at=at("2026-03-10T20:00"), queue=queue)
    rollups.roll_up(DAY)
    queue.zone = "Asia/Kathmandu"
    queue.save()
    assert rollups.roll_up(DAY + timedelta(days=1), "Asia/Kathmandu")
    assert QueueHalfHour.objects.filter(day=DAY + timedelta(days=1)).count() == 1
    rollups.roll_up(DAY)
    assert sum(QueueHalfHour.objects.values_list("offered", flat=True)) == 1


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Kathmandu", date(2026, 3, 10), 24),
        ("Pacific/Apia", date(2011, 12, 29), 24),
        ("Pacific/Apia", date(2011, 12, 31), 24),
    ],
)
def test_a_day_of_any_length_is_due_once_and_holds_each_contact_once(north, zone, day, hours):
    partitions(day - timedelta(days=3), day + timedelta(days=3))
    agent = make.agent(north.team, zone=zone)
    queue = make.queue(north.team, zone=zone)
    start, end = day_start(day, zone), day_start(day, zone) + timedelta(hours=hours)
    moment, number = start, 0
    while moment < end:
        assert local_day(moment, zone) == day
        contact(agent, day, opened_at=moment, queue=queue)
        moment, number = moment + timedelta(minutes=30), number + 1
    assert local_day(end, zone) != day
    night_time = end + timedelta(hours=2)
    jobs.scan(night_time - timedelta(minutes=1))
    assert not JobRun.objects.filter(job=night.ROLL_UP).exists()
    for minutes in (0, 1, 60, 60 * 24):
        jobs.scan(night_time + timedelta(minutes=minutes))
    run = JobRun.objects.get(job=night.ROLL_UP)
    assert (run.subject, run.period, run.due_at) == (zone, day.isoformat(), night_time)
    jobs.work_due(night_time + timedelta(minutes=1))
    assert AgentDay.objects.get().contacts == number
    assert QueueHalfHour.objects.filter(day=day).count() == number
    assert set(QueueHalfHour.objects.values_list("offered", flat=True)) == {1}


def test_the_day_that_apia_skipped_is_nobody_s(north):
    assert day_start(date(2011, 12, 30), "Pacific/Apia") == day_start(date(2011, 12, 31), "Pacific/Apia")


def test_a_shift_over_midnight_belongs_to_the_day_it_began(north):
    """T81: intake gives the contact the day of the shift; the rollup keeps it there, once."""
    contact(north.agent, DAY, opened_at=at("2026-03-11T02:00"))
    rollups.roll_up(DAY)
    rollups.roll_up(DAY + timedelta(days=1))
    assert list(AgentDay.objects.values_list("day", "contacts")) == [(DAY, 1)]


def test_today_is_rolled_up_at_most_every_five_minutes_and_leaves_one_row_in_the_ledger(north):
    noon = datetime(2026, 3, 10, 12, tzinfo=at("2026-03-10").tzinfo)
    for minute in range(30):
        contact(north.agent, minute=600 + minute)
        jobs.scan(noon + timedelta(minutes=minute))
        jobs.work_due(noon + timedelta(minutes=minute))
    assert AgentDay.objects.get().contacts == 26  # of the last run, at 12:25
    runs = JobRun.objects.filter(job=night.TODAY)
    assert (runs.count(), runs.get().revision) == (1, 6)
    assert not JobRun.objects.filter(job=night.REPORT).exists()


def test_late_facts_make_a_revision(north):
    contact(north.agent)
    later = at("2026-03-11T03:00")
    jobs.scan(later)
    jobs.work_due(later)
    contact(north.agent, minute=700)
    jobs.scan(later)
    jobs.work_due(later)
    assert list(
        JobRun.objects.filter(job=night.ROLL_UP).order_by("revision").values_list("revision", "state", "input_hash")
    ) == [(1, "done", "1"), (2, "done", "2")]
    assert AgentDay.objects.get().contacts == 2


ZONES = ("UTC", "Australia/Lord_Howe", "Asia/Kathmandu", "America/New_York")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    facts=st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 60 * 24 * 6), st.integers(0, 2000), st.booleans()), max_size=25
    ),
    order=st.permutations(range(7)),
)
def test_each_counted_fact_is_in_exactly_one_agent_day(north, facts, order):
    Contact.objects.all().delete()
    people = [make.agent(north.team, zone=zone) for zone in ZONES]
    for who, minute, seconds, counted in facts:
        opened = at("2026-10-01") + timedelta(minutes=minute)
        zone = people[who].zone
        day = local_day(opened, zone)
        contact(people[who], day, opened_at=opened, ended_at=opened, handle_seconds=seconds, is_excluded=not counted)
    days = [date(2026, 9, 30) + timedelta(days=n) for n in range(8)]
    for place in order:
        for zone in ZONES:
            rollups.roll_up(days[place], zone)
    rollups.roll_up(days[7])
    counted = [fact for fact in facts if fact[3]]
    held = AgentDay.objects.filter(agent__in=people)
    assert sum(held.values_list("contacts", flat=True)) == len(counted)
    assert sum(held.values_list("handle_seconds", flat=True)) == sum(fact[2] for fact in counted)
    by_agent = defaultdict(int)
    for agent, contacts in held.values_list("agent", "contacts"):
        by_agent[agent] += contacts
    assert by_agent == {
        person.pk: number for n, person in enumerate(people) if (number := sum(fact[0] == n for fact in counted))
    }
    team_days = TeamDay.objects.filter(team=north.team, day__in=days)
    assert sum(team_days.values_list("handle_seconds", flat=True)) == sum(fact[2] for fact in counted)
