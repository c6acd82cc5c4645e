"""Nightly reports: figures as a plain count gives them, kept as sent, revised by late facts, mailed to whoever may read."""

import json
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from io import StringIO

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from performance.models import Contact, NightlyReport, TeamDay
from performance.reports import nightly
from performance.services import night
from performance.services.targets import set_target
from teams import jobs, outbox
from teams.models import Agent, JobRun, Notice, TeamUserGrant
from teams.scoping import Grant
from tests import make
from tests.performance.night.facts import DAY, at, contact

MORNING = at("2026-03-11T03:00")


@pytest.fixture(autouse=True)
def _clock(partitions, time_machine_at):
    time_machine_at(MORNING)


@pytest.fixture
def time_machine_at():
    import time_machine

    travellers = []

    def go(moment):
        traveller = time_machine.travel(moment, tick=True)
        traveller.start()
        travellers.append(traveller)

    yield go
    for traveller in reversed(travellers):
        traveller.stop()


def run_night(now=MORNING, rounds=3) -> None:
    for _round in range(rounds):
        jobs.scan(now)
        jobs.work_due(now, 2000)


def test_figures_equal_a_count_in_plain_python(hub, north, south):
    set_target(hub.team.pk, "volume", Decimal(4), since=DAY - timedelta(days=60), by=hub.lead)
    for n in range(9):
        contact(north.agents[n % 2], minute=500 + n, is_resolved=n % 3 > 0, rating="1" if n % 2 else "0.5")
    for n in range(4):
        contact(south.agent, minute=500 + n, complexity="complex", handle_seconds=1000 + n)
    for weeks in (1, 2):
        for n in range(3):
            contact(north.agent, DAY - timedelta(weeks=weeks), minute=500 + n)
    run_night()
    page = nightly.page(NightlyReport.objects.get(team=hub.team, day=DAY), hub.lead)
    facts = list(Contact.objects.filter(day=DAY))
    rated = [row for row in facts if row.rating is not None]
    judged = [row for row in facts if row.is_resolved is not None]
    hard = [row.handle_seconds for row in facts if row.complexity == "complex"]
    assert page.cell("volume").value == len(facts) == 13
    assert page.cell("volume").target == 12  # three people at work, four each
    assert page.cell("volume").before == 3  # the mean of the two weeks that had contacts
    assert page.cell("satisfaction").value == Fraction(sum(row.rating >= Decimal("0.75") for row in rated), len(rated))
    assert page.cell("closure").value == Fraction(sum(row.is_resolved for row in judged), len(judged))
    assert page.cell("handle_time_complex").value == Fraction(sum(hard), len(hard))
    assert page.cell("talk_time").value == Fraction(sum(row.handle_seconds for row in facts), 3)
    assert [(line.name, line.cells[0].numerator) for line in page.lines] == [("North", 9), ("South", 4)]
    assert page.cell("satisfaction").rests_on_few and page.cell("satisfaction").range_words


def test_a_report_reads_rollups_and_never_contacts(north):
    for n in range(5):
        contact(north.agent, minute=500 + n)
    run_night()
    with CaptureQueriesContext(
        connection,
    ) as captured:
        nightly.content(north.team, DAY)
    assert captured.captured_queries
    assert not [each["sql"] for each in captured if "performance_contact" in each["sql"]]


def test_late_facts_revise_and_the_old_one_is_kept(hub, north, south):
    contact(north.agent)
    contact(south.agent)
    run_night()
    kept = NightlyReport.objects.get(team=north.team, day=DAY)
    run_night()
    contact(north.agent, minute=700)
    run_night()
    assert list(
        NightlyReport.objects.filter(team=north.team, day=DAY).order_by("revision").values_list("revision", flat=True)
    ) == [1, 2]
    assert NightlyReport.objects.filter(team=hub.team, day=DAY).count() == 2
    assert NightlyReport.objects.filter(team=south.team, day=DAY).count() == 1, "nothing of south has changed"
    assert NightlyReport.objects.get(pk=kept.pk).payload == kept.payload
    assert Notice.objects.filter(kind="report", recipient=north.lead).count() == 1


def test_a_report_waits_for_the_last_zone_of_its_subtree_and_for_open_roll_ups(hub, north, south):
    Agent.objects.filter(pk=south.agent.pk).update(zone="America/New_York")
    south.agent.refresh_from_db()
    contact(north.agent)
    contact(south.agent)
    run_night()
    assert NightlyReport.objects.filter(team=north.team, day=DAY).exists()
    assert not NightlyReport.objects.filter(team=hub.team, day=DAY).exists()
    over = at("2026-03-11T06:05")
    jobs.scan(over)
    JobRun.objects.filter(job=night.ROLL_UP, subject="America/New_York").update(state="parked")
    jobs.work_due(over)
    assert not NightlyReport.objects.filter(team=hub.team, day=DAY).exists()
    JobRun.objects.filter(job=night.ROLL_UP, subject="America/New_York").update(state="waiting")
    run_night(over + timedelta(minutes=5))
    assert NightlyReport.objects.get(team=hub.team, day=DAY).payload["sums"]["closed"] == 2


def test_three_nights_of_downtime_are_caught_up_oldest_first_each_once_and_not_as_today(north, time_machine_at):
    for back in (4, 3, 2, 1):
        contact(north.agent, DAY + timedelta(days=1 - back))
    north.lead.email = "lead@example.org"
    north.lead.save()
    run_night()
    run_night()
    reports = NightlyReport.objects.filter(team=north.team).order_by("pk")
    assert [row.day for row in reports] == [DAY + timedelta(days=1 - back) for back in (4, 3, 2, 1)]
    assert set(reports.values_list("revision", flat=True)) == {1}
    notices = Notice.objects.filter(recipient=north.lead).order_by("kind", "about")
    assert [(row.kind, row.about, len(row.details["reports"])) for row in notices] == [
        ("report", "2026-03-09", 1),
        ("report", "2026-03-10", 1),
        ("report_catch_up", "", 2),
    ]
    outbox.deliver_due(MORNING + timedelta(hours=1))
    assert len(mail.outbox) == 3
    caught_up = next(each for each in mail.outbox if "caught up" in each.subject)
    assert "7 Mar 2026" in caught_up.body and "8 Mar 2026" in caught_up.body
    assert "10 Mar 2026" not in caught_up.body


def test_quiet_days_have_reports_too(north):
    contact(north.agent, DAY - timedelta(days=3))
    run_night()
    days = NightlyReport.objects.filter(team=north.team).values_list("day", flat=True)
    assert set(days) == {DAY - timedelta(days=n) for n in range(4)}
    assert nightly.page(NightlyReport.objects.get(team=north.team, day=DAY), north.lead).is_empty


def test_mail_goes_to_whoever_is_in_reach_when_it_leaves_in_their_language(hub, north, south):
    for user, language in ((north.lead, "zh-hans"), (hub.lead, "en"), (south.lead, "en"), (hub.hr, "en")):
        user.email, user.language = f"{user.username}@example.org", language
        user.save()
    gone = make.user("gone", email="gone@example.org")
    make.grant(gone, north.team, Grant.OBSERVE)
    contact(north.agent)
    run_night()
    TeamUserGrant.objects.filter(user=gone).update(until=timezone.now() - timedelta(seconds=1))
    outbox.deliver_due(MORNING + timedelta(hours=1))
    by_person = {each.to[0].split("@")[0]: each for each in mail.outbox}
    assert set(by_person) == {"north-lead", "hub-lead"}
    assert Notice.objects.get(recipient=gone).state == "dropped"
    assert len([each for each in mail.outbox if each.to == ["hub-lead@example.org"]]) == 1, "one mail, not one a team"
    notice = Notice.objects.get(recipient=north.lead)
    message = by_person["north-lead"]
    assert str(notice.message_id) in message.extra_headers["Message-ID"]
    assert "/admin/performance/nightlyreport/" in message.body
    with translation.override("zh-hans"):
        assert translation.gettext("Satisfaction")
    assert message.alternatives[0][1] == "text/html"


def test_people_are_named_by_name_with_reason_and_compared_with_themselves_only(north):
    zoe, adam = make.agent(north.team, "Zoe"), make.agent(north.team, "Adam")
    for back in range(1, 15):
        for n in range(20):
            for who in (zoe, adam):
                contact(who, DAY - timedelta(days=back), minute=500 + n, rating="1", handle_seconds=300 + back)
    for n in range(20):
        contact(zoe, minute=500 + n, rating="0", handle_seconds=305)
        contact(adam, minute=500 + n, rating="1", handle_seconds=900)
    contact(north.agent, minute=5, rating="0")
    run_night()
    page = nightly.page(NightlyReport.objects.get(team=north.team, day=DAY), north.lead)
    people = [(each.name, each.figure) for each in page.trouble if each.agent_pk]
    assert people == [("Adam", "Handling time, simple"), ("Zoe", "Satisfaction")]
    reason = next(each.reason for each in page.trouble if each.name == "Zoe")
    assert "0 %" in reason and "0 of 20" in reason and "14 days" in reason
    assert [(each.name, each.figure) for each in page.good if each.agent_pk] == [("Adam", "Effective talk time")]


def test_heat_map_is_on_the_clock_of_the_team(north):
    north.team.zone = "Asia/Shanghai"
    north.team.save()
    queue = make.queue(north.team, "Line", zone="UTC")
    contact(north.agent, DAY - timedelta(days=1), opened_at=at("2026-03-09T02:10"), queue=queue)
    contact(north.agent, opened_at=at("2026-03-10T02:10"), queue=queue)
    contact(north.agent, opened_at=at("2026-03-10T02:31"), queue=queue)
    run_night()
    page = nightly.page(NightlyReport.objects.get(team=north.team, day=DAY), north.lead)
    assert [(row.name, row.total) for row in page.heat] == [("Line", 2)]
    assert [(cell.slot, cell.offered, cell.usual) for cell in page.heat[0].cells] == [("10:00", 1, 1), ("10:30", 1, 0)]


def test_a_report_is_json_and_names_nobody(north):
    contact(north.agent)
    run_night()
    text = json.dumps(NightlyReport.objects.get(team=north.team, day=DAY).payload)
    assert "North" not in text


def test_a_rebuild_repairs_and_revises(north):
    contact(north.agent)
    run_night()
    TeamDay.objects.update(closed=77)
    said = StringIO()
    call_command("roll_up", "--from", "2026-03-01", "--to", "2026-03-31", stdout=said)
    assert TeamDay.objects.get().closed == 1
    assert f"{DAY} changed" in said.getvalue() and said.getvalue().endswith("31 days rebuilt, 1 of them changed.\n")
    run_night()
    assert NightlyReport.objects.filter(team=north.team, day=DAY).count() == 1, "it says what the last one says"


def test_sums_read_in_a_constant_number_of_queries(hub, north, south):
    for agent in (*north.agents, *south.agents):
        contact(agent)
    run_night()
    for _n in range(3):
        team = make.team("", hub.team)
        contact(make.agent(team))
    run_night()
    counts = []
    for team in (north.team, hub.team):
        with CaptureQueriesContext(connection) as captured:
            nightly.content(team, DAY)
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 8
