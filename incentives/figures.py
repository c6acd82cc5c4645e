"""The lines of one version of a plan for a month, laid out by sets: counts, minutes, targets, gates and wages of each.

What a line rests on becomes a short text that is the same for all lines alike. Each distinct text is calculated once, by both
calculators (`incentives.cases`), so a month of 20,000 people takes a few hundred calculations. All of it stands in temporary
tables of the transaction; nothing is written here. System scope.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from incentives import supply
from incentives.places import Place, roles_under
from incentives.plain.periods import Span, spans_of
from incentives.plain.terms import RATIOS, Effect, Fallback, Gate, Terms, text
from performance.metrics import METRICS
from performance.reports.mine import goals
from teams.models import Agent

WEIGHED = "volume"  # the measure that counts contacts by their complexity
RATIO_OF = {"satisfaction": ("satisfied", "rated"), "closure": ("resolved", "judged")}
COUNTS = ("contacts", "closed_simple", "closed_complex", "reopened", "satisfied", "rated", "resolved", "judged")
CORRECTED = COUNTS[1:]
ROLLING = timedelta(days=27)  # and the day itself
BEGINS = {
    "shift_day": "day", "week": "date_trunc('week', day::timestamp)::date", "month": "date_trunc('month', day::timestamp)::date"
}  # fmt: skip
MINUTES = ("leave", "training", "coaching", "outage", "overtime")


@dataclass(frozen=True)
class Wanted:
    """Whose lines are laid out: of this version, for the spans that are paid with `month` and are over by `now` where their
    agent is; of all agents, or of some."""

    version: int
    terms: Terms
    month: Span
    now: datetime
    agents: Sequence[int] | None = None


def lay_out(wanted: Wanted, places: Iterable[Place]) -> None:
    """Make the temporary table `incentives_line` anew."""
    spans = spans_of(wanted.terms.period, wanted.month)
    held = [place for place in places if place.version == wanted.version]
    wished = list(
        _goals(wanted.terms, held, Span(spans[0].first, spans[-1].last))
    )  # read before a COPY has the connection
    with connection.cursor() as cursor:
        cursor.execute(PREPARE)
        with cursor.copy("COPY incentives_span (begins, ends) FROM STDIN") as copy:
            for span in spans:
                copy.write_row((span.first, span.last))
        with cursor.copy("COPY incentives_place (team_id, role, first, last) FROM STDIN") as copy:
            for place in held:
                copy.write_row((place.team, place.role, place.first, place.last))
        with cursor.copy("COPY incentives_goal (team_id, role, day, goals) FROM STDIN") as copy:
            for row in wished:
                copy.write_row(row)
        cursor.execute("ANALYZE incentives_place, incentives_span, incentives_goal")
        if wanted.agents is None:
            cursor.execute(BY_SETS)
        asked = _asked(wanted, spans)
        cursor.execute(f"CREATE TEMP TABLE incentives_candidate ON COMMIT DROP AS {_candidates(wanted.terms)}", asked)
        cursor.execute("ANALYZE incentives_candidate")
        cursor.execute(f"CREATE TEMP TABLE incentives_line ON COMMIT DROP AS {_lines(wanted.terms)}", asked)


# What stands in a CTE is not known to the planner: it would look up each of half a million lines by itself.
BY_SETS = "SET LOCAL jit = off; SET LOCAL work_mem = '64MB'; SET LOCAL enable_nestloop = off; SET LOCAL enable_mergejoin = off"

PREPARE = """
DROP TABLE IF EXISTS incentives_span, incentives_place, incentives_goal, incentives_candidate, incentives_line;
CREATE TEMP TABLE incentives_span (begins date, ends date) ON COMMIT DROP;
CREATE TEMP TABLE incentives_place (team_id bigint, role text, first date, last date) ON COMMIT DROP;
CREATE TEMP TABLE incentives_goal (team_id bigint, role text, day date, goals text) ON COMMIT DROP;
"""


@dataclass(frozen=True)
class LiveLine:
    """A line that is not over yet: its counts as they are kept with a line, and its wages as text (`incentives.cases`)."""

    facts: dict[str, Any]
    wages: str


def live(wanted: Wanted, agent: int, team: int, role: str, span: Span) -> LiveLine | None:
    """The line of one agent for a span that is going on, in two queries, or three where a gate goes by the team; None where
    nothing is known of it yet."""
    roles = {role, *(roles_under(wanted.version, team, span.last) if _needs(wanted.terms, Fallback.TEAM) else ())}
    held = [Place(team, each, wanted.version, span.first, span.last) for each in sorted(roles)]
    rows = list(_goals(wanted.terms, held, span))
    given = """
    WITH incentives_span (begins, ends) AS (VALUES (%(begins)s::date, %(ends)s::date)),
    incentives_place (team_id, role, first, last) AS (
        SELECT %(team)s::bigint, *, %(begins)s::date, %(ends)s::date FROM unnest(%(held)s::text[])
    ),
    incentives_goal (team_id, role, day, goals) AS (
        SELECT %(team)s::bigint, * FROM unnest(%(roles)s::text[], %(days)s::date[], %(goals)s::text[])
    ),
    incentives_candidate AS ({candidates}),
    """
    asked = {
        **_asked(replace(wanted, agents=[agent]), [span]), "is_going_on": True, "team": team,
        "begins": span.first, "ends": span.last, "held": sorted(roles), "roles": [row[1] for row in rows],
        "days": [row[2] for row in rows], "goals": [row[3] for row in rows],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            given.format(candidates=_candidates(wanted.terms)) + _lines(wanted.terms).partition("WITH")[2], asked
        )
        row = cursor.fetchone()
    if row is None:
        return None
    _agent, _team, _begins, _ends, work, gates, waived, _missed, _waits, wages, _digest = row
    return LiveLine(
        {**json.loads(work), "gates": json.loads(gates), "waived": waived.split(",") if waived else []}, wages
    )


def _goals(terms: Terms, held: Sequence[Place], span: Span) -> Iterable[tuple[int, str, date, str]]:
    """For each team, role and day the targets of all measures, as they stand in the text of a line; "0" where there is none."""
    roles: dict[str, set[int]] = {}
    for place in held:
        roles.setdefault(place.role, set()).add(place.team)
    known = set(Agent.objects.order_by().values_list("role", flat=True).distinct()) if len(held) > 1 else set(roles)
    for role, teams in roles.items():
        if role not in known:
            continue
        goal = goals(teams, role, span.first, span.last)
        for team in teams:
            for day in span.days():
                found = [goal(team, day, measure.metric) or Decimal(0) for measure in terms.measures]
                yield team, role, day, ",".join(f'"{value.normalize():f}"' for value in found)


def _asked(wanted: Wanted, spans: Sequence[Span]) -> dict[str, Any]:
    first, last = spans[0].first, spans[-1].last
    return {
        "first": first - ROLLING if _needs(wanted.terms, Fallback.ROLLING) else first,
        "last": last,
        "own_first": first,
        "now": wanted.now,
        "late": wanted.terms.late_days,
        "agents": list(wanted.agents) if wanted.agents is not None else None,
        "day_minutes": wanted.terms.day_minutes,
        "version": wanted.version,
        "is_going_on": False,
    }


def _needs(terms: Terms, fallback: Fallback) -> bool:
    return any(gate.of in RATIOS and gate.fallback is fallback for gate in terms.gates)


# -- the statement -------------------------------------------------------------------------------------------------------


def columns(terms: Terms) -> list[str]:
    """The measures of agent days that are added up."""
    more = {name for measure in terms.measures for name in _parts(measure.metric)}
    return [*COUNTS, *sorted(more - set(COUNTS) - {"agent_days"})]


def _parts(metric: str) -> tuple[str, ...]:
    if metric == WEIGHED:
        return ()
    definition = METRICS[metric]
    return tuple(filter(None, (definition.numerator, definition.denominator)))


def _candidates(terms: Terms) -> str:
    """Whoever is under the version, once for each span that counts; where the sample of a team stands in, all its people."""
    asked_for = "true" if _needs(terms, Fallback.TEAM) else _asked_for("held.agent_id")
    return f"""
    WITH member AS (
        SELECT held.agent_id, held.team_id, agent.role, greatest(lower(held.span), place.first) AS first,
               least(upper(held.span) - 1, place.last) AS last, (%(now)s AT TIME ZONE agent.zone)::date AS today
        FROM incentives_place place
        JOIN teams_membership held ON held.team_id = place.team_id
            AND held.span && daterange(place.first, place.last, '[]')
        JOIN teams_agent agent ON agent.id = held.agent_id AND agent.role = place.role
        WHERE {asked_for}
    )
    SELECT member.agent_id, member.team_id, member.role, span.begins, span.ends,
           span.ends + %(late)s < member.today AS is_final
    FROM member JOIN incentives_span span ON span.ends BETWEEN member.first AND member.last
    WHERE %(is_going_on)s OR span.ends < member.today
    """


def _lines(terms: Terms) -> str:
    """From whoever is under the version (`candidate`), by day (`worked`) and line, to the texts that are calculated."""
    rolling = _needs(terms, Fallback.ROLLING)
    asked_for = _a_candidate if _needs(terms, Fallback.TEAM) else _asked_for
    names = columns(terms)
    return f"""
    WITH counted AS (
        {_counted(terms, names, rolling, asked_for)}
    ), spent AS (
        SELECT agent_id, day, {_spent_columns()}
        FROM ({supply.spent()}) source WHERE {asked_for("agent_id")} GROUP BY agent_id, day
    ), worked AS (
        SELECT agent_id, day, {BEGINS[terms.period]} AS starts, {_zeroed(names)}, {_zeroed((*MINUTES, "critical"))}, ramp,
               (coalesce(contacts, 0) > 0)::int AS agent_days,
               coalesce(planned, CASE WHEN contacts > 0 OR {_within_work()} OR {_anything()}
                                 THEN %(day_minutes)s ELSE 0 END) AS planned
               {_window(rolling)}
        FROM counted FULL JOIN spent USING (agent_id, day)
    ), dayed AS (
        SELECT candidate.*, worked.day, {", ".join(f"worked.{name}" for name in _carried(names, rolling))},
               CASE WHEN worked.planned > 0 THEN {_day(terms)} END AS told, {_wage(terms)} AS wage
        FROM incentives_candidate candidate
        JOIN worked ON worked.agent_id = candidate.agent_id AND worked.starts = candidate.begins
        JOIN incentives_goal goal
            ON goal.team_id = candidate.team_id AND goal.role = candidate.role AND goal.day = worked.day
        LEFT JOIN teams_compensation pay ON pay.agent_id = candidate.agent_id AND pay.span @> worked.day
    ), line AS (
        {_line(terms, names, rolling)}
    ){_further(terms)}, judged AS (
        SELECT line.*, {_gates(terms)} FROM line {_joins(terms)}
    ), told AS (
        SELECT agent_id, team_id, begins, ends,
               concat('{{"volumes":[', {_volumes(terms)}, ']', {_excluded(terms)}, ',"days":[', days, ']}}') AS work,
               {_gates_text(terms)} AS gates, waived, concat_ws(',', {_missed(terms)}) AS missed,
               concat_ws(',', {_waits(terms)}) AS waits, coalesce(wages, '') AS wages
        FROM judged WHERE (days <> '' OR contacts > 0) AND {_asked_for("agent_id")}
        OFFSET 0  -- or each text would be put together again for everything that is made of it
    )
    SELECT agent_id, team_id, begins, ends, work, gates, waived, missed, waits, wages,
           md5(work || gates || coalesce(waived, '')) AS digest
    FROM told
    """


def _asked_for(column: str) -> str:
    return f"(%(agents)s::bigint[] IS NULL OR {column} = ANY (%(agents)s))"


def _a_candidate(column: str) -> str:
    return f"{column} IN (SELECT agent_id FROM incentives_candidate)"


def _counted(terms: Terms, names: Sequence[str], rolling: bool, asked_for: Callable[[str], str]) -> str:
    """The counts of each day, with what was put right in them."""
    corrected = ", ".join(
        f"by_how_much * (count = '{name}')::int" if name in CORRECTED else "0" for name in names
    )  # fmt: skip
    told = f"""
        SELECT agent_id, day, {", ".join(names)} FROM performance_agentday
        WHERE day BETWEEN %(first)s AND %(last)s AND {asked_for("agent_id")}
        UNION ALL
        SELECT agent_id, day, {corrected} FROM incentives_correction
        WHERE day BETWEEN %(first)s AND %(last)s AND {asked_for("agent_id")}
    """
    if (
        rolling and terms.period != "shift_day"
    ):  # 28 days end on a row: where the last day of a span has none, an empty one
        told += f"UNION ALL SELECT agent_id, ends, {', '.join('0' for _name in names)} FROM incentives_candidate"
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in names)
    return f"SELECT agent_id, day, {sums} FROM ({told}) told GROUP BY agent_id, day"


def _spent_columns() -> str:
    sums = [f"sum(amount) FILTER (WHERE what = '{what}') AS {what}" for what in (*MINUTES, "critical", "planned")]
    return ", ".join([*sums, "min(amount) FILTER (WHERE what = 'ramp') AS ramp"])


def _zeroed(names: Iterable[str]) -> str:
    return ", ".join(f"coalesce({name}, 0) AS {name}" for name in names)


def _within_work() -> str:
    """Minutes that lie in working time. Overtime, a learner's share, failures or a signature make no day a working one."""
    return " OR ".join(f"{what} > 0" for what in MINUTES if what != "overtime")


def _anything() -> str:
    """A corrected count stands for work as well, though nothing else is known of the day."""
    return " OR ".join(f"{name} <> 0" for name in CORRECTED)


def _window(rolling: bool) -> str:
    if not rolling:
        return ""
    over = "OVER (PARTITION BY agent_id ORDER BY day::timestamp RANGE BETWEEN interval '27 days' PRECEDING AND CURRENT ROW)"
    return "".join(f", sum({name}) {over} AS {name}_rolling" for pair in RATIO_OF.values() for name in pair)


def _carried(names: Sequence[str], rolling: bool) -> list[str]:
    back = [f"{name}_rolling" for pair in RATIO_OF.values() for name in pair] if rolling else []
    return [*names, "agent_days", "critical", *back]


def _day(terms: Terms) -> str:
    """One day as text. Its date stands in it only where a line has several, so that like days are one text."""
    parts = ["'{'"]
    if terms.period != "shift_day":
        parts.append("'\"on\":\"', worked.day, '\",'")
    parts.append("'\"targets\":[', goal.goals, '],\"planned\":\"', trim_scale(worked.planned::numeric), '\"'")
    for cause in MINUTES:
        parts.append(
            f"CASE WHEN worked.{cause} > 0 THEN concat(',\"{cause}\":\"', trim_scale(worked.{cause}), '\"') END"
        )
    parts.append("CASE WHEN worked.ramp IS NOT NULL THEN concat(',\"ramp\":\"', trim_scale(worked.ramp), '\"') END")
    return f"concat({', '.join(parts)}, '}}')"


def _wage(terms: Terms) -> str:
    """The wage that holds on the day, as `incentives.cases` reads it; "-" where there is none."""
    days = (
        f"""':', (SELECT count(DISTINCT source.day) FROM ({supply.spent()}) source
            WHERE source.agent_id = candidate.agent_id AND source.what = 'planned' AND source.amount > 0
              AND date_trunc('month', source.day::timestamp) = date_trunc('month', worked.day::timestamp))"""
        if terms.monthly_by == "scheduled"
        else "''"
    )
    return f"CASE WHEN pay.id IS NULL THEN '-' ELSE concat(pay.basis, ':', pay.amount, ':', pay.currency, {days}) END"


def _line(terms: Terms, names: Sequence[str], rolling: bool) -> str:
    """A day is a line by itself; of a longer span the days are added up."""
    key = "agent_id, team_id, begins, ends, is_final"
    back = [f"{name}_rolling" for pair in RATIO_OF.values() for name in pair] if rolling else []
    if terms.period == "shift_day":
        carried = ", ".join(_carried(names, rolling))
        return f"SELECT {key}, {carried}, coalesce(told, '') AS days, wage AS wages FROM dayed OFFSET 0"
    sums = ", ".join(f"sum({name}) AS {name}" for name in (*names, "agent_days", "critical"))
    last = "".join(f", max({name}) FILTER (WHERE day = ends) AS {name}" for name in back)
    return f"""
        SELECT {key}, {sums}{last}, coalesce(string_agg(told, ',' ORDER BY day), '') AS days,
               string_agg(wage, ',' ORDER BY day) FILTER (WHERE told IS NOT NULL) AS wages
        FROM dayed GROUP BY {key}
    """


# -- volumes -------------------------------------------------------------------------------------------------------------


def _volumes(terms: Terms) -> str:
    return ", ',', ".join(_volume(terms, measure.metric) for measure in terms.measures)


def _volume(terms: Terms, metric: str) -> str:
    if metric == WEIGHED:
        simple, complex_ = (_number(terms.counts_as[kind]) for kind in ("simple", "complex"))
        less = f" - reopened * {simple}" if "reopened" in terms.excluded else ""
        counted = f"greatest(closed_simple * {simple} + closed_complex * {complex_}{less}, 0)"
        return f"'\"', trim_scale(({counted})::numeric), '\"'"
    definition = METRICS[metric]
    if definition.denominator is None:
        return f"'\"', {definition.numerator}, '\"'"
    below = definition.denominator
    return f"'\"', CASE WHEN {below} > 0 THEN concat({definition.numerator}, '/', {below}) ELSE '0' END, '\"'"


def _excluded(terms: Terms) -> str:
    """What was taken out of the first measure, and why."""
    if "reopened" not in terms.excluded or terms.measures[0].metric != WEIGHED:
        return "''"
    taken = f"trim_scale((reopened * {_number(terms.counts_as['simple'])})::numeric)"
    return f'CASE WHEN reopened > 0 THEN concat(\',"excluded":{{"reopened":"\', {taken}, \'"}}\') END'


def _number(value: Any) -> str:
    """An exact number of the terms in SQL: its digits, never a float."""
    return f"{text(value)}::numeric"


# -- gates ---------------------------------------------------------------------------------------------------------------


def _further(terms: Terms) -> str:
    """What gates ask for beside the line: the team's sample, certificates; and what two people have lifted."""
    parts = [
        """, lifted AS (
        SELECT agent_id, begins, string_agg(gate, ',' ORDER BY gate) AS gates FROM incentives_gateoverride
        WHERE version_id = %(version)s GROUP BY agent_id, begins
    )"""
    ]
    if _needs(terms, Fallback.TEAM):
        sums = ", ".join(f"sum({name}) AS {name}" for pair in RATIO_OF.values() for name in pair)
        parts.append(f", together AS (SELECT team_id, begins, {sums} FROM line GROUP BY team_id, begins)")
    if any(gate.of == "certificate" for gate in terms.gates):
        signed = supply.spent().replace("%(first)s", f"(%(own_first)s::date - interval '{supply.CERTIFIED_FOR}')::date")
        parts.append(f", certified AS (SELECT agent_id, day FROM ({signed}) source WHERE what = 'certificate')")
    return "".join(parts)


def _joins(terms: Terms) -> str:
    joins = ["LEFT JOIN lifted ON lifted.agent_id = line.agent_id AND lifted.begins = line.begins"]
    if _needs(terms, Fallback.TEAM):
        joins.append("JOIN together ON together.team_id = line.team_id AND together.begins = line.begins")
    return " ".join(joins)


def _gates(terms: Terms) -> str:
    """For each gate whether it is met, and the sample of the one that stands in where one's own is too small."""
    found = ["lifted.gates AS waived"]
    for place, gate in enumerate(terms.gates):
        found.append(f"{_is_met(gate)} AS met_{place}")
        if gate.of in RATIOS and (stand_in := _stand_in(gate)) is not None:
            good, every = stand_in
            found.append(f"coalesce({good}, 0) AS good_{place}, coalesce({every}, 0) AS every_{place}")
    return ", ".join(found)


def _stand_in(gate: Gate) -> tuple[str, str] | None:
    good, every = RATIO_OF[gate.of]
    if gate.fallback is Fallback.ROLLING:
        return f"line.{good}_rolling", f"line.{every}_rolling"
    return (f"together.{good}", f"together.{every}") if gate.fallback is Fallback.TEAM else None


def _is_met(gate: Gate) -> str:
    if gate.of == "critical":
        return "line.critical = 0"
    if gate.of == "certificate":
        return f"""EXISTS (SELECT 1 FROM certified WHERE certified.agent_id = line.agent_id AND certified.day <= line.ends
                   AND certified.day > line.ends - interval '{supply.CERTIFIED_FOR}')"""
    good, every = (f"line.{name}" for name in RATIO_OF[gate.of])
    small = {Fallback.WAIVE: "true", Fallback.FAIL: "false"}.get(gate.fallback)
    if small is None:
        other_good, other_every = _stand_in(gate) or ("0", "0")
        small = f"coalesce({other_every} > 0 AND {_enough(gate, other_good, other_every)}, false)"
    return f"CASE WHEN {_is_enough(gate, every)} THEN {_enough(gate, good, every)} ELSE {small} END"


def _is_enough(gate: Gate, every: str) -> str:
    return f"{every} >= {max(gate.smallest, 1)}"


def _enough(gate: Gate, good: str, every: str) -> str:
    """Compared exactly, multiplied out."""
    return f"{good} * {gate.at_least.denominator} >= {every} * {gate.at_least.numerator}"


def _gates_text(terms: Terms) -> str:
    pieces = []
    for place, gate in enumerate(terms.gates):
        final = "CASE WHEN is_final THEN '' ELSE ',\"is_final\":false' END" if gate.effect is Effect.HOLD else "''"
        if gate.of == "critical":
            own = "'[', critical, ',', critical, ']'"
        elif gate.of == "certificate":
            own = f"'[', met_{place}::int, ',1]'"
        else:
            good, every = RATIO_OF[gate.of]
            own = f"'[', {good}, ',', {every}, ']'"
            if _stand_in(gate) is not None:
                beside = f"concat(',\"{gate.fallback.value}\":[', good_{place}, ',', every_{place}, ']')"
                own += f", CASE WHEN NOT {_is_enough(gate, every)} THEN {beside} END"
        pieces.append(f"'\"{gate.of}\":{{\"own\":', {own}, {final}, '}}'")
    told = ", ',', ".join(pieces) or "NULL"
    return f"concat('{{', {told}, '}}')"


def _lifted(gate: Gate) -> str:
    return f"coalesce('{gate.of}' = ANY (string_to_array(waived, ',')), false)"


def _missed(terms: Terms) -> str:
    """Gates that take something: one that holds takes nothing before its data is final."""
    found = [
        f"CASE WHEN NOT met_{place} AND NOT {_lifted(gate)}"
        f"{' AND is_final' if gate.effect is Effect.HOLD else ''} THEN '{gate.of}' END"
        for place, gate in enumerate(terms.gates)
    ]
    return ", ".join(found) or "NULL"


def _waits(terms: Terms) -> str:
    found = [
        f"CASE WHEN NOT is_final AND NOT {_lifted(gate)} THEN '{gate.of}' END"
        for gate in terms.gates
        if gate.effect is Effect.HOLD
    ]
    return ", ".join(found) or "NULL"
