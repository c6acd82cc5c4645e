"""The turn of the day: what was planned by date becomes what holds today, each in its own zone. Running it again changes
nothing; rows somebody else is changing are left for the next turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import models, transaction
from django.db.models import F, OuterRef, Q, Subquery, Value
from django.utils.translation import gettext as _

from teams.audit import delete_with_history, save_with_history, update_many
from teams.errors import Refused
from teams.models import Agent, AgentZone, Membership, Team, TeamPlacement
from teams.services.people import finish_leaving
from teams.services.spans import days
from teams.services.tree import lock_tree, put_below


@dataclass(frozen=True)
class Turned:
    """How many rows came up to date."""

    zones: int
    homes: int
    leavers: int
    placements: int
    refused_placements: int


class LocalDay(models.Func):
    """The civil date of a moment in the zone that a column names: `LocalDay(moment, zone)`."""

    template = "(%(expressions)s)::date"
    arg_joiner = " AT TIME ZONE "
    output_field = models.DateField()

    def __init__(self, moment: datetime, zone: str) -> None:
        super().__init__(Value(moment, output_field=models.DateTimeField()), F(zone))


@transaction.atomic
def turn_day(now: datetime) -> Turned:
    """Bring zones, home teams, leavers and planned moves of teams up to the local date of `now`. Set-based, repeatable."""
    zones = _turn_zones(now)
    homes = _turn_homes(now)
    leavers = _turn_leavers(now)
    placements, refused = _turn_placements(now)
    return Turned(zones, homes, leavers, placements, refused)


def _turn_zones(now: datetime) -> int:
    current = AgentZone.objects.filter(agent=OuterRef("pk"), span__contains=now).values("zone")[:1]
    rows = Agent.objects.annotate(zone_now=Subquery(current)).exclude(zone=F("zone_now")).filter(zone_now__isnull=False)
    changed = list(rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk"))
    for agent in changed:
        agent.zone = agent.zone_now
    return _write(changed, "zone")


def _turn_homes(now: datetime) -> int:
    covering = Membership.objects.filter(agent=OuterRef("pk"), span__contains=LocalDay(now, "agent__zone"))
    rows = Agent.objects.annotate(home_now=Subquery(covering.values("team")[:1])).filter(
        ~Q(team=F("home_now")) | Q(team=None), home_now__isnull=False
    )
    changed = list(rows.select_for_update(skip_locked=True, of=("self",)).order_by("pk"))
    for agent in changed:
        agent.team_id = agent.home_now
    return _write(changed, "team")


def _write(changed: Sequence[Agent], field: str) -> int:
    if changed:
        update_many(Agent, changed, field, by=None, reason=_("turn of the day"))
    return len(changed)


def _turn_leavers(now: datetime) -> int:
    due = Agent.objects.current().filter(left_on__lt=LocalDay(now, "zone"))
    turned = 0
    for agent in due.select_for_update(skip_locked=True, of=("self",)).order_by("pk"):
        try:
            with transaction.atomic():
                finish_leaving(agent, by=None, reason=_("last day has passed"))
        except Refused:  # the last operator's account stays open; the person is still shown as to leave
            continue
        turned += 1
    return turned


def _turn_placements(now: datetime) -> tuple[int, int]:
    """Carry out planned moves, oldest first. One that would by now close a circle is dropped, with the reason kept."""
    due = (
        TeamPlacement.objects.filter(span__contains=LocalDay(now, "team__zone"), span__startswith__isnull=False)
        .filter(~Q(parent=F("team__parent")) | Q(parent=None, team__parent__isnull=False) | Q(team__parent=None))
        .exclude(parent=None, team__parent=None)
        .order_by("span", "pk")
    )
    done = refused = 0
    if due.exists():
        lock_tree()
    for placement in due.values("pk", "team_id"):
        team = Team.objects.select_for_update(skip_locked=True).filter(pk=placement["team_id"]).first()
        row = TeamPlacement.objects.select_for_update().filter(pk=placement["pk"]).first()
        if team is None or row is None or team.parent_id == row.parent_id:
            continue
        before = team.parent_id
        try:
            put_below(team, row.parent_id, by=None, reason=row.reason or _("planned move"))
            done += 1
        except Refused as refusal:
            _drop(row, before, str(refusal.message))
            refused += 1
    return done, refused


def _drop(row: TeamPlacement, parent: int | None, reason: str) -> None:
    """The team stays where it is: the span of the plan goes to the present place."""
    span = row.span
    delete_with_history(row, by=None, reason=reason)
    save_with_history(
        TeamPlacement(team_id=row.team_id, parent_id=parent, span=days(span.lower, span.upper), reason=reason[:300]),
        by=None,
        reason=reason,
    )
