"""The admin's first page, menu, contacts and one agent's figures: each person finds what their grants open."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config import menu
from performance.models import AgentAlias, ImportRun, NightlyReport, QueueAlias, QueueHalfHour, Target
from teams.models import AccessRecord, JobRun, Loan
from teams.scoping import Grant
from tests import make
from tests.look import rows
from tests.look.rows import DAY, NOW

pytestmark = pytest.mark.usefixtures("partitions")
CONTACTS = "/admin/performance/contact/"


@pytest.fixture(autouse=True)
def someday():
    with time_machine.travel(NOW, tick=False):
        yield


def titles(user) -> set[str]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return {str(item["title"]) for group in menu.for_request(request) for item in group["items"]}


def queries(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


def test_the_menu_shows_only_doors_the_person_may_open(client, hub, north):
    assert "Contacts" in titles(north.lead)
    assert "Contacts" in titles(hub.reviewer)
    assert "Contacts" not in titles(hub.hr)
    assert "Contacts" not in titles(hub.payroll)
    assert titles(make.user("no-grant", is_staff=True)) == {"Overview"}
    for user in (hub.operator, hub.hr, hub.trainer, hub.payroll, hub.reviewer, hub.lead, north.lead):
        client.force_login(user)
        request = RequestFactory().get("/admin/")
        request.user = user
        for group in menu.for_request(request):
            for item in group["items"]:
                assert client.get(item["link"]).status_code == 200, (user.username, item["link"])


def test_a_lead_who_also_takes_contacts_finds_the_own_day(north):
    make.agent(north.team, "Lead", user=north.lead)
    assert "My day" in titles(north.lead)


def test_the_menu_stands_on_the_page(client, north):
    client.force_login(north.lead)
    assert f'href="{CONTACTS}"' in client.get("/admin/").content.decode()


def test_the_tray_is_counted_in_the_menu(north, south):
    for cast, count in ((north, 2), (south, 5)):
        source = make.source(cast.team)
        for n in range(count):
            AgentAlias.objects.create(source=source, external=f"{cast.team.name}{n}")
            QueueAlias.objects.create(source=source, external=f"{cast.team.name}{n}")
    request = RequestFactory().get("/admin/")
    request.user = north.lead
    assert menu._tray(request) == 4


def test_the_first_page_adds_up_ones_own_teams_only(client, hub, north, south):
    for back in range(1, 10):
        rows.team_day(north.team, DAY - timedelta(days=back), closed=10, rated=10, satisfied=9, agents=2)
        rows.team_day(south.team, DAY - timedelta(days=back), closed=1000, rated=100, satisfied=50, agents=9)
    for user, closed, before in ((north.lead, 70, 20), (south.lead, 7000, 2000), (hub.lead, 7070, 2020)):
        client.force_login(user)
        page = client.get("/admin/").context["performance"]
        volume = page.cards[0]
        assert (volume.figure.value, volume.before.value) == (closed, before), user.username
    client.force_login(north.lead)
    satisfaction = next(
        card for card in client.get("/admin/").context["performance"].cards if card.figure.id == "satisfaction"
    )
    assert (satisfaction.figure.numerator, satisfaction.figure.denominator) == (63, 70)
    assert satisfaction.figure.target == Decimal("0.9")
    assert satisfaction.figure.verdict == "met"


def test_the_first_page_judges_by_the_target_of_the_highest_team_in_reach(client, hub, north, south):
    """Not by that of the team above, whose figures its reader may not see."""
    for team, value in ((hub.team, "0.5"), (north.team, "0.8"), (south.team, "0.7")):
        span = DateRange(make.LONG_AGO, None)
        Target.objects.create(team=team, metric="satisfaction", value=Decimal(value), span=span)
        rows.team_day(team, DAY - timedelta(days=1), closed=10, rated=10, satisfied=9, agents=2)
    for user, value in ((north.lead, "0.8"), (south.lead, "0.7"), (hub.lead, "0.5")):
        client.force_login(user)
        cards = {card.figure.id: card.figure for card in client.get("/admin/").context["performance"].cards}
        assert cards["satisfaction"].target == Decimal(value), user.username


def test_the_first_page_counts_ones_own_people_and_names_no_team_that_lends(client, north, south):
    span = DateRange(DAY, DAY + timedelta(days=9999))  # what is lent today the database knows, whose clock goes on
    Loan.objects.create(agent=south.agent, team=north.team, span=span)
    client.force_login(north.lead)
    people = client.get("/admin/").context["people"]
    assert people.total == 3
    assert dict(people.by_team) == {"North": 2, "lent by other teams": 1}


def test_hr_and_trainers_see_people_and_no_figures(client, hub, north):
    rows.team_day(north.team, DAY - timedelta(days=1), closed=10)
    for user in (hub.hr, hub.trainer):
        client.force_login(user)
        page = client.get("/admin/")
        assert "performance" not in page.context
        assert page.context["people"].total == 2
        assert page.context["people"].by_team == (("North", 2),)
    client.force_login(hub.payroll)
    page = client.get("/admin/")
    assert "performance" not in page.context
    assert "people" not in page.context


def test_only_the_operator_sees_the_state_of_the_installation(client, hub, north):
    JobRun.objects.create(job="x", due_at=NOW, state=JobRun.State.PARKED)
    ImportRun.objects.create(source=make.source(north.team))
    client.force_login(hub.operator)
    state = client.get("/admin/").context["running"]
    assert (state.jobs_parked, state.deliveries) == (1, (("uploaded", 1),))
    client.force_login(hub.lead)
    assert "running" not in client.get("/admin/").context


def test_todays_load_is_a_map_of_ones_own_queues(client, north, south):
    own, foreign = make.queue(north.team, "Ours"), make.queue(south.team, "Theirs")
    for queue in (own, foreign):
        for hour, offered in ((8, 10), (9, 1), (12, 2)):
            QueueHalfHour.objects.create(
                queue=queue, day=DAY, started_at=NOW.replace(hour=hour, minute=0), offered=offered
            )
    client.force_login(north.lead)
    heat = client.get("/admin/").context["performance"].heat
    assert [row.queue for row in heat.rows] == ["Ours"]
    assert (heat.hours[0], heat.hours[-1], len(heat.hours)) == ("08:00", "12:00", 9)
    cells = heat.rows[0].cells
    assert [(cells[0].offered, cells[0].step), (cells[2].offered, cells[2].step), (cells[1].offered, cells[1].step)] == [
        (10, 5), (1, 1), (0, 0),
    ]  # fmt: skip


def test_an_empty_first_page_helps_a_new_lead(client, north):
    client.force_login(north.lead)
    body = client.get("/admin/").content.decode()
    assert "bring in a file, and look at its dry run first." in body
    assert "There is no nightly report yet" in body


def test_who_needs_a_word_comes_from_the_latest_report_in_reach(client, north, south):
    def unusual(agent, good, above):
        return {
            "who": "agent",
            "pk": agent.pk,
            "metric": "satisfaction",
            "good": good,
            "above": above,
            "numerator": 9,
            "denominator": 12,
        }

    yesterday = DAY - timedelta(days=1)
    NightlyReport.objects.create(team=north.team, day=yesterday - timedelta(days=1), payload={"unusual": []})
    found = [
        unusual(north.agents[0], True, True),
        unusual(north.agents[1], False, False),
        unusual(south.agent, False, False),
    ]
    NightlyReport.objects.create(team=north.team, day=yesterday, payload={"unusual": found})
    NightlyReport.objects.create(team=south.team, day=DAY, payload={"unusual": [unusual(south.agent, False, False)]})
    client.force_login(north.lead)
    page = client.get("/admin/").context["performance"]
    assert [(word.who, word.is_good, word.why) for word in page.words] == [
        (north.agents[1].name, False, "Satisfaction: 75 %, lower than usual"),
        (north.agents[0].name, True, "Satisfaction: 75 %, higher than usual"),
    ]


def test_the_first_page_keeps_to_its_queries(client, hub, north, south):
    client.force_login(hub.lead)
    few = queries(client, "/admin/")
    for n in range(1, 9):
        team = make.team(f"More {n}", hub.team)
        make.agent(team)
        rows.team_day(team, DAY - timedelta(days=n), closed=n)
        QueueHalfHour.objects.create(queue=make.queue(team), day=DAY, started_at=NOW.replace(minute=0), offered=n)
    # Two of them open and close the scope of the request, and two more each place that looks beyond it.
    assert queries(client, "/admin/") == few <= 30


# -- one agent ----------------------------------------------------------------------------------------------------------


def test_a_leads_look_at_an_agent_is_written_down_and_read_by_the_agent(client, north):
    rows.agent_day(north.agent, contacts=3, closed=3)
    client.force_login(north.lead)
    for _twice in range(2):
        page = client.get(reverse("agent_figures", args=[north.agent.pk]))
        assert page.status_code == 200
    assert page.context["page"].closed == 3
    look = AccessRecord.objects.get(agent=north.agent)
    assert (look.viewer, look.door, look.times, look.seen_on) == (north.lead, "figures", 2, DAY)
    client.force_login(north.agent.user)
    body = client.get("/me/record/").content.decode()
    assert str(north.lead) in body
    assert "page of figures" in body


def test_foreign_and_missing_agents_are_one_answer_and_no_look_is_noted(client, hub, north, south):
    rows.agent_day(south.agent, contacts=3, closed=3)
    foreign = reverse("agent_figures", args=[south.agent.pk])
    for user in (north.lead, hub.hr, hub.payroll):
        client.force_login(user)
        answers = [client.get(address) for address in (foreign, reverse("agent_figures", args=[987654]))]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert south.agent.name not in answers[0].content.decode()
    client.force_login(north.agent.user)
    assert client.get(foreign).status_code == 302  # the admin is not for agents
    assert not AccessRecord.objects.exists()


def test_days_in_another_team_stay_with_that_team(client, north, south):
    """An agent who was lent to the north is seen there for those days, and not for the others."""
    Loan.objects.create(agent=south.agent, team=north.team, span=DateRange(DAY - timedelta(days=1), DAY))
    rows.agent_day(south.agent, DAY, contacts=9, closed=9)
    rows.agent_day(south.agent, DAY - timedelta(days=1), team=north.team, contacts=2, closed=2)
    address = reverse("agent_figures", args=[south.agent.pk])
    for user, closed in ((north.lead, 2), (south.lead, 9)):
        client.force_login(user)
        assert client.get(address).context["page"].closed == closed


# -- contacts -----------------------------------------------------------------------------------------------------------


def shown(client, **query):
    answer = client.get(CONTACTS, query)
    assert answer.status_code == 200, answer.headers
    return {row.pk for row in answer.context["cl"].result_list}


def test_contacts_of_seven_days_and_of_ones_own_team(client, hub, north, south):
    new, old = rows.contact(north.agent), rows.contact(north.agent, DAY - timedelta(days=8))
    foreign = rows.contact(south.agent)
    client.force_login(north.lead)
    assert shown(client) == {new.pk}
    assert shown(client, period="30") == {new.pk, old.pk}
    assert shown(client, period=f"{old.day}_{old.day}") == {old.pk}
    assert shown(client, period="garbage") == set()
    assert shown(client, team=str(south.team.pk)) == set()
    assert shown(client, agent=str(south.agent.pk)) == set()
    assert shown(client, q=foreign.external_id) == set()
    body = client.get(CONTACTS, {"period": "30"}).content.decode()
    assert south.team.name not in body
    assert south.agent.name not in body
    client.force_login(hub.lead)
    assert shown(client) == {new.pk, foreign.pk}
    client.force_login(hub.hr)
    assert client.get(CONTACTS).status_code == 403


def test_a_figure_leads_to_exactly_its_contacts(client, north):
    for n in range(6):
        rows.contact(north.agent, rating=Decimal("0.8") if n < 4 else None, is_resolved=None if n else True)
    rows.contact(north.agent, is_excluded=True, rating=Decimal(1))
    client.force_login(north.lead)
    assert len(shown(client, figure="satisfaction")) == 4
    assert len(shown(client, figure="closure")) == 1
    assert len(shown(client, figure="volume")) == 6
    assert len(shown(client)) == 7


def test_a_contact_opens_read_only_and_the_look_is_noted(client, north, south):
    contact, foreign = rows.contact(north.agent), rows.contact(south.agent)
    client.force_login(north.lead)
    page = client.get(f"{CONTACTS}{contact.pk}/change/")
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert AccessRecord.objects.get().door == "contact"
    assert client.get(f"{CONTACTS}{foreign.pk}/change/").status_code in {302, 404}
    assert AccessRecord.objects.count() == 1
    assert client.get(f"{CONTACTS}add/").status_code == 403


def test_the_list_of_contacts_keeps_to_its_queries(client, hub, north, south):
    client.force_login(hub.lead)
    rows.contact(north.agent, queue=make.queue(north.team))
    few = queries(client, CONTACTS)
    for _n in range(20):
        rows.contact(south.agent, queue=make.queue(south.team))
    assert queries(client, CONTACTS) == few


def test_counting_stops_at_ten_thousand(north, monkeypatch):
    from performance.admin import contacts

    monkeypatch.setattr(contacts, "COUNTED_AT_MOST", 3)
    for _n in range(5):
        rows.contact(north.agent)
    from performance.models import Contact

    assert contacts.CappedPaginator(Contact.objects.order_by("pk"), 2).count == 3


@pytest.mark.parametrize(
    ("wish", "span"),
    [
        ("1", (DAY, DAY)),
        ("7", (DAY - timedelta(days=6), DAY)),
        ("2026-11-01_2026-11-03", (date(2026, 11, 1), date(2026, 11, 3))),
        ("0", None),
        ("-3", None),
        ("9999999", None),
        ("2026-11-01_", None),
        ("a_b", None),
        ("1_2_3", None),
    ],
)
def test_periods(wish, span):
    from performance.admin.contacts import read_period

    assert read_period(wish, DAY) == span


def test_an_observer_of_one_team_sees_no_other(client, hub, north, south):
    observer = make.user("observer", is_staff=True)
    make.grant(observer, north.team, Grant.OBSERVE)
    own, _foreign = rows.contact(north.agent), rows.contact(south.agent)
    client.force_login(observer)
    assert shown(client) == {own.pk}
