"""`/metrics`: who may read it, that it is the format of Prometheus, and that its labels name nobody."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from teams import gauges
from teams.models import JobRun
from tests.access import world as worlds


def read(client: Client, **headers: str) -> dict[tuple[str, tuple[str, ...]], float]:
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200 and answer["Cache-Control"].startswith("max-age=0")
    return {
        (sample.name, tuple(value for _name, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_this_machine_reads_requests_by_route_and_the_state_of_the_work(client: Client, db: None) -> None:
    before = read(client).get(("outpost_requests_total", ("GET", "login", "200")), 0)
    client.get("/log-in/?next=/somebody/")
    JobRun.objects.create(job="probe", due_at=timezone.now() - timezone.timedelta(hours=1))
    JobRun.objects.create(job="probe2", state="parked", due_at=timezone.now())
    found = read(client)
    assert found["outpost_requests_total", ("GET", "login", "200")] == before + 1
    assert found["outpost_request_seconds_bucket", ("+Inf", "GET", "login")] >= 1
    assert (found["outpost_job_runs", ("overdue",)], found["outpost_job_runs", ("parked",)]) == (1, 1)
    assert 3590 < found["outpost_job_oldest_overdue_seconds", ()] < 3700
    assert found["outpost_worker_heard", ()] == 0 and found["outpost_gauges_failed", ()] == 0
    assert found["outpost_database_connections", ("active",)] >= 1
    for name in ("outpost_notice_oldest_due_seconds", "outpost_database_connections_limit", "outpost_intake_rows"):
        assert (name, ()) in found


@pytest.mark.parametrize(
    ("token", "proxy", "headers", "status"),
    [
        ("", False, {}, 200),
        ("", False, {"X-Forwarded-For": "203.0.113.7"}, 404),
        ("", True, {}, 404),
        ("s3cret-of-the-monitor", True, {"Authorization": "Bearer s3cret-of-the-monitor"}, 200),
        ("s3cret-of-the-monitor", False, {}, 404),
        ("s3cret-of-the-monitor", False, {"Authorization": "Bearer wrong"}, 404),
        ("s3cret-of-the-monitor", False, {"Authorization": "密"}, 404),
    ],
)
def test_who_may_read_it(
    client: Client, db: None, settings: Any, token: str, proxy: bool, headers: Any, status: int
) -> None:
    settings.METRICS_TOKEN, settings.TRUST_PROXY = token, proxy
    assert client.get("/metrics", headers=headers).status_code == status


def test_from_elsewhere_it_is_not_there(client: Client, db: None) -> None:
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.7").status_code == 404


def test_a_gauge_that_fails_takes_no_other_with_it(client: Client, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    def broken(now: Any) -> float:
        raise OperationalError("gone")

    monkeypatch.setattr(gauges, "_gauges", {**gauges._gauges, "outpost_x": gauges.Gauge("outpost_x", "x", broken)})
    found = read(client)
    assert (
        found["outpost_gauges_failed", ()] == 1
        and ("outpost_x", ()) not in found
        and ("outpost_worker_heard", ()) in found
    )


def test_its_labels_name_nobody_and_it_stays_cheap(client: Client, db: None) -> None:
    worlds.build()
    client.get("/admin/teams/agent/?q=alpharosterqzx")
    with CaptureQueriesContext(connection) as found:
        text = client.get("/metrics").content.decode()
    assert worlds.marks_in(text) == set() and len(found) <= 20
