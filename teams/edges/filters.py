"""List filters that name nobody out of reach, and the allow-list of what an address may ask of a list."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.contrib.admin.filters import RelatedFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import get_fields_from_path
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR
from django.core.exceptions import BadRequest
from django.db import models
from django.db.models.fields.related import ForeignObjectRel, RelatedField
from django.http import HttpRequest
from django.utils.text import smart_split, unescape_string_literal
from unfold.views import ChangeList

from teams.edges.scope import OUT_OF_REACH
from teams.scoping import AnyOf, shown

BARE = f"?{ALL_VAR}=0"  # a list as it is, also for those whose list opens with a saved filter
SUFFIXES = ("", "__exact", "__in", "__isnull", "__id__exact", "__pk__exact", "__gte", "__lt", "__lte", "__gt")


class ScopedRelatedFilter(RelatedFieldListFilter):
    """Offers the related rows in reach; any other value is a bad request, whether such a row exists or not."""

    def __init__(
        self, field: Any, request: HttpRequest, params: dict, model: Any, model_admin: Any, field_path: str
    ) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        if self.lookup_val is not None:
            offered = {str(pk) for pk, _label in self.lookup_choices}
            if not set(self.lookup_val) <= offered:
                raise IncorrectLookupParameters

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, Any]]:
        rows = shown(field.remote_field.model._default_manager.all(), request.user)
        return [(row.pk, str(row)) for row in rows.order_by(*self.field_admin_ordering(field, request, model_admin))]

    def has_output(self) -> bool:
        return len(self.lookup_choices) > 1


def scoped_filters(model: type[models.Model], declared: Any) -> list[Any]:
    """`declared` list filters, with every filter on a relation made a scoped one."""
    made = []
    for entry in declared:
        if isinstance(entry, str):
            field = get_fields_from_path(model, entry)[-1]
            made.append((entry, ScopedRelatedFilter) if isinstance(field, RelatedField | ForeignObjectRel) else entry)
        else:
            made.append(entry)
    return made


def allowed_lookups(declared: Any, date_hierarchy: str | None) -> set[str]:
    """Every key an address may carry to narrow a list; all others are refused, so that no column becomes an oracle."""
    allowed = set()
    for entry in declared:
        if isinstance(entry, type) and issubclass(entry, SimpleListFilter):
            allowed.add(entry.parameter_name or "")
            continue
        name = entry[0] if isinstance(entry, tuple | list) else entry
        if isinstance(name, str):
            allowed |= {f"{name}{suffix}" for suffix in SUFFIXES}
            allowed |= {f"{name}{end}" for end in ("_from", "_to")}
    if date_hierarchy:
        allowed |= {f"{date_hierarchy}__{part}" for part in ("year", "month", "day", "gte", "lt")}
    return allowed


def searched(queryset: Any, declared: Any, term: str, user: Any, open_relations: Any = ()) -> Any:
    """`queryset` narrowed to rows that hold every word of `term` in one of the `declared` search fields.

    A field through a relation finds only by related rows that `user` may see: a name that is not shown must not be
    confirmed by searching for it either. Prefixes are those of Django: `^` begins with, `=` equals, none contains.
    """
    for word in _words(term):
        any_of = models.Q()
        for name in declared:
            lookup = {"^": "istartswith", "=": "iexact"}.get(name[:1], "icontains")
            any_of |= _holds(queryset.model, name.lstrip("^="), lookup, word, user, open_relations)
        queryset = queryset.filter(any_of)
    return queryset


def _words(term: str) -> list[str]:
    bits = [bit for bit in smart_split(term.replace("\x00", "")) if bit]
    return [unescape_string_literal(bit) if bit[0] in "\"'" and bit[0] == bit[-1] and bit[1:] else bit for bit in bits]


def _holds(model: type[models.Model], path: str, lookup: str, word: str, user: Any, open_relations: Any) -> models.Q:
    relation, _dot, rest = path.partition("__")
    if not rest or relation in open_relations:
        return models.Q(**{f"{path}__{lookup}": word})
    related = model._meta.get_field(relation).related_model
    rows = shown(related._default_manager.all(), user)  # type: ignore[union-attr]
    return models.Q(AnyOf(relation, rows.filter(_holds(related, rest, lookup, word, user, ())).values("pk")))  # type: ignore[arg-type]


class ScopedChangeList(ChangeList):
    """A list whose related columns come from what the viewer may see, in one query per relation.

    Addresses name the columns that order it (`o=-day.team`), so that they mean the same in any arrangement of columns;
    numbers, as Django writes them, are understood as well.
    """

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.asked = request
        super().__init__(request, *args, **kwargs)

    @property
    def bare_address(self) -> str:
        """The list without any narrowing."""
        return BARE if self.model_admin.has_default_filter(self.asked) else "?"

    @property
    def empty(self) -> Any:
        """What the list says when it has no rows."""
        return self.model_admin.emptiness(self.asked, self)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        params = dict(new_params or {})
        if params.get(ORDER_VAR):
            params[ORDER_VAR] = by_name(params[ORDER_VAR], self.list_display)
        made = super().get_query_string(params, remove)
        return self.bare_address if made == "?" else made

    def get_filters(self, request: HttpRequest) -> Any:
        try:
            return super().get_filters(request)
        except (IncorrectLookupParameters, ValueError, TypeError) as error:
            raise BadRequest("This list cannot be narrowed so.") from error

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        if ORDER_VAR in self.params:
            self.params[ORDER_VAR] = by_number(self.params[ORDER_VAR], self.list_display)
        try:
            queryset = super().get_queryset(request, exclude_parameters)
        except IncorrectLookupParameters as error:
            raise BadRequest("This list cannot be narrowed so.") from error
        return only_visible_relations(queryset, request.user, self.related_columns())

    def get_results(self, request: HttpRequest) -> None:
        try:
            super().get_results(request)
        except IncorrectLookupParameters as error:
            raise BadRequest("There is no such page.") from error

    def apply_select_related(self, queryset: Any) -> Any:
        return queryset.select_related(*self.list_select_related) if self.list_select_related else queryset

    def related_columns(self) -> list[str]:
        wanted = set(self.model_admin.offered_columns())  # shown or not: the same queries for any choice of columns
        joined = self.list_select_related or ()
        return [
            field.name
            for field in self.opts.concrete_fields
            if field.is_relation and field.name in wanted and field.name not in joined
        ]


def only_visible_relations(queryset: Any, user: Any, names: list[str]) -> Any:
    """`queryset` with each related row loaded only if `user` may see it; else the attribute is None, its id stays.

    A name may go on through further relations (`team__parent`), the nearer ones first.
    """
    loads = []
    for name in names:
        model = queryset.model
        for step in name.split("__"):
            model = model._meta.get_field(step).remote_field.model
        loads.append(models.Prefetch(name, shown(model._default_manager.all(), user)))
    return queryset.prefetch_related(*loads)


def related_column(model: type[models.Model], name: str) -> Any:
    """A column for a relation that says so where the related row is out of reach. It offers no order: that would tell."""
    field: Any = model._meta.get_field(name)

    def column(row: models.Model) -> Any:
        related = getattr(row, name)
        return OUT_OF_REACH if related is None and getattr(row, field.attname) is not None else related

    column.short_description = field.verbose_name  # type: ignore[attr-defined]
    column.relation = name  # type: ignore[attr-defined]
    column.__name__ = name
    return column


def by_name(wish: str, columns: Any) -> str:
    """An order such as "-2.1" by the names of the columns: "-team.day". A number that is no column is left out."""
    names = [getattr(column, "__name__", column) for column in columns]
    found = []
    for part in str(wish).split("."):
        _empty, minus, rest = part.rpartition("-")
        if not (rest.isascii() and rest.isdigit()):
            found.append(f"{minus}{rest}")
        elif len(rest) < 4 and int(rest) < len(names):
            found.append(f"{minus}{names[int(rest)]}")
    return ".".join(part for part in found if part)


def by_number(wish: str, columns: Any) -> str:
    """The inverse for one arrangement of columns; a name that is not shown is left out, and so does not order."""
    names = [getattr(column, "__name__", column) for column in columns]
    parts = [part.rpartition("-") for part in wish.split(".")]
    return ".".join(
        f"{minus}{rest if rest.isascii() and rest.isdigit() else names.index(rest)}"
        for _empty, minus, rest in parts
        if rest in names or (rest.isascii() and rest.isdigit())
    )
