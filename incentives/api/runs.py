"""Pay-out months of plans and the steps they take, for those who pay."""

from collections.abc import Callable
from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from approvals.api.requests import PersonSerializer
from incentives import services
from incentives.api.batches import BatchSerializer
from incentives.api.shared import LONGEST_REASON, MoneyViewSet, NoWish, WhyWish, sums
from incentives.models import Plan, Run
from teams.api import REFUSED
from teams.edges.api import ScopedChoiceFilter, ScopedFilterSet, ScopedRelatedField


class RunSerializer(serializers.ModelSerializer):
    plan = ScopedRelatedField(read_only=True)
    sums = sums(help_text="What its entries come to, by currency.")
    reviewed_by = PersonSerializer(read_only=True, allow_null=True)
    approved_by = PersonSerializer(read_only=True, allow_null=True)

    class Meta:
        model = Run
        fields = read_only_fields = (
            "id", "plan", "month", "stage", "lines", "agents", "lacking", "sums", "calculated_at", "reviewed_by",
            "approved_by",
        )  # fmt: skip


class SendBackWish(serializers.Serializer):
    reason = serializers.CharField(max_length=LONGEST_REASON, help_text="What has to be put right.")


class BatchWish(WhyWish):
    pay_on = serializers.DateField(required=False, allow_null=True, default=None)


class RunFilters(ScopedFilterSet):
    month = django_filters.DateFilter(label="The first day of the pay-out month.")
    stage = django_filters.ChoiceFilter(choices=Run.Stage.choices)
    plan = ScopedChoiceFilter(queryset=Plan.objects.all())


def verb(name: str, wish: type[serializers.Serializer], run: Callable[..., Run], summary: str, slug: str = "") -> Any:
    """An action of the view set: the body is checked, the service called, the run as it is then given back."""

    def call(self: "RunViewSet", request: Request, pk: str) -> Response:
        self.get_object()  # out of reach is 404 whatever the body
        made = run(int(pk), by=request.user, **self.wish(wish))
        return Response(self.get_serializer(self.get_queryset().get(pk=made.pk)).data)

    call.__name__, call.__doc__ = name, run.__doc__
    door = action(detail=True, methods=["post"], url_path=slug or name, url_name=slug or name)(call)
    return extend_schema(summary=summary, request=wish, responses={200: RunSerializer, 409: REFUSED})(door)


@extend_schema_view(
    list=extend_schema(summary="Pay-out months under SETTLE"), retrieve=extend_schema(summary="One pay-out month")
)
class RunViewSet(MoneyViewSet):
    queryset = Run.objects.select_related("reviewed_by", "approved_by").order_by("-month", "-pk")
    serializer_class = RunSerializer
    filterset_class = RunFilters
    sorts = {"month": "month"}
    related = ("plan",)

    calculate = verb("calculate", NoWish, services.recalculate, "Calculate now")
    review = verb("review", WhyWish, services.send_to_review, "Say that it is complete")
    approve = verb("approve", WhyWish, services.approve, "Agree to it, as a second person")
    send_back = verb("send_back", SendBackWish, services.send_back, "Put it back to be put right", "send-back")

    @extend_schema(
        summary="Lock it and fix what it pays", request=BatchWish, responses={201: BatchSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def batch(self, request: Request, pk: str) -> Response:
        """A batch of an approved run. Somebody else has to release it."""
        self.get_object()
        made = services.make_batch(int(pk), by=request.user, **self.wish(BatchWish))  # type: ignore[arg-type]
        return Response(BatchSerializer(made, context=self.get_serializer_context()).data, status=201)


def register(router: BaseRouter) -> None:
    router.register("incentive-runs", RunViewSet, basename="incentive-run")
