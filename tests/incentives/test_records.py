"""Records of days: who writes them, what they may say, what they do to the line."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine

from incentives.models import DayRecord
from incentives.services import records
from teams.errors import OutOfReach
from tests.approvals.test_engine import refused
from tests.incentives import ground
from tests.incentives.months import calculated, entries

DAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def in_march():
    with time_machine.travel("2026-03-20T12:00:00Z", tick=False):
        yield


def record(agent, by, what="training", amount="120", **more):
    given = {"day": DAY, "reason": "course", **more}
    return records.record_day(agent.pk, given["day"], what, Decimal(amount), by=by, reason=given["reason"])


def test_a_lead_records_minutes_and_puts_them_right_with_history(north):
    first = record(north.agent, north.lead)
    again = record(north.agent, north.lead, amount="60", reason="only an hour")
    assert first.pk == again.pk
    assert DayRecord.objects.values_list("what", "amount", "reason", "made_by").get() == (
        "training", Decimal(60), "only an hour", north.lead.pk,
    )  # fmt: skip
    told = list(again.history.order_by("history_id").values_list("amount", "history_user", "history_change_reason"))
    assert told == [
        (Decimal(120), north.lead.pk, "course"),
        (Decimal(60), north.lead.pk, "only an hour"),
    ]


def test_leads_and_payroll_record_for_their_own_people_alone(north, south, hub):
    for by in (north.lead, hub.lead, hub.payroll, hub.operator):
        record(north.agent, by)
    for by in (south.lead, hub.trainer, hub.reviewer, north.agents[1].user):
        with pytest.raises(OutOfReach):
            record(north.agent, by, "leave")
    with pytest.raises(OutOfReach):
        records.record_day(10**9, DAY, "leave", Decimal(1), by=hub.payroll, reason="nobody")
    assert [row.what for row in DayRecord.objects.all()] == ["training"]


def test_nobody_records_for_the_own_pay(north, hub):
    north.agent.user = north.lead
    north.agent.save()
    refused("own_day", record, north.agent, north.lead)
    row = record(north.agent, hub.lead)
    refused("own_day", records.remove_record, row.pk, by=north.lead, reason="mine")
    assert DayRecord.objects.get() == row


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("unknown_record", {"what": "nap"}),
        ("bad_amount", {"amount": "-1"}),
        ("bad_amount", {"amount": "1441"}),
        ("bad_amount", {"amount": "NaN"}),
        ("bad_amount", {"what": "ramp", "amount": "60"}),
        ("too_far", {"day": DAY - timedelta(days=75)}),
        ("too_far", {"day": DAY + timedelta(days=400)}),
        ("no_reason", {"reason": " "}),
    ],
)
def test_what_cannot_be_is_refused(north, code, given):
    refused(code, record, north.agent, north.lead, **given)
    assert not DayRecord.objects.exists()


def test_a_record_is_taken_back_with_a_reason(north, south, hub):
    row = record(north.agent, north.lead)
    with pytest.raises(OutOfReach):
        records.remove_record(row.pk, by=south.lead, reason="not mine")
    refused("no_reason", records.remove_record, row.pk, by=north.lead, reason="")
    records.remove_record(row.pk, by=hub.payroll, reason="other day")
    assert not DayRecord.objects.exists()
    last = DayRecord.history.first()
    assert (last.history_type, last.history_user, last.history_change_reason) == ("-", hub.payroll, "other day")


def test_a_record_changes_the_line_and_its_removal_takes_that_back(march, north):
    ground.day(north.agent, DAY, 84)
    calculated(march)
    assert entries() == []
    row = record(north.agent, north.lead)
    calculated(march)
    records.remove_record(row.pk, by=north.lead, reason="other day")
    calculated(march)
    assert entries() == [("line", "line", "60.00"), ("delta", "late:2", "-60.00")]
