"""The database: there, new enough, with the right letters, at the newest migration, with no more rights than needed."""

from typing import Any

from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from teams.doctor import Check, Finding, doubtful, well, wrong

LEAST_VERSION = 150000
SKEW_SECONDS, MOST_SKEW_SECONDS = 2, 30


def _ask(sql: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


def reachable() -> Finding:
    try:
        version, words = _ask("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
    except OperationalError:
        return wrong(
            "The database does not answer.",
            "Start `manage.py run` (or `manage.py run database`), or correct DATABASE_URL.",
        )
    if version < LEAST_VERSION:
        return wrong(f"PostgreSQL {words} is too old.", "Upgrade the server to PostgreSQL 15 or newer.")
    return well(f"PostgreSQL {words} answers.")


def letters() -> Finding:
    """Without a locale that knows them, PostgreSQL takes Chinese letters for punctuation, and nothing is found by them."""
    encoding, collation, parts = _ask(
        "SELECT pg_encoding_to_char(encoding), datcollate, coalesce(array_length(show_trgm('客服主管'), 1), 0)"
        " FROM pg_database WHERE datname = current_database()"
    )
    if encoding != "UTF8":
        return wrong(
            f"The database is encoded in {encoding}.",
            "Make it anew with `CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8'` and restore a dump into it.",
        )
    if not parts:
        return wrong(
            f"The locale {collation} does not know Chinese letters: searches by them find nothing.",
            "Make the database anew with LOCALE 'C.UTF-8' (template0) and restore a dump into it.",
        )
    return well(f"Encoding UTF8, locale {collation}; Chinese words can be searched.")


def role() -> Finding:
    name, is_superuser, passes_by = _ask(
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user"
    )
    if is_superuser or passes_by:
        return wrong(
            f"The role {name} {'is a superuser' if is_superuser else 'passes by row security'}.",
            f"Take it away as the administrator: ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS.",
        )
    return well(f"The role {name} has no rights beyond its database.")


def row_security() -> Finding:
    """Row security that does not bind the owner of a table protects nothing, as the owner is who we are."""
    guarded, loose = _ask(
        "SELECT count(*) FILTER (WHERE relrowsecurity), count(*) FILTER (WHERE relrowsecurity AND NOT relforcerowsecurity)"
        " FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace"
    )
    if loose:
        return wrong(f"Tables whose row security does not bind their owner: {loose}.", "Apply the migrations again.")
    return well(f"Tables with row security: {guarded}." if guarded else "This release uses no row security.")


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    due = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    unknown = set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations)
    if due:
        return wrong(
            f"Migrations that are not applied: {due}.", "Run `manage.py migrate`; `manage.py run` does it at its start."
        )
    ours = {app for app, _name in executor.loader.disk_migrations}
    newer = sorted(f"{app}.{name}" for app, name in unknown if app in ours)
    if newer:
        return doubtful(
            f"The database is newer than this code: {newer[-1]}.",
            "Run the release that made it, or go back with migrate.",
        )
    return well("All migrations are applied.")


def clock() -> Finding:
    """Days, leases and tokens compare the clocks of two machines."""
    (theirs,) = _ask("SELECT clock_timestamp()")
    skew = abs((timezone.now() - theirs).total_seconds())
    words = f"The clocks of this machine and of the database differ by {skew:.1f} s."
    if skew > MOST_SKEW_SECONDS:
        return wrong(words, "Let both follow the same time service (chrony or systemd-timesyncd).")
    return doubtful(words, "Let both follow the same time service.") if skew > SKEW_SECONDS else well(words)


CHECKS: tuple[tuple[str, Check], ...] = (
    ("database", reachable),
    ("letters", letters),
    ("role", role),
    ("migrations", migrations),
    ("row security", row_security),
    ("clock", clock),
)
