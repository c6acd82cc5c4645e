"""The REST doors of incentives: scopes, amounts for those who settle, the steps of a run, and no file from any of them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from approvals.models import ApprovalRequest
from approvals.services import deciding
from incentives import services
from incentives.models import Attainment, Batch, BatchDownload, DayRecord, Entry, Run
from incentives.plain.periods import month_of
from incentives.services import runs
from teams.models import PrivacyRules
from tests.incentives import ground

API = "/api/v1"
NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
TODAY = NOW.date()
MARCH = month_of(date(2026, 3, 1))
LISTS = ("incentive-plans", "attainments", "incentive-entries", "incentive-runs", "payout-batches", "day-records")


@pytest.fixture
def case(hub, north, south):
    """Plans of north and of south, each with a day of March that pays 150.00."""
    with time_machine.travel(NOW, tick=False):
        plans = {}
        for cast in (north, south):
            ground.target(cast.team)
            ground.wage(cast.agent)
            ground.day(cast.agent, 2, 120)
            plans[cast.team.name] = plan = ground.plan(cast.team, hub.payroll, name=f"Of {cast.team.name}")
            ground.recorded(cast.agent, 3, "leave", 60, cast.lead)
            runs.calculate(plan.pk, MARCH)
        yield SimpleNamespace(
            hub=hub, north=north, south=south, plan=plans["North"], foreign=plans["South"],
            run=Run.objects.get(plan=plans["North"]), line=Attainment.objects.get(agent=north.agent, reached=2),
            entry=Entry.objects.get(agent=north.agent),
        )  # fmt: skip


@pytest.fixture
def as_(case):
    def door(user):
        client = APIClient()
        client.force_login(user)
        return client

    return door


def found(answer) -> list[dict]:
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def batched(case) -> Batch:
    runs.send_to_review(case.run.pk, by=case.hub.payroll)
    runs.approve(case.run.pk, by=case.hub.hr)
    return services.make_batch(case.run.pk, by=case.hub.payroll)


# -- scopes --------------------------------------------------------------------------------------------------------------


def test_who_reads_what(case, as_):
    batched(case)
    expected = {  # plans, lines, amounts, runs, batches, records
        case.north.agent.user: (0, 1, 1, 0, 0, 1),
        case.north.agents[1].user: (0, 0, 0, 0, 0, 0),
        case.north.lead: (1, 1, 0, 0, 0, 1),
        case.hub.lead: (2, 2, 0, 0, 0, 2),
        case.hub.payroll: (2, 2, 2, 2, 1, 2),
        case.hub.trainer: (0, 0, 0, 0, 0, 0),
        case.hub.reviewer: (0, 0, 0, 0, 0, 0),
        case.hub.operator: (2, 2, 2, 2, 1, 2),
    }
    for user, counts in expected.items():
        client = as_(user)
        asked = {"incentive-plans": {}, "attainments": {"reached": 1}}
        got = tuple(client.get(f"{API}/{name}/", asked.get(name, {})).json()["count"] for name in LISTS)
        assert got == counts, user


def test_foreign_and_missing_are_one_answer(case, as_):
    batch = batched(case)
    record = DayRecord.objects.get(agent=case.north.agent)
    rows = {
        "incentive-plans": case.plan.pk, "attainments": case.line.pk, "incentive-entries": case.entry.pk,
        "incentive-runs": case.run.pk, "payout-batches": batch.pk, "day-records": record.pk,
    }  # fmt: skip
    stranger, payroll = as_(case.south.lead), as_(case.hub.payroll)
    for name, pk in rows.items():
        assert payroll.get(f"{API}/{name}/{pk}/").status_code == 200, name
        for each in (pk, 10**9):
            assert stranger.get(f"{API}/{name}/{each}/").status_code == 404, name
    for verb in ("calculate", "review", "approve", "send-back", "batch"):
        for each in (case.run.pk, 10**9):
            assert stranger.post(f"{API}/incentive-runs/{each}/{verb}/", {}, format="json").status_code == 404
    for verb in ("release", "paid"):
        assert stranger.post(f"{API}/payout-batches/{batch.pk}/{verb}/", {}, format="json").status_code == 404
    assert Run.objects.get(pk=case.run.pk).stage == "locked"


def test_a_lead_reads_attainment_and_no_amount_anywhere(case, as_):
    lead = as_(case.north.lead)
    (line,) = found(lead.get(f"{API}/attainments/", {"reached": 1}))
    assert (line["agent"]["number"], line["attained"], line["reached"]) == (case.north.agent.number, "1.200000", 2)
    assert not {"amount", "withheld", "currency", "wages", "lack"} & set(line)
    for address in (f"{API}/attainments/{case.line.pk}/", f"{API}/incentive-plans/{case.plan.pk}/"):
        text = lead.get(address).content.decode()
        assert "150.0" not in text and "300" not in text
    assert lead.get(f"{API}/attainments/", {"sort": "amount"}).status_code == 400
    assert lead.get(f"{API}/incentive-entries/", {"sort": "amount"}).json()["count"] == 0


@pytest.mark.parametrize("name", LISTS)
def test_lists_take_the_same_queries_and_refuse_what_they_do_not_know(case, as_, name):
    batched(case)
    client = as_(case.hub.payroll)
    oldest = {"sort": "posted_at"} if name == "incentive-entries" else {}  # that of north, which a batch pays

    def asked(size: int) -> int:
        client.get(f"{API}/{name}/", {"page_size": size})
        with CaptureQueriesContext(connection) as captured:
            assert client.get(f"{API}/{name}/", {"page_size": size, **oldest}).status_code == 200
        return len(captured)

    one = asked(1)
    for day in range(4, 9):
        ground.day(case.south.agent, day, 121)
        ground.recorded(case.south.agent, day, "outage", 10, case.south.lead)
    runs.calculate(case.foreign.pk, MARCH)
    assert asked(100) == one
    assert client.get(f"{API}/{name}/", {"nonsense": 1}).status_code == 400


def test_filters(case, as_):
    client, number = as_(case.hub.payroll), case.north.agent.number
    for name in ("attainments", "incentive-entries", "day-records"):
        rows = found(client.get(f"{API}/{name}/", {"number": number}))
        assert rows and {row["agent"]["number"] for row in rows} == {number}, name
        assert found(client.get(f"{API}/{name}/", {"number": "nobody"})) == []
    assert found(client.get(f"{API}/attainments/", {"day_from": "2026-03-04"})) == []
    assert found(client.get(f"{API}/incentive-entries/", {"month": "2026-04-01"})) == []
    assert len(found(client.get(f"{API}/incentive-entries/", {"plan": case.plan.pk, "kind": "line"}))) == 1
    assert len(found(client.get(f"{API}/incentive-runs/", {"stage": "calculated", "plan": case.plan.pk}))) == 1
    assert client.get(f"{API}/incentive-entries/", {"plan": 10**9}).status_code == 400
    assert as_(case.north.lead).get(f"{API}/incentive-plans/", {"team": case.south.team.pk}).status_code == 400


def test_a_plan_is_told_with_its_terms(case, as_):
    plan = as_(case.north.lead).get(f"{API}/incentive-plans/{case.plan.pk}/").json()
    (version,) = plan["versions"]
    assert (plan["name"], version["number"], version["state"], version["since"]) == (
        "Of North", 1, "published", "2026-01-01",
    )  # fmt: skip
    assert version["terms"]["tiers"][0] == {"from": "1.1", "to": "1.2", "pays": "0.2"}
    assert version["in_words"]["Whole day"] == "480 min"
    assert "versions" not in found(as_(case.north.lead).get(f"{API}/incentive-plans/"))[0]


# -- money and places ----------------------------------------------------------------------------------------------------


def test_off_the_networks_amounts_stay_shut_but_ones_own(case, as_):
    PrivacyRules.objects.update_or_create(defaults={"networks": "198.51.100.0/24"})
    for name in ("incentive-entries", "incentive-runs", "payout-batches"):
        answer = as_(case.hub.payroll).get(f"{API}/{name}/")
        assert (answer.status_code, answer.json()["code"]) == (409, "outside_network"), name
    answer = as_(case.hub.payroll).post(f"{API}/incentive-runs/{case.run.pk}/calculate/")
    assert answer.json()["code"] == "outside_network"
    assert [row["amount"] for row in found(as_(case.north.agent.user).get(f"{API}/incentive-entries/"))] == ["150.0000"]
    assert len(found(as_(case.hub.payroll).get(f"{API}/attainments/", {"reached": 1}))) == 2


# -- runs and batches ----------------------------------------------------------------------------------------------------


def test_a_run_from_calculated_to_paid(case, as_):
    payroll, hr = as_(case.hub.payroll), as_(case.hub.hr)
    address = f"{API}/incentive-runs/{case.run.pk}"
    told = payroll.get(f"{address}/").json()
    assert (told["stage"], told["sums"], told["agents"], told["plan"]) == (
        "calculated",
        {"CNY": "150"},
        1,
        case.plan.pk,
    )
    ground.day(case.north.agent, 4, 110)
    told = payroll.post(f"{address}/calculate/").json()
    assert told["sums"] == {"CNY": "210"}
    assert payroll.post(f"{address}/review/", {"reason": "complete"}, format="json").json()["stage"] == "in_review"
    own = payroll.post(f"{address}/approve/", {}, format="json")
    assert (own.status_code, own.json()["code"]) == (409, "own_run")
    assert hr.post(f"{address}/send-back/", {}, format="json").status_code == 400
    back = hr.post(f"{address}/send-back/", {"reason": "A day is missing."}, format="json").json()
    assert (back["stage"], back["reviewed_by"]) == ("calculated", None)
    payroll.post(f"{address}/review/", {}, format="json")
    agreed = hr.post(f"{address}/approve/", {}, format="json").json()
    assert (agreed["stage"], agreed["approved_by"]["username"]) == ("approved", "hub-hr")
    made = payroll.post(f"{address}/batch/", {"pay_on": "2026-05-05"}, format="json")
    assert (made.status_code, made.json()["sums"], made.json()["state"]) == (201, {"CNY": "210.0000"}, "made")
    assert Run.objects.get(pk=case.run.pk).stage == "locked"
    pk = made.json()["id"]
    asked = payroll.post(f"{API}/payout-batches/{pk}/release/", {"reason": "for May"}, format="json")
    assert (asked.status_code, asked.json()["state"]) == (201, "in_review")
    deciding.approve(asked.json()["id"], by=case.hub.hr)
    early = payroll.post(f"{API}/payout-batches/{pk}/paid/", {}, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "not_exported")
    services.download(pk, "csv", by=case.hub.payroll)
    assert payroll.post(f"{API}/payout-batches/{pk}/paid/", {}, format="json").json()["state"] == "paid"
    assert Run.objects.get(pk=case.run.pk).stage == "paid"


def test_a_batch_is_told_with_its_items_and_no_file_leaves(case, as_):
    batch = batched(case)
    payroll = as_(case.hub.payroll)
    told = payroll.get(f"{API}/payout-batches/{batch.pk}/").json()
    (item,) = told["items"]
    assert (item["employee"], item["amount"], item["currency"]) == (case.north.agent.number, "150.0000", "CNY")
    assert told["checksum"] == batch.checksum and "items" not in found(payroll.get(f"{API}/payout-batches/"))[0]
    assert not BatchDownload.objects.exists() and Batch.objects.get().state == "made"
    for more in ("download/", "csv/", "file/"):
        assert payroll.get(f"{API}/payout-batches/{batch.pk}/{more}").status_code == 404


def test_whoever_made_a_batch_does_not_release_it(case, as_):
    batch = batched(case)
    asked = as_(case.hub.payroll).post(f"{API}/payout-batches/{batch.pk}/release/", {}, format="json").json()
    request = ApprovalRequest.objects.get(pk=asked["id"])
    answer = as_(case.hub.payroll).post(
        f"{API}/approval-requests/{request.pk}/approve/", {"version": request.version}, format="json"
    )
    assert answer.status_code == 409 and Batch.objects.get().state == "made"
    again = as_(case.hub.payroll).post(f"{API}/payout-batches/{batch.pk}/release/", {}, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "already_open")


# -- records of days -----------------------------------------------------------------------------------------------------


def wish(whose, **more):
    return {
        "agent": whose.pk,
        "day": "2026-04-17",
        "what": "training",
        "amount": "120",
        "reason": "Data security",
    } | more


def test_a_record_is_made_and_put_right(case, as_):
    lead = as_(case.north.lead)
    made = lead.post(f"{API}/day-records/", wish(case.north.agent), format="json")
    assert (made.status_code, made.json()["amount"]) == (201, "120.0000")
    again = lead.post(f"{API}/day-records/", wish(case.north.agent, amount="90"), format="json")
    assert (again.json()["id"], again.json()["amount"]) == (made.json()["id"], "90.0000")
    assert DayRecord.objects.get(what="training").made_by == case.north.lead
    own = as_(case.north.agent.user).get(f"{API}/day-records/{made.json()['id']}/").json()
    assert own["reason"] == "Data security"


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"what": "ramp", "amount": "1.5"}, 409, "bad_amount"),
        ({"amount": "1441"}, 409, "bad_amount"),
        ({"amount": "-1"}, 409, "bad_amount"),
        ({"day": "2020-01-01"}, 409, "too_far"),
        ({"amount": "NaN"}, 400, None),
        ({"amount": "1" * 30}, 400, None),
        ({"what": "nap"}, 400, None),
        ({"reason": " "}, 400, None),
        ({"reason": "x" * 301}, 400, None),
        ({"day": "soon"}, 400, None),
        ({"agent": 10**30}, 400, None),
    ],
)
def test_records_that_cannot_be_are_refused(case, as_, more, status, code):
    answer = as_(case.north.lead).post(f"{API}/day-records/", wish(case.north.agent, **more), format="json")
    assert (answer.status_code, answer.json().get("code")) == (status, code)
    assert not DayRecord.objects.filter(what__in=("training", "ramp")).exists()


def test_nobody_records_for_strangers_or_themselves(case, as_):
    assert as_(case.south.lead).post(f"{API}/day-records/", wish(case.north.agent), format="json").status_code == 400
    assert as_(case.hub.trainer).post(f"{API}/day-records/", wish(case.north.agent), format="json").status_code == 404
    own = as_(case.north.agent.user).post(f"{API}/day-records/", wish(case.north.agent), format="json")
    assert own.status_code == 404
    assert not DayRecord.objects.filter(what="training").exists()


# -- what today earns ----------------------------------------------------------------------------------------------------

TODAY_DOOR = f"{API}/me/incentives/"


def test_today_and_what_if(case, as_):
    ground.day(case.north.agent, TODAY, 90)
    agent = as_(case.north.agent.user)
    told = agent.get(TODAY_DOOR).json()
    assert (told["plan"], told["version"], told["words"]) == ("Of North", 1, "90 done, 10 to go")
    assert (told["done"], told["target"], told["to_go"], told["attainment"]) == (90, 100, 10, "90 %")
    assert (told["amount"], told["currency"], told["what_if"]) == ("0.0000", "CNY", None)
    assert [(step["tier"], step["more"], step["amount"]) for step in told["ahead"]] == [
        (1, 20, "60.0000"), (2, 30, "150.0000"),
    ]  # fmt: skip
    assert told["gates"][0] == {"words": "Satisfaction: 95 of 100, 90 % needs 90; met", "is_met": True}
    assert agent.get(TODAY_DOOR, {"more": 25}).json()["what_if"] == "60.0000"
    past = agent.get(TODAY_DOOR, {"day": "2026-03-02"}).json()
    assert (past["done"], Decimal(past["amount"])) == (120, Decimal(150))


def test_today_without_a_plan_a_wage_or_an_agent(case, as_):
    agent = as_(case.north.agent.user)
    assert agent.get(TODAY_DOOR, {"day": "2025-12-31"}).json()["plan"] is None
    case.north.agent.compensations.update(currency="EUR")
    ground.day(case.north.agent, TODAY, 90)
    told = agent.get(TODAY_DOOR, {"more": 30}).json()
    assert (told["amount"], told["ahead"], told["what_if"], told["lack"]) == (None, [], None, "other_currency")
    assert as_(case.hub.payroll).get(TODAY_DOOR).status_code == 404
    assert APIClient().get(TODAY_DOOR).status_code in (401, 403)
    tomorrow = (TODAY + timedelta(days=1)).isoformat()
    for wrong in ({"more": -1}, {"more": "x"}, {"more": 10001}, {"day": "soon"}, {"day": tomorrow}, {"agent": 1}):
        assert agent.get(TODAY_DOOR, wrong).status_code == 400, wrong
