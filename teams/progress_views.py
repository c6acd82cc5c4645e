"""How far a long job is, as a fragment that pages ask for again and again, and the door to stop it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from teams import jobs
from teams.edges import progress as jobs_shown
from teams.edges.scope import person
from teams.errors import OutOfReach, Refused
from teams.models import JobProgress, JobRun


@never_cache
@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The moving part of the fragment. Foreign and missing are one 404."""
    shown = jobs_shown.of_run(_run(request, pk), person(request))
    return render(request, "partials/progress_now.html", {"progress": shown})


@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the job to stop, and go back to where that was asked."""
    _run(request, pk)
    try:
        run = jobs.cancel(pk, request.POST.get("reason", ""), by=person(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        if run.state == JobRun.State.CANCELLED:
            messages.success(request, _("Cancelled. Nothing of it has been kept."))
        else:
            messages.success(request, _("The work stops at its next safe point. Nothing of it stays."))
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    return redirect(back if is_ours else "home")


def _run(request: HttpRequest, pk: int) -> JobRun:
    if not JobProgress.objects.visible_to(request.user).filter(pk=pk).exists():
        raise OutOfReach
    return JobRun.objects.get(pk=pk)
