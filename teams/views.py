"""Coming in and going out, and what people settle about their own account. The admin uses the same doors."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from teams import accounts, inviting
from teams.clock import zone_names
from teams.entry import factor, services, sessions, tries
from teams.entry import views as entry
from teams.errors import Refused
from teams.models import Agent


class LogIn(auth_views.LoginView):
    """The one log-in page. Whoever has a second factor is asked for its code before anything opens."""

    template_name = "registration/login.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A try is counted before the password is looked at; one too many is not looked at, known name or not."""
        self.made = tries.knock(request, request.POST.get("username", "")[:150])
        if self.made.locked_until is None:
            return super().post(request, *args, **kwargs)
        page = self.get_context_data(form=AuthenticationForm(request), locked=self.made.sentence)
        return self.render_to_response(page, status=429, headers={"Retry-After": str(self.made.wait_seconds)})

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        tries.succeeded(self.made)
        user: Any = form.get_user()
        if factor.has(user):
            return entry.ask_for_code(self.request, user, self.get_success_url())
        return entry.let_in(self.request, user, self.get_success_url())


class LogOut(auth_views.LogoutView):
    """By POST only; back to the log-in page."""


class ChangePassword(auth_views.PasswordChangeView):
    template_name = "registration/password.html"
    success_url = reverse_lazy("home")

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Whoever sits at somebody else's session does not guess the old password here either."""
        user: Any = request.user
        self.made = tries.knock_with_code(request, user)
        if self.made.locked_until is None:
            return super().post(request, *args, **kwargs)
        page = self.get_context_data(form=PasswordChangeForm(user), locked=self.made.sentence)
        return self.render_to_response(page, status=429, headers={"Retry-After": str(self.made.wait_seconds)})

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        if "old_password" not in form.errors:
            tries.succeeded(self.made)
        return super().form_invalid(form)

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        user: Any = self.request.user
        tries.succeeded(self.made)
        session = sessions.number_of(self.request)
        changed = services.change_password(form.cleaned_data["new_password1"], by=user, session=session)
        update_session_auth_hash(self.request, changed)
        messages.success(
            self.request, _("Your password has been changed. Your other sessions and your tokens have ended.")
        )
        return redirect(self.get_success_url())


@login_not_required
def admin_log_in(request: HttpRequest) -> HttpResponseBase:
    """Where the admin sends whoever may not enter: to the log-in page, or to a page that says why not."""
    if request.user.is_authenticated and not request.user.is_staff:
        return render(request, "no_entry.html", status=403)
    wanted = request.GET.get("next", "")
    return redirect(f"{reverse('login')}?{urlencode({'next': wanted})}" if wanted else "login")


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """The own account: in which zone times are shown."""
    error = ""
    if request.method == "POST":
        try:
            accounts.choose_zone(request.POST.get("zone", "").strip(), by=request.user)  # type: ignore[arg-type]
        except Refused as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("Saved."))
            return redirect("account")
    is_agent = Agent.objects.about(request.user).exists()
    page = {"is_agent": is_agent, "zones": sorted(zone_names()), "error": error, "wish": request.POST.get("zone", "")}
    return render(request, "registration/account.html", page, status=400 if error else 200)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invitation leads: its owner chooses the first password. A link that is no longer good says so."""
    invitation = inviting.invited(token)
    if invitation is None:
        return render(request, "registration/invited.html", {"gone": inviting.GONE.message}, status=410)
    error = ""
    if request.method == "POST":
        password = request.POST.get("password", "")
        try:
            if password != request.POST.get("again", ""):
                raise Refused("differ", _("The two passwords differ."))
            user = inviting.accept(token, password[:256])
        except Refused as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("Your password is set. Log in with it."))
            response = redirect("login")
            if user.language:
                entry.keep_language(response, user.language)
            return response
    page = {"user": invitation.user, "error": error}
    return render(request, "registration/invited.html", page, status=400 if error else 200)
