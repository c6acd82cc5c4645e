"""The ledger's page says what each run was about in words: the team, the file, the class of data, the hour."""

from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from performance.models import ImportRun
from performance.services import intake, night
from teams import jobs, retention
from teams.models import JobRun
from tests import make

pytestmark = pytest.mark.django_db
LIST = "/admin/teams/jobrun/"
DUE = datetime(2026, 11, 26, 2, tzinfo=UTC)


def run(job: str, subject: str, period: str = "2026-11-25", **fields) -> JobRun:
    return JobRun.objects.create(job=job, subject=subject, period=period, due_at=DUE, **{"state": "done"} | fields)


@pytest.fixture
def operator(client):
    client.force_login(make.user("chief", is_staff=True, is_superuser=True))
    return client


def test_subjects_and_periods_are_words(operator, north):
    delivery = ImportRun.objects.create(source=make.source(north.team), file_name="monday.csv")
    rows = [
        run(night.REPORT, str(north.team.pk)),
        run(intake.JOB, str(delivery.pk), ""),
        run(night.ROLL_UP, "Asia/Kathmandu"),
        run(retention.JOB, "job_errors", "2026-11"),
        run("config.watch_room", "", "2026-11-26T11+00:00"),
        run("of.a.former.release", "42", "some time"),
    ]
    operator.cookies["django_language"] = "zh-hans"
    page = operator.get(LIST).content.decode()
    words = (
        north.team.name, "monday.csv", "Asia/Kathmandu", "2026年11月25日", "2026年11月26日 11:00", "of.a.former.release", "42",
        "some time",
    )  # fmt: skip
    for each in words:
        assert each in page, each
    assert "job_errors" not in page and "T11+00:00" not in page
    shown = jobs.with_subjects(JobRun.objects.order_by("pk")).values_list("about", flat=True)
    label = next(each.label for each in retention.classes() if each.code == "job_errors")
    assert list(shown) == [north.team.name, "monday.csv", "Asia/Kathmandu", str(label), "", "42"]
    one = operator.get(f"{LIST}{rows[0].pk}/change/").content.decode()
    assert north.team.name in one and "2026年11月25日" in one


def test_a_team_or_file_that_is_gone_leaves_its_number(operator):
    row = run(night.REPORT, "987654")
    assert jobs.with_subjects(JobRun.objects.filter(pk=row.pk)).get().about == "987654"
    assert operator.get(LIST).status_code == 200


def test_many_runs_take_no_more_queries(operator, north, south):
    run(night.REPORT, str(north.team.pk))
    operator.get(LIST)
    with CaptureQueriesContext(connection) as few:
        operator.get(LIST)
    for day in range(10, 30):
        for team in (north.team, south.team):
            run(night.REPORT, str(team.pk), f"2026-10-{day}")
    with CaptureQueriesContext(connection) as many:
        operator.get(LIST)
    assert len(many) == len(few)
