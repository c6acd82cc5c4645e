"""Pages about people's data: taking one's own along, and the operator's rules with what will go when."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from teams import retention
from teams.edges import history, networks
from teams.edges import progress as jobs_shown
from teams.edges.admin import site
from teams.edges.scope import person
from teams.edges.verbs import ReasonField, VerbForm
from teams.errors import OutOfReach, Refused
from teams.models import DataCopy, JobRun, PrivacyRules
from teams.services import copies
from teams.services.privacy import MOST_KEPT, set_rules

COPIES_SHOWN = 20


@require_http_methods(["GET", "POST"])
def my_data(request: HttpRequest) -> HttpResponse:
    """Copies this person asked for: of the own data and, for HR, of others. POST asks for a copy of the own."""
    by = person(request)
    if request.method == "POST":
        copies.ask_own_copy(by=by)
        messages.success(request, _("The copy is being made. It appears here in a few minutes; a mail tells you."))
        return redirect("my_data")
    found = DataCopy.objects.visible_to(by).select_related("agent", "user")[:COPIES_SHOWN]
    lines = [{"copy": copy, "is_own": _is_own(copy, by), "is_open": _is_open(copy)} for copy in found]
    waiting = [str(copy.pk) for copy in found if copy.state == DataCopy.State.WAITING]
    runs = JobRun.objects.filter(job=copies.JOB, subject__in=waiting).order_by("-pk")
    working = [shown for run in runs if (shown := jobs_shown.of_run(run, by))] if waiting else []
    return render(request, "account/my_data.html", {"lines": lines, "working": working})


def _is_own(copy: DataCopy, by: Any) -> bool:
    return copy.user_id == by.pk or (copy.agent is not None and copy.agent.user_id == by.pk)


def _is_open(copy: DataCopy) -> bool:
    return copy.state == DataCopy.State.READY and copy.until is not None and copy.until > timezone.now()


@require_POST
def my_data_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Download by POST, as each one is counted. Other people's copies open from the allowed networks only."""
    by = person(request)
    copy = DataCopy.objects.visible_to(by).select_related("agent").filter(pk=pk).first()
    if copy is None:
        raise OutOfReach
    if not _is_own(copy, by):
        networks.require(request)
    copy = copies.open_copy(pk, by=by)
    name = f"outpost-{copy.asked_at:%Y-%m-%d}-{copy.pk}.zip"
    return FileResponse(copy.file.open(), as_attachment=True, filename=name, content_type="application/zip")


class RulesForm(VerbForm):
    """The rules as one form: a field for each class of retention, by its code."""

    networks = forms.CharField(
        label=_("allowed networks"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "One in each line, as in 10.20.0.0/16. Only from there wages, telephone numbers and files about other people open. "
            "Empty: as the installation says, or from everywhere."
        ),
    )
    reveals_a_day = forms.IntegerField(
        label=_("telephones shown to one person in 24 hours"), min_value=1, max_value=1000
    )
    reason = ReasonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in retention.classes():
            unit = _("days") if each.unit == "days" else _("months")
            label = _("%(what)s: kept for (%(unit)s)") % {"what": each.label, "unit": unit}
            field = forms.IntegerField(label=label, min_value=1, max_value=MOST_KEPT[each.unit])
            field.widget.attrs["class"] = self.fields["reveals_a_day"].widget.attrs["class"]
            self.fields[each.code] = field
        self.order_fields(["networks", "reveals_a_day", *(each.code for each in retention.classes()), "reason"])

    def wish(self) -> dict[str, Any]:
        said = dict(self.cleaned_data)
        kept = {each.code: said.pop(each.code) for each in retention.classes()}
        return said | {"kept": kept}


@require_http_methods(["GET", "HEAD", "POST"])
def rules(request: HttpRequest) -> HttpResponse:
    """The operator's page: what is kept how long, what goes next and when, from where sensitive data may be read."""
    by = person(request)
    if not by.is_superuser:
        raise PermissionDenied
    now = PrivacyRules.current()
    initial = {"networks": now.networks, "reveals_a_day": now.reveals_a_day}
    initial |= {each.code: each.kept(now) for each in retention.classes()}
    form = RulesForm(request.POST if request.method == "POST" else None, user=by, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            set_rules(by=by, **form.wish())
        except Refused as refusal:
            form.add_error(None, str(refusal.message))
        else:
            messages.success(request, _("The rules have been set."))
            return redirect("people_data")
    context = site.each_context(request) | {
        "title": _("People's data"),
        "form": form,
        "plans": retention.plan(timezone.now()),
        "in_force": networks.in_force(),
        "changes": history.trail(now, by)[:10],
    }
    return TemplateResponse(request, "admin/people_data.html", context)
