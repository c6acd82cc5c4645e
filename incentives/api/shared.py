"""What the doors of this app share: whose row it is, sums by currency, and money behind the networks."""

from typing import Any

import django_filters
from django.db.models import Prefetch
from rest_framework import serializers

from teams.edges import networks
from teams.edges.api import ScopedFilterSet, TeamScopedViewSet
from teams.edges.scope import holds
from teams.models import Agent
from teams.scoping import Grant

LONGEST_REASON = 300


class WhyWish(serializers.Serializer):
    """Why: kept with the change."""

    reason = serializers.CharField(max_length=LONGEST_REASON, required=False, allow_blank=True, default="")


class NoWish(serializers.Serializer):
    """Nothing has to be said."""


class NumberFilters(ScopedFilterSet):
    """Whose rows: by the number, as whoever pays people may not read the roster."""

    number = django_filters.CharFilter("agent__number", label="The number of the agent.")


def with_agent(rows: Any) -> Any:
    """Whoever may see a row is told whose it is. The second wall still decides: of somebody who has gone elsewhere, null."""
    return rows.prefetch_related(Prefetch("agent", Agent.objects.only("number", "name")))


def sums(**more: Any) -> serializers.DictField:
    """Amounts as digits, by currency."""
    return serializers.DictField(child=serializers.CharField(), read_only=True, **more)


class Wishing:
    """For doors with verbs: the checked body of a call."""

    def wish(self, serializer_class: type[serializers.Serializer]) -> dict[str, Any]:
        view: Any = self
        body = serializer_class(data=view.request.data, context=view.get_serializer_context())
        body.is_valid(raise_exception=True)
        return {name: getattr(value, "pk", value) for name, value in body.validated_data.items()}


class MoneyViewSet(Wishing, TeamScopedViewSet):
    """Amounts. Off the allowed networks there are one's own alone, and whoever settles others is told so."""

    def scope(self, rows: Any) -> Any:
        seen = super().scope(rows)
        if networks.is_allowed(self.request):
            return seen
        if holds(self.request, (Grant.SETTLE,)):
            networks.require(self.request)
        return seen.about(self.request.user)
