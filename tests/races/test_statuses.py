"""Breaks decided at the same time: the last free place is given once, and who decides never waits for who serves the queue."""

from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from approvals.models import ApprovalRequest, StatusReason, StatusSpan, TeamCover
from approvals.services import deciding, statuses
from approvals.services.statuses import covering
from tests import make
from tests.races.test_races import CONTROL, expect_hold
from tests.races.together import Meeting, together, without_row_locks

pytestmark = pytest.mark.django_db(transaction=True)
MANY = 20


@pytest.fixture
def rest(db):
    """The flush of a test with real transactions takes the reasons of the migration along."""
    return StatusReason.objects.get_or_create(code="rest", defaults={"base": "break", "longest_minutes": 15})[0]


def at_work(team, count):
    began = timezone.now() - timedelta(hours=1)
    agents = [make.agent(team, f"Agent {number}", user=make.user(f"racer-{number}")) for number in range(count)]
    StatusSpan.objects.bulk_create(
        StatusSpan(agent=agent, team=team, base="ready", span=DateTimeTZRange(began, None)) for agent in agents
    )
    return agents


def on_break(team):
    return StatusSpan.objects.open().filter(team=team, base="break").count()


@CONTROL
def test_of_twenty_who_ask_at_once_one_gets_the_last_free_place(locks, north, rest, monkeypatch):
    """Each looks at the cover before any has written. Without the lock each sees the free place, and all take it."""
    team = make.team("Racers")
    agents = at_work(team, MANY)
    TeamCover.objects.create(team=team, needed=MANY - 1)
    if not locks:
        without_row_locks(monkeypatch)
    monkeypatch.setattr(covering, "count", Meeting(MANY).after(covering.count))

    def ask(agent):
        return lambda: statuses.ask_break(agent.pk, "rest", by=agent.user).state

    results = together(*(ask(agent) for agent in agents))
    granted = [result for result in results if result == ApprovalRequest.State.APPLIED]
    expect_hold(locks, len(granted) == 1 and on_break(team) == 1, results)
    if locks:
        waits = [ApprovalRequest.State.SUBMITTED, ApprovalRequest.State.IN_REVIEW]
        assert all(result in waits for result in results if result not in granted), results


def test_a_lead_who_approves_while_the_queue_is_served_waits_for_nobody(north, rest, monkeypatch):
    """The lead holds the request and wants the cover; whoever comes back holds the cover and would want the request."""
    first, second = north.agents
    began = timezone.now() - timedelta(hours=1)
    for agent in north.agents:
        StatusSpan.objects.create(agent=agent, team=north.team, base="ready", span=DateTimeTZRange(began, None))
    TeamCover.objects.create(team=north.team, needed=1)
    statuses.ask_break(first.pk, "rest", by=first.user)
    request = statuses.ask_break(second.pk, "rest", by=second.user)
    monkeypatch.setattr(deciding, "_say", Meeting(2).after(deciding._say))
    monkeypatch.setattr(covering, "hold", Meeting(2).after(covering.hold))
    results = together(
        lambda: deciding.approve(request.pk, by=north.lead).state,
        lambda: statuses.come_back(first.pk, by=first.user).now.base,
    )
    assert results == [ApprovalRequest.State.APPLIED, "ready"]
    assert StatusSpan.objects.open().get(agent=second).base == "break"
    request.refresh_from_db()
    assert request.events.filter(kind="applied").count() == 1
