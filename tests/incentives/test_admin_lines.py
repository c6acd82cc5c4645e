"""Lines in the admin: leads read what was reached and never what it is worth; what of a day is recorded, and by whom."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from approvals.models import ApprovalRequest
from incentives.models import Attainment, DayRecord, Entry
from incentives.plain.periods import month_of
from incentives.services import runs
from teams.models import Agent, Membership, PrivacyRules
from teams.scoping import Grant
from tests import make
from tests.incentives import ground, rows

LINES, RECORDS = "/admin/incentives/attainment/", "/admin/incentives/dayrecord/"
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
MONEY = ("313.37", "156.6", "0.01", "CNY")  # a wage, half of it, the unit of rounding, the currency


def text(answer) -> str:
    return answer.content.decode()


def step_names(answer) -> list[str]:
    told = answer.context["told"]()
    return [step.name for _state, steps in told.states for step in steps]


@pytest.fixture
def march(north, hub):
    """120 of 100, paid half of a day's wage; and a day whose satisfaction is below its gate."""
    ground.target(hub.team)
    ground.wage(north.agent, "313.37")
    plan = ground.plan(hub.team, hub.payroll)
    ground.day(north.agent, 2, 120)
    ground.day(north.agent, 3, 120, satisfied=80, rated=100)
    runs.calculate(plan.pk, month_of(ground.MONTH), now=NOW)
    return plan


def test_a_lead_sees_attainment_and_tier_and_no_money_by_no_door(march, north, hub, client):
    client.force_login(north.lead)
    line = Attainment.objects.get(begins="2026-03-02")
    page = client.get(f"{LINES}{line.pk}/change/")
    assert step_names(page) == ["Counted", "Target", "Attainment", "Tier", "Gates"]
    assert "120 ÷ 100 = 120 %" in text(page) and "Tier 2 of 2" in text(page)
    doors = [page, client.get(LINES), client.get(f"{LINES}?month=2026-03"), client.get(f"{LINES}{line.pk}/history/")]
    told = [text(door) for door in doors]
    told.append(b"".join(client.get(f"{LINES}download/csv/").streaming_content).decode())
    for words in told:
        assert not any(amount in words for amount in MONEY)
    assert "120.0 %" in told[1]
    for address in ("entry", "run", "batch", "simulation"):
        assert client.get(f"/admin/incentives/{address}/").status_code == 403


def test_payroll_sees_the_same_line_with_its_amounts(march, north, hub, client):
    client.force_login(hub.payroll)
    page = client.get(f"{LINES}{Attainment.objects.get(begins='2026-03-02').pk}/change/")
    assert step_names(page)[-3:] == ["Amount", "Gates", "Rounding"]
    assert "156.69 CNY" in text(page) and north.agent.name in text(page)
    assert "the posted amounts come to this line" in text(page)


def test_amounts_stay_shut_beyond_the_networks_of_the_organisation(march, hub, client):
    PrivacyRules.objects.update_or_create(defaults={"networks": "10.9.0.0/16"})
    client.force_login(hub.payroll)
    page = client.get(f"{LINES}{Attainment.objects.get(begins='2026-03-02').pk}/change/")
    assert step_names(page) == ["Counted", "Target", "Attainment", "Tier", "Gates"]
    assert "156.69" not in text(page) and "313.37" not in text(page)
    assert client.get("/admin/incentives/entry/").status_code == 409


def test_a_payroll_of_another_team_sees_no_amount_of_a_team_it_only_leads(march, north, south, client):
    both = make.user("both", is_staff=True)
    make.grant(both, north.team, Grant.LEAD)
    make.grant(both, south.team, Grant.SETTLE)
    client.force_login(both)
    page = client.get(f"{LINES}{Attainment.objects.get(begins='2026-03-02').pk}/change/")
    assert "Amount" not in step_names(page) and "156.69" not in text(page)
    assert "156.69" not in text(client.get("/admin/incentives/entry/"))


def test_whoever_has_moved_on_is_not_named_by_their_old_lines(march, north, south, hub, client):
    today = timezone.now().date()
    Membership.objects.filter(agent=north.agent).update(span=DateRange(make.LONG_AGO, today))
    Membership.objects.create(agent=north.agent, team=south.team, span=DateRange(today, None))
    Agent.objects.filter(pk=north.agent.pk).update(team=south.team, name="Renamed there")
    client.force_login(north.lead)
    page = client.get(LINES)
    assert page.context["cl"].result_count == 2 and "Renamed there" not in text(page)
    assert client.get(f"{LINES}?q=renamed").context["cl"].result_count == 0
    client.force_login(hub.payroll)
    assert "Renamed there" in text(client.get(LINES))
    assert client.get(f"{LINES}?q=renamed").context["cl"].result_count == 2


def test_lines_are_narrowed_to_a_month_and_bad_months_are_refused(march, north, client):
    client.force_login(north.lead)
    assert client.get(f"{LINES}?month=2026-03").context["cl"].result_count == 2
    assert client.get(f"{LINES}?month=2026-02").context["cl"].result_count == 0
    assert client.get(f"{LINES}?month=soon").status_code == 400


def test_a_lead_asks_for_a_gate_to_be_lifted(march, north, south, client):
    line = Attainment.objects.get(begins="2026-03-03")
    assert line.missed == "satisfaction"
    client.force_login(north.lead)
    assert "Gates not met" in text(client.get(f"{LINES}{line.pk}/change/"))
    client.post(f"{LINES}{line.pk}/lift/", {"gate": "satisfaction", "reason": "the survey was down"})
    request = ApprovalRequest.objects.get()
    assert (request.kind, request.requester, request.content["gate"]) == ("gate_override", north.lead, "satisfaction")
    bad = client.post(f"{LINES}{line.pk}/lift/", {"gate": "closure", "reason": "x"})
    assert "gate" in bad.context["form"].errors
    client.force_login(south.lead)
    assert client.post(f"{LINES}{line.pk}/lift/", {"gate": "satisfaction", "reason": "x"}).status_code == 404
    assert ApprovalRequest.objects.count() == 1


def test_the_button_to_lift_stands_only_where_a_gate_takes_something(march, north, client):
    client.force_login(north.lead)
    for day, stands in (("2026-03-02", False), ("2026-03-03", True)):
        line = Attainment.objects.get(begins=day)
        assert (f"{LINES}{line.pk}/lift/" in text(client.get(f"{LINES}{line.pk}/change/"))) is stands


# -- records -----------------------------------------------------------------------------------------------------------


def wish(agent, **more):
    today = timezone.now().date()
    return {"agent": agent.number, "day": today, "what": "leave", "amount": "240", "reason": "half a day", **more}


def test_minutes_are_recorded_and_removed(north, client):
    client.force_login(north.lead)
    answer = client.post(f"{RECORDS}record/", wish(north.agent))
    row = DayRecord.objects.get()
    assert answer.headers["Location"] == f"{RECORDS}{row.pk}/change/"
    assert (row.agent, row.amount, row.made_by) == (north.agent, Decimal(240), north.lead)
    assert north.agent.name in text(client.get(answer.headers["Location"]))
    client.post(f"{RECORDS}{row.pk}/remove/", {"reason": "a mistake"})
    assert not DayRecord.objects.exists()


def test_a_record_is_made_for_ones_own_people_alone(north, south, hub, client):
    client.force_login(north.lead)
    answer = client.post(f"{RECORDS}record/", wish(south.agent))
    assert "No agent of this number was found." in text(answer) and not DayRecord.objects.exists()
    client.force_login(hub.payroll)
    assert client.post(f"{RECORDS}record/", wish(south.agent)).status_code == 302
    client.force_login(north.lead)
    row = DayRecord.objects.get()
    assert client.post(f"{RECORDS}{row.pk}/remove/", {"reason": "x"}).status_code == 404
    assert south.agent.name not in text(client.get(RECORDS))


@pytest.mark.parametrize(
    "change", [{"amount": "-1"}, {"amount": "1441"}, {"what": "sun"}, {"day": "soon"}, {"what": "ramp", "amount": "2"},
               {"day": "2001-01-01"}, {"reason": ""}],
)  # fmt: skip
def test_what_cannot_be_recorded_is_refused(north, client, change):
    client.force_login(north.lead)
    answer = client.post(f"{RECORDS}record/", wish(north.agent, **change))
    assert answer.status_code == 200 and answer.context["form"].errors and not DayRecord.objects.exists()


# -- every list --------------------------------------------------------------------------------------------------------

READ_ONLY = ("correction", "gateoverride", "acknowledgement", "dayrecord", "attainment")


@pytest.mark.parametrize("name", READ_ONLY)
def test_rows_open_with_lead_or_settle_of_their_team(north, south, hub, client, name):
    pk = rows.build(hub, north)[f"incentives.{name}"]
    address = f"/admin/incentives/{name}/"
    for user, answer in ((north.lead, 200), (hub.payroll, 200), (south.lead, 404), (hub.trainer, 403)):
        client.force_login(user)
        assert client.get(f"{address}{pk}/change/").status_code == answer, user
    client.force_login(south.lead)
    assert client.get(address).context["cl"].result_count == 0
    client.force_login(north.lead)
    assert north.agent.name in text(client.get(address))


@pytest.mark.parametrize("name", [*READ_ONLY, "entry", "run", "batch"])
def test_lists_ask_the_same_for_one_row_and_for_three(north, south, hub, client, name):
    client.force_login(hub.payroll)
    counts = []
    for cast in (north, south):
        rows.build(hub, cast)
        client.get(f"/admin/incentives/{name}/")
        with CaptureQueriesContext(connection) as asked:
            assert client.get(f"/admin/incentives/{name}/").status_code == 200
        counts.append(len(asked))
    # Filters on a relation appear where there is more than one row to choose from; they ask no more for it.
    assert len(set(counts)) == 1, counts


@pytest.mark.parametrize("name", [*READ_ONLY, "entry", "run", "batch"])
def test_empty_lists_say_why_and_what_to_do(hub, client, name):
    client.force_login(hub.payroll)
    page = client.get(f"/admin/incentives/{name}/")
    found = page.context["cl"].empty
    assert found.links and "There are no" not in found.words


def test_old_days_of_an_entry_stay_out_of_the_list_of_a_lead(north, hub, client):
    rows.build(hub, north)
    assert Entry.objects.exists()
    client.force_login(north.lead)
    assert client.get("/admin/incentives/entry/").status_code == 403
    assert client.get(f"/admin/incentives/entry/{Entry.objects.get().pk}/change/").status_code == 403


def test_a_record_says_until_when_it_may_lie(north, client):
    client.force_login(north.lead)
    late = timezone.now().date() - timedelta(days=93)
    assert "92 days back" in text(client.post(f"{RECORDS}record/", wish(north.agent, day=late)))
