"""How canned replies are used: most used, unused, edited before sending, near their end, alike, by team."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Avg, Count, Max, Q
from django.utils.formats import localize

from approvals.models import CannedReply, ReplyUse
from approvals.plain.pieces import alike
from teams.models import Team, User

RECENT, SOON = timedelta(days=90), timedelta(days=14)
EDITED, LEAST_KNOWN, ALIKE, LONGEST = Decimal("0.3"), 5, 0.8, 25
PAIRS = 200

TWINS = """
WITH pieces AS (
    SELECT search.reply_id, unnest(search.sketch) AS piece FROM approvals_replysearch search
    WHERE search.is_live AND search.reply_id IN ({mine})
)
SELECT DISTINCT one.reply_id, other.reply_id
FROM pieces one JOIN pieces other ON other.piece = one.piece AND other.reply_id > one.reply_id
ORDER BY 1, 2 LIMIT {most}
"""


@dataclass(frozen=True)
class Line:
    """A reply and the figures that put it into a list."""

    reply: CannedReply
    uses: int = 0
    people: int = 0
    edited: Decimal | None = None
    last_used_at: datetime | None = None

    @property
    def edited_words(self) -> str:
        return percent(self.edited)


@dataclass(frozen=True)
class Ending:
    """A reply whose last day or next look is past or near."""

    reply: CannedReply
    on: date
    is_look: bool  # it is to be looked at again; else its last day
    is_past: bool


@dataclass(frozen=True)
class Twins:
    """Two live replies that say much the same. `share`: of their words in common, 0 to 1; 1 is the same text."""

    one: CannedReply
    other: CannedReply
    share: Decimal

    @property
    def share_words(self) -> str:
        return percent(self.share)


@dataclass(frozen=True)
class OfTeam:
    """The replies of one team, or (None) of everybody, and how many of them nobody used of late."""

    team: str | None
    live: int
    unused: int
    uses: int


@dataclass(frozen=True)
class Report:
    most_used: list[Line]
    unused: list[Line]
    edited: list[Line]
    ending: list[Ending]
    twins: list[Twins]
    teams: list[OfTeam]
    reads_uses: bool


def percent(share: Decimal | None) -> str:
    return "–" if share is None else f"{localize((share * 100).quantize(Decimal(1)))} %"


def report(user: User, now: datetime, today: date, team: Team | None = None) -> Report:
    """Of the shared replies that `user` sees, or of those of `team` alone; uses as far as the user reads them."""
    rows = CannedReply.objects.visible_to(user).shared().live().select_related("team", "search")
    rows = rows.filter(team=team) if team is not None else rows
    used = ReplyUse.objects.visible_to(user).filter(used_at__gte=now - RECENT, reply__in=rows.order_by().values("pk"))
    return Report(
        _most_used(rows, used),
        _unused(rows, now),
        _edited(rows, used),
        _ending(rows, today),
        _twins(rows),
        _by_team(rows, used, now),
        used.exists() or not rows.filter(search__uses__gt=0).exists(),
    )


def _lines(rows: Any, counted: Iterable[dict[str, Any]]) -> list[Line]:
    """Lines in the order of what was counted."""
    figures = list(counted)
    found = rows.in_bulk([each["reply"] for each in figures])
    return [
        Line(found[each["reply"]], each["uses"], each["people"], each.get("edited"), each["last"])
        for each in figures
        if each["reply"] in found
    ]


def _counted(used: Any) -> Any:
    counts = {"uses": Count("pk"), "people": Count("agent", distinct=True), "last": Max("used_at")}
    return used.order_by().values("reply").annotate(**counts)


def _most_used(rows: Any, used: Any) -> list[Line]:
    return _lines(rows, _counted(used).order_by("-uses", "reply")[:LONGEST])


def _edited(rows: Any, used: Any) -> list[Line]:
    """Replies of which, on average, more than three tenths were changed before sending: the text does not fit."""
    known = _counted(used.filter(edited_share__isnull=False)).annotate(edited=Avg("edited_share"))
    return _lines(rows, known.filter(edited__gt=EDITED, uses__gte=LEAST_KNOWN).order_by("-edited", "reply")[:LONGEST])


def _unused(rows: Any, now: datetime) -> list[Line]:
    """Live for longer than 90 days, and not used in them by anybody; the longest unused first."""
    old = rows.filter(made_at__lt=now - RECENT)
    silent = old.filter(Q(search__last_used_at=None) | Q(search__last_used_at__lt=now - RECENT))
    found = silent.order_by("search__last_used_at", "made_at", "pk")
    nulls_first = sorted(
        found[:LONGEST], key=lambda row: (row.search.last_used_at is not None, row.search.last_used_at or row.made_at)
    )
    return [Line(row, row.search.uses, last_used_at=row.search.last_used_at) for row in nulls_first]


def _ending(rows: Any, today: date) -> list[Ending]:
    near = today + SOON
    last = rows.filter(valid_until__lte=near).order_by("valid_until", "pk")[:LONGEST]
    look = rows.filter(review_on__lte=near).order_by("review_on", "pk")[:LONGEST]
    found = [Ending(row, row.valid_until, is_look=False, is_past=row.valid_until < today) for row in last]
    found += [Ending(row, row.review_on, is_look=True, is_past=row.review_on < today) for row in look]
    return sorted(found, key=lambda each: (each.on, each.reply.pk, each.is_look))[:LONGEST]


def _twins(rows: Any) -> list[Twins]:
    """Pairs that share a number of their sketch, looked at word by word; what is most alike first."""
    mine, given = rows.order_by().select_related(None).values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(TWINS.format(mine=mine, most=PAIRS), given)
        pairs = cursor.fetchall()
    found = rows.in_bulk({pk for pair in pairs for pk in pair})
    twins = [
        Twins(found[a], found[b], Decimal(alike(found[a].body, found[b].body)))
        for a, b in pairs
        if a in found and b in found
    ]
    near = [each for each in twins if each.share >= Decimal(str(ALIKE))]
    return sorted(near, key=lambda each: (-each.share, each.one.pk, each.other.pk))[:LONGEST]


def _by_team(rows: Any, used: Any, now: datetime) -> list[OfTeam]:
    silent = Q(search__last_used_at=None) | Q(search__last_used_at__lt=now - RECENT)
    uses = Count("uses", filter=Q(uses__in=used.order_by().values("pk")), distinct=True)
    counted = rows.order_by().values("team__name").annotate(
        live=Count("pk", distinct=True), unused=Count("pk", filter=silent, distinct=True), used=uses
    )  # fmt: skip
    lines = [OfTeam(each["team__name"], each["live"], each["unused"], each["used"]) for each in counted]
    return sorted(lines, key=lambda line: (-line.uses, line.team or ""))
