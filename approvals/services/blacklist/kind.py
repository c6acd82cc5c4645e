"""The kind of request behind the blacklist: to add an entry, to extend it, to lift it.

The subject comes in clear through one door, `checked`, and is a hash and a mask from there on: no content, trace, notice or
history holds it. A lift is never decided by those who approved the entry: the customer's appeal is heard by somebody else.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Count
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext
from rest_framework import serializers

from approvals.kinds import Fact, Kind, Line, State, Subject, Value, Wish
from approvals.models import ApprovalRequest, BlockEntry, BlockHit
from approvals.services.blacklist import entries, subjects
from approvals.services.blacklist.places import teams_of
from teams.errors import OutOfReach, Refused
from teams.models import Team, User
from teams.scoping import Grant

NAME = "blacklist"
ADD, EXTEND, LIFT = "add", "extend", "lift"
ACTIONS = ((ADD, gettext_lazy("block")), (EXTEND, gettext_lazy("extend")), (LIFT, gettext_lazy("lift")))
TERMS = (
    ("1h", gettext_lazy("1 hour")),
    ("8h", gettext_lazy("8 hours")),
    ("1d", gettext_lazy("1 day")),
    ("7d", gettext_lazy("7 days")),
    (entries.CUSTOM, gettext_lazy("until a moment of choice")),
    (entries.PERMANENT, gettext_lazy("permanent")),
)
DEFAULT_TERM = "7d"
LONGEST_CUSTOM = timedelta(days=731)
LATELY = timedelta(days=30)
HIGHEST = 2**63 - 1


class BlockForm(serializers.Serializer):
    """The frozen content. `subject` and `country` are read from what comes in and never stand here."""

    action = serializers.ChoiceField(choices=ACTIONS, label=gettext_lazy("action"))
    team = serializers.IntegerField(min_value=1, max_value=HIGHEST, label=gettext_lazy("team"))
    entry = serializers.IntegerField(min_value=1, max_value=HIGHEST, allow_null=True, default=None)
    subject_kind = serializers.ChoiceField(choices=BlockEntry.Kind.choices, label=gettext_lazy("kind of subject"))
    digest = serializers.CharField(max_length=32)
    key_name = serializers.CharField(max_length=8)
    customer_keys = serializers.ListField(child=serializers.CharField(max_length=32), default=list)
    mask = serializers.CharField(max_length=60)
    network = serializers.CharField(max_length=50, allow_blank=True, default="")
    proof = serializers.CharField(max_length=32)
    reason_code = serializers.ChoiceField(choices=BlockEntry.Reason.choices, label=gettext_lazy("reason"))
    evidence = serializers.CharField(max_length=1000, label=gettext_lazy("evidence"))
    effect = serializers.ChoiceField(
        choices=BlockEntry.Effect.choices, default=BlockEntry.Effect.BLOCK, label=gettext_lazy("effect")
    )
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=BlockEntry.Channel.choices), default=list, label=gettext_lazy("channels")
    )
    severity = serializers.ChoiceField(
        choices=BlockEntry.Severity.choices, default=BlockEntry.Severity.MEDIUM, label=gettext_lazy("severity")
    )
    term = serializers.ChoiceField(choices=TERMS, default=DEFAULT_TERM, label=gettext_lazy("term"))
    until = serializers.DateTimeField(allow_null=True, default=None, label=gettext_lazy("until"))
    review_on = serializers.DateField(allow_null=True, default=None, label=gettext_lazy("review on"))
    note = serializers.CharField(max_length=500, allow_blank=True, default="", label=gettext_lazy("note"))

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if not subjects.is_proved(given):
            raise serializers.ValidationError(_("Name the customer anew: this content was not made here."))
        if given["action"] == LIFT:
            given["term"], given["until"] = DEFAULT_TERM, None
        if given["term"] != entries.CUSTOM:
            given["until"] = None
        elif given["until"] is None:
            raise serializers.ValidationError({"until": _("Choose the moment until which it holds.")})
        elif not timezone.now() < given["until"] <= timezone.now() + LONGEST_CUSTOM:
            raise serializers.ValidationError(
                {"until": _("Choose a moment ahead, at most two years. What is to last longer is permanent.")}
            )
        if given["action"] in (EXTEND, LIFT) and not given["note"].strip():
            raise serializers.ValidationError({"note": _("Say what you looked at: the note is kept with the entry.")})
        return given


class Blacklist(Kind):
    name, title, payload, page = NAME, gettext_lazy("Blacklist"), BlockForm, "my_blacklist"
    facts = (
        Fact("action", gettext_lazy("action"), is_number=False, choices=ACTIONS),
        Fact("is_permanent", gettext_lazy("permanent"), is_number=False, choices=(("true", gettext_lazy("yes")),)),
        Fact("hours", gettext_lazy("term"), unit=gettext_lazy("hours")),
        Fact(
            "subject_kind",
            gettext_lazy("kind of subject"),
            is_number=False,
            choices=tuple(BlockEntry.Kind.choices),
        ),
        Fact("effect", gettext_lazy("effect"), is_number=False, choices=tuple(BlockEntry.Effect.choices)),
        Fact("reason", gettext_lazy("reason"), is_number=False, choices=tuple(BlockEntry.Reason.choices)),
        Fact("severity", gettext_lazy("severity")),
    )
    undo_within = timedelta(days=7)
    # Who the customer is, is not edited: it stands here as hashes alone.
    fixed = frozenset({"action", "team", "entry", "proof", *subjects.PARTS})
    allows_end: ClassVar[bool] = True

    # -- what is asked ---------------------------------------------------------------------------------------------------

    def checked(self, content: Mapping[str, Any]) -> dict[str, Any]:
        if content.get("action") in (EXTEND, LIFT):
            content = {**content, **_of_entry(content.get("entry"))}
        elif "subject" in content:
            content = subjects.frozen(content)
        return super().checked(content)

    def may_ask(self, wish: Wish, by: User) -> None:
        if wish["action"] == ADD:
            if not teams_of(by).filter(pk=wish["team"]).exists():
                raise OutOfReach
            if self.stands(wish):
                raise Refused(
                    "already_listed", _("This customer is on the blacklist already. Ask for an extension instead.")
                )
            return
        entry = BlockEntry.objects.visible_to(by).filter(pk=wish["entry"]).first()
        if entry is None:
            raise OutOfReach
        if entry.state == BlockEntry.State.HELD:
            raise Refused("only_held", _("This is only held until its request is decided. Decide or withdraw that."))
        if not self.stands(wish):
            raise Refused("not_live", _("This entry has ended by now."))
        if wish["action"] == EXTEND and entry.span.upper is None:
            raise Refused("is_permanent", _("This entry is permanent and needs no extension."))

    def subject(self, wish: Wish, by: User) -> Subject:
        return Subject(f"block:{wish['team']}:{wish['subject_kind']}:{wish['digest']}", wish["team"], wish["mask"])

    def barred(self, request: ApprovalRequest) -> frozenset[int]:
        """Those who agreed to an entry do not decide on the appeal against it."""
        content = request.content
        return entries.approvers_of(content["entry"]) if content["action"] == LIFT else frozenset()

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        """The active entry about the subject. What is only held does not count: it belongs to a request of its own."""
        rows = entries.same_subject(wish).live().filter(state=BlockEntry.State.ACTIVE)
        entry = (rows.select_for_update() if lock else rows).first()
        return entries.standing(entry) if entry is not None else {}

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Value]:
        is_permanent = wish["action"] != LIFT and wish["term"] == entries.PERMANENT
        ends = None if wish["action"] == LIFT else entries.end_of(wish, now)
        return {
            "action": wish["action"],
            "is_permanent": is_permanent,
            "hours": int((ends - now).total_seconds() // 3600) if ends is not None else None,
            "subject_kind": wish["subject_kind"],
            "effect": wish["effect"],
            "reason": wish["reason_code"],
            "severity": int(wish["severity"]),
        }

    def standard(self) -> dict[str, Any]:
        """One lead decides; two where it is for ever."""
        lead = {"is": "grant", "grant": Grant.LEAD.label}
        return {
            "rules": [
                {
                    "name": gettext_noop("permanent"),
                    "when": [{"fact": "is_permanent", "is": "is", "value": True}],
                    "outcome": "steps",
                    "steps": [{"mode": "quorum", "needed": 2, "source": lead}],
                }
            ],
            "otherwise": {"outcome": "steps", "steps": [{"mode": "any", "source": lead}]},
            "clock": {"remind": 120, "escalate": 240, "expire": 7 * 24 * 60, "at_expiry": "deny"},
        }

    # -- how it is shown -------------------------------------------------------------------------------------------------

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        former = _until_words(_moment(stands.get("until"))) if stands else "–"
        if wish["action"] == LIFT:
            return [
                Line(_("blocked"), former, _("lifted at once")),
                Line(_("appeal note"), "", wish["note"], is_text=True),
            ]
        if wish["action"] == EXTEND:
            return [
                Line(_("blocked"), former, _term_words(wish, since=_moment(stands.get("until")))),
                Line(_("review note"), "", wish["note"], is_text=True),
            ]
        return [
            Line(str(BlockEntry.Kind(wish["subject_kind"]).label), "–", wish["mask"]),
            Line(_("blocked"), former, _term_words(wish)),
            Line(_("effect"), "–", str(BlockEntry.Effect(wish["effect"]).label)),
            Line(_("channels"), "–", channel_words(wish["channels"])),
            Line(_("reason"), "–", str(BlockEntry.Reason(wish["reason_code"]).label)),
            Line(_("severity"), "–", str(BlockEntry.Severity(int(wish["severity"])).label)),
            Line(_("evidence"), "", wish["evidence"], is_text=True),
        ]

    def effects(self, wish: Wish, stands: State, now: datetime) -> list[str]:
        """How often the subject was met lately, whether it was blocked before, how far it reaches. From own tables only."""
        earlier = entries.same_subject(wish)
        hits = BlockHit.objects.filter(entry__in=earlier, at__gt=now - LATELY).count()
        counts = earlier.exclude(state=BlockEntry.State.HELD).aggregate(found=Count("pk"))["found"]
        below = Team.objects.filter(descent__ancestor=wish["team"], is_closed=False).count() - 1
        said = [
            ngettext("Met %(count)d time in the last 30 days.", "Met %(count)d times in the last 30 days.", hits)
            % {"count": hits},
            ngettext("Blocked %(count)d time before.", "Blocked %(count)d times before.", counts) % {"count": counts}
            if counts
            else _("Never blocked before."),
        ]
        if below > 0:
            said.append(
                ngettext("Counts for %(count)d team below too.", "Counts for %(count)d teams below too.", below)
                % {"count": below}
            )
        return said

    # -- what it does ----------------------------------------------------------------------------------------------------

    def apply(self, request: ApprovalRequest, wish: Wish, by: User | None) -> State:
        if wish["action"] == ADD:
            entry, former = entries.begin(request, wish, by=by), None
        else:
            verb = entries.extend if wish["action"] == EXTEND else entries.lift
            former = self.stands(wish)
            entry = verb(request, wish, by=by)
        return {"entry": entry.pk, "made": entries.standing(entry), "former": former}

    def undo(self, request: ApprovalRequest, wish: Wish, kept: State, by: User) -> None:
        entries.take_back(kept["entry"], kept, by=by, request=request)

    def settled(self, request: ApprovalRequest) -> None:
        entries.let_go(request)


def channel_words(channels: Any) -> str:
    return ", ".join(str(BlockEntry.Channel(each).label) for each in channels) or _("all")


def _of_entry(pk: Any) -> dict[str, Any]:
    """What a request to extend or lift carries of its entry. Whether it may be seen is asked by `may_ask`."""
    try:
        entry = BlockEntry.objects.filter(pk=int(pk)).first() if 0 < int(pk) <= HIGHEST else None
    except (TypeError, ValueError, OverflowError):
        entry = None
    if entry is None:
        raise OutOfReach
    parts = {name: getattr(entry, name) for name in subjects.PARTS} | {"network": entry.network or ""}
    return parts | {
        "proof": subjects.prove(parts),
        "entry": entry.pk,
        "team": entry.team_id,
        "reason_code": entry.reason_code,
        "evidence": entry.evidence or "–",
        "effect": entry.effect,
        "channels": entry.channels,
        "severity": entry.severity,
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _until_words(moment: datetime | None) -> str:
    if moment is None:
        return _("permanently")
    return _("until %(moment)s") % {"moment": date_format(timezone.localtime(moment), "DATETIME_FORMAT")}


def _term_words(wish: Wish, since: datetime | None = None) -> str:
    if wish["term"] == entries.PERMANENT:
        return _("permanently")
    if wish["term"] == entries.CUSTOM:
        return _until_words(wish["until"])
    if since is not None:
        return _until_words(entries.end_of(wish, since))
    return _("%(term)s, from the approval or from when it was held") % {"term": dict(TERMS)[wish["term"]]}
