"""An agent's own pages of incentives: what today earns, the months, a line with all that led to it, and its dispute."""

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from approvals.models import ApprovalRequest
from approvals.services import deciding
from incentives.kinds.disputes import NAME
from incentives.models import Acknowledgement, Attainment, Correction, Entry
from incentives.plain.periods import month_of
from incentives.printing import statement_file
from incentives.reports.months import month_page
from incentives.services import runs
from teams.models import ViewAs
from tests import make
from tests.incentives import ground

pytestmark = pytest.mark.usefixtures("partitions")
NOW = datetime(2026, 4, 2, 12, tzinfo=UTC)
TODAY = NOW.date()
MARCH = month_of(date(2026, 3, 1))
HOME = "/me/incentives/"


@pytest.fixture
def someday():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def plan(someday, north, hub):
    ground.target(hub.team)
    ground.wage(north.agent)
    return ground.plan(hub.team, hub.payroll)


@pytest.fixture
def me(client, plan, north):
    client.force_login(north.agent.user)
    return north.agent


def text(answer) -> str:
    """What the page says, without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("&amp;", "&").split())


def line(agent, day: int) -> Attainment:
    return Attainment.objects.get(agent=agent, begins=date(2026, 3, day))


def calculated(plan, *days: tuple[int, int], agent) -> None:
    for day, closed in days:
        ground.day(agent, day, closed)
    runs.calculate(plan.pk, MARCH)


def looking_as(client, operator, person) -> None:
    """The operator's session looks as `person`."""
    look = ViewAs.objects.create(
        viewer=operator, person=person, reason="asked to help", started_at=timezone.now(),
        until=timezone.now() + timedelta(hours=1),
    )  # fmt: skip
    client.force_login(operator)
    session = client.session
    session["viewing_as"] = look.pk
    session.save()


# -- today ---------------------------------------------------------------------------------------------------------------


def test_today_tells_what_is_done_and_what_the_next_contacts_would_pay(client, me):
    ground.day(me, TODAY, 90)
    page = text(client.get(HOME))
    assert "90 done, 10 to go" in page and "Asked: 100, reached: 90 %" in page
    assert "So far 0.00 CNY" in page
    assert "20 more and it is 60.00 CNY" in page and "30 more and it is 150.00 CNY" in page
    assert "Satisfaction: 95 of 100, 90 % needs 90; met" in page
    assert "from 110 %: 20 % of a day's wage; from 120 %: 50 % of a day's wage".replace("'", "&#x27;") in page


def test_what_if_is_worked_out_by_the_server(client, me):
    ground.day(me, TODAY, 90)
    assert "With 20 more it is 60.00 CNY." in text(client.get(HOME, {"more": 20}))
    assert "With 29 more it is 60.00 CNY." in text(client.get(HOME, {"more": 29}))
    assert "With 30 more it is 150.00 CNY." in text(client.get(HOME, {"more": 30}))
    for wish in ("-1", "x", "1" * 30, "²", "10001"):
        page = text(client.get(HOME, {"more": wish}))
        assert "Write how many more as a whole number" in page and "With " not in page


def test_a_day_that_has_been_is_told_with_its_line(client, me, plan):
    calculated(plan, (2, 112), agent=me)
    page = client.get(HOME, {"day": "2026-03-02"})
    assert "112 done, 12 over target" in text(page) and "60.00 CNY" in text(page)
    assert reverse("my_line", args=[line(me, 2).pk]) in page.content.decode()


def test_without_a_plan_without_a_wage_and_before_the_first_contact(client, me, plan, north):
    assert "Nothing is counted yet." in text(client.get(HOME))
    assert "No incentive plan holds for you on this day." in text(client.get(HOME, {"day": "2025-12-31"}))
    me.compensations.update(currency="EUR")
    ground.day(me, TODAY, 90)
    page = text(client.get(HOME))
    assert "the wage is in another currency than the plan" in page and "90 done, 10 to go" in page
    assert "CNY" not in page.partition("The plan in words")[0] and "more and it is" not in page


def test_a_plan_is_read_once(client, me, plan, south):
    ground.day(me, TODAY, 90)
    version = ground.version(plan)
    assert "Please read your plan" in text(client.get(HOME))
    answer = client.post(reverse("my_plan_read", args=[version.pk]), follow=True)
    assert "Noted: you have read the plan." in text(answer) and "Please read your plan" not in text(answer)
    client.post(reverse("my_plan_read", args=[version.pk]))
    noted = Acknowledgement.objects.get()
    assert (noted.agent, noted.version) == (me, version)
    foreign = ground.version(ground.plan(south.team, south.lead, name="South"))
    for pk in (foreign.pk, 10**9):
        assert client.post(reverse("my_plan_read", args=[pk])).status_code == 404
    assert client.get(reverse("my_plan_read", args=[version.pk])).status_code == 405


def test_my_day_leads_to_what_it_earns_and_asks_nothing_for_it(client, me):
    ground.day(me, TODAY, 115)
    client.get("/me/")
    with CaptureQueriesContext(connection) as found:
        page = client.get("/me/").content.decode()
    assert f"{reverse('my_incentives')}?day={TODAY.isoformat()}" in page and "What today earns" in page
    assert not [query["sql"] for query in found if "incentives_" in query["sql"]]


def test_pages_are_for_agents(client, plan, hub, north):
    client.force_login(north.lead)
    for name in ("my_incentives", "my_statements", "my_statement", "my_statement_pdf"):
        assert client.get(reverse(name)).status_code == 403
    assert client.post(reverse("my_plan_read", args=[1])).status_code == 403


# -- months --------------------------------------------------------------------------------------------------------------


def test_a_month_line_by_line(client, me, plan):
    calculated(plan, (2, 95), (3, 112), (4, 121), agent=me)
    page = client.get(reverse("my_statement"), {"month": "2026-03"})
    sums = page.context["page"].statement.sums
    assert sums == {"CNY": Decimal("210")}
    told = [
        (each.done, each.target, each.row.attained, each.row.reached, each.row.amount)
        for each in page.context["page"].rows
    ]
    assert told == [
        ("95", "100", "95.0 %", 0, Decimal(0)),
        ("112", "100", "112.0 %", 1, Decimal(60)),
        ("121", "100", "121.0 %", 2, Decimal(150)),
    ]
    assert "210.00 CNY" in text(page) and "Bonus, version 1" in text(page)
    assert "?month=2026-02" in page.content.decode() and "?month=2026-04" in page.content.decode()


def test_what_is_found_out_later_is_a_difference_of_a_later_month(client, me, plan):
    calculated(plan, (2, 118), agent=me)
    plan.runs.update(stage="locked")
    me.days.update(closed=120, closed_simple=120)
    runs.calculate(plan.pk, MARCH)
    page = client.get(reverse("my_statement"), {"month": "2026-04"})
    (told,) = page.context["page"].corrections
    assert (told.row.begins, told.row.amount, told.done) == (date(2026, 3, 2), Decimal(90), "120")
    assert "Differences for earlier months" in text(page) and "90.00 CNY" in text(page)
    assert reverse("my_line", args=[line(me, 2).pk]) in page.content.decode()
    march = client.get(reverse("my_statement"), {"month": "2026-03"})
    assert march.context["page"].statement.sums == {"CNY": Decimal(60)}


def test_caps_are_lines_of_their_own(client, someday, north, hub):
    ground.target(hub.team)
    ground.wage(north.agent)
    plan = ground.plan(hub.team, hub.payroll, cap={"of": "amount", "value": "100", "excess": "carried"})
    calculated(plan, (2, 120), agent=north.agent)
    runs.send_to_review(plan.runs.get().pk, by=hub.payroll)
    client.force_login(north.agent.user)
    assert "Over the cap -50.00 CNY" in text(client.get(reverse("my_statement"), {"month": "2026-03"}))
    april = text(client.get(reverse("my_statement"), {"month": "2026-04"}))
    assert "Carried over from March 2026 50.00 CNY" in april


def test_months_are_listed_newest_first_and_paged(client, me, plan):
    assert "There is no month yet." in text(client.get(reverse("my_statements")))
    calculated(plan, (2, 112), (3, 95), agent=me)
    page = text(client.get(reverse("my_statements")))
    assert "2026-03 60.00 CNY 2 lines calculated" in page
    first = MARCH.first
    for _back in range(13):
        first = (first - timedelta(days=1)).replace(day=1)
        Attainment.objects.create(
            agent=me, team=me.team, version=ground.version(plan), begins=first, ends=first, facts={}, digest="x"
        )
    shown = client.get(reverse("my_statements")).context["months"]
    assert [month.month for month in shown][:2] == [date(2026, 3, 1), date(2026, 2, 1)] and len(shown) == 12
    assert len(client.get(reverse("my_statements"), {"page": 2}).context["months"]) == 2


@pytest.mark.parametrize("wish", ["2026-13", "x", "2026-03-01", "0000-01", "9999-12"])
def test_a_month_that_is_none_is_said_and_this_one_shown(client, me, wish):
    page = client.get(reverse("my_statement"), {"month": wish})
    assert page.status_code == 200 and page.context["month"] == month_of(TODAY)
    assert f"{wish} is not a month" in text(page) or f"{wish} has not begun yet" in text(page)
    assert "Nothing is counted for this month." in text(page)


def test_a_month_asks_the_same_queries_whatever_stands_in_it(client, me, plan):
    def asked() -> int:
        client.get(reverse("my_statement"), {"month": "2026-03"})
        with CaptureQueriesContext(connection) as found:
            client.get(reverse("my_statement"), {"month": "2026-03"})
        return len(found)

    calculated(plan, (2, 112), agent=me)
    one = asked()
    calculated(plan, (3, 112), (4, 121), (5, 130), agent=me)
    assert asked() == one


def test_the_file_has_every_line_and_is_chinese_where_the_reader_is(client, me, plan, monkeypatch):
    monkeypatch.setattr("reportlab.rl_config.pageCompression", 0)  # so that its words can be read
    calculated(plan, *((day, 121) for day in range(1, 32)), agent=me)
    english = client.get(reverse("my_statement_pdf"), {"month": "2026-03"})
    assert english.content.count(b"(150.00 CNY)") == 31 and b"(4,650.00 CNY)" in english.content
    for words in (b"2026-03-31", me.number.encode(), b"Bonus, version 1", b"(Page 1 of 1)"):
        assert words in english.content
    assert english.headers["Content-Type"] == "application/pdf" and english.content.startswith(b"%PDF")
    assert f"{me.number}-2026-03.pdf" in english.headers["Content-Disposition"]
    assert b"STSong" not in english.content
    client.cookies["django_language"] = "zh-hans"
    assert b"STSong-Light" in client.get(reverse("my_statement_pdf"), {"month": "2026-03"}).content


def test_a_long_file_has_numbered_pages_and_its_head_on_each(plan, north, monkeypatch):
    monkeypatch.setattr("reportlab.rl_config.pageCompression", 0)
    calculated(plan, *((day, 121) for day in range(1, 32)), agent=north.agent)
    page = month_page(north.agent, MARCH, Entry.objects.all(), Attainment.objects.all())
    file = statement_file(replace(page, corrections=page.rows * 2), NOW)
    pages = int(re.search(rb"\(Page 1 of (\d+)\)", file)[1])
    assert pages == 3 and all(f"(Page {number} of 3)".encode() in file for number in (1, 2, 3))
    assert file.count(b"(Attainment)") == 4  # of two tables, one of them over three pages


def test_a_name_that_needs_other_letters_gets_them_in_english_too(client, me, plan):
    me.name = "王小明"
    me.save()
    assert b"STSong-Light" in client.get(reverse("my_statement_pdf")).content


# -- a line --------------------------------------------------------------------------------------------------------------


def test_a_line_tells_every_state_and_leads_to_its_contacts(client, me, plan):
    calculated(plan, (2, 118), agent=me)
    me.days.update(closed=120, closed_simple=120)
    runs.calculate(plan.pk, MARCH)
    page = client.get(reverse("my_line", args=[line(me, 2).pk]))
    words, marks = text(page), page.content.decode()
    assert "As it was posted first" in words and "118 ÷ 100 = 118 %" in words and "300 × 20 % = 60" in words
    assert "As it is known now" in words and "120 ÷ 100 = 120 %" in words and "300 × 50 % = 150" in words
    assert "+90.00 CNY" in words and "150.00 CNY" in words
    for figure, count in (
        ("closed_simple", "120 closed, simple"),
        ("satisfaction&amp;part=hit", "95 rated satisfied"),
        ("satisfaction", "100 rated"),
        ("closure&amp;part=hit", "95 resolved"),
        ("closure", "100 with a known outcome"),
    ):
        assert f'/me/contacts/?day=2026-03-02&amp;figure={figure}">{count}' in marks


def test_a_line_that_pays_nothing_names_no_base(client, me, plan):
    calculated(plan, (2, 95), agent=me)
    words = text(client.get(reverse("my_line", args=[line(me, 2).pk])))
    assert "No tier: the first begins at 110 %" in words and "Base" not in words and "0.00 CNY" in words


def test_a_line_of_a_week_shows_each_of_its_days(client, someday, north, hub):
    ground.target(hub.team)
    ground.wage(north.agent)
    plan = ground.plan(hub.team, hub.payroll, period="week")
    calculated(plan, (2, 112), (3, 115), agent=north.agent)
    client.force_login(north.agent.user)
    marks = client.get(reverse("my_line", args=[line(north.agent, 2).pk])).content.decode()
    assert "?day=2026-03-02&amp;figure=closed_simple" in marks and "?day=2026-03-03&amp;figure=closed_simple" in marks


def test_lines_of_others_are_not_there(client, me, plan, north, hub):
    other = north.agents[1]
    ground.wage(other)
    calculated(plan, (2, 120), agent=other)
    pk = line(other, 2).pk
    for name in ("my_line", "my_line_dispute"):
        for each in (pk, 10**9):
            assert client.get(reverse(name, args=[each])).status_code == 404
    assert client.post(reverse("my_line_dispute", args=[pk]), {}).status_code == 404
    for name in ("my_statement", "my_statements"):
        assert "150.00" not in text(client.get(reverse(name), {"month": "2026-03"}))


# -- disputes ------------------------------------------------------------------------------------------------------------

WISH = {"on": "2026-03-02", "reason": "missing", "closed_simple": "2", "evidence": "Two chats of Monday are missing."}


def test_a_dispute_is_handed_in_decided_and_paid(client, me, plan, north, hub):
    calculated(plan, (2, 118), agent=me)
    pk = line(me, 2).pk
    form = client.get(reverse("my_line_dispute", args=[pk])).context["form"]
    assert {"attainment", "version", "words"}.isdisjoint(form.fields) and form["on"].value() == date(2026, 3, 2)
    answer = client.post(reverse("my_line_dispute", args=[pk]), WISH)
    asked = ApprovalRequest.objects.get(kind=NAME)
    assert answer.headers["Location"] == reverse("my_request", args=[asked.pk])
    assert (asked.requester, asked.content["closed_simple"]) == (me.user, 2)
    page = text(client.get(reverse("my_line", args=[pk])))
    assert "Your dispute of this line is open." in page and "Dispute this line" not in page
    again = client.post(reverse("my_line_dispute", args=[pk]), WISH)
    assert again.status_code == 422 and "is still open" in text(again)
    for by in (north.lead, hub.payroll):
        deciding.approve(asked.pk, by=by)
    assert Correction.objects.get().by_how_much == 2
    page = text(client.get(reverse("my_line", args=[pk])))
    assert "+2 closed, simple" in page and "150.00 CNY" in page and "Dispute this line" in page


@pytest.mark.parametrize(
    ("more", "complaint"),
    [
        ({"on": "2026-03-03"}, "This day is not of the line."),
        ({"closed_simple": "0"}, "Say which count is wrong"),
        ({"closed_simple": ""}, "Say which count is wrong"),
        ({"closed_simple": "1001"}, "less than or equal to 1000"),
        ({"evidence": ""}, "This field is required."),
        ({"reason": "because"}, "Select a valid choice."),
        ({"on": "soon"}, "Enter a valid date."),
    ],
)
def test_a_dispute_that_cannot_be_is_refused_on_its_form(client, me, plan, more, complaint):
    calculated(plan, (2, 118), agent=me)
    answer = client.post(reverse("my_line_dispute", args=[line(me, 2).pk]), {**WISH, **more})
    assert answer.status_code == 422 and complaint in text(answer)
    assert not ApprovalRequest.objects.exists()


def test_the_time_for_disputes_ends(client, me, plan):
    calculated(plan, (2, 118), agent=me)
    pk = line(me, 2).pk
    with time_machine.travel(datetime(2026, 4, 10, 12, tzinfo=UTC), tick=False):
        client.force_login(me.user)
        assert "Dispute this line" in text(client.get(reverse("my_line", args=[pk])))
    with time_machine.travel(datetime(2026, 4, 11, 12, tzinfo=UTC), tick=False):
        client.force_login(me.user)
        assert "This line could be disputed until 10 Apr 2026." in text(client.get(reverse("my_line", args=[pk])))
        assert "could be disputed until" in text(client.post(reverse("my_line_dispute", args=[pk]), WISH))
    assert not ApprovalRequest.objects.exists()


# -- whoever looks as the agent ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["step", "whole_volume"])
def test_whoever_looks_as_an_agent_reads_counts_and_no_amount(client, someday, north, hub, kind):
    more = {"kind": kind, "tiers": json.loads('[{"from": "1.1", "to": null, "pays": "0.77"}]')}
    ground.target(hub.team)
    ground.wage(north.agent)
    plan = ground.plan(hub.team, hub.payroll, **more)
    calculated(plan, (2, 120), agent=north.agent)
    ground.day(north.agent, TODAY, 120)
    amount = f"{Entry.objects.get().amount:.2f}"
    looking_as(client, hub.operator, north.agent.user)
    for address in (
        "/me/",
        HOME,
        f"{HOME}?more=5",
        reverse("my_statements"),
        f"{reverse('my_statement')}?month=2026-03",
        reverse("my_line", args=[line(north.agent, 2).pk]),
    ):
        answer = client.get(address)
        assert answer.status_code == 200
        assert amount not in text(answer) and "300" not in text(answer), address
    assert "120" in text(client.get(f"{reverse('my_statement')}?month=2026-03"))
    assert client.get(reverse("my_statement_pdf")).status_code == 409


def test_an_agent_without_a_team_has_the_pages_too(client, someday):
    agent = make.agent(None, "Nobody's", user=make.user("loner"))
    client.force_login(agent.user)
    assert "No incentive plan holds for you" in text(client.get(HOME))
    assert "There is no month yet." in text(client.get(reverse("my_statements")))
