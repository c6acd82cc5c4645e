"""Asking for a break, or for anything else that needs a word of somebody: a kind of request that is decided on live cover.

Locks are taken in one order: the open request about the agent, the team's cover, the agent. So whoever decides a request and
whoever serves the queue never wait for each other.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from rest_framework import serializers

from approvals.kinds import Fact, Kind, Line, State, Subject, Value, Wish
from approvals.models import ApprovalRequest, Base, StatusReason, StatusSpan, TeamCover
from approvals.models.statuses import DAY_MINUTES, words_of
from approvals.plain.cover import Cover
from approvals.plain.timeline import LONGEST_SHIFT, Piece, shift_began_at
from approvals.services import requests
from approvals.services.statuses import covering, line, people
from approvals.services.statuses.choosing import reason_of
from teams.acting import system_scope
from teams.errors import Refused
from teams.models import Agent, User

NAME = "status_change"
MOST_PK = 2**63 - 1
YES_NO = (("yes", gettext_lazy("yes")), ("no", gettext_lazy("no")))
TENTH = Decimal("0.1")


class BreakForm(serializers.Serializer):
    agent = serializers.IntegerField(min_value=1, max_value=MOST_PK, label=gettext_lazy("Agent"))
    reason = serializers.CharField(max_length=40, label=gettext_lazy("Reason"))
    minutes = serializers.IntegerField(
        min_value=1, max_value=DAY_MINUTES, required=False, allow_null=True, default=None, label=gettext_lazy("Minutes")
    )


class StatusChange(Kind):
    """A break, or another status whose reason needs approval. Until it is granted the agent stays in the present status."""

    name, title, payload = NAME, gettext_lazy("Break or time away"), BreakForm
    answers_at_once = True
    fixed, page = frozenset({"agent"}), "my_status"
    facts = (
        Fact("cover", gettext_lazy("ready agents beyond the needed ones"), unit=gettext_lazy("agents")),
        Fact("ready", gettext_lazy("ready agents"), unit=gettext_lazy("agents")),
        Fact("needed", gettext_lazy("agents who have to stay ready"), unit=gettext_lazy("agents")),
        Fact("minutes", gettext_lazy("length asked for"), unit=gettext_lazy("minutes")),
        Fact("reason", gettext_lazy("code of the reason"), is_number=False),
        Fact("approval", gettext_lazy("the reason needs approval"), is_number=False, choices=YES_NO),
        Fact("legal", gettext_lazy("required by law"), is_number=False, choices=YES_NO),
        Fact("within_limits", gettext_lazy("the limits of the reason are kept"), is_number=False, choices=YES_NO),
        Fact("hours_into_shift", gettext_lazy("time since the shift began"), unit=gettext_lazy("hours")),
        Fact("used_minutes", gettext_lazy("time of this shift spent on the reason"), unit=gettext_lazy("minutes")),
        Fact("waited_minutes", gettext_lazy("time in the queue"), unit=gettext_lazy("minutes")),
        Fact(
            "waited_enough", gettext_lazy("waited as long as the team lets a break wait"), is_number=False,
            choices=YES_NO,
        ),
    )  # fmt: skip

    def may_ask(self, wish: Wish, by: User) -> None:
        agent = people.whose(wish["agent"], by)
        with system_scope(people.LINE):
            people.refuse_absent(agent)
            now = timezone.now()
            list(open_about(agent).select_for_update(of=("self",)))
            team = people.team_now(agent, now)
            covering.hold(team)
            reason = reason_of(wish["reason"])
            if reason.base != Base.BREAK and not reason.needs_approval:
                raise Refused("not_asked_for", _("“%(reason)s” needs nobody's word: choose it.") % {"reason": reason})
            _refuse_nonsense(people.current(agent), reason)
            minutes = covering.length(reason, wish["minutes"])
            refusal = covering.over_limits(reason, minutes, covering.used(reason, agent.pk, team, now))
            if refusal is not None:
                raise refusal

    def subject(self, wish: Wish, by: User) -> Subject:
        agent = Agent.objects.select_related("team").get(pk=wish["agent"])
        return Subject(f"agent:{agent.pk}", people.team_now(agent, timezone.now()), str(agent), agent.user_id)

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        """The team whose cover counts; what the agent does meanwhile is the agent's."""
        agent = Agent.objects.select_related("team").get(pk=wish["agent"])
        team = people.team_now(agent, timezone.now())
        if lock:
            covering.hold(team)
            people.hold(agent.pk)
        return {"team": team}

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Value]:
        return measure(wish, covering.hold(stands["team"]), now)

    def standard(self) -> dict[str, Any]:
        """Leads on duty are asked; where none keeps a status, all who lead the team: they are nearer than whoever is above."""
        free = [{"fact": "approval", "is": "is", "value": "no"}, {"fact": "within_limits", "is": "is", "value": "yes"}]
        return {
            "rules": [
                _rule(gettext_noop("The law gives this break"), {"fact": "legal", "is": "is", "value": "yes"}),
                _rule(gettext_noop("No cover is asked of the team"), *free, {"fact": "needed", "is": "is", "value": 0}),
                _rule(gettext_noop("The cover allows it"), *free, {"fact": "cover", "is": "at_least", "value": 1}),
                _rule(
                    gettext_noop("It has waited long enough"),
                    *free,
                    {"fact": "waited_enough", "is": "is", "value": "yes"},
                ),
            ],
            "otherwise": {
                "outcome": "steps",
                "steps": [{"mode": "any", "source": {"is": "on_duty"}, "fallback": {"is": "grant", "grant": "LEAD"}}],
            },
            "clock": {"remind": 10, "expire": 30, "at_expiry": "hold"},
        }

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        reason = StatusReason.objects.filter(code=wish["reason"]).first()
        told = [Line(_("Status"), "", words_of(reason.base, reason) if reason is not None else str(wish["reason"]))]
        minutes = covering.capped(reason, wish["minutes"]) if reason is not None else wish["minutes"]
        return [*told, Line(_("Minutes"), "", str(minutes) if minutes is not None else _("open"))]

    def effects(self, wish: Wish, stands: State, now: datetime) -> list[str]:
        cover = TeamCover.objects.filter(team=stands["team"]).first() or TeamCover(team_id=stands["team"])
        counted = covering.count(cover)
        reason = StatusReason.objects.filter(code=wish["reason"]).first()
        open_row = StatusSpan.objects.open().filter(agent=wish["agent"]).first()
        after = counted.ready - (open_row is not None and open_row.base == Base.READY)
        told = [
            _("%(ready)d ready now, %(after)d afterwards; %(needed)d are needed.")
            % {"ready": counted.ready, "after": after, "needed": counted.needed}
        ]
        if reason is not None:
            use = covering.used(reason, wish["agent"], stands["team"], now)
            told.append(
                _(
                    "On “%(reason)s” now: %(count)d of the team. The agent has spent %(minutes)d minutes of the shift on it."
                )
                % {"reason": reason, "count": use.at_once, "minutes": use.minutes}
            )
        return told

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        reason = reason_of(wish["reason"])
        agent = people.hold(wish["agent"])
        now = timezone.now()
        _refuse_nonsense(people.current(agent), reason)
        minutes = covering.capped(reason, wish["minutes"])
        made = Piece(
            since=now, until=None, team=people.team_now(agent, now), base=reason.base, reason=reason.pk,
            back_at=covering.back_at(now, minutes), source=StatusSpan.Source.REQUEST, request=request.pk,
            by=request.requester_id,
        )  # fmt: skip
        line.put(agent.pk, now, None, [made])
        return {"since": now.isoformat()}


def _rule(name: str, *when: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "when": list(when), "outcome": "approve"}


def open_about(agent: Agent) -> Any:
    return ApprovalRequest.objects.open().filter(kind=NAME, subject_key=f"agent:{agent.pk}")


def _refuse_nonsense(current: StatusSpan | None, reason: StatusReason) -> None:
    if current is None or current.base == Base.OFFLINE:
        raise Refused("not_at_work", _("Nobody goes on a break from being offline. Come to work first."))
    if current.reason_id == reason.pk and current.base == reason.base:
        raise Refused("already_there", _("“%(reason)s” is the present status already.") % {"reason": reason})


def measure(wish: Wish, cover: TeamCover, now: datetime, asked_at: datetime | None = None) -> dict[str, Value]:
    """The facts of the kind, with the cover under lock; `asked_at` for one that waits."""
    reason = StatusReason.objects.get(code=wish["reason"])
    counted: Cover = covering.count(cover)
    use = covering.used(reason, wish["agent"], cover.team_id, now)
    began = shift_began_at(line.pieces(wish["agent"], now - LONGEST_SHIFT, now), now)
    minutes = covering.capped(reason, wish["minutes"])
    waited = int((now - asked_at) / covering.MINUTE) if asked_at is not None else 0
    return {
        "cover": counted.spare,
        "ready": counted.ready,
        "needed": counted.needed,
        "minutes": minutes,
        "reason": reason.code,
        "approval": _yes(reason.needs_approval),
        "legal": _yes(reason.is_legal),
        "within_limits": _yes(covering.over_limits(reason, minutes, use) is None),
        "hours_into_shift": _hours(now - began) if began is not None else None,
        "used_minutes": use.minutes,
        "waited_minutes": waited,
        "waited_enough": _yes(has_waited(cover, waited)),
    }


def has_waited(cover: TeamCover, minutes: int) -> bool:
    return cover.grant_after_minutes is not None and minutes >= cover.grant_after_minutes


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _hours(passed: timedelta) -> Decimal:
    return (Decimal(int(passed.total_seconds())) / 3600).quantize(TENTH)


# -- the verb ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_break(agent: int, reason: str, minutes: int | None = None, *, by: User, words: str = "") -> ApprovalRequest:
    """Ask for a break: it begins at once where the policy allows, or waits in the team's queue. The same again: that one.

    Raises OutOfReach, or Refused: not_employed, no_team, unknown_reason, not_asked_for, not_at_work, already_there, too_long,
    shift_limit, at_once_limit, already_open.
    """
    content = {"agent": agent, "reason": reason, "minutes": minutes}
    person = people.whose(agent, by)
    with system_scope(people.LINE):
        waits = open_about(person).select_for_update(of=("self",)).first()
        if waits is not None and waits.requester_id == by.pk and waits.content == StatusChange().checked(content):
            return waits
    return requests.ask(NAME, content, by=by, words=words)
