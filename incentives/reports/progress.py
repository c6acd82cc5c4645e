"""How far a day is in money: what stands, what each further tier would pay. The one who asks, or whoever may see amounts.

The same engine as a run's; nothing is worked out by the browser. Five queries.
"""

from dataclasses import dataclass
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
from incentives.plain.statement import percent
from incentives.plain.terms import Terms, read
from incentives.words import LACKS
from teams.acting import system_scope
from teams.models import Agent

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
    def words(self) -> str:
        """ "90 done, 10 to go; 10 more and it is 60.00 CNY"."""
        if self.line is None:
            return _("Nothing is counted yet.")
        told = [_("%(done)d done") % {"done": self.done}]
        if self.target:
            told.append(_("%(count)d to go") % {"count": self.to_go} if self.to_go else _("target reached"))
        return ", ".join(told)

    @property
    def ahead_words(self) -> list[str]:
        told = {"currency": self.terms.currency}
        return [
            _("%(more)d more and it is %(amount)s %(currency)s") % {**told, "more": step.more, "amount": step.amount}
            for step in self.steps
        ]

    @property
    def lack_words(self) -> str:
        return str(LACKS[self.lack]) if self.lack else ""


def progress(agent: Agent, day: date) -> Progress | None:
    """The line of `agent` that `day` belongs to, as far as it is; None where no plan holds for them."""
    if agent.team_id is None:
        return None
    with system_scope(OWN):
        version = version_for(agent, agent.team_id, day)
        if version is None:
            return None
        terms = read(version.terms)
        span = measured(terms.period, day)
        wanted = figures.Wanted(version.pk, terms, month_of(span.last), timezone.now())
        live = figures.live(wanted, agent.pk, agent.team_id, agent.role, span)
    if live is None:
        return Progress(version, terms, span, None, None, ())
    told = live.facts
    daily, lack = cases.daily_wages(terms, live.wages, len(told["days"]))
    facts = cases.facts_of(told, daily or [Fraction(0)] * len(told["days"]))
    return Progress(version, terms, span, facts, line(terms, facts), tuple(ahead(terms, facts)), lack)


def what_if(found: Progress, more: int) -> Line | None:
    """The line with `more` units of the first measure."""
    if found.facts is None:
        return None
    volumes = (found.facts.volumes[0] + more, *found.facts.volumes[1:])
    return line(
        found.terms, Facts(volumes, found.facts.days, found.facts.gates, found.facts.excluded, found.facts.waived)
    )
