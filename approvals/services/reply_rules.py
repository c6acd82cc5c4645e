"""Verbs of the operator and of leads around canned replies: rules and categories."""

from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from approvals.models import CannedReply, CannedReplyVersion, ReplyCategory, ReplyRules
from approvals.services import replies, reply_uses
from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import OutOfReach, Refused
from teams.models import Team, User

DEEPEST = 5


@transaction.atomic
def set_rules(*, half_life_days: int, words: Iterable[str], by: User, reason: str = "") -> ReplyRules:
    """Say how fast heat fades and which words no reply may hold. A new half-life works out all heat anew.

    Raises OutOfReach for all but the operator, or Refused: wrong_half_life.
    """
    if not (by.is_active and by.is_superuser):
        raise OutOfReach
    if not 1 <= half_life_days <= 365:
        raise Refused("wrong_half_life", _("The half-life is between 1 and 365 days."))
    rules = ReplyRules.objects.select_for_update().filter(pk=1).first() or ReplyRules()
    former = rules.half_life_days
    rules.half_life_days = half_life_days
    rules.words = list(dict.fromkeys(word.strip()[:80] for word in words if word.strip()))
    save_with_history(rules, by=by, reason=reason)
    if former != half_life_days:
        with system_scope("heat is of all uses, whoever may read them"):
            reply_uses.rebuild()
    return rules


@transaction.atomic
def add_category(*, name: str, team: int | None, parent: int | None, by: User, reason: str = "") -> ReplyCategory:
    """A new category of a team and all below it; without a team everybody's, which is the operator's to add.

    Raises OutOfReach, or Refused: unknown_category, too_deep, name_taken.
    """
    _may_write(team, by)
    above = _above(parent, by)
    if above is not None and above.team_id != team and above.team_id is not None:
        raise Refused("unknown_category", _("A category stands below one of the same team, or below one of everybody."))
    category = ReplyCategory(name=name.strip(), team_id=team, parent=above)
    _save(category, by=by, reason=reason)
    return category


@transaction.atomic
def rename_category(pk: Any, *, name: str, by: User, reason: str = "") -> ReplyCategory:
    """Call a category otherwise; its replies are found by the new name at once. Raises OutOfReach, or Refused: name_taken."""
    category: ReplyCategory = ReplyCategory.objects.manageable_by(by).take(pk)
    category.name = name.strip()
    _save(category, "name", by=by, reason=reason)
    with system_scope("the name of a category is a key of its replies, also of those below the team"):
        for reply in CannedReply.objects.filter(category=category).select_related("category"):
            replies.index(reply)
    return category


@transaction.atomic
def remove_category(pk: Any, *, by: User, reason: str = "") -> ReplyCategory:
    """Take away a category that nothing stands in. Raises OutOfReach, or Refused: in_use."""
    category: ReplyCategory = ReplyCategory.objects.manageable_by(by).take(pk)
    with system_scope("what stands in a category may stand beyond the reach of who removes it"):
        rows = (CannedReply.objects, CannedReplyVersion.objects)
        if category.children.exists() or any(each.filter(category=category).exists() for each in rows):
            raise Refused(
                "in_use", _("Replies, earlier versions of them or categories stand in it. Rename it instead.")
            )
    gone = category.pk
    delete_with_history(category, by=by, reason=reason)
    category.pk = gone
    return category


def _may_write(team: int | None, by: User) -> None:
    """Raises OutOfReach."""
    if by.is_active and by.is_superuser:
        return
    if team is None or not Team.objects.manageable_by(by).filter(pk=team).exists():
        raise OutOfReach


def _above(parent: int | None, by: User) -> ReplyCategory | None:
    if parent is None:
        return None
    above = ReplyCategory.objects.visible_to(by).filter(pk=parent).first()
    if above is None:
        raise Refused("unknown_category", _("There is no such category. Choose one of the list, or none."))
    depth, step = 1, above
    with system_scope("how deep a category stands hangs on all above it"):
        while step.parent is not None:
            depth, step = depth + 1, step.parent
    if depth >= DEEPEST:
        raise Refused("too_deep", _("Categories go five deep. Choose one further up."))
    return above


def _save(category: ReplyCategory, *fields: str, by: User, reason: str) -> None:
    if not category.name:
        raise Refused("no_name", _("Give the category a name."))
    try:
        with transaction.atomic():
            save_with_history(category, *fields, by=by, reason=reason)
    except IntegrityError as error:
        if "one_category_per_name_and_place" not in str(error):
            raise
        raise Refused("name_taken", _("There is a category of this name here already.")) from error
