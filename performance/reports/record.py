"""What is kept about a person, who looked at it, and what is never collected: said from the models themselves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Page, Paginator
from django.db import models
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from performance.metrics import METRICS, Metric
from performance.models import AgentDay, PhoneReveal
from teams import personal
from teams.models import AccessRecord, Agent, AgentZone, Loan, Membership, User, ViewAs
from teams.personal import DataClass

LOOKS_PER_PAGE, MOST_PAGES = 20, 100_000
REVEALS_SHOWN = 20
INWARD = {"id", "run", "agent", "agent_external", "version"}  # columns that only hold the rows together
SECRETS = {"password", "digest", "token_key", "message_id", "key"}  # say nothing about a person
OWN_FIGURES = [
    metric
    for metric in METRICS.values()
    if metric.numerator not in {"offered", "abandoned", "answered_in_time", "wait_seconds"}
]


@dataclass(frozen=True)
class Kept:
    """One kind of rows about a person, and which particulars each row holds."""

    name: str
    particulars: tuple[str, ...]


@dataclass(frozen=True)
class Look:
    viewer: str
    door: str
    seen_on: date
    times: int


@dataclass(frozen=True)
class Stay:
    """Days in a team, as a member or lent to it; `span` is a range of dates."""

    team: str
    span: Any
    is_lent: bool


@dataclass(frozen=True)
class RecordPage:
    kept: tuple[Kept, ...]
    figures: Sequence[Metric]
    not_kept: tuple[str, ...]
    looks: Page
    seen: tuple[Look, ...]
    reveals: tuple[PhoneReveal, ...]  # looks at telephone numbers of customers of one's contacts, the last ones
    seen_as: tuple[ViewAs, ...]
    stays: tuple[Stay, ...]  # members first
    zones: tuple[Any, ...]  # of AgentZone
    days: int
    first_day: date | None


def own_record(agent: Agent, user: User, page: str | None = None) -> RecordPage:
    """What is kept about `agent`, for the person themselves, with one page of looks. Five queries."""
    looks = _looks(user, page)
    zones = _zones(user)
    return RecordPage(
        kept=tuple(kept_of(each) for each in personal.classes()),
        figures=OWN_FIGURES,
        not_kept=(
            _("movements of the mouse"),
            _("keystrokes"),
            _("screenshots"),
            _("pictures of the webcam or sound of the room"),
            _("where you are"),
            _("which programs and pages you open"),
        ),
        looks=looks,
        seen=tuple(Look(str(row.viewer), str(row.get_door_display()), row.seen_on, row.times) for row in looks),
        reveals=tuple(PhoneReveal.objects.about(user).select_related("viewer")[:REVEALS_SHOWN]),
        seen_as=tuple(ViewAs.objects.filter(person=user).select_related("viewer")[:LOOKS_PER_PAGE]),
        stays=_stays(user),
        zones=zones,
        days=zones[0].days if zones else 0,
        first_day=zones[0].first_day if zones else None,
    )


def _zones(user: User) -> tuple[Any, ...]:
    """The zones of somebody who is never without one, and with each how many days of figures there are, and since when."""
    days = AgentDay.objects.about(user).order_by().values("agent")
    return tuple(
        AgentZone.objects.about(user)
        .annotate(
            days=Coalesce(models.Subquery(days.annotate(n=models.Count("day", distinct=True)).values("n")), 0),
            first_day=models.Subquery(days.annotate(first=models.Min("day")).values("first")),
        )
        .order_by("-span")
    )


def _looks(user: User, wish: str | None) -> Page:
    """A page of looks, counted by the query that reads them; where there is no such page, the nearest."""
    rows = AccessRecord.objects.about(user).select_related("viewer")
    pages = Paginator(rows, LOOKS_PER_PAGE)
    number = int(wish) if wish and wish.isascii() and wish.isdigit() and 1 <= int(wish) <= MOST_PAGES else 1
    begins = (number - 1) * LOOKS_PER_PAGE
    found = list(rows.annotate(in_all=models.Window(models.Count("pk")))[begins : begins + LOOKS_PER_PAGE])
    if not found and number > 1:
        return pages.get_page(wish)
    pages.count = found[0].in_all if found else 0  # instead of a query of its own
    return Page(found, number, pages)


def _stays(user: User) -> tuple[Stay, ...]:
    told = [
        stays.objects.about(user)
        .annotate(is_lent=models.Value(is_lent))
        .order_by()
        .values_list("team__name", "span", "is_lent")
        for stays, is_lent in ((Membership, False), (Loan, True))
    ]
    return tuple(Stay(*row) for row in told[0].union(told[1], all=True).order_by("is_lent", "-span"))


def kept_of(each: DataClass) -> Kept:
    """What a person is told of one table: its name and its columns, but those that only hold rows together."""
    meta = each.model._meta
    fields: list[Any] = [*meta.fields, *meta.many_to_many]
    shown = [field for field in fields if field.name not in INWARD | SECRETS]
    return Kept(each.words, tuple(_(str(field.verbose_name)) for field in shown))  # names of packages are no lazy words
