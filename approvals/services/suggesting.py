"""Suggest canned replies while somebody types.

The steps of the rank (`approvals.plain.ranking`) are taken one after the other, and only until enough is found. Each asks the
index of pieces for its warmest candidates, and for what is warm for person or team, and looks at them again, behind the wall of
the replies themselves. Neighbouring steps are parts of one statement. Within a step candidates come in the order in which they
rank, so that the cap costs nothing but what the numbers of pieces found by mistake.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from itertools import groupby
from operator import and_, or_

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals.models import CannedReply, ReplyHeat, ReplyRules, ReplySearch
from approvals.plain import heat
from approvals.plain.pieces import LONGEST, TYPO_SHORTEST, asked, deletions, folded, is_cjk, number
from approvals.plain.ranking import Doc, Hit, Match, Query, Step, hit, ranked, steps
from approvals.querysets.replies import near
from teams.clock import local_day
from teams.models import Agent, User

MOST, WARM = 50, 100  # candidates of a step; the warmest of person and of team beside them
NUMBERS = ("search__names", "search__body", "search__sketch")  # hundreds for each reply, and of no use once it is found
LIMIT, MOST_WISHED, LONGEST_TEXT = 10, 50, 80


@dataclass(frozen=True)
class Suggestion:
    """A reply, where it matches, how warm it is for oneself, the team and all, and why it stands where it stands."""

    reply: CannedReply
    match: Match
    by_sound: bool
    own: float
    team: float
    everybody: float
    score: float
    why: str

    @property
    def match_name(self) -> str:
        return self.match.name.lower()


def suggest(
    text: str, *, by: User, channel: str = "", language: str = "", limit: int = LIMIT, now: datetime | None = None
) -> list[Suggestion]:
    """The replies that fit `text` best, of those `by` may use now; the hottest ones where it is empty.

    `channel` leaves out replies for other channels; `language` puts its own first and leaves none out.
    """
    search = _Search(by, channel, language, max(1, min(limit, MOST_WISHED)), now or timezone.now())
    hits = search.hits(Query.of(text[:LONGEST_TEXT].replace("\x00", "")))
    return [_told(each, row, text) for each in hits if (row := search.rows[each.doc.pk]) is not None]


class Among(models.Func):
    """`column = ANY (ids)`: one parameter, where `IN` takes one for each id and is written and read anew for each."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()

    def __init__(self, column: str, ids: Iterable[int]) -> None:
        super().__init__(F(column), Value(list(ids), ArrayField(models.BigIntegerField())))


class _Search:
    """One call: what may be used, how warm it is, and the steps of the rank one after the other."""

    def __init__(self, by: User, channel: str, language: str, limit: int, now: datetime) -> None:
        self.by, self.language, self.limit, self.now = by, language, limit, now
        self.half_life = ReplyRules.current().half_life_days
        self.agent = Agent.objects.about(by).only("pk", "team", "zone").order_by().first()
        self.usable = self._usable(channel)
        self.heats = self._heats()
        self.rows: dict[int, CannedReply | None] = {}  # what has been read; None: not for this person

    def hits(self, query: Query) -> list[Hit]:
        found: dict[int, Hit] = {}
        for _place, some in groupby(steps(query, self.language), key=_asked_at_once):
            found |= self._taken(query, list(some), found)
            if len(found) >= self.limit:
                break
        return ranked(list(found.values()), self.language)[: self.limit]

    def _taken(self, query: Query, some: list[Step], without: Iterable[int]) -> dict[int, Hit]:
        """The hits of several steps, asked about at once."""
        asked = [each for step in some if (each := self._condition(query, step)) is not None]
        hits = (hit(query, doc) for doc in self._docs(asked, set(without)))
        return {each.doc.pk: each for each in hits if each is not None and each.step(self.language) <= some[-1]}

    def _condition(self, query: Query, step: Step) -> Q | None:
        condition = _asked(query, step.match, by_sound=step.by_sound)
        if condition is None or not self.language:
            return condition
        return condition & (~Q(language=self.language) if step.is_other_language else Q(language=self.language))

    # -- what may be used ----------------------------------------------------------------------------------------------

    def _usable(self, channel: str) -> QuerySet[ReplySearch]:
        today = local_day(self.now, self.agent.zone if self.agent else self.by.zone)
        rows = ReplySearch.objects.filter(
            Q(valid_from=None) | Q(valid_from__lte=today), Q(valid_until=None) | Q(valid_until__gte=today), is_live=True
        )
        if channel:
            rows = rows.filter(channel__in=["any", channel])
        if self.by.is_superuser:
            return rows.filter(Q(place__gte=0) | Q(place=-self.by.pk))
        return rows.filter(place__in=[0, -self.by.pk, *near(self.by).values_list("ancestor", flat=True)])

    def _heats(self) -> dict[int, tuple[float, float]]:
        """The levels of one's own uses and of the team's, by reply: the warmest of each."""
        if self.agent is None:
            return {}
        rows = ReplyHeat.objects.order_by("-level")
        own = rows.filter(agent=self.agent)[:WARM]
        of_team = rows.filter(agent=None, team=self.agent.team_id)[:WARM]
        levels: dict[int, tuple[float, float]] = {}
        for reply, agent, level in own.union(of_team, all=True).values_list("reply", "agent", "level"):
            mine, ours = levels.get(reply, (heat.COLD, heat.COLD))
            levels[reply] = (mine, level) if agent is None else (heat.joined(mine, level), ours)
        return levels

    # -- candidates ----------------------------------------------------------------------------------------------------

    def _docs(self, conditions: list[Q], without: set[int]) -> list[Doc]:
        """The warmest candidates that fulfil each of `conditions`, and those of any that are warm for person or team, as far as
        they may be seen. Each has a part of the statement for itself: what one finds cuts nothing off from another."""
        if not conditions:
            return []
        rows = self.usable.order_by("-level", "-updated_at", "-reply_id").values_list("reply_id", flat=True)
        parts = [rows.filter(each)[: max(MOST, 2 * self.limit)] for each in conditions]
        if self.heats:
            parts.append(rows.filter(Among("reply_id", self.heats), reduce(or_, conditions))[: 2 * WARM])
        ids = set(parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0])
        unread = ids - set(self.rows)
        if unread:
            self.rows |= dict.fromkeys(unread)
            seen = CannedReply.objects.visible_to(self.by).filter(Among("pk", unread))
            self.rows |= {row.pk: row for row in seen.select_related("search", "category").defer(*NUMBERS).order_by()}
        return [self._doc(row) for pk in ids - without if (row := self.rows[pk]) is not None]

    def _doc(self, row: CannedReply) -> Doc:
        own, team = self.heats.get(row.pk, (heat.COLD, heat.COLD))
        keywords = [*row.tags, row.category.name if row.category else ""]
        return Doc(
            row.pk, row.title, folded(row.short_code), folded(row.title), tuple(folded(each) for each in keywords if each),
            folded(row.body), tuple(row.code_sounds.split()), tuple(row.title_sounds.split()), row.language, row.updated_at,
            self._heat(own), self._heat(team), self._heat(row.search.level),
        )  # fmt: skip

    def _heat(self, level: float) -> float:
        return heat.heat(level, self.now, self.half_life)


def _asked_at_once(step: Step) -> bool | Match:
    """Steps with the same answer are asked about together: those about the code, which few replies have in common, and those
    of one place as written, by sound, and in other languages."""
    return step.match if step.match > Match.CODE_HAS else False


def _asked(query: Query, match: Match, *, by_sound: bool) -> Q | None:
    """The pieces that a reply must have to match at this step; None where nothing can match there.

    Pieces of which one is enough are one overlap and not several conditions joined by OR: the index looks them up in one go,
    and where the warmest replies are read one after the other instead, the long array of each is opened once for all of them.
    """
    if match is Match.ALL:
        return Q()
    sound = "s" if by_sound else ""
    if match is Match.CODE_BEGINS:
        return _any_of([number(f"^{sound}", query.whole[: LONGEST if by_sound else None])])
    if match is Match.CODE_HAS:
        typed = query.whole[:LONGEST]
        return _any_of([number(f"c{sound}", typed)]) if len(typed) > 1 else None
    if not query.words:
        return None
    if match is Match.NEARLY and not any(_may_be_misspelt(word) for word in query.words):
        return None
    if len(query.words) == 1:
        return _one_asked(query.words[0], match, by_sound)
    return reduce(and_, (_word_asked(word, match, by_sound) for word in query.words))


def _one_asked(word: str, match: Match, by_sound: bool) -> Q | None:
    """A single word stands at the place itself: what has it at a better one has been found before."""
    if by_sound:
        return _any_of([_sound(word)]) if match is Match.TITLE and len(word) > 1 else None
    if match is Match.NEARLY:
        return _any_of(_misspelt(word))
    if match is Match.BODY:
        return _in_body(word)
    return _in_names(word, "tc" if match is Match.TITLE else "k")


def _word_asked(word: str, match: Match, by_sound: bool) -> Q:
    """One of several words stands at the place or at a better one."""
    others = [_sound(word)] if by_sound or match > Match.TITLE else []
    if match is Match.NEARLY and _may_be_misspelt(word):
        others += _misspelt(word)
    condition = _in_names(word, "tc" if match is Match.TITLE else "tck", others)
    return condition | _in_body(word) if match >= Match.BODY else condition


def _any_of(numbers: Iterable[int]) -> Q:
    return Q(names__overlap=list(numbers))


def _in_names(word: str, places: str, others: Iterable[int] = ()) -> Q:
    """All pieces of `word` stand at one of `places`, or one of `others` is there."""
    pieces = asked(word)
    if len(pieces) == 1:
        return _any_of([*(number(place, pieces[0]) for place in places), *others])
    if len(places) == 1:
        condition = Q(names__contains=[number(places, piece) for piece in pieces])
    else:
        condition = reduce(and_, (_any_of(number(place, piece) for place in places) for piece in pieces))
    return condition | _any_of(others) if others else condition


def _in_body(word: str) -> Q:
    return Q(body__contains=[number("b", piece) for piece in asked(word)])


def _sound(word: str) -> int:
    return number("ts", word[:LONGEST])


def _misspelt(word: str) -> list[int]:
    return [number("d", each) for each in sorted(deletions(word))]


def _may_be_misspelt(word: str) -> bool:
    return len(word) >= TYPO_SHORTEST and not is_cjk(word)


# -- in words --------------------------------------------------------------------------------------------------------------


def _told(hit: Hit, reply: CannedReply, text: str) -> Suggestion:
    doc = hit.doc
    return Suggestion(reply, hit.match, hit.by_sound, doc.own, doc.team, doc.everybody, doc.score, why(hit, text))


def why(hit: Hit, text: str) -> str:
    """Where it matches and how warm it is, in one sentence."""
    typed = text.strip()[:LONGEST_TEXT]
    where = {
        Match.ALL: _("used most of late"),
        Match.CODE_BEGINS: _("the short code begins with “%(typed)s”"),
        Match.CODE_HAS: _("the short code has “%(typed)s” in it"),
        Match.TITLE: _("the title has “%(typed)s”"),
        Match.KEYWORD: _("tags or category have “%(typed)s”"),
        Match.BODY: _("the text has “%(typed)s”"),
        Match.NEARLY: _("one letter apart from “%(typed)s”"),
    }[hit.match]
    if hit.match is Match.ALL and not hit.doc.score:
        where = _("not used yet, among the newest")
    words = where % {"typed": typed} if typed else where
    if hit.by_sound:
        words = _("%(words)s, by its sound") % {"words": words}
    if not hit.doc.score:
        return words
    return _("%(words)s; heat %(score)s (yours %(own)s, team %(team)s, all %(all)s)") % {
        "words": words, "score": _figure(hit.doc.score), "own": _figure(hit.doc.own), "team": _figure(hit.doc.team),
        "all": _figure(hit.doc.everybody),
    }  # fmt: skip


def _figure(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value >= 0.005 else "0"
