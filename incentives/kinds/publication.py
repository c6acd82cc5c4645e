"""Publishing a version of a plan: what it changes, what it would pay, and nothing of it before a second person agrees."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from approvals.kinds import Fact, Kind, Line, State, Subject, Value, Wish
from approvals.models import ApprovalRequest
from approvals.services import requests
from incentives.kinds.shared import HIGHEST, by_payroll, decider, reason
from incentives.models import Entry, PlanVersion
from incentives.plain.terms import read
from incentives.services.plans import publish, refuse_first_day, take_draft
from incentives.words import in_words
from teams.acting import system_scope
from teams.audit import save_with_history
from teams.errors import Refused
from teams.models import User

NAME = "plan_publication"
WHOLE = "a version is held while the request on it moves"


class PublicationForm(serializers.Serializer):
    version = serializers.IntegerField(min_value=1, max_value=HIGHEST, label=gettext_lazy("version of incentive plan"))


class PlanPublication(Kind):
    name, title, payload = NAME, gettext_lazy("Publication of a plan"), PublicationForm
    undo_within = timedelta(days=7)
    fixed = frozenset({"version"})
    facts = (
        Fact("is_first", gettext_lazy("first version"), is_number=False, choices=(("true", gettext_lazy("yes")),)),
    )

    def may_ask(self, wish: Wish, by: User) -> None:
        version = take_draft(wish["version"], by)
        refuse_first_day(version)

    def subject(self, wish: Wish, by: User) -> Subject:
        version = PlanVersion.objects.select_related("plan").get(pk=wish["version"])
        label = _("%(plan)s, version %(number)d") % {"plan": version.plan.name, "number": version.number}
        return Subject(f"plan:{version.plan_id}", version.plan.team_id, label)

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        """The draft's own terms: whoever edits them after the decision voids it; and what holds now."""
        rows = PlanVersion.objects.select_for_update(of=("self",)) if lock else PlanVersion.objects.all()
        version = rows.get(pk=wish["version"])
        held = _held(version)
        return {
            "terms": version.terms,
            "since": version.span.lower.isoformat(),
            "now": held.terms if held is not None else None,
            "number": held.number if held is not None else 0,
        }

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Value]:
        return {"is_first": stands["now"] is None}

    def standard(self) -> dict[str, Any]:
        return by_payroll()

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        new, old = in_words(read(stands["terms"])), in_words(read(stands["now"])) if stands["now"] else {}
        told = [Line(_("holds from"), "", stands["since"])]
        return told + [Line(name, old.get(name, "–"), words) for name, words in new.items() if old.get(name) != words]

    def effects(self, wish: Wish, stands: State, now: datetime) -> list[str]:
        terms = read(stands["terms"])
        words = [_("Days before %(day)s are paid as they were.") % {"day": stands["since"]}, *terms.warnings]
        return [*words, _("Everybody under it finds the new version on their page, and notes that they have read it.")]

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        version = PlanVersion.objects.select_for_update(of=("self",)).get(pk=wish["version"])
        held = _held(version)
        former = None if held is None else [held.pk, held.span.upper.isoformat() if held.span.upper else None]
        version.request = request
        publish(version, by=by or decider(request), reason=reason(request))
        return {"former": former}

    def undo(self, request: Any, wish: Wish, kept: State, by: User) -> None:
        """As long as nothing has been paid by it."""
        version = PlanVersion.objects.select_for_update(of=("self",)).get(pk=wish["version"])
        if Entry.objects.filter(version=version).exists():
            raise Refused(
                "has_paid", _("Lines have been calculated by this version. Publish another one from a later day.")
            )
        if version.state != PlanVersion.State.PUBLISHED:
            raise Refused("moved_on", _("It has been changed again since. Ask for the change that is needed now."))
        version.state = PlanVersion.State.WITHDRAWN
        save_with_history(version, "state", by=by, reason=reason(request))
        if kept.get("former"):
            _reopen(*kept["former"], by=by, words=reason(request))

    def settled(self, request: Any) -> None:
        """The draft may be edited again."""
        version = PlanVersion.objects.select_for_update(of=("self",)).filter(request=request).first()
        if version is not None and version.state == PlanVersion.State.DRAFT:
            version.request = None
            save_with_history(version, "request", by=None, reason=reason(request))


def _held(version: PlanVersion) -> PlanVersion | None:
    """What holds on the day on which `version` would begin, or did last before it."""
    rows = PlanVersion.objects.filter(plan=version.plan_id).published().exclude(pk=version.pk)
    return rows.filter(span__startswith__lte=version.span.lower).order_by("-span").first()


def _reopen(pk: int, until: str | None, *, by: User, words: str) -> None:
    held = PlanVersion.objects.select_for_update(of=("self",)).get(pk=pk)
    held.span = type(held.span)(held.span.lower, None if until is None else datetime.fromisoformat(until).date())
    held.state = PlanVersion.State.PUBLISHED
    save_with_history(held, "span", "state", by=by, reason=words)


@transaction.atomic
def ask_publication(pk: Any, *, by: User, reason: str = "") -> ApprovalRequest:
    """Ask for a draft to hold.

    Raises OutOfReach, or Refused: not_a_draft, under_request, retroactive, within_period, already_open.
    """
    version = take_draft(pk, by)
    request = requests.ask(NAME, {"version": version.pk}, by=by, words=reason)
    with system_scope(WHOLE):
        version.refresh_from_db()
        if version.state == PlanVersion.State.DRAFT and request.state not in ("rejected", "apply_failed"):
            version.request = request
            save_with_history(version, "request", by=by, reason=reason)
    return request


__all__ = ["NAME", "PlanPublication", "ask_publication"]
