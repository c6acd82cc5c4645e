"""REST doors of statuses: one's own, the time lines in reach, and the queue of a team."""

from datetime import UTC, datetime
from typing import Any, ClassVar

import django_filters
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from approvals.models import ApprovalRequest, Base, StatusReason, StatusSpan
from approvals.models.statuses import DAY_MINUTES
from approvals.reports import statuses as reports
from approvals.reports.board import board
from approvals.services import requests, statuses
from approvals.services.statuses.choosing import CHOICES
from teams.api import REFUSED
from teams.edges.api import NoData, Recognised, ScopedFilterSet, TeamScopedViewSet
from teams.errors import OutOfReach
from teams.models import Agent, Team

OUT = OpenApiResponse(description="Whoever asks is no agent.")
FOREIGN = OpenApiResponse(description="No such team, or none in reach.")
MOST_PK = 2**63 - 1


class NestedTeam(serializers.ModelSerializer):
    class Meta:
        model = Team
        ref_name = "TeamOfStatus"
        fields = read_only_fields = ("id", "code", "name")


class NestedAgent(serializers.ModelSerializer):
    class Meta:
        model = Agent
        ref_name = "AgentOfStatus"
        fields = read_only_fields = ("id", "number", "name")


class ReasonOfStatusSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="__str__", read_only=True)

    class Meta:
        model = StatusReason
        fields = read_only_fields = ("code", "name", "base", "is_paid", "is_shrinkage", "is_productive")


class StatusSpanSerializer(serializers.ModelSerializer):
    agent = NestedAgent(read_only=True, allow_null=True)
    team = NestedTeam(read_only=True, allow_null=True)
    reason = ReasonOfStatusSerializer(read_only=True, allow_null=True)
    since = serializers.DateTimeField(source="span.lower", read_only=True)
    until = serializers.DateTimeField(source="span.upper", read_only=True, allow_null=True)

    class Meta:
        model = StatusSpan
        fields = read_only_fields = (
            "id", "agent", "team", "base", "reason", "since", "until", "back_at", "source", "confidence", "note",
        )  # fmt: skip


class StatusSpanFilters(ScopedFilterSet):
    is_open = django_filters.BooleanFilter(method="narrow_open", help_text="What agents do now.")
    since = django_filters.IsoDateTimeFilter(method="narrow_since", help_text="Lines that go on after this moment.")
    until = django_filters.IsoDateTimeFilter(method="narrow_until", help_text="Lines that began before this moment.")

    class Meta:
        model = StatusSpan
        fields = ("agent", "team", "base", "source", "confidence")

    def narrow_open(self, rows: Any, name: str, value: bool) -> Any:
        return rows.filter(span__upper_inf=value)

    def narrow_since(self, rows: Any, name: str, value: datetime) -> Any:
        return rows.filter(span__overlap=DateTimeTZRange(_in_utc(name, value), None))

    def narrow_until(self, rows: Any, name: str, value: datetime) -> Any:
        return rows.filter(span__overlap=DateTimeTZRange(None, _in_utc(name, value)))


def _in_utc(name: str, moment: datetime) -> datetime:
    """PostgreSQL knows no offset of more than sixteen hours, and the calendar ends."""
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValidationError({name: ["This moment lies outside of the calendar."]}) from error


@extend_schema_view(
    list=extend_schema(summary="Time lines in reach"), retrieve=extend_schema(summary="One stretch of a time line")
)
class StatusSpanViewSet(TeamScopedViewSet):
    queryset = StatusSpan.objects.select_related("reason").order_by("-span", "pk")
    serializer_class = StatusSpanSerializer
    filterset_class = StatusSpanFilters
    related = ("agent", "team")


# -- one's own -----------------------------------------------------------------------------------------------------------


class SetStatusSerializer(serializers.Serializer):
    base = serializers.ChoiceField(choices=CHOICES)
    reason = serializers.CharField(max_length=40, required=False, allow_blank=True, default="", help_text="Its code.")
    minutes = serializers.IntegerField(
        min_value=1, max_value=DAY_MINUTES, required=False, allow_null=True, default=None
    )


class AskBreakSerializer(serializers.Serializer):
    reason = serializers.CharField(max_length=40, help_text="Its code.")
    minutes = serializers.IntegerField(
        min_value=1, max_value=DAY_MINUTES, required=False, allow_null=True, default=None
    )


class AskCorrectionSerializer(serializers.Serializer):
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    base = serializers.ChoiceField(choices=CHOICES)
    reason = serializers.CharField(max_length=40, required=False, allow_blank=True, default="", help_text="Its code.")
    words = serializers.CharField(max_length=300)


class QueuedSerializer(serializers.Serializer):
    request = serializers.IntegerField(source="pk", read_only=True)
    words = serializers.CharField(read_only=True)
    asked_at = serializers.DateTimeField(read_only=True)
    place = serializers.IntegerField(read_only=True)
    of = serializers.IntegerField(read_only=True)
    expected_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="Null: nothing tells.")
    for_person = serializers.BooleanField(read_only=True, help_text="Somebody decides it, whatever the cover.")


class ChoiceOfStatusSerializer(serializers.Serializer):
    reason = ReasonOfStatusSerializer(read_only=True)
    used_minutes = serializers.IntegerField(read_only=True)
    left_minutes = serializers.IntegerField(read_only=True, allow_null=True)
    most_minutes = serializers.IntegerField(read_only=True, allow_null=True)
    is_asked = serializers.BooleanField(read_only=True, help_text="Choosing it is asking for it.")


class TotalSerializer(serializers.Serializer):
    base = serializers.CharField(read_only=True)
    words = serializers.CharField(read_only=True)
    minutes = serializers.IntegerField(read_only=True)


@extend_schema_serializer(many=False)  # read at the address of a list, and one
class MyStatusSerializer(serializers.Serializer):
    base = serializers.ChoiceField(choices=Base.choices, source="now.base", read_only=True)
    words = serializers.CharField(source="now.words", read_only=True)
    since = serializers.DateTimeField(source="now.since", read_only=True, allow_null=True)
    back_at = serializers.DateTimeField(source="now.back_at", read_only=True, allow_null=True)
    is_over = serializers.BooleanField(source="now.is_over", read_only=True)
    waiting = QueuedSerializer(read_only=True, allow_null=True)
    choices = ChoiceOfStatusSerializer(many=True, read_only=True)
    day = serializers.DateField(source="today.day", read_only=True)
    totals = TotalSerializer(source="today.totals", many=True, read_only=True)
    paid_minutes = serializers.IntegerField(source="today.paid_minutes", read_only=True)
    shrinkage_minutes = serializers.IntegerField(source="today.shrinkage_minutes", read_only=True)


class AskedSerializer(serializers.Serializer):
    """A request that was made: carried out at once, refused, or waiting."""

    id = serializers.IntegerField(source="pk", read_only=True)
    kind = serializers.CharField(read_only=True)
    state = serializers.ChoiceField(choices=ApprovalRequest.State.choices, read_only=True)


class OwnViewSet(Recognised, viewsets.ViewSet):
    """Whose status it is comes from the log-in."""

    permission_classes = (IsAuthenticated,)
    metadata_class = NoData

    def agent(self, request: Request) -> Agent:
        agent = Agent.objects.about(request.user).select_related("team").first()
        if agent is None:
            raise OutOfReach
        return agent

    def body(self, kind: type[serializers.Serializer]) -> dict[str, Any]:
        form = kind(data=self.request.data)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)


class StatusViewSet(OwnViewSet):
    serializer_class = MyStatusSerializer

    @extend_schema(summary="My status", responses={200: MyStatusSerializer, 404: OUT}, filters=False)
    def list(self, request: Request) -> Response:
        """What I do now, my place in the queue, what I may choose, and today's sums."""
        return self._told(self.agent(request))

    @extend_schema(
        summary="Set my status",
        request=SetStatusSerializer,
        responses={200: MyStatusSerializer, 404: OUT, 409: REFUSED},
    )
    def create(self, request: Request) -> Response:
        """From now on. A break, and what needs approval, is asked for: it begins at once or waits."""
        agent, wish = self.agent(request), self.body(SetStatusSerializer)
        statuses.set_status(agent.pk, by=request.user, **wish)  # type: ignore[arg-type]
        return self._told(agent)

    @extend_schema(
        summary="Ask for a break", request=AskBreakSerializer, responses={201: AskedSerializer, 404: OUT, 409: REFUSED}
    )
    @action(detail=False, methods=["post"])
    def ask(self, request: Request) -> Response:
        """Granted at once while the cover allows, else a place in the queue."""
        agent, wish = self.agent(request), self.body(AskBreakSerializer)
        asked = statuses.ask_break(agent.pk, by=request.user, **wish)  # type: ignore[arg-type]
        return Response(AskedSerializer(asked).data, status=201)

    @extend_schema(summary="Leave the queue", request=None, responses={200: MyStatusSerializer, 404: OUT, 409: REFUSED})
    @action(detail=False, methods=["post"], url_path="leave-queue")
    def leave_queue(self, request: Request) -> Response:
        """Take back what I have asked for and nobody has decided. Again: nothing changes."""
        agent = self.agent(request)
        waiting = reports.waiting_of(agent, timezone.now())
        if waiting is not None:
            requests.withdraw(waiting.pk, by=request.user)  # type: ignore[arg-type]
        return self._told(agent)

    @extend_schema(
        summary="Ask for a correction of my time line", request=AskCorrectionSerializer,
        responses={201: AskedSerializer, 404: OUT, 409: REFUSED},
    )  # fmt: skip
    @action(detail=False, methods=["post"])
    def correct(self, request: Request) -> Response:
        """Of the last 45 days; somebody else decides it."""
        agent, wish = self.agent(request), self.body(AskCorrectionSerializer)
        asked = statuses.ask_correction(agent.pk, by=request.user, **wish)  # type: ignore[arg-type]
        return Response(AskedSerializer(asked).data, status=201)

    def _told(self, agent: Agent) -> Response:
        return Response(MyStatusSerializer(reports.my_status(agent, timezone.now())).data)


# -- the queue of a team ---------------------------------------------------------------------------------------------------


class InLineSerializer(serializers.Serializer):
    request = serializers.IntegerField(source="waiting.pk", read_only=True)
    agent = serializers.CharField(read_only=True)
    words = serializers.CharField(read_only=True)
    asked_at = serializers.DateTimeField(source="waiting.asked_at", read_only=True)
    place = serializers.IntegerField(source="waiting.place", read_only=True)
    expected_at = serializers.DateTimeField(source="waiting.expected_at", read_only=True, allow_null=True)
    for_person = serializers.BooleanField(source="waiting.for_person", read_only=True)
    may_decide = serializers.BooleanField(read_only=True)


@extend_schema_serializer(many=False)  # read at the address of a list, and one
class QueueOfTeamSerializer(serializers.Serializer):
    team = serializers.IntegerField(source="pk", read_only=True)
    ready = serializers.IntegerField(source="cover.ready", read_only=True)
    needed = serializers.IntegerField(source="cover.needed", read_only=True)
    spare = serializers.IntegerField(
        source="cover.spare", read_only=True, help_text="How many may leave; below 0: short."
    )
    queue = InLineSerializer(many=True, read_only=True)


class BreakViewSet(Recognised, viewsets.ViewSet):
    permission_classes = (IsAuthenticated,)
    metadata_class = NoData
    serializer_class = QueueOfTeamSerializer
    known: ClassVar[frozenset[str]] = frozenset({"team"})

    @extend_schema(
        summary="Cover and queue of a team",
        parameters=[OpenApiParameter("team", {"type": "integer", "minimum": 1}, required=True)],
        responses={200: QueueOfTeamSerializer, 404: FOREIGN},
        filters=False,
    )
    def list(self, request: Request) -> Response:
        """Who waits for a break, for those who lead the team; how it is covered, for those who see its line."""
        unknown = sorted(set(request.query_params) - self.known)
        if unknown:
            raise ValidationError({unknown[0]: ["This parameter is not known here."]})
        wish = serializers.IntegerField(min_value=1, max_value=MOST_PK)
        try:
            team = wish.run_validation(request.query_params.get("team", serializers.empty))
        except ValidationError as error:
            raise ValidationError({"team": error.detail}) from error
        told = board(request.user, timezone.now(), team)  # type: ignore[arg-type]
        if not told.teams:
            raise OutOfReach
        return Response(QueueOfTeamSerializer(told.teams[0]).data)


def register(router: BaseRouter) -> None:
    router.register("status", StatusViewSet, basename="status")
    router.register("status-spans", StatusSpanViewSet, basename="status-span")
    router.register("breaks", BreakViewSet, basename="break")
