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
        cursor.execute(STANDING, into.asked)
        stands, is_paid = cursor.fetchone()
        if stands:
            cursor.execute(CHANGED, into.asked)
            cursor.execute(KEEP_FACTS, into.asked)
            cursor.execute(FORGET, into.asked)
        cursor.execute(RENEWED if stands else NEW, into.asked)
        attainments = cursor.rowcount
        cursor.execute(ENTRIES if is_paid or into.month != into.open_month else FIRST_ENTRIES, into.asked)
        return Posted(attainments, cursor.rowcount)


# Each line with what it comes to, from the temporary tables.
CALCULATED = """
    SELECT line.agent_id, line.team_id, line.begins, line.ends, line.work, line.gates, line.waived, line.digest, line.missed,
           one.attained, one.reached, one.demoted, pair.amount, pair.withheld, pair.told AS wages, pair.lack
    FROM incentives_line line
    JOIN incentives_case one USING (work, missed, waits)
    JOIN incentives_pair pair ON pair.case_id = one.id AND pair.wages = line.wages
"""
WITHIN = """
    version_id = %(version)s AND begins BETWEEN %(first)s AND %(last)s
    AND (%(agents)s::bigint[] IS NULL OR agent_id = ANY (%(agents)s))
"""
STANDING = f"""
SELECT EXISTS (SELECT 1 FROM incentives_attainment WHERE {WITHIN}), EXISTS (SELECT 1 FROM incentives_entry WHERE {WITHIN})
"""
CHANGED = f"""
DROP TABLE IF EXISTS incentives_changed;
CREATE TEMP TABLE incentives_changed ON COMMIT DROP AS
SELECT agent_id, begins, stands.digest AS former, stands.facts AS former_facts, made.digest IS NULL AS is_gone
FROM (SELECT * FROM incentives_attainment WHERE {WITHIN}) stands FULL JOIN ({CALCULATED}) made USING (agent_id, begins)
WHERE (stands.digest, stands.team_id, stands.lack, stands.missed)
      IS DISTINCT FROM (made.digest, made.team_id, made.lack, made.missed)
"""
# Counts that an entry rests on are kept where they are about to change or go.
KEEP_FACTS = """
INSERT INTO incentives_keptfacts (digest, facts)
SELECT DISTINCT ON (former) former, former_facts FROM incentives_changed changed
WHERE former IS NOT NULL
  AND EXISTS (SELECT 1 FROM incentives_entry entry WHERE entry.agent_id = changed.agent_id AND entry.begins = changed.begins
              AND entry.version_id = %(version)s AND entry.digest = changed.former)
ON CONFLICT DO NOTHING
"""
FORGET = """
DELETE FROM incentives_attainment stands USING incentives_changed changed
WHERE changed.is_gone AND stands.agent_id = changed.agent_id AND stands.begins = changed.begins
  AND stands.version_id = %(version)s
"""
FACTS = """
    (left(work, -1) || ',"gates":' || gates
     || coalesce(',"waived":["' || replace(waived, ',', '","') || '"]', '') || '}')::jsonb
"""
NEW = f"""
INSERT INTO incentives_attainment AS stands
    (agent_id, team_id, version_id, begins, ends, facts, digest, attained, reached, demoted, missed, lack)
SELECT agent_id, team_id, %(version)s, begins, ends, {FACTS}, digest, attained, reached, demoted, missed, lack
FROM ({CALCULATED}) made
"""
RENEWED = f"""
{NEW} JOIN incentives_changed USING (agent_id, begins)
ON CONFLICT (agent_id, begins, version_id) DO UPDATE
SET team_id = excluded.team_id, ends = excluded.ends, facts = excluded.facts, digest = excluded.digest,
    attained = excluded.attained, reached = excluded.reached, demoted = excluded.demoted, missed = excluded.missed,
    lack = excluded.lack
"""
INTO_ENTRIES = """
INSERT INTO incentives_entry (agent_id, team_id, plan_id, version_id, begins, ends, month, kind, cause, amount, withheld,
                              currency, wages, digest)
"""
# Where nothing of these lines has been paid, each that pays something is posted as it is.
FIRST_ENTRIES = f"""
{INTO_ENTRIES}
SELECT agent_id, team_id, %(plan)s, %(version)s, begins, ends, %(month)s, 'line', 'line', amount, withheld, %(currency)s, wages,
       digest
FROM ({CALCULATED}) made WHERE lack = '' AND (amount <> 0 OR withheld <> 0)
ON CONFLICT DO NOTHING
"""
ENTRIES = f"""
WITH stands AS (
    SELECT agent_id, begins, max(ends) AS ends, max(team_id) AS team_id, sum(amount) AS amount, sum(withheld) AS withheld,
           count(*) AS entries, max(currency) AS currency
    FROM incentives_entry WHERE {WITHIN} AND kind IN ('line', 'delta')
    GROUP BY agent_id, begins
)
{INTO_ENTRIES}
SELECT agent_id, coalesce(made.team_id, stands.team_id), %(plan)s, %(version)s, begins, coalesce(made.ends, stands.ends),
       CASE WHEN stands.entries IS NULL AND %(is_open)s THEN %(month)s ELSE %(open_month)s END::date,
       CASE WHEN stands.entries IS NULL AND %(is_open)s THEN 'line' ELSE 'delta' END,
       CASE WHEN stands.entries IS NULL AND %(is_open)s THEN 'line'
            ELSE concat(%(cause)s::text, ':', coalesce(stands.entries, 0) + 1) END,
       coalesce(made.amount, 0) - coalesce(stands.amount, 0), coalesce(made.withheld, 0) - coalesce(stands.withheld, 0),
       coalesce(stands.currency, %(currency)s), coalesce(made.wages, '[]'), coalesce(made.digest, '')
FROM ({CALCULATED}) made FULL JOIN stands USING (agent_id, begins)
WHERE coalesce(made.lack, '') = ''
  AND (coalesce(made.amount, 0) <> coalesce(stands.amount, 0) OR coalesce(made.withheld, 0) <> coalesce(stands.withheld, 0))
ON CONFLICT DO NOTHING
"""
