"""Reads of rollups, contacts, reports and the metric registry."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from performance.metrics import METRICS
from performance.models import AgentDay, Contact, NightlyReport, Queue, QueueHalfHour, TeamDay
from performance.rollups import MEASURES
from teams.edges.api import NoData, ScopedChoiceFilter, ScopedFilterSet
from teams.edges.written import WrittenViewSet
from teams.models import Agent, Team


class NestedTeam(serializers.ModelSerializer):
    class Meta:
        model = Team
        fields = read_only_fields = ("id", "code", "name")


class NestedAgent(serializers.ModelSerializer):
    class Meta:
        model = Agent
        fields = read_only_fields = ("id", "number", "name")


class NestedQueue(serializers.ModelSerializer):
    class Meta:
        model = Queue
        fields = read_only_fields = ("id", "code", "name")


class AgentDaySerializer(serializers.ModelSerializer):
    agent = NestedAgent(read_only=True, allow_null=True)
    team = NestedTeam(read_only=True, allow_null=True)

    class Meta:
        model = AgentDay
        fields = read_only_fields = ("id", "day", "zone", "agent", "team", *MEASURES)


class TeamDaySerializer(serializers.ModelSerializer):
    team = NestedTeam(read_only=True, allow_null=True)

    class Meta:
        model = TeamDay
        fields = read_only_fields = ("id", "day", "team", "agents", *MEASURES)


class HalfHourSerializer(serializers.ModelSerializer):
    queue = NestedQueue(read_only=True, allow_null=True)

    class Meta:
        model = QueueHalfHour
        fields = read_only_fields = (
            "id", "queue", "started_at", "day", "offered", "answered", "abandoned", "answered_in_time", "waited",
            "wait_seconds", "timed", "handle_seconds", "is_reported",
        )  # fmt: skip


class ContactSerializer(serializers.ModelSerializer):
    """A contact without its customer's key and without the name its agent has at the source."""

    agent = NestedAgent(read_only=True, allow_null=True)
    team = NestedTeam(read_only=True, allow_null=True)
    queue = NestedQueue(read_only=True, allow_null=True)

    class Meta:
        model = Contact
        fields = read_only_fields = (
            "id", "external_id", "channel", "agent", "team", "queue", "day", "zone", "topic", "complexity", "opened_at",
            "assigned_at", "first_reply_at", "ended_at", "wait_seconds", "first_reply_seconds", "handle_seconds",
            "handle_method", "reopen_count", "transfer_count", "reply_count", "is_answered", "is_abandoned",
            "is_resolved", "is_bot_only", "is_excluded", "rating", "phone_mask",
        )  # fmt: skip


class ReportSerializer(serializers.ModelSerializer):
    team = NestedTeam(read_only=True, allow_null=True)

    class Meta:
        model = NightlyReport
        fields = read_only_fields = ("id", "team", "day", "revision", "made_at", "payload")


class DayRange(ScopedFilterSet):
    """`day_from` and `day_to`, both included."""

    day_from = django_filters.DateFilter("day", "gte")
    day_to = django_filters.DateFilter("day", "lte")
    team = ScopedChoiceFilter(queryset=Team.objects.all())


class AgentRange(DayRange):
    agent = ScopedChoiceFilter(queryset=Agent.objects.all())


class HalfHourRange(DayRange):
    team = ScopedChoiceFilter(field_name="queue__team", queryset=Team.objects.all())
    queue = ScopedChoiceFilter(queryset=Queue.objects.all())


class ContactRange(AgentRange):
    queue = ScopedChoiceFilter(queryset=Queue.objects.all())


class AgentDayViewSet(WrittenViewSet):
    queryset = AgentDay.objects.order_by("-day", "agent", "pk")
    serializer_class, filterset_class = AgentDaySerializer, AgentRange
    sorts = {"day": "day", "closed": "closed"}


class TeamDayViewSet(WrittenViewSet):
    queryset = TeamDay.objects.order_by("-day", "team", "pk")
    serializer_class, filterset_class = TeamDaySerializer, DayRange
    sorts = {"day": "day", "closed": "closed"}


class HalfHourViewSet(WrittenViewSet):
    queryset = QueueHalfHour.objects.order_by("-started_at", "queue", "pk")
    serializer_class, filterset_class = HalfHourSerializer, HalfHourRange
    sorts = {"started_at": "started_at", "offered": "offered"}


class ContactViewSet(WrittenViewSet):
    queryset = Contact.objects.order_by("-opened_at", "-pk")
    serializer_class, filterset_class = ContactSerializer, ContactRange
    sorts = {"opened_at": "opened_at"}


class ReportViewSet(WrittenViewSet):
    queryset = NightlyReport.objects.order_by("-day", "team", "-revision")
    serializer_class, filterset_class = ReportSerializer, DayRange
    sorts = {"day": "day", "made_at": "made_at"}


class MetricSerializer(serializers.Serializer):
    """A figure's definition: the one from which every page and export draws."""

    id = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    words = serializers.CharField()
    numerator = serializers.CharField()
    denominator = serializers.CharField(allow_null=True)
    unit = serializers.CharField()
    better = serializers.CharField()
    inclusion = serializers.CharField()
    clock = serializers.CharField()
    version = serializers.IntegerField()
    smallest = serializers.IntegerField()
    hidden_below = serializers.IntegerField()
    default_target = serializers.DecimalField(max_digits=12, decimal_places=4, allow_null=True)


class MetricViewSet(viewsets.ViewSet):
    """Definitions only; they are the same for everybody who is logged in."""

    metadata_class = NoData
    lookup_value_regex = r"[a-z_]+"

    @extend_schema(responses=MetricSerializer(many=True))
    def list(self, request: Request) -> Response:
        return Response(MetricSerializer(METRICS.values(), many=True).data)

    @extend_schema(responses=MetricSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        if pk not in METRICS:
            raise NotFound
        return Response(MetricSerializer(METRICS[pk]).data)


def register(router: BaseRouter) -> None:
    views: dict[str, Any] = {
        "agent-days": AgentDayViewSet,
        "team-days": TeamDayViewSet,
        "half-hours": HalfHourViewSet,
        "contacts": ContactViewSet,
        "reports": ReportViewSet,
        "metrics": MetricViewSet,
    }
    for prefix, view in views.items():
        router.register(prefix, view, basename=prefix.removesuffix("s"))
