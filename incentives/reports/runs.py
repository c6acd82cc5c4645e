"""What stands in the way of a run: people whose lines have no wage to pay a share of."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min

from incentives.models import Attainment, Run
from incentives.plain.periods import month_of
from incentives.words import LACKS
from teams.models import User

MOST = 200


@dataclass(frozen=True)
class Lacking:
    """Somebody's lines without a wage for one reason: how many, and the first day."""

    number: str
    name: str
    reason: str
    lines: int
    first: date


def lacking(run: Run, user: User) -> list[Lacking]:
    """The first two hundred, by number. One query."""
    month = month_of(run.month)
    rows = (
        Attainment.objects.visible_to(user)
        .filter(version__plan=run.plan_id, ends__range=(month.first, month.last))
        .exclude(lack="")
        .order_by("agent__number", "lack")
        .values("agent__number", "agent__name", "lack")
        .annotate(lines=Count("pk"), first=Min("begins"))
    )
    return [
        Lacking(row["agent__number"], row["agent__name"], str(LACKS[row["lack"]]), row["lines"], row["first"])
        for row in rows[:MOST]
    ]
