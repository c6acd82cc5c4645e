"""What a run posts is what the second calculator makes of facts that plain Python has collected from the rows.

Nothing of `incentives.figures`, `places`, `cases` or `pay` is used on the second path: only the models, and the reference.
"""

import random
from collections import Counter, defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction

from approvals.models import ApprovalRequest
from incentives.models import Attainment, Correction, DayRecord, Entry, GateOverride, PlanVersion
from incentives.plain import reference
from incentives.services import runs
from performance.models import AgentDay
from tests import make
from tests.incentives import ground
from tests.incentives.months import MARCH
from tests.incentives.plans import gate, terms, tiers

CASES, SEED = 64, 20261128
NOW = datetime(2026, 4, 12, 12, tzinfo=UTC)  # of March the last five days are not final by a window of 16 days
FIRST = date(2026, 2, 1)  # of the made-up days: the 28 days before a line count as well
PAIRS = {"satisfaction": ("satisfied", "rated"), "closure": ("resolved", "judged")}
COUNTS = ("contacts", "closed_simple", "closed_complex", "reopened", "satisfied", "rated", "resolved", "judged")
CAUSES = ("leave", "training", "coaching", "outage", "overtime")
TARGETS = {"volume": "50", "closure": "0.8", "satisfaction": "0.9"}
PERIODS = ("shift_day", "week", "month")
KINDS = ("step", "interpolated", "marginal", "whole_volume")


# -- made up -------------------------------------------------------------------------------------------------------------


def made_up_terms(dice: random.Random, number: int) -> dict[str, Any]:
    """Terms of each period and kind in turn, with edges that the made-up days meet exactly now and then."""
    kind = KINDS[number % 4]
    by_share = kind in ("step", "interpolated")
    several = by_share and dice.random() < 0.3
    by_units = not several and dice.random() < 0.2
    edges = sorted(dice.sample(range(20, 160, 10), dice.randint(1, 3)))
    is_ratio = by_share and not several and not by_units and dice.random() < 0.3
    metric = "closure" if is_ratio else "volume"
    measures = [{"metric": metric, "weight": "0.6" if several else "1", "is_ratio": is_ratio}]
    if several:
        measures.append({"metric": "satisfaction", "weight": "0.4", "is_ratio": True})
    counts = dice.choice([("1", "1"), ("1", "2.5"), ("0.5", "2")])
    effects = {of: dice.choice(["zero", "demote", "factor", "hold"]) for of in ("satisfaction", "closure", "critical")}
    chosen = dice.sample(["satisfaction", "closure", "critical", "certificate"], dice.randint(0, 3))
    return terms(
        measures=measures,
        period=PERIODS[number % 3],
        kind=kind,
        edges="units" if by_units else "attainment",
        boundary=dice.choice(["reached", "passed"]),
        stacked=kind == "step" and dice.random() < 0.3,
        tiers=tiers(
            *(
                (str(edge if by_units else Decimal(edge) / 100), str(Decimal(dice.randint(1, 60)) / 100))
                for edge in edges
            )
        ),
        gates=[
            gate(
                of,
                at_least=dice.choice(["0.9", "0.8", "0.85"]),
                smallest=dice.choice([0, 5, 12]),
                fallback=dice.choice(["rolling", "team", "waive", "fail"]),
                effect=effects.get(of, "zero"),
                factor="0.5" if effects.get(of) == "factor" else None,
            )
            for of in chosen
        ],
        proration={cause: dice.random() < 0.7 for cause in (*CAUSES, "ramp")},
        rounding={"unit": dice.choice(["0.01", "0.05", "1"]), "mode": dice.choice(["half_up", "half_even", "down"])},
        complexity=dict(zip(("simple", "complex"), counts, strict=True)),
        exclude={"reopened": metric == "volume" and counts[0] == counts[1] and dice.random() < 0.7},
        late_days=16,
        day_minutes=dice.choice([480, 450]),
    )


def make_up_days(dice: random.Random, world: Any) -> None:
    days, records = [], {}
    for agent in world.agents:
        span = (MARCH.last - FIRST).days
        for offset in sorted(dice.sample(range(span + 1), 9)):
            rated, judged = dice.randint(0, 14), dice.randint(0, 14)
            simple, hard = dice.choice([0, 10, 30, 45]), dice.choice([0, 0, 5, 20])
            days.append(
                AgentDay(
                    agent=agent, team=agent.team, zone="UTC", day=FIRST + timedelta(days=offset),
                    contacts=simple + hard, closed=simple + hard, closed_simple=simple, closed_complex=hard,
                    reopened=dice.choice([0, 0, 3]), rated=rated, satisfied=dice.randint(rated * 3 // 4, rated),
                    judged=judged, resolved=dice.randint(judged * 3 // 4, judged),
                )
            )  # fmt: skip
            if dice.random() < 0.6:
                what, amount = dice.choice(
                    [*((cause, dice.choice([30, 120, 240, 480])) for cause in CAUSES), ("ramp", "0.6"), ("critical", 1)]
                )
                near = days[-1].day + timedelta(days=dice.choice([0, 0, 0, 1]))
                records[agent.pk, near, what] = amount
        if dice.random() < 0.5:
            records[agent.pk, dice.choice([date(2025, 4, 2), date(2026, 3, 10)]), "certificate"] = 1
    AgentDay.objects.bulk_create(days)
    DayRecord.objects.bulk_create(
        DayRecord(agent_id=agent, day=day, what=what, amount=Decimal(amount), made_by=world.by)
        for (agent, day, what), amount in records.items()
    )


def make_up_decisions(dice: random.Random, world: Any) -> None:
    """Corrected counts and lifted gates, as decisions leave them."""
    row = dice.choice(list(AgentDay.objects.filter(day__gte=MARCH.first).order_by("pk")))
    Correction.objects.create(
        agent_id=row.agent_id, day=row.day, count="closed_simple", by_how_much=7, request=world.request
    )
    Correction.objects.create(
        agent_id=row.agent_id, day=row.day, count="resolved", by_how_much=1, request=world.request
    )
    Correction.objects.create(agent_id=row.agent_id, day=row.day, count="judged", by_how_much=1, request=world.request)
    lines = list(Attainment.objects.exclude(missed="").order_by("pk"))
    for line in dice.sample(lines, min(2, len(lines))):
        GateOverride.objects.create(
            agent_id=line.agent_id, version_id=line.version_id, begins=line.begins, gate=line.missed.split(",")[0],
            request=world.request,
        )  # fmt: skip


# -- the second path -----------------------------------------------------------------------------------------------------


class Plainly:
    """All rows of a world as dictionaries, and the amounts they come to by the terms of one version."""

    def __init__(self, world: Any, version: PlanVersion) -> None:
        self.world, self.version, self.terms = world, version, version.terms
        self.counts: dict[tuple[int, date], Counter[str]] = defaultdict(Counter)
        for row in AgentDay.objects.values("agent", "day", *COUNTS):
            self.counts[row["agent"], row["day"]].update({name: row[name] for name in COUNTS})
        for agent, day, name, more in Correction.objects.values_list("agent", "day", "count", "by_how_much"):
            self.counts[agent, day][name] += more
        self.records: dict[tuple[int, date], dict[str, Fraction]] = defaultdict(dict)
        for agent, day, what, amount in DayRecord.objects.values_list("agent", "day", "what", "amount"):
            self.records[agent, day][what] = Fraction(amount)
        self.lifted = defaultdict(list)
        for agent, begins, of in GateOverride.objects.values_list("agent", "begins", "gate"):
            self.lifted[agent, begins].append(of)

    def spans(self) -> list[tuple[date, date]]:
        period = self.terms["period"]
        if period == "shift_day":
            return [(day, day) for day in MARCH.days()]
        if period == "month":
            return [(MARCH.first, MARCH.last)]
        sundays = [day for day in MARCH.days() if day.weekday() == 6]
        return [(day - timedelta(days=6), day) for day in sundays]

    def amounts(self) -> dict[tuple[int, date], tuple[Decimal, Decimal]]:
        """What is paid and withheld for each line that comes to anything."""
        found = {}
        for first, last in self.spans():
            for agent in self.world.agents:
                paid = reference.amount(self.terms, self.facts(agent.pk, first, last))
                if any(paid):
                    found[agent.pk, first] = paid
        return found

    def days(self, first: date, last: date) -> list[date]:
        return [first + timedelta(days=place) for place in range((last - first).days + 1)]

    def total(self, agents: list[int], first: date, last: date) -> Counter[str]:
        total: Counter[str] = Counter()
        for agent in agents:
            for day in self.days(first, last):
                total.update(self.counts.get((agent, day), {}))
        return total

    def facts(self, agent: int, first: date, last: date) -> dict[str, Any]:
        total = self.total([agent], first, last)
        return {
            "volumes": [self.volume(measure["metric"], total) for measure in self.terms["measures"]],
            "days": [self.day(agent, day) for day in self.days(first, last)],
            "gates": {each["of"]: self.evidence(each["of"], agent, first, last) for each in self.terms["gates"]},
            "waived": self.lifted[agent, first],
        }

    def day(self, agent: int, day: date) -> dict[str, Any]:
        counted, recorded = self.counts.get((agent, day), Counter()), self.records.get((agent, day), {})
        worked = any(counted.values()) or any(recorded.get(cause) for cause in CAUSES if cause != "overtime")
        return {
            "wage": self.world.wages[agent],
            "targets": [TARGETS[measure["metric"]] for measure in self.terms["measures"]],
            "planned": self.terms["day_minutes"] if worked else 0,
            **{cause: recorded.get(cause, Fraction(0)) for cause in CAUSES},
            "ramp": recorded.get("ramp", Fraction(1)),
        }

    def volume(self, metric: str, total: Counter[str]) -> Fraction:
        if metric in PAIRS:
            good, every = PAIRS[metric]
            return Fraction(total[good], total[every]) if total[every] else Fraction(0)
        simple, hard = Fraction(self.terms["complexity"]["simple"]), Fraction(self.terms["complexity"]["complex"])
        taken = total["reopened"] * simple if self.terms["exclude"]["reopened"] else 0
        return max(total["closed_simple"] * simple + total["closed_complex"] * hard - taken, Fraction(0))

    def evidence(self, of: str, agent: int, first: date, last: date) -> dict[str, Any]:
        is_final = last + timedelta(days=self.terms["late_days"]) < NOW.date()
        told: dict[str, Any] = {"rolling": None, "team": None, "is_final": is_final}
        if of == "critical":
            failures = [self.records.get((agent, day), {}).get("critical", 0) for day in self.days(first, last)]
            return {**told, "own": [int(sum(failures)), 1]}
        if of == "certificate":
            signed = [day for (who, day), what in self.records.items() if who == agent and "certificate" in what]
            since = last.replace(year=last.year - 1)
            return {**told, "own": [int(any(since < day <= last for day in signed)), 1]}
        everybody = [row.pk for row in self.world.agents]
        samples = {
            "own": self.total([agent], first, last),
            "rolling": self.total([agent], last - timedelta(days=27), last),
            "team": self.total(everybody, first, last),
        }
        good, every = PAIRS[of]
        return {**told, **{name: [sample[good], sample[every]] for name, sample in samples.items()}}


# -- held against each other ---------------------------------------------------------------------------------------------


@pytest.fixture
def world(north, hub):
    """Three people of one team at different wages, and a request for decisions to name."""
    for metric, value in TARGETS.items():
        ground.target(hub.team, metric=metric, value=value)
    agents = [*north.agents, make.agent(north.team, "North Agent 3")]
    ground.wage(agents[0], "300.00")
    ground.wage(agents[1], "6525", basis="monthly")
    ground.wage(agents[2], "187.35")
    wages = {agents[0].pk: "300", agents[1].pk: str(Fraction(6525) / Fraction("21.75")), agents[2].pk: "187.35"}
    request = ApprovalRequest.objects.create(
        kind="line_dispute",
        team=north.team,
        requester=hub.payroll,
        editor=hub.payroll,
        subject_key="x",
        subject_label="x",
        content={},
    )
    return SimpleNamespace(agents=agents, wages=wages, by=hub.payroll, team=north.team, hub=hub, request=request)


def posted() -> dict[tuple[int, date], tuple[Decimal, Decimal]]:
    """What the entries of each line come to."""
    sums: dict[tuple[int, date], tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for agent, begins, amount, withheld in Entry.objects.values_list("agent", "begins", "amount", "withheld"):
        paid, kept = sums[agent, begins]
        sums[agent, begins] = paid + amount, kept + withheld
    return {line: pair for line, pair in sums.items() if any(pair)}


def test_a_run_posts_what_the_reference_makes_of_the_rows(world):
    """And once facts have changed: what stood posted and the differences are the run anew."""
    met: Counter[str] = Counter()
    for number in range(CASES):
        dice = random.Random(f"{SEED}/{number}")
        with transaction.atomic():
            plan = ground.plan(world.hub.team, world.by, name=f"Plan {number}", **made_up_terms(dice, number))
            version = ground.version(plan)
            make_up_days(dice, world)
            runs.calculate(plan.pk, MARCH, now=NOW)
            expected = Plainly(world, version).amounts()
            assert posted() == expected, f"case {number}: {version.terms}"
            make_up_decisions(dice, world)
            AgentDay.objects.filter(pk__in=dice.sample(list(AgentDay.objects.values_list("pk", flat=True)), 2)).delete()
            runs.calculate(plan.pk, MARCH, now=NOW)
            changed = Plainly(world, version).amounts()
            assert posted() == changed, f"case {number}, changed: {version.terms}"
            met[version.terms["kind"]] += bool(expected)
            met[version.terms["period"]] += bool(expected)
            met["withheld"] += any(kept for _paid, kept in expected.values())
            met["differences"] += Entry.objects.filter(kind="delta").exists()
            met["lifted"] += GateOverride.objects.exists()
            transaction.set_rollback(True)
    assert len(met) == 10 and min(met.values()) >= 5, met  # the cases are such that each happens


@pytest.mark.parametrize("number", range(6))
def test_run_and_difference_are_a_run_from_scratch(world, number):
    """A month calculated, its facts changed, calculated again; beside it the changed facts calculated for the first time."""
    dice = random.Random(f"{SEED}/again/{number}")
    plan = ground.plan(world.hub.team, world.by, **made_up_terms(dice, number))
    make_up_days(dice, world)
    runs.calculate(plan.pk, MARCH, now=NOW)
    make_up_decisions(dice, world)
    AgentDay.objects.filter(day__gte=date(2026, 3, 20)).delete()
    with transaction.atomic():
        runs.calculate(plan.pk, MARCH, now=NOW)
        added = (
            posted(),
            list(Attainment.objects.order_by("agent", "begins").values_list("digest", "reached", "missed")),
        )
        transaction.set_rollback(True)
    Attainment.objects.all().delete()
    again = ground.plan(world.team, world.by, name="Anew", **ground.version(plan).terms)
    GateOverride.objects.update(version=ground.version(again))
    before = Entry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    runs.calculate(again.pk, MARCH, now=NOW)
    scratch = {(row.agent_id, row.begins): (row.amount, row.withheld) for row in Entry.objects.filter(pk__gt=before)}
    lines = list(Attainment.objects.order_by("agent", "begins").values_list("digest", "reached", "missed"))
    assert added == (scratch, lines)


def test_the_comparison_can_fail(world):
    """A wage that the second path reads otherwise shows."""
    plan = ground.plan(world.hub.team, world.by, gates=[], tiers=tiers(("0.1", "1")))
    ground.day(world.agents[0], 2, 120)
    runs.calculate(plan.pk, MARCH, now=NOW)
    assert posted() == Plainly(world, ground.version(plan)).amounts() != {}
    world.wages[world.agents[0].pk] = "300.01"
    assert posted() != Plainly(world, ground.version(plan)).amounts()
