"""Lifting a gate for one line: asked for by a lead, agreed to by payroll."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from approvals.kinds import Fact, Kind, Line, State, Subject, Value, Wish
from approvals.models import ApprovalRequest
from approvals.services import requests
from incentives.kinds.shared import HIGHEST, by_payroll
from incentives.models import Attainment, GateOverride
from incentives.plain.periods import month_of
from incentives.plain.terms import GATES
from incentives.services.runs import calculate
from incentives.words import GATE_NAMES
from teams.errors import OutOfReach, Refused
from teams.models import User

NAME = "gate_override"


class OverrideForm(serializers.Serializer):
    attainment = serializers.IntegerField(min_value=1, max_value=HIGHEST, label=gettext_lazy("line"))
    gate = serializers.ChoiceField(choices=[(gate, GATE_NAMES[gate]) for gate in GATES], label=gettext_lazy("gate"))


class GateLift(Kind):
    name, title, payload = NAME, gettext_lazy("Lifting of a gate"), OverrideForm
    undo_within = timedelta(days=7)
    fixed = frozenset({"attainment"})
    facts = (Fact("gate", gettext_lazy("gate"), is_number=False, choices=tuple(GATE_NAMES.items())),)

    def may_ask(self, wish: Wish, by: User) -> None:
        line = Attainment.objects.visible_to(by).select_related("agent").filter(pk=wish["attainment"]).first()
        if line is None or line.agent.user_id == by.pk:
            raise OutOfReach
        if wish["gate"] not in line.missed.split(","):
            raise Refused("gate_is_met", _("This gate takes nothing from the line: there is nothing to lift."))

    def subject(self, wish: Wish, by: User) -> Subject:
        line = Attainment.objects.select_related("agent").get(pk=wish["attainment"])
        label = f"{line.agent}, {line.begins:%Y-%m-%d}"
        return Subject(f"gate:{line.pk}:{wish['gate']}", line.team_id, label, line.agent.user_id)

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        rows = Attainment.objects.select_for_update(of=("self",)) if lock else Attainment.objects.all()
        line = rows.get(pk=wish["attainment"])
        return {"missed": line.missed, "gate": line.facts.get("gates", {}).get(wish["gate"], {})}

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Value]:
        return {"gate": wish["gate"]}

    def standard(self) -> dict[str, Any]:
        return by_payroll()

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        own = stands["gate"].get("own")
        seen = _("%(good)d of %(all)d") % {"good": own[0], "all": own[1]} if own else "–"
        return [Line(GATE_NAMES[wish["gate"]], _("not met: %(seen)s") % {"seen": seen}, _("lifted for this line"))]

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        line = Attainment.objects.select_for_update(of=("self",)).get(pk=wish["attainment"])
        GateOverride.objects.get_or_create(
            agent_id=line.agent_id, version_id=line.version_id, begins=line.begins, gate=wish["gate"],
            defaults={"request": request},
        )  # fmt: skip
        _again(line.version.plan_id, line.agent_id, line.ends, f"gate:{request.pk}")
        return {"agent": line.agent_id, "plan": line.version.plan_id, "ends": line.ends.isoformat()}

    def undo(self, request: Any, wish: Wish, kept: State, by: User) -> None:
        GateOverride.objects.filter(request=request).delete()
        _again(kept["plan"], kept["agent"], date.fromisoformat(kept["ends"]), f"gate-back:{request.pk}")


def _again(plan: int, agent: int, ends: date, cause: str) -> None:
    calculate(plan, month_of(ends), cause=cause, agents=[agent])


@transaction.atomic
def ask_override(pk: Any, gate: str, *, by: User, reason: str) -> ApprovalRequest:
    """Ask for a gate to be lifted for one line. Raises OutOfReach, or Refused: gate_is_met, no_reason, already_open."""
    if not reason.strip():
        raise Refused("no_reason", _("Say why: whoever decides has to know."))
    return requests.ask(NAME, {"attainment": pk, "gate": gate}, by=by, words=reason)
