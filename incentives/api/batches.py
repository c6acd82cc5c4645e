"""Pay-out batches, for those who pay. The file of a batch is had on its page alone, where each one taken is noted."""

from typing import Any

import django_filters
from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from approvals.models import ApprovalRequest
from incentives import services
from incentives.api.shared import MoneyViewSet, WhyWish, sums
from incentives.kinds.releases import ask_release
from incentives.models import Batch, BatchItem, Run
from teams.api import REFUSED
from teams.edges.api import ScopedChoiceFilter, ScopedFilterSet, ScopedRelatedField


class BatchItemSerializer(serializers.ModelSerializer):
    class Meta:
        model = BatchItem
        fields = read_only_fields = (
            "employee", "code", "currency", "amount", "earned_from", "earned_until", "cost_centre",
        )  # fmt: skip


class BatchSerializer(serializers.ModelSerializer):
    run = ScopedRelatedField(read_only=True)
    request = ScopedRelatedField(read_only=True, allow_null=True, help_text="That of its release.")
    sums = sums(help_text="What it pays, by currency.")

    class Meta:
        model = Batch
        fields: tuple[str, ...] = (
            "id", "run", "number", "is_correction", "state", "count", "sums", "checksum", "format_version", "pay_on",
            "request", "made_at", "released_at", "paid_at",
        )  # fmt: skip
        read_only_fields = fields


class WholeBatchSerializer(BatchSerializer):
    items = BatchItemSerializer(many=True, read_only=True)

    class Meta(BatchSerializer.Meta):
        fields = (*BatchSerializer.Meta.fields, "items")
        read_only_fields = fields


class ReleaseRequestSerializer(serializers.ModelSerializer):
    about = serializers.CharField(source="subject_label", read_only=True)

    class Meta:
        model = ApprovalRequest
        fields = read_only_fields = ("id", "about", "state", "version")


class BatchFilters(ScopedFilterSet):
    state = django_filters.ChoiceFilter(choices=Batch.State.choices)
    run = ScopedChoiceFilter(queryset=Run.objects.all())
    is_correction = django_filters.BooleanFilter()


@extend_schema_view(
    list=extend_schema(summary="Pay-out batches under SETTLE"),
    retrieve=extend_schema(summary="One batch with its items", responses=WholeBatchSerializer),
)
class BatchViewSet(MoneyViewSet):
    queryset = Batch.objects.order_by("-made_at", "-pk")
    serializer_class = BatchSerializer
    filterset_class = BatchFilters
    sorts = {"made_at": "made_at"}
    related = ("run", "request")

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.action != "retrieve":
            return rows
        items = BatchItem.objects.visible_to(self.request.user).order_by("employee", "code", "currency")
        return rows.prefetch_related(Prefetch("items", items))

    def get_serializer_class(self) -> Any:
        return WholeBatchSerializer if self.action == "retrieve" else BatchSerializer

    @extend_schema(
        summary="Ask a second person to release it", request=WhyWish,
        responses={201: ReleaseRequestSerializer, 409: REFUSED},
    )  # fmt: skip
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """A request for approval; whoever made the batch or asks does not decide it."""
        self.get_object()
        asked = ask_release(int(pk), by=request.user, **self.wish(WhyWish))  # type: ignore[arg-type]
        return Response(ReleaseRequestSerializer(asked).data, status=201)

    @extend_schema(
        summary="Note that the payroll has paid it", request=WhyWish, responses={200: BatchSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def paid(self, request: Request, pk: str) -> Response:
        """Of a batch whose file has been taken."""
        self.get_object()
        made = services.mark_paid(int(pk), by=request.user, **self.wish(WhyWish))  # type: ignore[arg-type]
        return Response(self.get_serializer(self.get_queryset().get(pk=made.pk)).data)


def register(router: BaseRouter) -> None:
    router.register("payout-batches", BatchViewSet, basename="payout-batch")
