"""What this app makes known to the floors below when it starts: kinds, jobs, notices, data classes."""

from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from approvals import kinds
from incentives import letters
from incentives.kinds import ALL
from incentives.models import (
    Acknowledgement,
    Attainment,
    Batch,
    BatchDownload,
    BatchItem,
    Correction,
    DayRecord,
    Entry,
    GateOverride,
    KeptFacts,
    Plan,
    PlanVersion,
    Run,
    Simulation,
)
from incentives.services import night, simulating
from teams import jobs, outbox, sight
from teams.models import User
from teams.personal import DataClass, FreeText, enter_texts, excuse
from teams.personal import enter as enter_classes
from teams.retention import RetentionClass
from teams.retention import enter as enter_retention

CLASSES = (
    DataClass(DayRecord, agent=("agent",), hidden=frozenset({"made_by"}), cleared=(("reason", ""),)),
    DataClass(Correction, agent=("agent",), hidden=frozenset({"request"})),
    DataClass(GateOverride, agent=("agent",), hidden=frozenset({"request"})),
    DataClass(Attainment, agent=("agent",)),
    DataClass(Acknowledgement, agent=("agent",)),
    DataClass(Entry, agent=("agent",), hidden=frozenset({"batch"})),
    DataClass(BatchItem, agent=("agent",), hidden=frozenset({"batch"})),
)  # fmt: skip
TEXTS = (FreeText(DayRecord, ("reason",)), FreeText(PlanVersion, ("reason",)), FreeText(Plan, ("name",)))
ACTED = {
    Plan: ("made_by",), PlanVersion: ("made_by",), Run: ("reviewed_by", "approved_by"), Batch: ("made_by", "released_by"),
    BatchDownload: ("by",), Simulation: ("made_by",), DayRecord: ("made_by",),
}  # fmt: skip


def _old_facts(cutoff: datetime) -> models.QuerySet[Attainment]:
    return Attainment.objects.filter(ends__lt=cutoff.date())


def _let_go(cutoff: datetime) -> int:
    kept = KeptFacts.objects.exclude(pk__in=Entry.objects.filter(ends__gte=cutoff.date()).values("digest"))
    return _old_facts(cutoff)._raw_delete("default") + kept._raw_delete("default")


RETENTION = RetentionClass(
    "attainments", _("What agents reached, and the counts it rests on"), _("rows are deleted, amounts stay"),
    "months", 84, lambda cutoff: _old_facts(cutoff).count(), _let_go,
)  # fmt: skip


def _serves(person: User) -> bool:
    return hasattr(person, "agent")


def enter() -> None:
    for kind in ALL:
        kinds.register(kind())
    by_plan = jobs.called(Plan, "name")
    jobs.register(
        night.CALCULATE, night.calculate_month, night.expected_months, words=_("Incentives of a month"), about=by_plan
    )
    jobs.register(night.EVENING, night.tell_evening, night.expected_evenings, words=_("The day's line for agents"))
    jobs.register(simulating.JOB, simulating.work, words=_("A plan tried on a month"))
    outbox.register("day_line", letters.day_line, title=_("What your day earns"), concerns=_serves)
    enter_classes(*CLASSES)
    enter_texts(*TEXTS)
    for model, columns in ACTED.items():
        for column in columns:
            excuse(model._meta.label_lower, column, "who acted belongs to what was done")
    enter_retention(RETENTION)
    team, agent = "teams.Team", "teams.Agent"
    sight.register("attainment", _("attainment and tier"), "incentives.Attainment", team, agent)
    sight.register("amounts", _("incentive amounts"), "incentives.Entry", team, agent)
    sight.register("plans", _("incentive plans"), "incentives.Plan", team)
