"""REST reads that PostgreSQL itself writes as JSON: a page of nested rows is one statement, with no instance of a model made.

What is told stands in a serializer like any other, from which the schema is described too; here it becomes one expression.
A related row is told by a subquery of what the caller may see, and is null where that holds nothing.
"""

import json
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import CharField, Expression, F, JSONField, OuterRef, Subquery, TextField
from django.db.models.expressions import Func
from django.db.models.functions import Cast
from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from teams import stencil
from teams.edges.api import ScopedViewSet
from teams.edges.scope import asked_once
from teams.scoping import shown

AS_IT_IS = (
    serializers.IntegerField, serializers.BooleanField, serializers.CharField, serializers.ChoiceField,
    serializers.DateField, serializers.DateTimeField, serializers.JSONField,
)  # fmt: skip


class Name(Expression):
    """The name of a field, written into the statement: a hundred parameters less to bind at each call."""

    def __init__(self, name: str) -> None:
        super().__init__(CharField())
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of a field")
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return f"'{self.name}'", ()


class Told(Func):
    """One row as a JSON object: names and what stands under them, in the order given. Moments are in UTC."""

    function = "json_build_object"
    output_field = JSONField()

    def __init__(self, parts: dict[str, Any]) -> None:
        super().__init__(*(each for name, part in parts.items() for each in (Name(name), part)))

    @classmethod
    def by(cls, kind: Any, user: Any) -> "Told":
        """What the serializer `kind` tells, related rows as far as `user` may see them. Raises TypeError for a field of a kind
        that the database does not write."""
        return cls({field.field_name: cls._part(field, user) for field in kind()._readable_fields})

    @staticmethod
    def _part(field: Any, user: Any) -> Any:
        source = str(field.source)
        if isinstance(field, serializers.ModelSerializer):
            kind: Any = type(field)
            related = kind.Meta.model._default_manager.filter(pk=OuterRef(f"{source}_id"))
            told = Told.by(kind, user)
            return Subquery(shown(related, user).order_by().annotate(told=told).values("told"))
        if isinstance(field, serializers.DecimalField):
            return Cast(source, TextField())  # digits, never a binary fraction
        if isinstance(field, AS_IT_IS):
            return F(source)
        raise TypeError(f"{field.field_name}: a {type(field).__name__} cannot be written by the database")


def told(kind: Any, user: Any) -> Any:
    """The text of a row as the serializer `kind` tells it to `user`."""
    if stencil.fits(user):
        return stencil.filled(*_told_to_somebody(kind), user)
    return Cast(Told.by(kind, user), TextField())


@stencil.once
def _told_to_somebody(kind: Any) -> stencil.Compiled:
    told = Cast(Told.by(kind, stencil.stand_in()), TextField())
    compiler = kind.Meta.model._default_manager.annotate(told=told).values("told").query.get_compiler(DEFAULT_DB_ALIAS)
    compiler.setup_query()
    ((_column, (sql, parameters), _alias),) = compiler.select
    return sql, tuple(parameters)


class WrittenViewSet(ScopedViewSet):
    """List and detail of a scoped model, each row written by the database."""

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        return rows.annotate(told=told(self.serializer_class, self.request.user)).values_list("told", flat=True)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        with asked_once(request.user):
            rows: Any = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        frame = self.get_paginated_response([]).data
        del frame["results"]
        head = json.dumps(frame, ensure_ascii=False).removesuffix("}")
        return _as_json(f'{head}, "results": [{",".join(rows)}]}}')

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        return _as_json(self.get_object())


def _as_json(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="application/json")
