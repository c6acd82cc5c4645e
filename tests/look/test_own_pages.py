"""An agent's own pages: own rows only, figures that equal the rollups and the rows behind them."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
import time_machine
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from performance import words
from performance.metrics import METRICS, Unit
from performance.models import AgentDay, Contact, DayTouch, Leg, PhoneReveal, Target
from performance.reports import behind, mine
from teams import audit
from tests import make
from tests.look import rows
from tests.look.rows import DAY, NOW

pytestmark = pytest.mark.usefixtures("partitions")
MOST_QUERIES = 18  # of these, two open and close the scope of the request, and two each place that looks beyond it


def target(team, metric="volume", value=100, role="", span=None):
    return Target.objects.create(team=team, metric=metric, value=value, role=role, span=span or DateRange(None, None))


@pytest.fixture
def someday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def me(client, north, someday):
    client.force_login(north.agent.user)
    return north.agent


def queries(client, path):
    client.get(path)
    with CaptureQueriesContext(connection) as found:
        assert client.get(path).status_code == 200
    return len(found)


@pytest.mark.parametrize(
    ("done", "goal", "english", "chinese"),
    [
        (90, 100, "90 done, 10 to go", "已完成 90，还差 10"),
        (100, 100, "100 done, target reached", "已完成 100，已达目标"),
        (104, 100, "104 done, 4 over target", "已完成 104，超出目标 4"),
        (90, None, "90 done", "已完成 90"),
        (0, 100, "0 done, 100 to go", "已完成 0，还差 100"),
        (1, Decimal("1.5"), "1 done, 1 to go", "已完成 1，还差 1"),
    ],
)
def test_a_day_in_words(done, goal, english, chinese):
    progress = mine.progress_of({"closed": done}, goal)
    assert progress.words == english
    with translation.override("zh-hans"):
        assert progress.words == chinese


def test_a_day_without_target_says_so_in_both_languages(client, me):
    rows.agent_day(me, contacts=3, closed=3)
    assert "No target is set for this day" in client.get("/me/").content.decode()
    client.cookies["django_language"] = "zh-hans"
    assert "这一天未设目标" in client.get("/me/").content.decode()


def test_figures_equal_rollup_and_rows(client, me, north):
    for n in range(12):
        rows.contact(
            me, complexity="complex" if n % 3 == 0 else "simple", handle_seconds=100 + n, is_resolved=n % 4 != 0,
            rating=Decimal(n % 5) / 4, handle_method="gap" if n == 1 else "measured", reopen_count=n == 2,
        )  # fmt: skip
    rows.contact(me, is_excluded=True)
    rows.contact(me, is_answered=False)
    rows.contact(me, is_bot_only=True)
    rows.contact(me, ended_at=None, handle_seconds=None)
    rows.contact(north.agents[1])
    rollup = rows.rolled_up(me)
    page = client.get("/me/").context["page"]
    assert (page.contacts, page.progress.done) == (13, 12)
    assert page.progress.done == rollup.closed
    for figure in (*page.figures, *(part.time for part in page.parts)):
        metric = METRICS[figure.id]
        assert figure.numerator == getattr(rollup, metric.numerator), figure.id
        if metric.denominator != "agent_days":
            assert figure.denominator == getattr(rollup, metric.denominator)
            if figure.denominator:
                assert figure.value == Fraction(figure.numerator, figure.denominator)
        if figure.rests_on and metric.denominator != "agent_days":
            shown = client.get("/me/contacts/", {"figure": figure.id}).context["contacts"].paginator.count
            assert shown == figure.denominator, figure.id
        if figure.hits:
            shown = (
                client.get("/me/contacts/", {"figure": figure.id, "part": "hit"}).context["contacts"].paginator.count
            )
            assert shown == figure.numerator, figure.id
    for measure in behind.MEASURE_ROWS:
        assert Contact.objects.filter(behind.MEASURE_ROWS[measure], agent=me, day=DAY).count() == getattr(
            rollup, measure
        )
    everything = client.get("/me/contacts/").context["contacts"].paginator.count
    assert everything == 16  # the uncounted ones too, marked as such
    assert client.get("/me/contacts/").content.decode().count("not counted") == 3


def test_days_with_two_teams_add_up(client, me, south):
    rows.agent_day(me, contacts=3, closed=3, timed=3, handle_seconds=600)
    rows.agent_day(me, team=south.team, contacts=5, closed=4, timed=5, handle_seconds=1000)
    target(south.team, value=6)
    page = client.get("/me/").context["page"]
    assert (page.contacts, page.progress.done, page.progress.target) == (8, 7, 6)  # the team of most of the day decides
    talk = next(figure for figure in page.figures if figure.id == "talk_time")
    assert (talk.numerator, talk.denominator) == (1600, 1)


def test_nobody_elses_rows_are_found(client, me, north, south):
    foreign = [rows.contact(north.agents[1]), rows.contact(south.agent)]
    own = rows.contact(me, phone_mask="138****0001")
    rows.agent_day(north.agents[1], contacts=7654321, closed=7654321)
    for contact in foreign:
        assert client.get(f"/me/contacts/{contact.pk}/").status_code == 404
    assert client.get("/me/contacts/999999999999999999999999/").status_code == 404
    assert "138****0001" in client.get(f"/me/contacts/{own.pk}/").content.decode()
    assert [row.pk for row in client.get("/me/contacts/").context["contacts"]] == [own.pk]
    for path in ("/me/", "/me/days/", "/me/contacts/", "/me/record/"):
        body = client.get(path).content.decode()
        assert north.agents[1].name not in body
        assert south.agent.name not in body
        assert "7654321" not in body


def test_a_contact_names_no_colleague(client, me, north):
    contact = rows.contact(me)
    for agent in (me, north.agents[1]):
        Leg.objects.create(
            source=contact.source, run=contact.run, contact_external=contact.external_id, agent=agent, team=agent.team,
            agent_external=agent.name, started_at=contact.opened_at, day=DAY, zone="UTC",
        )  # fmt: skip
    body = client.get(f"/me/contacts/{contact.pk}/").content.decode()
    assert "a colleague" in body
    assert north.agents[1].name not in body


def test_the_day_is_that_of_the_agents_own_zone(client, north, someday):
    agent = make.agent(north.team, "Far", zone="Pacific/Auckland", user=make.user("far", zone="America/New_York"))
    client.force_login(agent.user)
    DayTouch.objects.create(zone="Pacific/Auckland", day=date(2026, 11, 20), touched_at=NOW)
    page = client.get("/me/")
    assert page.context["page"].today == date(2026, 11, 20)
    assert "20 Nov 2026, 23:35" in page.content.decode()
    with time_machine.travel(NOW + timedelta(hours=1)):
        client = Client()
        client.force_login(agent.user)
        assert client.get("/me/").context["page"].today == date(2026, 11, 21)


@pytest.mark.parametrize("wish", ["garbage", "2026-13-40", "2026-11-21", "20261120x", "9999-99-99"])
def test_a_wrong_day_is_said_and_today_shown(client, me, wish):
    answer = client.get("/me/", {"day": wish})
    assert answer.status_code == 200
    assert answer.context["page"].day == DAY
    assert wish in answer.content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "x", "1001", "99999999999999999999"])
def test_a_wrong_page_is_the_first(client, me, page):
    assert client.get("/me/days/", {"page": page}).context["page"].last == DAY


def test_an_unknown_figure_is_said(client, me):
    rows.contact(me)
    answer = client.get("/me/contacts/", {"figure": "beauty"})
    assert "No figure is called beauty" in answer.content.decode()
    assert answer.context["contacts"].paginator.count == 1


def test_thirty_days_and_the_thirty_before(client, me):
    for back in (0, 1, 29, 30, 45):
        rows.agent_day(me, DAY - timedelta(days=back), contacts=back + 1, closed=back + 1)
    first = client.get("/me/days/").context["page"]
    assert [line.day for line in first.lines] == [DAY, DAY - timedelta(days=1), DAY - timedelta(days=29)]
    assert first.closed == 1 + 2 + 30
    assert (first.older, first.newer) == (2, None)
    second = client.get("/me/days/", {"page": 2}).context["page"]
    assert [line.progress.done for line in second.lines] == [31, 46]
    assert (second.older, second.newer) == (None, 1)
    assert len(second.chart["labels"]) == 30


def test_the_nearest_team_decides_then_the_role(hub, north, me):
    target(hub.team, value=200, role="agent")
    target(hub.team, value=150)
    assert goal(me, DAY) == 200
    target(north.team, value=90, span=DateRange(DAY, DAY + timedelta(days=1)))
    assert goal(me, DAY) == 90  # nearer, though it names no role
    target(north.team, value=80, role="agent", span=DateRange(DAY, None))
    target(north.team, value=10, role="mentor")
    assert goal(me, DAY) == 80
    assert goal(me, DAY + timedelta(days=1)) == 80
    assert goal(me, DAY - timedelta(days=1)) == 200


def goal(agent, day):
    ask = mine.goals({agent.team_id}, agent.role, DAY - timedelta(days=5), DAY + timedelta(days=5))
    assert ask(agent.team_id, day, "satisfaction") == Decimal("0.9")  # nobody set one: the registry's own
    return ask(agent.team_id, day, "volume")


def test_few_cases_are_marked_and_not_judged(client, me):
    rows.agent_day(me, contacts=4, closed=4, rated=4, satisfied=1)
    figure = next(f for f in client.get("/me/").context["page"].figures if f.id == "satisfaction")
    assert figure.rests_on_few
    assert figure.verdict == ""
    assert "rests on few contacts" in client.get("/me/").content.decode()


def test_empty_pages_say_what_to_do(client, me):
    assert "your name at the platform may not be linked" in client.get("/me/").content.decode()
    assert "Your trend appears here" in client.get("/me/days/").content.decode()
    assert "Choose another day above" in client.get("/me/contacts/").content.decode()
    assert "Nobody has opened your figures yet" in client.get("/me/record/").content.decode()


def test_the_record_says_who_looked(client, me, north, south):
    audit.record_look(me, north.lead, "figures", on=DAY)
    audit.record_look(me, north.lead, "figures", on=DAY)
    audit.record_look(north.agents[1], south.lead, "figures", on=DAY)
    page = client.get("/me/record/").context["page"]
    assert [(look.viewer, look.times, look.seen_on) for look in page.seen] == [(str(north.lead), 2, DAY)]
    body = client.get("/me/record/").content.decode()
    assert "movements of the mouse" in body
    assert "rating comment" in body  # named from the model itself
    assert north.team.name in body


def test_the_own_pages_hold_nothing_of_colleagues(client, north, south, someday):
    """Each of three people finds one of everything: the own."""
    people = (*north.agents, south.agent)
    for number, agent in enumerate(people, start=1):
        for back in range(number):
            rows.agent_day(agent, DAY - timedelta(days=back), closed=number, contacts=number)
        contact = rows.contact(agent, external_id=f"of-{number}")
        PhoneReveal.objects.create(
            contact_id=contact.pk, external_id=f"of-{number}", team=agent.team, agent=agent, viewer=north.lead,
            reason="call_back", note=f"for {number}",
        )  # fmt: skip
    for number, agent in enumerate(people, start=1):
        client.force_login(agent.user)
        page = client.get("/me/record/").context["page"]
        assert [look.note for look in page.reveals] == [f"for {number}"]
        assert [zone.agent for zone in page.zones] == [agent]
        assert [stay.team for stay in page.stays] == [agent.team.name]
        assert page.days == number
        assert client.get(f"/me/?day={DAY}").context["agent"] == agent
        contacts = client.get(f"/me/contacts/?day={DAY}").context["contacts"]
        assert [each.external_id for each in contacts] == [f"of-{number}"]
        other = Contact.objects.exclude(agent=agent).first()
        assert client.get(f"/me/contacts/{other.pk}/").status_code == 404


def test_looks_have_a_second_page(client, me, north):
    for back in range(25):
        audit.record_look(me, north.lead, "figures", on=DAY - timedelta(days=back))
    assert len(client.get("/me/record/").context["page"].seen) == 20
    assert len(client.get("/me/record/?page=2").context["page"].seen) == 5


@pytest.mark.parametrize("path", ["/me/", "/me/days/", "/me/contacts/", "/me/record/"])
def test_queries_do_not_grow(client, me, north, path):
    target(north.team)
    rows.contact(me)
    rows.agent_day(me, contacts=1, closed=1)
    audit.record_look(me, north.lead, "figures", on=DAY)
    few = queries(client, path)
    for n in range(1, 8):
        rows.contact(me)
        rows.agent_day(me, DAY - timedelta(days=n), contacts=n, closed=n)
        audit.record_look(me, north.lead, "figures", on=DAY - timedelta(days=n))
        target(
            north.team,
            metric="volume",
            value=n,
            role="agent" if n == 1 else "mentor",
            span=DateRange(date(2026, n, 1), date(2026, n, 2)),
        )
    assert queries(client, path) == few <= MOST_QUERIES


def test_a_contacts_page_keeps_to_its_queries(client, me):
    assert queries(client, f"/me/contacts/{rows.contact(me).pk}/") <= MOST_QUERIES


def test_words_are_rounded_once_and_half_up():
    assert words.percent(Fraction(2, 3)) == "66.7 %"
    assert words.percent(Fraction(1)) == "100 %"
    assert words.percent(Fraction(12345, 100000)) == "12.3 %"
    assert words.percent(Fraction(1235, 10000)) == "12.4 %"
    assert words.duration(59) == "59 s"
    assert words.duration(Fraction(119, 2)) == "1 min"
    assert words.duration(312) == "5 min 12 s"
    assert words.duration(14400) == "4 h"
    assert words.duration(3600 + 59 * 60 + 40) == "2 h"
    assert words.shown(None, Unit.SHARE) == "–"
    assert words.shown(12345, Unit.COUNT) == "12,345"


def test_own_rows_need_no_grant_and_grants_open_no_own_page(client, north, someday):
    client.force_login(north.lead)
    assert client.get("/me/").status_code == 403
    assert not AgentDay.objects.about(north.lead).exists()
