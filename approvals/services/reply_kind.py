"""The kind of request by which shared canned replies change: new, change, retire, roll back. The old text stays live until the
new one is approved; what was approved is a version, and can be brought back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals.forms.replies import TEXTS, ReplyForm
from approvals.kinds import Fact, Kind, Line, Moved, State, Subject, Wish
from approvals.models import (
    CannedReply,
    CannedReplyVersion,
    Channel,
    Language,
    ReplyAttachment,
    ReplyCategory,
    ReplyUse,
)
from approvals.plain import variables
from approvals.querysets.replies import near
from approvals.services import replies
from teams.errors import OutOfReach, Refused
from teams.models import Agent, Team, User

LABELS: Mapping[str, Any] = {
    "title": gettext_lazy("Title"), "short_code": gettext_lazy("Short code"), "body": gettext_lazy("Text"),
    "channel": gettext_lazy("Channel"), "language": gettext_lazy("Language"), "category": gettext_lazy("Category"),
    "tags": gettext_lazy("Tags"), "valid_from": gettext_lazy("Valid from"), "valid_until": gettext_lazy("Valid until"),
    "review_on": gettext_lazy("Look at again on"), "attachments": gettext_lazy("Attachments"),
    "status": gettext_lazy("Status"),
}  # fmt: skip
RECENT = timedelta(days=90)
Scope, Status = CannedReply.Scope, CannedReply.Status


class CannedReplyKind(Kind):
    name, title, payload = "canned_reply", gettext_lazy("Canned reply"), ReplyForm
    facts = (
        Fact("action", gettext_lazy("what is asked"), is_number=False, choices=ReplyForm.ACTIONS),
        Fact("scope", gettext_lazy("for whom"), is_number=False, choices=ReplyForm.SHARED),
        Fact("language", gettext_lazy("language"), is_number=False, choices=tuple(Language.choices)),
        Fact("uses", gettext_lazy("uses in 90 days")),
    )
    undo_within: ClassVar[timedelta | None] = timedelta(days=7)
    fixed = frozenset({"action", "reply", "scope", "team", "number", "attachments"})
    page = "my_replies"

    # -- what is asked ---------------------------------------------------------------------------------------------------

    def may_ask(self, wish: Wish, by: User) -> None:
        """Whoever reads a team's replies may propose for it. Refused: personal, no_such_version, already_retired, no_change,
        unknown_category, unknown_file, code_taken."""
        if wish["action"] == "create":
            if wish["scope"] == Scope.TEAM and not _reads(by, wish["team"]):
                raise OutOfReach
            place = _place_of(wish)
            reply = None
        else:
            reply = replies.reachable(wish["reply"], by)
            place = {"scope": reply.scope, "team": reply.team_id}
            _refuse_useless(wish, reply)
        if wish["action"] in ("create", "edit"):
            replies.refuse_unknown_category(wish["category"], by)
            _refuse_unknown_files(wish["attachments"], by)
            _refuse_taken(place, wish["short_code"], wish["language"], reply)

    def subject(self, wish: Wish, by: User) -> Subject:
        if wish["action"] == "create":
            place = _place_of(wish)
            code = f"{wish['short_code']} · {wish['title']}"
            key = f"reply:new:{place['team'] or 'all'}:{wish['short_code'].lower()}:{wish['language']}"
            return Subject(key, place["team"] or _top(by), code)
        reply = CannedReply.objects.get(pk=wish["reply"])
        return Subject(f"reply:{reply.pk}", reply.team_id or _top(by), str(reply))

    def stands(self, wish: Wish, *, lock: bool = False) -> State:
        if wish["action"] == "create":
            return {}
        rows = CannedReply.objects.select_for_update() if lock else CannedReply.objects.all()
        reply = rows.get(pk=wish["reply"])
        files = list(reply.attachments.order_by("pk").values_list("pk", flat=True))
        return {
            **replies.plain(replies.texts_of(reply)), "attachments": files, "status": reply.status, "version": reply.version,
        }  # fmt: skip

    def measured(self, wish: Wish, stands: State, now: datetime) -> dict[str, Any]:
        reply = CannedReply.objects.filter(pk=wish["reply"]).first() if wish["reply"] else None
        return {
            "action": wish["action"],
            "scope": reply.scope if reply else wish["scope"],
            "language": stands.get("language") or wish["language"],
            "uses": ReplyUse.objects.filter(reply=reply, used_at__gte=now - RECENT).count() if reply else 0,
        }

    # -- how it is shown -------------------------------------------------------------------------------------------------

    def difference(self, wish: Wish, stands: State) -> list[Line]:
        if wish["action"] == "retire":
            return [Line(LABELS["status"], word_of("status", stands.get("status")), str(Status.RETIRED.label))]
        new = self._wanted(wish)
        lines = [
            Line(LABELS[name], word_of(name, stands.get(name)), word_of(name, new.get(name)), is_text=name == "body")
            for name in (*TEXTS, "attachments")
        ]
        if stands.get("status") == Status.RETIRED:
            lines.append(Line(LABELS["status"], str(Status.RETIRED.label), str(Status.LIVE.label)))
        return [line for line in lines if line.old != line.new]

    def effects(self, wish: Wish, stands: State, now: datetime) -> list[str]:
        reply = CannedReply.objects.select_related("team").filter(pk=wish["reply"]).first() if wish["reply"] else None
        place = {"scope": reply.scope, "team": reply.team_id} if reply else _place_of(wish)
        said = [_readers(place)]
        if reply is not None:
            said.append(_used(reply, now))
        if wish["action"] == "retire":
            return [*said, _("It is suggested to nobody any more; its versions stay.")]
        new = self._wanted(wish)
        said += _clashes(place, new, reply)
        first = _as_date(new.get("valid_from"))
        if first is not None and first > timezone.localdate(now):
            said.append(_("It is live from %(day)s on.") % {"day": date_format(first)})
        example = variables.example(str(new.get("body", "")))
        return [*said, _("As a customer may read it: %(text)s") % {"text": example[:1000]}]

    def _wanted(self, wish: Wish) -> dict[str, Any]:
        """The texts and files that would be live, as plain JSON."""
        if wish["action"] != "roll_back":
            texts = replies.plain({name: wish[name] for name in TEXTS})
            return {**texts, "attachments": sorted(wish["attachments"])}
        version = CannedReplyVersion.objects.filter(reply=wish["reply"], number=wish["number"]).first()
        if version is None:
            return {}
        files = list(version.attachments.order_by("pk").values_list("pk", flat=True))
        return {**replies.plain(replies.texts_of(version)), "attachments": files}

    # -- what it does ----------------------------------------------------------------------------------------------------

    def apply(self, request: Any, wish: Wish, by: User | None) -> State:
        """`by` decided; the version names who asked."""
        if wish["action"] == "create":
            reply = CannedReply(scope=wish["scope"], team_id=_place_of(wish)["team"], version=0)
            replies.put(reply, wish)
            replies.write(reply, by=request.requester, request=request, files=wish["attachments"])
            return {"reply": reply.pk, "version": reply.version, "former": None}
        reply = CannedReply.objects.select_for_update().get(pk=wish["reply"])
        former = reply.version
        files: list[int] | None = None
        if wish["action"] == "retire":
            reply.status = Status.RETIRED
        else:
            reply.status = Status.LIVE
            if wish["action"] == "edit":
                replies.put(reply, wish)
                files = wish["attachments"]
            else:
                version = CannedReplyVersion.objects.filter(reply=reply, number=wish["number"]).first()
                if version is None:
                    raise Moved
                replies.put(reply, replies.texts_of(version))
                files = list(version.attachments.values_list("pk", flat=True))
        replies.write(reply, by=request.requester, request=request, files=files)
        return {"reply": reply.pk, "version": reply.version, "former": former, "status": request.stood["status"]}

    def undo(self, request: Any, wish: Wish, kept: State, by: User) -> None:
        """The former version stands again, as a version of its own; a new reply is retired."""
        reply = CannedReply.objects.select_for_update().get(pk=kept["reply"])
        if reply.version != kept["version"]:
            raise Refused(
                "moved_on", _("This reply has changed again since. Roll back to the version you want instead.")
            )
        files: list[int] | None = None
        if kept["former"] is None:
            reply.status = Status.RETIRED
        else:
            version = CannedReplyVersion.objects.get(reply=reply, number=kept["former"])
            replies.put(reply, replies.texts_of(version))
            files = list(version.attachments.values_list("pk", flat=True))
            reply.status = kept["status"]
        replies.write(reply, by=by, request=request, files=files)


# -- rules ---------------------------------------------------------------------------------------------------------------


def _place_of(wish: Wish) -> dict[str, Any]:
    is_team = wish["scope"] == Scope.TEAM
    return {"scope": wish["scope"], "team": wish["team"] if is_team else None}


def _reads(by: User, team: int) -> bool:
    """Whether `by` reads the replies of a team: works there or below, or holds a grant of the roster there."""
    if by.is_superuser:
        return Team.objects.filter(pk=team).exists()
    return near(by).filter(ancestor=team).exists()


def _top(by: User) -> int:
    """The top team whose leads decide on what is for everybody: the one above the asker, else the first."""
    agent = Agent.objects.filter(user=by).first()
    tops = Team.objects.filter(parent=None).order_by("pk")
    own = tops.filter(descent__descendant=agent.team_id) if agent and agent.team_id else tops.none()
    if not own and not by.is_superuser:
        own = tops.filter(pk__in=near(by))
    return int((own.first() or tops[0]).pk)


def _refuse_useless(wish: Wish, reply: CannedReply) -> None:
    if not reply.is_shared:
        raise Refused("personal", _("This reply is personal: its owner changes it without asking."))
    if wish["action"] == "retire" and reply.status == Status.RETIRED:
        raise Refused("already_retired", _("This reply is retired already."))
    if wish["action"] == "roll_back":
        version = CannedReplyVersion.objects.filter(reply=reply, number=wish["number"]).first()
        if version is None:
            raise Refused("no_such_version", _("This reply has no version %(number)d.") % {"number": wish["number"]})
        same = replies.texts_of(version) == replies.texts_of(reply) and reply.status == Status.LIVE
        if same and set(version.attachments.values_list("pk")) == set(reply.attachments.values_list("pk")):
            raise Refused("no_change", _("This is what stands already. Choose an earlier version."))
    if wish["action"] == "edit":
        texts = {name: wish[name] for name in TEXTS}
        files = set(reply.attachments.values_list("pk", flat=True))
        if texts == replies.texts_of(reply) and set(wish["attachments"]) == files and reply.status == Status.LIVE:
            raise Refused("no_change", _("Nothing differs from what stands. Change something, then propose it."))


def _refuse_unknown_files(files: list[int], by: User) -> None:
    if files:
        replies.hold_files()
    if len(set(files)) != ReplyAttachment.objects.visible_to(by).filter(pk__in=files).count():
        raise Refused("unknown_file", _("One of the attachments was not found. Bring it again."))


def _refuse_taken(place: Mapping[str, Any], code: str, language: str, reply: CannedReply | None) -> None:
    same = CannedReply.objects.live().filter(
        scope=place["scope"], team=place["team"], short_code__iexact=code, language=language
    )
    if same.exclude(pk=reply.pk if reply else 0).exists():
        raise Refused(
            "code_taken",
            _("The short code %(code)s is taken here in this language. Choose another one, or change that reply.")
            % {"code": code},
        )


# -- in words --------------------------------------------------------------------------------------------------------------


def word_of(name: str, value: Any) -> str:
    if value in (None, "", []):
        return ""
    if name == "channel":
        return str(dict(Channel.choices).get(value, value))
    if name == "language":
        return str(dict(Language.choices).get(value, value))
    if name == "status":
        return str(dict(Status.choices).get(value, value))
    if name == "category":
        return str(ReplyCategory.objects.filter(pk=value).first() or value)
    if name == "tags":
        return ", ".join(value)
    if name == "attachments":
        return ", ".join(ReplyAttachment.objects.filter(pk__in=value).order_by("name").values_list("name", flat=True))
    if name in ("valid_from", "valid_until", "review_on"):
        day = _as_date(value)
        return date_format(day) if day else ""
    return str(value)


def _as_date(value: Any) -> Any:
    return datetime.strptime(value, "%Y-%m-%d").date() if isinstance(value, str) and value else value  # noqa: DTZ007


def _readers(place: Mapping[str, Any]) -> str:
    agents = Agent.objects.current()
    if place["team"] is None:
        count = agents.count()
        return ngettext(
            "Everybody sees it: %(count)d agent.", "Everybody sees it: %(count)d agents.", count
        ) % {"count": count}  # fmt: skip
    team = Team.objects.get(pk=place["team"])
    count = agents.filter(team__ascent__ancestor=team).count()
    return ngettext(
        "%(team)s and the teams below it see it: %(count)d agent.",
        "%(team)s and the teams below it see it: %(count)d agents.",
        count,
    ) % {"team": team.name, "count": count}


def _used(reply: CannedReply, now: datetime) -> str:
    recent = ReplyUse.objects.filter(reply=reply, used_at__gte=now - RECENT)
    uses, people = recent.count(), recent.values("agent").distinct().count()
    return ngettext(
        "It was used %(uses)d time in 90 days, by %(people)s agents.",
        "It was used %(uses)d times in 90 days, by %(people)s agents.",
        uses,
    ) % {"uses": uses, "people": people}


def _clashes(place: Mapping[str, Any], new: Mapping[str, Any], reply: CannedReply | None) -> list[str]:
    """Live replies with the same short code that the same people see, in a team above or below, or everybody's."""
    same = (
        CannedReply.objects.live()
        .shared()
        .filter(short_code__iexact=new.get("short_code", ""), language=new.get("language"))
    )
    if place["team"] is not None:
        above = Q(team__descent__descendant=place["team"]) | Q(team__ascent__ancestor=place["team"])
        same = same.filter(Q(scope=Scope.ALL) | above)
    found = same.exclude(pk=reply.pk if reply else 0).select_related("team").distinct()[:5]
    return [
        _("The short code is also that of “%(title)s” (%(where)s): some will be offered both.")
        % {"title": other.title, "where": replies.team_in_words(other.team)}
        for other in found
    ]
