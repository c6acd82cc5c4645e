"""Wages: seen and set under SETTLE, by number, as payroll need not see the roster."""

from typing import Any

from django import forms
from django.contrib.admin import register
from django.utils.translation import gettext_lazy as _
from import_export.fields import Field

from teams import services
from teams.edges import networks
from teams.edges.admin import ScopedAdmin, site
from teams.edges.empty import Step
from teams.edges.sight import SeersPage
from teams.edges.transfer import ScopedResource
from teams.edges.verbs import DayField, ReasonField, ReasonForm, Verb, VerbForm
from teams.models import Agent, Compensation
from teams.scoping import Grant, reach

SETTLE = (Grant.SETTLE,)


class PayForm(VerbForm):
    agent = forms.CharField(label=_("agent's number"), max_length=40)
    basis = forms.ChoiceField(label=_("basis"), choices=Compensation.Basis.choices)
    amount = forms.DecimalField(label=_("amount"), max_digits=12, decimal_places=2, min_value=0)
    currency = forms.RegexField(r"^[A-Z]{3}$", label=_("currency"), help_text=_("Three letters, as in CNY."))
    on = DayField(label=_("from"))
    reason = ReasonField()

    def clean_agent(self) -> Agent:
        people = Agent.objects.all()
        if not self.user.is_superuser:
            people = people.at_home_in(reach(self.user, SETTLE))
        agent = people.filter(number=self.cleaned_data["agent"].strip()).first()
        if agent is None:
            raise forms.ValidationError(_("No agent of this number was found."))
        return agent


class PayResource(ScopedResource):
    number = Field(attribute="agent__number", column_name="number")
    name = Field(attribute="agent__name", column_name="name")
    since = Field(attribute="span__lower", column_name="since")
    until = Field(attribute="span__upper", column_name="until")

    class Meta:
        model = Compensation
        fields = ("number", "name", "basis", "amount", "currency", "since", "until")
        export_order = fields


@register(Compensation, site=site)
class CompensationAdmin(SeersPage, ScopedAdmin):
    """The agent's name belongs to the wage: without it payroll could not tell whose it is."""

    readers = SETTLE
    open_relations = ("agent",)
    list_display = ("agent", "basis", "amount", "currency", "term")
    empty_words = _("No wage has been entered for the people of your teams. Each one holds from a day on.")
    empty_steps = (Step(_("Set pay"), "admin:teams_compensation_set"),)
    list_filter = ("basis", "currency")
    search_fields = ("^agent__number", "agent__name")
    fields = readonly_fields = ("agent", "basis", "amount", "currency", "term")
    resource = PayResource
    verbs = (
        Verb(
            "set",
            _("Set pay"),
            services.set_compensation,
            PayForm,
            SETTLE,
            _("The pay has been set."),
            on_row=False,
            goes_to_result=True,
        ),
        Verb("cancel", _("Cancel planned pay"), services.cancel_compensation, ReasonForm, SETTLE),
    )

    def scope(self, queryset: Any, request: Any) -> Any:
        """Only what SETTLE opens: one's own wage is on one's own page, not in a list of wages."""
        networks.require(request)
        return queryset.manageable_by(request.user)

    def verb_view(self, request: Any, object_id: str | None = None, *, verb: Verb) -> Any:
        if verb.may(request):
            networks.require(request)
        return super().verb_view(request, object_id, verb=verb)
