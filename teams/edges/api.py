"""Bases of the REST doors: scoped rows, scoped relations, allow-lists, one place for refusals.

Every answer starts from who asks. An unknown query parameter is an error, not silence: a filter that is misspelt would
else show everything in reach and look like an answer.
"""

from typing import Any, ClassVar

import django_filters
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError as ModelError
from django.db import models
from django.db.models import F
from django.forms import Form
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.metadata import BaseMetadata
from rest_framework.response import Response
from rest_framework.views import exception_handler

from teams import stencil
from teams.acting import become
from teams.edges.filters import only_visible_relations
from teams.edges.scope import holds
from teams.errors import OutOfReach, Refused
from teams.scoping import Grant, shown

PAGING = frozenset({"page", "page_size", "sort"})


def refuse(error: Exception, context: dict[str, Any]) -> Response | None:
    """A refusal is 409 with its code and sentence; out of reach is the same 404 as not there."""
    if isinstance(error, Refused):
        return Response({"code": error.code, "detail": str(error.message)}, status=409)
    if isinstance(error, OutOfReach):
        error = NotFound()
    if isinstance(error, ModelError):
        error = ValidationError(error.message_dict if hasattr(error, "error_dict") else error.messages)
    return exception_handler(error, context)


class NoData(BaseMetadata):
    """OPTIONS names the endpoint and its methods; choices of rows are nobody's business there."""

    def determine_metadata(self, request: Any, view: Any) -> dict[str, Any]:
        return {"name": view.get_view_name(), "allow": view.allowed_methods}


class ScopedRelatedField(serializers.PrimaryKeyRelatedField):
    """A relation that offers and accepts only what the caller may see. Foreign and missing ids are one sentence.

    Read, an id whose row is out of reach is null.
    """

    default_error_messages: ClassVar[dict[str, Any]] = {"does_not_exist": "not found", "incorrect_type": "not found"}

    def get_queryset(self) -> Any:
        queryset = super().get_queryset()
        if queryset is None:
            return None
        request = self.context.get("request")
        return shown(queryset, request.user if request is not None else AnonymousUser())

    def use_pk_only_optimization(self) -> bool:
        return False  # the prefetched row tells whether it is in reach; the bare id would not

    def to_representation(self, value: Any) -> Any:
        return value.pk


class ScopedChoiceFilter(django_filters.ModelChoiceFilter):
    """A filter on a relation that knows only rows in reach."""

    def get_queryset(self, request: Any) -> Any:
        queryset = super().get_queryset(request)
        user = request.user if request is not None else AnonymousUser()
        if stencil.fits(user):
            return queryset.filter(pk__in=stencil.filled(*_seen_by_somebody(queryset.model), user))
        return shown(queryset, user)


@stencil.once
def _seen_by_somebody(model: type[models.Model]) -> stencil.Compiled:
    """The ids of what may be shown of a model."""
    rows = shown(model._default_manager.all(), stencil.stand_in())
    return rows.order_by().values("pk").query.sql_with_params()


class ScopedFilterSet(FilterSet):
    """Named fields only; every relation among them is scoped."""

    def get_form_class(self) -> type[Form]:
        """Fields of the filters that are asked for: what nobody names need not be looked up."""
        asked = {name: each.field for name, each in self.filters.items() if name in self.data}
        return type(f"{type(self).__name__}Form", (self._meta.form,), asked)

    @classmethod
    def filter_for_field(cls, field: Any, field_name: str, lookup_expr: Any = None) -> Any:
        made = super().filter_for_field(field, field_name, lookup_expr)
        if isinstance(made, django_filters.ModelChoiceFilter):
            related = field.remote_field.model
            return ScopedChoiceFilter(field_name=field_name, queryset=related._default_manager.all())
        return made


class KnownParameters(DjangoFilterBackend):
    """Filters by the view's filter set; a parameter nobody knows is a bad request."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset_class(view, queryset)
        known = PAGING | (set(filterset.get_filters()) if filterset else set())
        unknown = sorted(set(request.query_params) - known)
        if unknown:
            raise ValidationError({unknown[0]: ["This parameter is not known here."]})
        return super().filter_queryset(request, queryset, view)


class Sorting:
    """`?sort=name` or `?sort=-name`, by the names a view lists in `sorts`; always ending in a total order."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        wish = request.query_params.get("sort")
        if not wish:
            return queryset
        name = wish.removeprefix("-")
        sorts = getattr(view, "sorts", {})
        if name not in sorts:
            raise ValidationError({"sort": [f"Choose one of: {', '.join(sorts) or '-'}."]})
        column = F(sorts[name])
        ordered = column.desc(nulls_last=True) if wish.startswith("-") else column.asc(nulls_last=True)
        return queryset.order_by(ordered, "pk")

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        sorts = getattr(view, "sorts", {})
        if not sorts:
            return []
        choices = [f"{sign}{name}" for name in sorts for sign in ("", "-")]
        schema = {"type": "string", "enum": choices}
        return [{"name": "sort", "required": False, "in": "query", "description": "Order.", "schema": schema}]


class Recognised:
    """For every REST view of people: whoever a token stands for is known only here, and the transaction becomes theirs."""

    def perform_authentication(self, request: Any) -> None:
        super().perform_authentication(request)  # type: ignore[misc]
        become(request.user)


class ScopedViewSet(Recognised, viewsets.GenericViewSet):
    """What every scoped endpoint shares. `get_queryset` is scoped for list, detail and every action on a row alike."""

    metadata_class = NoData
    filter_backends = (KnownParameters, Sorting)
    filterset_class: ClassVar[type[ScopedFilterSet] | None] = None
    sorts: ClassVar[dict[str, str]] = {}
    lookup_value_regex = r"[0-9]{1,18}"
    readers: ClassVar[tuple[Grant, ...] | None] = None  # who may call it at all, if narrower than the rows say
    related: ClassVar[tuple[str, ...]] = ()  # relations the serializer reads; each is loaded as far as in reach

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return only_visible_relations(self.scope(rows), self.request.user, list(self.related))

    def scope(self, rows: models.QuerySet) -> Any:
        return shown(rows, self.request.user)

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.readers is not None and not holds(request, self.readers):
            self.permission_denied(request)


class TeamScopedViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Reads of a scoped model: only rows visible to the caller, whatever the action."""
