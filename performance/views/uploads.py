"""The pages of intake in the admin: upload, columns, check, delivery, errors file, token, tray."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from unfold.widgets import UnfoldAdminFileFieldWidget

from performance.intake.layouts import LAYOUTS, Kind
from performance.intake.mapping import DAY_FORMATS, SECONDS_FORMATS
from performance.intake.reasons import field_words, sentence
from performance.models import AgentAlias, ImportRun, Queue, QueueAlias, Source
from performance.services import intake, tray, undoable
from teams import undoing
from teams.clock import zone_names
from teams.edges import progress as jobs_shown
from teams.edges import undo as undo_edge
from teams.edges.admin import site
from teams.edges.progress import Shown
from teams.edges.scope import holds, person
from teams.errors import OutOfReach, Refused
from teams.models import Agent, JobRun
from teams.undoing import Undo

SAMPLES = 4
REFUSED_SHOWN = 50
FIELD = (
    "bg-white border border-base-200 px-3 py-2 rounded-default shadow-xs text-font-default-light max-w-full "
    "dark:bg-base-900 dark:border-base-700 dark:text-font-default-dark"
)
COUNT_WORDS = {
    "rows": gettext_lazy("rows read"),
    "refused": gettext_lazy("refused"),
    "new": gettext_lazy("new"),
    "newer": gettext_lazy("replaced by a newer version"),
    "same": gettext_lazy("known and unchanged"),
    "older": gettext_lazy("older than what we hold, ignored"),
    "repeated": gettext_lazy("repeated within the file"),
    "waiting": gettext_lazy("wait in the tray for an agent or a queue"),
    "without_team": gettext_lazy("of agents who had no team that day"),
    "new_agents": gettext_lazy("names of agents seen for the first time"),
    "new_queues": gettext_lazy("names of queues seen for the first time"),
    "days": gettext_lazy("days whose figures are made anew"),
}


class UploadForm(forms.Form):
    source = forms.ModelChoiceField(Source.objects.none(), label=gettext_lazy("source"))
    layout = forms.ChoiceField(
        label=gettext_lazy("kind of rows"), choices=[(name, each.label) for name, each in LAYOUTS.items()]
    )
    file = forms.FileField(
        label=gettext_lazy("file (CSV, gzip or Excel)"), allow_empty_file=True, widget=UnfoldAdminFileFieldWidget
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = FIELD
        self.fields["source"].queryset = Source.objects.manageable_by(user).filter(is_active=True)  # type: ignore[attr-defined]


def page(request: HttpRequest, template: str, title: Any, status: int = 200, **context: Any) -> HttpResponse:
    return render(
        request,
        f"performance/uploads/{template}.html",
        {**site.each_context(request), "title": title, **context},
        status=status,
    )


def for_managers(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Only for people who may manage sources, even before there is one; to everybody else the page is not there."""

    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not holds(request, Source.objects.all().write_grants):
            raise Http404
        return view(request, *args, **kwargs)

    return site.admin_view(never_cache(guarded))


def _run(request: HttpRequest, pk: int) -> ImportRun:
    run = ImportRun.objects.manageable_by(request.user).select_related("source", "by").filter(pk=pk).first()
    if run is None:
        raise OutOfReach
    return run


# -- upload and columns --------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    form = UploadForm(request.POST or None, request.FILES or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        wish = form.cleaned_data
        try:
            run = intake.receive(wish["source"].pk, wish["file"], layout=wish["layout"], by=person(request))
        except Refused as refusal:
            form.add_error("file", str(refusal))
        else:
            return redirect("intake_columns", run.pk)
    return page(request, "upload", _("Take a file in"), form=form, status=200 if not form.errors else 422)


@require_http_methods(["GET", "HEAD", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """What the columns mean. Simple fields are chosen from lists; whatever is more is written as JSON, and kept."""
    run = _run(request, pk)
    if run.state not in intake.OPEN or not run.file:
        return redirect("intake_delivery", run.pk)
    error = ""
    data: dict[str, Any] = run.mapping
    text = json.dumps(data, ensure_ascii=False, indent=1)
    if request.method == "POST":
        text = request.POST.get("mapping", "")
        try:
            data = json.loads(text) if request.POST.get("as_text") else _chosen(run, request)
            intake.map_columns(pk, data, by=person(request))
            run = intake.check(pk, by=person(request))
            return redirect("intake_delivery", run.pk)
        except Refused as refusal:
            error = str(refusal)
        except (ValueError, RecursionError):
            error = _("The mapping is not JSON that can be read.")
    try:
        table = intake.table_of(run)
    except Refused as refusal:
        return page(request, "unreadable", _("Columns"), run=run, error=str(refusal), status=422)
    return page(
        request, "columns", _("What the columns mean"), run=run, error=error, text=text, table=table,
        samples=table.sample(SAMPLES), lines=_lines(run, data if isinstance(data, dict) else run.mapping, table.header),
        zones=sorted(zone_names()), zone=run.mapping.get("zone") or "", years_from=run.mapping.get("years_from") or "",
        status=422 if error else 200,
    )  # fmt: skip


def _lines(run: ImportRun, data: dict[str, Any], header: tuple[str, ...]) -> list[dict[str, Any]]:
    """One line of the form per field of the layout."""
    fields = data.get("fields") if isinstance(data.get("fields"), dict) else {}
    lines = []
    for field in LAYOUTS[run.layout].fields:
        given = fields.get(field.name)  # type: ignore[union-attr]
        given = {"column": given} if isinstance(given, str) else given
        simple = given is None or (isinstance(given, dict) and set(given) <= {"column", "format"})
        formats = {Kind.MOMENT: DAY_FORMATS, Kind.SECONDS: SECONDS_FORMATS}.get(field.kind, ())
        chosen = (given or {}).get("column", "") if simple else "\0"
        lines.append({
            "field": field, "chosen": chosen, "is_rule": not simple, "formats": formats,
            "format": (given or {}).get("format", "") if simple else "",
            "rule": "" if simple else json.dumps(given, ensure_ascii=False), "header": header,
        })  # fmt: skip
    return lines


def _chosen(run: ImportRun, request: HttpRequest) -> dict[str, Any]:
    """The mapping that the lists of the form describe; a field left "as a rule" keeps its rule."""
    before = run.mapping.get("fields") or {}
    fields: dict[str, Any] = {}
    for field in LAYOUTS[run.layout].fields:
        column = request.POST.get(f"column_{field.name}", "")
        if request.POST.get(f"rule_{field.name}"):
            fields[field.name] = before.get(field.name)
        elif column:
            fields[field.name] = {"column": column}
            if form := request.POST.get(f"format_{field.name}"):
                fields[field.name]["format"] = form
    kept = {key: value for key, value in run.mapping.items() if key not in ("fields", "zone", "years_from")}
    data = {**kept, "layout": run.layout, "fields": fields}
    if zone := request.POST.get("zone"):
        data["zone"] = zone
    if (year := request.POST.get("years_from", "").strip()) and year.isdigit():
        data["years_from"] = int(year)
    return data


# -- a delivery ------------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def delivery(request: HttpRequest, pk: int) -> HttpResponse:
    """What a delivery holds and what came of it. POST `do`: check, store or withdraw."""
    run = _run(request, pk)
    if request.method == "POST":
        verbs = {"check": intake.check, "store": intake.take_in, "withdraw": intake.withdraw}
        verb = verbs.get(request.POST.get("do", ""))
        if verb is None:
            raise Http404
        try:
            verb(pk, by=person(request))
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("intake_delivery", run.pk)
    today = timezone.now().date()
    numbers = Paginator(run.refusals.order_by("row_number", "pk"), REFUSED_SHOWN).get_page(request.GET.get("page"))
    kept = [
        (r.row_number, named, r.value, sentence(named, r.code, r.value, today))
        for r in numbers
        for named in [field_words(run.layout, r.field)]
    ]
    first = [
        (row, field_words(run.layout, field), value, sentence(field_words(run.layout, field), code, value, today))
        for row, field, code, value in run.counts.get("first", [])
    ]
    job = JobRun.objects.filter(job=intake.JOB, subject=str(run.pk)).order_by("-pk").first()
    shown = jobs_shown.of_run(job, person(request)) if job else None
    again = (
        run.source.runs.filter(digest=run.digest, state=ImportRun.State.DONE).exclude(pk=run.pk).first()
        if run.digest and run.state in intake.OPEN
        else None
    )
    return page(
        request, "delivery", str(run), run=run, job=job if run.state == ImportRun.State.WAITING else None, again=again,
        counts=[(word, run.counts[name]) for name, word in COUNT_WORDS.items() if run.counts.get(name)],
        refused=kept or first, pages=numbers, is_open=run.state in intake.OPEN,
        is_refreshed=run.state == ImportRun.State.WAITING, progress=_worth_telling(run, shown),
    )  # fmt: skip


def _worth_telling(run: ImportRun, shown: Shown | None) -> Shown | None:
    """Progress while the worker has the delivery, and afterwards who cancelled it, until it is settled another way."""
    if shown is None or run.state == ImportRun.State.WAITING:
        return shown
    return shown if shown.is_cancelled and run.state in intake.OPEN else None


@require_safe
def errors_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The refused rows, to be mended and sent again."""
    run = _run(request, pk)
    if not run.refusals.exists():
        raise Http404
    response = StreamingHttpResponse(_with_mark(intake.errors_file(run)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{run.pk}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _with_mark(lines: Iterator[str]) -> Iterator[str]:
    yield "\ufeff"  # or a spreadsheet takes Chinese for something else
    yield from lines


@require_safe
def original_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The file as it was sent, as long as it is kept: always as a download, never shown."""
    run = _run(request, pk)
    if not run.file:
        raise Http404
    response = FileResponse(run.file.open("rb"), content_type="application/octet-stream")
    response["Content-Length"] = str(run.file.size)
    response["Content-Disposition"] = f'attachment; filename="delivery-{run.pk}.bin"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# -- token and tray ----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def token(request: HttpRequest, pk: int) -> HttpResponse:
    """Issue, renew or revoke the REST token of a source. It is shown once, in the answer to the issuing."""
    source = Source.objects.manageable_by(request.user).filter(pk=pk).first()
    if source is None:
        raise OutOfReach
    shown = ""
    if request.method == "POST":
        if request.POST.get("do") == "revoke":
            intake.revoke_token(pk, by=person(request))
            messages.success(request, _("The token has been revoked."))
            return redirect("intake_token", pk)
        shown = intake.rotate_token(pk, by=person(request))
        source.refresh_from_db()
    address = request.build_absolute_uri(reverse("intake_deliver", args=[source.code, "contacts"]))
    return page(request, "token", _("REST token"), source=source, shown=shown, address=address)


@require_http_methods(["GET", "HEAD", "POST"])
def names(request: HttpRequest) -> HttpResponse:
    """The tray: names nobody has mapped, and those that are, to be undone."""
    if request.method == "POST":
        try:
            with undoing.recording() as versions:
                said = _settle(request)
            undo_edge.say(request, said, *_way_back(request.POST, versions), versions)
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("intake_tray")
    agents = Agent.objects.manageable_by(request.user).current().order_by("name", "number")
    mapped_agents = AgentAlias.objects.manageable_by(request.user).exclude(agent=None).select_related("source", "agent")
    mapped_queues = QueueAlias.objects.manageable_by(request.user).exclude(queue=None).select_related("source", "queue")
    return page(
        request, "tray", _("Tray of names"),
        agents=tray.waiting(person(request), tray.AGENT), queues=tray.waiting(person(request), tray.QUEUE),
        people=list(agents[:5000]), lines=list(Queue.objects.manageable_by(request.user)[:2000]),
        mapped_agents=Paginator(mapped_agents.order_by("-pk"), 50).get_page(request.GET.get("agents")),
        mapped_queues=Paginator(mapped_queues.order_by("-pk"), 50).get_page(request.GET.get("queues")),
    )  # fmt: skip


def _way_back(wish: Any, versions: list[Any]) -> tuple[Undo | None, Any]:
    """What undoes a line of the tray, and the source whose names it changed."""
    verb = wish.get("do", "").partition("_")[0]
    return undoable.NAMES.get(verb), versions[0].source_id if versions else None


def _settle(request: HttpRequest) -> str:
    """Carry out what a line of the tray asks; returns the sentence to show. Raises OutOfReach, Refused."""
    wish = request.POST
    do, source, external = wish.get("do", ""), wish.get("source"), wish.get("external", "")
    match do:
        case "map_agent":
            since = _day(wish.get("since", ""))
            agent = _agent(wish.get("agent", ""), request)
            count = tray.map_agent(source, external, agent, since=since, by=person(request))
        case "map_queue":
            count = tray.map_queue(source, external, wish.get("queue"), by=person(request))
        case "unmap_agent":
            count = tray.unmap_agent(wish.get("alias"), by=person(request))
        case "unmap_queue":
            count = tray.unmap_queue(wish.get("alias"), by=person(request))
        case "ignore_agent" | "ignore_queue" | "notice_agent" | "notice_queue":
            verb, kind = do.split("_")
            tray.set_ignored(kind, source, external, verb == "ignore", by=person(request))
            return _("Done.")
        case _:
            raise OutOfReach
    return ngettext("%(count)d row has been placed anew.", "%(count)d rows have been placed anew.", count) % {
        "count": count
    }


def _agent(chosen: str, request: HttpRequest) -> str:
    """The id of the agent named as in the list of the tray, “Name (number)”, or by number or id alone."""
    number = chosen.strip().rpartition("(")[2].rstrip(")")
    pk = Agent.objects.manageable_by(request.user).filter(number=number).values_list("pk", flat=True).first()
    if pk is None and not chosen.strip().isdigit():
        words = _("There is no agent “%(name)s”. Choose one from the list, or write the number.")
        raise Refused("no_such_agent", words % {"name": chosen[:80]})
    return chosen if pk is None else str(pk)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Refused("bad_day", _("Write the day as in 2026-01-31, or leave it empty.")) from error


urlpatterns = [
    path("upload/", for_managers(upload), name="intake_upload"),
    path("tray/", for_managers(names), name="intake_tray"),
    path("<int:pk>/", for_managers(delivery), name="intake_delivery"),
    path("<int:pk>/columns/", for_managers(columns), name="intake_columns"),
    path("<int:pk>/errors.csv", for_managers(errors_file), name="intake_errors"),
    path("<int:pk>/file/", for_managers(original_file), name="intake_file"),
    path("sources/<int:pk>/token/", for_managers(token), name="intake_token"),
]
