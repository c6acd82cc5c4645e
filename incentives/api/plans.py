"""Plans, and the terms of their versions, for those who lead and those who pay."""

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.routers import BaseRouter

from incentives.models import Plan, PlanVersion
from incentives.plain.terms import read
from incentives.words import in_words
from teams.edges.api import ScopedFilterSet, ScopedRelatedField, TeamScopedViewSet
from teams.models import Agent


class PlanSerializer(serializers.ModelSerializer):
    team = ScopedRelatedField(read_only=True)
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=Agent.Role.choices), read_only=True, help_text="Empty: everybody."
    )

    class Meta:
        model = Plan
        fields: tuple[str, ...] = ("id", "team", "name", "roles", "earning_code", "is_closed", "made_at")
        read_only_fields = fields


class PlanVersionSerializer(serializers.ModelSerializer):
    since = serializers.DateField(source="span.lower", read_only=True)
    until = serializers.DateField(source="span.upper", read_only=True, allow_null=True, help_text="Not included.")
    terms = serializers.SerializerMethodField(help_text="As they are declared; numbers are digits in quotes.")
    in_words = serializers.SerializerMethodField(help_text="Each choice of the terms by its name.")

    class Meta:
        model = PlanVersion
        fields = read_only_fields = (
            "id", "number", "state", "since", "until", "published_at", "reason", "terms", "in_words",
        )  # fmt: skip

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_terms(self, version: PlanVersion) -> dict[str, Any]:
        return version.terms

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_in_words(self, version: PlanVersion) -> dict[str, str]:
        return in_words(read(version.terms))


class WholePlanSerializer(PlanSerializer):
    versions = PlanVersionSerializer(many=True, read_only=True, help_text="Newest first.")

    class Meta(PlanSerializer.Meta):
        fields = (*PlanSerializer.Meta.fields, "versions")
        read_only_fields = fields


class PlanFilters(ScopedFilterSet):
    class Meta:
        model = Plan
        fields = ("team", "is_closed")


@extend_schema_view(
    list=extend_schema(summary="Incentive plans in reach"),
    retrieve=extend_schema(summary="One plan with the terms of its versions", responses=WholePlanSerializer),
)
class PlanViewSet(TeamScopedViewSet):
    queryset = Plan.objects.order_by("name", "pk")
    serializer_class = PlanSerializer
    filterset_class = PlanFilters
    sorts = {"name": "name"}
    related = ("team",)

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        if self.action != "retrieve":
            return rows
        versions = PlanVersion.objects.visible_to(self.request.user).order_by("-number")
        return rows.prefetch_related(Prefetch("versions", versions))

    def get_serializer_class(self) -> Any:
        return WholePlanSerializer if self.action == "retrieve" else PlanSerializer


def register(router: BaseRouter) -> None:
    router.register("incentive-plans", PlanViewSet, basename="incentive-plan")
