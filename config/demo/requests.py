"""Requests of the demo organisation: changes of employment that wait, came back and were refused, rules, an absence.

All of it is asked for and decided by the verbs, with everything they leave behind.
"""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from approvals.models import ApprovalRequest
from approvals.services import absences, deciding, policies, requests
from teams.models import Agent, Team, User

OFFICE = [[["09:00", "18:00"]]] * 5 + [[], []]
ABOVE = {"mode": "any", "source": {"is": "lead_above", "level": 1}, "fallback": {"is": "grant", "grant": "ONBOARD"}}
BY_HR = {"mode": "any", "source": {"is": "grant", "grant": "ONBOARD"}}
RULES: dict[str, Any] = {
    "rules": [
        {
            "name": "Another team", "when": [{"fact": "action", "is": "is", "value": "move"}], "outcome": "steps",
            "steps": [ABOVE, BY_HR],
        }
    ],
    "otherwise": {"outcome": "steps", "steps": [ABOVE]},
    "clock": {"remind": 240, "escalate": 1080, "expire": 5400, "at_expiry": "hold"},
    "timetable": {"zone": "Europe/Lisbon", "week": OFFICE},
}  # fmt: skip


def build(now: datetime) -> None:
    """Rules first, so that the requests follow them."""
    people = {user.username: user for user in User.objects.filter(is_staff=True)}
    care = Team.objects.get(code="lisbon-care")
    above = people["martin.reeve"]
    region = Team.objects.get(children__code="lisbon-care")
    why = "Moves between teams are seen by HR as well"
    policies.set_policy(region.pk, "employment", RULES, by=people["olga.stein"], reason=why)
    agents = list(
        Agent.objects.filter(team=care, status=Agent.Status.ACTIVE, role=Agent.Role.AGENT, user__isnull=False)
        .select_related("user")
        .order_by("number")[:3]
    )
    other = Team.objects.filter(parent=region).exclude(pk=care.pk).order_by("code")[0]
    moves, grows, waits = agents
    refused = _ask(moves, "move", other.code, people["victoria.lane"], "Evenings fit better there.")
    deciding.reject(refused.pk, by=above, words="Not before the spring campaign; ask again in June.")
    back = _ask(grows, "role", Agent.Role.SENIOR, grows.user, "Two years here, and I answer most of the hard cases.")
    deciding.send_back(back.pk, by=above, words="Please name three cases, and what your mentor says to them.")
    _ask(waits, "role", Agent.Role.SENIOR, waits.user, "My mentor suggested it in our last talk.")
    ahead = max(now, timezone.now())
    absences.announce(
        deputy=people["wang.lei"].pk, since=ahead + timedelta(days=1), until=ahead + timedelta(days=4), reason="出差",
        by=_lead_of("shanghai-orders"),
    )  # fmt: skip


def _ask(agent: Agent, action: str, value: str, by: Any, words: str) -> ApprovalRequest:
    content = {"agent": agent.pk, "action": action, "value": value}
    return requests.ask("employment", content, by=by, words=words)


def _lead_of(code: str) -> User:
    return User.objects.get(agent__team__code=code, agent__role=Agent.Role.LEAD)
