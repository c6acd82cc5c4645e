"""What the caller's day earns, as far as it is."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from incentives.reports.progress import MOST_MORE, Progress, progress, what_if
from incentives.views.own import shows_money
from teams.clock import local_day
from teams.edges.api import NoData, Recognised
from teams.models import Agent

AMOUNT: dict[str, Any] = {"max_digits": 16, "decimal_places": 4, "allow_null": True, "read_only": True}


class TodayWish(serializers.Serializer):
    day = serializers.DateField(required=False, help_text="A day that has begun; else today.")
    more = serializers.IntegerField(
        required=False, min_value=0, max_value=MOST_MORE, help_text="What it would be with so many more."
    )


class AheadSerializer(serializers.Serializer):
    tier = serializers.IntegerField(source="place")
    volume = serializers.IntegerField()
    more = serializers.IntegerField()
    amount = serializers.DecimalField(**AMOUNT)


class GateSerializer(serializers.Serializer):
    words = serializers.CharField()
    is_met = serializers.BooleanField()


class TodaySerializer(serializers.Serializer):
    """Without a plan all but the day is null or empty; without a wage there is no amount, and `lack` says why."""

    day = serializers.DateField()
    plan = serializers.CharField(allow_null=True)
    version = serializers.IntegerField(allow_null=True, help_text="The number of the version that holds.")
    begins = serializers.DateField(allow_null=True)
    ends = serializers.DateField(allow_null=True)
    words = serializers.CharField()
    done = serializers.IntegerField()
    target = serializers.IntegerField(allow_null=True)
    to_go = serializers.IntegerField()
    attainment = serializers.CharField(help_text="Cut off, never rounded up; empty where nothing was asked.")
    amount = serializers.DecimalField(**AMOUNT)
    withheld = serializers.DecimalField(**AMOUNT)
    currency = serializers.CharField(allow_null=True)
    lack = serializers.CharField()
    ahead = AheadSerializer(many=True)
    gates = GateSerializer(many=True)
    what_if = serializers.DecimalField(**AMOUNT, help_text="The amount with `more` of them.")


class TodayView(Recognised, APIView):
    metadata_class = NoData

    @extend_schema(
        summary="What the caller's day earns, as far as it is",
        parameters=[TodayWish],
        responses={200: TodaySerializer, 404: OpenApiResponse(description="Whoever asks is no agent.")},
    )
    def get(self, request: Request) -> Response:
        """Worked out anew with each call, by the same engine as a run."""
        agent = Agent.objects.about(request.user).first()
        if agent is None:
            raise NotFound
        if unknown := sorted(set(request.query_params) - set(TodayWish().fields)):
            raise ValidationError({unknown[0]: ["This parameter is not known here."]})
        wish = TodayWish(data=request.query_params)
        wish.is_valid(raise_exception=True)
        today = local_day(timezone.now(), agent.zone)
        day = wish.validated_data.get("day", today)
        if day > today:
            raise ValidationError({"day": ["This day has not come yet."]})
        told = _told(progress(agent, day), wish.validated_data.get("more"), with_money=shows_money(request._request))
        return Response(TodaySerializer({"day": day, **told}).data)


EMPTY: dict[str, Any] = {
    "plan": None, "version": None, "begins": None, "ends": None, "words": "", "done": 0, "target": None, "to_go": 0,
    "attainment": "", "amount": None, "withheld": None, "currency": None, "lack": "", "ahead": [], "gates": [],
    "what_if": None,
}  # fmt: skip


def _told(found: Progress | None, more: int | None, *, with_money: bool) -> dict[str, Any]:
    if found is None:
        return EMPTY
    told = EMPTY | {
        "plan": found.version.plan.name, "version": found.version.number, "begins": found.span.first,
        "ends": found.span.last, "words": found.words, "done": found.done, "target": found.target, "to_go": found.to_go,
        "attainment": found.attainment, "currency": found.terms.currency, "lack": found.lack,
        "gates": [{"words": words, "is_met": is_met} for words, is_met in found.gates],
    }  # fmt: skip
    if not (with_money and found.is_money_known and found.line is not None):
        return told
    then = what_if(found, more) if more is not None else None
    return told | {
        "amount": found.amount, "withheld": found.line.withheld, "ahead": found.steps,
        "what_if": then.amount if then is not None else None,
    }  # fmt: skip
