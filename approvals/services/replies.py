"""Verbs of canned replies. Personal ones are their owner's to write; how a shared one is written down when its request has been
approved stands here too, and is called by the kind (`approvals.services.reply_kind`) alone."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import PurePath
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from approvals.forms.replies import TEXTS
from approvals.models import (
    ApprovalRequest,
    CannedReply,
    CannedReplyVersion,
    ReplyAttachment,
    ReplyCategory,
    ReplySearch,
)
from approvals.plain import pieces, sounds
from teams.errors import OutOfReach, Refused
from teams.models import Team, User

Scope, Status = CannedReply.Scope, CannedReply.Status
MOST_BYTES = 5 * 1024 * 1024
ENDINGS = frozenset({"pdf", "png", "jpg", "jpeg", "gif", "webp", "txt", "csv", "docx", "xlsx", "pptx", "odt", "ods"})


# -- personal ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def save_personal(
    texts: Mapping[str, Any], *, by: User, pk: Any = None, version: int | None = None, is_draft: bool = False
) -> CannedReply:
    """Write a reply of one's own, new or (with `pk`) in place of its former texts; live at once unless it is a draft.

    `texts` are values of `reply_forms.TextsForm`. Raises OutOfReach, or Refused: stale, code_taken, unknown_category.
    """
    is_new = pk is None
    reply = CannedReply(scope=Scope.PERSONAL, owner=by, version=0) if is_new else _own(pk, by, version)
    refuse_unknown_category(texts.get("category"), by)
    put(reply, texts)
    reply.status = Status.DRAFT if is_draft else Status.LIVE
    return write(reply, by=by)


@transaction.atomic
def retire_personal(pk: Any, *, by: User, version: int | None = None) -> CannedReply:
    """Take a reply of one's own out of use; saving it again brings it back. Again: nothing changes. Raises OutOfReach, or
    Refused: stale."""
    reply = _own(pk, by, version)
    if reply.status == Status.RETIRED:
        return reply
    reply.status = Status.RETIRED
    return write(reply, by=by)


def _own(pk: Any, by: User, version: int | None) -> CannedReply:
    reply: CannedReply = CannedReply.objects.manageable_by(by).take(pk)
    if version is not None and version != reply.version:
        raise Refused("stale", _("This reply has changed since you opened it. Look at it again, then change it."))
    return reply


# -- files ---------------------------------------------------------------------------------------------------------------


@transaction.atomic
def bring_file(file: File, *, by: User, team: int | None = None) -> ReplyAttachment:
    """Keep a file that a reply is to have. Until a version names it, it is seen by who brought it and, where a `team` is named,
    by its leads.

    Raises OutOfReach for a team whose replies `by` does not read, or Refused: empty_file, too_large, wrong_kind.
    """
    name = PurePath(str(file.name or "").replace("\\", "/")).name.replace("\x00", "")[:200]
    ending = name.rpartition(".")[2].lower()
    if ending not in ENDINGS:
        raise Refused(
            "wrong_kind",
            _("Files of this kind are not taken. Choose one of: %(kinds)s.") % {"kinds": ", ".join(sorted(ENDINGS))},
        )
    if not file.size:
        raise Refused("empty_file", _("The file is empty. Choose another one."))
    if file.size > MOST_BYTES:
        raise Refused("too_large", _("The file is larger than 5 MB. Make it smaller, or put a link into the text."))
    row = ReplyAttachment(brought_by=by, team_id=team, name=name, size=file.size)
    row.file.save(f"{by.pk}/{timezone.now():%Y%m%d%H%M%S%f}.{ending}", file, save=False)
    row.save()
    return row


def hold_files(*, for_removal: bool = False) -> None:
    """Until the transaction ends: files that are named now stay, or (`for_removal`) nobody names one in the meantime.

    A lock of its own, as who names a file may often not write its row.
    """
    mode = "" if for_removal else "_shared"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_advisory_xact_lock{mode}(hashtext('approvals_reply_files'))")


# -- what both kinds share -----------------------------------------------------------------------------------------------


def refuse_unknown_category(category: Any, by: User) -> None:
    if category is not None and not ReplyCategory.objects.visible_to(by).filter(pk=_pk(category)).exists():
        raise Refused("unknown_category", _("There is no such category. Choose one of the list, or none."))


def put(reply: CannedReply | CannedReplyVersion, texts: Mapping[str, Any]) -> None:
    """Set the texts that are given."""
    for name in TEXTS:
        if name == "category" and name in texts:
            reply.category_id = _pk(texts[name])
        elif name in texts:
            setattr(reply, name, texts[name])


def texts_of(row: CannedReply | CannedReplyVersion) -> dict[str, Any]:
    """The texts of a reply or a version, as `put` takes them."""
    return {name: row.category_id if name == "category" else getattr(row, name) for name in TEXTS}


def plain(texts: Mapping[str, Any]) -> dict[str, Any]:
    """Texts as plain JSON."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in texts.items()}


def write(
    reply: CannedReply,
    *,
    by: User | None,
    request: ApprovalRequest | None = None,
    files: Iterable[int] | None = None,
) -> CannedReply:
    """Save a reply that is locked or new as its next version, with the keys by which it is found. `files` None: as before.

    Raises Refused: code_taken.
    """
    reply.version += 1
    reply.updated_at = timezone.now()
    reply.code_sounds, reply.title_sounds = sounds.keys(reply.short_code), sounds.keys(reply.title)
    try:
        with transaction.atomic():
            reply.save()
    except IntegrityError as error:
        if "one_live_reply_per_short_code" not in str(error):
            raise
        raise Refused(
            "code_taken",
            _("The short code %(code)s is taken here in this language. Choose another one.")
            % {"code": reply.short_code},
        ) from error
    version = CannedReplyVersion(reply=reply, number=reply.version, request=request, made_by=by)
    put(version, texts_of(reply))
    version.save()
    if files is not None:
        reply.attachments.set(files)
    version.attachments.set(reply.attachments.values_list("pk", flat=True))
    index(reply)
    return reply


def index(reply: CannedReply) -> None:
    """Bring the keys by which a reply is found up to its texts; what was counted stays."""
    keys = search_keys(reply)
    ReplySearch.objects.update_or_create(reply_id=reply.pk, defaults=keys)


def search_keys(reply: CannedReply) -> dict[str, Any]:
    """What `ReplySearch` holds of a reply, less its heat."""
    code, title, body = (pieces.folded(text) for text in (reply.short_code, reply.title, reply.body))
    keywords = [pieces.folded(word) for word in (*reply.tags, reply.category.name if reply.category else "")]
    names = pieces.numbers("^", (code[:end] for end in range(1, len(code) + 1)))
    names |= pieces.numbers("c", pieces.parts(code)) | pieces.numbers("t", pieces.of_names(title))
    for word in keywords:
        names |= pieces.numbers("k", pieces.of_names(word))
    code_sounds, title_sounds = reply.code_sounds.split(), reply.title_sounds.split()
    for place, keys in (("^s", code_sounds[:2]), ("cs", code_sounds[2:]), ("ts", title_sounds)):
        for key in keys:
            names |= pieces.numbers(place, (key[:end] for end in range(1, pieces.LONGEST + 1)))
    for word in {*pieces.runs(title), *pieces.runs(code)}:
        if len(word) >= pieces.TYPO_SHORTEST and not pieces.is_cjk(word):
            names |= pieces.numbers("d", pieces.deletions(word))
    return {
        "place": _place(reply), "is_live": reply.status == Status.LIVE, "channel": reply.channel,
        "language": reply.language, "valid_from": reply.valid_from, "valid_until": reply.valid_until,
        "updated_at": reply.updated_at, "names": sorted(names), "body": sorted(pieces.numbers("b", pieces.of_body(body))),
        "sketch": pieces.sketch(body),
    }  # fmt: skip


def _place(reply: CannedReply) -> int:
    if reply.scope == Scope.ALL:
        return 0
    return reply.team_id if reply.scope == Scope.TEAM else -reply.owner_id  # type: ignore[operator, return-value]


def _pk(value: Any) -> Any:
    return getattr(value, "pk", value)


def team_in_words(team: Team | None) -> str:
    return team.name if team is not None else str(_("everybody"))


def reachable(pk: Any, by: User) -> CannedReply:
    """A reply that `by` sees. Raises OutOfReach."""
    reply = CannedReply.objects.visible_to(by).filter(pk=pk).first()
    if reply is None:
        raise OutOfReach
    return reply
