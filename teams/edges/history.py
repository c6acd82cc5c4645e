"""The trail of a row: who changed what, when and why, told to somebody who may not know everybody in it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.db import models
from django.utils.formats import localize
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from teams.edges import behalf
from teams.edges.scope import labels
from teams.models import User
from teams.scoping import SHARED_WORDS
from teams.undoing import Moved

LONGEST = 200
QUIET = frozenset({"reason", "given_at", "is_ignored"})  # what a row is not told by


@dataclass(frozen=True)
class Difference:
    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    at: datetime
    who: str
    kind: str
    reason: str
    differences: tuple[Difference, ...]


def trail(row: models.Model, viewer: Any) -> tuple[Change, ...]:
    """The last changes of `row`, newest first, in four queries and one more per related model. What points out of the
    viewer's reach reads "(out of reach)". Empty for a model that keeps no history."""
    history = getattr(type(row), "history", None)
    if history is None:
        return ()
    versions = list(history.filter(**{row._meta.pk.attname: row.pk}).order_by("-history_date", "-history_id")[:LONGEST])
    versions = _of_this_life(versions)
    fields = [field for field in history.model.tracked_fields if not field.primary_key]
    names = _names(versions, fields, viewer)
    words = _words(versions)
    people = labels(User, {version.history_user_id for version in versions} - {None}, viewer)
    standing_in = behalf.delegations(row, versions, viewer)
    changes = []
    for newer, older in pairwise([*versions, None]):
        who = people.get(newer.history_user_id, _("the system"))
        giver = behalf.giver_of(newer, standing_in)
        changes.append(
            Change(
                at=newer.history_date,
                who=_("%(who)s on behalf of %(giver)s") % {"who": who, "giver": giver} if giver else who,
                kind=newer.get_history_type_display(),
                reason=newer.history_change_reason or "",
                differences=(*_differences(newer, older, fields, names), *_differences_of_words(newer, older, words)),
            )
        )
    return tuple(changes)


def way_back(move: Moved, viewer: Any) -> list[Difference]:
    """What the undo of one row would change, from now to then; a row that goes or comes back is one line of itself."""
    label = capfirst(str(move.model._meta.verbose_name))
    if move.before is None or move.is_deleted:
        version = move.before or move.after
        fields = [field for field in version.tracked_fields if not field.primary_key and field.name not in QUIET]
        names = _names([version], fields, viewer)
        said = (_say(field, getattr(version, field.attname), names) for field in fields)
        row = ", ".join(word for word in said if word != "–")
        return [Difference(label, "–", row) if move.is_deleted else Difference(label, row, "–")]
    changed = set(move.fields())
    fields = [field for field in move.after.tracked_fields if field.name in changed]
    names = _names([move.before, move.after], fields, viewer)
    lines = [
        Difference(
            f"{label}: {field.verbose_name}",
            _say(field, getattr(move.after, field.attname), names),
            _say(field, getattr(move.before, field.attname), names),
        )
        for field in fields
    ]
    return [*lines, *_differences_of_words(move.before, move.after, _words([move.before, move.after]))]


def _words(versions: list[Any]) -> dict[Any, dict[int, str]]:
    """For each many-to-many field that the history keeps, what each version says: words of all, such as skills."""
    found: dict[Any, dict[int, str]] = {}
    for field in getattr(versions[0], "_history_m2m_fields", ()) if versions else ():
        if field.related_model._meta.label_lower not in SHARED_WORDS:
            continue
        target = field.m2m_reverse_field_name()
        pairs = getattr(versions[0], field.name).model._base_manager.filter(
            history__in=[v.history_id for v in versions]
        )
        said: dict[int, list[str]] = {}
        for pair in pairs.select_related(target):
            said.setdefault(pair.history_id, []).append(str(getattr(pair, target)))
        found[field] = {version: ", ".join(sorted(names)) for version, names in said.items()}
    return found


def _differences_of_words(newer: Any, older: Any, words: dict[Any, dict[int, str]]) -> Iterable[Difference]:
    if newer.history_type == "-":
        return
    for field, said in words.items():
        now, before = said.get(newer.history_id, "–"), said.get(older.history_id, "–") if older is not None else "–"
        if now != before:
            yield Difference(capfirst(str(field.verbose_name)), before, now)


def _of_this_life(versions: list[Any]) -> list[Any]:
    """The versions since the row was made: what a deleted row of the same id was is not this row's story to tell."""
    for place, version in enumerate(versions):
        if version.history_type == "-":
            return versions[:place]
        if version.history_type == "+":
            return versions[: place + 1]
    return versions


def _differences(newer: Any, older: Any, fields: Iterable[Any], names: dict) -> Iterable[Difference]:
    if newer.history_type == "-":
        return
    for field in fields:
        now, before = getattr(newer, field.attname), getattr(older, field.attname, None) if older else None
        if now != before and (older is not None or now not in (None, "")):
            yield Difference(capfirst(str(field.verbose_name)), _say(field, before, names), _say(field, now, names))


def _names(versions: list[Any], fields: list[Any], viewer: Any) -> dict[str, dict[Any, str]]:
    """For each relation, the labels of all rows its versions point to."""
    found = {}
    for field in fields:
        if field.is_relation:
            pks = {getattr(version, field.attname) for version in versions} - {None}
            found[field.name] = labels(field.remote_field.model, pks, viewer) if pks else {}
    return found


def _say(field: Any, value: Any, names: dict[str, dict[Any, str]]) -> str:
    if value is None or value == "":
        return "–"
    if field.is_relation:
        return names[field.name][value]
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if field.choices:
        return str(dict(field.flatchoices).get(value, value))
    if hasattr(value, "lower") and hasattr(value, "upper") and not isinstance(value, str):
        return f"{localize(value.lower) or '…'} – {localize(value.upper) or '…'}"
    return str(localize(value))
