"""How a person keeps the lists on their own screen: columns and saved filters. Nobody else sees them.

They change nothing about rows or rights, so no history is kept and nobody is told. Each verb locks the account of its
owner first: two windows that arrange the same list come one after the other, and the later one holds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from teams.errors import Refused
from teams.models import ColumnSet, SavedFilter, User

NARROWEST, WIDEST = 40, 1200  # pixels of a column
MOST_SETS = 20  # named sets, and saved filters, of one person for one list
MOST_PARAMETERS, LONGEST_VALUE = 30, 200

Column = tuple[str, int | None]


@transaction.atomic
def arrange_columns(listed: str, columns: Sequence[Column], *, by: User, name: str = "") -> ColumnSet:
    """Show `listed` with `columns` from here on; with a `name` they are kept as a set of that name. Raises Refused."""
    _lock(by)
    if not columns:
        raise Refused("no_column", _("A list needs at least one column. Tick one."))
    for _column, width in columns:
        if width is not None and not NARROWEST <= width <= WIDEST:
            raise Refused(
                "bad_width",
                _("A column is between %(least)d and %(most)d pixels wide; leave the width empty for the usual one.")
                % {"least": NARROWEST, "most": WIDEST},
            )
    own = ColumnSet.objects.visible_to(by).filter(listed=listed)
    name = _checked_name(name) if name else ""
    if name and own.exclude(name="").exclude(name=name).count() >= MOST_SETS:
        raise Refused(
            "too_many_sets", _("You keep %(most)d sets for this list; remove one first.") % {"most": MOST_SETS}
        )
    own.exclude(name=name).filter(is_used=True).update(is_used=False)
    kept, _is_new = ColumnSet.objects.update_or_create(
        user=by, listed=listed, name=name, defaults={"columns": [list(each) for each in columns], "is_used": True}
    )
    return kept


@transaction.atomic
def use_columns(pk: Any, *, by: User) -> ColumnSet:
    """Show its list with a set that `by` has kept. Raises OutOfReach."""
    _lock(by)
    kept = ColumnSet.objects.manageable_by(by).take(pk)
    ColumnSet.objects.visible_to(by).filter(listed=kept.listed, is_used=True).exclude(pk=kept.pk).update(is_used=False)
    kept.is_used = True
    kept.save(update_fields=["is_used"])
    return kept


@transaction.atomic
def forget_columns(pk: Any, *, by: User) -> None:
    """Remove a kept set; a list that used it returns to its usual columns. Raises OutOfReach."""
    _lock(by)
    ColumnSet.objects.manageable_by(by).take(pk).delete()


@transaction.atomic
def reset_columns(listed: str, *, by: User) -> None:
    """Show `listed` as it comes; named sets stay to be chosen again."""
    _lock(by)
    own = ColumnSet.objects.visible_to(by).filter(listed=listed)
    own.filter(name="").delete()
    own.filter(is_used=True).update(is_used=False)


@transaction.atomic
def save_filter(
    listed: str, name: str, query: Mapping[str, Sequence[str]], *, by: User, is_default: bool = False
) -> SavedFilter:
    """Keep a narrowing of `listed` under `name`; a filter of that name is replaced. Raises Refused."""
    _lock(by)
    name = _checked_name(name)
    sizes = [len(key) for key in query] + [len(value) for values in query.values() for value in values]
    if not query:
        raise Refused(
            "no_filter", _("The list is not narrowed or ordered, so there is nothing to keep. Filter it first.")
        )
    if len(sizes) > 2 * MOST_PARAMETERS or max(sizes) > LONGEST_VALUE:
        raise Refused("long_filter", _("This filter is too long to be kept. Narrow the list by fewer values."))
    if not all(text.isprintable() for values in query.values() for text in values):
        raise Refused("odd_filter", _("This filter holds characters that cannot be kept. Type the search anew."))
    own = SavedFilter.objects.visible_to(by).filter(listed=listed)
    if own.exclude(name=name).count() >= MOST_SETS:
        raise Refused(
            "too_many_filters", _("You keep %(most)d filters for this list; remove one first.") % {"most": MOST_SETS}
        )
    if is_default:
        own.exclude(name=name).filter(is_default=True).update(is_default=False)
    kept, _is_new = SavedFilter.objects.update_or_create(
        user=by, listed=listed, name=name,
        defaults={"query": {key: list(values) for key, values in query.items()}, "is_default": is_default},
    )  # fmt: skip
    return kept


@transaction.atomic
def rename_filter(pk: Any, name: str, *, by: User) -> SavedFilter:
    """Call a saved filter `name`. Raises OutOfReach, or Refused if another one is called so."""
    _lock(by)
    kept = SavedFilter.objects.manageable_by(by).take(pk)
    name = _checked_name(name)
    if SavedFilter.objects.visible_to(by).filter(listed=kept.listed, name=name).exclude(pk=kept.pk).exists():
        raise Refused("name_taken", _("Another filter of this list is called “%(name)s”.") % {"name": name})
    kept.name = name
    kept.save(update_fields=["name"])
    return kept


@transaction.atomic
def open_with(pk: Any, *, by: User, is_default: bool) -> SavedFilter:
    """Let its list open with this filter, or no longer. Raises OutOfReach."""
    _lock(by)
    kept = SavedFilter.objects.manageable_by(by).take(pk)
    others = SavedFilter.objects.visible_to(by).filter(listed=kept.listed, is_default=True).exclude(pk=kept.pk)
    if is_default:
        others.update(is_default=False)
    kept.is_default = is_default
    kept.save(update_fields=["is_default"])
    return kept


@transaction.atomic
def forget_filter(pk: Any, *, by: User) -> None:
    """Remove a saved filter. Raises OutOfReach."""
    _lock(by)
    SavedFilter.objects.manageable_by(by).take(pk).delete()


def _lock(by: User) -> None:
    User.objects.select_for_update(no_key=True).get(pk=by.pk)


def _checked_name(name: str) -> str:
    """`name` as it is kept. Raises Refused for one that is empty, too long or holds control characters."""
    name = " ".join(name.split())
    if not name or len(name) > 60 or not name.isprintable():
        raise Refused("bad_name", _("Give it a name of 1 to 60 characters."))
    return name
