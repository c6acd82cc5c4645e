"""The REST door of sources: up to 5,000 rows in our normal form a call, under the source's own token.

Idempotent by source and id: sending rows again changes nothing, newer ones win. Rows are refused one by one with a reason;
the call itself is refused only if it cannot be read.
"""

import hmac
import json
import re
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from performance.intake.layouts import LAYOUTS
from performance.intake.reasons import sentence
from performance.intake.spoilt import Spoilt
from performance.models import Source
from performance.services import intake
from teams.acting import system_scope
from teams.errors import Refused

MOST_ROWS = 5000
MOST_BYTES = 10 * 1024 * 1024
NUL, HALF_LETTER = re.compile("\0"), re.compile("[\ud800-\udfff]")
OPEN_LAYOUTS = ("contacts", "legs", "states", "intervals")


class SourceToken(BaseAuthentication):
    """`Authorization: Token <token>` of a source that is switched on. The caller is the source, never a person."""

    @system_scope("a source's token stands for no person, and is looked for among all sources")
    def authenticate(self, request: Request) -> tuple[AnonymousUser, Source]:
        parts = get_authorization_header(request).split()
        if len(parts) != 2 or parts[0].lower() != b"token":
            raise AuthenticationFailed(_("Send the source's token as in “Authorization: Token …”."))
        digest = intake.token_digest(parts[1].decode("latin-1"))
        source = Source.objects.filter(token_digest=digest, is_active=True).first()
        if source is None or not hmac.compare_digest(source.token_digest, digest):
            raise AuthenticationFailed(_("This token is not valid, or no longer."))
        return AnonymousUser(), source

    def authenticate_header(self, request: Request) -> str:
        return "Token"


class SourceTokenScheme(OpenApiAuthenticationExtension):
    """How the schema tells of it."""

    target_class = SourceToken
    name = "sourceToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return build_bearer_security_scheme_object("Authorization", "Token")


class HasSource(BasePermission):
    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Source)


class Unreadable(Exception):
    """The body cannot be read; says why."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class RowsSerializer(serializers.Serializer):
    """The body, for the schema; `read_body` checks it."""

    rows = serializers.ListField(child=serializers.DictField(), max_length=MOST_ROWS)
    scale = serializers.IntegerField(required=False, help_text="The best rating, 5 if it is not told.")
    lowest = serializers.IntegerField(required=False, help_text="The worst rating, 1 if it is not told.")


class RefusedRowSerializer(serializers.Serializer):
    row = serializers.IntegerField(help_text="Counted from 1.")
    field = serializers.CharField(allow_blank=True, help_text="Empty where the row as a whole is refused.")
    code = serializers.CharField()
    detail = serializers.CharField()


class TakenSerializer(serializers.Serializer):
    delivery = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    refused = RefusedRowSerializer(many=True)


class Deliver(APIView):
    authentication_classes = [SourceToken]
    permission_classes = [HasSource]

    @extend_schema(
        request=RowsSerializer,
        responses={
            200: TakenSerializer,
            422: OpenApiResponse(OpenApiTypes.OBJECT, "No row, or not the call, can be taken."),
        },
        parameters=[OpenApiParameter("layout", str, OpenApiParameter.PATH, enum=OPEN_LAYOUTS)],
    )
    def post(self, request: Request, code: str, layout: str) -> Response:
        """Take rows in: {"rows": [{"external_id": "1", "opened_at": "2026-01-02T03:04:05Z", ...}]}."""
        source: Source = request.auth  # type: ignore[assignment]
        if source.code != code or layout not in OPEN_LAYOUTS:
            raise Http404
        try:
            header, rows, rating = read_body(request, layout)
        except Unreadable as error:
            return Response({"code": "unreadable", "detail": str(error)}, status=error.status)
        try:
            run, refused = intake.take_in_rows(source, layout, header, rows, rating=rating)
        except Refused as refusal:
            return Response({"code": refusal.code, "detail": str(refusal)}, status=422)
        today = timezone.now().date()
        answer = {
            "delivery": run.pk,
            "counts": run.counts,
            "refused": [
                {"row": r.row, "field": r.field, "code": r.code, "detail": sentence(r.field, r.code, r.value, today)}
                for r in refused
            ],
        }
        all_refused = rows and run.counts["refused"] == run.counts["rows"]
        return Response(answer, status=422 if all_refused else 200)


def read_body(request: Request, layout: str) -> tuple[list[str], list[list[str]], dict[str, int]]:
    """Header, rows of text and the scale of ratings. Raises Unreadable."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BYTES:
        raise Unreadable(_("The body is larger than 10 MB. Send fewer rows a call."), 413)
    try:
        data = json.loads(request.body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_("The body is not JSON that can be read.")) from error
    given = data.get("rows") if isinstance(data, dict) else data
    if not isinstance(given, list) or (isinstance(data, dict) and set(data) - {"rows", "scale", "lowest"}):
        raise Unreadable(_("Send {“rows”: [ … ]} and, for ratings, “scale” and “lowest”."))
    if len(given) > MOST_ROWS:
        raise Unreadable(_("More than %(most)d rows in one call. Send them in parts.") % {"most": MOST_ROWS}, 413)
    known = LAYOUTS[layout].names()
    keys = {key for row in given if isinstance(row, dict) for key in row}
    if keys - set(known):
        strange = ascii(min(keys - set(known)))[:60]
        raise Unreadable(
            _("The field %(name)s is not known. Known are: %(names)s.") % {"name": strange, "names": ", ".join(known)}
        )
    header = [field.name for field in LAYOUTS[layout].fields if field.is_required or field.name in keys]
    rating = {key: data[key] for key in ("scale", "lowest") if isinstance(data, dict) and key in data}
    return header, [_cells(row, header) for row in given], rating


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _cells(row: Any, header: list[str]) -> list[str]:
    """One row as text; one that is no flat object of proper text is marked, and refused by itself."""
    if not isinstance(row, dict):
        return Spoilt("not_flat", [""] * len(header))
    nested = next((place for place, name in enumerate(header) if isinstance(row.get(name), dict | list)), None)
    if nested is not None:
        return Spoilt("not_plain", [""] * len(header), nested)
    cells = [_cell(row.get(name)) for name in header]
    for code, is_bad in (("nul", NUL), ("letters", HALF_LETTER)):
        place = next((place for place, cell in enumerate(cells) if is_bad.search(cell)), None)
        if place is not None:
            return Spoilt(code, [NUL.sub("\u2400", cell).encode(errors="replace").decode() for cell in cells], place)
    return cells if any(cells) else Spoilt("empty", cells)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)[:100_000]


urlpatterns = [path("sources/<str:code>/<str:layout>/", Deliver.as_view(), name="intake_deliver")]
