"""The logins of PostgreSQL and what each may do. The owner of the tables migrates them; nobody else owns anything.

The embedded database has all of them, made by the starter, and web and worker processes log in as theirs: a login that is
not the owner cannot alter a policy, and has no way back to one that can, which SET ROLE would leave open. On a server they are
the administrator's to make (docs/operating.md); where they are missing the policies are forced on the one login there is.
"""

from django.db import connection

WEB, WORKER, REPORT, BACKUP = "outpost_web", "outpost_worker", "outpost_report", "outpost_backup"
ROLES: dict[str, str] = {
    WEB: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    WORKER: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    REPORT: "LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE",
    BACKUP: "LOGIN NOSUPERUSER BYPASSRLS NOCREATEDB NOCREATEROLE",
}
WRITERS, READERS = (WEB, WORKER), (REPORT, BACKUP)

# What a report never needs: passwords, tokens, sessions, wages and what is paid, messages and the files of deliveries.
NOT_FOR_REPORTS = (
    "teams_user", "teams_historicaluser", "teams_compensation", "teams_historicalcompensation", "teams_notice",
    "teams_storedfile", "teams_storedpart", "knox_authtoken", "django_session", "performance_importrefusal",
    "incentives_entry", "incentives_run", "incentives_historicalrun", "incentives_batch", "incentives_historicalbatch",
    "incentives_batchitem", "incentives_simulation",
)  # fmt: skip


def present() -> list[str]:
    """Which of the roles this server has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s) ORDER BY 1", [list(ROLES)])
        return [name for (name,) in cursor.fetchall()]


def give_rights() -> None:
    """Give the roles that are there the rights they need on the tables there are now, and no more. After every migrate."""
    roles = present()
    with connection.cursor() as cursor:
        for role in roles:
            cursor.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
            cursor.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}")
            if role in WRITERS:
                cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")
                cursor.execute(f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
                cursor.execute(f"REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM {role}")
            else:
                cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
            if role == BACKUP:
                cursor.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}")
            if role == REPORT:
                for table in NOT_FOR_REPORTS:
                    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
                    if cursor.fetchone()[0]:
                        cursor.execute(f"REVOKE ALL ON {table} FROM {role}")
