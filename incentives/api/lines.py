"""What was reached, without money; the amounts posted for it; and what people record of days."""

from typing import Any

import django_filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from incentives import services
from incentives.api.shared import LONGEST_REASON, MoneyViewSet, NumberFilters, Wishing, with_agent
from incentives.models import Attainment, Batch, DayRecord, Entry, Plan
from performance.api.figures import NestedAgent
from teams.api import REFUSED
from teams.edges.api import ScopedChoiceFilter, ScopedRelatedField, TeamScopedViewSet
from teams.models import Agent, Team

# -- attainment ----------------------------------------------------------------------------------------------------------


class AttainmentSerializer(serializers.ModelSerializer):
    agent = NestedAgent(read_only=True, allow_null=True)
    team = ScopedRelatedField(read_only=True, allow_null=True)
    version = ScopedRelatedField(read_only=True, allow_null=True, help_text="Null: the plan is of a team above.")
    missed = serializers.SerializerMethodField(help_text="Gates that were not met.")
    facts = serializers.SerializerMethodField(help_text="The counts and minutes it was worked out from.")

    class Meta:
        model = Attainment
        fields = read_only_fields = (
            "id", "agent", "team", "version", "begins", "ends", "attained", "reached", "demoted", "missed", "facts",
        )  # fmt: skip

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_missed(self, line: Attainment) -> list[str]:
        return list(filter(None, line.missed.split(",")))

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_facts(self, line: Attainment) -> dict[str, Any]:
        return line.facts


class AttainmentFilters(NumberFilters):
    """`day_from` and `day_to` are of the first day of a line, both included."""

    day_from = django_filters.DateFilter("begins", "gte")
    day_to = django_filters.DateFilter("begins", "lte")
    team = ScopedChoiceFilter(queryset=Team.objects.all())
    reached = django_filters.NumberFilter("reached", "gte", label="At least this tier.", min_value=0, max_value=100)


@extend_schema_view(
    list=extend_schema(summary="What was reached, line by line; no amounts"),
    retrieve=extend_schema(summary="One line; no amounts"),
)
class AttainmentViewSet(TeamScopedViewSet):
    queryset = Attainment.objects.order_by("-begins", "-pk")
    serializer_class = AttainmentSerializer
    filterset_class = AttainmentFilters
    sorts = {"begins": "begins", "attained": "attained"}
    related = ("team", "version")

    def scope(self, rows: Any) -> Any:
        return with_agent(super().scope(rows))


# -- amounts -------------------------------------------------------------------------------------------------------------


class EntrySerializer(serializers.ModelSerializer):
    agent = NestedAgent(read_only=True, allow_null=True)
    team = ScopedRelatedField(read_only=True, allow_null=True)
    plan = ScopedRelatedField(read_only=True, allow_null=True, help_text="Null: out of the caller's reach.")
    version = ScopedRelatedField(read_only=True, allow_null=True)
    batch = ScopedRelatedField(read_only=True, allow_null=True)

    class Meta:
        model = Entry
        fields = read_only_fields = (
            "id", "agent", "team", "plan", "version", "begins", "ends", "month", "kind", "cause", "amount", "withheld",
            "currency", "batch", "posted_at",
        )  # fmt: skip


class EntryFilters(NumberFilters):
    month = django_filters.DateFilter(label="The first day of the pay-out month.")
    kind = django_filters.ChoiceFilter(choices=Entry.Kind.choices)
    team = ScopedChoiceFilter(queryset=Team.objects.all())
    plan = ScopedChoiceFilter(queryset=Plan.objects.all())
    batch = ScopedChoiceFilter(queryset=Batch.objects.all())


@extend_schema_view(
    list=extend_schema(summary="Amounts under SETTLE, and one's own"), retrieve=extend_schema(summary="One amount")
)
class EntryViewSet(MoneyViewSet):
    queryset = Entry.objects.order_by("-posted_at", "-pk")
    serializer_class = EntrySerializer
    filterset_class = EntryFilters
    sorts = {"posted_at": "posted_at", "begins": "begins", "month": "month", "amount": "amount"}
    related = ("team", "plan", "version", "batch")

    def scope(self, rows: Any) -> Any:
        return with_agent(super().scope(rows))


# -- records of days -----------------------------------------------------------------------------------------------------


class DayRecordSerializer(serializers.ModelSerializer):
    agent = NestedAgent(read_only=True, allow_null=True)

    class Meta:
        model = DayRecord
        fields = read_only_fields = ("id", "agent", "day", "what", "amount", "reason", "made_at")


class RecordWish(serializers.Serializer):
    agent = ScopedRelatedField(queryset=Agent.objects.all())
    day = serializers.DateField()
    what = serializers.ChoiceField(choices=DayRecord.What.choices)
    amount = serializers.DecimalField(
        max_digits=8, decimal_places=4,
        help_text="Minutes; of learning, the share of the target from 0 to 1; of failures, their count.",
    )  # fmt: skip
    reason = serializers.CharField(max_length=LONGEST_REASON)


class DayRecordFilters(NumberFilters):
    """`day_from` and `day_to`, both included."""

    day_from = django_filters.DateFilter("day", "gte")
    day_to = django_filters.DateFilter("day", "lte")
    what = django_filters.ChoiceFilter(choices=DayRecord.What.choices)


@extend_schema_view(
    list=extend_schema(summary="Minutes and findings of days that count for pay"),
    retrieve=extend_schema(summary="One record of a day"),
)
class DayRecordViewSet(Wishing, TeamScopedViewSet):
    queryset = DayRecord.objects.order_by("-day", "-pk")
    serializer_class = DayRecordSerializer
    filterset_class = DayRecordFilters
    sorts = {"day": "day"}

    def scope(self, rows: Any) -> Any:
        return with_agent(super().scope(rows))

    @extend_schema(
        summary="Record something of a day",
        request=RecordWish,
        responses={201: DayRecordSerializer, 404: None, 409: REFUSED},
    )
    def create(self, request: Request) -> Response:
        """Again for the same agent, day and subject puts it right. For who leads or pays the agent."""
        made = services.record_day(by=request.user, **self.wish(RecordWish))  # type: ignore[arg-type]
        row = self.get_queryset().get(pk=made.pk)
        return Response(self.get_serializer(row).data, status=201)


def register(router: BaseRouter) -> None:
    router.register("attainments", AttainmentViewSet, basename="attainment")
    router.register("incentive-entries", EntryViewSet, basename="incentive-entry")
    router.register("day-records", DayRecordViewSet, basename="day-record")
