"""What the kinds of this floor have in common: payroll decides, by working days."""

from typing import Any

from approvals.models import ApprovalRequest
from teams.models import User

HIGHEST = 2**63 - 1
PAYROLL = {"is": "grant", "grant": "SETTLE"}
LEAD = {"is": "grant", "grant": "LEAD"}
WORKDAY = 8 * 60
WORKING_WEEK = {"zone": "UTC", "week": [[["09:00", "17:00"]]] * 5 + [[], []]}


def decider(request: ApprovalRequest) -> User:
    """Whoever agreed last; where a rule did, who asked."""
    seat = request.seats.filter(verdict="approved").select_related("decided_by").order_by("-decided_at").first()
    return seat.decided_by if seat is not None and seat.decided_by is not None else request.requester


def reason(request: ApprovalRequest) -> str:
    return f"#{request.pk} {request.words}".strip()[:100]


def by_payroll(**clock: Any) -> dict[str, Any]:
    """One holder of SETTLE who has no part in it."""
    return {
        "otherwise": {"outcome": "steps", "steps": [{"mode": "any", "source": PAYROLL}]},
        "clock": {"remind": WORKDAY, "escalate": 3 * WORKDAY, **clock},
        "timetable": WORKING_WEEK,
    }
