"""A dispute of a line: the agent says which counts are wrong, the lead looks at the facts, payroll settles.

An accepted one corrects the counts of the day, and the difference posts itself. To accept a part of it is to send it back with
words, and the agent edits the counts. Nothing here names an amount: the lead does not see any.
"""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from approvals.kinds import Fact, Kind, Line, State, Subject, Value, Wish
from approvals.models import ApprovalRequest
from approvals.services import requests
from incentives.kinds.shared import HIGHEST, LEAD, PAYROLL, WORKDAY, WORKING_WEEK
from incentives.models import Attainment, Correction
from incentives.plain.periods import month_of
from incentives.services.runs import calculate
from performance.models import AgentDay
from teams.acting import system_scope
from teams.clock import local_day
from teams.errors import OutOfReach, Refused
from teams.models import User

NAME = "line_dispute"
REASONS = (
    ("missing", gettext_lazy("contacts are missing")),
    ("wrong_agent", gettext_lazy("contacts of somebody else are counted")),
    ("rating", gettext_lazy("a rating is not about my work")),
    ("outcome", gettext_lazy("an outcome is wrong")),
    ("reopened", gettext_lazy("opened again for another matter")),
    ("minutes", gettext_lazy("minutes of my day are wrong")),
    ("other", gettext_lazy("something else")),
)
MOST = 1000
COUNTS = tuple(Correction.Count.values)
OWN = "the line of the person who asks, as it stands"


class DisputeForm(serializers.Serializer):
    attainment = serializers.IntegerField(min_value=1, max_value=HIGHEST, label=gettext_lazy("line"))
    on = serializers.DateField(label=gettext_lazy("day"))
    reason = serializers.ChoiceField(choices=REASONS, label=gettext_lazy("reason"))
    closed_simple = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, default=0, label=gettext_lazy("closed, simple: by how much")
    )
    closed_complex = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, default=0, label=gettext_lazy("closed, complex: by how much")
    )
    reopened = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, default=0, label=gettext_lazy("reopened: by how much")
    )
    satisfied = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, default=0, label=gettext_lazy("rated satisfied: by how much")
    )
    rated = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, default=0, label=gettext_lazy("rated: by how much")
    )
    resolved = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, default=0, label=gettext_lazy("resolved: by how much")
    )
    judged = serializers.IntegerField(
        min_value=-MOST, max_value=MOST, default=0, label=gettext_lazy("with a known outcome: by how much")
    )
    evidence = serializers.CharField(
        max_length=1000, label=gettext_lazy("evidence"), style={"base_template": "textarea.html"}
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not any(given[name] for name in COUNTS):
            raise serializers.ValidationError(_("Say which count is wrong and by how much, for example 2 more closed."))
        return given


class LineDispute(Kind):
    name, title, payload = NAME, gettext_lazy("Dispute of a line"), DisputeForm
    fixed = frozenset({"attainment"})
    page = "my_statements"  # where each line leads to its dispute
    facts: ClassVar[tuple[Fact, ...]] = (
        Fact("reason", gettext_lazy("reason"), is_number=False, choices=REASONS),
        Fact("closed", gettext_lazy("contacts more or fewer")),
    )

    def may_ask(self, wish: Wish, by: User) -> None:
        line = Attainment.objects.about(by).select_related("agent").filter(pk=wish["attainment"]).first()
        if line is None:
            raise OutOfReach
        if not line.begins <= wish["on"] <= line.ends:
            raise Refused("other_day", _("This day is not of the line. Name a day from %(first)s to %(last)s.")
                          % {"first": line.begins.isoformat(), "last": line.ends.isoformat()})  # fmt: skip
        with system_scope(OWN):  # and not joined above: the version alone is out of an agent's reach
            until = closes_on(line)
        if local_day(timezone.now(), line.agent.zone) > until:
            raise Refused("too_late", _("This line could be disputed until %(day)s.") % {"day": until.isoformat()})

    def subject(self, wish: Wish, by: User) -> Subject:
        line = Attainment.objects.select_related("agent").get(pk=wish["attainment"])
        label = f"{line.agent}, {line.begins:%Y-%m-%d}"
        return Subject(f"line:{line.pk}", line.team_id, label, line.agent.user_id)

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        """What is counted on the line. It may change while it is looked at: a dispute is about a difference."""
        rows = Attainment.objects.select_for_update(of=("self",)) if lock else Attainment.objects.all()
        return {"line": rows.get(pk=wish["attainment"]).pk}

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Value]:
        return {"reason": wish["reason"], "closed": abs(wish["closed_simple"] + wish["closed_complex"])}

    def standard(self) -> dict[str, Any]:
        """The lead first, then payroll; after five working days it goes up."""
        return {
            "otherwise": {
                "outcome": "steps",
                "steps": [{"mode": "any", "source": LEAD}, {"mode": "any", "source": PAYROLL}],
            },
            "clock": {"remind": 2 * WORKDAY, "escalate": 5 * WORKDAY},
            "timetable": WORKING_WEEK,
        }

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        told = [Line(_("day"), "", wish["on"].isoformat()), Line(_("reason"), "", str(dict(REASONS)[wish["reason"]]))]
        now = counted(wish["attainment"], wish["on"])
        counts = [
            Line(Correction.Count(name).label, str(now[name]), f"{now[name] + wish[name]} ({wish[name]:+d})")
            for name in COUNTS
            if wish[name]
        ]
        return [*told, *counts, Line(_("evidence"), "", wish["evidence"], is_text=True)]

    def effects(self, wish: Wish, stands: State, now: datetime) -> list[str]:
        line = Attainment.objects.select_related("version").get(pk=wish["attainment"])
        return [
            _("The counts of the day are put right, and the difference is paid with the month that is open then."),
            _("The line is by version %(number)d of the plan.") % {"number": line.version.number},
        ]

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        line = Attainment.objects.select_related("version").select_for_update(of=("self",)).get(pk=wish["attainment"])
        Correction.objects.bulk_create(
            [
                Correction(agent_id=line.agent_id, day=wish["on"], count=name, by_how_much=wish[name], request=request)
                for name in COUNTS
                if wish[name]
            ],
            ignore_conflicts=True,
        )
        calculate(line.version.plan_id, month_of(line.ends), cause=f"dispute:{request.pk}", agents=[line.agent_id])
        return {"line": line.pk}


def counted(attainment: int, day: date) -> dict[str, int]:
    """What counts of the agent's day now, with what was put right before. Two queries."""
    agent = Attainment.objects.filter(pk=attainment).values("agent")
    sums = AgentDay.objects.filter(agent__in=agent, day=day).aggregate(
        **{name: Sum(name, default=0) for name in COUNTS}
    )
    for name, by_how_much in Correction.objects.filter(agent__in=agent, day=day).values_list("count", "by_how_much"):
        sums[name] += by_how_much
    return sums


def closes_on(line: Attainment) -> date:
    """The last day on which a line may be disputed: some days after the end of its pay-out month."""
    return month_of(line.ends).last + timedelta(days=int(line.version.terms["dispute_days"]))


@transaction.atomic
def dispute(pk: Any, *, by: User, **content: Any) -> ApprovalRequest:
    """Dispute one's own line. Raises OutOfReach, or Refused: bad_payload, other_day, too_late, already_open."""
    return requests.ask(NAME, {"attainment": pk, **content}, by=by, words=str(content.get("evidence", ""))[:500])
