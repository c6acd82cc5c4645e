"""Dated delegation: own rights only, to somebody who can use them, never handed on, and never outliving their ground."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from teams import outbox, services
from teams.edges import history
from teams.errors import OutOfReach, Refused
from teams.models import Agent, Notice, Team, TeamUserGrant
from teams.scoping import Grant
from tests import make


def later(days=7):
    return timezone.now() + timedelta(days=days)


@pytest.fixture
def deputy(north, hub):
    user = make.user("deputy", is_staff=True, email="deputy@outpost.test")
    make.agent(north.team, "Deputy", user=user)
    return user


def hand_over(north, holder, **wish):
    plain = {"team": north.team.pk, "grant": "lead_team", "deputy": holder.pk, "since": None, "until": later()}
    return services.delegate(**plain | {"by": north.lead, "reason": "on leave"} | wish)


def test_the_deputy_sees_acts_and_is_named_as_standing_in(client, north, deputy):
    type(north.lead).objects.filter(pk=north.lead.pk).update(email="lead@outpost.test")
    assert not Team.objects.manageable_by(deputy).filter(pk=north.team.pk).exists()
    row = hand_over(north, deputy)
    assert Team.objects.manageable_by(deputy).filter(pk=north.team.pk).exists()
    services.edit_agent(north.agent.pk, name="Renamed", locale="en", role="agent", by=deputy, reason="typo")
    agent = Agent.objects.get(pk=north.agent.pk)
    newest = history.trail(agent, north.lead)[0]
    assert newest.who == "deputy on behalf of north-lead" and newest.reason == "typo"
    outbox.deliver_due(timezone.now() + timedelta(minutes=1))
    assert {(each.to[0], each.subject) for each in mail.outbox} == {
        (to, "deputy stands in for north-lead on North") for to in ("deputy@outpost.test", "lead@outpost.test")
    }
    services.end_delegation(row.pk, by=deputy, reason="back early")
    assert not Team.objects.manageable_by(deputy).filter(pk=north.team.pk).exists()
    assert history.trail(agent, north.lead)[0].who == "deputy on behalf of north-lead"  # what was, stays said
    client.force_login(north.lead)
    assert client.get("/admin/teams/teamusergrant/").status_code == 200


def test_it_begins_and_ends_by_itself(north, deputy):
    hand_over(north, deputy, since=later(1))
    assert not Team.objects.manageable_by(deputy).exists()
    TeamUserGrant.objects.filter(user=deputy).update(since=timezone.now() - timedelta(days=1))
    assert Team.objects.manageable_by(deputy).exists()
    TeamUserGrant.objects.filter(user=deputy).update(until=timezone.now() - timedelta(seconds=1))
    assert not Team.objects.manageable_by(deputy).exists()
    services.sweep_grants()
    assert not TeamUserGrant.objects.filter(user=deputy).exists()


def test_what_cannot_be_delegated_is_refused_with_a_reason(hub, north, south, deputy):
    plain = make.user("plain")
    make.agent(north.team, "Plain", user=plain)
    mute = make.user("mute", is_staff=True)
    mute.set_unusable_password()
    mute.save()
    make.agent(north.team, "Mute", user=mute)
    refusals = {
        "not_delegable": {"grant": "settle_team", "by": hub.hr, "team": hub.team.pk},
        "not_your_right": {"grant": "onboard_team"},
        "own_rights": {"deputy": north.lead.pk},
        "cannot_log_in": {"deputy": plain.pk},
        "end_has_passed": {"until": later(-1)},
        "wrong_order": {"since": later(9)},
        "too_long": {"until": later(91)},
        "already_holds": {"deputy": hub.lead.pk},
    }
    for code, wish in refusals.items():
        with pytest.raises(Refused) as refusal:
            hand_over(north, deputy, **wish)
        assert refusal.value.code == code
    with pytest.raises(Refused) as refusal:
        hand_over(north, mute)
    assert refusal.value.code == "cannot_log_in"
    with pytest.raises(OutOfReach):
        hand_over(north, south.lead)
    with pytest.raises(OutOfReach):
        hand_over(north, deputy, team=south.team.pk)
    assert not TeamUserGrant.objects.exclude(on_behalf_of=None).exists()
    assert not Notice.objects.exists()


def test_it_cannot_be_handed_on(north, deputy):
    hand_over(north, deputy)
    third = make.user("third", is_staff=True)
    make.agent(north.team, "Third", user=third)
    with pytest.raises(Refused) as refusal:
        hand_over(north, third, by=deputy)
    assert refusal.value.code == "not_your_right"
    with pytest.raises(OutOfReach):
        services.end_delegation(TeamUserGrant.objects.get(user=deputy).pk, by=third, reason="x")


@pytest.mark.parametrize("loss", ["taken", "closed", "moved", "shortened"])
def test_it_goes_when_the_right_behind_it_goes(hub, north, south, deputy, loss):
    annex = make.team("Annex", north.team)
    hand_over(north, deputy, team=annex.pk)
    right = TeamUserGrant.objects.get(user=north.lead)
    if loss == "taken":
        services.take_grant(right.pk, by=hub.operator, reason="x")
    elif loss == "closed":
        services.deactivate(north.lead.pk, by=hub.operator, reason="x")
    elif loss == "moved":
        services.move_team(annex.pk, south.team.pk, timezone.now().date(), "x", by=hub.lead)
    else:
        services.give_grant(
            team=north.team.pk, grant=Grant.LEAD, user=north.lead.pk, until=later(1), reason="x", by=hub.operator
        )
        assert TeamUserGrant.objects.get(user=deputy).until < later(2)
        return
    assert not TeamUserGrant.objects.filter(user=deputy).exists()
    assert Notice.objects.filter(kind="delegation_ended").count() == 2


def test_the_page_offers_own_rights_and_known_people(client, hub, north, south, deputy):
    client.force_login(north.lead)
    page = client.get("/admin/teams/teamusergrant/delegate/").content.decode()
    assert "deputy" in page and "south-lead" not in page and "South" not in page
    wish = {"team": north.team.pk, "grant": "lead_team", "deputy": deputy.pk, "reason": "leave"}
    done = client.post(
        "/admin/teams/teamusergrant/delegate/", wish | {"until": later().strftime("%Y-%m-%dT%H:%M")}, follow=True
    )
    assert "The right is delegated" in done.content.decode() and "on behalf of" in done.content.decode().lower()
    client.force_login(deputy)
    row = TeamUserGrant.objects.get(user=deputy)
    ended = client.post(f"/admin/teams/teamusergrant/{row.pk}/end/", {"reason": "back"}, follow=True)
    assert ended.status_code in (200, 403) and not TeamUserGrant.objects.filter(user=deputy).exists()
