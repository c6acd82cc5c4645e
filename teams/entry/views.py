"""Pages of coming in: the code of the second factor, setting it up and taking it away, one's own sessions and tokens."""

import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from knox.models import AuthToken

from teams.entry import devices, factor, services, sessions, tries
from teams.entry.models import Session
from teams.errors import Refused
from teams.models import User

PENDING = "_entry_pending"
PENDING_SECONDS = 600
SECRET = "_entry_secret"  # noqa: S105 - where it lies, not what it is


@dataclass(frozen=True)
class Refusal:
    """Why what was typed is not taken, and how long the next try must wait; nothing said: it is taken."""

    sentence: str = ""
    wait_seconds: int = 0


TAKEN = Refusal()


def _page(request: HttpRequest, template: str, page: dict[str, Any], refusal: Refusal = TAKEN) -> HttpResponse:
    response = render(
        request, template, {**page, "error": refusal.sentence}, status=429 if refusal.wait_seconds else 200
    )
    if refusal.wait_seconds:
        response.headers["Retry-After"] = str(refusal.wait_seconds)
    return response


def keep_language(response: HttpResponse, language: str) -> None:
    """Remember the language on this machine, with the same cookie that Django's own switch writes."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite=settings.LANGUAGE_COOKIE_SAMESITE,
    )


def let_in(request: HttpRequest, user: User, where: str, *, with_factor: bool = False) -> HttpResponse:
    """Begin the session. Afterwards the pages speak the language of the account, and this device is known."""
    login(request, user)
    sessions.begin(request, with_factor=with_factor)
    response = redirect(where)
    if user.language:
        keep_language(response, user.language)
    devices.remember(request, response, user.pk)
    return response


def ask_for_code(request: HttpRequest, user: User, where: str) -> HttpResponse:
    """The password was right; who it is waits in the session, for minutes, until the code is."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "user": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": int(time.time()),
        "next": where,
    }
    return redirect("login_code")


@never_cache
@login_not_required
@require_http_methods(["GET", "POST"])
def login_code(request: HttpRequest) -> HttpResponse:
    """The second page of the log-in: the code of the app, or a recovery code."""
    if request.user.is_authenticated:
        return redirect("home")
    pending: Any = request.session.get(PENDING)
    user = _pending_user(pending)
    if user is None:
        request.session.pop(PENDING, None)
        return redirect("login")
    refusal = _check_code(request, user) if request.method == "POST" else TAKEN
    if request.method == "POST" and refusal is TAKEN:
        request.session.pop(PENDING, None)
        return let_in(request, user, pending["next"], with_factor=True)
    return _page(request, "registration/code.html", {}, refusal)


def _pending_user(pending: Any) -> User | None:
    if not pending or time.time() - pending["at"] > PENDING_SECONDS:
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True, is_suspended=False).first()
    return user if user is not None and user.get_session_auth_hash() == pending["hash"] else None


def _check_code(request: HttpRequest, user: User) -> Refusal:
    """Whether the posted code is right; tries are counted."""
    made = tries.knock_with_code(request, user)
    if made.locked_until is not None:
        return Refusal(made.sentence, made.wait_seconds)
    if not factor.accepts(user, request.POST.get("code", "")[:40]):
        return Refusal(_("This code does not fit, or it has been used already. Wait for the next one."))
    tries.succeeded(made)
    return TAKEN


def _check_password(request: HttpRequest) -> Refusal:
    """The same for the posted password of whoever is in already."""
    user: Any = request.user
    made = tries.knock_with_code(request, user)
    if made.locked_until is not None:
        return Refusal(made.sentence, made.wait_seconds)
    if not user.check_password(request.POST.get("password", "")[:256]):
        return Refusal(_("This is not your password."))
    tries.succeeded(made)
    return TAKEN


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor(request: HttpRequest) -> HttpResponse:
    """Whether one has a second factor; if not, the picture for the app and the first code."""
    user: Any = request.user
    if factor.has(user):
        return render(request, "registration/factor.html", {"has": True, "left": factor.codes_left(user)})
    sealed = request.session.get(SECRET) if request.method == "POST" else None
    asks_password = not sessions.is_fresh(request)
    refusal = _check_password(request) if request.method == "POST" and asks_password else TAKEN
    if request.method == "POST" and refusal is TAKEN:
        refusal = _set_up(request, sealed or "")
        if refusal is TAKEN:
            return redirect("second_factor_codes")
    if not sealed:
        sealed = request.session[SECRET] = factor.new_secret()
    page = {
        "has": False,
        "is_required": factor.is_required(user),
        "asks_password": asks_password,
        "picture": factor.picture(user, sealed),
        "secret": factor.secret_words(sealed),
    }
    return _page(request, "registration/factor.html", page, refusal)


def _set_up(request: HttpRequest, sealed: str) -> Refusal:
    user: Any = request.user
    if not sealed:
        return Refusal(_("This picture is too old. Load the page again and scan the new one."))
    try:
        factor.set_up(sealed, request.POST.get("code", "")[:40], by=user, session=sessions.number_of(request))
    except Refused as refusal:
        return Refusal(str(refusal.message))
    request.session.pop(SECRET, None)
    sessions.note_factor(request, shown=True)
    return TAKEN


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor_codes(request: HttpRequest) -> HttpResponse:
    """Recovery codes: seen in the minutes after they were made, taken along as a file, put away, made anew."""
    user: Any = request.user
    if not factor.has(user):
        return redirect("second_factor")
    if request.method == "POST" and "kept" in request.POST:
        factor.put_codes_away(by=user)
        return redirect("home")
    refusal = _check_code(request, user) if request.method == "POST" else TAKEN
    if request.method == "POST" and refusal is TAKEN:
        factor.renew_codes(by=user)
        return redirect("second_factor_codes")
    codes = factor.codes_to_keep(user)
    if "file" in request.GET and codes:
        text = "\n".join(["Outpost", user.get_username(), "", *codes, ""])
        disposition = {"Content-Disposition": 'attachment; filename="outpost-recovery-codes.txt"'}
        return HttpResponse(text, content_type="text/plain; charset=utf-8", headers=disposition)
    return _page(request, "registration/codes.html", {"codes": codes, "left": factor.codes_left(user)}, refusal)


@never_cache
@require_http_methods(["GET", "POST"])
def second_factor_remove(request: HttpRequest) -> HttpResponse:
    """Take the second factor away, with password and code."""
    user: Any = request.user
    if not factor.has(user):
        return redirect("second_factor")
    refusal = TAKEN
    if request.method == "POST":
        refusal = _check_password(request)
        refusal = _check_code(request, user) if refusal is TAKEN else refusal
    if request.method == "POST" and refusal is TAKEN:
        factor.remove(by=user, session=sessions.number_of(request))
        sessions.note_factor(request, shown=False)
        messages.success(request, _("The second factor has been removed."))
        return redirect("second_factor")
    return _page(request, "registration/factor_remove.html", {"is_required": factor.is_required(user)}, refusal)


@never_cache
@require_safe
def my_entries(request: HttpRequest) -> HttpResponse:
    """One's own sessions and tokens."""
    now = timezone.now()
    tokens = AuthToken.objects.filter(user=request.user, expiry__gt=now).select_related("use").order_by("-created")
    rows = Session.entries.about(request.user).filter(expire_date__gt=now, began_at__isnull=False).order_by("-seen_at")
    page = {"sessions": rows[:100], "tokens": tokens[:100], "this": sessions.number_of(request)}
    return render(request, "registration/entries.html", page)


@require_POST
def end_entry(request: HttpRequest) -> HttpResponse:
    """End one session or token, or all others."""
    user: Any = request.user
    this, number = sessions.number_of(request), request.POST.get("number", "")
    if "others" in request.POST:
        services.end_others(by=user, session=this)
        messages.success(request, _("All other sessions and all tokens have ended."))
        return redirect("my_entries")
    services.end_entry(number, by=user)
    if number == this:
        logout(request)
        return redirect("login")
    messages.success(request, _("It has ended."))
    return redirect("my_entries")
