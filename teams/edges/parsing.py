"""Bodies of REST calls. In a file of its own because the framework's settings name it."""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import JSONParser

MOST_BYTES = 1 << 20


class TooLarge(APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = _("The body is larger than 1 MB.")
    default_code = "too_large"


class BoundedJSON(JSONParser):
    """JSON of up to 1 MB: more is not even read. What is nested too deep to be read is a bad request, not an error."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise TooLarge
        try:
            return json.loads(body.decode(), parse_constant=_no_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise ParseError(_("The body is not JSON that can be read.")) from error


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(text)
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(name)
