"""The distinct cases among laid-out lines, each calculated once by both calculators.

What a line is worth depends on counts, minutes and gates (a case); what is paid, on that and the wages of its days (a pair).
Cases are read and written in portions, so memory does not grow with the lines. A difference between the two calculators stops
the run: nothing is posted, and somebody is told.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import islice
from typing import Any

from django.db import connection

from incentives.plain import reference, wages
from incentives.plain.pay import Day, Evidence, Facts, Sample, Worth, amounts, base_of, worth
from incentives.plain.terms import RATIOS, Terms
from incentives.plain.wages import Lack, Wage

PORTION = 2000
PROBE = Fraction(1_000_003, 7)  # a wage whose shares are seldom round: what differs a little shows
NUMBERS = ("planned", "leave", "training", "coaching", "outage", "overtime")

PREPARE = """
DROP TABLE IF EXISTS incentives_alike, incentives_case, incentives_pair;
CREATE TEMP TABLE incentives_case (id int, work text, missed text, waits text, attained numeric, reached int, demoted int)
    ON COMMIT DROP;
CREATE TEMP TABLE incentives_pair (case_id int, wages text, amount numeric, withheld numeric, told jsonb, lack text)
    ON COMMIT DROP;
"""
ALIKE = """
CREATE TEMP TABLE incentives_alike ON COMMIT DROP AS SELECT DISTINCT work, missed, waits, wages FROM incentives_line
"""
CASES = "SELECT DISTINCT work, missed, waits FROM incentives_alike"
PAIRS = """
SELECT incentives_case.id, work, missed, waits, wages FROM incentives_alike JOIN incentives_case USING (work, missed, waits)
"""


class Mismatch(Exception):
    """The two calculators do not agree on a case: nothing of this run may be posted."""


def calculate(terms: Terms, declared: Mapping[str, Any]) -> None:
    """Work out all lines of `incentives_line`: makes `incentives_case` and `incentives_pair`. `declared` are the same terms as
    JSON, for the second calculator. Raises Mismatch."""
    with connection.cursor() as cursor:
        cursor.execute(PREPARE)
        cursor.execute(ALIKE)
    number = 0
    for rows in _portions(CASES):
        made = []
        for work, missed, waits in rows:
            number += 1
            found = worth_of(terms, work, missed, waits)
            check(terms, declared, work, missed, waits, found)
            attained = None if found.attainment is None else _cut(found.attainment)
            made.append((number, work, missed, waits, attained, found.reached, found.demoted))
        _copy("incentives_case (id, work, missed, waits, attained, reached, demoted)", made)
    for rows in _portions(PAIRS):
        _copy(
            "incentives_pair (case_id, wages, amount, withheld, told, lack)",
            [
                (case, held, *paid(terms, declared, work, worth_of(terms, work, missed, waits), held))
                for case, work, missed, waits, held in rows
            ],
        )


def _portions(statement: str) -> Iterator[list[tuple[Any, ...]]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement)
        while rows := cursor.fetchmany(PORTION):
            yield rows


def _copy(table: str, rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _cut(number: Fraction) -> Decimal:
    """For lists alone: six places, cut off, so that nothing is shown as reached that was not."""
    return Decimal(number.numerator * 10**6 // number.denominator).scaleb(-6)


# -- from text to numbers ------------------------------------------------------------------------------------------------


def days_of(work: Mapping[str, Any], daily: Iterable[Fraction] | None = None) -> tuple[Day, ...]:
    """The days of a line; `daily` are their wages, one for each."""
    rows = work["days"]
    held = list(daily) if daily is not None else [Fraction(0)] * len(rows)
    return tuple(
        Day(
            wage,
            tuple(map(Fraction, row["targets"])),
            **{name: Fraction(row.get(name, 0)) for name in NUMBERS},
            ramp=Fraction(row.get("ramp", 1)),
        )
        for row, wage in zip(rows, held, strict=True)
    )


def volumes_of(work: Mapping[str, Any]) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, work["volumes"]))


def facts_of(told: Mapping[str, Any], daily: Iterable[str | Fraction]) -> Facts:
    """The facts that a line was calculated from, as they are kept with it."""

    def sample(pair: list[int] | None) -> Sample | None:
        return Sample(*pair) if pair is not None else None

    gates = {
        of: Evidence(sample(seen.get("own")), sample(seen.get("rolling")), sample(seen.get("team")), seen.get("is_final", True))
        for of, seen in told.get("gates", {}).items()
    }  # fmt: skip
    return Facts(
        volumes_of(told),
        days_of(told, [Fraction(wage) for wage in daily]),
        gates,
        {why: Fraction(much) for why, much in told.get("excluded", {}).items()},
        frozenset(told.get("waived", ())),
    )


def worth_of(terms: Terms, work: str, missed: str, waits: str) -> Worth:
    told = json.loads(work)
    return worth(terms, volumes_of(told), days_of(told), _names(missed), _names(waits))


def _names(text: str) -> frozenset[str]:
    return frozenset(filter(None, text.split(",")))


def check(terms: Terms, declared: Mapping[str, Any], work: str, missed: str, waits: str, found: Worth) -> None:
    """Hold one case against the second calculator, at a wage that is nobody's."""
    told = json.loads(work)
    days = [{**dict.fromkeys(NUMBERS, 0), "ramp": "1", **row, "wage": str(PROBE)} for row in told["days"]]
    gates = {gate.of: _as_if(gate, gate.of not in _names(missed), gate.of not in _names(waits)) for gate in terms.gates}
    wanted = reference.amount(declared, {"volumes": told["volumes"], "days": days, "gates": gates})
    base = base_of(terms, days_of(told, [PROBE] * len(days)))
    if amounts(terms, found, base) != wanted:
        raise Mismatch(f"{work} with {missed or 'all gates met'}: {amounts(terms, found, base)}, and again {wanted}")


def _as_if(gate: Any, is_met: bool, is_final: bool) -> dict[str, Any]:
    """Evidence by which a gate is met, or not."""
    many = max(gate.smallest, 1)
    own = [many if is_met else 0, many if gate.of in RATIOS else 1]
    if gate.of == "critical":
        own = [0 if is_met else 1, 1]
    return {"own": own, "rolling": None, "team": None, "is_final": is_final}


def paid(
    terms: Terms, declared: Mapping[str, Any], work: str, found: Worth, held: str
) -> tuple[Decimal | None, Decimal | None, str, str]:
    """What a case pays at the wages of a line: amount, withheld, the exact daily wages as JSON, and what is lacking."""
    told = json.loads(work)
    daily, lack = daily_wages(terms, held, len(told["days"]))
    if lack and not terms.pays_by_unit and found.attainment is not None:
        return None, None, "[]", lack
    base = base_of(terms, days_of(told, daily))
    paid_out, withheld = amounts(terms, found, base)
    if found.attainment is not None:
        again = reference.rounded(found.gross(base) * found.keep, declared)
        if again != (withheld if found.is_held else paid_out):
            raise Mismatch(f"{work} at {held}: {paid_out + withheld}, and again {again}")
    return paid_out, withheld, json.dumps([str(wage) for wage in daily]), ""


def daily_wages(terms: Terms, held: str, days: int) -> tuple[list[Fraction], str]:
    """The daily wages of a line from its text, one for each day, or what is lacking. Where units are paid none is needed."""
    found: list[Fraction] = []
    for told in islice(held.split(",") if held else (), days):
        wage = _daily(terms, told)
        if isinstance(wage, Lack):
            return [Fraction(0)] * days, wage.value
        found.append(wage)
    return found, ""


def _daily(terms: Terms, told: str) -> Fraction | Lack:
    if told == "-":
        return Lack.NO_WAGE
    basis, amount, currency, scheduled = (*told.split(":"), "")[:4]
    wage = Wage(basis == "monthly", Decimal(amount), currency, date.min)
    return wages.of_day([wage], date.min, terms, lambda _month: int(scheduled or 0))
