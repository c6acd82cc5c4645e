"""REST doors of the blacklist: read with masks, check many at once, ask to block, extend and lift."""

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from approvals.models import ApprovalRequest, BlockEntry
from approvals.services import blacklist
from approvals.services.blacklist.checking import MOST
from approvals.services.blacklist.kind import DEFAULT_TERM, TERMS
from teams.api import REFUSED
from teams.edges.api import ScopedFilterSet, ScopedRelatedField, TeamScopedViewSet
from teams.models import Team

COUNTRY = serializers.RegexField(
    r"^[A-Za-z]{2}$", required=False, allow_blank=True, default="",
    help_text="Two letters: where a number without + is dialled. Empty: where the team is.",
)  # fmt: skip


class BlockEntrySerializer(serializers.ModelSerializer):
    team = ScopedRelatedField(read_only=True)
    request = ScopedRelatedField(read_only=True, allow_null=True)
    subject = serializers.CharField(source="mask", read_only=True, help_text="Masked.")
    reason = serializers.ChoiceField(source="reason_code", choices=BlockEntry.Reason.choices, read_only=True)
    since = serializers.DateTimeField(source="span.lower", read_only=True)
    until = serializers.DateTimeField(
        source="span.upper", read_only=True, allow_null=True, help_text="Null: permanent."
    )

    class Meta:
        model = BlockEntry
        fields = (
            "id", "team", "subject_kind", "subject", "reason", "evidence", "effect", "channels", "severity", "since", "until",
            "state", "review_on", "review_note", "appeal_note", "request",
        )  # fmt: skip
        read_only_fields = fields


class SubjectSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=BlockEntry.Kind.choices)
    value = serializers.CharField(max_length=254, write_only=True)
    country = COUNTRY


class CheckSerializer(serializers.Serializer):
    subjects = serializers.ListField(child=SubjectSerializer(), min_length=1, max_length=MOST)
    channel = serializers.ChoiceField(
        choices=BlockEntry.Channel.choices, required=False, allow_blank=True, default="",
        help_text="Where the customer comes in. Empty: whatever channels an entry is for.",
    )  # fmt: skip
    team = ScopedRelatedField(
        queryset=Team.objects.all(), required=False, allow_null=True, default=None,
        help_text="Whose customer it is. Empty: of all teams the caller may ask for.",
    )  # fmt: skip


class AnswerSerializer(serializers.Serializer):
    kind = serializers.ChoiceField(choices=BlockEntry.Kind.choices)
    subject = serializers.CharField(source="mask", allow_blank=True, help_text="Masked.")
    is_blocked = serializers.BooleanField()
    effect = serializers.ChoiceField(choices=BlockEntry.Effect.choices, allow_blank=True)
    reason = serializers.ChoiceField(choices=BlockEntry.Reason.choices, allow_blank=True)
    until = serializers.DateTimeField(allow_null=True)
    is_permanent = serializers.BooleanField()
    is_held = serializers.BooleanField(help_text="At once, and not approved yet.")
    problem = serializers.CharField(
        allow_blank=True, help_text="Why this subject could not be read; it was not checked then."
    )


class AnswersSerializer(serializers.Serializer):
    answers = AnswerSerializer(many=True, help_text="In the order of `subjects`.")


class TermSerializer(serializers.Serializer):
    term = serializers.ChoiceField(choices=TERMS, default=DEFAULT_TERM)
    until = serializers.DateTimeField(
        required=False,
        allow_null=True,
        default=None,
        help_text="With the term `custom`: a moment at most two years ahead.",
    )
    review_on = serializers.DateField(required=False, allow_null=True, default=None)


class AskSerializer(TermSerializer):
    team = ScopedRelatedField(queryset=Team.objects.all())
    subject_kind = serializers.ChoiceField(choices=BlockEntry.Kind.choices)
    subject = serializers.CharField(max_length=254, write_only=True)
    country = COUNTRY
    reason_code = serializers.ChoiceField(choices=BlockEntry.Reason.choices)
    evidence = serializers.CharField(max_length=1000, help_text="A link or words; the subject in it is masked.")
    effect = serializers.ChoiceField(choices=BlockEntry.Effect.choices, default=BlockEntry.Effect.BLOCK)
    channels = serializers.ListField(
        child=serializers.ChoiceField(choices=BlockEntry.Channel.choices), max_length=len(BlockEntry.Channel.choices),
        required=False, default=list, help_text="Empty: all.",
    )  # fmt: skip
    severity = serializers.ChoiceField(choices=BlockEntry.Severity.choices, default=BlockEntry.Severity.MEDIUM)
    words = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    hold_now = serializers.BooleanField(
        required=False, default=False, help_text="For leads: holds at once, for at most 24 hours, until it is decided."
    )


class ExtendSerializer(TermSerializer):
    note = serializers.CharField(max_length=500, help_text="What was looked at.")


class LiftSerializer(serializers.Serializer):
    note = serializers.CharField(max_length=500, help_text="The appeal, or why the entry is no longer needed.")


class BlockRequestSerializer(serializers.ModelSerializer):
    subject = serializers.CharField(source="subject_label", read_only=True, help_text="Masked.")

    class Meta:
        model = ApprovalRequest
        fields = ("id", "subject", "state", "version")
        read_only_fields = fields


class BlockEntryFilters(ScopedFilterSet):
    class Meta:
        model = BlockEntry
        fields = ("team", "subject_kind", "state", "effect", "reason_code")


ASKED = {201: BlockRequestSerializer, 409: REFUSED}


@extend_schema_view(
    list=extend_schema(summary="Blacklist entries in reach, masked"),
    retrieve=extend_schema(summary="One entry, masked"),
)
class BlacklistViewSet(TeamScopedViewSet):
    queryset = BlockEntry.objects.order_by("-made_at", "-pk")
    serializer_class = BlockEntrySerializer
    filterset_class = BlockEntryFilters
    sorts = {"made": "made_at"}
    related = ("team", "request")

    @extend_schema(
        summary="Are these customers blocked?",
        request=CheckSerializer,
        responses={200: AnswersSerializer, 404: None, 409: REFUSED},
    )
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def check(self, request: Request) -> Response:
        """At most 500 at once; each match is logged. For agents and for whoever observes or leads a team."""
        wish = self._wish(CheckSerializer)
        asked = [blacklist.Asked(**each) for each in wish["subjects"]]
        found = blacklist.check(asked, by=request.user, channel=wish["channel"], team=wish["team"])  # type: ignore[arg-type]
        return Response(AnswersSerializer({"answers": found}).data)

    @extend_schema(summary="Ask to block a customer", request=AskSerializer, responses={**ASKED, 404: None})
    @action(detail=False, methods=["post"], pagination_class=None, filterset_class=None)
    def ask(self, request: Request) -> Response:
        """A request for approval; with `hold_now` it takes effect at once."""
        return self._asked(blacklist.ask(by=request.user, **self._wish(AskSerializer)))  # type: ignore[arg-type]

    @extend_schema(summary="Ask for a later end", request=ExtendSerializer, responses=ASKED)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: str) -> Response:
        """A request for approval; the term counts from the present end."""
        entry = self.get_object()
        return self._asked(blacklist.extend(entry.pk, by=request.user, **self._wish(ExtendSerializer)))  # type: ignore[arg-type]

    @extend_schema(summary="Ask to lift an entry", request=LiftSerializer, responses=ASKED)
    @action(detail=True, methods=["post"])
    def lift(self, request: Request, pk: str) -> Response:
        """A request for approval, decided by somebody who did not approve the entry; it holds until then."""
        entry = self.get_object()
        return self._asked(blacklist.lift(entry.pk, by=request.user, **self._wish(LiftSerializer)))  # type: ignore[arg-type]

    def _wish(self, serializer_class: type[serializers.Serializer]) -> dict[str, Any]:
        body = serializer_class(data=self.request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        return {name: getattr(value, "pk", value) for name, value in body.validated_data.items()}

    def _asked(self, request: ApprovalRequest) -> Response:
        return Response(BlockRequestSerializer(request).data, status=201)


def register(router: BaseRouter) -> None:
    router.register("blacklist", BlacklistViewSet, basename="blacklist")
