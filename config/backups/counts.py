"""What a database holds, counted by somebody who sees all of it: how many rows each table has, and how many migrations."""

from dataclasses import dataclass
from typing import Any

from config.runtime.places import Unable

TABLES = """
SELECT n.nspname || '.' || c.relname, quote_ident(n.nspname) || '.' || quote_ident(c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
ORDER BY 1
"""
HIDDEN = """
SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = 'public' AND row_security_active(c.oid)
"""
CHURN = "SELECT schemaname || '.' || relname, n_tup_ins, n_tup_del FROM pg_stat_user_tables"


@dataclass(frozen=True)
class Count:
    """Rows of each table at one moment, and how many were inserted and deleted in it since statistics began."""

    rows: dict[str, int]
    inserted: dict[str, int]
    deleted: dict[str, int]

    def until(self, later: "Count") -> dict[str, tuple[int, int]]:
        """The fewest and the most rows each table can have had at a moment between the two counts."""
        spans = {}
        for name, before in self.rows.items():
            after = later.rows.get(name, before)
            came = max(later.inserted.get(name, 0) - self.inserted.get(name, 0), 0)
            went = max(later.deleted.get(name, 0) - self.deleted.get(name, 0), 0)
            spans[name] = (max(min(before, after) - went, 0), max(before, after) + came)
        return spans


def count(link: Any) -> Count:
    """Count through a psycopg connection. Raises Unable if its role sees only some of the rows: such a copy is none."""
    refuse_blind(link)
    rows = {
        name: link.execute(f"SELECT count(*) FROM {quoted}").fetchone()[0]  # noqa: S608 - names quoted by the server
        for name, quoted in link.execute(TABLES).fetchall()
    }
    churn = link.execute(CHURN).fetchall()
    return Count(rows, {name: came for name, came, _ in churn}, {name: went for name, _, went in churn})


def refuse_blind(link: Any) -> None:
    hidden = link.execute(HIDDEN).fetchone()[0]
    if hidden:
        who = link.execute("SELECT current_user").fetchone()[0]
        raise Unable(
            f"The role {who} sees only some rows of {hidden} tables, so what it copies is no backup. Let a role with "
            "BYPASSRLS make it: name it in DATABASE_URL for this command."
        )


def migrations(link: Any) -> list[list[str]]:
    return [list(row) for row in link.execute("SELECT app, name FROM django_migrations ORDER BY app, name").fetchall()]
