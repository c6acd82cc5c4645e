"""Who can see a row, and why somebody can or cannot: said in words, from what the scope itself goes by.

Each data class names a model; its queryset says which grants open it (`read_grants`), where its rows stand (`team_path`) and
whom they are about (`owner_path`). `judge` decides from plain values. A test holds it to the same answer as `visible_to`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.db import models
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from teams.acting import system_scope
from teams.models import Agent, Loan, Team, TeamGroupGrant, TeamLineage, TeamUserGrant, User
from teams.scoping import Grant


@dataclass(frozen=True)
class DataClass:
    """One kind of data: what it is called, the model of its rows, and what one may ask it about (model labels)."""

    code: str
    name: Any
    label: str
    asked_of: tuple[str, ...]

    @property
    def model(self) -> Any:
        return apps.get_model(self.label)

    @property
    def rows(self) -> Any:
        return self.model._default_manager.all()

    @property
    def grants(self) -> tuple[Grant, ...]:
        return tuple(self.rows.read_grants)


_classes: dict[str, DataClass] = {}


def register(code: str, name: Any, label: str, *asked_of: str) -> None:
    """Make a data class known, in `AppConfig.ready()`."""
    _classes[code] = DataClass(code, name, label, asked_of)


def classes_of(row: models.Model) -> list[DataClass]:
    """What may be asked about `row`, in the order of registration."""
    return [each for each in _classes.values() if row._meta.label in each.asked_of]


class Through(StrEnum):
    HOME = "home"
    LOAN = "loan"


@dataclass(frozen=True)
class Place:
    """A team at which a row stands. `way` are the teams from this one up to the top, by id; `names` of the known ones."""

    team: int
    way: tuple[int, ...]
    through: Through = Through.HOME


@dataclass(frozen=True)
class Held:
    """One live grant: what, where, through which group (empty: in person), until when, why, by whom, in whose place."""

    grant: Grant
    team: int
    group: str = ""
    since: datetime | None = None
    until: datetime | None = None
    reason: str = ""
    given_by: str = ""
    on_behalf_of: str = ""
    holder: str = ""
    holder_key: str = ""  # tells people of one name apart


class Why(StrEnum):
    OPERATOR = "operator"
    OWN = "own"
    GRANT = "grant"
    CLOSED = "closed"
    NO_GRANT = "no_grant"
    OTHER_GRANT = "other_grant"
    OTHER_PLACE = "other_place"


@dataclass(frozen=True)
class Verdict:
    """Whether, and the shortest reason: the grant that opens, or the one that comes nearest, and the place it is about."""

    is_open: bool
    why: Why
    held: Held | None = None
    place: Place | None = None


def judge(
    *,
    is_active: bool,
    is_operator: bool,
    is_own: bool,
    held: Iterable[Held],
    reads: Sequence[Grant],
    places: Iterable[Place],
) -> Verdict:
    """The verdict on one person and one data class, from plain values."""
    if not is_active:
        return Verdict(False, Why.CLOSED)
    if is_operator:
        return Verdict(True, Why.OPERATOR)
    if is_own:
        return Verdict(True, Why.OWN)
    all_held, all_places = list(held), list(places)
    nearest: Verdict | None = None
    for place in all_places:
        above = sorted(
            (each for each in all_held if each.team in place.way), key=lambda each: place.way.index(each.team)
        )
        for each in above:
            if each.grant in reads:
                return Verdict(True, Why.GRANT, each, place)
            nearest = nearest or Verdict(False, Why.OTHER_GRANT, each, place)
    if nearest is not None:
        return nearest
    elsewhere = next((each for each in all_held if each.grant in reads), None)
    if elsewhere is not None:
        return Verdict(False, Why.OTHER_PLACE, elsewhere, all_places[0] if all_places else None)
    return Verdict(False, Why.NO_GRANT, place=all_places[0] if all_places else None)


# -- what the judgement needs, from the database ---------------------------------------------------------------------------


def places_of(row: models.Model, kind: DataClass) -> list[Place]:
    """Where the data of `kind` about `row` stands. An agent stands at home and, on the roster, where they are lent today."""
    found: list[tuple[int, Through]] = []
    if isinstance(row, Team):
        found = [(row.pk, Through.HOME)]
    elif isinstance(row, Agent):
        found = [(row.team_id, Through.HOME)] if row.team_id is not None else []
        if kind.label == "teams.Agent":
            loans = Loan.objects.today().filter(agent=row).order_by("pk").values_list("team", flat=True)
            found += [(team, Through.LOAN) for team in loans]
    else:
        value: Any = row
        for step in kind.rows.team_path.split("__"):
            value = getattr(value, step, None)
        found = [(value.pk, Through.HOME)] if value is not None else []
    ways: dict[int, list[int]] = {}
    pairs = TeamLineage.objects.filter(descendant__in=[team for team, _through in found]).order_by("depth")
    for lower, upper in pairs.values_list("descendant", "ancestor"):
        ways.setdefault(lower, []).append(upper)
    return [Place(team, tuple(ways.get(team, ())), through) for team, through in found]


def is_about(row: models.Model, kind: DataClass, person: User) -> bool:
    """Whether the data of `kind` is about `person` in their own right."""
    if isinstance(row, Team):
        return kind.label == "teams.Team" and Agent.objects.filter(user=person, team=row).exists()
    path = getattr(kind.rows, "owner_path", None)
    if path is None:
        return False
    value: Any = row
    for step in ["user"] if isinstance(row, Agent) else path.split("__"):
        value = getattr(value, step, None)
    return value is not None and value.pk == person.pk


def held_by(person: User) -> list[Held]:
    """Every live grant of a person, in person and by group. Three queries."""
    own = TeamUserGrant.objects.live().filter(user=person)
    shared = TeamGroupGrant.objects.live().filter(group__user=person)
    return [*_read(own), *_read(shared)]


def holders(places: Sequence[Place]) -> list[Held]:
    """Every live grant on the teams of `places` and above, of active persons and of groups."""
    above = {team for place in places for team in place.way}
    own = TeamUserGrant.objects.live().filter(content_object__in=above, user__is_active=True)
    return [*_read(own), *_read(TeamGroupGrant.objects.live().filter(content_object__in=above))]


def _read(grants: Any) -> list[Held]:
    is_group = grants.model is TeamGroupGrant
    rows = list(
        grants.select_related("group" if is_group else "user", "permission", *([] if is_group else ["on_behalf_of"]))
    )
    given = _givers(grants.model, [row.pk for row in rows])
    return [
        Held(
            grant=Grant(row.permission.codename),
            team=row.content_object_id,
            group=row.group.name if is_group else "",
            since=row.since or row.given_at,
            until=row.until,
            reason=row.reason,
            given_by=given.get(row.pk, ""),
            on_behalf_of="" if is_group or row.on_behalf_of is None else str(row.on_behalf_of),
            holder=row.group.name if is_group else str(row.user),
            holder_key=f"group {row.group_id}" if is_group else f"user {row.user_id}",
        )
        for row in rows
        if row.permission.codename in Grant.values
    ]


def _givers(model: Any, pks: list[int]) -> dict[int, str]:
    """Who gave each grant, by its history; a grant that a program made has no giver."""
    versions = model.history.filter(id__in=pks).order_by("id", "-history_date", "-history_id").distinct("id")
    return {row.id: str(row.history_user) for row in versions.select_related("history_user") if row.history_user}


# -- in words ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Names:
    """What the one who asks may be told: names of teams in their reach, and how to call the others; by whom and why a grant
    was given is told to those who lead its team."""

    teams: dict[int, str]
    led: frozenset[int]

    @classmethod
    def known_to(cls, asker: Any) -> "Names":
        led = frozenset(Team.objects.in_reach_of(asker, Grant.LEAD).values_list("pk", flat=True))
        return cls({team.pk: team.name for team in Team.objects.visible_to(asker)}, led)

    def team(self, pk: int, place: Place | None = None) -> str:
        if pk in self.teams:
            return self.teams[pk]
        return _("a team above") if place is not None and pk in place.way else _("a team you do not see")


@dataclass(frozen=True)
class Answer:
    """One data class: what it is called, the verdict, and the chain of sentences that leads to it."""

    kind: DataClass
    is_open: bool
    sentences: tuple[str, ...]


@system_scope("who may see a row is no secret to those who lead it, also where the grant was given above")
def explain(person: User, row: models.Model, asker: Any) -> list[Answer]:
    """Why `person` can or cannot see each kind of data about `row`, in words that `asker` may read."""
    held, names = held_by(person), Names.known_to(asker)
    answers = []
    for kind in classes_of(row):
        verdict = verdict_on(person, row, kind, held)
        if verdict.why is Why.OTHER_PLACE and verdict.held is not None and verdict.held.team not in names.teams:
            verdict = replace(verdict, why=Why.NO_GRANT, held=None)  # what is held elsewhere is not the asker's to know
        answers.append(Answer(kind, verdict.is_open, tuple(sentences(person, kind, verdict, names))))
    return answers


def verdict_on(person: User, row: models.Model, kind: DataClass, held: Sequence[Held] | None = None) -> Verdict:
    return judge(
        is_active=person.is_active,
        is_operator=person.is_superuser,
        is_own=is_about(row, kind, person),
        held=held_by(person) if held is None else held,
        reads=kind.grants,
        places=places_of(row, kind),
    )


def sentences(person: User, kind: DataClass, verdict: Verdict, names: Names) -> Iterable[str]:
    who, reads = str(person), _(" or ").join(grant.label for grant in kind.grants)
    match verdict.why:
        case Why.CLOSED:
            yield _("The account of %(who)s is closed.") % {"who": who}
        case Why.OPERATOR:
            yield _("%(who)s is an operator; operators see everything.") % {"who": who}
        case Why.OWN:
            yield _("It is about %(who)s, and everybody reads what is about themselves.") % {"who": who}
        case Why.GRANT if verdict.held is not None and verdict.place is not None:
            yield _held_words(who, verdict.held, names, verdict.place)
            yield from _way_words(verdict.held, verdict.place, names)
        case Why.OTHER_GRANT if verdict.held is not None:
            held = verdict.held
            yield _held_words(who, held, names, verdict.place)
            yield _("That reaches here, but this opens with %(reads)s only.") % {"reads": reads}
        case Why.OTHER_PLACE if verdict.held is not None and verdict.place is not None:
            yield _held_words(who, verdict.held, names, verdict.place)
            yield _("%(place)s does not lie below that team.") % {
                "place": names.team(verdict.place.team, verdict.place)
            }
        case _:
            yield _("%(who)s holds no grant that reaches here; this opens with %(reads)s.") % {
                "who": who,
                "reads": reads,
            }


def _held_words(who: str, held: Held, names: Names, place: Place | None) -> str:
    known = held.team in names.led
    words = {
        "who": who,
        "grant": held.grant.label,
        "team": names.team(held.team, place),
        "day": date_format(timezone.localtime(held.since), "DATE_FORMAT") if held.since else "–",
    }
    if held.on_behalf_of:
        words["other"] = held.on_behalf_of if known else _("somebody")
        said = _("%(who)s holds %(grant)s on %(team)s on behalf of %(other)s since %(day)s") % words
    elif held.group:
        words["group"] = held.group
        said = _("%(who)s holds %(grant)s on %(team)s through the group %(group)s since %(day)s") % words
    else:
        said = _("%(who)s holds %(grant)s on %(team)s since %(day)s") % words
    more = []
    if held.until:
        more.append(_("until %(moment)s") % {"moment": date_format(timezone.localtime(held.until), "DATETIME_FORMAT")})
    if held.given_by and known:
        more.append(_("given by %(giver)s") % {"giver": held.given_by})
    if held.reason and known:
        more.append(_("because: %(reason)s") % {"reason": held.reason})
    return said + (_(" (%(more)s)") % {"more": _(", ").join(more)} if more else "") + _(".")


def _way_words(held: Held, place: Place, names: Names) -> Iterable[str]:
    here = names.team(place.team, place)
    if place.through is Through.LOAN:
        yield _("The agent is lent to %(team)s today.") % {"team": here}
    if held.team != place.team:
        yield _("%(team)s lies below %(above)s.") % {"team": here, "above": names.team(held.team, place)}


# -- who can see -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Seer:
    """One way in: who, by which grant or relation, given where, until when, why, and which kinds of data it opens."""

    who: str
    by: str
    where: str
    until: datetime | None
    reason: str
    opens: tuple[DataClass, ...]
    on_behalf_of: str = ""


@system_scope("who may see a row is no secret to those who lead it, also where the grant was given above")
def seers(row: models.Model, asker: Any) -> list[Seer]:
    """Every way in to `row`: the person it is about, then grants by team from the nearest up. Operators are not listed."""
    kinds, names = classes_of(row), Names.known_to(asker)
    places = {kind: places_of(row, kind) for kind in kinds}
    widest = max(places.values(), key=len, default=[])
    found = [_itself(row, kinds)]
    for held in sorted(holders(widest), key=lambda each: (_distance(each, widest), each.holder, each.grant)):
        opens = tuple(
            kind
            for kind in kinds
            if held.grant in kind.grants and any(held.team in place.way for place in places[kind])
        )
        if not opens:
            continue
        place = next(place for place in widest if held.team in place.way)
        known = held.team in names.led
        where = names.team(held.team, place)
        if place.through is Through.LOAN:
            where = _("%(team)s (borrows the agent)") % {"team": where}
        found.append(
            Seer(
                who=_("Group %(name)s") % {"name": held.holder} if held.group else held.holder,
                by=held.grant.label,
                where=where,
                until=held.until,
                reason=held.reason if known else "",
                opens=opens,
                on_behalf_of=held.on_behalf_of if known else "",
            )
        )
    return [seer for seer in found if seer is not None]


def _distance(held: Held, places: Sequence[Place]) -> int:
    return min(place.way.index(held.team) for place in places if held.team in place.way)


def _itself(row: models.Model, kinds: Sequence[DataClass]) -> Seer | None:
    agent = row if isinstance(row, Agent) else getattr(row, "agent", None)
    person = getattr(agent, "user", None)
    if person is None or not person.is_active:
        return None
    opens = tuple(kind for kind in kinds if is_about(row, kind, person))
    return Seer(str(person), _("is about this person"), "–", None, "", opens) if opens else None


# -- what a move changes -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shift:
    """Somebody who gains or loses sight of a team when it moves, by which grant given where."""

    who: str
    by: str
    where: str


@system_scope("whom a move of a team opens or closes is no secret to those who may move it")
def shifts(team: Team, parent: int | None, asker: Any) -> tuple[list[Shift], list[Shift]]:
    """Who gains and who loses a grant over `team` (and all below it) by a move below `parent`, by the grants of today."""
    before = {*TeamLineage.objects.filter(descendant=team).values_list("ancestor", flat=True)}
    after = {team.pk}
    if parent is not None:
        after |= {*TeamLineage.objects.filter(descendant=parent).values_list("ancestor", flat=True)}
    names = Names.known_to(asker)

    def told(teams: set[int], others: set[int]) -> list[Shift]:
        place = Place(team.pk, tuple(teams))
        kept = {_same(each) for each in holders([Place(team.pk, tuple(others))])}
        found = {
            Shift(
                _("Group %(name)s") % {"name": each.holder} if each.group else each.holder,
                each.grant.label,
                names.team(each.team, place),
            )
            for each in holders([place])
            if _same(each) not in kept
        }
        return sorted(found, key=lambda shift: (shift.who, shift.by, shift.where))

    return told(after, before), told(before, after)


def _same(held: Held) -> tuple[str, str, Grant]:
    """One holder and one grant, wherever it is given."""
    return (held.holder_key, held.group, held.grant)
