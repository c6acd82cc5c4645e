"""Who acted in whose place: read from the history of grants, so that a change made under a delegation says so for ever.

Nobody is given by delegation what they hold themselves, so a delegation over the row's team at the moment of a change is the
right the change was made by.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import models
from django.utils import timezone

from teams.edges.scope import labels
from teams.models import Team, TeamLineage, TeamUserGrant, User


@dataclass(frozen=True)
class StandIn:
    """A span in which `deputy` (an id) acted for somebody over the team in question."""

    deputy: int
    giver: str
    start: datetime
    end: datetime


def delegations(row: models.Model, versions: Sequence[Any], viewer: Any) -> list[StandIn]:
    """The delegations that those who changed `row` held over its team. One query where there are none."""
    actors = {version.history_user_id for version in versions} - {None}
    kept = list(
        TeamUserGrant.history.filter(user_id__in=actors)
        .exclude(on_behalf_of=None)
        .order_by("id", "history_date", "history_id")
    )
    team = team_of(row) if kept else None
    if team is None:
        return []
    above = set(TeamLineage.objects.filter(descendant=team).values_list("ancestor", flat=True))
    names = labels(User, {version.on_behalf_of_id for version in kept}, viewer)
    found = []
    for place, version in enumerate(kept):
        if version.history_type == "-" or version.content_object_id not in above:
            continue
        later = kept[place + 1] if place + 1 < len(kept) and kept[place + 1].id == version.id else None
        ends = [each for each in (version.until, later.history_date if later else None) if each is not None]
        start = max(version.since or version.history_date, version.history_date)
        end = min(ends) if ends else timezone.now()
        found.append(StandIn(version.user_id, names[version.on_behalf_of_id], start, end))
    return found


def giver_of(version: Any, standing_in: Sequence[StandIn]) -> str:
    """For whom the change `version` was made; empty where its author acted in their own right."""
    for each in standing_in:
        if each.deputy == version.history_user_id and each.start <= version.history_date < each.end:
            return each.giver
    return ""


def team_of(row: models.Model) -> int | None:
    """The id of the team that `row` stands at now, if it says so."""
    if isinstance(row, Team):
        return row.pk
    value: Any = row
    for step in getattr(type(row)._default_manager.all(), "team_path", "").split("__"):
        value = getattr(value, step, None) if step else None
    return getattr(value, "pk", None)
