"""What is over its time goes, once; figures, masks of newer rows and the record that something was there stay."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection

from performance.models import AgentDay, Contact, ImportRefusal, ImportRun, Leg
from teams import jobs, retention
from teams.models import AccessRecord, JobRun, Notice, PrivacyRules
from tests import make

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
OLD = datetime(2024, 9, 10, 8, tzinfo=UTC)  # before 24 months, and before no more than 36
ANCIENT = datetime(2023, 9, 10, 8, tzinfo=UTC)


@pytest.fixture
def facts(north):
    """One contact and leg of three ages, with the figures made of them."""
    source = make.source(north.team)
    run = ImportRun.objects.create(source=source, created_at=OLD, state="done")
    ImportRefusal.objects.create(run=run, row_number=2, code="x", raw=["keyed:0"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT performance_make_partitions('2023-09-01', '2026-11-30')")
    for number, at in enumerate((ANCIENT, OLD, NOW), start=1):
        dayed = {"agent": north.agent, "agent_external": "ann", "team": north.team, "zone": "UTC", "day": at.date()}
        Contact.objects.create(
            id=number, source=source, external_id=f"c{number}", channel="phone", complexity="simple", opened_at=at,
            handle_method="none", source_updated_at=at, run=run, customer_key="k" * 32, phone_mask="138***78",
            rating_comment="thanks, Ann", rating="0.7500", **dayed,
        )  # fmt: skip
        Leg.objects.create(source=source, contact_external=f"c{number}", started_at=at, run=run, **dayed)
        AgentDay.objects.create(agent=north.agent, team=north.team, zone="UTC", day=at.date(), closed=1)
    return run


def by_code(code):
    return next(each for each in retention.classes() if each.code == code)


def partition_names():
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname ~ '_2023_09$' AND relkind = 'r'")
        return {name for (name,) in cursor.fetchall()}


def test_old_contacts_name_nobody_and_keep_their_figures(facts):
    assert retention.let_go(by_code("contacts"), NOW) == 2
    assert retention.let_go(by_code("contacts"), NOW) == 0
    for contact in Contact.objects.filter(opened_at__lt=NOW):
        assert (contact.customer_key, contact.phone_mask, contact.rating_comment, contact.agent_external) == ("",) * 4
        assert contact.agent_id is not None and contact.rating is not None
    newest = Contact.objects.get(opened_at=NOW)
    assert newest.customer_key and newest.phone_mask and newest.rating_comment
    assert AgentDay.objects.count() == 3


def test_whole_months_of_details_are_dropped(facts):
    assert partition_names() == {f"performance_{name}_2023_09" for name in ("contact", "leg", "stateinterval")}
    assert retention.let_go(by_code("details"), NOW) == 1
    assert partition_names() == {"performance_contact_2023_09"}
    assert Leg.objects.count() == 2 and Contact.objects.count() == 3 and AgentDay.objects.count() == 3
    assert retention.let_go(by_code("details"), NOW) == 0


def test_the_rules_decide_how_old(facts):
    PrivacyRules.objects.create(kept={"contacts": 30})
    assert retention.let_go(by_code("contacts"), NOW) == 1
    PrivacyRules.objects.update(kept={"contacts": 1})
    assert by_code("contacts").cutoff(PrivacyRules.current(), NOW) == datetime(2026, 10, 1, tzinfo=UTC)


def test_rows_of_the_running_go_too(facts, north):
    for at, state in ((OLD, "sent"), (OLD, "waiting"), (NOW, "sent")):
        notice = Notice.objects.create(kind="probe", recipient=north.lead, key=f"{at}{state}", state=state)
        Notice.objects.filter(pk=notice.pk).update(created_at=at)
    JobRun.objects.create(job="probe", due_at=OLD, state="done", finished_at=OLD, error="KeyError: ann@example.org")
    for at in (ANCIENT, NOW):
        AccessRecord.objects.create(agent=north.agent, viewer=north.lead, door="day", seen_on=at.date(), last_at=at)
    gone = {code: retention.let_go(by_code(code), NOW) for code in ("notices", "job_errors", "looks", "refused_rows")}
    assert gone == {"notices": 1, "job_errors": 1, "looks": 1, "refused_rows": 1}
    assert JobRun.objects.get(job="probe").error == "" and Notice.objects.count() == 2
    assert AccessRecord.objects.get().last_at == NOW
    with pytest.raises(Exception, match="keeps what was recorded"), connection.cursor() as cursor:
        cursor.execute("DELETE FROM teams_accessrecord")  # the leave to delete ended with the class


def test_the_ledger_holds_one_run_for_each_class_and_period(facts):
    expected = list(retention.expected(NOW))
    assert {(each.subject, each.period) for each in expected} >= {("phones", "2026-11-25"), ("contacts", "2026-11")}
    assert list(retention.expected(NOW.replace(hour=1))) == []
    with time_machine.travel(NOW, tick=False):
        assert jobs.expect_all(retention.JOB, expected) == len(retention.classes())
        assert jobs.expect_all(retention.JOB, retention.expected(NOW + timedelta(hours=3))) == 0
        assert jobs.work(JobRun.objects.get(job=retention.JOB, subject="contacts").pk, NOW)
    assert Contact.objects.filter(customer_key="").count() == 2
    assert JobRun.objects.get(job=retention.JOB, subject="contacts").output_hash == "2"


def test_the_command_tells_first_and_does_then(facts):
    with time_machine.travel(NOW, tick=False):
        told = StringIO()
        call_command("retention", "--dry-run", stdout=told)
        assert "contacts (24 months): 2 rows older than 2024-12-01 go on 2026-12-01 02:00 UTC" in told.getvalue()
        assert Contact.objects.filter(customer_key="").count() == 0
        told = StringIO()
        call_command("retention", stdout=told)
        assert "contacts (24 months): 2 rows let go of" in told.getvalue()
    assert Contact.objects.filter(customer_key="").count() == 2
