"""Names nobody has mapped: shown, mapped, ignored, undone; facts counted once."""

from datetime import date

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from performance.models import AgentAlias, Contact, DayTouch, Leg, QueueAlias, StateInterval
from performance.services import tray
from teams.errors import OutOfReach, Refused
from tests import make
from tests.performance.intake.build import contact, lines, name, source, take

pytestmark = pytest.mark.django_db
ROWS = (
    "1,2026-01-02 23:30,,ann,sales,60,Y,4",
    "2,2026-01-03 12:00,,ann,help,60,Y,4",
    "3,2026-01-03 12:00,,bob,sales,60,Y,4",
    "4,2026-01-03 12:00,,,sales,,N,",
)


@pytest.fixture
def here(tmp_path, north):
    made = source(north.team)
    take(tmp_path, made, lines(*ROWS))
    return made


def seen(user, kind):
    return [(w.external, w.facts, w.first_day, w.last_day, w.is_ignored) for w in tray.waiting(user, kind)]


def test_the_tray_tells_what_waits_and_only_to_those_who_manage_the_source(here, north, south, hub):
    assert seen(north.lead, tray.AGENT) == [
        ("ann", 2, date(2026, 1, 2), date(2026, 1, 3), False),
        ("bob", 1, date(2026, 1, 3), date(2026, 1, 3), False),
    ]
    assert seen(north.lead, tray.QUEUE)[0] == ("sales", 3, date(2026, 1, 2), date(2026, 1, 3), False)
    assert seen(hub.lead, tray.AGENT) == seen(north.lead, tray.AGENT)
    assert seen(south.lead, tray.AGENT) == seen(north.agent.user, tray.AGENT) == []


def test_mapping_an_agent_places_what_waited_once(here, north, tmp_path):
    agent = make.agent(north.team, zone="Asia/Shanghai")
    assert tray.map_agent(here.pk, "ann", agent.pk, by=north.lead) == 2
    one = contact("1")
    assert (one.agent, one.team, one.zone, one.day) == (agent, north.team, "Asia/Shanghai", date(2026, 1, 3))
    assert Contact.objects.count() == 4 and Contact.objects.filter(agent=agent).count() == 2
    assert [w.external for w in tray.waiting(north.lead, tray.AGENT)] == ["bob"]
    touched = {(t.zone, t.day): t.version for t in DayTouch.objects.all()}
    assert touched[("UTC", date(2026, 1, 2))] == 2 and touched[("Asia/Shanghai", date(2026, 1, 3))] == 1
    run = take(tmp_path, here, lines("5,2026-01-05 12:00,,ann,sales,60,Y,4"))
    assert run.counts["new_agents"] == 0 and contact("5").agent == agent


def test_undo_puts_the_name_back(here, north):
    tray.map_agent(here.pk, "ann", north.agent.pk, by=north.lead)
    alias = AgentAlias.objects.get(external="ann")
    assert tray.unmap_agent(alias.pk, by=north.lead) == 2
    assert contact("1").agent is None and contact("1").team is None
    assert seen(north.lead, tray.AGENT)[0][:2] == ("ann", 2)
    with pytest.raises(Refused):
        tray.unmap_agent(alias.pk, by=north.lead)
    assert alias.history.count() >= 2


def test_a_name_may_pass_from_one_agent_to_another(here, north):
    first, second = north.agents
    tray.map_agent(here.pk, "ann", first.pk, by=north.lead)
    tray.map_agent(here.pk, "ann", second.pk, since=date(2026, 1, 3), by=north.lead)
    assert (contact("1").agent, contact("2").agent) == (first, second)
    spans = {a.agent_id: (a.span.lower, a.span.upper) for a in AgentAlias.objects.filter(external="ann")}
    assert spans == {first.pk: (None, date(2026, 1, 3)), second.pk: (date(2026, 1, 3), None)}
    tray.map_agent(here.pk, "ann", first.pk, since=date(2026, 1, 1), by=north.lead)
    assert AgentAlias.objects.filter(external="ann", agent=second).count() == 1


def test_mapping_from_a_day_leaves_the_days_before_in_the_tray(here, north):
    assert tray.map_agent(here.pk, "ann", north.agent.pk, since=date(2026, 1, 3), by=north.lead) == 2
    assert (contact("1").agent, contact("2").agent) == (None, north.agent)
    assert seen(north.lead, tray.AGENT)[0][:2] in [("ann", 1), ("bob", 1)]


def test_only_people_and_queues_in_reach_can_be_named(here, north, south):
    for call in (
        lambda: tray.map_agent(here.pk, "ann", south.agent.pk, by=north.lead),
        lambda: tray.map_agent(here.pk, "ann", north.agent.pk, by=south.lead),
        lambda: tray.map_agent(here.pk, "nobody", north.agent.pk, by=north.lead),
        lambda: tray.map_agent(here.pk, "ann", "x", by=north.lead),
        lambda: tray.map_agent(here.pk, "ann", north.agent.pk, by=north.agent.user),
        lambda: tray.map_queue(here.pk, "sales", make.queue(south.team).pk, by=north.lead),
        lambda: tray.set_ignored(tray.AGENT, here.pk, "ann", True, by=south.lead),
    ):
        with pytest.raises(OutOfReach):
            call()
    assert not Contact.objects.exclude(agent=None).exists()


def test_mapping_a_queue_gives_team_zone_and_complexity_to_what_waited(here, north, south):
    queue = make.queue(south.team, zone="Asia/Tokyo", complexity="complex")
    tray.set_ignored(tray.QUEUE, here.pk, "help", True, by=north.lead)
    with pytest.raises(OutOfReach):
        tray.map_queue(here.pk, "sales", queue.pk, by=north.lead)
    mine = make.queue(north.team, zone="Asia/Tokyo", complexity="complex")
    assert tray.map_queue(here.pk, "sales", mine.pk, by=north.lead) == 3
    lost = contact("4")
    assert (lost.queue, lost.team, lost.zone, lost.day, lost.complexity) == (
        mine,
        north.team,
        "Asia/Tokyo",
        date(2026, 1, 3),
        "complex",
    )
    assert tray.unmap_queue(QueueAlias.objects.get(external="sales").pk, by=north.lead) == 3
    lost = contact("4")
    assert (lost.queue, lost.team, lost.zone, lost.complexity) == (None, None, "UTC", "simple")


def test_a_complexity_the_source_told_is_kept(tmp_path, north):
    made = source(north.team)
    mapping = {"layout": "contacts", "fields": {"external_id": "id", "opened_at": "o", "queue": "q", "complexity": "c"}}
    take(tmp_path, made, "id,o,q,c\n1,2026-01-02,sales,simple\n2,2026-01-02,sales,\n", mapping)
    tray.map_queue(made.pk, "sales", make.queue(north.team, complexity="complex").pk, by=north.lead)
    assert (contact("1").complexity, contact("2").complexity) == ("simple", "complex")


def test_ignored_names_stay_uncounted_and_can_be_taken_back(here, north):
    tray.set_ignored(tray.AGENT, here.pk, "ann", True, by=north.lead)
    assert seen(north.lead, tray.AGENT)[-1] == ("ann", 2, date(2026, 1, 2), date(2026, 1, 3), True)
    tray.set_ignored(tray.AGENT, here.pk, "ann", False, by=north.lead)
    assert seen(north.lead, tray.AGENT)[0][-1] is False


def test_legs_and_states_wait_and_are_placed_too(tmp_path, north):
    made = source(north.team)
    legs = {"layout": "legs", "fields": {"contact": "c", "agent": "a", "started_at": "s"}}
    states = {"layout": "states", "fields": {"agent": "a", "state": "b", "started_at": "s"}}
    take(tmp_path, made, "c,a,s\n1,ann,2026-01-02 10:00\n", legs)
    take(tmp_path, made, "a,b,s\nann,ready,2026-01-02 10:00\n", states)
    assert seen(north.lead, tray.AGENT)[0][:2] == ("ann", 2)
    assert tray.map_agent(made.pk, "ann", north.agent.pk, by=north.lead) == 2
    assert Leg.objects.get().team == StateInterval.objects.get().team == north.team


def test_the_shifts_day_survives_mapping(tmp_path, north):
    made = source(north.team, zone="Asia/Shanghai")
    mapping = {
        "layout": "contacts",
        "fields": {"external_id": "id", "opened_at": "o", "agent": "a", "shift_started_at": "s"},
    }
    take(tmp_path, made, "id,o,a,s\n1,2026-01-03 05:00,ann,2026-01-02 22:00\n", mapping)
    agent = make.agent(north.team, zone="Asia/Shanghai")
    tray.map_agent(made.pk, "ann", agent.pk, by=north.lead)
    assert contact().day == date(2026, 1, 2)


def test_an_alias_with_a_gap_waits_for_the_days_between(tmp_path, north):
    made = source(north.team)
    name(made, "ann", north.agent, DateRange(date(2026, 2, 1), None))
    run = take(tmp_path, made, lines(ROWS[0]))
    assert run.counts["waiting"] == 1
    assert tray.waiting(north.lead, tray.AGENT)[0].external == "ann"
    tray.map_agent(made.pk, "ann", north.agents[1].pk, by=north.lead)
    assert contact("1").agent == north.agents[1]
    assert AgentAlias.objects.get(agent=north.agent).span.lower == date(2026, 2, 1)
