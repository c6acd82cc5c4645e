"""Targets: the nearest team decides, a role beats none, and a change is dated and recorded."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from performance.models import Target
from performance.services.targets import Wanted, end_target, set_target, target_for
from teams.errors import OutOfReach, Refused
from teams.models import TeamPlacement
from tests import make

DAY = date(2026, 3, 10)
START = date(2026, 1, 1)


def value(team, metric="volume", role="", day=DAY):
    wanted = Wanted(team.pk, day, role)
    return target_for([wanted]).get((wanted, metric))


def test_the_nearest_team_wins_and_in_a_team_the_role_beats_none(hub, north, south):
    assert value(north.team) is None
    assert value(north.team, "satisfaction") == Decimal("0.9")
    set_target(hub.team.pk, "volume", Decimal(100), since=START, by=hub.lead)
    set_target(hub.team.pk, "volume", Decimal(60), since=START, role="trainee", by=hub.lead)
    assert (value(north.team), value(north.team, role="trainee"), value(north.team, role="senior")) == (100, 60, 100)
    set_target(north.team.pk, "volume", Decimal(80), since=START, by=north.lead)
    assert (value(north.team), value(north.team, role="trainee"), value(south.team)) == (80, 80, 100)
    assert value(north.team, day=date(2025, 12, 31)) is None


def test_many_are_answered_in_one_query_by_the_tree_of_their_day(hub, north, south, django_assert_num_queries):
    other = make.team("Other")
    TeamPlacement.objects.create(team=north.team, parent=other, span=DateRange(date(2026, 1, 1), date(2026, 3, 1)))
    TeamPlacement.objects.create(team=north.team, parent=hub.team, span=DateRange(date(2026, 3, 1), None))
    operator = hub.operator
    set_target(hub.team.pk, "volume", Decimal(100), since=START, by=operator)
    set_target(other.pk, "volume", Decimal(70), since=START, by=operator)
    february, march = Wanted(north.team.pk, date(2026, 2, 28)), Wanted(north.team.pk, date(2026, 3, 1))
    with django_assert_num_queries(1):
        found = target_for([february, march, Wanted(south.team.pk, DAY)] * 50, ["volume"])
    assert (found[february, "volume"], found[march, "volume"]) == (70, 100)


def test_a_new_target_ends_the_old_one_and_is_recorded(north):
    first = set_target(north.team.pk, "volume", Decimal(80), since=START, by=north.lead)
    set_target(north.team.pk, "volume", Decimal(95), since=date(2026, 5, 1), by=north.lead)
    set_target(north.team.pk, "volume", Decimal(90), since=date(2026, 3, 1), by=north.lead, reason="season")
    spans = {int(row.value): (row.span.lower, row.span.upper) for row in Target.objects.all()}
    assert spans == {
        80: (START, date(2026, 3, 1)),
        90: (date(2026, 3, 1), date(2026, 5, 1)),
        95: (date(2026, 5, 1), None),
    }
    assert first.history.first().history_user == north.lead
    assert Target.history.filter(value=90).first().history_change_reason == "season"
    again = set_target(north.team.pk, "volume", Decimal(91), since=date(2026, 3, 1), by=north.lead)
    assert Target.objects.count() == 3 and again.value == 91
    end_target(again.pk, on=date(2026, 4, 1), by=north.lead)
    assert value(north.team, day=date(2026, 4, 1)) is None
    with pytest.raises(Refused):
        end_target(again.pk, on=date(2026, 4, 1), by=north.lead)


@pytest.mark.parametrize(
    ("metric", "amount", "role", "code"),
    [
        ("nothing", "1", "", "no_target"),
        ("offered", "1", "", "no_target"),
        ("volume", "0", "", "target_not_positive"),
        ("volume", "NaN", "", "target_not_positive"),
        ("satisfaction", "90", "", "share_above_one"),
        ("volume", "5", "king", "unknown_role"),
        ("volume", "1e9", "", "target_too_large"),
    ],
)
def test_what_cannot_be_is_refused(north, metric, amount, role, code):
    with pytest.raises(Refused) as refusal:
        set_target(north.team.pk, metric, Decimal(amount), since=START, role=role, by=north.lead)
    assert refusal.value.code == code
    assert not Target.objects.exists()


def test_only_who_leads_the_team_sets_and_ends(north, south, hub):
    target = set_target(north.team.pk, "volume", Decimal(80), since=START, by=hub.lead)
    for user in (south.lead, hub.hr, hub.reviewer, north.agent.user):
        with pytest.raises(OutOfReach):
            set_target(north.team.pk, "volume", Decimal(1), since=START, by=user)
        with pytest.raises(OutOfReach):
            end_target(target.pk, on=DAY, by=user)
    assert value(north.team) == 80
