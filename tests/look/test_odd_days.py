"""Days at the ends of the calendar, and what is no day, in the addresses of pages: never an error of the server."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from performance.models import AgentDay

ODD = (
    "9999-12-31",
    "0001-01-01",
    "9999-12-30",
    "2026-02-30",
    "10000-01-01",
    "NaN",
    "",
    "\0",
    "٢٠٢٦-01-01",
    "1e999",
    "-1",
)


@pytest.mark.parametrize("day", ODD)
def test_odd_days_in_addresses(north, hub, day):
    yesterday = timezone.now().date() - timedelta(days=1)
    AgentDay.objects.create(agent=north.agent, team=north.team, zone="UTC", day=yesterday, contacts=1)
    asked = {
        north.agent.user: [reverse("my_day"), reverse("my_contacts"), reverse("my_days"), reverse("my_record")],
        hub.lead: [
            reverse("agent_figures", args=[north.agent.pk]), reverse("admin:performance_agentday_changelist"),
            reverse("admin:performance_nightlyreport_compare"), "/api/v1/agent-days/", "/api/v1/contacts/",
        ],
    }  # fmt: skip
    for user, addresses in asked.items():
        client = Client(raise_request_exception=False)
        client.force_login(user)
        for address in addresses:
            for name in ("day", "left", "page", "team", "period", "day__gte"):
                status = client.get(address, {name: day}).status_code
                assert status < 500, f"{address}?{name}={day!r} -> {status}"
