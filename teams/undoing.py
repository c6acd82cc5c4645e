"""Undo: what a verb wrote is read from the history it left, and taken back while nothing has moved since.

Every change with consequences leaves versions (`teams.audit`). A door records which ones a verb wrote (`recording`) and makes
an offer of it (`offer`): to the one who did it, for ten minutes. To undo is a change like any other: it locks, compares the
newest version of each row with the last one the verb wrote, refuses by name what has moved, and restores from the newest to
the oldest. A verb takes part by an `Undo`, defined beside the services; where rows are not all (sessions, placed facts), it
brings its own way back, or says by `fits` and `still` when there is none.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from simple_history.signals import post_create_historical_record

from teams.acting import system_scope
from teams.audit import delete_with_history, save_with_history
from teams.errors import Refused
from teams.models import UndoOffer, User

OFFERED = timedelta(minutes=10)
KEPT = timedelta(days=1)  # an offer that is over is removed with the owner's next one


@dataclass(frozen=True)
class Moved:
    """One row that a verb wrote: its version before (None: the verb made it) and the last one the verb left."""

    model: Any
    pk: Any
    before: Any
    after: Any

    @property
    def is_deleted(self) -> bool:
        return self.after.history_type == "-"

    def fields(self) -> list[str]:
        """The columns that differ."""
        if self.before is None:
            return []
        tracked = [field for field in self.after.tracked_fields if not field.primary_key]
        return [
            field.name for field in tracked if getattr(self.before, field.attname) != getattr(self.after, field.attname)
        ]


IN_THE_WAY = _("Something else stands in its place by now, so it cannot come back. Change it by hand.")
Moves = Sequence[Moved]


@dataclass(frozen=True)
class Undo:
    """How a verb is taken back.

    `name` is unique and kept with the offer; `about` the label of the model on whose page it is offered; `of` the models whose
    rows are compared and restored. `lock(moves, pk, by)` takes what the verb takes and refuses who may not any more; what it
    returns goes to the others. `fits(moves)` says whether to offer it at all, `still(held, moves)` raises Refused where more
    than the rows stands against it, `restore(held, moves, by, reason)` takes the place of restoring the rows one by one, and
    `after(held, moves, by, reason)` follows it. `note` tells people what does not come back.
    """

    name: str
    title: Any
    about: str
    of: tuple[str, ...]
    lock: Callable[[Moves, Any, User], Any]
    fits: Callable[[Moves], bool] | None = None
    still: Callable[[Any, Moves], None] | None = None
    restore: Callable[[Any, Moves, User, str], None] | None = None
    after: Callable[[Any, Moves, User, str], None] | None = None
    note: Any = ""
    page: str = ""  # the name of the page to go back to, where it is not that of the row


_undos: dict[str, Undo] = {}
_recorded: ContextVar[list[Any] | None] = ContextVar("recorded", default=None)


def define(undo: Undo) -> Undo:
    _undos[undo.name] = undo
    return undo


def of_offer(offered: UndoOffer) -> Undo | None:
    """The undo behind an offer; None if this release has none of its name."""
    return _undos.get(offered.verb)


# -- recorded and offered ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def recording() -> Iterator[list[Any]]:
    """Within, every version that is written is added to the list."""
    versions: list[Any] = []
    token = _recorded.set(versions)
    try:
        yield versions
    finally:
        _recorded.reset(token)


def _note_version(sender: Any, history_instance: Any, **signal: Any) -> None:
    versions = _recorded.get()
    if versions is not None:
        versions.append(history_instance)


post_create_historical_record.connect(_note_version, dispatch_uid="teams.undoing")


def offer(undo: Undo, pk: Any, versions: Sequence[Any], *, by: User) -> UndoOffer | None:
    """An offer to take `versions` back, or None where there is nothing, or not all, that could be taken back."""
    steps = _steps(undo, versions)
    if not steps:
        return None
    now = timezone.now()
    made = UndoOffer(owner=by, verb=undo.name, about=undo.about, about_pk=pk, steps=steps, until=now + OFFERED)
    moves = _moves(made)
    if moves is None or (undo.fits is not None and not undo.fits(moves)):
        return None
    UndoOffer.objects.filter(owner=by, until__lt=now - KEPT).delete()
    made.save()
    return made


def _steps(undo: Undo, versions: Sequence[Any]) -> list[list[Any]]:
    """For each row [label, id, first version, last version], in the order in which they were first written."""
    found: dict[tuple[str, Any], list[Any]] = {}
    for version in versions:
        label = version.instance_type._meta.label
        if label not in undo.of:
            if undo.restore is None:
                return []  # the verb did more than this undo knows to take back
            continue
        pk = getattr(version, version.instance_type._meta.pk.attname)
        found.setdefault((label, pk), [label, pk, version.history_id, 0])[3] = version.history_id
    return list(found.values())


@system_scope("what a verb wrote is taken back whole, as it was written")
def _moves(offered: UndoOffer) -> list[Moved] | None:
    """The rows of an offer with their versions; None where one is missing."""
    moves = []
    for label, pk, first, last in offered.steps:
        model = apps.get_model(label)
        kept: Any = model.history.filter(**{model._meta.pk.attname: pk})
        opening, closing = kept.filter(history_id=first).first(), kept.filter(history_id=last).first()
        if opening is None or closing is None:
            return None  # its history has been erased
        before = (
            None if opening.history_type == "+" else kept.filter(history_id__lt=first).order_by("-history_id").first()
        )
        if before is None and opening.history_type != "+":
            return None
        moves.append(Moved(model, pk, before, closing))
    return moves


def moves_of(offered: UndoOffer) -> list[Moved]:
    return _moves(offered) or []


def open_offer(about: str, pk: Any, by: User) -> UndoOffer | None:
    """The newest offer to `by` about one row that can still be taken."""
    rows = UndoOffer.objects.manageable_by(by).filter(about=about, about_pk=pk, undone_at=None)
    return rows.filter(until__gt=timezone.now()).order_by("-pk").first()


# -- taken back ------------------------------------------------------------------------------------------------------------


@transaction.atomic
def undo(pk: Any, *, by: User, reason: str = "") -> UndoOffer:
    """Take back what the offer is about. Twice changes nothing the second time.

    Raises OutOfReach for all but the one who did it, or Refused: undo_late, nothing_kept, moved_on, in_the_way, and what the
    verb itself refuses.
    """
    offered: UndoOffer = UndoOffer.objects.manageable_by(by).take(pk)
    if offered.undone_at is not None:
        return offered
    known = of_offer(offered)
    if known is None or offered.until <= timezone.now():
        raise Refused("undo_late", _("This can no longer be undone: ten minutes have passed. Change it by hand."))
    moves = moves_of(offered)
    if not moves:
        raise Refused("nothing_kept", _("What was there before is no longer kept. Change it by hand."))
    held = known.lock(moves, offered.about_pk, by)
    _lock_and_compare(moves)
    if known.still is not None:
        known.still(held, moves)
    why = _("undone: %(what)s") % {"what": known.title} + (f" ({reason.strip()})" if reason.strip() else "")
    if known.restore is not None:
        known.restore(held, moves, by, why)
    else:
        try:
            with transaction.atomic():
                _restore(moves, by=by, reason=why)
        except IntegrityError as error:
            raise Refused("in_the_way", IN_THE_WAY) from error
    if known.after is not None:
        known.after(held, moves, by, why)
    offered.undone_at = timezone.now()
    save_with_history(offered, "undone_at", by=by, reason=why)
    return offered


@system_scope("what a verb wrote is compared and locked whole")
def _lock_and_compare(moves: Moves) -> None:
    for move in sorted(moves, key=lambda each: (each.model._meta.label, each.pk)):
        move.model._base_manager.select_for_update(of=("self",)).filter(pk=move.pk).first()
    for move in moves:
        kept = move.model.history.filter(**{move.model._meta.pk.attname: move.pk})
        newest = kept.order_by("-history_id").first()
        if newest.history_id != move.after.history_id:
            raise Refused(
                "moved_on",
                _(
                    "“%(what)s: %(row)s” has been changed since, at %(moment)s. Look at its history and change it by hand."
                )
                % {
                    "what": move.model._meta.verbose_name,
                    "row": _name(move),
                    "moment": f"{timezone.localtime(newest.history_date):%H:%M:%S}",
                },
            )


def _name(move: Moved) -> str:
    row = move.model._base_manager.filter(pk=move.pk).first()
    return str(row or move.after.instance)


@system_scope("what a verb wrote is taken back whole, as it was written")
def _restore(moves: Moves, *, by: User, reason: str) -> None:
    """Each row as it was before, from the last one written to the first, so that spans never overlap on the way."""
    for move in reversed(moves):
        if move.before is None:
            if not move.is_deleted:
                delete_with_history(move.model._base_manager.get(pk=move.pk), by=by, reason=reason)
        elif move.is_deleted:
            save_with_history(move.before.instance, by=by, reason=reason)
        else:
            row: models.Model = move.model._base_manager.get(pk=move.pk)
            fields = move.fields()
            for name in fields:
                column = row._meta.get_field(name).attname  # type: ignore[union-attr]
                setattr(row, column, getattr(move.before, column))
            if fields:
                save_with_history(row, *fields, by=by, reason=reason)
