"""REST doors of teams and people."""

from typing import Any

from django.contrib.auth import authenticate
from django.db import transaction
from django.db.models import Prefetch
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from knox.models import AuthToken
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import BaseRouter
from rest_framework.views import APIView

from teams import grants, services
from teams.edges import networks
from teams.edges.api import NoData, Recognised, ScopedFilterSet, ScopedRelatedField, TeamScopedViewSet
from teams.edges.filters import only_visible_relations
from teams.edges.scope import holds
from teams.entry import factor, tokens, tries
from teams.errors import Refused
from teams.models import Agent, Compensation, Loan, Membership, Skill, Team, User
from teams.scoping import Grant

LONGEST_TOKEN_DAYS = 90


class RefusalSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


REFUSED = OpenApiResponse(RefusalSerializer, description="A rule forbids it.")


class TeamSerializer(serializers.ModelSerializer):
    parent = ScopedRelatedField(read_only=True, allow_null=True)  # type: ignore[assignment]

    class Meta:
        model = Team
        fields = ("id", "code", "name", "parent", "zone", "is_closed")
        read_only_fields = fields


class SkillSerializer(serializers.ModelSerializer):
    class Meta:
        model = Skill
        fields = ("code", "name")
        read_only_fields = fields


class AgentSerializer(serializers.ModelSerializer):
    team = TeamSerializer(read_only=True, allow_null=True)
    skills = SkillSerializer(many=True, read_only=True)

    class Meta:
        model = Agent
        fields = ("id", "number", "name", "team", "zone", "locale", "role", "skills", "status", "started_on", "left_on")
        read_only_fields = fields


class CompensationSerializer(serializers.ModelSerializer):
    agent = serializers.CharField(source="agent.number", read_only=True)
    since = serializers.DateField(source="span.lower", read_only=True, allow_null=True)
    until = serializers.DateField(source="span.upper", read_only=True, allow_null=True)

    class Meta:
        model = Compensation
        fields = ("id", "agent", "basis", "amount", "currency", "since", "until")
        read_only_fields = fields


class MoveSerializer(serializers.Serializer):
    team = ScopedRelatedField(queryset=Team.objects.all())
    on = serializers.DateField()
    reason = serializers.CharField(max_length=100)


class LendSerializer(serializers.Serializer):
    team = ScopedRelatedField(queryset=Team.objects.all())
    start = serializers.DateField()
    last_day = serializers.DateField()
    reason = serializers.CharField(max_length=100)


class MembershipSerializer(serializers.ModelSerializer):
    team = ScopedRelatedField(read_only=True)
    since = serializers.DateField(source="span.lower", read_only=True, allow_null=True)
    until = serializers.DateField(source="span.upper", read_only=True, allow_null=True)

    class Meta:
        model: type[Membership | Loan] = Membership
        fields = ("id", "team", "since", "until", "reason")
        read_only_fields = fields


class LoanSerializer(MembershipSerializer):
    class Meta(MembershipSerializer.Meta):
        model = Loan


class MeSerializer(serializers.ModelSerializer):
    grants = serializers.SerializerMethodField()
    agent = AgentSerializer(read_only=True, allow_null=True)
    language = serializers.CharField(read_only=True, help_text="Empty: that of the browser.")

    class Meta:
        model = User
        fields = ("username", "full_name", "language", "zone", "is_staff", "grants", "agent")
        read_only_fields = fields

    def get_grants(self, user: User) -> list[str]:
        return sorted(grant.label for grant in grants.held(user))


class TeamFilters(ScopedFilterSet):
    class Meta:
        model = Team
        fields = ("parent", "code", "is_closed")


class AgentFilters(ScopedFilterSet):
    class Meta:
        model = Agent
        fields = ("team", "number", "status", "role")


@extend_schema_view(list=extend_schema(summary="Teams in reach"), retrieve=extend_schema(summary="One team"))
class TeamViewSet(TeamScopedViewSet):
    queryset = Team.objects.order_by("name", "pk")
    serializer_class = TeamSerializer
    filterset_class = TeamFilters
    sorts = {"name": "name", "code": "code"}
    related = ("parent",)

    @extend_schema(summary="The tree below a team", responses=TeamSerializer(many=True))
    @action(detail=True, pagination_class=None, filterset_class=None)
    def below(self, request: Request, pk: str) -> Response:
        """The team and every team under it that the caller may see."""
        top = self.get_object()
        rows = self.get_queryset().below(top).order_by("name", "pk")
        return Response(self.get_serializer(rows, many=True).data)


@extend_schema_view(list=extend_schema(summary="Agents in reach"), retrieve=extend_schema(summary="One agent"))
class AgentViewSet(TeamScopedViewSet):
    queryset = Agent.objects.prefetch_related("skills").order_by("number")
    serializer_class = AgentSerializer
    filterset_class = AgentFilters
    sorts = {"number": "number", "name": "name"}
    related = ("team", "team__parent")

    @extend_schema(request=MoveSerializer, responses={201: MembershipSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def move(self, request: Request, pk: str) -> Response:
        """Another home team from a day on. For who leads or onboards both teams."""
        wish = _wish(self, MoveSerializer)
        row = services.move_agent(int(pk), by=request.user, **wish)  # type: ignore[arg-type]
        return Response(MembershipSerializer(row, context=self.get_serializer_context()).data, status=201)

    @extend_schema(request=LendSerializer, responses={201: LoanSerializer, 409: REFUSED})
    @action(detail=True, methods=["post"])
    def lend(self, request: Request, pk: str) -> Response:
        """Lend an agent to another team for some days, the last included."""
        wish = _wish(self, LendSerializer)
        row = services.lend_agent(int(pk), by=request.user, **wish)  # type: ignore[arg-type]
        return Response(LoanSerializer(row, context=self.get_serializer_context()).data, status=201)


def _wish(view: Any, serializer_class: type[serializers.Serializer]) -> dict[str, Any]:
    """The checked body of a verb's call. The row is looked up first, so that a foreign one is 404 whatever the body."""
    view.get_object()
    body = serializer_class(data=view.request.data, context=view.get_serializer_context())
    body.is_valid(raise_exception=True)
    return {key: getattr(value, "pk", value) for key, value in body.validated_data.items()}


@extend_schema_view(list=extend_schema(summary="Pay under SETTLE, and one's own"))
class CompensationViewSet(TeamScopedViewSet):
    queryset = Compensation.objects.select_related("agent").order_by("agent__number", "span")
    serializer_class = CompensationSerializer
    http_method_names = ["get", "head", "options"]

    def scope(self, rows: Any) -> Any:
        """Off the allowed networks: one's own wage only, and whoever settles others is told so."""
        if networks.is_allowed(self.request):
            return super().scope(rows)
        if holds(self.request, (Grant.SETTLE,)):
            networks.require(self.request)
        return rows.about(self.request.user)


class MeView(Recognised, APIView):
    metadata_class = NoData

    @extend_schema(summary="The caller", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        own = Agent.objects.prefetch_related("skills")  # of which the caller below has one at most
        agent = Prefetch("agent", only_visible_relations(own, request.user, ["team", "team__parent"]))
        user = User.objects.prefetch_related(agent).get(pk=request.user.pk)
        return Response(MeSerializer(user, context={"request": request}).data)


class TokenRequestSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=256, trim_whitespace=False)
    days = serializers.IntegerField(min_value=1, max_value=LONGEST_TOKEN_DAYS, default=30)
    code = serializers.CharField(max_length=40, default="", allow_blank=True)
    name = serializers.CharField(max_length=80, default="", allow_blank=True)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class OwnTokens(KnoxTokenScheme):
    """In the description of the API our tokens are called as those of their package, which ours only ask more of."""

    target_class = "teams.entry.tokens.TokenAuthentication"


@method_decorator(transaction.non_atomic_requests, name="dispatch")  # a counted try stays counted
class TokenView(Recognised, APIView):
    """A token for a program that acts as its owner: sent as `Authorization: Token …`."""

    metadata_class = NoData

    def get_authenticators(self) -> list[Any]:
        return [] if self.request is not None and self.request.method == "POST" else super().get_authenticators()

    def get_permissions(self) -> list[Any]:
        return [AllowAny()] if self.request is not None and self.request.method == "POST" else [IsAuthenticated()]

    @extend_schema(
        summary="Make a token",
        request=TokenRequestSerializer,
        responses={201: TokenSerializer, 401: REFUSED, 409: REFUSED, 429: REFUSED},
        auth=[],
    )
    def post(self, request: Request) -> Response:
        """Name and password, and the code of the second factor of whoever has one. Guessing is slow, as on the page."""
        body = TokenRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wish = body.validated_data
        made = tries.knock(request._request, wish["username"])
        if made.locked_until is not None:
            return _too_many(made)
        user: Any = authenticate(request._request, username=wish["username"], password=wish["password"])
        if user is None:
            return _not_in("wrong_name_or_password", _("Name and password do not fit."))
        tries.succeeded(made)
        if factor.has(user):
            made = tries.knock_with_code(request._request, user)
            if made.locked_until is not None:
                return _too_many(made)
            if not factor.accepts(user, wish["code"]):
                return _not_in("second_factor_needed", _("Send the code that your second factor shows now as “code”."))
            tries.succeeded(made)
        elif factor.is_required(user):
            raise Refused(
                "second_factor_needed", _("Your rights need a second factor. Log in on the pages and set it up.")
            )
        token, text = tokens.issue(user, wish["days"], request=request._request, label=wish["name"])
        answer = TokenSerializer({"token": text, "expires_at": token.expiry})
        return Response(answer.data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="End the token of this call", responses={204: None, 400: OpenApiResponse()})
    def delete(self, request: Request) -> Response:
        if not isinstance(request.auth, AuthToken):
            return Response({"detail": "Call this with the token that shall end."}, status=400)
        request.auth.delete()  # and with it the note of its use
        return Response(status=status.HTTP_204_NO_CONTENT)


def _not_in(code: str, sentence: str) -> Response:
    return Response({"code": code, "detail": sentence}, status=status.HTTP_401_UNAUTHORIZED)


def _too_many(made: tries.Try) -> Response:
    return Response(
        {"code": "too_many_attempts", "detail": made.sentence},
        status=status.HTTP_429_TOO_MANY_REQUESTS,
        headers={"Retry-After": str(made.wait_seconds)},
    )


def register(router: BaseRouter) -> None:
    router.register("teams", TeamViewSet)
    router.register("agents", AgentViewSet)
    router.register("compensations", CompensationViewSet)
