"""The guided first start: the page behind the one-time link, and the operator's steps to the first report."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES, UnfoldAdminFileFieldWidget

from performance.models import ImportRun, Source
from performance.services import starting as first
from teams import inviting, starting
from teams.clock import zone_names
from teams.edges.addresses import came_through_a_proxy
from teams.edges.admin import site
from teams.edges.scope import person
from teams.edges.transfer import MOST_BYTES, read_table
from teams.errors import OutOfReach, Refused
from teams.models import Agent, Invitation, Organisation, Team, User

LOOPBACK = frozenset({"127.0.0.1", "::1"})
LOCAL_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
PATIENCE = 3600  # seconds in which a looked-through file may be confirmed
Step = Organisation.Step
PAGES = {step: f"start_{step.value}" for step in Step}

EXAMPLES: dict[str, tuple[tuple[str, ...], list[list[str]]]] = {
    "teams": (
        starting.TEAM_COLUMNS,
        [
            ["service", "Customer service", "", "Europe/Madrid"],
            ["service-madrid", "Madrid", "service", "Europe/Madrid"],
            ["service-shanghai", "Shanghai", "service", "Asia/Shanghai"],
        ],
    ),
    "people": (
        starting.PEOPLE_COLUMNS,
        [
            ["1001", "Ana Ruiz", "ana.ruiz@example.com", "service", "lead", "Europe/Madrid", "2026-01-05"],
            ["1002", "Luis Vega", "luis.vega@example.com", "service-madrid", "agent", "Europe/Madrid", "2026-01-05"],
            ["1003", "Li Na", "li.na@example.com", "service-shanghai", "agent", "Asia/Shanghai", "2026-02-02"],
            ["1004", "Wang Wei", "", "service-shanghai", "trainee", "Asia/Shanghai", "2026-09-01"],
        ],
    ),
}
CONTACT_COLUMNS: tuple[str, ...] = (
    "id",
    "opened_at",
    "ended_at",
    "agent",
    "channel",
    "handle_seconds",
    "rating",
    "resolved",
)


# -- the one-time link -------------------------------------------------------------------------------------------------------


class FoundingForm(forms.Form):
    organisation = forms.CharField(label=gettext_lazy("Name of your organisation"), max_length=120)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    zone = forms.ChoiceField(label=gettext_lazy("Time zone"), choices=lambda: [(z, z) for z in sorted(zone_names())])
    full_name = forms.CharField(label=gettext_lazy("Your name"), max_length=120)
    username = forms.CharField(label=gettext_lazy("User name"), max_length=150)
    password = forms.CharField(
        label=gettext_lazy("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 10 characters."),
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password") != values.get("again"):
            raise ValidationError(_("The two passwords differ."))
        return values


def is_local(request: HttpRequest) -> bool:
    """Whether the request was made on this machine, to this machine, through nobody."""
    host = request.META.get("HTTP_HOST", "")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    return request.META.get("REMOTE_ADDR", "") in LOOPBACK and name in LOCAL_NAMES and not came_through_a_proxy(request)


@login_not_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def begin(request: HttpRequest, key: str) -> HttpResponse:
    """The page behind the one-time link. Wherever it is not good, it is not there."""
    if not is_local(request) or not starting.opens(key):
        raise Http404
    form = FoundingForm(request.POST or None, initial={"language": request.LANGUAGE_CODE, "zone": "UTC"})
    if request.method == "POST" and form.is_valid():
        wish = {name: value for name, value in form.cleaned_data.items() if name != "again"}
        try:
            user = starting.found(key, **wish)
        except Refused as refusal:
            form.add_error("password" if refusal.code == "weak_password" else None, str(refusal))
        except ValidationError as error:
            form.add_error(None, " ".join(error.messages))
        else:
            login(request, user, backend=settings.AUTHENTICATION_BACKENDS[-1])
            response = redirect("start_overview")
            response.set_cookie(
                settings.LANGUAGE_COOKIE_NAME,
                user.language,
                max_age=settings.LANGUAGE_COOKIE_AGE,
                secure=settings.LANGUAGE_COOKIE_SECURE,
                samesite=settings.LANGUAGE_COOKIE_SAMESITE,
            )
            return response
    return render(request, "start/begin.html", {"form": form}, status=422 if form.errors else 200)


# -- the steps ---------------------------------------------------------------------------------------------------------------


def for_operators(view: Callable[..., HttpResponse]) -> Callable[..., Any]:
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not person(request).is_superuser:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return site.admin_view(never_cache(guarded))


def page(request: HttpRequest, template: str, title: Any, status: int = 200, **context: Any) -> HttpResponse:
    context = {**site.each_context(request), "title": title, **context}
    return render(request, f"start/{template}.html", context, status=status)


def _facts() -> dict[str, str]:
    """What each step has led to so far, in words."""
    waiting = User.objects.without_password().count()
    contacts = sum(run.counts.get("new", 0) for run in ImportRun.objects.filter(state=ImportRun.State.DONE))
    report = first.newest_report()
    teams, people = Team.objects.count(), Agent.objects.current().count()
    return {
        Step.TEAMS: ngettext("%(count)d team", "%(count)d teams", teams) % {"count": teams},
        Step.PEOPLE: ngettext("%(count)d person", "%(count)d persons", people) % {"count": people},
        Step.INVITATIONS: ngettext(
            "%(count)d account without a password", "%(count)d accounts without a password", waiting
        )
        % {"count": waiting},
        Step.CONTACTS: ngettext("%(count)d contact", "%(count)d contacts", contacts) % {"count": contacts},
        Step.REPORT: str(report) if report else _("none yet"),
    }


@require_http_methods(["GET", "HEAD", "POST"])
def overview(request: HttpRequest) -> HttpResponse:
    """All steps, how far each is, and the next one. POST skips a step, or opens it again."""
    if request.method == "POST":
        starting.mark(request.POST.get("step", ""), request.POST.get("state", ""), by=person(request))
        return redirect("start_overview")
    organisation = Organisation.objects.first()
    states = organisation.steps if organisation else {}
    facts = _facts()
    steps = [
        {
            "step": step,
            "label": step.label,
            "state": states.get(step, ""),
            "fact": facts[step],
            "link": reverse(PAGES[step]),
        }
        for step in Step
    ]
    upcoming = next((each for each in steps if not each["state"]), None)
    name = organisation.name if organisation else ""
    return page(request, "overview", _("First start"), steps=steps, upcoming=upcoming, organisation=name)


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File (CSV or Excel)"), widget=UnfoldAdminFileFieldWidget, allow_empty_file=True
    )


def _file_step(request: HttpRequest, step: Step, columns: tuple[str, ...], take: Callable[..., Any]) -> HttpResponse:
    """Upload, look at what would happen, confirm. The file waits inside the signed form of the one who chose it."""
    form, lines, waiting = FileForm(), [], ""
    salt = f"start:{step}:{request.user.pk}"
    by = person(request)
    if request.method == "POST" and "waiting" in request.POST:
        try:
            rows = signing.loads(request.POST["waiting"], salt=salt, max_age=PATIENCE)
        except signing.BadSignature:
            messages.error(request, _("This upload has expired. Choose the file again."))
            return redirect(PAGES[step])
        lines = take(rows, by=by, dry_run=False)
        if not any(line.refusal for line in lines):
            starting.mark(step, "done", by=by)
            new = sum(line.is_new for line in lines)
            messages.success(
                request, ngettext("%(count)d line stored.", "%(count)d lines stored.", new) % {"count": new}
            )
            return redirect("start_overview")
    elif request.method == "POST":
        form = FileForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                file = form.cleaned_data["file"]
                rows = _rows(file.name, file.read(MOST_BYTES + 1), columns)
                lines = take(rows, by=by, dry_run=True)
            except Refused as refusal:
                form.add_error("file", str(refusal))
            else:
                if not any(line.refusal for line in lines):
                    waiting = signing.dumps(rows, salt=salt, compress=True)
    refused = [line for line in lines if line.refusal]
    return page(
        request, "file", step.label, status=422 if form.errors or refused else 200, form=form, lines=refused or lines,
        refused=len(refused), waiting=waiting, columns=columns, example=reverse("start_example", args=[step.value]), step=step,
    )  # fmt: skip


def _rows(name: str, data: bytes, columns: tuple[str, ...]) -> list[dict[str, str]]:
    table = read_table(name, data)
    headers = [title.strip().lower() for title in table.headers or []]
    for column in columns[:2]:
        if column not in headers:
            raise Refused("missing_column", _("The column “%(name)s” is missing.") % {"name": column})
    unknown = [title for title in headers if title and title not in columns]
    if unknown:
        raise Refused(
            "unknown_column",
            _("The column “%(name)s” is not known; there may be: %(columns)s.")
            % {"name": unknown[0][:40], "columns": ", ".join(columns)},
        )
    rows = []
    for line in table:
        cells = ["" if cell is None else str(cell).strip() for cell in line]
        rows.append(dict(zip(headers, cells, strict=False)))
    return rows


@require_http_methods(["GET", "HEAD", "POST"])
def teams(request: HttpRequest) -> HttpResponse:
    return _file_step(request, Step.TEAMS, starting.TEAM_COLUMNS, starting.take_teams)


@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    return _file_step(request, Step.PEOPLE, starting.PEOPLE_COLUMNS, starting.take_people)


@require_http_methods(["GET", "HEAD", "POST"])
def invitations(request: HttpRequest) -> HttpResponse:
    """Accounts without a password: invite all, or make one link to hand over, or take an invitation back."""
    by, link, whose = person(request), "", ""
    if request.method == "POST":
        do = request.POST.get("do", "")
        if do == "all":
            return _invite_all(request, by)
        pk = _whole(request.POST.get("account", ""))
        try:
            if do == "invite":
                inviting.invite(pk, by=by, reason=_("first start"))
                messages.success(request, _("The invitation is on its way."))
            elif do == "revoke":
                inviting.revoke(pk, by=by, reason=_("first start"))
                messages.success(request, _("The invitation has been taken back."))
            elif do == "link":
                link = settings.OUTPOST_URL + reverse("invited", args=[inviting.link_for(pk, by=by)])
                whose = str(Invitation.objects.select_related("user").get(pk=pk).user)
            else:
                raise OutOfReach
        except Refused as refusal:
            messages.error(request, str(refusal))
        if not link:
            return redirect("start_invitations")
    accounts = User.objects.without_password().select_related("invitation")
    now = timezone.now()
    rows = [(user, _state(getattr(user, "invitation", None), now)) for user in accounts.order_by("full_name")[:500]]
    return page(
        request, "invitations", Step.INVITATIONS.label, rows=rows, link=link, whose=whose,
        has_mail=bool(settings.EMAIL_HOST), step=Step.INVITATIONS,
    )  # fmt: skip


def _invite_all(request: HttpRequest, by: User) -> HttpResponse:
    """Everybody who has no password and no open invitation; whom a link already waits for is left alone."""
    wanted = User.objects.without_password().exclude(email="")
    pks = list(wanted.exclude(pk__in=Invitation.objects.open().values("user")).values_list("pk", flat=True))
    for pk in pks:
        inviting.invite(pk, by=by, reason=_("first start"))
    starting.mark(Step.INVITATIONS, "done", by=by)
    said = ngettext("%(count)d invitation is on its way.", "%(count)d invitations are on their way.", len(pks))
    messages.success(request, said % {"count": len(pks)})
    return redirect("start_invitations")


def _state(row: Invitation | None, now: Any) -> dict[str, Any]:
    is_open = row is not None and not row.used_at and not row.revoked_at and row.until > now
    return {"row": row, "is_open": is_open}


class SourceForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("name"), max_length=120)
    team = forms.ModelChoiceField(Team.objects.none(), label=gettext_lazy("serves team"))
    zone = forms.ChoiceField(
        label=gettext_lazy("zone of its local times"), choices=lambda: [(z, z) for z in sorted(zone_names())]
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["team"]
        choice.queryset = Team.objects.manageable_by(user).filter(is_closed=False)
        for name, field in self.fields.items():
            field.widget.attrs["class"] = " ".join(INPUT_CLASSES if name == "name" else SELECT_CLASSES)
            field.label = capfirst(field.label)


@require_http_methods(["GET", "HEAD", "POST"])
def contacts(request: HttpRequest) -> HttpResponse:
    """A source to upload to, the upload itself, and names that match by themselves."""
    by, organisation = person(request), Organisation.objects.first()
    first_zone = {"zone": organisation.zone if organisation else "UTC", "name": _("First upload")}
    form = SourceForm(request.POST if request.POST.get("do") == "source" else None, user=by, initial=first_zone)
    if request.method == "POST" and request.POST.get("do") == "match":
        matched = first.match_names(by=by)
        if matched.names:
            starting.mark(Step.CONTACTS, "done", by=by)
        messages.success(
            request,
            _("%(names)d names mapped, %(facts)d rows placed; %(left)d names left in the tray.")
            % {"names": matched.names, "facts": matched.facts, "left": matched.left},
        )
        return redirect("start_contacts")
    if request.method == "POST" and form.is_valid():
        wish = form.cleaned_data
        first.first_source(wish["team"].pk, wish["name"], wish["zone"], by=by)
        return redirect("start_contacts")
    runs = ImportRun.objects.manageable_by(by).select_related("source").order_by("-pk")[:5]
    return page(
        request, "contacts", Step.CONTACTS.label, status=422 if form.errors else 200, form=form, runs=runs,
        sources=list(Source.objects.manageable_by(by).filter(is_active=True)[:20]), step=Step.CONTACTS,
        example=reverse("start_example", args=["contacts"]),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """The first report, made now for the days taken in."""
    if request.method == "POST":
        made = first.reports_now()
        if made is not None:
            starting.mark(Step.REPORT, "done", by=person(request))
            return redirect("admin:performance_nightlyreport_change", made.pk)
        messages.error(
            request,
            _("There is no day to report on yet: take in contacts of a day that is over, and map the names of agents."),
        )
        return redirect("start_report")
    return page(request, "report", Step.REPORT.label, report=first.newest_report(), step=Step.REPORT)


@require_safe
def example(request: HttpRequest, kind: str) -> HttpResponse:
    """A small file to begin with: teams, people, or contacts of the last three days of those people."""
    header: tuple[str, ...]
    if kind == "contacts":
        header, rows = CONTACT_COLUMNS, _example_contacts()
    elif kind in EXAMPLES:
        header, rows = EXAMPLES[kind]
    else:
        raise Http404
    body = io.StringIO()
    csv.writer(body).writerows([header, *rows])
    response = HttpResponse("\ufeff" + body.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{kind}.csv"'
    return response


def _example_contacts() -> list[list[str]]:
    """Thirty calls of three days that are over, of the agents in the example of people: plainly made up, the same each day."""
    rows = []
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for back in (4, 3, 2):
        for number in range(10):
            opened = today - timedelta(days=back) + timedelta(hours=8, minutes=45 * number)
            seconds = 180 + 45 * (number % 5)
            who = ("1002", "1003", "1004")[number % 3]
            rows.append([
                f"example-{back}-{number}", opened.strftime("%Y-%m-%d %H:%M:%S"),
                (opened + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S"), who, "phone", str(seconds),
                str(5 - number % 3), "no" if number % 4 == 3 else "yes",
            ])  # fmt: skip
    return rows


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise OutOfReach
    return int(text)


urlpatterns = [
    path("", for_operators(overview), name="start_overview"),
    path("teams/", for_operators(teams), name="start_teams"),
    path("people/", for_operators(people), name="start_people"),
    path("invitations/", for_operators(invitations), name="start_invitations"),
    path("contacts/", for_operators(contacts), name="start_contacts"),
    path("report/", for_operators(report), name="start_report"),
    path("example/<slug:kind>.csv", for_operators(example), name="start_example"),
]
