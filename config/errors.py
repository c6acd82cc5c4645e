"""What is said when no view answers: a page to people, JSON to programs of the API."""

from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponseServerError, JsonResponse
from django.http.response import HttpResponseBase
from django.template import loader
from django.utils.translation import gettext as _
from django.views import defaults

API = "/api/"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if request.path.startswith(API):
        if isinstance(exception, RequestDataTooBig):
            return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The body is too large."))
        return _problem(HTTPStatus.BAD_REQUEST, _("The request cannot be read."))
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    if request.path.startswith(API):
        return _problem(HTTPStatus.NOT_FOUND, _("Not found."))
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """The answer of last resort. It names the number of the request, by which the operator finds the lines in the log."""
    number = getattr(request, "request_id", "")
    if request.path.startswith(API):
        words = _("Something went wrong here. It has been written down.")
        return JsonResponse({"detail": words, "request": number}, status=HTTPStatus.INTERNAL_SERVER_ERROR)
    return HttpResponseServerError(loader.get_template("500.html").render({"number": number}))


def _problem(status: HTTPStatus, words: str) -> JsonResponse:
    return JsonResponse({"detail": words}, status=status)
