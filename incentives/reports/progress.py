"""How far a day is in money: what stands, what each further tier would pay. The one who asks, or whoever may see amounts.

The same engine as a run's; nothing is worked out by the browser. Four queries, of a day that has been five.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil

from django.utils import timezone
from django.utils.translation import gettext as _

from incentives import cases, figures
from incentives.models import PlanVersion
from incentives.places import version_for
from incentives.plain.pay import Facts, Line, Step, ahead, line
from incentives.plain.periods import Span, measured, month_of
from incentives.plain.statement import gate_told, percent
from incentives.plain.terms import Terms, read
from incentives.words import LACKS, metric_names, money
from performance.reports.mine import Progress as Counted
from teams.acting import system_scope
from teams.clock import local_day
from teams.models import Agent

MOST_MORE = 10_000  # of a what-if
OWN = "what a person earns today is worked out from their own rows and the plan of their team"


@dataclass(frozen=True)
class Progress:
    """`line` is None where the day has no facts yet; `lack` says why there is no wage to pay a share of."""

    version: PlanVersion
    terms: Terms
    span: Span
    facts: Facts | None
    line: Line | None
    steps: tuple[Step, ...]
    lack: str = ""

    @property
    def done(self) -> int:
        return int(self.facts.volumes[0]) if self.facts is not None else 0

    @property
    def target(self) -> int | None:
        """What is asked, in whole contacts."""
        if self.line is None or self.terms.measures[0].is_ratio or not self.line.targets[0]:
            return None
        return ceil(self.line.targets[0])

    @property
    def to_go(self) -> int:
        return max((self.target or 0) - self.done, 0)

    @property
    def attainment(self) -> str:
        return percent(self.line.attainment) if self.line is not None and self.line.attainment is not None else ""

    @property
    def amount(self) -> Decimal | None:
        return self.line.amount if self.line is not None and not self.lack else None

    @property
    def is_money_known(self) -> bool:
        """Whether there is an amount to tell: a line, and what it is a share of."""
        return self.amount is not None

    @property
    def gates(self) -> list[tuple[str, bool]]:
        """Each gate as a fraction, and whether it is met by now."""
        return [(gate_told(result), result.is_met) for result in self.line.gates] if self.line is not None else []

    @property
    def words(self) -> str:
        """As the page of the day says it, "90 done, 10 to go"; of a ratio what it comes to."""
        if self.line is None or self.facts is None:
            return _("Nothing is counted yet.")
        first = self.terms.measures[0]
        if first.is_ratio:
            name = metric_names().get(first.metric, first.metric)
            return _("%(name)s: %(value)s") % {"name": name, "value": percent(self.facts.volumes[0])}
        return Counted(self.done, self.target).words

    @property
    def ahead_words(self) -> list[str]:
        """ "10 more and it is 60.00 CNY" for each tier ahead; nothing where there is no wage to pay a share of."""
        if self.lack:
            return []
        told = {"currency": self.terms.currency}
        return [
            _("%(more)d more and it is %(amount)s %(currency)s")
            % {**told, "more": step.more, "amount": money(step.amount)}
            for step in self.steps
        ]

    @property
    def lack_words(self) -> str:
        return str(LACKS[self.lack]) if self.lack else ""


def progress(agent: Agent, day: date) -> Progress | None:
    """The line of `agent` that `day` belongs to, as far as it is; None where no plan holds for them."""
    with system_scope(OWN):
        team = _team_on(agent, day)
        version = version_for(agent, team, day) if team is not None else None
        if version is None:
            return None
        terms = read(version.terms)
        span = measured(terms.period, day)
        wanted = figures.Wanted(version.pk, terms, month_of(span.last), timezone.now())
        live = figures.live(wanted, agent.pk, team, agent.role, span) if team is not None else None
    if live is None:
        return Progress(version, terms, span, None, None, ())
    told = live.facts
    daily, lack = cases.daily_wages(terms, live.wages, len(told["days"]))
    facts = cases.facts_of(told, daily or [Fraction(0)] * len(told["days"]))
    made = line(terms, facts)
    if terms.pays_by_unit or not made.is_eligible:
        lack = ""  # nobody's wage is asked for
    return Progress(version, terms, span, facts, made, tuple(ahead(terms, facts)), lack)


def _team_on(agent: Agent, day: date) -> int | None:
    """The home team on a day: of today the agent's own row tells."""
    if day == local_day(timezone.now(), agent.zone):
        return agent.team_id
    return agent.memberships.filter(span__contains=day).values_list("team", flat=True).first()


def what_if(found: Progress, more: int) -> Line | None:
    """The line with `more` units of the first measure; None where there is none, or nothing that could be done more of."""
    if found.facts is None or found.lack or found.terms.measures[0].is_ratio:
        return None
    return line(found.terms, replace(found.facts, volumes=(found.facts.volumes[0] + more, *found.facts.volumes[1:])))
