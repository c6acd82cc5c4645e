"""Saved filters: what a person searched, filtered and ordered a list by, kept under a name of theirs.

A saved filter is judged by the list at the moment it is applied, like an address somebody typed. A condition that has
become unknown or out of reach is left out, and a sentence says so. One of them may be what the list opens with; the
address `?all=0` is the list without any.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ALL_VAR, ERROR_FLAG, IGNORED_PARAMS, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from teams.edges.filters import BARE, by_name
from teams.edges.scope import person
from teams.errors import Refused
from teams.models import SavedFilter
from teams.services import lists

APPLY = "saved"
PASSING = (set(IGNORED_PARAMS) | {ALL_VAR, ERROR_FLAG, PAGE_VAR, APPLY}) - {ORDER_VAR, SEARCH_VAR}

Query = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Way:
    """A saved filter as the list offers it."""

    pk: int
    name: str
    is_default: bool
    is_applied: bool


class SavedFilters:
    """Mixed into the scoped admin."""

    def saved_filters(self: Any, request: HttpRequest) -> list[SavedFilter]:
        """The person's own filters of this list; one query per request."""
        kept = request.__dict__.setdefault("_saved_filters", {})
        if self.listed not in kept:
            kept[self.listed] = list(SavedFilter.objects.visible_to(request.user).filter(listed=self.listed))
        return kept[self.listed]

    def has_default_filter(self, request: HttpRequest) -> bool:
        return any(each.is_default for each in self.saved_filters(request))

    def ways(self, request: HttpRequest) -> list[Way]:
        now = self.narrowing(request, request.GET)
        return [Way(each.pk, each.name, each.is_default, each.query == now) for each in self.saved_filters(request)]

    def narrowing(self: Any, request: HttpRequest, asked: QueryDict) -> dict[str, list[str]]:
        """What of an address narrows or orders the list, in the form that is kept."""
        kept = {key: [value for value in values if value] for key, values in asked.lists() if key not in PASSING}
        if ORDER_VAR in kept:
            kept[ORDER_VAR] = [by_name(wish, self.get_list_display(request)) for wish in kept[ORDER_VAR]]
        return {key: kept[key] for key in sorted(kept) if any(kept[key])}

    def opened_with(self: Any, request: HttpRequest) -> HttpResponse | None:
        """The way to the list that a saved filter makes: the one asked for, or the default of a bare address."""
        if APPLY in request.GET:
            kept = next((each for each in self.saved_filters(request) if str(each.pk) == request.GET[APPLY]), None)
            if kept is None:
                messages.warning(request, _("This saved filter is not there any more; the whole list is shown."))
                return HttpResponseRedirect(BARE)
        elif not request.GET:
            kept = next((each for each in self.saved_filters(request) if each.is_default), None)
        else:
            return None
        return None if kept is None else HttpResponseRedirect(self._address(request, kept))

    def _address(self, request: HttpRequest, kept: SavedFilter) -> str:
        query = kept.query if isinstance(kept.query, dict) else {}
        if not self.fits(request, query):
            query = {key: values for key, values in query.items() if self.fits(request, {key: values})}
            messages.warning(
                request,
                _(
                    "“%(name)s” holds a condition that this list does not know or that is out of your reach now; it was "
                    "left out. Filter the list anew and save it under the same name to mend it."
                )
                % {"name": kept.name},
            )
        return f"?{_asked(query).urlencode()}" if query else BARE

    def fits(self: Any, request: HttpRequest, query: Query) -> bool:
        """Whether the list takes this narrowing from this person, as it would from an address."""
        asked = copy.copy(request)
        asked.GET = _asked(query)  # type: ignore[assignment]
        try:
            shown = self.get_changelist_instance(asked)
        except (BadRequest, SuspiciousOperation, IncorrectLookupParameters, Http404):
            return False
        return all(map(_is_offered, shown.filter_specs))

    # -- the door ------------------------------------------------------------------------------------------------------

    def keep_filters(self: Any, request: HttpRequest) -> HttpResponse:
        """Save, rename, set as the default, or remove; then back to the list as it was narrowed."""
        by, wish, name = person(request), request.POST.get("do", ""), request.POST.get("name", "")
        verb, _dash, pk = wish.partition("-")
        try:
            if verb == "rename":
                lists.rename_filter(pk, name, by=by)
            elif verb in {"default", "usual"}:
                lists.open_with(pk, by=by, is_default=verb == "default")
            elif verb == "forget":
                lists.forget_filter(pk, by=by)
            else:
                query = self.narrowing(request, QueryDict(request.POST.get("back", "")[:4000]))
                if query and not self.fits(request, query):
                    raise Refused("unknown_filter", _("This list does not know such a filter, so it is not kept."))
                lists.save_filter(self.listed, name, query, by=by, is_default="is_default" in request.POST)
        except Refused as refusal:
            messages.error(request, str(refusal))
        return self.back_to_list(request)


def _asked(query: Query) -> QueryDict:
    asked = QueryDict(mutable=True)
    for key, values in query.items():
        asked.setlist(str(key), [str(value) for value in values])
    return asked


def _is_offered(spec: Any) -> bool:
    """Whether a filter that offers a list of values was asked for one of them. `takes_any`: it reads others as well."""
    if not isinstance(spec, SimpleListFilter) or getattr(spec, "takes_any", False):
        return True
    return spec.value() is None or str(spec.value()) in {str(value) for value, _title in spec.lookup_choices}
