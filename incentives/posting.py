"""What becomes of calculated lines: attainments are brought up to date, and entries posted for what is not posted yet.

An entry is a line, posted once, or the difference to all that stands posted for it. A line that pays nothing posts nothing.
Asking again adds nothing. System scope, in the transaction that holds the run.
"""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from incentives.plain.periods import Span


@dataclass(frozen=True)
class Into:
    """Where entries go: `month` takes new lines, `open_month` (the same while it is open) takes differences. `cause` is that of
    differences; a number is put behind it, so that each stands by itself."""

    plan: int
    version: int
    month: Span
    open_month: Span
    spans: Span  # from the first day of the first line to the last day of the last
    cause: str
    currency: str
    agents: list[int] | None = None

    @property
    def asked(self) -> dict[str, Any]:
        return {
            "plan": self.plan, "version": self.version, "month": self.month.first, "open_month": self.open_month.first,
            "is_open": self.month == self.open_month, "first": self.spans.first, "last": self.spans.last,
            "cause": self.cause, "currency": self.currency, "agents": self.agents,
        }  # fmt: skip


@dataclass(frozen=True)
class Posted:
    """How many attainments were made or changed, and how many entries were added."""

    attainments: int
    entries: int


def post(into: Into) -> Posted:
    """Bring attainments and entries to what `incentives_line`, `incentives_case` and `incentives_pair` say."""
    with connection.cursor() as cursor:
        cursor.execute(CALCULATED)
        cursor.execute("ANALYZE incentives_calculated")
        cursor.execute(KEEP_FACTS, into.asked)
        cursor.execute(FORGET, into.asked)
        cursor.execute(ATTAINMENTS, into.asked)
        attainments = cursor.rowcount
        cursor.execute(ENTRIES, into.asked)
        return Posted(attainments, cursor.rowcount)


CALCULATED = """
DROP TABLE IF EXISTS incentives_calculated;
CREATE TEMP TABLE incentives_calculated ON COMMIT DROP AS
SELECT line.agent_id, line.team_id, line.begins, line.ends,
       concat(left(line.work, -1), ',"gates":', line.gates,
              CASE WHEN line.waived IS NOT NULL THEN concat(',"waived":["', replace(line.waived, ',', '","'), '"]') END, '}')
           AS facts,
       md5(concat(line.work, line.gates, line.waived)) AS digest,
       one.attained, one.reached, one.demoted, line.missed, pair.amount, pair.withheld, pair.told AS wages, pair.lack
FROM incentives_line line
JOIN incentives_case one USING (work, missed, waits)
JOIN incentives_pair pair ON pair.case_id = one.id AND pair.wages = line.wages
"""

# Counts that an entry rests on are kept where they are about to change or go.
KEEP_FACTS = """
INSERT INTO incentives_keptfacts (digest, facts)
SELECT DISTINCT ON (stands.digest) stands.digest, stands.facts
FROM incentives_attainment stands
LEFT JOIN incentives_calculated made USING (agent_id, begins)
WHERE stands.version_id = %(version)s AND stands.begins BETWEEN %(first)s AND %(last)s
  AND (%(agents)s::bigint[] IS NULL OR stands.agent_id = ANY (%(agents)s))
  AND made.digest IS DISTINCT FROM stands.digest
  AND EXISTS (SELECT 1 FROM incentives_entry entry WHERE entry.agent_id = stands.agent_id AND entry.begins = stands.begins
              AND entry.version_id = stands.version_id AND entry.digest = stands.digest)
ON CONFLICT DO NOTHING
"""
FORGET = """
DELETE FROM incentives_attainment stands
WHERE stands.version_id = %(version)s AND stands.begins BETWEEN %(first)s AND %(last)s
  AND (%(agents)s::bigint[] IS NULL OR stands.agent_id = ANY (%(agents)s))
  AND NOT EXISTS (SELECT 1 FROM incentives_calculated made
                  WHERE made.agent_id = stands.agent_id AND made.begins = stands.begins)
"""
ATTAINMENTS = """
INSERT INTO incentives_attainment AS stands
    (agent_id, team_id, version_id, begins, ends, facts, digest, attained, reached, demoted, missed, lack)
SELECT agent_id, team_id, %(version)s, begins, ends, facts::jsonb, digest, attained, reached, demoted, missed, lack
FROM incentives_calculated
ON CONFLICT (agent_id, begins, version_id) DO UPDATE
SET team_id = excluded.team_id, ends = excluded.ends, facts = excluded.facts, digest = excluded.digest,
    attained = excluded.attained, reached = excluded.reached, demoted = excluded.demoted, missed = excluded.missed,
    lack = excluded.lack
WHERE (stands.digest, stands.team_id, stands.lack, stands.missed)
      IS DISTINCT FROM (excluded.digest, excluded.team_id, excluded.lack, excluded.missed)
"""
ENTRIES = """
WITH stands AS (
    SELECT agent_id, begins, max(ends) AS ends, max(team_id) AS team_id, sum(amount) AS amount, sum(withheld) AS withheld,
           count(*) AS entries, max(currency) AS currency
    FROM incentives_entry
    WHERE version_id = %(version)s AND kind IN ('line', 'delta') AND begins BETWEEN %(first)s AND %(last)s
      AND (%(agents)s::bigint[] IS NULL OR agent_id = ANY (%(agents)s))
    GROUP BY agent_id, begins
)
INSERT INTO incentives_entry (agent_id, team_id, plan_id, version_id, begins, ends, month, kind, cause, amount, withheld,
                              currency, wages, digest)
SELECT agent_id, coalesce(made.team_id, stands.team_id), %(plan)s, %(version)s, begins, coalesce(made.ends, stands.ends),
       CASE WHEN stands.entries IS NULL AND %(is_open)s THEN %(month)s ELSE %(open_month)s END::date,
       CASE WHEN stands.entries IS NULL AND %(is_open)s THEN 'line' ELSE 'delta' END,
       CASE WHEN stands.entries IS NULL AND %(is_open)s THEN 'line'
            ELSE concat(%(cause)s::text, ':', coalesce(stands.entries, 0) + 1) END,
       coalesce(made.amount, 0) - coalesce(stands.amount, 0), coalesce(made.withheld, 0) - coalesce(stands.withheld, 0),
       coalesce(stands.currency, %(currency)s), coalesce(made.wages, '[]'), coalesce(made.digest, '')
FROM incentives_calculated made FULL JOIN stands USING (agent_id, begins)
WHERE coalesce(made.lack, '') = ''
  AND (coalesce(made.amount, 0) <> coalesce(stands.amount, 0) OR coalesce(made.withheld, 0) <> coalesce(stands.withheld, 0))
ON CONFLICT DO NOTHING
"""
