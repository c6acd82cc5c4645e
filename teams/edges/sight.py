"""The page "who can see this": every way in to a row, and why one named person can or cannot. For those who may know."""

from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.widgets import SELECT_CLASSES

from teams import grants, sight
from teams.edges.behalf import team_of
from teams.models import Agent, Compensation, User
from teams.scoping import Grant


class PersonForm(forms.Form):
    person = forms.ModelChoiceField(User.objects.none(), label=_("person"))

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["person"]
        field.queryset = grants.known_people(user).order_by("full_name", "username")
        field.widget.attrs["class"] = " ".join(SELECT_CLASSES)


def may_know(user: Any, row: Any) -> bool:
    """The lead of the row's team knows who sees it; of people and wages also whoever hires or pays them; the operator."""
    if user.is_superuser:
        return True
    team = team_of(row)
    wanted = [Grant.LEAD]
    wanted += [Grant.ONBOARD] if isinstance(row, Agent) else []
    wanted += [Grant.SETTLE] if isinstance(row, Compensation) else []
    return team is not None and grants.reaches(user, team, *wanted)


class SeersPage:
    """Mixed into a scoped admin before it: a page for each row, and the button to it."""

    def get_urls(self: Any) -> list[Any]:
        view = self.admin_site.admin_view(require_safe(self.seers_view))
        name = self.route("seers").partition(":")[2]
        return [path("<path:object_id>/seers/", view, name=name), *super().get_urls()]  # type: ignore[misc]

    def _row_buttons(self: Any, request: HttpRequest, object_id: str) -> list[tuple[Any, str]]:
        buttons = super()._row_buttons(request, object_id)  # type: ignore[misc]
        if may_know(request.user, self.get_object(request, unquote(object_id))):
            buttons.append((_("Who can see this"), reverse(self.route("seers"), args=[object_id])))
        return buttons

    def seers_view(self: Any, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if not may_know(request.user, row):
            raise PermissionDenied
        asked = "person" in request.GET
        form = PersonForm(request.GET if asked else None, user=request.user)
        person = form.cleaned_data["person"] if asked and form.is_valid() else None
        context = {
            **self.admin_site.each_context(request),
            "title": _("Who can see %(what)s") % {"what": row.agent if isinstance(row, Compensation) else row},
            "opts": self.opts,
            "original": row,
            "kinds": sight.classes_of(row),
            "rows": sight.seers(row, request.user),
            "form": form,
            "person": person,
            "answers": sight.explain(person, row, request.user) if person else [],
            "back": reverse(self.route("change"), args=[object_id]),
        }
        return TemplateResponse(request, "admin/seers.html", context, status=400 if asked and person is None else 200)
