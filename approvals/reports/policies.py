"""Rules of approval in sentences: those in force, what each kind does without any, earlier versions, and a dry run."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.utils.translation import gettext as _

from approvals import sentences
from approvals.kinds import Kind, kind_of, registered
from approvals.models import ApprovalPolicy, ApprovalRequest
from approvals.plain.differences import Piece, compared
from approvals.plain.policy import Definition, Plan, read
from approvals.services import flow
from teams.acting import system_scope
from teams.models import Team, User

TRIED = 50  # of the newest requests a dry run looks at


@dataclass(frozen=True)
class Words:
    """A policy in sentences: its rules in order, its clock, its business time."""

    rules: tuple[sentences.RuleWords, ...]
    clock: tuple[str, ...]
    hours: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{rule.name}: {rule}" for rule in self.rules]
        return "\n".join([*lines, *self.clock, *self.hours])


@dataclass(frozen=True)
class Version:
    number: int
    made_at: datetime
    made_by: str
    reason: str
    is_current: bool
    pieces: tuple[Piece, ...]  # beside the version before


@dataclass(frozen=True)
class PolicyPage:
    kind: str
    team: str
    number: int
    is_current: bool
    words: Words
    versions: tuple[Version, ...]
    running: int


@dataclass(frozen=True)
class Deciding:
    """What decides requests of a kind for a team: rules of some team above, or the standard of the kind."""

    kind: str
    team: str
    source: str
    pk: int | None
    words: Words


@dataclass(frozen=True)
class Trial:
    """One request of the past: the rule that held then, and the one that would hold now."""

    pk: int
    about: str
    at: datetime
    then: str
    now: str

    @property
    def is_other(self) -> bool:
        return self.then != self.now


def in_words(definition: Mapping[str, Any], kind: Kind | None) -> Words:
    return _words(read(definition), kind)


def _words(made: Definition, kind: Kind | None) -> Words:
    names = _names([made])
    return Words(
        tuple(sentences.in_words(made, kind.facts if kind else (), names)),
        tuple(sentences.clock(made.clock)),
        tuple(sentences.timetable(made.timetable)),
    )


def _names(definitions: Iterable[Definition]) -> sentences.Names:
    sources = [
        source
        for made in definitions
        for rule in (*made.rules, made.otherwise)
        for step in rule.steps
        for source in (step.source, step.fallback)
    ]
    people = {source.user for source in sources if source.user}
    groups = {source.group for source in sources if source.group}
    return sentences.Names(
        {user.pk: str(user) for user in User.objects.filter(pk__in=people)} if people else {},
        dict(Group.objects.filter(pk__in=groups).values_list("pk", "name")) if groups else {},
    )


def _kind(name: str) -> Kind | None:
    try:
        return kind_of(name)
    except LookupError:
        return None


def standards() -> list[Deciding]:
    """What each kind does where no team has rules."""
    return [
        Deciding(str(kind.title), "", _("The standard of this kind"), None, in_words(kind.standard(), kind))
        for kind in registered()
    ]


def policy_page(policy: ApprovalPolicy, reader: Any) -> PolicyPage:
    """The rules of one version, and all versions of this team and kind, the newest first."""
    kind = _kind(policy.kind)
    rows = list(
        ApprovalPolicy.objects.visible_to(reader)
        .filter(team=policy.team_id, kind=policy.kind)
        .select_related("made_by")
        .order_by("number")
    )
    running = ApprovalRequest.objects.visible_to(reader).open().filter(policy=policy).count()
    return PolicyPage(
        str(kind.title) if kind else policy.kind, policy.team.name, policy.number, policy.is_current,
        in_words(policy.definition, kind), tuple(_versions(rows, kind)), running,
    )  # fmt: skip


def _versions(rows: Sequence[ApprovalPolicy], kind: Kind | None) -> list[Version]:
    made, before = [], ""
    for row in rows:
        after = str(in_words(row.definition, kind))
        pieces = tuple(compared(before, after)) if before else ()
        made.append(Version(row.number, row.made_at, str(row.made_by or ""), row.reason, row.is_current, pieces))
        before = after
    return made[::-1]


def deciding(team: Team, kind: Kind) -> Deciding:
    """Which rules decide for `team`: those of the nearest team above that has any. Who leads a team is told, also where the
    rules were written higher than they see."""
    with system_scope("rules of a team above hold for those below, and are told to who leads them"):
        policy = flow.policy_for(kind.name, team.pk)
        if policy is None:
            return Deciding(
                str(kind.title), team.name, _("The standard of this kind: no team above has rules of its own."), None,
                in_words(kind.standard(), kind),
            )  # fmt: skip
        source = _("Rules of %(team)s, version %(number)d") % {"team": policy.team.name, "number": policy.number}
        return Deciding(str(kind.title), team.name, source, policy.pk, in_words(policy.definition, kind))


def dry_run(kind: Kind, team: Team, definition: Mapping[str, Any], reader: Any) -> list[Trial]:
    """What the rules would have said of the newest requests of this kind in the team and below, by what was measured then."""
    made = read(definition, kind.facts)
    rows = (
        ApprovalRequest.objects.visible_to(reader)
        .filter(kind=kind.name, team__in=Team.objects.visible_to(reader).below(team), submitted_at__isnull=False)
        .order_by("-submitted_at", "-pk")[:TRIED]
    )
    trials = []
    for row in rows:
        kept = Plan.from_json(row.plan)
        trials.append(
            Trial(
                row.pk, row.subject_label, row.submitted_at or row.made_at, _said(kept.rule, kept.outcome),
                _said(*_matching(made, kept.measured)),
            )
        )  # fmt: skip
    return trials


def _matching(made: Definition, measured: Mapping[str, Any]) -> tuple[str, str]:
    rule = made.matching(measured)
    return rule.name, rule.outcome


def _said(rule: str, outcome: str) -> str:
    return f"{_(rule) if rule else _('Last word')}: {sentences.OUTCOMES[outcome]}"
