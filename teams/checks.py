"""What `check --deploy` says about the second wall: whether the login may walk past it, and which roles are still missing."""

from typing import Any

from django.core.checks import CheckMessage, Error, Info, Tags, register
from django.db import Error as DatabaseError
from django.db import connection

from teams import database_roles


@register(Tags.security, deploy=True)
def row_security_holds(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """An error for a login that policies do not hold; a hint where web and worker have no login of their own."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
            (walks_past,) = cursor.fetchone()
            missing = sorted(set(database_roles.ROLES) - set(database_roles.present()))
    except DatabaseError as error:
        return [
            Info(f"The database does not answer, so row security was not checked: {error}".strip(), id="teams.I001")
        ]
    found: list[CheckMessage] = []
    if walks_past:
        found.append(
            Error(
                "The login of DATABASE_URL is a superuser or bypasses row security: the second wall does not stand.",
                hint="ALTER ROLE ... NOSUPERUSER NOBYPASSRLS, or name an ordinary login.",
                id="teams.E001",
            )
        )
    if missing:
        found.append(
            Info(
                f"PostgreSQL has no role {', '.join(missing)}.",
                hint="Row security holds the one login there is; docs/operating.md has the statements for roles of their own.",
                id="teams.I002",
            )
        )
    return found
