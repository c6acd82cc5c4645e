"""A tried plan as its page shows it: what it would cost beside what was paid, who gains and loses, who stands near an edge."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from incentives import words
from incentives.models import Simulation
from incentives.plain.terms import Terms, read
from incentives.reports.amounts import sums_words


@dataclass(frozen=True)
class Change:
    """What the month would bring somebody instead of what it brought."""

    name: str
    before: str
    after: str
    difference: str


@dataclass(frozen=True)
class Edge:
    """A tier, and how many lines stand just below it and just on or above it."""

    place: int
    edge: str
    below: int
    above: int


@dataclass(frozen=True)
class Trial:
    simulation: Simulation
    terms: Terms

    @property
    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = self.simulation.result
        return found

    @property
    def before(self) -> str:
        return self._sum(self.result["before"])

    @property
    def after(self) -> str:
        return self._sum(self.result["after"])

    @property
    def difference(self) -> str:
        return self._signed(Decimal(self.result["after"]) - Decimal(self.result["before"]))

    @property
    def gains(self) -> list[Change]:
        return [self._change(row) for row in self.result["gains"]]

    @property
    def loses(self) -> list[Change]:
        return [self._change(row) for row in self.result["loses"]]

    @property
    def near(self) -> list[Edge]:
        edges = {place: words.edge(self.terms, tier) for place, tier in enumerate(self.terms.tiers, 1)}
        return [
            Edge(row["place"], edges.get(row["place"], "–"), row["below"], row["above"]) for row in self.result["near"]
        ]

    @property
    def chart(self) -> dict[str, Any]:
        """Cost before and after, and where lines stand by the edges; amounts as exact texts."""
        cost = _("Cost, %(currency)s") % {"currency": self.result["currency"]}
        return {
            "costs": [_("Paid"), _("With this version")],
            "cost": [{"label": cost, "data": [self.result["before"], self.result["after"]]}],
            "edges": [_("Tier %(place)d, %(edge)s") % {"place": row.place, "edge": row.edge} for row in self.near],
            "near": [
                {"label": _("just below"), "data": [row.below for row in self.near]},
                {"label": _("on it or just above"), "data": [row.above for row in self.near]},
            ],
        }

    def _change(self, row: dict[str, Any]) -> Change:
        difference = Decimal(row["after"]) - Decimal(row["before"])
        return Change(row["name"], self._sum(row["before"]), self._sum(row["after"]), self._signed(difference))

    def _sum(self, amount: Decimal | str) -> str:
        return sums_words({self.result["currency"]: amount})

    def _signed(self, amount: Decimal) -> str:
        return f"+{self._sum(amount)}" if amount > 0 else self._sum(amount)


def trial(simulation: Simulation) -> Trial:
    return Trial(simulation, read(simulation.version.terms))
