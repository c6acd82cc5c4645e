"""REST doors of requests, policies and absences. Reads are scoped; each verb is a POST of its own and answers with the request.

A change that may go stale takes `version`, that of the request that was read: whoever decides on an older one gets 409.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import django_filters
from django.db import models
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from approvals.models import ApprovalAbsence, ApprovalPolicy, ApprovalRequest
from approvals.reports.requests import request_page
from approvals.services import absences, applying, deciding, requests
from teams.api import REFUSED, TeamSerializer
from teams.edges.api import ScopedChoiceFilter, ScopedFilterSet, ScopedViewSet, TeamScopedViewSet
from teams.errors import OutOfReach
from teams.models import Team, User

LONGEST_WORDS, LONGEST_ID = 500, 2**31 - 1


class PersonSerializer(serializers.ModelSerializer):
    name = serializers.CharField(source="full_name", read_only=True)

    class Meta:
        model = User
        fields = read_only_fields = ("id", "username", "name")


class RequestSerializer(serializers.ModelSerializer):
    team = TeamSerializer(read_only=True, allow_null=True)
    requester = PersonSerializer(read_only=True)
    about = serializers.CharField(source="subject_label", read_only=True)

    class Meta:
        model = ApprovalRequest
        fields: tuple[str, ...] = (
            "id", "kind", "team", "about", "requester", "state", "words", "revision", "version", "content_hash", "made_at",
            "submitted_at", "decided_at", "applied_at", "remind_at", "escalate_at", "expire_at", "condition", "ends_at",
            "error",
        )  # fmt: skip
        read_only_fields = fields


class PieceSerializer(serializers.Serializer):
    change = serializers.ChoiceField(choices=["same", "removed", "inserted"])
    text = serializers.CharField()


class DiffLineSerializer(serializers.Serializer):
    label = serializers.CharField()  # type: ignore[assignment]
    old = serializers.CharField()
    new = serializers.CharField()
    pieces = PieceSerializer(many=True)


class VoiceSerializer(serializers.Serializer):
    who = serializers.CharField()
    for_whom = serializers.CharField(help_text="Filled where a deputy speaks: in whose place.")
    verdict = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    is_waiting = serializers.BooleanField()


class StepSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    state = serializers.CharField()
    is_active = serializers.BooleanField()
    asks = serializers.CharField()
    note = serializers.CharField()
    voices = VoiceSerializer(many=True)


class ClockSerializer(serializers.Serializer):
    title = serializers.CharField()
    at = serializers.DateTimeField()
    in_words = serializers.CharField()


class TraceSerializer(serializers.Serializer):
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    what = serializers.CharField()
    who = serializers.CharField()
    for_whom = serializers.CharField()
    hash = serializers.CharField(help_text="The first signs of the fingerprint of what was asked at that moment.")
    revision = serializers.IntegerField()
    step = serializers.IntegerField(allow_null=True)
    words = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField())
    versions = DiffLineSerializer(many=True)


class OfferSerializer(serializers.Serializer):
    verb = serializers.CharField(source="slug")
    title = serializers.CharField()
    is_open = serializers.BooleanField()
    refusal = serializers.CharField()


class PageSerializer(serializers.Serializer):
    """A request told whole, for the caller."""

    lines = DiffLineSerializer(many=True)
    moved = DiffLineSerializer(many=True)
    effects = serializers.ListField(child=serializers.CharField())
    steps = StepSerializer(many=True)
    clocks = ClockSerializer(many=True)
    trace = TraceSerializer(many=True)
    offers = OfferSerializer(many=True)


class WholeRequestSerializer(RequestSerializer):
    content = serializers.SerializerMethodField()
    page = serializers.SerializerMethodField()

    class Meta(RequestSerializer.Meta):
        fields = (*RequestSerializer.Meta.fields, "content", "page")
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_content(self, request: ApprovalRequest) -> dict[str, Any]:
        return request.content

    @extend_schema_field(PageSerializer)
    def get_page(self, request: ApprovalRequest) -> Any:
        page = request_page(request, self.context["request"].user, timezone.now())
        return PageSerializer(page).data


# -- wishes ----------------------------------------------------------------------------------------------------------------


class VersionedWish(serializers.Serializer):
    version = serializers.IntegerField(
        min_value=1, max_value=LONGEST_ID, help_text="That of the request as it was read; 409 if it has moved since."
    )


class WordsWish(serializers.Serializer):
    words = serializers.CharField(max_length=LONGEST_WORDS)


class ReasonWish(WordsWish, VersionedWish):
    """A verb that asks why."""


class ApproveWish(VersionedWish):
    words = serializers.CharField(max_length=LONGEST_WORDS, default="", allow_blank=True)
    condition = serializers.CharField(max_length=LONGEST_WORDS, default="", allow_blank=True)
    ends_at = serializers.DateTimeField(default=None, allow_null=True)


class WithdrawWish(VersionedWish):
    words = serializers.CharField(max_length=LONGEST_WORDS, default="", allow_blank=True)


class AskWish(serializers.Serializer):
    kind = serializers.CharField(max_length=40, help_text="Name of a kind of request.")
    content = serializers.DictField(help_text="What is asked, as the kind takes it.")
    words = serializers.CharField(max_length=LONGEST_WORDS, default="", allow_blank=True)
    is_draft = serializers.BooleanField(default=False)


class EditWish(VersionedWish):
    content = serializers.DictField(help_text="What is asked instead, whole.")
    words = serializers.CharField(max_length=LONGEST_WORDS, default="", allow_blank=True)


class ManyWish(serializers.Serializer):
    ids = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LONGEST_ID),
        min_length=1,
        max_length=deciding.MOST_AT_ONCE,
    )
    versions = serializers.DictField(
        child=serializers.IntegerField(min_value=1, max_value=LONGEST_ID), required=False, default=dict,
        help_text="By id, the version that was read: one that has moved since is told so instead of decided.",
    )  # fmt: skip
    verdict = serializers.ChoiceField(choices=["approve", "reject"])
    words = serializers.CharField(max_length=LONGEST_WORDS, default="", allow_blank=True)


class ResultSerializer(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    is_done = serializers.BooleanField()
    code = serializers.CharField(help_text="Why it was refused, for programs; empty where it was done.")
    words = serializers.CharField()


class NoWish(serializers.Serializer):
    """Nothing has to be said."""


# -- requests --------------------------------------------------------------------------------------------------------------


class RequestFilters(ScopedFilterSet):
    kind = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(choices=ApprovalRequest.State.choices)
    team = ScopedChoiceFilter(queryset=Team.objects.all())
    waits_for_me = django_filters.BooleanFilter(method="only_waiting", label="Waits for the caller's decision")
    mine = django_filters.BooleanFilter(method="only_mine", label="Asked by the caller, or about them")

    def only_waiting(self, rows: Any, name: str, value: bool) -> Any:
        waiting = ApprovalRequest.objects.waiting_for(self.request.user).values("pk")
        return rows.filter(pk__in=waiting) if value else rows.exclude(pk__in=waiting)

    def only_mine(self, rows: Any, name: str, value: bool) -> Any:
        own = ApprovalRequest.objects.about(self.request.user).values("pk")
        return rows.filter(pk__in=own) if value else rows.exclude(pk__in=own)


WHOLE = {200: WholeRequestSerializer, 409: REFUSED}


def verb(name: str, wish: type[serializers.Serializer], run: Callable[..., Any], summary: str, slug: str = "") -> Any:
    """An action of the view set: the body is checked, the service called, the request as it is then given back."""

    def call(self: "RequestViewSet", request: Request, pk: str) -> Response:
        self.get_object()  # out of reach is 404 whatever the body
        made = run(int(pk), by=request.user, **self.wish(wish))
        return self.whole(made)

    call.__name__, call.__doc__ = name, summary
    door = action(detail=True, methods=["post"], url_path=slug or name, url_name=slug or name)(call)
    # Around the action: what is described within is forgotten.
    return extend_schema(summary=summary, request=wish, responses=WHOLE)(door)


@extend_schema_view(
    list=extend_schema(summary="Requests the caller may see"),
    retrieve=extend_schema(summary="One request, told whole", responses=WholeRequestSerializer),
)
class RequestViewSet(TeamScopedViewSet):
    queryset = ApprovalRequest.objects.select_related("requester").order_by("-made_at", "-pk")
    serializer_class = RequestSerializer
    filterset_class = RequestFilters
    sorts: ClassVar[dict[str, str]] = {"made_at": "made_at", "submitted_at": "submitted_at"}
    related = ("team", "team__parent")
    http_method_names = ["get", "post", "head", "options"]

    def get_serializer_class(self) -> Any:
        return RequestSerializer if self.action == "list" else WholeRequestSerializer

    @extend_schema(
        summary="Ask for something", request=AskWish, responses={201: WholeRequestSerializer, 404: None, 409: REFUSED}
    )
    def create(self, request: Request) -> Response:
        """By the policy of the team it is approved and carried out, refused, or put before people, at once."""
        wish = self.wish(AskWish)
        made = requests.ask(wish.pop("kind"), wish.pop("content"), by=request.user, **wish)  # type: ignore[arg-type]
        return self.whole(made, status=201)

    approve = verb("approve", ApproveWish, deciding.approve, "Say yes from one's seat")
    reject = verb("reject", ReasonWish, deciding.reject, "Say no, with a reason")
    send_back = verb("send_back", ReasonWish, deciding.send_back, "Ask for changes", "send-back")
    escalate = verb("escalate", ReasonWish, deciding.escalate, "Hand up to the next lead above")
    withdraw = verb("withdraw", WithdrawWish, requests.withdraw, "Take back what one asked for")
    edit = verb("edit", EditWish, requests.edit, "Change what is asked")
    submit = verb("submit", VersionedWish, requests.submit, "Hand in a draft")
    comment = verb("comment", WordsWish, requests.comment, "A word on a request")
    undo = verb("undo", WordsWish, applying.undo, "Take back what was carried out")
    retry = verb("retry", NoWish, applying.apply_again, "Try once more what could not be carried out")
    break_glass = verb(
        "break_glass", ReasonWish, deciding.break_glass, "Approve past all steps (operator)", "break-glass"
    )
    review_glass = verb("review_glass", WordsWish, deciding.review_glass, "Review a broken glass", "review-glass")

    @extend_schema(
        summary="Approve or reject up to 100", request=ManyWish,
        responses={200: ResultSerializer(many=True), 409: REFUSED},
    )  # fmt: skip
    @action(detail=False, methods=["post"], url_path="decide-many", pagination_class=None, filterset_class=None)
    def decide_many(self, request: Request) -> Response:
        """Each by itself and with all its checks; a result for each, in the order asked."""
        wish = self.wish(ManyWish)
        seen = {pk: wish["versions"][str(pk)] for pk in wish["ids"] if str(pk) in wish["versions"]}
        results = deciding.decide_many(
            wish["ids"], wish["verdict"], by=request.user, words=wish["words"], seen=seen  # type: ignore[arg-type]
        )  # fmt: skip
        return Response(ResultSerializer(results, many=True).data)

    def wish(self, serializer_class: type[serializers.Serializer]) -> dict[str, Any]:
        body = serializer_class(data=self.request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        return dict(body.validated_data)

    def whole(self, made: models.Model, status: int = 200) -> Response:
        """The request as the caller sees it now."""
        row = self.get_queryset().filter(pk=made.pk).first()
        if row is None:
            raise OutOfReach
        return Response(WholeRequestSerializer(row, context=self.get_serializer_context()).data, status=status)


# -- policies --------------------------------------------------------------------------------------------------------------


class PolicySerializer(serializers.ModelSerializer):
    team = TeamSerializer(read_only=True, allow_null=True)
    made_by = PersonSerializer(read_only=True, allow_null=True)
    definition = serializers.SerializerMethodField()

    class Meta:
        model = ApprovalPolicy
        fields = ("id", "kind", "team", "number", "is_current", "definition", "made_by", "made_at", "reason")
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.OBJECT)
    def get_definition(self, policy: ApprovalPolicy) -> dict[str, Any]:
        return policy.definition


class PolicyFilters(ScopedFilterSet):
    kind = django_filters.CharFilter()
    team = ScopedChoiceFilter(queryset=Team.objects.all())
    is_current = django_filters.BooleanFilter()


@extend_schema_view(
    list=extend_schema(summary="Rules in reach"), retrieve=extend_schema(summary="One version of rules")
)
class PolicyViewSet(TeamScopedViewSet):
    queryset = ApprovalPolicy.objects.select_related("made_by").order_by("kind", "team", "-number")
    serializer_class = PolicySerializer
    filterset_class = PolicyFilters
    related = ("team", "team__parent")
    http_method_names = ["get", "head", "options"]


# -- absences --------------------------------------------------------------------------------------------------------------


class AbsenceSerializer(serializers.ModelSerializer):
    owner = PersonSerializer(read_only=True)
    deputy = PersonSerializer(read_only=True)
    kinds = serializers.ListField(child=serializers.CharField(), read_only=True, help_text="Empty: all kinds.")
    since = serializers.DateTimeField(source="span.lower", read_only=True)
    until = serializers.DateTimeField(source="span.upper", read_only=True)

    class Meta:
        model = ApprovalAbsence
        fields = ("id", "owner", "deputy", "kinds", "since", "until", "reason")
        read_only_fields = fields


class AnnounceWish(serializers.Serializer):
    deputy = serializers.IntegerField(min_value=1, max_value=LONGEST_ID, help_text="Id of an account.")
    since = serializers.DateTimeField(default=None, allow_null=True, help_text="Empty: now.")
    until = serializers.DateTimeField()
    kinds = serializers.ListField(child=serializers.CharField(max_length=40), default=list, max_length=50)
    reason = serializers.CharField(max_length=300, default="", allow_blank=True)


class EndWish(serializers.Serializer):
    reason = serializers.CharField(max_length=100, default="", allow_blank=True)


@extend_schema_view(list=extend_schema(summary="One's own absences, and those one stands in for"))
class AbsenceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    queryset = ApprovalAbsence.objects.select_related("owner", "deputy").order_by("-span", "pk")
    serializer_class = AbsenceSerializer
    http_method_names = ["get", "post", "head", "options"]

    @extend_schema(
        summary="Let somebody decide in one's place", request=AnnounceWish,
        responses={201: AbsenceSerializer, 404: None, 409: REFUSED},
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        body = AnnounceWish(data=request.data)
        body.is_valid(raise_exception=True)
        row = absences.announce(by=request.user, **body.validated_data)  # type: ignore[arg-type]
        return Response(AbsenceSerializer(row).data, status=201)

    @extend_schema(summary="End an absence now", request=EndWish, responses={200: AbsenceSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """One that has not begun is taken back."""
        self.get_object()
        body = EndWish(data=request.data)
        body.is_valid(raise_exception=True)
        row = absences.end(int(pk), by=request.user, **body.validated_data)  # type: ignore[arg-type]
        return Response(AbsenceSerializer(row).data)


def register(router: BaseRouter) -> None:
    router.register("approval-requests", RequestViewSet, basename="approval-request")
    router.register("approval-policies", PolicyViewSet, basename="approval-policy")
    router.register("approval-absences", AbsenceViewSet, basename="approval-absence")
