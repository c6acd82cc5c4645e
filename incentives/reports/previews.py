"""What a version of a plan pays from nothing to twice the target, as a table and a chart for whoever judges it."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.utils.translation import gettext as _

from incentives.models import PlanVersion
from incentives.plain.preview import Point, preview
from incentives.plain.statement import percent
from incentives.plain.terms import Terms, read
from incentives.reports.amounts import amount_words


@dataclass(frozen=True)
class Preview:
    """`warnings`: what is allowed and yet seldom meant."""

    terms: Terms
    points: tuple[Point, ...]

    @property
    def warnings(self) -> list[str]:
        return self.terms.warnings

    @property
    def rows(self) -> list[tuple[str, Point, str]]:
        """Attainment, the point, and what it pays, in words."""
        return [(percent(point.attainment), point, amount_words(point.amount)) for point in self.points]

    @property
    def chart(self) -> dict[str, Any]:
        """Amounts as exact texts; the chart reads them as numbers."""
        amounts = [f"{point.amount:f}" for point in self.points]
        label = _("Pays, %(currency)s") % {"currency": self.terms.currency}
        return {
            "labels": [words for words, _point, _amount in self.rows],
            "amounts": [{"label": label, "data": amounts, "type": "line", "stepped": self.terms.kind == "step"}],
        }


def previewed(version: PlanVersion, *, wage: Decimal, target: Decimal) -> Preview:
    terms = read(version.terms)
    return Preview(terms, tuple(preview(terms, wage=Fraction(wage), target=Fraction(target))))
