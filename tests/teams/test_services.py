"""Verbs of teams, people, rights and pay."""

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Group
from django.db import connections
from django.utils import timezone

from teams import grants, services
from teams.errors import OutOfReach, Refused
from teams.models import (
    Agent,
    AgentZone,
    Compensation,
    Loan,
    Membership,
    Team,
    TeamLineage,
    TeamPlacement,
    TeamUserGrant,
    User,
)
from teams.scoping import Grant
from teams.services.spans import today_in
from tests import make


def today():
    """Asked anew each time: a run of all tests may well pass midnight."""
    return today_in("UTC")


def later():
    return today() + timedelta(days=10)


def code(verb, *args, **kwargs) -> str:
    with pytest.raises(Refused) as refusal:
        verb(*args, **kwargs)
    assert str(refusal.value.message)
    return refusal.value.code


def spans(model, **which):
    return [(row.span.lower, row.span.upper) for row in model.objects.filter(**which).order_by("span")]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


# -- tree --------------------------------------------------------------------------------------------------------------


def test_a_move_of_today_takes_effect_and_keeps_where_the_team_stood(hub, north, south):
    services.move_team(north.team.pk, south.team.pk, today(), "one roof", by=hub.operator)
    north.team.refresh_from_db()
    assert north.team.parent == south.team
    assert [row.parent for row in TeamPlacement.objects.filter(team=north.team).order_by("span")] == [
        hub.team,
        south.team,
    ]
    assert north.team.history.first().history_change_reason == "one roof"
    assert north.team.history.first().history_user == hub.operator


def test_a_later_move_is_a_plan_that_its_day_carries_out_once(hub, north, south):
    services.move_team(north.team.pk, south.team.pk, later(), "plan", by=hub.lead)
    assert Team.objects.get(pk=north.team.pk).parent == hub.team
    assert code(services.move_team, north.team.pk, south.team.pk, later(), "again", by=hub.lead) == "already_planned"
    assert services.turn_day(noon(later() - timedelta(days=1))).placements == 0
    assert services.turn_day(noon(later())).placements == 1
    assert services.turn_day(noon(later())).placements == 0
    assert Team.objects.get(pk=north.team.pk).parent == south.team


def test_a_planned_move_can_be_taken_back(hub, north, south):
    before = spans(TeamPlacement, team=north.team)
    services.move_team(north.team.pk, south.team.pk, later(), "plan", by=hub.lead)
    services.cancel_planned_move(north.team.pk, by=hub.lead, reason="no")
    assert spans(TeamPlacement, team=north.team) == [(None, None)] and before == []
    assert code(services.cancel_planned_move, north.team.pk, by=hub.lead) == "nothing_planned"
    services.turn_day(noon(later()))
    assert Team.objects.get(pk=north.team.pk).parent == hub.team


def test_a_move_is_refused_with_its_reason(hub, north, south):
    annex = make.team("Annex", north.team)
    move = services.move_team
    assert code(move, north.team.pk, annex.pk, today(), "x", by=hub.lead) == "cycle"
    assert code(move, north.team.pk, north.team.pk, today(), "x", by=hub.lead) == "cycle"
    assert code(move, north.team.pk, south.team.pk, today() - timedelta(days=1), "x", by=hub.lead) == "in_the_past"
    assert code(move, north.team.pk, hub.team.pk, today(), "x", by=hub.lead) == "same_place"
    assert code(move, north.team.pk, None, today(), "x", by=hub.lead) == "top_is_the_operators"
    assert code(move, north.team.pk, hub.team.pk, today(), "x", by=north.lead) == "not_yours"
    with pytest.raises(OutOfReach):
        move(south.team.pk, north.team.pk, today(), "x", by=north.lead)
    assert not TeamPlacement.objects.exists()


def test_who_only_sees_a_team_puts_nothing_below_it(hub, north, south):
    west = make.team("West", hub.team)
    annex = make.team("Annex", west)
    boss, new = make.user("west-boss"), {"name": "New", "code": "new", "zone": "UTC"}
    make.grant(boss, west, Grant.LEAD)
    make.grant(boss, south.team, Grant.OBSERVE)
    assert code(services.move_team, annex.pk, south.team.pk, today(), "x", by=boss) == "not_yours"
    assert code(services.create_team, **new, parent=south.team.pk, by=boss) == "not_yours"
    with pytest.raises(OutOfReach):
        services.move_team(annex.pk, north.team.pk, today(), "x", by=boss)
    assert not TeamPlacement.objects.exists() and not Team.objects.filter(parent=south.team).exists()


def test_plans_that_would_close_a_circle_are_dropped_with_the_reason_kept(hub, north, south):
    services.move_team(north.team.pk, south.team.pk, later(), "one", by=hub.lead)
    services.move_team(south.team.pk, north.team.pk, later(), "two", by=hub.lead)
    turned = services.turn_day(noon(later()))
    assert (turned.placements, turned.refused_placements) == (1, 1)
    assert not TeamLineage.objects.filter(ancestor=north.team, descendant=south.team).filter(
        ancestor__in=TeamLineage.objects.filter(ancestor=south.team, descendant=north.team).values("descendant")
    )
    kept = TeamPlacement.objects.get(team=south.team, span__startswith=later())
    assert kept.parent == hub.team and "below itself" in kept.reason
    assert services.turn_day(noon(later())).refused_placements == 0


@pytest.mark.django_db(transaction=True)
def test_two_movers_at_once_cannot_close_a_circle():
    hub = make.team("Hub")
    one, two = make.team("One", hub), make.team("Two", hub)
    boss = make.user("boss", is_superuser=True)
    gate, answers = threading.Barrier(2), []

    def mover(team: int, parent: int) -> None:
        gate.wait()
        try:
            services.move_team(team, parent, today(), "race", by=boss)
            answers.append("moved")
        except Refused as refusal:
            answers.append(refusal.code)
        except Exception as error:
            answers.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=mover, args=pair) for pair in ((one.pk, two.pk), (two.pk, one.pk))]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(answers) == ["cycle", "moved"]


def test_teams_are_made_closed_and_reopened(hub, north):
    make_team = services.create_team
    annex = make_team(name="Annex", code="annex", zone="Asia/Shanghai", parent=north.team.pk, by=north.lead)
    assert annex.placements.get().parent == north.team
    again = {"name": "Other", "zone": "UTC", "parent": north.team.pk, "by": north.lead}
    assert code(make_team, code="annex", **again) == "code_taken"
    assert code(make_team, name="Top", code="top", zone="UTC", parent=None, by=hub.lead) == "top_is_the_operators"
    assert code(services.close_team, north.team.pk, by=north.lead) == "has_teams"
    services.close_team(annex.pk, by=north.lead, reason="empty")
    assert code(make_team, name="Sub", code="sub", zone="UTC", parent=annex.pk, by=north.lead) == "closed"
    services.reopen_team(annex.pk, by=north.lead)
    services.move_agent(north.agent.pk, annex.pk, today(), "x", by=north.lead)
    assert code(services.close_team, annex.pk, by=north.lead) == "has_people"


# -- people ------------------------------------------------------------------------------------------------------------


def test_an_agent_moves_today_or_later_and_past_days_keep_their_team(hub, north, south):
    agent = north.agent
    services.move_agent(agent.pk, south.team.pk, later(), "help", by=hub.lead)
    agent.refresh_from_db()
    assert agent.team == north.team
    assert spans(Membership, agent=agent) == [(make.LONG_AGO, later()), (later(), None)]
    assert code(services.move_agent, agent.pk, south.team.pk, later(), "x", by=hub.lead) == "already_planned"
    assert services.turn_day(noon(later())).homes == 1
    assert services.turn_day(noon(later())).homes == 0
    agent.refresh_from_db()
    assert agent.team == south.team
    assert agent.history.first().history_type == "~" and agent.history.first().team_id == south.team.pk


def test_a_planned_transfer_can_be_taken_back(hub, north, south):
    services.move_agent(north.agent.pk, south.team.pk, later(), "help", by=hub.lead)
    services.cancel_planned_transfer(north.agent.pk, by=hub.lead)
    assert spans(Membership, agent=north.agent) == [(make.LONG_AGO, None)]


def test_moving_needs_both_ends(north, south):
    with pytest.raises(OutOfReach):
        services.move_agent(north.agent.pk, south.team.pk, today(), "x", by=north.lead)
    with pytest.raises(OutOfReach):
        services.move_agent(south.agent.pk, north.team.pk, today(), "x", by=north.lead)
    assert code(services.move_agent, north.agent.pk, north.team.pk, today(), "x", by=north.lead) == "same_team"


def test_t82_t83_days_are_the_agents_own(hub, north, south):
    """Kiritimati is a whole day ahead of Honolulu at every moment."""
    east = make.agent(north.team, zone="Pacific/Kiritimati")
    west = make.agent(north.team, zone="Pacific/Honolulu")
    there, here = today_in("Pacific/Kiritimati"), today_in("Pacific/Honolulu")
    assert there == here + timedelta(days=1)
    services.move_agent(east.pk, south.team.pk, there, "x", by=hub.lead)
    services.move_agent(west.pk, south.team.pk, there, "x", by=hub.lead)
    east.refresh_from_db()
    west.refresh_from_db()
    assert (east.team, west.team) == (south.team, north.team)
    other = make.agent(north.team, zone="Pacific/Kiritimati")
    assert code(services.move_agent, other.pk, south.team.pk, here, "x", by=hub.lead) == "in_the_past"


def test_a_zone_changes_at_an_instant_and_keeps_its_past(north):
    agent, since = north.agent, timezone.now() + timedelta(days=3)
    services.change_zone(agent.pk, "Asia/Shanghai", since, by=north.lead, reason="moves house")
    agent.refresh_from_db()
    assert agent.zone == "UTC"
    assert code(services.change_zone, agent.pk, "Asia/Tokyo", by=north.lead) == "already_planned"
    assert services.turn_day(since + timedelta(minutes=1)).zones == 1
    assert services.turn_day(since + timedelta(minutes=1)).zones == 0
    agent.refresh_from_db()
    assert agent.zone == "Asia/Shanghai"
    first, second = AgentZone.objects.filter(agent=agent).order_by("span")
    assert first.span.upper == second.span.lower == since
    assert code(services.change_zone, agent.pk, "Nowhere", by=north.lead) == "unknown_zone"


def test_a_loan_begins_ends_and_is_only_that(hub, north, south):
    loan = services.lend_agent(north.agent.pk, south.team.pk, today(), later(), "rush", by=hub.lead)
    assert Agent.objects.visible_to(south.lead).filter(pk=north.agent.pk).exists()
    lend = services.lend_agent
    assert code(lend, north.agent.pk, south.team.pk, later(), later(), "x", by=hub.lead) == "already_lent"
    assert code(lend, north.agent.pk, south.team.pk, later(), today(), "x", by=hub.lead) == "wrong_order"
    assert code(services.leave, north.agent.pk, today(), "x", by=south.lead) == "only_on_loan"
    assert (
        code(services.edit_agent, north.agent.pk, name="x", locale="en", role="agent", by=south.lead) == "only_on_loan"
    )
    services.end_loan(loan.pk, by=south.lead, reason="done")
    assert not Loan.objects.filter(pk=loan.pk, span__contains=today() + timedelta(days=1)).exists()
    with pytest.raises(OutOfReach):
        services.end_loan(987654, by=south.lead)


def test_t47_leaving_ends_membership_loans_rights_tokens_and_account(client, hub, north, south):
    from knox.models import AuthToken

    agent, user = north.agent, north.agent.user
    make.grant(user, north.team, Grant.OBSERVE)
    _, token = AuthToken.objects.create(user)
    services.lend_agent(agent.pk, south.team.pk, today(), later(), "rush", by=hub.lead)
    client.force_login(user)
    assert client.get("/api/v1/me/").status_code == 200
    services.leave(agent.pk, today(), "goes", by=hub.hr)
    agent.refresh_from_db()
    user.refresh_from_db()
    assert (agent.status, agent.left_on, agent.team, user.is_active) == ("left", today(), north.team, False)
    tomorrow = today() + timedelta(days=1)
    assert spans(Membership, agent=agent) == [(make.LONG_AGO, tomorrow)]
    assert spans(Loan, agent=agent) == [(today(), tomorrow)]
    assert not TeamUserGrant.objects.filter(user=user).exists() and not AuthToken.objects.filter(user=user).exists()
    assert TeamUserGrant.history.filter(user=user, history_type="-").get().history_user == hub.hr
    assert client.get("/api/v1/me/").status_code == 403
    client.logout()
    assert client.get("/api/v1/me/", headers={"Authorization": f"Token {token}"}).status_code in (401, 403)
    assert code(services.leave, agent.pk, today(), "x", by=hub.hr) == "has_left"


def test_a_planned_leaving_is_carried_out_after_the_last_day_and_undone_by_return(hub, north):
    services.leave(north.agent.pk, later(), "goes", by=hub.hr)
    assert services.turn_day(noon(later())).leavers == 0
    assert services.turn_day(noon(later() + timedelta(days=1))).leavers == 1
    north.agent.refresh_from_db()
    assert north.agent.status == "left" and not User.objects.get(pk=north.agent.user_id).is_active
    services.return_agent(north.agent.pk, north.team.pk, later() + timedelta(days=5), "back", by=hub.hr)
    north.agent.refresh_from_db()
    assert (north.agent.status, north.agent.left_on) == ("hired", None)
    assert not User.objects.get(pk=north.agent.user_id).is_active
    services.reactivate(north.agent.user_id, by=hub.operator, reason="back")
    assert User.objects.get(pk=north.agent.user_id).is_active
    assert code(services.return_agent, north.agent.pk, north.team.pk, later(), "x", by=hub.hr) == "has_not_left"


def test_add_agent_refuses_a_known_number_whoever_has_it(north, south):
    wish = {"name": "New", "zone": "Asia/Shanghai", "team": north.team.pk, "on": today(), "by": north.lead}
    assert code(services.add_agent, number=south.agent.number, **wish) == "number_taken"
    made = services.add_agent(number="N-1", **wish)
    assert (made.team, made.zone, made.status) == (north.team, "Asia/Shanghai", "active")
    with pytest.raises(OutOfReach):
        services.add_agent(number="N-2", **{**wish, "team": south.team.pk})


# -- rights ------------------------------------------------------------------------------------------------------------


def test_a_grant_is_given_works_ends_and_is_swept_with_its_history(hub, north):
    helper = make.user("helper")
    until = timezone.now() + timedelta(hours=1)
    give = {"team": north.team.pk, "grant": Grant.OBSERVE.value, "reason": "covers"}
    row = services.give_grant(user=helper.pk, until=until, by=hub.operator, **give)
    assert grants.reaches(helper, north.team, Grant.OBSERVE) and grants.held(helper) == {Grant.OBSERVE}
    TeamUserGrant.objects.filter(pk=row.pk).update(until=timezone.now() - timedelta(seconds=1))
    assert not grants.reaches(helper, north.team, Grant.OBSERVE) and grants.held(helper) == frozenset()
    assert services.sweep_grants() == 1 and services.sweep_grants() == 0
    assert TeamUserGrant.history.filter(id=row.pk).first().history_type == "-"
    again = services.give_grant(user=helper.pk, by=hub.operator, **give)
    services.take_grant(again.pk, by=hub.operator, reason="over")
    assert not grants.reaches(helper, north.team, Grant.OBSERVE)


def test_a_group_grant_reaches_its_members(hub, north):
    group, helper = Group.objects.create(name="watch"), make.user("helper")
    services.set_groups(helper.pk, [group.pk], by=hub.operator, reason="joins")
    services.give_grant(
        group=group.pk, team=hub.team.pk, grant=Grant.LEAD.value, reason="night", by=hub.operator, until=None
    )
    assert grants.reaches(helper, north.team, Grant.LEAD)
    assert "watch" in helper.history.first().history_change_reason


def test_t26_only_the_operator_gives_and_nobody_to_themselves(hub, north):
    give = {"team": north.team.pk, "grant": Grant.SETTLE.value, "reason": "x"}
    with pytest.raises(OutOfReach):
        services.give_grant(user=north.lead.pk, by=hub.lead, **give)
    assert code(services.give_grant, user=hub.operator.pk, by=hub.operator, **give) == "own_rights"
    access = {"is_staff": True, "is_superuser": True, "reason": "x"}
    assert code(services.set_access, hub.operator.pk, by=hub.operator, **access) == "own_rights"
    with pytest.raises(OutOfReach):
        services.set_access(hub.lead.pk, by=hub.lead, **access)
    past = timezone.now() - timedelta(days=1)
    assert code(services.give_grant, user=north.lead.pk, by=hub.operator, until=past, **give) == "end_has_passed"


def test_the_last_operator_stays(hub, north):
    second = make.user("second", is_superuser=True)
    services.deactivate(hub.operator.pk, by=second, reason="x")
    agent = make.agent(north.team, user=second)
    assert code(services.leave, agent.pk, today(), "x", by=hub.hr) == "last_operator"
    assert code(services.deactivate, second.pk, by=second, reason="x") == "own_rights"
    second.refresh_from_db()
    agent.refresh_from_db()
    assert second.is_active and agent.status == "active"


def test_passwords_are_checked_and_set_by_the_operator(hub, north):
    assert code(services.set_password, north.lead.pk, "short", by=hub.operator) == "weak_password"
    services.set_password(north.lead.pk, "a long enough secret", by=hub.operator)
    assert User.objects.get(pk=north.lead.pk).check_password("a long enough secret")


# -- pay ---------------------------------------------------------------------------------------------------------------


def pay(amount: str, on: date) -> dict:
    return {"basis": "daily", "amount": Decimal(amount), "currency": "CNY", "on": on, "reason": "agreed"}


def test_pay_is_dated_and_needs_settle(hub, north):
    services.set_compensation(north.agent.pk, by=hub.payroll, **pay("300.00", make.LONG_AGO))
    planned = services.set_compensation(north.agent.pk, by=hub.payroll, **pay("330.00", later()))
    assert spans(Compensation, agent=north.agent) == [(make.LONG_AGO, later()), (later(), None)]
    for stranger in (north.lead, hub.lead, hub.trainer):
        with pytest.raises(OutOfReach):
            services.set_compensation(north.agent.pk, by=stranger, **pay("1.00", today()))
    services.cancel_compensation(planned.pk, by=hub.payroll)
    assert spans(Compensation, agent=north.agent) == [(make.LONG_AGO, None)]
    first = Compensation.objects.get(agent=north.agent)
    assert code(services.cancel_compensation, first.pk, by=hub.payroll) == "has_begun"
    own = make.agent(north.team, user=hub.payroll)
    assert code(services.set_compensation, own.pk, by=hub.payroll, **pay("999.00", today())) == "own_pay"
