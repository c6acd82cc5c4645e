"""`/metrics` for Prometheus: requests as this machine's web processes served them, and the gauges that the apps name.

For the operator's network only: with the token of `OUTPOST_METRICS_TOKEN`, or, while no token is set and no proxy stands
before us, from this machine itself. Everybody else is told what they are told of any address that does not exist.
"""

import hmac
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from config.tracing import route_of
from teams import gauges
from teams.edges.addresses import came_through_a_proxy

BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SHARED_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"  # set by config/gunicorn.py; only then several processes are added up

own = CollectorRegistry()
requests = Counter(
    "outpost_requests", "Requests by route, method and status.", ["route", "method", "status"], registry=own
)
seconds = Histogram(
    "outpost_request_seconds", "Time to answer by route and method.", ["route", "method"], registry=own, buckets=BUCKETS
)


class Timing:
    """Counts each request and how long it took, by the name of its route."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        route, method = route_of(request), request.method if request.method in METHODS else "OTHER"
        seconds.labels(route, method).observe(time.perf_counter() - began)
        requests.labels(route, method, str(response.status_code)).inc()
        return response


class Gauges(Collector):
    """The gauges of all apps, read now. One that fails is left out and counted; the others are told all the same."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now, failed = timezone.now(), 0
        for gauge in gauges.registered():
            try:
                value = gauge.read(now)
            except DatabaseError:
                failed += 1
                continue
            family = GaugeMetricFamily(gauge.name, gauge.help, labels=[gauge.label] if gauge.label else [])
            if isinstance(value, int | float):
                family.add_metric([], float(value))
            elif value is not None:
                for word, amount in value.items():
                    family.add_metric([word], amount)
            yield family
        yield GaugeMetricFamily("outpost_gauges_failed", "Gauges that could not be read this time.", value=failed)


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The text that Prometheus reads. 404 for whoever has neither the token nor, without one, this machine."""
    if not _may_read(request):
        raise Http404
    registry: Any = CollectorRegistry()
    if os.environ.get(SHARED_DIRECTORY):
        multiprocess.MultiProcessCollector(registry)
        registry.register(Gauges())
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    registry.register(Gauges())
    return HttpResponse(generate_latest(own) + generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_read(request: HttpRequest) -> bool:
    """A token, where there is one, is the only way: behind a proxy everybody seems to come from this machine."""
    if settings.METRICS_TOKEN:
        brought = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(brought.encode(), settings.METRICS_TOKEN.encode())
    if settings.TRUST_PROXY or came_through_a_proxy(request):
        return False
    return request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}
