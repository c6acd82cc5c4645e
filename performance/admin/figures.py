"""Rollups to look through, and targets with their verbs."""

from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from performance.metrics import METRICS, Better, Unit
from performance.models import AgentDay, QueueHalfHour, Target, TeamDay
from performance.services import targets, undoable
from performance.words import rounded, shown
from teams.edges.admin import ScopedAdmin, site
from teams.edges.columns import Raw
from teams.edges.empty import Step
from teams.edges.verbs import DayField, ReasonField, Verb, VerbForm
from teams.models import Agent, Team
from teams.scoping import Grant


class FigureColumns:
    """Columns that show metrics of a rollup row, in the words that every page uses."""

    @display(description=_("Contacts closed"), ordering="closed")
    def volume(self, row: AgentDay | TeamDay) -> str:
        return _figure("volume", row)

    @display(description=_("Handling time, simple"))
    def handle_time_simple(self, row: AgentDay | TeamDay) -> str:
        return _figure("handle_time_simple", row)

    @display(description=_("Handling time, complex"))
    def handle_time_complex(self, row: AgentDay | TeamDay) -> str:
        return _figure("handle_time_complex", row)

    @display(description=_("Satisfaction"))
    def satisfaction(self, row: AgentDay | TeamDay) -> str:
        return _figure("satisfaction", row)

    @display(description=_("Closure rate"))
    def closure(self, row: AgentDay | TeamDay) -> str:
        return _figure("closure", row)


FIGURES = ("volume", "handle_time_simple", "handle_time_complex", "satisfaction", "closure")
UNITS = {Unit.SECONDS: _("seconds"), Unit.SHARE: _("0 to 1")}


def _figure(metric_id: str, row: AgentDay | TeamDay) -> str:
    metric = METRICS[metric_id]
    return shown(metric.value(vars(row)), metric.unit)


def _number(metric_id: str, row: AgentDay | TeamDay) -> Decimal | None:
    """The figure for a file: seconds to a tenth, shares to four places, None where there is nothing to divide by."""
    metric = METRICS[metric_id]
    value = metric.value(vars(row))
    return None if value is None else rounded(value, PLACES.get(metric.unit, 0))


PLACES = {Unit.SECONDS: 1, Unit.SHARE: 4}
RAW_FIGURES = {name: Raw(partial(_number, name), UNITS.get(METRICS[name].unit, "")) for name in FIGURES}
DAY_STEPS = (
    Step(_("Contacts"), "admin:performance_contact_changelist"),
    Step(_("Deliveries"), "admin:performance_importrun_changelist"),
)


@admin.register(AgentDay, site=site)
class AgentDayAdmin(FigureColumns, ScopedAdmin):
    empty_words = _("A day has its figures from the night after it, once contacts of your people came in.")
    empty_steps = DAY_STEPS
    more_columns = ("zone",)
    raw_columns = RAW_FIGURES
    list_display = ("day", "agent", "team", *FIGURES)
    list_filter = ("team", "day")
    search_fields = ("agent__number", "agent__name")
    date_hierarchy = "day"
    ordering = ("-day", "agent__number", "pk")


@admin.register(TeamDay, site=site)
class TeamDayAdmin(FigureColumns, ScopedAdmin):
    empty_words = _("A team has figures of a day from the night after it, once contacts of its people came in.")
    empty_steps = DAY_STEPS
    raw_columns = RAW_FIGURES
    list_display = ("day", "team", "agents", *FIGURES)
    list_filter = ("team", "day")
    date_hierarchy = "day"
    ordering = ("-day", "team__name", "pk")


@admin.register(QueueHalfHour, site=site)
class QueueHalfHourAdmin(ScopedAdmin):
    empty_words = _("What queues were offered is counted by half hour, once contacts or intervals of a queue came in.")
    empty_steps = (Step(_("Queues"), "admin:performance_queue_changelist"), *DAY_STEPS)
    more_columns = ("day",)
    list_display = ("started_at", "queue", "offered", "answered", "abandoned", "answered_in_time")
    list_filter = ("queue", "day")
    date_hierarchy = "day"
    ordering = ("-started_at", "queue__name", "pk")


class SetTargetForm(VerbForm):
    team_pk = forms.ModelChoiceField(label=_("team"), queryset=Team.objects.all())
    metric = forms.ChoiceField(label=_("figure"))
    role = forms.ChoiceField(label=_("role"), required=False, choices=[("", _("everybody")), *Agent.Role.choices])
    value = forms.DecimalField(
        label=_("target"), max_digits=12, decimal_places=4,
        help_text=_("Counts per agent and day; times in seconds; shares between 0 and 1."),
    )  # fmt: skip
    since = DayField(label=_("holds from"))
    reason = ReasonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["metric"].choices = [  # type: ignore[attr-defined]
            (metric.id, metric.label) for metric in METRICS.values() if metric.better is not Better.NEITHER
        ]


class EndTargetForm(VerbForm):
    on = DayField(label=_("holds no more from"))
    reason = ReasonField()


@admin.register(Target, site=site)
class TargetAdmin(ScopedAdmin):
    empty_words = _("No target holds in your teams. A target says what a day should reach, from a day on.")
    empty_steps = (
        Step(_("Set target"), "admin:performance_target_set"),
        Step(_("Team days"), "admin:performance_teamday_changelist"),
    )
    raw_columns: ClassVar[dict[str, Raw]] = {
        "in_words": Raw(lambda target: target.value),
        "since": Raw(lambda target: target.span.lower),
        "until": Raw(lambda target: target.span.upper),
    }
    list_display = ("team", "figure", "role", "in_words", "since", "until")
    list_filter = ("team", "metric", "role")
    fields = readonly_fields = ("team", "figure", "role", "in_words", "since", "until")
    verbs = (
        Verb(
            "set",
            _("Set target"),
            targets.set_target,
            SetTargetForm,
            (Grant.LEAD,),
            _("The target has been set."),
            on_row=False,
            goes_to_result=True,
            undo=undoable.SET_TARGET,
        ),
        Verb(
            "end",
            _("End target"),
            targets.end_target,
            EndTargetForm,
            (Grant.LEAD,),
            _("The target has an end."),
            undo=undoable.END_TARGET,
        ),
    )

    @display(description=_("figure"), ordering="metric")
    def figure(self, target: Target) -> str:
        return str(METRICS[target.metric].label) if target.metric in METRICS else target.metric

    @display(description=_("target"), ordering="value")
    def in_words(self, target: Target) -> str:
        metric = METRICS.get(target.metric)
        return shown(target.value, metric.unit) if metric else f"{target.value:f}"

    @display(description=_("from"), ordering="span")
    def since(self, target: Target) -> str:
        return target.span.lower.isoformat() if target.span.lower else "–"

    @display(description=_("until"))
    def until(self, target: Target) -> str:
        return target.span.upper.isoformat() if target.span.upper else "–"
