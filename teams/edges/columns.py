"""Columns of a list as each person arranges them, and the file of exactly what the list shows.

A column can be chosen if the admin declares it, in `list_display` or in `more_columns`; a stored name that is neither is
passed over. Choosing never widens what is read: rows stay scoped, related rows stay closed, and the list loads the
related rows of all offered columns whether they are shown or not, so the number of queries is the same for any choice.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import capfirst, slugify
from django.utils.translation import gettext as _

from teams.clock import local_day
from teams.edges import exports
from teams.edges.filters import related_column
from teams.edges.scope import person
from teams.errors import Refused
from teams.models import ColumnSet
from teams.services import lists

PORTION = 2000  # rows read at a time for a file


@dataclass(frozen=True)
class Raw:
    """What a column that shows words puts into a file instead: a number, a day. Its `unit` joins the heading."""

    value: Callable[[Any], Any]
    unit: Any = ""


@dataclass(frozen=True)
class Offer:
    """A column in the dialog: shown ones first, in their order."""

    name: str
    title: str
    is_shown: bool
    width: int | None


class Columns:
    """Mixed into the scoped admin: columns per person, and a download of the list as it is seen."""

    more_columns: ClassVar[tuple[str, ...]] = ()  # offered beside `list_display`, not shown until chosen
    raw_columns: ClassVar[dict[str, Raw]] = {}

    @property
    def listed(self: Any) -> str:
        """How stored arrangements call this list."""
        return self.opts.label_lower

    def offered_columns(self: Any) -> list[str]:
        return list(dict.fromkeys([*map(column_name, self.list_display), *self.more_columns]))

    def column_sets(self: Any, request: HttpRequest) -> list[ColumnSet]:
        """The person's own arrangements of this list; one query per request."""
        kept = request.__dict__.setdefault("_column_sets", {})
        if self.listed not in kept:
            kept[self.listed] = list(ColumnSet.objects.visible_to(request.user).filter(listed=self.listed))
        return kept[self.listed]

    def arranged(self, request: HttpRequest) -> dict[str, int | None]:
        """The chosen columns from left to right with their widths; without a choice, the list as it is declared."""
        used = next((each for each in self.column_sets(request) if each.is_used), None)
        offered = self.offered_columns()
        chosen = {name: width for name, width in _stored(used) if name in offered} if used else {}
        return chosen or dict.fromkeys(map(column_name, self.list_display))  # type: ignore[attr-defined]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return list(self.arranged(request))

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """As declared; where no declared link is among the chosen columns, the first one leads to the row."""
        links = super().get_list_display_links(request, list_display)  # type: ignore[misc]
        shown = set(map(column_name, list_display))
        return links if not links or shown & set(map(column_name, links)) else list(list_display)[:1]

    def column_offers(self, request: HttpRequest) -> list[Offer]:
        shown = self.arranged(request)
        hidden = [name for name in self.offered_columns() if name not in shown]
        return [Offer(name, self.column_title(name), True, width) for name, width in shown.items()] + [
            Offer(name, self.column_title(name), False, None) for name in hidden
        ]

    def column_title(self: Any, name: str) -> str:
        return capfirst(str(label_for_field(name, self.model, self)))

    # -- the door of the dialog ----------------------------------------------------------------------------------------

    def arrange(self: Any, request: HttpRequest) -> HttpResponse:
        """Use, keep, choose, remove or reset an arrangement; then back to the list as it was narrowed."""
        by, wish = person(request), request.POST.get("do", "")
        try:
            if wish == "reset":
                lists.reset_columns(self.listed, by=by)
            elif wish.startswith("choose-"):
                lists.use_columns(wish.removeprefix("choose-"), by=by)
            elif wish.startswith("forget-"):
                lists.forget_columns(wish.removeprefix("forget-"), by=by)
            elif wish == "keep":
                if not request.POST.get("name", "").strip():
                    raise Refused("bad_name", _("Give it a name of 1 to 60 characters."))
                lists.arrange_columns(self.listed, self._wished(request), by=by, name=request.POST["name"])
            else:
                lists.arrange_columns(self.listed, self._wished(request), by=by)
        except Refused as refusal:
            messages.error(request, str(refusal))
        return self.back_to_list(request)

    def _wished(self, request: HttpRequest) -> list[lists.Column]:
        offered = self.offered_columns()
        names = dict.fromkeys(name for name in request.POST.getlist("column") if name in offered)
        return [(name, _width(request.POST.get(f"width-{name}", ""))) for name in names]

    def back_to_list(self: Any, request: HttpRequest) -> HttpResponse:
        query = QueryDict(request.POST.get("back", "")[:4000]).urlencode()
        address = reverse(self.route("changelist"))
        return HttpResponseRedirect(f"{address}?{query}" if query else address)

    # -- the file ------------------------------------------------------------------------------------------------------

    def download_urls(self: Any) -> list[Any]:
        view = self.admin_site.admin_view(self.download_view)
        return [path("download/<slug:kind>/", view, name=self.route("download").partition(":")[2])]

    def download_view(self: Any, request: HttpRequest, kind: str) -> HttpResponseBase:
        """All pages of the list as the address narrows it, in the chosen columns and order."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        names = list(self.arranged(request))
        rows = self.get_changelist_instance(request).queryset
        lines = ([self.cell(row, name) for name in names] for row in rows.iterator(chunk_size=PORTION))
        day = local_day(timezone.now(), person(request).zone)
        title = slugify(self.opts.verbose_name_plural, allow_unicode=True)
        return exports.as_file(kind, f"{title}-{day:%Y-%m-%d}", list(self._headings(names)), lines)

    def _headings(self, names: list[str]) -> Iterator[str]:
        for name in names:
            unit = self.raw_columns[name].unit if name in self.raw_columns else ""
            yield f"{self.column_title(name)} ({unit})" if unit else self.column_title(name)

    def cell(self: Any, row: Any, name: str) -> Any:
        """What the column says of `row`, as a value: numbers as numbers, days as days, words without markup."""
        if name in self.raw_columns:
            return self.raw_columns[name].value(row)
        if name in self.closed_relations():
            return related_column(self.model, name)(row)
        field, _attr, value = lookup_field(name, row, self)
        if field is not None and field.flatchoices:
            return dict(field.flatchoices).get(value, value)
        if isinstance(value, list | tuple):
            return ", ".join(map(str, value))
        return strip_tags(value) if isinstance(value, SafeString) else value


def column_name(column: Any) -> str:
    return column if isinstance(column, str) else column.__name__


def _stored(kept: ColumnSet) -> Iterator[tuple[str, int | None]]:
    """The columns of a stored set, as far as they have the shape of one."""
    for entry in kept.columns if isinstance(kept.columns, list) else ():
        if isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str):
            yield entry[0], entry[1] if isinstance(entry[1], int) else None


def _width(wish: str) -> int | None:
    """A width in pixels as typed. Raises Refused through a width that the service will not take."""
    wish = wish.strip()
    if not wish:
        return None
    return int(wish) if wish.isascii() and wish.isdigit() and len(wish) < 6 else -1
