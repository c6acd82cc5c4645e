"""The page of an undo: what would come back, and the button. It is there for the one who did it, and for nobody else."""

from typing import Any

from django.apps import apps
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from teams import undoing
from teams.edges import history
from teams.edges.admin import site
from teams.edges.scope import person
from teams.edges.verbs import ReasonField, VerbForm
from teams.errors import OutOfReach, Refused
from teams.models import UndoOffer


class UndoForm(VerbForm):
    reason = ReasonField(required=False)


@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows it, POST does it. Whatever came of it, the way goes back to the row."""
    by = person(request)
    offered = UndoOffer.objects.manageable_by(by).filter(pk=pk).first()
    known = undoing.of_offer(offered) if offered else None
    if offered is None or known is None:
        raise OutOfReach
    form = UndoForm(request.POST if request.method == "POST" else None, user=by)
    if request.method == "POST" and form.is_valid():
        try:
            undoing.undo(pk, by=by, **form.wish())
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Undone: %(what)s.") % {"what": known.title})
        return redirect(_page_of(offered))
    context = site.each_context(request) | {
        "title": _("Undo: %(what)s") % {"what": known.title},
        "lines": [line for move in undoing.moves_of(offered) for line in history.way_back(move, by)],
        "offered": offered,
        "row": _row_of(offered),
        "note": known.note,
        "form": form,
        "back": _page_of(offered),
    }
    return TemplateResponse(request, "admin/undo.html", context)


def _row_of(offered: UndoOffer) -> Any:
    """The row it is about, as far as it is there and this person may see it."""
    model: Any = apps.get_model(offered.about)
    return model._default_manager.visible_to(offered.owner).filter(pk=offered.about_pk).first()


def _page_of(offered: UndoOffer) -> str:
    """The page of the row the verb was about; its list where the row may be gone, as after the undo of its making."""
    app, _dot, name = offered.about.lower().partition(".")
    known = undoing.of_offer(offered)
    if known is not None and known.page:
        return reverse(known.page)
    model: Any = apps.get_model(offered.about)
    try:
        if model._base_manager.filter(pk=offered.about_pk).exists():
            return reverse(f"admin:{app}_{name}_change", args=[offered.about_pk])
        return reverse(f"admin:{app}_{name}_changelist")
    except NoReverseMatch:
        return reverse("admin:index")
