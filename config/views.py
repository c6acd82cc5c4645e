"""The front door, and the switch of language."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST
from django.views.i18n import LANGUAGE_QUERY_PARAMETER
from django.views.i18n import set_language as switch_language

from teams import accounts


def home(request: HttpRequest) -> HttpResponse:
    """Staff go to the admin, agents to their own day."""
    return redirect("admin:index" if request.user.is_staff else "my_day")


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Speak another language from here on: by cookie on this machine, and on the account for any other."""
    response = switch_language(request)
    language = request.POST.get(LANGUAGE_QUERY_PARAMETER, "")
    if request.user.is_authenticated and language in accounts.LANGUAGE_CODES:
        accounts.remember_language(language, by=request.user)
    return response
