"""Corrections of the time line: asked for with a reason, decided by somebody else, taken back to the same line."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from approvals.kinds import Fact, Kind, Line, State, Subject, Value, Wish
from approvals.models import ApprovalRequest, StatusReason, StatusSpan
from approvals.models.statuses import words_of
from approvals.plain.timeline import Piece
from approvals.services import requests
from approvals.services.statuses import line, people
from approvals.services.statuses.breaks import MOST_PK
from approvals.services.statuses.choosing import CHOICES, fitting
from teams.acting import system_scope
from teams.errors import Refused
from teams.models import Agent, User

NAME = "status_correction"
ASKED_WITHIN = timedelta(days=45)
LONGEST = timedelta(days=1)


class Moment(serializers.DateTimeField):
    """Read in the zone of whoever writes it, kept in UTC."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            return super().to_internal_value(value).astimezone(UTC)
        except OverflowError:  # the first and the last day of the calendar lie in no other zone
            self.fail("overflow")

    def to_representation(self, value: Any) -> str:
        return value.astimezone(UTC).isoformat()


class CorrectionForm(serializers.Serializer):
    agent = serializers.IntegerField(min_value=1, max_value=MOST_PK, label=gettext_lazy("Agent"))
    since = Moment(label=gettext_lazy("From"))
    until = Moment(label=gettext_lazy("Until"))
    base = serializers.ChoiceField(choices=CHOICES, label=gettext_lazy("Status"))
    reason = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", label=gettext_lazy("Reason")
    )


class StatusCorrection(Kind):
    """Another status for a stretch of the past. What stood there is kept by the request, and comes back if it is undone."""

    name, title, payload = NAME, gettext_lazy("Correction of the time line"), CorrectionForm
    undo_within = timedelta(days=7)
    fixed, page = frozenset({"agent"}), "my_status"
    facts = (
        Fact("minutes", gettext_lazy("length of the correction"), unit=gettext_lazy("minutes")),
        Fact("days_ago", gettext_lazy("how long ago it was"), unit=gettext_lazy("days")),
        Fact(
            "status", gettext_lazy("status it becomes"), is_number=False,
            choices=tuple(CHOICES),
        ),
    )  # fmt: skip

    def may_ask(self, wish: Wish, by: User) -> None:
        agent = people.whose(wish["agent"], by)
        with system_scope(people.LINE):
            _refuse_times(wish, timezone.now())
            reason = fitting(wish["base"], wish["reason"])
            others = list(_open_about(agent).select_for_update(of=("self",)))
            people.hold(agent.pk)
            people.team_now(agent, timezone.now())
            _refuse_overlap(wish, [each for each in others if each.subject_key != _key(wish)])
            if _says(line.pieces(agent.pk, wish["since"], wish["until"]), wish, reason):
                raise Refused("no_change", _("The line says this already. There is nothing to correct."))

    def subject(self, wish: Wish, by: User) -> Subject:
        agent = Agent.objects.select_related("team").get(pk=wish["agent"])
        return Subject(_key(wish), people.team_now(agent, timezone.now()), str(agent), agent.user_id)

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        if lock:
            people.hold(wish["agent"])
        rows = StatusSpan.objects.filter(agent=wish["agent"]).during(wish["since"], wish["until"])
        codes = dict(rows.filter(reason__isnull=False).values_list("reason", "reason__code"))
        return {
            "line": [
                {
                    "since": piece.since.astimezone(UTC).isoformat(),
                    "until": piece.until.astimezone(UTC).isoformat() if piece.until else None,
                    "base": piece.base,
                    "reason": codes.get(piece.reason or 0, ""),
                }
                for piece in line.pieces(wish["agent"], wish["since"], wish["until"])
            ]
        }

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Value]:
        return {
            "minutes": int((wish["until"] - wish["since"]) / timedelta(minutes=1)),
            "days_ago": (now - wish["since"]).days,
            "status": wish["base"],
        }

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        """One line for each stretch that would change; times in the reader's zone."""
        reasons = {each.code: each for each in StatusReason.objects.all()}
        new = words_of(wish["base"], reasons.get(wish["reason"]))
        told = [
            Line(
                _between(datetime.fromisoformat(each["since"]), datetime.fromisoformat(each["until"])),
                words_of(each["base"], reasons.get(each["reason"])),
                new,
            )
            for each in stands.get("line", [])
        ]
        return told or [Line(_between(wish["since"], wish["until"]), "", new)]

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        agent = people.hold(wish["agent"])
        reason = StatusReason.objects.filter(code=wish["reason"]).first()
        former = line.pieces(agent.pk, wish["since"], wish["until"])
        made = [
            Piece(
                since=since, until=until, team=team, base=wish["base"], reason=reason.pk if reason else None,
                source=StatusSpan.Source.REQUEST, confidence=StatusSpan.Confidence.CORRECTED, request=request.pk,
                by=request.requester_id,
            )
            for since, until, team in _stretches(former, wish["since"], wish["until"], people.team_now(agent, wish["since"]))
        ]  # fmt: skip
        line.put(agent.pk, wish["since"], wish["until"], made)
        return {"former": [each.as_json() for each in former], "made": [each.as_json() for each in made]}

    def undo(self, request: Any, wish: Wish, kept: State, by: User) -> None:
        agent = people.hold(wish["agent"])
        made = [Piece.from_json(each) for each in kept["made"]]
        if line.pieces(agent.pk, wish["since"], wish["until"]) != made:
            raise Refused(
                "moved_on", _("This part of the line has been corrected again since. Undo the later correction first.")
            )
        line.put(agent.pk, wish["since"], wish["until"], [Piece.from_json(each) for each in kept["former"]])


def _stretches(
    former: Sequence[Piece], since: datetime, until: datetime, team: int
) -> list[tuple[datetime, datetime, int]]:
    """The window cut where the team of the line changes; where nothing stood, it is `team`."""
    found: list[tuple[datetime, datetime, int]] = []
    for piece in former:
        begins = since if not found else piece.since
        if found and found[-1][2] == piece.team:
            continue
        if found:
            found[-1] = (found[-1][0], begins, found[-1][2])
        found.append((begins, until, piece.team))
    return found or [(since, until, team)]


def _says(pieces: Sequence[Piece], wish: Wish, reason: StatusReason | None) -> bool:
    """Whether the line says throughout what is wished."""
    wanted = (wish["base"], reason.pk if reason else None)
    covers = sum(((each.until or wish["until"]) - each.since for each in pieces), timedelta())
    return covers == wish["until"] - wish["since"] and all((each.base, each.reason) == wanted for each in pieces)


def _refuse_times(wish: Wish, now: datetime) -> None:
    since, until = wish["since"], wish["until"]
    if since >= until:
        raise Refused("wrong_order", _("The end lies before the beginning. Look at the times."))
    if until > now:
        raise Refused("in_the_future", _("Only what has passed is corrected. Choose an end before now."))
    if since < now - ASKED_WITHIN:
        raise Refused(
            "too_old",
            _("The line is corrected for %(days)d days. Choose a later beginning.") % {"days": ASKED_WITHIN.days},
        )
    if until - since > LONGEST:
        raise Refused("too_long", _("One correction covers at most a day. Ask for each day by itself."))


def _refuse_overlap(wish: Wish, others: Sequence[ApprovalRequest]) -> None:
    for each in others:
        known = StatusCorrection().wish(each.content)
        if known["since"] < wish["until"] and wish["since"] < known["until"]:
            raise Refused(
                "already_asked",
                _("Another correction of %(when)s is still open. Wait for its end, or withdraw it.")
                % {"when": _between(known["since"], known["until"])},
            )


def _open_about(agent: Agent) -> Any:
    return ApprovalRequest.objects.open().filter(kind=NAME, subject_key__startswith=f"agent:{agent.pk}:")


def _key(wish: Wish) -> str:
    return f"agent:{wish['agent']}:{wish['since'].astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"


def _between(since: datetime, until: datetime) -> str:
    begins, ends = timezone.localtime(since), timezone.localtime(until)
    last = time_format(ends, "H:i") if begins.date() == ends.date() else f"{ends:%Y-%m-%d} {time_format(ends, 'H:i')}"
    return f"{begins:%Y-%m-%d} {time_format(begins, 'H:i')}–{last}"


# -- the verb ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def ask_correction(
    agent: int, since: datetime, until: datetime, base: str, reason: str = "", *, by: User, words: str
) -> ApprovalRequest:
    """Ask for another status in a stretch of the past, saying why.

    Raises OutOfReach, or Refused: no_words, wrong_order, in_the_future, too_old, too_long, already_asked, no_change, those of
    `choosing.fitting`, already_open.
    """
    if not words.strip():
        raise Refused("no_words", _("Say why: whoever decides it was not there."))
    content = {
        "agent": agent, "since": since.isoformat(), "until": until.isoformat(), "base": base, "reason": reason
    }  # fmt: skip
    return requests.ask(NAME, content, by=by, words=words)
