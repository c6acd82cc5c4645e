"""Is it alive, does it serve, does a worker listen: three answers for whoever watches. No log-in, no names, no secrets."""

from typing import Any

from celery import Celery
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config.celery import app
from teams import jobs

BROKER_SECONDS = 2


@login_not_required
@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, migrations and broker are as they should be. A night that is behind is told, and is no 503."""
    database = _database()
    checks = {
        "database": database,
        "migrations": _migrations() if database == "ok" else "unknown",
        "broker": _broker(app),
    }
    is_ready = all(state == "ok" for state in checks.values())
    night = _night() if checks["migrations"] == "ok" else "unknown"
    body = {"status": "ok" if is_ready else "unavailable", "checks": checks, "night": night}
    return JsonResponse(body, status=200 if is_ready else 503)


@login_not_required
@never_cache
@require_safe
def worker(request: HttpRequest) -> JsonResponse:
    """503 when the bell was rung more than two minutes ago and nobody answered, or when nobody rings it."""
    try:
        state = jobs.ears(timezone.now())
    except Error:
        state = "unknown"
    return JsonResponse({"status": state}, status=200 if state == "ok" else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "unreachable"
    return "ok"


def _migrations() -> str:
    try:
        executor = MigrationExecutor(connection)
        return "pending" if executor.migration_plan(executor.loader.graph.leaf_nodes()) else "ok"
    except Error:
        return "unknown"


def _broker(celery: Celery) -> str:
    """Whether a connection can be had within two seconds; nothing of its address is told."""
    try:
        with celery.connection_for_write(connect_timeout=BROKER_SECONDS) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=BROKER_SECONDS)
    except Exception:
        return "unreachable"
    return "ok"


def _night() -> dict[str, Any]:
    behind = jobs.backlog(timezone.now())
    return {
        "status": "behind" if behind.is_behind else "ok",
        "overdue": behind.overdue,
        "parked": behind.parked,
        "oldest_due_at": behind.oldest_due_at.isoformat() if behind.oldest_due_at else None,
    }
