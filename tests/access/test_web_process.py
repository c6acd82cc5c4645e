"""As the web process has it: no scope of its own, so what is read or locked outside one's reach is not there.

Other tests run in a process that acts as the system, and each request in them narrows that. Here nothing is in sight before a
request opens the reach of whoever asks.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from performance.models import NightlyReport, TeamDay
from performance.services.starting import newest_report
from teams import acting
from teams.models import Agent, Compensation, Loan, Notice, NoticeChannel, NoticeDelivery, ViewAs


@contextmanager
def web_process() -> Iterator[None]:
    acting._say(acting.NOBODY)
    try:
        yield
    finally:
        acting._say(acting.SYSTEM)


def test_outside_of_a_request_nothing_is_there(north):
    with web_process():
        assert not Agent.objects.exists()
    assert Agent.objects.exists()


@pytest.mark.parametrize("role", ["hr", "trainer"])
def test_whoever_onboards_takes_people_on_moves_and_lends_them(client, hub, north, south, role):
    """They may not change a team, and hold its row nevertheless while somebody goes there."""
    day = timezone.now().date() + timedelta(days=3)
    with web_process():
        client.force_login(getattr(hub, role))
        told = {"number": "N7", "name": "New", "zone": "UTC", "role": "agent", "locale": "en", "reason": "hired"}
        made = client.post("/admin/teams/agent/create/", {**told, "team": south.team.pk, "on": day})
        moved = client.post(
            f"/admin/teams/agent/{north.agent.pk}/move/", {"team": south.team.pk, "on": day, "reason": "growth"}
        )
        lent = client.post(
            f"/admin/teams/agent/{north.agents[1].pk}/lend/",
            {"team": south.team.pk, "start": day, "last_day": day, "reason": "peak"},
        )
    assert [answer.status_code for answer in (made, moved, lent)] == [302] * 3
    assert Agent.objects.get(number="N7").team == south.team
    assert north.agent.memberships.filter(team=south.team, span__startswith=day).exists()
    assert Loan.objects.get(agent=north.agents[1]).team == south.team


def test_payroll_takes_a_planned_pay_back_and_the_one_before_goes_on(client, hub, north):
    def pay(on):
        told = {"agent": north.agent.number, "basis": "daily", "amount": "300", "currency": "CNY", "reason": "agreed"}
        return client.post("/admin/teams/compensation/set/", {**told, "on": on})

    today = timezone.now().date()
    with web_process():
        client.force_login(hub.payroll)
        made = [pay(today), pay(today + timedelta(days=9))]
        planned = made[1].url.rstrip("/").split("/")[-2]
        back = client.post(f"/admin/teams/compensation/{planned}/cancel/", {"reason": "a mistake"})
    assert [answer.status_code for answer in (*made, back)] == [302] * 3
    (row,) = Compensation.objects.filter(agent=north.agent)
    assert row.span.lower == today and row.span.upper is None


def test_a_borrower_is_told_that_an_agent_is_only_lent(client, hub, north, south):
    today = timezone.now().date()
    Loan.objects.create(agent=north.agent, team=south.team, span=DateRange(today, today + timedelta(days=3)))
    with web_process():
        client.force_login(south.lead)
        refused = client.post(
            f"/admin/teams/agent/{north.agent.pk}/edit/",
            {"name": "Mine", "locale": "en", "role": "agent", "reason": "x"},
        )
    assert "only lent to you" in refused.content.decode()
    assert Agent.objects.get(pk=north.agent.pk).name == north.agent.name


def test_a_robot_taken_away_gets_nothing_more(client, north):
    robot = NoticeChannel.objects.create(owner=north.lead, kind="slack", sealed="x", fingerprint="x", hint="x")
    notice = Notice.objects.create(kind="report", recipient=north.lead, key="k")
    waiting = NoticeDelivery.objects.create(notice=notice, channel=robot, way=robot.way)
    with web_process():
        client.force_login(north.lead)
        gone = client.post(f"/account/notices/robot/{robot.pk}/remove/")
    assert gone.status_code == 302
    waiting.refresh_from_db()
    assert waiting.state == NoticeDelivery.State.DROPPED


def test_the_operator_looks_as_somebody_else_and_comes_back(client, hub, north, south):
    with web_process():
        client.force_login(hub.operator)
        page = client.post(f"/admin/teams/user/{north.lead.pk}/view-as/", {"reason": "ticket 12"}, follow=True)
        teams = client.get("/admin/teams/team/").content.decode()
        refused = client.post("/admin/teams/teamusergrant/delegate/", {"reason": "x"})
        back = client.post("/viewing/stop/", follow=True)
    assert "You look as <strong>north-lead</strong>" in page.content.decode()
    assert "North" in teams and "South" not in teams
    assert refused.status_code == 403
    assert back.status_code == 200 and "viewing-as" not in back.content.decode()
    assert ViewAs.objects.get().ended_at


def test_the_first_report_is_found_beside_the_figures_of_today(north):
    today = timezone.now().date()
    report = NightlyReport.objects.create(team=north.team, day=today - timedelta(days=1), payload={})
    for back in (0, 1):
        TeamDay.objects.create(team=north.team, day=today - timedelta(days=back), agents=1, closed=1, contacts=1)
    assert newest_report() == report
