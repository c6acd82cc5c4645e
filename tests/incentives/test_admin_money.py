"""Runs, entries and batches in the admin: payroll's alone, each step by the right person, each file noted."""

from datetime import UTC, datetime
from decimal import Decimal
from io import BytesIO

import pytest
from openpyxl import load_workbook

from approvals.models import ApprovalRequest
from incentives.models import Batch, BatchDownload, Entry, Run
from incentives.plain import reference
from incentives.plain.periods import month_of
from incentives.services import runs
from teams.models import PrivacyRules
from teams.scoping import Grant
from tests import make
from tests.incentives import ground

RUNS, ENTRIES, BATCHES = (f"/admin/incentives/{name}/" for name in ("run", "entry", "batch"))
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)


def text(answer) -> str:
    return answer.content.decode()


@pytest.fixture
def march(north, hub):
    """Two people of north: one is paid 150, the other has no wage."""
    ground.target(hub.team)
    ground.wage(north.agent)
    plan = ground.plan(north.team, hub.payroll)
    ground.day(north.agents[0], 2, 120)
    ground.day(north.agents[1], 2, 130)
    return runs.calculate(plan.pk, month_of(ground.MONTH), now=NOW)


@pytest.fixture
def payroll(hub, client):
    client.force_login(hub.payroll)
    return client


@pytest.fixture
def second(hub):
    clerk = make.user("second", is_staff=True)
    make.grant(clerk, hub.team, Grant.SETTLE)
    return clerk


@pytest.fixture
def batch(march, north, hub, payroll, second, client):
    """A batch that payroll has made of a run which a second person has approved."""
    ground.wage(north.agents[1], "200")
    payroll.post(f"{RUNS}{march.pk}/calculate/")
    payroll.post(f"{RUNS}{march.pk}/review/", {})
    client.force_login(second)
    client.post(f"{RUNS}{march.pk}/approve/", {})
    client.force_login(hub.payroll)
    payroll.post(f"{RUNS}{march.pk}/pay/", {"pay_on": "2026-04-30", "reason": "March"})
    return Batch.objects.get()


def test_the_page_of_a_run_tells_what_stands_in_its_way(march, north, payroll):
    page = payroll.get(f"{RUNS}{march.pk}/change/")
    (lacking,) = page.context["lacking"]()
    assert (lacking.number, lacking.lines, lacking.first) == (north.agents[1].number, 1, ground.MONTH.replace(day=2))
    for words in ("150.00 CNY", "no wage is entered", north.agents[1].name, f"{ENTRIES}?month=2026-03"):
        assert words in text(page), words
    refused = payroll.post(f"{RUNS}{march.pk}/review/", {})
    assert "1 line has no daily wage" in text(refused)
    assert Run.objects.get().stage == "calculated"


def test_a_run_goes_its_way_and_nobody_approves_their_own(march, north, hub, payroll):
    ground.wage(north.agents[1], "200")
    payroll.post(f"{RUNS}{march.pk}/calculate/")
    payroll.post(f"{RUNS}{march.pk}/review/", {"reason": "complete"})
    run = Run.objects.get()
    assert (run.stage, run.reviewed_by, run.sums) == ("in_review", hub.payroll, {"CNY": "250"})
    assert "somebody else has to approve it" in text(payroll.post(f"{RUNS}{march.pk}/approve/", {}))
    payroll.post(f"{RUNS}{march.pk}/send-back/", {"reason": "one day is wrong"})
    assert Run.objects.get().stage == "calculated"


def test_where_the_calculators_differ_nothing_is_posted_and_the_page_says_so(march, north, payroll, monkeypatch):
    ground.day(north.agent, 3, 125)
    monkeypatch.setattr(reference, "amount", lambda *_given: (Decimal(0), Decimal(0)))
    refused = payroll.post(f"{RUNS}{march.pk}/calculate/")
    assert "The two calculators do not come to the same" in text(refused)
    assert Entry.objects.count() == 1


def test_a_batch_is_made_asked_for_and_released_by_somebody_else(batch, hub, payroll, second, client):
    assert (batch.state, batch.count, batch.sums, str(batch.pay_on)) == ("made", 2, {"CNY": "250.0000"}, "2026-04-30")
    page = text(payroll.get(f"{BATCHES}{batch.pk}/change/"))
    assert batch.checksum in page and "250.00 CNY" in page and "Somebody else has to release" in page
    payroll.post(f"{BATCHES}{batch.pk}/release/", {"reason": "pay March"})
    assert ApprovalRequest.objects.get().kind == "payout_release"
    assert "/admin/approvals/approvalrequest/" in text(payroll.get(f"{BATCHES}{batch.pk}/change/"))


def test_a_file_is_taken_by_post_alone_once_it_is_released_and_noted(batch, hub, payroll):
    address = f"{BATCHES}{batch.pk}/file/csv/"
    assert payroll.get(address).status_code == 405
    refused = payroll.post(address, follow=True)
    assert "has to release this batch" in text(refused) and not BatchDownload.objects.exists()
    Batch.objects.update(state="released")
    answer = payroll.post(address)
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "employee,code,amount,currency,earned_from,earned_until,pay_on,cost_centre"
    assert [line.split(",")[1:7] for line in lines[1:]] == [
        ["BONUS", "150.00", "CNY", "2026-03-02", "2026-03-02", "2026-04-30"],
        ["BONUS", "100.00", "CNY", "2026-03-02", "2026-03-02", "2026-04-30"],
    ]
    noted = BatchDownload.objects.get()
    assert (noted.by, noted.format, noted.address) == (hub.payroll, "csv", "127.0.0.1")
    assert (Batch.objects.get().state, Run.objects.get().stage) == ("exported", "exported")
    sheet = load_workbook(BytesIO(b"".join(payroll.post(f"{BATCHES}{batch.pk}/file/xlsx/").streaming_content))).active
    assert [cell.value for cell in sheet[2]][2] == 150
    assert "127.0.0.1" in text(payroll.get(f"{BATCHES}{batch.pk}/change/"))
    payroll.post(f"{BATCHES}{batch.pk}/paid/", {"reason": "bank file sent"})
    assert (Batch.objects.get().state, Run.objects.get().stage) == ("paid", "paid")


def test_a_file_of_another_kind_or_batch_is_not_there(batch, south, payroll, client):
    assert payroll.post(f"{BATCHES}{batch.pk}/file/pdf/").status_code == 404
    clerk = make.user("clerk", is_staff=True)
    make.grant(clerk, south.team, Grant.SETTLE)
    client.force_login(clerk)
    assert client.post(f"{BATCHES}{batch.pk}/file/csv/").status_code == 404
    assert client.post(f"{BATCHES}{batch.pk + 99}/file/csv/").status_code == 404


def test_a_correction_is_of_what_came_in_since(batch, north, payroll):
    assert "There is nothing to pay" in text(payroll.post(f"{RUNS}{batch.run_id}/correct/", {"reason": "urgent"}))
    ground.AgentDay.objects.filter(agent=north.agents[0]).update(closed=100, closed_simple=100)
    runs.calculate(batch.run.plan_id, month_of(ground.MONTH))
    answer = payroll.post(f"{RUNS}{batch.run_id}/correct/", {"reason": "urgent"})
    made = Batch.objects.get(is_correction=True)
    assert answer.headers["Location"] == f"{BATCHES}{made.pk}/change/"
    assert made.sums == {"CNY": "-150.0000"}


def test_entries_are_narrowed_by_month_and_kind_and_taken_as_a_file(march, north, payroll):
    assert payroll.get(f"{ENTRIES}?month=2026-03&kind=line").context["cl"].result_count == 1
    assert payroll.get(f"{ENTRIES}?month=2026-04").context["cl"].result_count == 0
    file = b"".join(payroll.get(f"{ENTRIES}download/csv/").streaming_content).decode()
    assert "150" in file and north.agent.name in file and "2026-03" in file
    page = text(payroll.get(f"{ENTRIES}{Entry.objects.get().pk}/change/"))
    assert "300" in page and north.agent.name in page


def test_money_opens_to_payroll_of_the_team_alone(batch, north, south, hub, client):
    clerk = make.user("clerk", is_staff=True)
    make.grant(clerk, south.team, Grant.SETTLE)
    addresses = [
        f"{RUNS}{batch.run_id}/change/",
        f"{BATCHES}{batch.pk}/change/",
        f"{ENTRIES}{Entry.objects.first().pk}/change/",
    ]
    for user, wanted in ((north.lead, 403), (hub.lead, 403), (hub.trainer, 403), (clerk, 404), (hub.payroll, 200)):
        client.force_login(user)
        assert [client.get(address).status_code for address in addresses] == [wanted] * 3, user
    client.force_login(clerk)
    for address in (RUNS, BATCHES, ENTRIES):
        assert client.get(address).context["cl"].result_count == 0


def test_money_opens_from_the_networks_of_the_organisation_alone(batch, payroll):
    Batch.objects.update(state="released")
    PrivacyRules.objects.update_or_create(defaults={"networks": "10.9.0.0/16"})
    for address in (RUNS, BATCHES, ENTRIES, f"{ENTRIES}download/csv/", f"{RUNS}{batch.run_id}/pay/"):
        assert payroll.get(address).status_code == 409, address
    assert payroll.post(f"{BATCHES}{batch.pk}/file/csv/").status_code == 409
    assert not BatchDownload.objects.exists()


def test_ones_own_amounts_are_not_in_the_list_of_amounts(march, north, client):
    """An agent who works in the office as well finds the own amounts on the own pages."""
    north.agent.user.is_staff = True
    north.agent.user.save()
    make.grant(north.agent.user, make.team("Elsewhere"), Grant.SETTLE)
    client.force_login(north.agent.user)
    assert client.get(ENTRIES).context["cl"].result_count == 0
