"""What every page keeps: times in the viewer's zone, nothing private in shared caches, refusals as words."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from teams import acting
from teams.clock import zone_names
from teams.errors import OutOfReach, Refused

Answer = Callable[[HttpRequest], HttpResponse]


class OwnReach:
    """One transaction per request, in which PostgreSQL itself shows no more than the reach of whoever asks.

    Whoever comes with a token is recognised later, inside (`teams.edges.api`); until then there is nothing to see. An answer of
    class 5xx takes back what the request has written. A body that is streamed is made after the view has returned, and gets a
    transaction of its own. Without anybody and without a token no transaction is opened: the health pages must answer, and
    the log-in must write down a wrong password, while the database does not.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_known = request.user.is_authenticated
        if not is_known and "Authorization" not in request.headers and acting.current() == (acting.NOBODY, None):
            return self.get_response(request)
        with acting.acting_for(request.user):
            response = self.get_response(request)
            if response.status_code >= 500:
                transaction.set_rollback(True)
        if response.streaming:
            response.streaming_content = _in_reach_of(request.user, response.streaming_content)  # type: ignore[attr-defined]
        return response


def _in_reach_of(user: Any, parts: Iterable[bytes]) -> Iterator[bytes]:
    with acting.acting_for(user):
        yield from parts


class LocalClock:
    """Shows times in the zone of the account, for the length of one request."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        zone = getattr(request.user, "zone", "UTC")
        with timezone.override(zone if zone in zone_names() else "UTC"):
            return self.get_response(request)


class PrivatePages:
    """Whatever is shown to somebody we know is theirs alone: no shared cache, no copy in the browser's history."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated:
            response.headers["Cache-Control"] = "no-store, private"
        return response


class RefusalPages:
    """A refusal that reaches a page becomes words: 404 when out of reach, 409 with the sentence otherwise."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, Refused):
            return render(request, "refused.html", {"refusal": error}, status=409)
        if isinstance(error, OutOfReach):
            raise Http404 from error
        return None
