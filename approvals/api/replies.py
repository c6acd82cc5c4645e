"""REST door of canned replies: read, suggest, use, propose, and one's own."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter

from approvals.forms.replies import ReplyForm, TextsForm
from approvals.models import (
    CannedReply,
    CannedReplyVersion,
    Channel,
    Language,
    ReplyAttachment,
    ReplyCategory,
    ReplyRules,
)
from approvals.plain import heat
from approvals.plain.ranking import Match
from approvals.services import replies, reply_uses, requests, suggesting
from teams.api import REFUSED
from teams.edges.api import ScopedFilterSet, TeamScopedViewSet
from teams.models import Team


class NestedCategory(serializers.ModelSerializer):
    class Meta:
        model = ReplyCategory
        fields = read_only_fields = ("id", "name")


class NestedFile(serializers.ModelSerializer):
    class Meta:
        model = ReplyAttachment
        fields = read_only_fields = ("id", "name", "size")


class NestedTeamOfReply(serializers.ModelSerializer):
    class Meta:
        model = Team
        fields = read_only_fields = ("id", "code", "name")


class ReplySerializer(serializers.ModelSerializer):
    """A reply as it stands. `heat` is that of all uses now; `team` and `category` are null where they are out of reach."""

    team = NestedTeamOfReply(read_only=True, allow_null=True)
    category = NestedCategory(read_only=True, allow_null=True)
    attachments = NestedFile(many=True, read_only=True)
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)
    uses = serializers.IntegerField(source="search.uses", read_only=True)
    last_used_at = serializers.DateTimeField(source="search.last_used_at", read_only=True, allow_null=True)
    heat = serializers.SerializerMethodField()

    class Meta:
        model = CannedReply
        fields = read_only_fields = (
            "id", "title", "short_code", "body", "channel", "language", "category", "tags", "scope", "team", "status",
            "version", "valid_from", "valid_until", "review_on", "updated_at", "uses", "last_used_at", "heat", "attachments",
        )  # fmt: skip

    def get_heat(self, reply: CannedReply) -> float:
        return round(heat.heat(reply.search.level, self.context["now"], self.context["half_life"]), 2)


class VersionSerializer(serializers.ModelSerializer):
    request = serializers.IntegerField(source="request_id", read_only=True, allow_null=True)
    tags = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = CannedReplyVersion
        fields = read_only_fields = (
            "number", "title", "short_code", "body", "channel", "language", "tags", "valid_from", "valid_until", "review_on",
            "request", "made_at",
        )  # fmt: skip


class HeatField(serializers.FloatField):
    """To a hundredth: what fades by the second is not told by the second."""

    def to_representation(self, value: Any) -> Any:
        return round(float(value), 2)


class SuggestionSerializer(serializers.Serializer):
    """One suggestion, in the order of rank, and why it stands there."""

    id = serializers.IntegerField(source="reply.pk")
    short_code = serializers.CharField(source="reply.short_code")
    title = serializers.CharField(source="reply.title")
    body = serializers.CharField(source="reply.body")
    channel = serializers.ChoiceField(source="reply.channel", choices=Channel.choices)
    language = serializers.ChoiceField(source="reply.language", choices=Language.choices)
    match = serializers.ChoiceField(source="match_name", choices=[match.name.lower() for match in Match])
    by_sound = serializers.BooleanField()
    heat = HeatField(source="score")
    own_heat = HeatField(source="own")
    team_heat = HeatField(source="team")
    all_heat = HeatField(source="everybody")
    why = serializers.CharField()


class SuggestQuery(serializers.Serializer):
    q = serializers.CharField(required=False, allow_blank=True, default="", max_length=suggesting.LONGEST_TEXT)
    channel = serializers.ChoiceField(choices=Channel.choices, required=False, allow_blank=True, default="")
    language = serializers.ChoiceField(choices=Language.choices, required=False, allow_blank=True, default="")
    limit = serializers.IntegerField(
        min_value=1, max_value=suggesting.MOST_WISHED, required=False, default=suggesting.LIMIT
    )


class UseSerializer(serializers.Serializer):
    contact = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="The contact's number at its platform."
    )
    edited_share = serializers.DecimalField(
        max_digits=4, decimal_places=3, min_value=0, max_value=1, required=False, allow_null=True, default=None,
        help_text="How much of the text was changed before sending, 0 to 1.",
    )  # fmt: skip


class UsedSerializer(serializers.Serializer):
    counted = serializers.BooleanField(help_text="False: this contact had been counted for this reply before.")


class ProposalSerializer(ReplyForm):
    words = serializers.CharField(max_length=500, required=False, allow_blank=True, default="", label="Why")


class ProposedSerializer(serializers.Serializer):
    """The request that was made: it waits for approval, or has been settled by a rule at once."""

    request = serializers.IntegerField(source="pk")
    state = serializers.CharField()
    about = serializers.CharField(source="subject_label")


class OwnSerializer(TextsForm):
    reply = serializers.IntegerField(
        min_value=1, max_value=2**53, required=False, allow_null=True, default=None,
        help_text="The reply of one's own to change; none: a new one.",
    )  # fmt: skip
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False, allow_null=True, default=None)
    is_draft = serializers.BooleanField(required=False, default=False)


class ReplyFilters(ScopedFilterSet):
    class Meta:
        model = CannedReply
        fields = ("scope", "status", "channel", "language", "team", "category", "short_code")


def _parameters() -> list[OpenApiParameter]:
    words = {"q": "What was typed; empty: the hottest ones.", "language": "Comes first; others follow."}
    return [
        OpenApiParameter("q", {"type": "string", "maxLength": suggesting.LONGEST_TEXT}, description=words["q"]),
        OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": suggesting.MOST_WISHED}),
    ] + [
        OpenApiParameter(name, str, enum=["", *choices.values], description=words.get(name, ""), required=False)
        for name, choices in (("channel", Channel), ("language", Language))
    ]


@extend_schema_view(
    list=extend_schema(summary="Canned replies one may use"), retrieve=extend_schema(summary="One canned reply")
)
class ReplyViewSet(TeamScopedViewSet):
    queryset = CannedReply.objects.select_related("search").defer(*suggesting.NUMBERS).order_by("title", "pk")
    serializer_class, filterset_class = ReplySerializer, ReplyFilters
    related = ("team", "category")
    sorts = {"title": "title", "updated_at": "updated_at", "uses": "search__uses", "heat": "search__level"}

    def get_queryset(self) -> Any:
        return super().get_queryset().prefetch_related("attachments")

    def get_serializer_context(self) -> dict[str, Any]:
        return dict(super().get_serializer_context()) | {
            "now": timezone.now(), "half_life": ReplyRules.current().half_life_days
        }  # fmt: skip

    @extend_schema(
        summary="Suggest replies while somebody types", parameters=_parameters(), filters=False,
        responses=SuggestionSerializer(many=True),
    )  # fmt: skip
    @action(detail=False, pagination_class=None)
    def suggest(self, request: Request) -> Response:
        """Short code first, then title, tags and category, text, and words with one typing error; then what is used most."""
        if unknown := sorted(set(request.query_params) - set(SuggestQuery().fields)):
            raise ValidationError({unknown[0]: ["This parameter is not known here."]})
        wish = SuggestQuery(data=request.query_params.dict())
        wish.is_valid(raise_exception=True)
        asked = dict(wish.validated_data)
        found = suggesting.suggest(asked.pop("q"), by=request.user, **asked)  # type: ignore[arg-type]
        return Response(SuggestionSerializer(found, many=True).data)

    @extend_schema(
        summary="Note that a reply was sent", request=UseSerializer, responses={200: UsedSerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def use(self, request: Request, pk: str) -> Response:
        """Heat counts a contact once, however often it is told."""
        body = _read(UseSerializer, request)
        counted = reply_uses.use(pk, body["contact"], by=request.user, edited=body["edited_share"])  # type: ignore[arg-type]
        return Response(UsedSerializer({"counted": counted}).data)

    @extend_schema(
        summary="Versions of a reply, the newest first", filters=False, responses=VersionSerializer(many=True)
    )
    @action(detail=True)
    def versions(self, request: Request, pk: str) -> Response:
        rows = CannedReplyVersion.objects.visible_to(request.user).filter(reply=self.get_object()).order_by("-number")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(VersionSerializer(page, many=True).data)

    @extend_schema(
        summary="Propose a new shared reply, a change, a retirement or an earlier version", request=ProposalSerializer,
        responses={201: ProposedSerializer, 404: OpenApiResponse(description="Out of reach."), 409: REFUSED},
    )  # fmt: skip
    @action(detail=False, methods=["post"])
    def propose(self, request: Request) -> Response:
        """What stands stays live until somebody else has approved."""
        body = ProposalSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        content = dict(body.to_representation(body.validated_data))
        words = content.pop("words", "")
        made = requests.ask("canned_reply", content, by=request.user, words=words)  # type: ignore[arg-type]
        return Response(ProposedSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Write a reply of one's own",
        request=OwnSerializer,
        responses={200: ReplySerializer, 404: OpenApiResponse(description="Out of reach."), 409: REFUSED},
    )
    @action(detail=False, methods=["post"])
    def own(self, request: Request) -> Response:
        """Live at once, for oneself alone."""
        body = _read(OwnSerializer, request)
        saved = replies.save_personal(
            body, by=request.user, pk=body["reply"], version=body["version"], is_draft=body["is_draft"]  # type: ignore[arg-type]
        )  # fmt: skip
        return self._told(saved)

    @extend_schema(
        summary="Take a reply of one's own out of use", request=None, responses={200: ReplySerializer, 409: REFUSED}
    )
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        return self._told(replies.retire_personal(pk, by=request.user))  # type: ignore[arg-type]

    def _told(self, reply: CannedReply) -> Response:
        return Response(self.get_serializer(self.get_queryset().get(pk=reply.pk)).data)


def _read(form: type[serializers.Serializer], request: Request) -> dict[str, Any]:
    body = form(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


class CategoryFilters(ScopedFilterSet):
    class Meta:
        model = ReplyCategory
        fields = ("team", "parent")


class CategorySerializer(serializers.ModelSerializer):
    parent = NestedCategory(read_only=True, allow_null=True)
    team = NestedTeamOfReply(read_only=True, allow_null=True)

    class Meta:
        model = ReplyCategory
        fields = read_only_fields = ("id", "name", "parent", "team")


@extend_schema_view(
    list=extend_schema(summary="Categories of canned replies"), retrieve=extend_schema(summary="One category")
)
class CategoryViewSet(TeamScopedViewSet):
    queryset = ReplyCategory.objects.order_by("name", "pk")
    serializer_class, filterset_class = CategorySerializer, CategoryFilters
    related = ("team", "parent")
    sorts = {"name": "name"}


def register(router: BaseRouter) -> None:
    router.register("canned-replies", ReplyViewSet)
    router.register("reply-categories", CategoryViewSet)
