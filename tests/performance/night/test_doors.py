"""Pages, files and REST lists of the night's figures show what is in reach and nothing else."""

import io

import pytest
from celery import Celery
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from config import health
from performance.models import NightlyReport, Target
from performance.services import night
from teams import jobs
from teams.models import AccessRecord, Heartbeat, JobRun
from tests import make
from tests.performance.night.facts import DAY, at, contact

pytestmark = pytest.mark.usefixtures("partitions")
LISTS = ("agent-days", "team-days", "half-hours", "contacts", "reports")


@pytest.fixture
def figures(hub, north, south):
    """A night in which both teams worked; every row of south is there to be found."""
    for cast, minute in ((north, 600), (south, 660)):
        queue = make.queue(cast.team, f"{cast.team.name} line")
        for back in (0, 7):
            day = DAY.replace(day=DAY.day - back)
            for n in range(3):
                contact(cast.agents[n % 2], day, minute=minute + n, queue=queue, rating="1")
    now = at("2026-03-11T03:00")
    for _round in range(3):
        jobs.scan(now)
        jobs.work_due(now, 500)
    return {row.team_id: row for row in NightlyReport.objects.filter(day=DAY)}


def url(name: str, *args) -> str:
    return reverse(f"admin:performance_nightlyreport_{name}", args=args)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_report_page_shows_the_team_and_no_other(client, figures, north, south, language):
    client.force_login(north.lead)
    client.cookies["django_language"] = language
    page = client.get(url("change", figures[north.team.pk].pk))
    assert page.status_code == 200
    text = page.content.decode()
    assert "North" in text and "South" not in text
    assert "10:00" in text and "North line" in text
    assert page.headers["Cache-Control"] == "no-store, private"


def test_foreign_and_missing_are_one_answer_at_every_door(client, figures, north, south):
    client.force_login(north.lead)
    foreign, missing = figures[south.team.pk].pk, 10**9
    for pk in (foreign, missing, "x", "1" * 30):
        assert client.get(f"/admin/performance/nightlyreport/{pk}/change/").status_code == 404
        for kind in ("csv", "xlsx"):
            assert client.get(f"/admin/performance/nightlyreport/{pk}/export.{kind}").status_code == 404
    for team in (south.team.pk, missing):
        asked = {"team": team, "left": "2026-03-03", "right": "2026-03-10"}
        assert client.get(url("compare"), asked).status_code == 404
    listed = client.get(url("changelist")).content.decode()
    assert "North" in listed and "South" not in listed


def test_who_may_not_read_reports_is_turned_away(client, figures, hub, north):
    for user in (hub.payroll, north.agent.user):
        client.force_login(user)
        assert client.get(url("change", figures[north.team.pk].pk)).status_code in (302, 403, 404)


def test_files_hold_exact_figures(client, figures, north, hub):
    client.force_login(hub.lead)
    row = figures[hub.team.pk]
    csv = client.get(url("export", row.pk, "csv"))
    lines = b"".join(csv.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("Team,Day,Revision,Figure,Value")
    assert "Hub,2026-03-10,1,Contacts closed,6,count,6,,," in lines
    assert any(line.startswith("North,2026-03-10,1,Contacts closed,3,") for line in lines)
    book = load_workbook(io.BytesIO(b"".join(client.get(url("export", row.pk, "xlsx")).streaming_content)))
    assert [cell.value for cell in book.active[2]][:5] == [
        "Hub",
        at("2026-03-10").replace(tzinfo=None),
        1,
        "Contacts closed",
        6,
    ]


def test_two_days_side_by_side(client, figures, north):
    client.force_login(north.lead)
    asked = {"team": north.team.pk, "left": "2026-03-03", "right": "2026-03-10"}
    page = client.get(url("compare"), asked)
    assert page.status_code == 200 and "±0" in page.content.decode()
    nothing = client.get(url("compare"), {**asked, "left": "2020-01-01"})
    assert "There is no report for 2020-01-01." in nothing.content.decode()
    assert client.get(url("compare"), {**asked, "left": "yesterday"}).status_code == 409
    assert client.get(url("compare")).status_code == 200


@pytest.mark.parametrize("name", LISTS)
def test_rest_lists_are_scoped_filtered_and_constant_in_queries(client, figures, hub, north, south, name):
    path = f"/api/v1/{name}/"
    client.force_login(north.lead)
    body = client.get(path).json()
    assert body["count"] > 0 and "South" not in str(body)
    assert client.get(path, {"team": south.team.pk}).status_code == 400
    assert client.get(path, {"day_from": "2026-03-11"}).json()["count"] == 0
    assert client.get(path, {"nonsense": 1}).status_code == 400
    client.force_login(hub.payroll)
    assert client.get(path).json().get("count", 0) == 0
    client.force_login(hub.lead)
    client.get(path)  # the first call of a session notes the session
    counts = []
    for size in (1, 6):
        with CaptureQueriesContext(connection) as captured:
            assert len(client.get(path, {"page_size": size}).json()["results"]) <= size
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_definitions_are_told_to_whoever_is_logged_in(client, north):
    assert client.get("/api/v1/metrics/").status_code in (401, 403)
    client.force_login(north.agent.user)
    metric = client.get("/api/v1/metrics/satisfaction/").json()
    assert (metric["numerator"], metric["denominator"], metric["default_target"]) == ("satisfied", "rated", "0.9000")
    assert client.get("/api/v1/metrics/nothing/").status_code == 404


def test_a_target_is_set_on_its_page_by_who_leads(client, north, south):
    client.force_login(north.lead)
    path = reverse("admin:performance_target_set")
    wish = {
        "team_pk": north.team.pk,
        "metric": "volume",
        "role": "",
        "value": "100",
        "since": "2026-03-01",
        "reason": "new year",
    }
    assert client.post(path, {**wish, "team_pk": south.team.pk}).status_code == 200
    assert not Target.objects.exists()
    assert client.post(path, wish).status_code == 302
    assert Target.objects.get().value == 100
    assert client.get(reverse("admin:performance_target_changelist")).status_code == 200
    client.force_login(south.lead)
    assert client.get(reverse("admin:performance_target_change", args=[Target.objects.get().pk])).status_code == 404


@pytest.mark.parametrize("model", ["agentday", "teamday", "queuehalfhour"])
def test_rollups_can_be_looked_through(client, figures, north, model):
    client.force_login(north.lead)
    page = client.get(reverse(f"admin:performance_{model}_changelist"))
    assert page.status_code == 200
    assert "South" not in page.content.decode()


def test_naming_an_agent_in_a_report_is_a_look_at_the_agent(client, figures, north):
    row = figures[north.team.pk]
    row.payload["unusual"] = [
        {"who": "agent", "pk": north.agent.pk, "metric": "satisfaction", "good": False, "above": False, "numerator": 1,
         "denominator": 10, "low": "6", "high": "10", "days": 20}
    ]  # fmt: skip
    row.save()
    client.force_login(north.lead)
    client.get(url("change", row.pk))
    assert AccessRecord.objects.get().agent == north.agent


def test_health_needs_no_log_in_and_tells_no_secret(client, db, monkeypatch, settings):
    assert client.get("/health/live").json() == {"status": "ok"}
    monkeypatch.setattr(health, "_broker", lambda app: "ok")
    body = client.get("/health/ready")
    assert body.status_code == 200 and body.json()["night"]["status"] == "ok"
    JobRun.objects.create(job=night.REPORT, state="parked", due_at=at("2026-03-01"))
    assert client.get("/health/ready").json()["night"]["status"] == "behind"
    assert client.get("/health/worker").status_code == 503
    Heartbeat.objects.create(name="worker", rung_at=at("2026-03-01"), answered_at=None)
    assert client.get("/health/worker").json() == {"status": "not_answered"}
    jobs.note_answer(at("2099-01-01"))
    assert client.get("/health/worker").status_code == 200


def test_a_broker_that_is_not_there_is_told(db, monkeypatch):
    monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
    assert health._broker(Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)) == "unreachable"
